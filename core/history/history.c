/* Comparing two states: loading, who wrote since, root by root, the totals. */
#include "inside.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_inspect.h>
#include <umbel/map.h>
#include <umbel/util.h>

const char *const status_names[] = { "equal", "changed", "added", "removed" };

/* ---- small things -------------------------------------------------------------------------------------- */

bool list_grow(void *v, uint32_t *cap, size_t need, size_t elem)
{
    size_t want = UM_MAX(UM_MAX(need, 8), (size_t)*cap + *cap / 2);
    void **list = v, *p;

    if (want > UINT32_MAX - 1 || (p = realloc(*list, want * elem)) == NULL)
        return false;
    *list = p;
    *cap = (uint32_t)want;
    return true;
}

void fail(struct history *h, um_err err)
{
    if (h->err == UM_OK)
        h->err = err;
}

void put_json(struct history *h, json_t *object, const char *key, json_t *v)
{
    if (json_object_set_new(object, key, v) != 0)
        fail(h, UM_ENOMEM);
}

bool push_json(struct history *h, json_t *array, json_t *v)
{
    if (json_array_append_new(array, v) == 0)
        return true;
    fail(h, UM_ENOMEM);
    return false;
}

json_t *array_in(struct history *h, json_t *object, const char *key)
{
    if (json_object_get(object, key) == NULL)
        put_json(h, object, key, json_array());
    return json_object_get(object, key);
}

json_t *text_json(struct um_span text) { return json_stringn_nocheck(text.len > 0 ? (const char *)text.data : "", text.len); }

json_t *parse_json(struct um_span text)
{
    json_t *v = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    return v != NULL ? v : text_json(text);
}

uint64_t hash_of(const struct history *h, struct um_span s) { return um_hash_keyed(h->key, s); }

/* ---- who ----------------------------------------------------------------------------------------------- */

static int writer_order(const void *a, const void *b)
{
    const struct writer *x = a, *y = b;

    return (x->client > y->client) - (x->client < y->client);
}

const struct writer *writer_of(const struct history *h, uint64_t client)
{
    struct writer wanted = { .client = client };

    return h->writers.n == 0 ? NULL : bsearch(&wanted, h->writers.v, h->writers.n, sizeof(wanted), writer_order);
}

bool is_fresh(const struct history *h, uint64_t client, uint32_t clock)
{
    const struct writer *w = writer_of(h, client);

    return w == NULL || clock >= w->known;
}

struct user *user_of(struct history *h, uint64_t client)
{
    const struct writer *w = writer_of(h, client);

    return w == NULL || w->user >= h->users.n ? NULL : &h->users.v[w->user];
}

void put_by(struct history *h, json_t *object, uint64_t client)
{
    const struct user *u = user_of(h, client);

    put_json(h, object, "by", u == NULL || u->name == NULL ? json_null() : json_string(u->name));
    put_json(h, object, "client", json_integer((json_int_t)client));
}

static void writer_add(void *arg, uint64_t client, uint32_t from, uint32_t to)
{
    struct history *h = arg;

    (void)from;
    if (!list_room(&h->writers, 1))
        fail(h, UM_ENOMEM);
    else
        h->writers.v[h->writers.n++] = (struct writer){ .client = client, .known = to };
}

/* The client's user; a new one when none has that name. */
static void user_add(struct history *h, struct um_map *names, struct writer *w, const char *name)
{
    struct um_span key = UM_SPAN_STR(name != NULL ? name : "");
    struct user *u;
    uintptr_t at = (uintptr_t)um_map_get(names, key);

    if (at == 0) {
        if (!list_room(&h->users, 1)) {
            fail(h, UM_ENOMEM);
            return;
        }
        at = h->users.n + 1;
        u = &h->users.v[h->users.n++];
        *u = (struct user){ .name = name != NULL ? strdup(name) : NULL, .clients = json_array() };
        if (u->clients == NULL || (name != NULL && u->name == NULL))
            fail(h, UM_ENOMEM);
        um_map_put(names, key, (void *)at);
    }
    w->user = (uint32_t)at - 1;
    u = &h->users.v[w->user];
    if (w->fresh && json_array_size(u->clients) < HISTORY_CLIENTS)
        push_json(h, u->clients, json_integer((json_int_t)w->client));
}

static void users_find(struct history *h, um_history_user_fn *user, void *arg)
{
    struct um_map names = { 0 };

    for (uint32_t i = 0; i < h->writers.n && h->err == UM_OK; i++) {
        const char *name = user != NULL ? user(arg, h->writers.v[i].client) : NULL;

        user_add(h, &names, &h->writers.v[i], name != NULL && name[0] != '\0' && um_utf8_is_valid(name, strlen(name)) ? name : NULL);
    }
    um_map_free(&names);
}

