/* The rules of the shared tables.
 *
 * 1. A reservation is held when it has a session and its lease is not over. What is over is anybody's, but keeps its session
 *    until somebody takes, frees or breaks it.
 * 2. A token rises with every grant and every break, and is never lowered; so a row is never removed.
 * 3. A call about references that comes to its turn too late does nothing: who made it has given up, or is told so.
 * 4. A call that changes reservations raises ("", "reservations"), a revocation ("", "revocations"). Calls of one transaction
 *    get successive versions: while they are judged an answer holds its place among them, from 1. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "counters.h"
#include "op.h"

/* ---- rows ---- */

static void *grow(void *rows, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return rows;
    *cap = *cap == 0 ? 8 : *cap * 2;
    return um_xrealloc(rows, *cap * size);
}

/* Both words with a zero byte between them; neither holds one. */
static struct um_span ref_key(struct um_buf *b, const char *category, const char *id)
{
    um_buf_puts(b, category);
    um_buf_put_u8(b, 0);
    um_buf_puts(b, id);
    UM_ASSERT(!b->failed);
    return UM_SPAN(b->data, b->len);
}

/* Adds it as one that was never reserved. */
static struct store_lease *lease_of(struct store_ledger *g, const char *category, const char *id)
{
    struct um_buf b = { 0 };
    struct um_span key = ref_key(&b, category, id);
    uintptr_t at = (uintptr_t)um_map_get(&g->by_ref, key);

    if (at == 0) {
        g->leases = grow(g->leases, &g->cap_leases, g->n_leases, sizeof(*g->leases));
        g->leases[g->n_leases] = (struct store_lease){ .category = um_xstrdup(category), .id = um_xstrdup(id),
                                                       .user = um_xstrdup(""), .session = um_xstrdup("") };
        at = ++g->n_leases;
        um_map_put(&g->by_ref, key, (void *)at);
    }
    um_buf_free(&b);
    return &g->leases[at - 1];
}

static void set_text(char **at, const char *text)
{
    char *copy = um_xstrdup(text);           /* before: TEXT may be *AT */

    free(*at);
    *at = copy;
}

bool store_asks_for_session(const struct store_op *op)
{
    return (op->kind == STORE_RENEW || op->kind == STORE_RELEASE) && op->n_names == 0;
}

void store_ledger_ask(struct store_ledger *g, const struct store_op *op)
{
    if (op->kind != STORE_RESERVE && op->kind != STORE_RENEW && op->kind != STORE_RELEASE && op->kind != STORE_BREAK)
        return;
    for (size_t i = 0; i + 1 < op->n_names; i += 2)
        if (op->kind != STORE_BREAK || i == 0)
            lease_of(g, op->names[i], op->names[i + 1])->wanted |= op->kind == STORE_RESERVE;
}

static int by_ref(const void *a, const void *b)
{
    const struct store_lease *x = a, *y = b;
    int d = strcmp(x->category, y->category);

    return d != 0 ? d : strcmp(x->id, y->id);
}

void store_ledger_sort(struct store_ledger *g)
{
    if (g->n_leases > 0)
        qsort(g->leases, g->n_leases, sizeof(*g->leases), by_ref);
    for (size_t i = 0; i < g->n_leases; i++) {
        struct um_buf b = { 0 };

        um_map_put(&g->by_ref, ref_key(&b, g->leases[i].category, g->leases[i].id), (void *)(uintptr_t)(i + 1));
        um_buf_free(&b);
    }
}

void store_ledger_fill(struct store_ledger *g, const struct store_lease *row)
{
    struct store_lease *at = lease_of(g, row->category, row->id);

    set_text(&at->user, row->user);
    set_text(&at->session, row->session);
    at->token = row->token;
    at->since_ms = row->since_ms;
    at->expires_ms = row->expires_ms;
}

/* ---- raises ---- */

static struct store_raise *find_raise(const struct store_ledger *g, const char *scope, const char *name)
{
    for (size_t i = 0; i < g->n_raises; i++)
        if (strcmp(g->raises[i].name, name) == 0 && strcmp(g->raises[i].scope, scope) == 0)
            return &g->raises[i];
    return NULL;
}

