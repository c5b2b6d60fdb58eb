/* The store's public face: chooses the database by the URL, checks what callers hand in, and passes calls on to the
 * writer or the readers. What is wrong with a call is told by its callback, like everything else. */
#include "store_internal.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"

/* ---- opening ---- */

static const char *skip_prefix(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(s, prefix, n) == 0 ? s + n : s;
}

static bool has_scheme(const char *url)
{
    size_t n = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

    return n > 1 && url[n] == ':';
}

/* sqlite:///abs/path, sqlite:path, /path, each with jdbc: before it; memory:, :memory:, sqlite::memory:;
 * postgresql:..., postgres:..., with jdbc: too */
static const struct um_store_driver *choose_driver(const char *url, const char **location)
{
    const char *rest = skip_prefix(url, "jdbc:");
    const char *path = skip_prefix(rest, "sqlite:");

    if (strcmp(rest, "memory:") == 0 || strcmp(path, ":memory:") == 0)
        return &store_sqlite_memory;
    if (skip_prefix(rest, "postgresql:") != rest || skip_prefix(rest, "postgres:") != rest) {
        *location = url;
        return &store_postgres;
    }
    if (path == rest && has_scheme(rest))
        return NULL;
    if (strncmp(path, "//", 2) == 0 && path[2] != '/')      /* a host */
        return NULL;
    *location = strncmp(path, "//", 2) == 0 ? path + 2 : path;
    return path[0] != '\0' ? &store_sqlite : NULL;
}

/* What a caller left at 0 gets the key's default. */
static struct um_store_conf complete_conf(const struct um_store_conf *cf)
{
    struct um_store_conf c = *cf;

    c.url = NULL;                               /* the caller's string may go */
    c.commit_rows = c.commit_rows > 0 ? c.commit_rows : 1024;
    c.max_waiting_bytes = c.max_waiting_bytes > 0 ? c.max_waiting_bytes : (int64_t)256 << 20;
    c.connections = c.connections > 0 ? c.connections : 4;
    c.connect_timeout_ms = c.connect_timeout_ms > 0 ? c.connect_timeout_ms : 5000;
    c.timeout_ms = c.timeout_ms > 0 ? c.timeout_ms : 10000;
    c.unit_ms = c.unit_ms > 0 ? c.unit_ms : UM_STORE_UNIT_MS;
    c.view_ms = c.view_ms > 0 ? c.view_ms : UM_STORE_VIEW_MS;
    return c;
}

um_err store_thread(pthread_t *out, const char *name, void *(*fn)(void *arg), void *arg)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);       /* the new thread inherits it: signals are the loops' business */
    rc = pthread_create(out, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return UM_ENOMEM;
    pthread_setname_np(*out, name);
    return UM_OK;
}

um_err um_store_open(struct um_store **out, const struct um_store_conf *cf, char why[256])
{
    char unheard[256];
    const char *location = "";
    struct um_store *st;
    um_err err;

    *out = NULL;
    why = why != NULL ? why : unheard;
    why[0] = '\0';
    store_counters_register();
    st = um_xcalloc(1, sizeof(*st));
    st->conf = complete_conf(cf);
    atomic_init(&st->healthy, true);
    st->gate = store_gate_new();
    st->driver = choose_driver(cf->url != NULL ? cf->url : "", &location);
    if (st->driver == NULL) {
        snprintf(why, 256, "store.url: expected postgresql://host/database, sqlite:///path, a path or memory:");
        err = UM_EINVAL;
        goto out;
    }
    if ((err = st->driver->open(&st->self, &st->conf, location, why)) != UM_OK)
        goto out;
    if ((err = store_writer_start(st)) != UM_OK || (err = store_units_start(st)) != UM_OK ||
        (err = store_readers_start(st)) != UM_OK) {
        snprintf(why, 256, "cannot start the store's threads: %s", um_err_text(err));
        goto out;
    }
    if (st->driver->describe != NULL)
        location = st->driver->describe(st->self);
    um_log(UM_INFO, "store", "open", UM_S("driver", st->driver->name), UM_S("location", location));
    *out = st;
    st = NULL;
out:
    um_store_close(st);
    return err;
}

void um_store_close(struct um_store *st)
{
    if (st == NULL)
        return;
    store_readers_stop(st->readers);
    store_writer_stop(st->units);
    store_writer_stop(st->writer);
    store_gate_close(st->gate);
    if (st->self != NULL)
        st->driver->close(st->self);
    free(st);
}

