/* The archive's public face: chooses the place by the URL, checks what callers hand in, and passes calls on to the threads.
 * What is wrong with a call is told by its callback, like everything else. */
#include <umbel/archive.h>

#include <stdio.h>
#include <stdlib.h>
#include <umbel/log.h>
#include "counters.h"
#include "key.h"
#include "workers.h"

enum { OBJECT_MAX = 1 << 30, PAGE_MAX = 1000 };       /* bytes of an object; entries of a page */

struct um_archive {
    const struct archive_place *place;
    void *self;                       /* the place's */
    struct archive_gate *gate;
    struct archive_workers *workers;
};

/* ---- opening ---- */

/* What a caller left at 0 or NULL gets the key's default. */
static struct um_archive_conf complete_conf(const struct um_archive_conf *cf)
{
    struct um_archive_conf c = *cf;
    const char **texts[] = { &c.url, &c.s3_endpoint, &c.s3_region, &c.s3_access_key, &c.s3_secret_key, &c.s3_ca_file };

    for (size_t i = 0; i < UM_COUNT(texts); i++)
        *texts[i] = *texts[i] != NULL ? *texts[i] : "";
    c.part_bytes = c.part_bytes > 0 ? c.part_bytes : 8 << 20;
    c.timeout_ms = c.timeout_ms > 0 ? c.timeout_ms : 60000;
    c.connections = c.connections > 0 ? c.connections : 4;
    c.max_waiting_bytes = c.max_waiting_bytes > 0 ? c.max_waiting_bytes : (int64_t)256 << 20;
    return c;
}

um_err um_archive_open(struct um_archive **out, const struct um_archive_conf *cf, char why[256])
{
    struct um_archive_conf c = complete_conf(cf);
    struct archive_url url;
    struct um_archive *ar;
    char unheard[256];
    um_err err;

    *out = NULL;
    why = why != NULL ? why : unheard;
    why[0] = '\0';
    archive_counters_register();
    ar = um_xcalloc(1, sizeof(*ar));
    ar->gate = archive_gate_new();
    if ((err = archive_url_parse(&url, c.url, why)) != UM_OK)
        goto out;
    ar->place = url.place;
    if ((err = url.place->open(&ar->self, &url, &c, why)) != UM_OK)
        goto out;
    if ((err = archive_workers_start(&ar->workers, url.place, ar->self, &c)) != UM_OK) {
        snprintf(why, 256, "cannot start the archive's threads: %s", um_err_text(err));
        goto out;
    }
    um_log(UM_INFO, "archive", "open", UM_S("place", url.place->name),
           UM_S("location", url.path != NULL ? url.path : url.bucket));
    *out = ar;
    ar = NULL;
out:
    archive_url_free(&url);
    um_archive_close(ar);
    return err;
}

void um_archive_close(struct um_archive *ar)
{
    if (ar == NULL)
        return;
    archive_workers_stop(ar->workers);
    archive_gate_close(ar->gate);
    if (ar->self != NULL)
        ar->place->close(ar->self);
    free(ar);
}

bool um_archive_is_healthy(const struct um_archive *ar)
{
    return archive_workers_are_healthy(ar->workers);
}

/* ---- calls ---- */

static void pass_on(struct um_archive *ar, struct archive_op *op, um_err err)
{
    op->gate = ar->gate;
    op->err = err;
    if (err != UM_OK)
        archive_deliver(op);
    else
        archive_workers_put(ar->workers, op);
}

static um_err check_key(const char *key)
{
    return archive_key_is_valid(key) && !archive_key_is_own(key) ? UM_OK : UM_EINVAL;
}

/* Of a key that failed its check nothing is copied: it may be of any length. */
static struct archive_op *make_op(enum archive_kind kind, struct um_loop *l, const char *key, um_err err, void *arg)
{
    return archive_op_new(kind, l, arg, err == UM_OK ? key : NULL, NULL, NULL);
}

void um_archive_put(struct um_archive *ar, struct um_loop *l, const char *key, struct um_bytes *bytes,
                    um_archive_done_cb *cb, void *arg)
{
    um_err err = check_key(key);
    struct archive_op *op = make_op(ARCHIVE_PUT, l, key, err, arg);

    op->cb.done = cb;
    if (bytes == NULL || bytes->len == 0)
        err = UM_EINVAL;
    else if (err == UM_OK && bytes->len > OBJECT_MAX)
        err = UM_ELIMIT;
    if (err == UM_OK)
        op->bytes = um_bytes_ref(bytes);
    pass_on(ar, op, err);
}

void um_archive_get(struct um_archive *ar, struct um_loop *l, const char *key, size_t max_bytes,
                    um_archive_get_cb *cb, void *arg)
{
    um_err err = check_key(key);
    struct archive_op *op = make_op(ARCHIVE_GET, l, key, err, arg);

    op->cb.get = cb;
    op->max = UM_MIN(max_bytes, (size_t)OBJECT_MAX);
    pass_on(ar, op, err);
}

void um_archive_delete(struct um_archive *ar, struct um_loop *l, const char *key, um_archive_done_cb *cb, void *arg)
{
    um_err err = check_key(key);
    struct archive_op *op = make_op(ARCHIVE_DELETE, l, key, err, arg);

    op->cb.done = cb;
    pass_on(ar, op, err);
}

void um_archive_list(struct um_archive *ar, struct um_loop *l, const char *prefix, const char *after, size_t max,
                     um_archive_page_cb *cb, void *arg)
{
    bool ok = archive_prefix_is_valid(prefix) && archive_prefix_is_valid(after) && max >= 1 && max <= PAGE_MAX;
    struct archive_op *op = archive_op_new(ARCHIVE_LIST, l, arg, ok ? prefix : NULL, ok ? after : NULL, NULL);

    op->cb.page = cb;
    op->max = max;
    pass_on(ar, op, ok ? UM_OK : UM_EINVAL);
}

void um_archive_probe(struct um_archive *ar, struct um_loop *l, um_archive_done_cb *cb, void *arg)
{
    struct archive_op *op = archive_op_new(ARCHIVE_PROBE, l, arg, NULL, NULL, NULL);

    op->cb.done = cb;
    pass_on(ar, op, UM_OK);
}
