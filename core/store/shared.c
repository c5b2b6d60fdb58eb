/* The shared tables' public face: checks what callers hand in, carries it in an op, and gives answers home. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "store_internal.h"

/* ---- answers ---- */

struct store_shared *store_shared_new(void) { return um_xcalloc(1, sizeof(struct store_shared)); }

void store_shared_free(struct store_shared *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->texts[i]);
    free(s->texts);
    free(s->rows.any);
    free(s);
}

/* Room for one row more of SIZE bytes. */
static um_err make_room(struct store_shared *s, size_t size)
{
    size_t cap = s->cap == 0 ? 16 : s->cap * 2;
    char **texts;
    void *rows;

    if (s->n == UM_STORE_ROWS_MAX)
        return UM_ELIMIT;
    if (s->n < s->cap)
        return UM_OK;
    if ((rows = realloc(s->rows.any, cap * size)) == NULL)
        return UM_ENOMEM;
    s->rows.any = rows;
    if ((texts = realloc(s->texts, cap * sizeof(*texts))) == NULL)
        return UM_ENOMEM;
    s->texts = texts;
    s->cap = cap;
    return UM_OK;
}

/* Copies N strings into one block, and has each point there. */
static um_err copy_texts(struct store_shared *s, size_t size, const char **texts[], size_t n)
{
    um_err err = make_room(s, size);
    size_t bytes = 1;
    char *at;

    if (err != UM_OK)
        return err;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(*texts[i]) + 1;
    if ((at = malloc(bytes)) == NULL)
        return UM_ENOMEM;
    s->texts[s->n] = at;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(*texts[i]) + 1;

        memcpy(at, *texts[i], len);
        *texts[i] = at;
        at += len;
    }
    return UM_OK;
}

#define ADD(list, row, ...)                                                                     \
    const char **texts[] = { __VA_ARGS__ };                                                     \
    um_err err = copy_texts(s, sizeof(row), texts, UM_COUNT(texts));                            \
                                                                                                \
    if (err == UM_OK)                                                                           \
        s->rows.list[s->n++] = (row);                                                           \
    return err

um_err store_shared_add_cache(struct store_shared *s, const struct um_store_cache *row)
{
    struct um_store_cache r = *row;
    ADD(caches, r, &r.scope, &r.name);
}

um_err store_shared_add_revoked(struct store_shared *s, const struct um_store_revocation *row)
{
    struct um_store_revocation r = *row;
    ADD(revoked, r, &r.hash);
}

um_err store_shared_add_reserved(struct store_shared *s, const struct um_store_reserved *row)
{
    struct um_store_reserved r = *row;
    ADD(reserved, r, &r.category, &r.id, &r.user, &r.session);
}

um_err store_shared_add_audit(struct store_shared *s, const struct um_store_audit *row)
{
    struct um_store_audit r = *row;
    ADD(audits, r, &r.user, &r.action, &r.object_type, &r.object_id, &r.detail, &r.scope);
}

void store_answer_shared(struct store_op *op)
{
    bool speaks = op->shared != NULL && (op->err == UM_OK || (op->err == UM_ECONFLICT && op->kind == STORE_RESERVE));
    const struct store_shared none = { 0 }, *s = speaks ? op->shared : &none;

    switch (op->kind) {
    case STORE_RAISE:
    case STORE_CACHES:
        op->cb.caches(op->arg, op->err, s->rows.caches, s->n);
        break;
    case STORE_REVOKE:
        op->cb.version_of(op->arg, op->err, s->version);
        break;
    case STORE_REVOCATIONS:
        op->cb.revocations(op->arg, op->err, s->version, s->rows.revoked, s->n);
        break;
    case STORE_AUDITS:
        op->cb.audits(op->arg, op->err, s->rows.audits, s->n);
        break;
    default:
        op->cb.reserved(op->arg, op->err, s->version, s->rows.reserved, s->n);
    }
}

/* ---- checks ---- */

bool um_store_is_category(const char *word)
{
    static const char *const words[] = { "DOCUMENT", "FOLDER", "VIRTUAL_FOLDER", "TASK" };
    bool is_one = false;

    for (size_t i = 0; i < UM_COUNT(words) && word != NULL; i++)
        is_one |= strcmp(word, words[i]) == 0;
    return is_one;
}