bool um_store_is_healthy(const struct um_store *st)
{
    int64_t asked_at_ms = atomic_load_explicit(&st->asked_at_ms, memory_order_relaxed);

    if (!atomic_load_explicit(&st->healthy, memory_order_relaxed))
        return false;
    return asked_at_ms == 0 || !st->driver->is_shared || um_now_ms() - asked_at_ms < STORE_SILENT_MS;
}

bool um_store_is_shared(const struct um_store *st) { return st->driver->is_shared; }

/* ---- calls ---- */

bool store_is_text(const char *s, size_t min, size_t max)
{
    size_t n = s != NULL ? strnlen(s, max + 1) : 0;

    return n >= min && n <= max && um_utf8_is_valid(s != NULL ? s : "", n);
}

struct call { const char *name, *title, *user; struct um_bytes *bytes; size_t max_bytes; };

static bool names_a_document(enum store_kind kind)
{
    return kind != STORE_LIST && kind != STORE_HEADS && kind != STORE_VERSIONS_BEFORE;
}

static um_err check_call(enum store_kind kind, const struct call *c)
{
    if (names_a_document(kind) && !store_is_text(c->name, 1, STORE_NAME_MAX))
        return UM_EINVAL;
    if (!store_is_text(c->title, 0, kind == STORE_LIST ? STORE_SEARCH_MAX : STORE_TITLE_MAX) ||
        !store_is_text(c->user, 0, STORE_USER_MAX))
        return UM_EINVAL;
    if (c->max_bytes != 0 && (c->bytes == NULL || c->bytes->len == 0))
        return UM_EINVAL;
    return c->bytes != NULL && c->bytes->len > c->max_bytes ? UM_ELIMIT : UM_OK;
}

/* A call that failed its check carries none of its arguments, only the error. */
static struct store_op *make_op(struct um_store *st, enum store_kind kind, struct um_loop *l, void *arg, struct call c)
{
    um_err err = check_call(kind, &c);
    struct store_op *op;

    if (err != UM_OK)
        c = (struct call){ 0 };
    op = store_op_new(kind, l, arg, c.name, c.title, c.user, c.bytes);
    op->err = err;
    op->gate = st->gate;
    return op;
}

void store_pass_on(struct um_store *st, struct store_op *op)
{
    if (op->err != UM_OK)
        store_deliver(op);
    else if (store_is_read(op->kind) && st->readers != NULL)
        store_readers_put(st->readers, op);
    else
        store_writer_put(op->kind == STORE_WORK && st->units != NULL ? st->units : st->writer, op);
}

void um_store_load(struct um_store *st, struct um_loop *l, const char *name, um_store_load_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, STORE_LOAD, l, arg, (struct call){ .name = name });

    op->cb.load = cb;
    store_pass_on(st, op);
}

void um_store_append(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *update,
                     const char *user, um_store_append_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, STORE_APPEND, l, arg,
        (struct call){ .name = name, .user = user, .bytes = update, .max_bytes = STORE_UPDATE_MAX });

    op->cb.number = cb;
    store_pass_on(st, op);
}

void um_store_fold(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *state,
                   uint64_t upto_seq, uint64_t expected_version, um_store_append_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, STORE_FOLD, l, arg,
        (struct call){ .name = name, .bytes = state, .max_bytes = STORE_STATE_MAX });

    op->cb.number = cb;
    op->upto_seq = upto_seq;
    op->version = expected_version;
    store_pass_on(st, op);
}

static void call_entry(struct um_store *st, enum store_kind kind, struct um_loop *l, struct call c,
                       um_store_entry_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, kind, l, arg, c);

    op->cb.entry = cb;
    store_pass_on(st, op);
}

void um_store_create(struct um_store *st, struct um_loop *l, const char *name, const char *title, const char *user,
                     um_store_entry_cb *cb, void *arg)
{
    call_entry(st, STORE_CREATE, l, (struct call){ .name = name, .title = title, .user = user }, cb, arg);
}

void um_store_get(struct um_store *st, struct um_loop *l, const char *name, um_store_entry_cb *cb, void *arg)
{
    call_entry(st, STORE_GET, l, (struct call){ .name = name }, cb, arg);
}

void um_store_set_title(struct um_store *st, struct um_loop *l, const char *name, const char *title, const char *user,
                        um_store_entry_cb *cb, void *arg)
{
    call_entry(st, STORE_TITLE, l, (struct call){ .name = name, .title = title, .user = user }, cb, arg);
}

void um_store_delete(struct um_store *st, struct um_loop *l, const char *name, const char *user,
                     um_store_entry_cb *cb, void *arg)
{
    call_entry(st, STORE_DELETE, l, (struct call){ .name = name, .user = user }, cb, arg);
}

