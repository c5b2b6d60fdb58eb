/* Undo managers: watching transactions, keeping them as steps.
 *
 * A transaction is looked at between its last change and its collection, where yjs tells `afterTransaction`: what it
 * deleted within the scope gets F_KEEP, so that collection spares it. Forgetting a step cuts items at its borders to
 * take F_KEEP away; yjs does that in a transaction of its own, whose joining comes after the running one's
 * (undo_settle). Without memory a step is not recorded, or keeps what it kept. */
#include "undo.h"
#include <stdlib.h>
#include "cold.h"
#include "edit.h"

#define SCOPE_MAX 1000u

/* ---- sets of ids --------------------------------------------------------------------------------------- */

static void id_set_free(struct mem *m, struct id_set *s)
{
    vec_free(m, &s->v);
    vec_free(m, &s->groups);
}

bool id_set_has(const struct id_set *s, uint32_t client, uint32_t clock)
{
    const struct span32 *v;
    uint32_t g, lo = 0, hi;

    for (g = 0; g < s->groups.n && s->groups.v[g].client != client;)
        g++;
    if (g == s->groups.n)
        return false;
    v = s->v.v + s->groups.v[g].from;
    hi = s->groups.v[g].n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (v[mid].clock + v[mid].len > clock)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo < s->groups.v[g].n && v[lo].clock <= clock;
}

static int span_order(const void *a, const void *b)
{
    const struct span32 *x = a, *y = b;

    return (x->clock > y->clock) - (x->clock < y->clock);
}

/* Takes the spans from number FROM on as a group of their own. */
static void group_close(struct id_set *s, uint32_t from)
{
    struct span32 *v = s->v.v + from;
    uint32_t n = 0, count = s->v.n - from;

    if (count == 0)
        return;
    qsort(v, count, sizeof(*v), span_order);
    for (uint32_t i = 1; i < count; i++) {
        if (v[n].clock + v[n].len >= v[i].clock)
            v[n].len = UM_MAX(v[n].len, v[i].clock + v[i].len - v[n].clock);
        else
            v[++n] = v[i];
    }
    s->v.n = from + n + 1;
    s->groups.v[s->groups.n++] = (struct id_group){ v->client, from, n + 1 };
}

/* OUT: A with B, which are grouped by client. */
static bool id_set_merge(struct mem *m, const struct id_set *a, const struct span32 *b, uint32_t n,
                         struct id_set *out)
{
    uint32_t from;

    memset(out, 0, sizeof(*out));
    if ((a->v.n + n > 0 && (!vec_room(m, &out->v, a->v.n + n) || !vec_room(m, &out->groups, a->v.n + n))))
        return false;
    for (uint32_t g = 0; g < a->groups.n; g++) {
        from = out->v.n;
        for (uint32_t i = 0; i < a->groups.v[g].n; i++)
            out->v.v[out->v.n++] = a->v.v[a->groups.v[g].from + i];
        for (uint32_t i = 0; i < n; i++)
            if (b[i].client == a->groups.v[g].client)
                out->v.v[out->v.n++] = b[i];
        group_close(out, from);
    }
    for (uint32_t i = 0, to; i < n; i = to) {
        bool known = false;

        for (uint32_t g = 0; g < a->groups.n; g++)
            known |= a->groups.v[g].client == b[i].client;
        from = out->v.n;
        for (to = i; to < n && b[to].client == b[i].client; to++)
            if (!known)
                out->v.v[out->v.n++] = b[to];
        group_close(out, from);
    }
    return true;
}

/* ---- the scope ----------------------------------------------------------------------------------------- */

void scope_find(struct um_crdt_undo *um)
{
    um->scope_types.n = 0;
    for (uint32_t i = 0; i < um->scope.n; i++) {
        uint32_t t = type_find(um->doc, &um->scope.v[i]);

        if (t != NONE)
            um->scope_types.v[um->scope_types.n++] = t;
    }
}

static bool type_in_scope(const struct um_crdt_undo *um, uint32_t type)
{
    for (;;) {
        uint32_t holder;

        for (uint32_t i = 0; i < um->scope_types.n; i++)
            if (um->scope_types.v[i] == type)
                return true;
        if ((holder = um->doc->types.v[type].item) == NONE)
            return false;
        type = (uint32_t)(item_type(um->doc, item_at(um->doc, holder)) - um->doc->types.v);
    }
}