/* The call's place among those that raise this cache, from 1. */
static uint64_t raise_cache(struct store_ledger *g, const char *scope, const char *name)
{
    struct store_raise *r = find_raise(g, scope, name);

    if (r == NULL) {
        g->raises = grow(g->raises, &g->cap_raises, g->n_raises, sizeof(*g->raises));
        r = &g->raises[g->n_raises++];
        *r = (struct store_raise){ .scope = scope, .name = name };
    }
    return ++r->by;
}

static int by_cache(const void *a, const void *b)
{
    const struct store_raise *x = a, *y = b;
    int d = strcmp(x->scope, y->scope);

    return d != 0 ? d : strcmp(x->name, y->name);
}

void store_ledger_sort_raises(struct store_ledger *g)
{
    if (g->n_raises > 0)
        qsort(g->raises, g->n_raises, sizeof(*g->raises), by_cache);
}

/* ---- reservations ---- */

static bool has_session(const struct store_lease *r, const char *session) { return strcmp(r->session, session) == 0; }
static bool is_taken(const struct store_lease *r) { return r->session[0] != '\0'; }
static bool is_held(const struct store_ledger *g, const struct store_lease *r)
{
    return is_taken(r) && r->expires_ms > g->now_ms;
}

static void show(const struct store_ledger *g, struct store_op *op, const struct store_lease *r)
{
    struct um_store_reserved row = { .category = r->category, .id = r->id, .user = r->user, .session = r->session,
        .token = r->token, .since_ms = r->since_ms, .left_ms = is_taken(r) ? r->expires_ms - g->now_ms : 0 };

    if (op->err == UM_OK)
        op->err = store_shared_add_reserved(op->shared, &row);
}

static void change(struct store_ledger *g, struct store_lease *r)
{
    r->changed = true;
    g->n_changes++;
}

static void let_go(struct store_ledger *g, struct store_lease *r)
{
    set_text(&r->user, "");
    set_text(&r->session, "");
    r->since_ms = r->expires_ms = 0;
    change(g, r);
}

static bool is_others(const struct store_ledger *g, const struct store_op *op, const struct store_lease *r)
{
    return is_held(g, r) && !has_session(r, op->title);
}

static void grant(struct store_ledger *g, const struct store_op *op, struct store_lease *r)
{
    if (!is_held(g, r)) {
        r->token++;
        r->since_ms = g->now_ms;
        set_text(&r->user, op->user);
        set_text(&r->session, op->title);
    }
    r->expires_ms = g->now_ms + op->ttl_ms;
    change(g, r);
}

static void judge_reserve(struct store_ledger *g, struct store_op *op)
{
    for (size_t i = 0; i < op->n_names; i += 2) {
        const struct store_lease *r = lease_of(g, op->names[i], op->names[i + 1]);

        if (is_others(g, op, r))
            show(g, op, r);
    }
    if (op->shared->n > 0 || op->err != UM_OK) {
        op->err = op->err == UM_OK ? UM_ECONFLICT : op->err;
        return;
    }
    for (size_t i = 0; i < op->n_names; i += 2) {
        struct store_lease *r = lease_of(g, op->names[i], op->names[i + 1]);

        grant(g, op, r);
        show(g, op, r);
    }
}

/* Is it the session's, and the grant that was meant? */
static bool is_meant(const struct store_op *op, const struct store_lease *r, uint64_t token)
{
    return has_session(r, op->title) && (token == 0 || token == r->token);
}

static void renew_one(struct store_ledger *g, struct store_op *op, struct store_lease *r, uint64_t token)
{
    if (!is_held(g, r) || !is_meant(op, r, token))
        return;
    r->expires_ms = g->now_ms + op->ttl_ms;
    change(g, r);
    show(g, op, r);
}

static void release_one(struct store_ledger *g, struct store_op *op, struct store_lease *r, uint64_t token)
{
    if (!is_taken(r) || !is_meant(op, r, token))
        return;
    let_go(g, r);
    show(g, op, r);
}

/* Over the references given, or over everything. */
static void judge_each(struct store_ledger *g, struct store_op *op)
{
    void (*one)(struct store_ledger *, struct store_op *, struct store_lease *, uint64_t) =
        op->kind == STORE_RENEW ? renew_one : release_one;

    for (size_t i = 0; i < op->n_names; i += 2)
        one(g, op, lease_of(g, op->names[i], op->names[i + 1]), op->tokens != NULL ? op->tokens[i / 2] : 0);
    for (size_t i = 0; i < g->n_leases && op->n_names == 0; i++)
        one(g, op, &g->leases[i], 0);
}

