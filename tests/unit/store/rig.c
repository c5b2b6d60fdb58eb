#include "rig.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/log.h>

enum { RIG_TURNS = 3000, RIG_WAIT_MS = 10 };

/* ---- life ---- */

void rig_init(struct rig *r, const char *url)
{
    memset(r, 0, sizeof(*r));
    snprintf(r->dir, sizeof(r->dir), "/tmp/umbel-store-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    if (url != NULL)
        snprintf(r->url, sizeof(r->url), "%s", url);
    else
        snprintf(r->url, sizeof(r->url), "sqlite://%s/umbel.db", r->dir);
    r->conf = (struct um_store_conf){ .url = r->url, .commit_delay_ms = 1, .commit_rows = 64, .max_waiting_bytes = 1 << 20 };
    um_log_set_level(NULL, UM_OFF);
}

void rig_open(struct rig *r)
{
    char why[256];
    um_err err;

    r->loop = um_loop_new(0);
    err = um_store_open(&r->st, &r->conf, why);
    if (err != UM_OK)
        fail_msg("cannot open %s: %s", r->url, why);
}

void rig_close(struct rig *r)
{
    um_store_close(r->st);
    r->st = NULL;
    if (r->loop != NULL) {
        um_loop_turn(r->loop, 0);                /* frees answers that nobody hears any more */
        um_loop_free(r->loop);
    }
    r->loop = NULL;
}

void rig_free(struct rig *r)
{
    DIR *d;
    struct dirent *e;
    char path[512];

    rig_close(r);
    d = opendir(r->dir);
    while (d != NULL && (e = readdir(d)) != NULL) {
        snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
        unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(r->dir);
}

void rig_turn_until(struct rig *r, const int *calls, int n)
{
    for (int i = 0; i < RIG_TURNS && *calls < n; i++)
        um_loop_turn(r->loop, RIG_WAIT_MS);
    if (*calls < n)
        fail_msg("only %d of %d callbacks came", *calls, n);
}

struct um_bytes *text_bytes(const char *text)
{
    return um_bytes_dup(text, strlen(text));
}

/* ---- answers ---- */

static void copy_text(char *out, size_t size, struct um_span s)
{
    size_t n = strlen(out);

    snprintf(out + n, size - n, "%.*s", (int)s.len, (const char *)s.data);
}

void got_number(void *arg, um_err err, uint64_t number)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
    got->number = number;
}

void got_load(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
    if (err != UM_OK) {
        assert_null(doc);
        return;
    }
    got->exists = doc->exists;
    got->deleted = doc->deleted;
    got->version = doc->version;
    got->folded_seq = doc->folded_seq;
    got->last_seq = doc->last_seq;
    got->n_updates = doc->n_updates;
    if (doc->state != NULL)
        copy_text(got->state, sizeof(got->state), um_bytes_span(doc->state));
    for (size_t i = 0; i < doc->n_updates; i++) {
        assert_int_equal(doc->updates[i].seq, doc->last_seq - doc->n_updates + i + 1);
        copy_text(got->updates, sizeof(got->updates), doc->updates[i].bytes);
    }
}

void got_entry(void *arg, um_err err, const struct um_store_entry *e)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
    if (e == NULL)
        return;
    got->n = 1;
    snprintf(got->name, sizeof(got->name), "%s", e->name);
    snprintf(got->title, sizeof(got->title), "%s", e->title);
    snprintf(got->created_by, sizeof(got->created_by), "%s", e->created_by);
    snprintf(got->updated_by, sizeof(got->updated_by), "%s", e->updated_by);
    got->created_at_ms = e->created_at_ms;
    got->updated_at_ms = e->updated_at_ms;
    got->bytes = e->bytes;
    got->version = e->version;
}

void got_page(void *arg, um_err err, const struct um_store_page *page)
{
    struct got *got = arg;

    if (err == UM_OK && page->n > 0)
        got_entry(got, err, &page->entries[0]);
    else
        got_entry(got, err, NULL);
    if (err != UM_OK)
        return;
    got->n = page->n;
    got->found = page->found;
    snprintf(got->after, sizeof(got->after), "%s", page->after != NULL ? page->after : "");
    for (size_t i = 0; i < page->n; i++) {
        copy_text(got->names, sizeof(got->names), UM_SPAN_STR(page->entries[i].name));
        copy_text(got->names, sizeof(got->names), UM_SPAN_STR(" "));
    }
}

/* ---- calls ---- */

static struct got *fresh(struct got *got, struct got *own)
{
    struct got *g = got != NULL ? got : own;

    memset(g, 0, sizeof(*g));
    return g;
}

/* The promise of every call: the callback does not run inside it, and once. */
static um_err finish(struct rig *r, struct got *g)
{
    assert_int_equal(g->calls, 0);
    rig_turn_until(r, &g->calls, 1);
    assert_int_equal(g->calls, 1);
    return g->err;
}

um_err rig_append(struct rig *r, const char *name, const char *text, struct got *got)
{
    struct got own, *g = fresh(got, &own);
    struct um_bytes *b = text_bytes(text);

    um_store_append(r->st, r->loop, name, b, "ann", got_number, g);
    um_bytes_unref(b);
    return finish(r, g);
}

um_err rig_fold(struct rig *r, const char *name, const char *state, uint64_t upto, uint64_t version, struct got *got)
{
    struct got own, *g = fresh(got, &own);
    struct um_bytes *b = text_bytes(state);

    um_store_fold(r->st, r->loop, name, b, upto, version, got_number, g);
    um_bytes_unref(b);
    return finish(r, g);
}