static um_err check_refs(const struct um_store_ref *refs, size_t n)
{
    if (n > UM_STORE_REFS_MAX)
        return UM_ELIMIT;
    for (size_t i = 0; i < n; i++)
        if (!um_store_is_category(refs[i].category) || !store_is_text(refs[i].id, 1, UM_STORE_REF_ID_MAX))
            return UM_EINVAL;
    return UM_OK;
}

static um_err check_caches(const struct um_store_cache *names, size_t n)
{
    if (n > UM_STORE_REFS_MAX)
        return UM_ELIMIT;
    for (size_t i = 0; i < n; i++)
        if (!store_is_text(names[i].scope, 0, UM_STORE_CACHE_MAX) || !store_is_text(names[i].name, 1, UM_STORE_CACHE_MAX))
            return UM_EINVAL;
    return UM_OK;
}

static um_err check_time(int64_t ms, int64_t max) { return ms >= 1 && ms <= max ? UM_OK : UM_EINVAL; }

/* ---- calls ---- */

/* SESSION and USER have been checked when ERR is UM_OK; a call that failed carries none of its arguments. */
static struct store_op *make(struct um_store *st, enum store_kind kind, struct um_loop *l, void *arg, const char *session,
                             const char *user, um_err err)
{
    bool ok = err == UM_OK;
    struct store_op *op = store_op_new(kind, l, arg, "", ok ? session : "", ok ? user : "", NULL);

    op->err = err;
    op->gate = st->gate;
    return op;
}

static void take_tokens(struct store_op *op, const struct um_store_ref *refs, size_t n)
{
    bool means_some = false;

    for (size_t i = 0; i < n; i++)
        means_some |= refs[i].token != 0;
    if (!means_some)
        return;
    op->tokens = um_xcalloc(n, sizeof(*op->tokens));
    op->cost += (int64_t)(n * sizeof(*op->tokens));
    for (size_t i = 0; i < n; i++)
        op->tokens[i] = refs[i].token;
}

static void take_refs(struct store_op *op, const struct um_store_ref *refs, size_t n)
{
    const char *names[2 * UM_STORE_REFS_MAX];

    if (op->err != UM_OK || n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        names[2 * i] = refs[i].category;
        names[2 * i + 1] = refs[i].id;
    }
    store_op_take_names(op, names, 2 * n);
    take_tokens(op, refs, n);
}

void um_store_caches(struct um_store *st, struct um_loop *l, um_store_caches_cb *cb, void *arg)
{
    struct store_op *op = make(st, STORE_CACHES, l, arg, "", "", UM_OK);

    op->cb.caches = cb;
    store_pass_on(st, op);
}

void um_store_raise_caches(struct um_store *st, struct um_loop *l, const struct um_store_cache *names, size_t n,
                           um_store_caches_cb *cb, void *arg)
{
    struct store_op *op = make(st, STORE_RAISE, l, arg, "", "", check_caches(names, n));
    const char *texts[2 * UM_STORE_REFS_MAX];

    op->cb.caches = cb;
    for (size_t i = 0; i < n && op->err == UM_OK; i++) {
        texts[2 * i] = names[i].scope != NULL ? names[i].scope : "";
        texts[2 * i + 1] = names[i].name;
    }
    if (op->err == UM_OK)
        store_op_take_names(op, texts, 2 * n);
    store_pass_on(st, op);
}

void um_store_revoke(struct um_store *st, struct um_loop *l, const char *hash, int64_t for_ms, um_store_version_of_cb *cb,
                     void *arg)
{
    um_err err = store_is_text(hash, 1, UM_STORE_SESSION_MAX) ? check_time(for_ms, UM_STORE_REVOKED_MAX_MS) : UM_EINVAL;
    struct store_op *op = make(st, STORE_REVOKE, l, arg, hash, "", err);

    op->cb.version_of = cb;
    op->ttl_ms = for_ms;
    store_pass_on(st, op);
}

void um_store_revocations(struct um_store *st, struct um_loop *l, um_store_revocations_cb *cb, void *arg)
{
    struct store_op *op = make(st, STORE_REVOCATIONS, l, arg, "", "", UM_OK);

    op->cb.revocations = cb;
    store_pass_on(st, op);
}