/* `writers`: those of the new state, with what the old state knows of them. */
static void writers_find(struct history *h, struct um_span old_state, struct um_span new_state)
{
    struct um_crdt_conf cf;
    struct history past = { 0 };

    um_crdt_conf_init(&cf);
    cf.limits.update_bytes = cf.limits.update_structs = cf.limits.update_clients = cf.limits.update_ranges = UINT32_MAX;
    if (old_state.len > 0)
        fail(h, um_crdt_update_meta(&cf, old_state, writer_add, &past));
    if (new_state.len > 0)
        fail(h, um_crdt_update_meta(&cf, new_state, writer_add, h));
    fail(h, past.err);
    if (past.writers.n > 0)
        qsort(past.writers.v, past.writers.n, sizeof(*past.writers.v), writer_order);
    if (h->writers.n > 0)
        qsort(h->writers.v, h->writers.n, sizeof(*h->writers.v), writer_order);
    for (uint32_t i = 0; i < h->writers.n; i++) {
        struct writer *w = &h->writers.v[i];
        const struct writer *before = writer_of(&past, w->client);
        uint32_t known = before != NULL ? before->known : 0;

        w->fresh = w->known > known;
        w->known = known;
    }
    list_free(&past.writers);
}

static int user_order(const void *a, const void *b)
{
    const struct user *x = a, *y = b;

    if (x->characters != y->characters)
        return x->characters < y->characters ? 1 : -1;
    return strcmp(x->name != NULL ? x->name : "", y->name != NULL ? y->name : "");
}

static json_t *users_json(struct history *h)
{
    json_t *array = json_array();

    if (h->users.n > 0)
        qsort(h->users.v, h->users.n, sizeof(*h->users.v), user_order);
    for (uint32_t i = 0; i < h->users.n; i++) {
        const struct user *u = &h->users.v[i];

        if (json_array_size(u->clients) == 0 && u->words + u->characters + u->values == 0)
            continue;
        if (json_array_size(array) >= HISTORY_USERS) {
            h->truncated = true;
            break;
        }
        push_json(h, array, json_pack("{s:o?,s:O,s:I,s:I,s:I}", "user", u->name != NULL ? json_string(u->name) : json_null(),
                                 "clients", u->clients, "words", (json_int_t)u->words, "characters", (json_int_t)u->characters,
                                 "values", (json_int_t)u->values));
    }
    return array;
}

/* ---- roots --------------------------------------------------------------------------------------------- */

struct root {
    bool there, shows;
    enum um_crdt_kind kind;
    struct um_crdt_type ref;
};

static bool type_shows(const struct um_crdt *doc, const struct um_crdt_type *ref)
{
    struct um_crdt_walk list = { 0 }, map = { 0 };
    struct um_crdt_value v;
    struct um_span key;

    return um_crdt_list_next(doc, ref, &list, &v) || um_crdt_map_next(doc, ref, &map, &key, &v);
}

static struct root root_find(struct history *h, const struct um_crdt *doc, struct um_span name)
{
    struct root r = { 0 };
    um_err err = um_crdt_root_find(doc, name, &r.ref);

    if (err == UM_ENOTFOUND)
        return r;
    fail(h, err);
    if (err != UM_OK)
        return r;
    fail(h, um_crdt_guess_root(doc, name, &r.kind));
    r.there = true;
    r.shows = type_shows(doc, &r.ref);
    return r;
}

static bool kind_has_blocks(enum um_crdt_kind kind)
{
    return kind == UM_CRDT_TEXT || kind == UM_CRDT_XML_TEXT || kind == UM_CRDT_XML_FRAGMENT || kind == UM_CRDT_XML_ELEMENT;
}

/* One side may be missing. */
static bool root_compare(struct history *h, const struct root *old, const struct root *new, json_t *into)
{
    const struct um_crdt_type *a = old != NULL ? &old->ref : NULL, *b = new != NULL ? &new->ref : NULL;
    enum um_crdt_kind kind = new != NULL ? new->kind : old->kind;
    json_t *values = array_in(h, into, "values");
    bool changed = false;

    if (kind_has_blocks(kind)) {
        changed = blocks_compare(h, a, old != NULL ? old->kind : kind, b, kind, into);
        entries_compare(h, a, b, NULL, values);
    } else {
        values_compare(h, a, b, kind == UM_CRDT_ARRAY, values);
    }
    return changed;
}

static bool same_form(enum um_crdt_kind a, enum um_crdt_kind b)
{
    return a == b || (kind_has_blocks(a) && kind_has_blocks(b));
}