void um_store_list(struct um_store *st, struct um_loop *l, const struct um_store_query *q, um_store_page_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, STORE_LIST, l, arg, (struct call){ .title = q->search });

    op->cb.page = cb;
    op->max = q->max;
    op->has_after = q->after != NULL;
    if (op->err == UM_OK && (q->max < 1 || q->max > STORE_PAGE_MAX))
        op->err = UM_EINVAL;
    if (op->err == UM_OK && op->has_after)
        op->err = store_cursor_parse(q->after, &op->after);
    store_pass_on(st, op);
}

/* ---- other processes, clients ---- */

void um_store_load_since(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, um_store_load_cb *cb,
                         void *arg)
{
    struct store_op *op = make_op(st, STORE_SINCE, l, arg, (struct call){ .name = name });

    op->cb.load = cb;
    op->upto_seq = seq;
    store_pass_on(st, op);
}

void um_store_heads(struct um_store *st, struct um_loop *l, const char *const *names, size_t n, um_store_heads_cb *cb,
                    void *arg)
{
    struct store_op *op = make_op(st, STORE_HEADS, l, arg, (struct call){ 0 });

    op->cb.heads = cb;
    if (n > STORE_HEADS_MAX)
        op->err = UM_ELIMIT;
    for (size_t i = 0; i < n && op->err == UM_OK; i++)
        if (!store_is_text(names[i], 1, STORE_NAME_MAX))
            op->err = UM_EINVAL;
    if (op->err == UM_OK) {
        store_op_take_names(op, names, n);
        op->heads = um_xcalloc(n + 1, sizeof(*op->heads));
    }
    store_pass_on(st, op);
}

void um_store_note_client(struct um_store *st, const char *name, uint64_t client, const char *user)
{
    struct store_op *op = make_op(st, STORE_CLIENT, NULL, NULL, (struct call){ .name = name, .user = user });

    op->client = client;
    store_pass_on(st, op);
}

void um_store_clients(struct um_store *st, struct um_loop *l, const char *name, um_store_clients_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, STORE_CLIENTS, l, arg, (struct call){ .name = name });

    op->cb.clients = cb;
    store_pass_on(st, op);
}

/* ---- versions ---- */

static void call_versions(struct um_store *st, struct store_op *op, int64_t max, um_store_versions_cb *cb)
{
    op->cb.versions = cb;
    op->max = max;
    if (op->err == UM_OK && (max < 1 || max > STORE_PAGE_MAX))
        op->err = UM_EINVAL;
    store_pass_on(st, op);
}

void um_store_versions(struct um_store *st, struct um_loop *l, const char *name, uint64_t before, int64_t max,
                       um_store_versions_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, STORE_VERSIONS, l, arg, (struct call){ .name = name });

    op->upto_seq = before;
    call_versions(st, op, max, cb);
}

void um_store_versions_before(struct um_store *st, struct um_loop *l, int64_t before_ms, int64_t max,
                              um_store_versions_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, STORE_VERSIONS_BEFORE, l, arg, (struct call){ 0 });

    op->before_ms = before_ms;
    call_versions(st, op, max, cb);
}

static void call_version(struct um_store *st, enum store_kind kind, struct um_loop *l, uint64_t seq, struct call c,
                         um_store_version_cb *cb, void *arg)
{
    struct store_op *op = make_op(st, kind, l, arg, c);

    op->cb.version = cb;
    op->upto_seq = seq;
    store_pass_on(st, op);
}

void um_store_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, um_store_version_cb *cb,
                      void *arg)
{
    call_version(st, STORE_VERSION, l, seq, (struct call){ .name = name }, cb, arg);
}

void um_store_keep_version(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *state, uint64_t seq,
                           const char *label, const char *user, um_store_version_cb *cb, void *arg)
{
    call_version(st, STORE_KEEP, l, seq,
        (struct call){ .name = name, .title = label, .user = user, .bytes = state, .max_bytes = STORE_STATE_MAX }, cb, arg);
}

void um_store_label_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, const char *label,
                            um_store_version_cb *cb, void *arg)
{
    call_version(st, STORE_LABEL, l, seq, (struct call){ .name = name, .title = label }, cb, arg);
}

void um_store_archive_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, const char *key,
                              um_store_version_cb *cb, void *arg)
{
    call_version(st, STORE_ARCHIVE, l, seq, (struct call){ .name = name, .title = key }, cb, arg);
}

void um_store_drop_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, um_store_version_cb *cb,
                           void *arg)
{
    call_version(st, STORE_DROP, l, seq, (struct call){ .name = name }, cb, arg);
}
