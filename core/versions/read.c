/* One version with its bytes, from the store or from the archive. */
#include "versions_int.h"
#include <stdlib.h>
#include <umbel/util.h>

struct reading {
    struct um_versions *v;
    struct um_loop *loop;
    int64_t max_bytes;
    struct um_store_version row;             /* strings are ours */
    um_store_version_cb *cb;
    void *arg;
};

static void free_reading(struct reading *r)
{
    free((char *)r->row.document);
    free((char *)r->row.label);
    free((char *)r->row.author);
    free((char *)r->row.contributors);
    free((char *)r->row.archive_key);
    free(r);
}

/* The row says that the bytes are there, and how many. */
static um_err judge(um_err err)
{
    switch (err) {
    case UM_OK:
    case UM_ENOMEM:
    case UM_ECORRUPT:
        return err;
    case UM_ENOTFOUND:
    case UM_ELIMIT:
        return UM_ECORRUPT;
    default:
        return UM_EIO;
    }
}

static void got(void *arg, um_err err, struct um_bytes *bytes)
{
    struct reading *r = arg;

    err = judge(err);
    if (err == UM_OK && ((int64_t)bytes->len != r->row.bytes || um_crc32c(0, bytes->data, bytes->len) != r->row.crc))
        err = UM_ECORRUPT;
    if (err == UM_OK)
        versions_count(VERSIONS_C_READ, 1);
    r->cb(r->arg, err, err == UM_OK ? &r->row : NULL, err == UM_OK ? bytes : NULL);
    free_reading(r);
}

static void copy_row(struct reading *r, const struct um_store_version *row)
{
    r->row = *row;
    r->row.document = um_xstrdup(row->document);
    r->row.label = um_xstrdup(row->label);
    r->row.author = um_xstrdup(row->author);
    r->row.contributors = um_xstrdup(row->contributors);
    r->row.archive_key = um_xstrdup(row->archive_key);
}

static void found(void *arg, um_err err, const struct um_store_version *row, struct um_bytes *state)
{
    struct reading *r = arg;

    if (err == UM_OK && row->bytes > r->max_bytes)
        err = UM_ELIMIT;
    if (err == UM_OK && state == NULL && r->v->archive != NULL) {
        copy_row(r, row);
        um_archive_get(r->v->archive, r->loop, r->row.archive_key, (size_t)r->row.bytes, got, r);
        return;
    }
    if (err == UM_OK && state == NULL)
        err = UM_ECLOSED;
    r->cb(r->arg, err, err == UM_OK ? row : NULL, err == UM_OK ? state : NULL);
    free_reading(r);
}

void um_versions_read(struct um_versions *v, struct um_loop *l, const char *document, uint64_t seq, int64_t max_bytes,
                      um_store_version_cb *cb, void *arg)
{
    struct reading *r = um_xcalloc(1, sizeof(*r));

    r->v = v;
    r->loop = l;
    r->max_bytes = max_bytes;
    r->cb = cb;
    r->arg = arg;
    um_store_version(v->store, l, document, seq, found, r);
}