static json_t *root_json(struct history *h, struct um_span name, bool *any)
{
    struct root old = root_find(h, h->old, name), new = root_find(h, h->new, name);
    json_t *o = json_object();
    uint64_t before = h->totals.values;
    bool changed;

    if (!new.shows && old.shows)
        new.kind = old.kind;
    if (!old.shows)
        old.kind = new.kind;
    if (h->err == UM_OK && old.there)
        fail(h, um_crdt_declare_root(h->old, name, old.kind));
    if (h->err == UM_OK && new.there)
        fail(h, um_crdt_declare_root(h->new, name, new.kind));
    put_json(h, o, "name", text_json(name));
    put_json(h, o, "kind", json_string(um_crdt_kind_name(new.there ? new.kind : old.kind)));
    if (old.there && new.there && !same_form(old.kind, new.kind)) {
        changed = root_compare(h, &old, NULL, o);
        changed |= root_compare(h, NULL, &new, o);
    } else {
        changed = root_compare(h, old.there ? &old : NULL, new.there ? &new : NULL, o);
    }
    if (json_array_size(json_object_get(o, "values")) == 0)
        json_object_del(o, "values");
    changed |= h->totals.values > before;
    *any |= changed;
    put_json(h, o, "status", json_string(status_names[!changed ? EQUAL : !old.shows ? ADDED : !new.shows ? REMOVED : CHANGED]));
    return o;
}

static json_t *roots_json(struct history *h, bool *changed)
{
    json_t *array = json_array();
    struct um_crdt *docs[] = { h->new, h->old };
    struct um_crdt_type other;
    enum um_crdt_kind kind;
    struct um_span name;

    for (int k = 0; k < 2; k++) {
        for (size_t pos = 0; h->err == UM_OK && um_crdt_roots(docs[k], &pos, &name, &kind);) {
            if (k == 0 || um_crdt_root_find(h->new, name, &other) != UM_OK)
                push_json(h, array, root_json(h, name, changed));
        }
    }
    return array;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static json_t *two(const uint64_t v[2])
{
    return json_pack("{s:I,s:I}", "inserted", (json_int_t)v[0], "deleted", (json_int_t)v[1]);
}

static json_t *totals_json(struct history *h)
{
    const struct totals *t = &h->totals;
    json_t *o = json_object(), *blocks = json_object();

    for (int i = EQUAL; i <= REMOVED; i++)
        put_json(h, blocks, status_names[i], json_integer((json_int_t)t->blocks[i]));
    put_json(h, o, "words", two(t->words));
    put_json(h, o, "characters", two(t->characters));
    put_json(h, o, "blocks", blocks);
    put_json(h, o, "formats", json_integer((json_int_t)t->formats));
    put_json(h, o, "values", json_integer((json_int_t)t->values));
    return o;
}

static json_t *whole_json(struct history *h)
{
    json_t *o = json_object(), *roots;
    bool changed = false;

    roots = roots_json(h, &changed);
    put_json(h, o, "version", json_integer(1));
    put_json(h, o, "changed", json_boolean(changed));
    put_json(h, o, "totals", totals_json(h));
    put_json(h, o, "users", users_json(h));
    put_json(h, o, "truncated", json_boolean(h->truncated));
    put_json(h, o, "roots", roots);
    return o;
}

static struct um_crdt *state_load(struct history *h, struct um_span state)
{
    struct um_crdt *doc = NULL;
    struct um_crdt_conf cf;

    um_crdt_conf_init(&cf);
    cf.cleanup = false;
    if (state.len > HISTORY_STATE_BYTES)
        fail(h, UM_ELIMIT);
    if (h->err == UM_OK)
        fail(h, um_crdt_new(&cf, &doc));
    if (h->err == UM_OK && state.len > 0)
        fail(h, um_crdt_load(doc, state, NULL));
    return doc;
}

static void history_free(struct history *h)
{
    for (uint32_t i = 0; i < h->users.n; i++) {
        free(h->users.v[i].name);
        json_decref(h->users.v[i].clients);
    }
    list_free(&h->users);
    list_free(&h->writers);
    um_crdt_free(h->old);
    um_crdt_free(h->new);
}

um_err um_history_compare(struct um_span old_state, struct um_span new_state, um_history_user_fn *user, void *arg,
                          json_t **out)
{
    struct history h = { .steps = HISTORY_STEPS };
    json_t *o = NULL;

    *out = NULL;
    um_random_bytes(h.key, sizeof(h.key));
    h.old = state_load(&h, old_state);
    h.new = state_load(&h, new_state);
    if (h.err == UM_OK)
        writers_find(&h, old_state, new_state);
    users_find(&h, user, arg);
    if (h.err == UM_OK)
        o = whole_json(&h);
    if (h.err == UM_OK && o == NULL)
        h.err = UM_ENOMEM;
    if (h.err == UM_OK)
        *out = o;
    else
        json_decref(o);
    history_free(&h);
    return h.err;
}