um_err rig_load(struct rig *r, const char *name, struct got *got)
{
    struct got own, *g = fresh(got, &own);

    um_store_load(r->st, r->loop, name, got_load, g);
    return finish(r, g);
}

um_err rig_create(struct rig *r, const char *name, const char *title, const char *user, struct got *got)
{
    struct got own, *g = fresh(got, &own);

    um_store_create(r->st, r->loop, name, title, user, got_entry, g);
    return finish(r, g);
}

um_err rig_get(struct rig *r, const char *name, struct got *got)
{
    struct got own, *g = fresh(got, &own);

    um_store_get(r->st, r->loop, name, got_entry, g);
    return finish(r, g);
}

um_err rig_set_title(struct rig *r, const char *name, const char *title, const char *user, struct got *got)
{
    struct got own, *g = fresh(got, &own);

    um_store_set_title(r->st, r->loop, name, title, user, got_entry, g);
    return finish(r, g);
}

um_err rig_delete(struct rig *r, const char *name, struct got *got)
{
    struct got own, *g = fresh(got, &own);

    um_store_delete(r->st, r->loop, name, "bob", got_entry, g);
    return finish(r, g);
}

um_err rig_list(struct rig *r, const char *search, int64_t max, const char *after, struct got *got)
{
    struct got own, *g = fresh(got, &own);

    um_store_list(r->st, r->loop, &(struct um_store_query){ search, max, after }, got_page, g);
    return finish(r, g);
}

/* ---- other processes, versions ---- */

void got_heads(void *arg, um_err err, const struct um_store_head *heads, size_t n)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
    got->n = n;
    for (size_t i = 0; i < n && i < UM_COUNT(got->heads); i++)
        got->heads[i] = heads[i];
}

static void take_version(struct got *got, const struct um_store_version *v)
{
    got->seq = v->seq;
    got->bytes = v->bytes;
    snprintf(got->name, sizeof(got->name), "%s", v->document);
    snprintf(got->label, sizeof(got->label), "%s", v->label);
    snprintf(got->author, sizeof(got->author), "%s", v->author);
    snprintf(got->contributors, sizeof(got->contributors), "%s", v->contributors);
    snprintf(got->archive_key, sizeof(got->archive_key), "%s", v->archive_key);
}

void got_versions(void *arg, um_err err, const struct um_store_versions *versions)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
    if (err != UM_OK)
        return;
    got->n = versions->n;
    got->more = versions->more;
    for (size_t i = 0; i < versions->n; i++) {
        size_t at = strlen(got->versions);

        if (i == 0)
            take_version(got, &versions->rows[i]);
        snprintf(got->versions + at, sizeof(got->versions) - at, "%llu:%s ", (unsigned long long)versions->rows[i].seq,
                 versions->rows[i].label);
    }
}

void got_version(void *arg, um_err err, const struct um_store_version *version, struct um_bytes *state)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
    if (version != NULL)
        take_version(got, version);
    got->has_state = state != NULL;
    if (state != NULL)
        copy_text(got->state, sizeof(got->state), um_bytes_span(state));
}

void got_clients(void *arg, um_err err, const struct um_store_client *clients, size_t n)
{
    struct got *got = arg;

    got->calls++;
    got->err = err;
    got->n = n;
    for (size_t i = 0; i < n; i++) {
        size_t at = strlen(got->names);

        snprintf(got->names + at, sizeof(got->names) - at, "%llu:%s ", (unsigned long long)clients[i].client, clients[i].user);
    }
}

#define CALL(...) struct got own, *g = fresh(got, &own); __VA_ARGS__; return finish(r, g)

um_err rig_since(struct rig *r, const char *name, uint64_t seq, struct got *got)
{
    CALL(um_store_load_since(r->st, r->loop, name, seq, got_load, g));
}

um_err rig_heads(struct rig *r, const char *const *names, size_t n, struct got *got)
{
    CALL(um_store_heads(r->st, r->loop, names, n, got_heads, g));
}

um_err rig_versions(struct rig *r, const char *name, uint64_t before, int64_t max, struct got *got)
{
    CALL(um_store_versions(r->st, r->loop, name, before, max, got_versions, g));
}

um_err rig_versions_before(struct rig *r, int64_t before_ms, int64_t max, struct got *got)
{
    CALL(um_store_versions_before(r->st, r->loop, before_ms, max, got_versions, g));
}

um_err rig_version(struct rig *r, const char *name, uint64_t seq, struct got *got)
{
    CALL(um_store_version(r->st, r->loop, name, seq, got_version, g));
}

um_err rig_keep(struct rig *r, const char *name, const char *state, uint64_t seq, const char *label, struct got *got)
{
    struct um_bytes *bytes = text_bytes(state);
    struct got own, *g = fresh(got, &own);

    um_store_keep_version(r->st, r->loop, name, bytes, seq, label, "keeper", got_version, g);
    um_bytes_unref(bytes);
    return finish(r, g);
}

um_err rig_label(struct rig *r, const char *name, uint64_t seq, const char *label, struct got *got)
{
    CALL(um_store_label_version(r->st, r->loop, name, seq, label, got_version, g));
}

um_err rig_archive(struct rig *r, const char *name, uint64_t seq, const char *key, struct got *got)
{
    CALL(um_store_archive_version(r->st, r->loop, name, seq, key, got_version, g));
}

um_err rig_drop(struct rig *r, const char *name, uint64_t seq, struct got *got)
{
    CALL(um_store_drop_version(r->st, r->loop, name, seq, got_version, g));
}

um_err rig_clients(struct rig *r, const char *name, struct got *got)
{
    CALL(um_store_clients(r->st, r->loop, name, got_clients, g));
}