bool item_in_scope(const struct um_crdt_undo *um, const struct item *it)
{
    return um->scope.n == 0 || type_in_scope(um, (uint32_t)(item_type(um->doc, it) - um->doc->types.v));
}

/* Observers of a type hear of a change when it was there before and is still there. */
static bool type_tells(const struct um_crdt *doc, uint32_t type)
{
    uint32_t holder = doc->types.v[type].item;
    const struct item *it;

    if (holder == NONE)
        return true;
    it = item_at(doc, holder);
    return !item_is_deleted(it) && it->clock < client_before(doc, it->client);
}

/* Did one of the structs [CLOCK, END) change a type of the scope? *LAST: a type that did not, to ask once only. */
static bool range_touches(const struct um_crdt_undo *um, uint32_t client, uint32_t clock, uint32_t end,
                          uint32_t *last)
{
    struct um_crdt *doc = um->doc;
    struct cursor at = index_find(&doc->clients.v[client], clock);

    do {
        const struct entry *e = cursor_entry(at);
        uint32_t t;

        if (e->clock >= end)
            return false;
        if (e->ref == REF_GC || (t = (uint32_t)(item_type(doc, item_at(doc, e->ref)) - doc->types.v)) == *last)
            continue;
        if (type_tells(doc, t) && type_in_scope(um, t))
            return true;
        *last = t;
    } while (cursor_next(&at));
    return false;
}

static bool tx_touches_scope(const struct um_crdt_undo *um)
{
    const struct um_crdt *doc = um->doc;
    const struct tx *tx = doc->tx;
    uint32_t last = NONE;

    if (um->scope.n == 0)
        return tx_changed(doc);
    for (uint32_t i = 0; i < tx->touched.n; i++) {
        const struct client *c = &doc->clients.v[tx->touched.v[i]];

        if (c->epoch == tx->epoch && c->state > c->before &&
            range_touches(um, tx->touched.v[i], c->before, c->state, &last))
            return true;
    }
    for (uint32_t i = 0; i < tx->deleted.n; i++) {
        const struct span32 *g = &tx->deleted.v[i];

        if (range_touches(um, g->client, g->clock, g->clock + g->len, &last))
            return true;
    }
    return false;
}

/* ---- keeping ------------------------------------------------------------------------------------------- */

void item_keep(struct um_crdt *doc, uint32_t i, bool keep)
{
    while (i != NONE && ((item_at(doc, i)->flags & F_KEEP) != 0) != keep) {
        item_at(doc, i)->flags ^= F_KEEP;
        i = item_type(doc, item_at(doc, i))->item;
    }
}

void range_visit(struct um_crdt_undo *um, const struct span32 *g, range_fn *fn, const void *arg)
{
    struct um_crdt *doc = um->doc;
    struct client *c = &doc->clients.v[g->client];
    uint32_t end = g->clock + g->len;
    struct cursor at;

    if (g->clock >= c->state)
        return;
    item_starting(doc, g->client, g->clock);
    at = index_find(c, g->clock);
    do {
        struct entry e = *cursor_entry(at);

        if (e.clock >= end)
            return;
        if (e.ref == REF_GC)
            continue;
        if (cursor_end(at) > end) {
            item_split(doc, at, end - e.clock);
            at = index_find(c, e.clock);
        }
        fn(um, e.ref, arg);               /* may cut what lies further right */
        at = index_find(c, e.clock);
    } while (cursor_next(&at));
}

static void keep_visit(struct um_crdt_undo *um, uint32_t item, const void *arg)
{
    if (item_in_scope(um, item_at(um->doc, item)))
        item_keep(um->doc, item, *(const bool *)arg);
}

/* Room for two cuts per range. */
static bool cuts_reserve(struct um_crdt *doc, const struct id_set *s)
{
    um_err err = UM_OK;

    doc->need_spare = 0;
    for (uint32_t g = 0; g < s->groups.n && err == UM_OK; g++) {
        struct client *c = &doc->clients.v[s->groups.v[g].client];

        c->appends = 0;
        c->inserts = 2 * s->groups.v[g].n;
        err = index_reserve(doc, c);
    }
    return err == UM_OK && index_reserve_chunks(doc) == UM_OK && items_reserve(doc, 2 * (uint64_t)s->v.n) == UM_OK;
}