static void write_audit(struct store_ledger *g, struct um_store_audit row)
{
    g->audits = grow(g->audits, &g->cap_audits, g->n_audits, sizeof(*g->audits));
    g->audits[g->n_audits++] = row;
}

static void judge_break(struct store_ledger *g, struct store_op *op)
{
    struct store_lease *r = lease_of(g, op->names[0], op->names[1]);

    show(g, op, r);
    if (!is_taken(r) || op->err != UM_OK)
        return;
    let_go(g, r);
    r->token++;
    write_audit(g, (struct um_store_audit){ .user = op->user, .action = "UNLOCK", .object_type = op->names[0],
        .scope = op->names[2], .object_id = op->names[3], .detail = op->shared->rows.reserved[0].user });
}

/* ---- the rest ---- */

static void judge_raise(struct store_ledger *g, struct store_op *op)
{
    for (size_t i = 0; i < op->n_names && op->err == UM_OK; i += 2) {
        struct um_store_cache row = { op->names[i], op->names[i + 1], 0 };

        row.version = raise_cache(g, row.scope, row.name);
        op->err = store_shared_add_cache(op->shared, &row);
    }
}

static void judge_revoke(struct store_ledger *g, struct store_op *op)
{
    g->revokes = grow(g->revokes, &g->cap_revokes, g->n_revokes, sizeof(*g->revokes));
    g->revokes[g->n_revokes++] = (struct store_revoke){ op->title, op->ttl_ms };
    op->shared->version = raise_cache(g, "", STORE_REVOCATIONS_CACHE);
}

static bool is_late(const struct store_op *op) { return op->late_at_ms != 0 && um_now_ms() >= op->late_at_ms; }

void store_ledger_judge(struct store_ledger *g, struct store_op *op)
{
    size_t before = g->n_changes;

    op->shared = store_shared_new();
    if (is_late(op)) {
        op->err = UM_ETIMEOUT;
        store_count(M_LATE, 1);
    } else if (op->kind == STORE_RAISE) {
        judge_raise(g, op);
    } else if (op->kind == STORE_REVOKE) {
        judge_revoke(g, op);
    } else if (op->kind == STORE_AUDIT) {
        write_audit(g, (struct um_store_audit){ .user = op->user, .action = op->names[0], .object_type = op->names[1],
            .object_id = op->names[2], .detail = op->names[3], .scope = op->names[4] });
    } else if (op->kind == STORE_BREAK) {
        judge_break(g, op);
    } else if (op->kind == STORE_RESERVE) {
        judge_reserve(g, op);
    } else {
        judge_each(g, op);
    }
    if (g->n_changes != before)
        op->shared->version = raise_cache(g, "", STORE_RESERVATIONS_CACHE);
}

static uint64_t final_version(const struct store_ledger *g, const char *scope, const char *name, uint64_t place)
{
    const struct store_raise *r = find_raise(g, scope, name);

    return r->version - r->by + place;
}

void store_ledger_finish(const struct store_ledger *g, struct store_op *op)
{
    const char *cache = op->kind == STORE_REVOKE ? STORE_REVOCATIONS_CACHE : STORE_RESERVATIONS_CACHE;
    struct store_shared *s = op->shared;

    for (size_t i = 0; op->kind == STORE_RAISE && i < s->n; i++)
        s->rows.caches[i].version = final_version(g, s->rows.caches[i].scope, s->rows.caches[i].name,
                                                  s->rows.caches[i].version);
    if (s->version != 0)
        s->version = final_version(g, "", cache, s->version);
}

void store_ledger_free(struct store_ledger *g)
{
    for (size_t i = 0; i < g->n_leases; i++) {
        free(g->leases[i].category);
        free(g->leases[i].id);
        free(g->leases[i].user);
        free(g->leases[i].session);
    }
    um_map_free(&g->by_ref);
    free(g->leases);
    free(g->raises);
    free(g->revokes);
    free(g->audits);
    *g = (struct store_ledger){ 0 };
}