/* Any call about reservations. SESSION NULL: it has none. */
static void call_refs(struct um_store *st, enum store_kind kind, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                      const char *user, const char *session, int64_t ttl_ms, um_store_reserved_cb *cb, void *arg)
{
    um_err err = check_refs(refs, n);
    struct store_op *op;

    if (session != NULL && !store_is_text(session, 1, UM_STORE_SESSION_MAX))
        err = UM_EINVAL;
    if (!store_is_text(user, 0, UM_STORE_HOLDER_MAX))
        err = UM_EINVAL;
    op = make(st, kind, l, arg, session, user, err == UM_OK ? check_time(ttl_ms, UM_STORE_LEASE_MAX_MS) : err);
    op->cb.reserved = cb;
    op->ttl_ms = ttl_ms;
    op->late_at_ms = n > 0 ? um_now_ms() + st->conf.timeout_ms : 0;
    take_refs(op, refs, n);
    store_pass_on(st, op);
}

enum { NO_TTL = 1 };

void um_store_reserve(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *user,
                      const char *session, int64_t ttl_ms, um_store_reserved_cb *cb, void *arg)
{
    call_refs(st, STORE_RESERVE, l, refs, n, user, session != NULL ? session : "", n > 0 ? ttl_ms : 0, cb, arg);
}

void um_store_renew(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *session,
                    int64_t ttl_ms, um_store_reserved_cb *cb, void *arg)
{
    call_refs(st, STORE_RENEW, l, refs, n, "", session != NULL ? session : "", ttl_ms, cb, arg);
}

void um_store_release(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *session,
                      um_store_reserved_cb *cb, void *arg)
{
    call_refs(st, STORE_RELEASE, l, refs, n, "", session != NULL ? session : "", NO_TTL, cb, arg);
}

void um_store_break(struct um_store *st, struct um_loop *l, struct um_store_ref ref, const char *by,
                    const struct um_store_about *about, um_store_reserved_cb *cb, void *arg)
{
    um_err err = check_refs(&ref, 1);
    struct store_op *op;

    if (!store_is_text(by, 0, UM_STORE_HOLDER_MAX) || !store_is_text(about->scope, 0, UM_STORE_CACHE_MAX) ||
        !store_is_text(about->id, 1, UM_STORE_REF_ID_MAX))
        err = UM_EINVAL;
    op = make(st, STORE_BREAK, l, arg, "", by, err);
    op->cb.reserved = cb;
    op->late_at_ms = um_now_ms() + st->conf.timeout_ms;
    if (err == UM_OK)
        store_op_take_names(op, (const char *[]){ ref.category, ref.id, about->scope, about->id }, 4);
    store_pass_on(st, op);
}

void um_store_reservations(struct um_store *st, struct um_loop *l, um_store_reserved_cb *cb, void *arg)
{
    call_refs(st, STORE_RESERVATIONS, l, NULL, 0, "", NULL, NO_TTL, cb, arg);
}

void um_store_reserved(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                       um_store_reserved_cb *cb, void *arg)
{
    call_refs(st, STORE_RESERVED, l, refs, n, "", NULL, NO_TTL, cb, arg);
}

/* ---- audit ---- */

void um_store_audit(struct um_store *st, const struct um_store_audit *row)
{
    const char *texts[] = { row->action, row->object_type, row->object_id, row->detail, row->scope };
    static const size_t max[] = { UM_STORE_ACTION_MAX, UM_STORE_ACTION_MAX, UM_STORE_REF_ID_MAX, UM_STORE_DETAIL_MAX, UM_STORE_CACHE_MAX };
    um_err err = store_is_text(row->user, 0, UM_STORE_HOLDER_MAX) ? UM_OK : UM_EINVAL;
    struct store_op *op;

    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        if (!store_is_text(texts[i], 0, max[i]))
            err = UM_EINVAL;
        texts[i] = texts[i] != NULL ? texts[i] : "";
    }
    op = make(st, STORE_AUDIT, NULL, NULL, "", row->user, err);
    if (err == UM_OK)
        store_op_take_names(op, texts, UM_COUNT(texts));
    else
        um_log_limited(UM_WARN, "store", "audit_refused", UM_S("error", "a text is too long, or not UTF-8"));
    store_pass_on(st, op);
}

void um_store_audits(struct um_store *st, struct um_loop *l, int64_t max, um_store_audit_cb *cb, void *arg)
{
    struct store_op *op = make(st, STORE_AUDITS, l, arg, "", "", max >= 1 && max <= UM_STORE_AUDITS_MAX ? UM_OK : UM_EINVAL);

    op->cb.audits = cb;
    op->max = max;
    store_pass_on(st, op);
}