/* ---- forgetting steps ---------------------------------------------------------------------------------- */

static void step_free(struct um_crdt_undo *um, struct step *s)
{
    id_set_free(&um->doc->mem, &s->inserted);
    id_set_free(&um->doc->mem, &s->deleted);
}

static void step_tell(struct um_crdt_undo *um, enum um_crdt_undo_event event, const step_vec *stack,
                      struct step *s)
{
    if (um->conf.on_step != NULL)
        um->conf.on_step(um->conf.arg, event, stack == &um->redo, &s->data);
}

/* Drops the oldest N steps; their cuts are joined by undo_settle. */
static void steps_forget(struct um_crdt_undo *um, step_vec *stack, uint32_t n)
{
    static const bool no = false;
    struct um_crdt *doc = um->doc;
    struct tx *running = doc->tx;

    if (n == 0)
        return;
    if (!um->forgets)
        tx_begin(doc, &um->tx, true);
    um->forgets = true;
    doc->tx = &um->tx;
    for (uint32_t i = 0; i < n; i++) {
        struct step *s = &stack->v[i];

        if (cuts_reserve(doc, &s->deleted))
            for (uint32_t k = 0; k < s->deleted.v.n; k++)
                range_visit(um, &s->deleted.v.v[k], keep_visit, &no);
        step_tell(um, UM_CRDT_STEP_DROPPED, stack, s);
        step_free(um, s);
    }
    memmove(stack->v, stack->v + n, (stack->n - n) * sizeof(*stack->v));
    stack->n -= n;
    doc->tx = running;
}

void undo_settle(struct um_crdt *doc)
{
    struct tx *running = doc->tx;

    for (struct um_crdt_undo *um = doc->undo; um != NULL; um = um->next) {
        if (!um->forgets)
            continue;
        doc->tx = &um->tx;
        tx_tidy(doc);
        um->forgets = false;
    }
    doc->tx = running;
}

/* ---- watching ------------------------------------------------------------------------------------------ */

static bool is_tracked(const struct um_crdt_undo *um, const void *origin)
{
    if (origin == um)
        return true;
    for (uint32_t i = 0; i < um->origins.n; i++)
        if (um->origins.v[i] == origin)
            return true;
    return false;
}

/* What the running transaction inserted, as a set; false without memory. */
static bool inserted_of_tx(struct um_crdt *doc, struct id_set *out)
{
    const struct tx *tx = doc->tx;

    memset(out, 0, sizeof(*out));
    if (tx->touched.n > 0 && (!vec_room(&doc->mem, &out->v, tx->touched.n) ||
                              !vec_room(&doc->mem, &out->groups, tx->touched.n)))
        return false;
    for (uint32_t i = 0; i < tx->touched.n; i++) {
        const struct client *c = &doc->clients.v[tx->touched.v[i]];

        if (c->epoch != tx->epoch || c->state == c->before)
            continue;
        out->v.v[out->v.n++] = (struct span32){ tx->touched.v[i], c->before, c->state - c->before };
        group_close(out, out->v.n - 1);
    }
    return true;
}

/* Typing: what is inserted goes on where the step's last insertion ended. */
static bool step_goes_on(struct step *s, const struct id_set *inserted)
{
    struct span32 *last = &s->inserted.v.v[s->inserted.v.n - 1];

    if (inserted->v.n != 1 || last->client != inserted->v.v->client ||
        last->clock + last->len != inserted->v.v->clock)
        return false;
    last->len += inserted->v.v->len;
    return true;
}

static bool step_grow(struct um_crdt_undo *um, struct step *s, const struct id_set *inserted)
{
    struct mem *m = &um->doc->mem;
    const struct tx *tx = um->doc->tx;
    struct id_set more = { 0 }, less = { 0 };

    if (tx->deleted.n == 0 && s->inserted.v.n > 0 && step_goes_on(s, inserted))
        return true;
    if (!id_set_merge(m, &s->inserted, inserted->v.v, inserted->v.n, &more) ||
        !id_set_merge(m, &s->deleted, tx->deleted.v, tx->deleted.n, &less)) {
        id_set_free(m, &more);
        id_set_free(m, &less);
        return false;
    }
    id_set_free(m, &s->inserted);
    id_set_free(m, &s->deleted);
    s->inserted = more;
    s->deleted = less;
    return true;
}

