/* Downloads: one chunk in memory, the next one is fetched when it has been read. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include "internal.h"

struct um_download {
    struct transfer transfer;
    struct um_content *content;
    const struct content_place *place;
    struct um_loop *loop;
    struct um_content_file file;
    int64_t at, left;                        /* in the content; bytes still wanted */
    struct um_bytes *chunk;                  /* that has `at`, or NULL */
    int64_t chunk_at;                        /* where it begins */
    bool busy, closed;
    um_err err;
    void (*wake)(void *arg);
    void *arg;
    struct content_io io;
};

static void free_download(struct um_download *d)
{
    content_leave(d->content, &d->transfer);
    um_bytes_unref(d->chunk);
    if (d->io.bytes != NULL && d->busy)
        um_bytes_unref(d->io.bytes);         /* on its way when all was stopped */
    free(d);
}

static void free_transfer(struct transfer *t) { free_download(UM_CONTAINER(t, struct um_download, transfer)); }

um_err um_download_new(struct um_download **out, struct um_content *c, struct um_loop *l, const struct um_content_file *file,
                       int64_t first, int64_t length, void (*wake)(void *arg), void *arg)
{
    struct um_download *d = um_xcalloc(1, sizeof(*d));

    UM_ASSERT(first >= 0 && length >= 0 && length <= file->size && first <= file->size - length);
    *out = NULL;
    if (!content_enter(c, &d->transfer, free_transfer)) {
        free(d);
        return UM_EBUSY;
    }
    d->content = c;
    d->loop = l;
    d->file = *file;
    d->place = content_place_of(c, file->place);
    d->at = first;
    d->left = length;
    d->wake = wake;
    d->arg = arg;
    content_count(M_DOWNLOADS, 1);
    *out = d;
    return UM_OK;
}

/* ---- fetching ---- */

static void lose(struct um_download *d, um_err err)
{
    d->err = err;
    content_count(M_LOST, 1);
    um_log_limited(UM_ERROR, "content", "bytes of a file cannot be had", UM_S("content", d->file.content), UM_S("place", d->file.place),
                   UM_S("error", um_err_text(err)));
}

static void fetched(struct content_io *io)
{
    struct um_download *d = UM_CONTAINER(io, struct um_download, io);

    d->busy = false;
    if (d->closed) {
        um_bytes_unref(io->bytes);
        free_download(d);
        return;
    }
    if (io->err == UM_OK)
        d->chunk = io->bytes;
    else
        lose(d, io->err);
    d->wake(d->arg);
}

/* The content lies where this core's configuration knows of no place. */
static void no_place(void *arg)
{
    struct um_download *d = arg;

    d->io.err = UM_EINVAL;
    fetched(&d->io);
}

static void fetch(struct um_download *d)
{
    int64_t n = d->at / d->file.chunk;

    um_bytes_unref(d->chunk);
    d->chunk = NULL;
    d->chunk_at = n * d->file.chunk;
    d->io = (struct content_io){ .content = d->content, .loop = d->loop, .place = d->place, .id = d->file.content, .n = n,
                                 .chunk = d->file.chunk, .len = (size_t)UM_MIN(d->file.chunk, d->file.size - d->chunk_at),
                                 .done = fetched };
    d->busy = true;
    if (d->place != NULL)
        d->place->get(&d->io);
    else
        um_loop_call(d->loop, no_place, d);
}

void um_download_start(struct um_download *d)
{
    if (!d->busy && d->chunk == NULL && d->err == UM_OK)
        fetch(d);
}

um_err um_download_error(const struct um_download *d)
{
    return d->err;
}

ptrdiff_t um_download_read(struct um_download *d, uint8_t *out, size_t n)
{
    size_t from;

    if (d->left == 0)
        return -1;
    if (d->err != UM_OK)
        return -2;
    if (d->chunk == NULL || d->at >= d->chunk_at + (int64_t)d->chunk->len) {
        if (!d->busy)
            fetch(d);
        return 0;
    }
    from = (size_t)(d->at - d->chunk_at);
    n = UM_MIN(n, UM_MIN(d->chunk->len - from, (size_t)d->left));
    memcpy(out, d->chunk->data + from, n);
    d->at += (int64_t)n;
    d->left -= (int64_t)n;
    content_count(M_DOWNLOAD_BYTES, (int64_t)n);
    return (ptrdiff_t)n;
}

void um_download_free(struct um_download *d)
{
    if (d == NULL)
        return;
    d->closed = true;
    if (!d->busy)
        free_download(d);
}
