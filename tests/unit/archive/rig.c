#include "rig.h"
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/metrics.h>

enum { RIG_TURNS = 3000, RIG_WAIT_MS = 10 };

void rig_init(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    snprintf(r->dir, sizeof(r->dir), "/tmp/umbel-archive-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->root, sizeof(r->root), "%s/archive", r->dir);
    snprintf(r->url, sizeof(r->url), "file://%s", r->root);
    r->conf = (struct um_archive_conf){ .url = r->url };
    um_log_set_level(NULL, UM_OFF);
}

void rig_open(struct rig *r)
{
    char why[256];

    r->loop = um_loop_new(0);
    if (um_archive_open(&r->ar, &r->conf, why) != UM_OK)
        fail_msg("cannot open %s: %s", r->url, why);
}

void rig_close(struct rig *r)
{
    um_archive_close(r->ar);
    r->ar = NULL;
    if (r->loop != NULL) {
        um_loop_turn(r->loop, 0);                /* frees answers that nobody hears any more */
        um_loop_free(r->loop);
    }
    r->loop = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void rig_free(struct rig *r)
{
    rig_close(r);
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void rig_turn_until(struct rig *r, const int *calls, int n)
{
    for (int i = 0; i < RIG_TURNS && *calls < n; i++)
        um_loop_turn(r->loop, RIG_WAIT_MS);
    if (*calls < n)
        fail_msg("only %d of %d callbacks came", *calls, n);
}

void rig_path(const struct rig *r, const char *file, char out[512])
{
    snprintf(out, 512, "%s/%s", r->root, file);
}

int64_t rig_counter(const char *name)
{
    return um_metric_value(um_metrics_find(name));
}

/* ---- answers ---- */

void got_done(void *arg, um_err err)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
}

static void got_bytes(void *arg, um_err err, struct um_bytes *bytes)
{
    struct got *got = arg;

    got_done(got, err);
    assert_true((err == UM_OK) == (bytes != NULL));
    if (bytes == NULL)
        return;
    got->bytes = (int64_t)bytes->len;
    snprintf(got->text, sizeof(got->text), "%.*s", (int)bytes->len, (const char *)bytes->data);
}

static void got_page(void *arg, um_err err, const struct um_archive_page *page)
{
    struct got *got = arg;

    got_done(got, err);
    assert_true((err == UM_OK) == (page != NULL));
    for (size_t i = 0; page != NULL && i < page->n; i++) {
        size_t n = strlen(got->text);

        snprintf(got->text + n, sizeof(got->text) - n, "%s ", page->entries[i].key);
        assert_true(page->entries[i].modified_at_ms > INT64_C(1700000000000));
    }
    if (page != NULL && page->n > 0)
        got->bytes = page->entries[0].bytes;
    snprintf(got->after, sizeof(got->after), "%s", page != NULL && page->after != NULL ? page->after : "");
}

/* ---- calls ---- */

static um_err wait_for(struct rig *r, struct got *got)
{
    assert_int_equal(got->calls, 0);             /* never inside the call */
    rig_turn_until(r, &got->calls, 1);
    return got->err;
}

um_err rig_put(struct rig *r, const char *key, const char *text)
{
    struct um_bytes *b = um_bytes_dup(text, strlen(text));
    struct got got = { 0 };

    um_archive_put(r->ar, r->loop, key, b, got_done, &got);
    um_bytes_unref(b);
    return wait_for(r, &got);
}

um_err rig_get(struct rig *r, const char *key, size_t max, struct got *got)
{
    *got = (struct got){ 0 };
    um_archive_get(r->ar, r->loop, key, max, got_bytes, got);
    return wait_for(r, got);
}

um_err rig_delete(struct rig *r, const char *key)
{
    struct got got = { 0 };

    um_archive_delete(r->ar, r->loop, key, got_done, &got);
    return wait_for(r, &got);
}

um_err rig_list(struct rig *r, const char *prefix, const char *after, size_t max, struct got *got)
{
    *got = (struct got){ 0 };
    um_archive_list(r->ar, r->loop, prefix, after, max, got_page, got);
    return wait_for(r, got);
}

um_err rig_probe(struct rig *r)
{
    struct got got = { 0 };

    um_archive_probe(r->ar, r->loop, got_done, &got);
    return wait_for(r, &got);
}