/* Into the newest step, or a new one. */
static bool step_record(struct um_crdt_undo *um, step_vec *stack, uint64_t now)
{
    struct um_crdt *doc = um->doc;
    bool soon = um->capturing && now - um->last_ms < um->conf.capture_ms;
    bool joins = um->mode == UNDO_WATCHES && soon && stack->n > 0;
    struct step fresh = { 0 }, *s = joins ? &stack->v[stack->n - 1] : &fresh;
    struct id_set inserted;
    bool ok;

    if (!joins && !vec_room(&doc->mem, stack, 1))
        return false;
    ok = inserted_of_tx(doc, &inserted) && step_grow(um, s, &inserted);
    id_set_free(&doc->mem, &inserted);
    if (ok && !joins) {
        stack->v[stack->n++] = fresh;
        s = &stack->v[stack->n - 1];
    }
    if (ok)
        step_tell(um, joins ? UM_CRDT_STEP_GREW : UM_CRDT_STEP_ADDED, stack, s);
    return ok;
}

static void transaction_watch(struct um_crdt_undo *um, const void *origin)
{
    static const bool yes = true;
    struct um_crdt *doc = um->doc;
    step_vec *stack = um->mode == UNDO_UNDOES ? &um->redo : &um->undo;
    uint64_t now;

    if (!is_tracked(um, origin) || doc->tx->lost)
        return;
    scope_find(um);
    if (!tx_touches_scope(um))
        return;
    if (um->mode == UNDO_UNDOES)
        um->capturing = false;            /* the next one does not join what is left */
    else if (um->mode == UNDO_WATCHES)
        steps_forget(um, &um->redo, um->redo.n);
    now = um->conf.now_ms == NULL ? 0 : um->conf.now_ms(um->conf.arg);
    if (step_record(um, stack, now)) {
        for (uint32_t i = 0; i < doc->tx->deleted.n; i++)     /* whole items: nothing is cut */
            range_visit(um, &doc->tx->deleted.v[i], keep_visit, &yes);
        if (stack->n > um->conf.max_steps)
            steps_forget(um, stack, stack->n - um->conf.max_steps);
    }
    if (um->mode == UNDO_WATCHES) {
        um->capturing = true;
        um->last_ms = now;
    }
}

void undo_note(struct um_crdt *doc, const void *origin)
{
    for (struct um_crdt_undo *um = doc->undo; um != NULL; um = um->next)
        transaction_watch(um, origin);
}

/* ---- public -------------------------------------------------------------------------------------------- */

void um_crdt_undo_conf_init(struct um_crdt_undo_conf *conf)
{
    *conf = (struct um_crdt_undo_conf){ .capture_ms = 500, .max_steps = 1000 };
}

um_err um_crdt_undo_new(struct um_crdt *doc, const struct um_crdt_undo_conf *conf, struct um_crdt_undo **out)
{
    struct um_crdt_undo *um, **end = &doc->undo;
    um_err err;

    *out = NULL;
    if ((err = thaw(doc)) != UM_OK)
        return err;
    if ((um = mem_resize(&doc->mem, NULL, 0, sizeof(*um))) == NULL)
        return UM_ENOMEM;
    memset(um, 0, sizeof(*um));
    um->doc = doc;
    um_crdt_undo_conf_init(&um->conf);
    if (conf != NULL)
        um->conf = *conf;
    if ((err = um_crdt_undo_track(um, NULL)) != UM_OK) {
        mem_free(&doc->mem, um, sizeof(*um));
        return err;
    }
    while (*end != NULL)
        end = &(*end)->next;
    *out = *end = um;
    return UM_OK;
}

void um_crdt_undo_free(struct um_crdt_undo *um)
{
    struct um_crdt_undo **at;
    struct mem *m;

    if (um == NULL)
        return;
    m = &um->doc->mem;
    for (at = &um->doc->undo; *at != um;)
        at = &(*at)->next;
    *at = um->next;
    for (uint32_t i = 0; i < um->undo.n; i++)
        step_free(um, &um->undo.v[i]);
    for (uint32_t i = 0; i < um->redo.n; i++)
        step_free(um, &um->redo.v[i]);
    vec_free(m, &um->undo);
    vec_free(m, &um->redo);
    vec_free(m, &um->scope);
    vec_free(m, &um->scope_types);
    vec_free(m, &um->origins);
    vec_free(m, &um->to_delete);
    vec_free(m, &um->to_redo);
    vec_free(m, &um->redo_sorted);
    vec_free(m, &um->chain);
    tx_free(um->doc, &um->tx);
    mem_free(m, um, sizeof(*um));
}

um_err um_crdt_undo_scope(struct um_crdt_undo *um, const struct um_crdt_type *type)
{
    struct mem *m = &um->doc->mem;

    if (type_find(um->doc, type) == NONE)
        return UM_ENOTFOUND;
    if (um->scope.n == SCOPE_MAX)
        return UM_ELIMIT;
    if (!vec_room(m, &um->scope, 1) || !vec_room(m, &um->scope_types, um->scope.n + 1))
        return UM_ENOMEM;
    um->scope.v[um->scope.n++] = *type;
    return UM_OK;
}

um_err um_crdt_undo_track(struct um_crdt_undo *um, const void *origin)
{
    if (is_tracked(um, origin))
        return UM_OK;
    if (!vec_room(&um->doc->mem, &um->origins, 1))
        return UM_ENOMEM;
    um->origins.v[um->origins.n++] = origin;
    return UM_OK;
}

void um_crdt_undo_untrack(struct um_crdt_undo *um, const void *origin)
{
    for (uint32_t i = 0; i < um->origins.n; i++)
        if (um->origins.v[i] == origin)
            um->origins.v[i--] = um->origins.v[--um->origins.n];
}

void um_crdt_undo_stop_capturing(struct um_crdt_undo *um) { um->capturing = false; }
uint32_t um_crdt_undo_steps(const struct um_crdt_undo *um) { return um->undo.n; }
uint32_t um_crdt_redo_steps(const struct um_crdt_undo *um) { return um->redo.n; }

/* Takes back steps of STACK until one of them changes something. */
static um_err steps_take_back(struct um_crdt_undo *um, step_vec *stack, bool *done)
{
    um_err err;

    scope_find(um);
    while (stack->n > 0 && !*done) {
        struct step s = stack->v[stack->n - 1];

        if ((err = step_prepare(um, &s)) != UM_OK)
            return err;
        stack->n--;
        if ((*done = step_take_back(um, &s)))
            step_tell(um, UM_CRDT_STEP_UNDONE, stack, &s);
        else
            step_tell(um, UM_CRDT_STEP_DROPPED, stack, &s);
        step_free(um, &s);
    }
    return UM_OK;
}

static um_err take_back(struct um_crdt_undo *um, enum undo_mode mode, uint64_t client, bool *done,
                        struct um_crdt_applied *out)
{
    bool ignored = false;
    um_err err;

    if (done == NULL)
        done = &ignored;
    *done = false;
    if (out != NULL)
        memset(out, 0, sizeof(*out));
    if ((err = um_crdt_begin(um->doc, client, um)) != UM_OK)
        return err;
    um->mode = mode;
    err = steps_take_back(um, mode == UNDO_UNDOES ? &um->undo : &um->redo, done);
    um_crdt_commit(um->doc, out);
    um->mode = UNDO_WATCHES;
    return err;
}

um_err um_crdt_undo(struct um_crdt_undo *um, uint64_t client, bool *done, struct um_crdt_applied *out)
{
    return take_back(um, UNDO_UNDOES, client, done, out);
}

um_err um_crdt_redo(struct um_crdt_undo *um, uint64_t client, bool *done, struct um_crdt_applied *out)
{
    return take_back(um, UNDO_REDOES, client, done, out);
}

um_err um_crdt_undo_clear(struct um_crdt_undo *um, bool undo_stack, bool redo_stack)
{
    if (edit_is_open(um->doc))
        return UM_EBUSY;
    scope_find(um);
    if (undo_stack)
        steps_forget(um, &um->undo, um->undo.n);
    if (redo_stack)
        steps_forget(um, &um->redo, um->redo.n);
    undo_settle(um->doc);
    items_trim(um->doc);
    index_trim(um->doc);
    content_tidy(um->doc);
    return UM_OK;
}
