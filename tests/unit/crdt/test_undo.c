/* Undo managers: sessions that real yjs' UndoManager went through (tests/vectors/yjs-own), byte for byte, and what
 * they do not hold. UMBEL_UNDO_VECTORS names a folder with more sessions. */
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_events.h>
#include <umbel/crdt_position.h>
#include <umbel/crdt_undo.h>

#define NOTHING UM_SPAN(NULL, 0)
#define ROOT(n) (&(struct um_crdt_type){ .root = (n) })

/* ---- edits of the vectors ------------------------------------------------------------------------------ */

static struct um_crdt_type type_at(struct um_crdt *doc, const json_t *path)
{
    struct um_crdt_type type;

    assert_int_equal(um_crdt_root_find(doc, UM_SPAN_STR(json_string_value(json_array_get(path, 0))), &type),
                     UM_OK);
    for (size_t i = 1; i < json_array_size(path); i++) {
        const json_t *k = json_array_get(path, i);
        struct um_crdt_value v = { 0 };
        um_err err = json_is_string(k) ? um_crdt_map_get(doc, &type, UM_SPAN_STR(json_string_value(k)), &v)
                                       : um_crdt_get(doc, &type, (uint32_t)json_integer_value(k), &v);

        assert_int_equal(err, UM_OK);
        assert_int_equal(v.kind, UM_CRDT_V_TYPE);
        type = v.ref;
    }
    return type;
}

/* KEEP: what is to be freed when the value has been used. */
static struct um_crdt_value value_of(const json_t *v, char **keep)
{
    const char *kind = json_string_value(json_object_get(v, "kind"));
    const char *name = json_string_value(json_object_get(v, "name"));

    if (json_is_object(v) && json_object_get(v, "$") != NULL) {
        struct um_crdt_value made = { .kind = UM_CRDT_V_TYPE, .type = kind_of(kind) };

        if (name != NULL)
            made.name = UM_SPAN_STR(name);
        return made;
    }
    *keep = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
    return (struct um_crdt_value){ .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR(*keep) };
}

static um_err list_insert(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                          const json_t *values)
{
    struct um_crdt_value v[8] = { 0 };
    char *keep[8] = { 0 };
    size_t n = json_array_size(values);
    um_err err;

    assert_true(n <= UM_COUNT(v));
    for (size_t i = 0; i < n; i++)
        v[i] = value_of(json_array_get(values, i), &keep[i]);
    err = um_crdt_list_insert(doc, type, index, v, n);
    for (size_t i = 0; i < n; i++)
        free(keep[i]);
    return err;
}

static um_err edit(struct um_crdt *doc, const json_t *o)
{
    const char *op = json_string_value(json_object_get(o, "op"));
    const char *text = json_string_value(json_object_get(o, "text"));
    const char *key = json_string_value(json_object_get(o, "key"));
    struct um_crdt_type type = type_at(doc, json_object_get(o, "at"));
    uint32_t index = (uint32_t)json_integer_value(json_object_get(o, "index"));
    uint32_t n = (uint32_t)json_integer_value(json_object_get(o, "n"));
    const json_t *attrs = json_object_get(o, "attrs"), *value = json_object_get(o, "value");
    char *a = attrs != NULL ? json_dumps(attrs, JSON_COMPACT) : NULL, *keep = NULL;
    struct um_span given = a != NULL ? UM_SPAN_STR(a) : NOTHING;
    struct um_crdt_value v = value != NULL ? value_of(value, &keep) : (struct um_crdt_value){ 0 };
    um_err err = UM_EINVAL;

    if (strcmp(op, "text.insert") == 0)
        err = um_crdt_text_insert(doc, &type, index, UM_SPAN_STR(text), given);
    else if (strcmp(op, "text.delete") == 0)
        err = um_crdt_text_delete(doc, &type, index, n);
    else if (strcmp(op, "text.format") == 0)
        err = um_crdt_text_format(doc, &type, index, n, given);
    else if (strcmp(op, "text.embed") == 0)
        err = um_crdt_text_embed(doc, &type, index, &v, NOTHING);
    else if (strcmp(op, "list.insert") == 0)
        err = list_insert(doc, &type, index, json_object_get(o, "values"));
    else if (strcmp(op, "list.delete") == 0)
        err = um_crdt_list_delete(doc, &type, index, n);
    else if (strcmp(op, "map.set") == 0)
        err = um_crdt_map_set(doc, &type, UM_SPAN_STR(key), &v);
    else if (strcmp(op, "map.delete") == 0)
        err = um_crdt_map_delete(doc, &type, UM_SPAN_STR(key));
    free(a);
    free(keep);
    return err;
}

/* ---- sessions ------------------------------------------------------------------------------------------ */

struct session {
    struct um_crdt *doc;
    struct um_crdt_undo *undo;
    uint64_t client, now;
};

static uint64_t session_now(void *arg) { return ((struct session *)arg)->now; }

/* Origins are compared by address only. */
static const void *origin_of(const json_t *name)
{
    static const char me, other;

    if (!json_is_string(name))
        return NULL;
    return strcmp(json_string_value(name), "me") == 0 ? &me : &other;
}

static void session_begin(struct session *s, const json_t *vector)
{
    const json_t *scope = json_object_get(vector, "scope"), *tracked = json_object_get(vector, "tracked"), *v;
    struct um_crdt_undo_conf cf;
    bool tracks_null = false;
    size_t i;

    s->doc = doc_new(json_is_true(json_object_get(vector, "gc")));
    s->client = (uint64_t)json_integer_value(json_object_get(vector, "client"));
    declare_roots(s->doc, vector);
    um_crdt_undo_conf_init(&cf);
    cf.capture_ms = (uint32_t)json_integer_value(json_object_get(vector, "timeout"));
    cf.ignore_remote_map_changes = json_is_true(json_object_get(vector, "ignore_remote_map_changes"));
    cf.now_ms = session_now;
    cf.arg = s;
    assert_int_equal(um_crdt_undo_new(s->doc, &cf, &s->undo), UM_OK);
    json_array_foreach((json_t *)tracked, i, v) {
        tracks_null |= json_is_null(v);
        assert_int_equal(um_crdt_undo_track(s->undo, origin_of(v)), UM_OK);
    }
    if (!tracks_null)
        um_crdt_undo_untrack(s->undo, NULL);
    if (json_is_array(scope)) {
        json_array_foreach((json_t *)scope, i, v) {
            struct um_crdt_type type;

            assert_int_equal(um_crdt_root_find(s->doc, UM_SPAN_STR(json_string_value(v)), &type), UM_OK);
            assert_int_equal(um_crdt_undo_scope(s->undo, &type), UM_OK);
        }
    }
}

static um_err edits_run(struct session *s, const json_t *o, struct um_crdt_applied *out)
{
    const json_t *ops = json_object_get(o, "ops"), *e;
    um_err err = um_crdt_begin(s->doc, s->client, origin_of(json_object_get(o, "origin")));
    size_t i;

    assert_int_equal(err, UM_OK);
    if (ops == NULL)
        err = edit(s->doc, o);
    json_array_foreach((json_t *)ops, i, e)
        if (err == UM_OK)
            err = edit(s->doc, e);
    um_crdt_commit(s->doc, out);
    return err;
}

static void check_emits(struct tally *t, const struct um_crdt_applied *a, const json_t *want, size_t k,
                        const char *op)
{
    size_t n = (size_t)a->changed + a->n_more;

    check(t, n == json_array_size(want), "op %zu (%s): %zu updates, expected %zu", k, op, n,
          json_array_size(want));
    for (size_t i = 0; i < n && i < json_array_size(want); i++) {
        struct um_buf w = b64(json_array_get(want, i));

        check_bytes(t, i < (size_t)a->changed ? a->event : a->more[i - a->changed], buf_span(&w),
                    "op %zu (%s): update %zu", k, op, i);
        um_buf_free(&w);
    }
}

static void op_run(struct tally *t, struct session *s, const json_t *o, size_t k)
{
    const char *op = json_string_value(json_object_get(o, "op"));
    const json_t *result = json_object_get(o, "result"), *undo = json_object_get(o, "undo");
    struct um_crdt_applied applied = { 0 };
    struct um_buf update = { 0 };
    bool done = false;
    um_err err = UM_OK;

    s->now = (uint64_t)json_integer_value(json_object_get(o, "now"));
    if (strcmp(op, "undo") == 0) {
        err = um_crdt_undo(s->undo, s->client, &done, &applied);
    } else if (strcmp(op, "redo") == 0) {
        err = um_crdt_redo(s->undo, s->client, &done, &applied);
    } else if (strcmp(op, "stop") == 0) {
        um_crdt_undo_stop_capturing(s->undo);
    } else if (strcmp(op, "clear") == 0) {
        err = um_crdt_undo_clear(s->undo, json_is_true(json_object_get(o, "undo_stack")),
                                 json_is_true(json_object_get(o, "redo_stack")));
    } else if (strcmp(op, "remote") == 0) {
        update = b64(json_object_get(o, "update"));
        err = um_crdt_apply(s->doc, buf_span(&update), &applied);
    } else {
        err = edits_run(s, o, &applied);
    }
    check(t, err == UM_OK, "op %zu (%s): %s", k, op, um_err_text(err));
    check_emits(t, &applied, json_object_get(o, "emits"), k, op);
    if (result != NULL)
        check(t, done == json_is_true(result), "op %zu (%s): result", k, op);
    if (undo != NULL)
        check(t, um_crdt_undo_steps(s->undo) == json_integer_value(undo) &&
                     um_crdt_redo_steps(s->undo) == json_integer_value(json_object_get(o, "redo")),
              "op %zu (%s): %u and %u steps", k, op, um_crdt_undo_steps(s->undo), um_crdt_redo_steps(s->undo));
    um_buf_free(&update);
}

static void replay(struct tally *t, const json_t *vector)
{
    struct um_buf got = { 0 }, want;
    struct session s = { 0 };
    unsigned failed = t->failed;
    const char *name;
    json_t *o;
    size_t k;

    if (json_object_get(vector, "ops") == NULL)
        return;
    session_begin(&s, vector);
    json_array_foreach(json_object_get(vector, "ops"), k, o) {
        op_run(t, &s, o, k);
        if (t->failed > failed)
            break;
    }
    if (t->failed == failed) {
        want = b64(json_object_get(vector, "state_v1"));
        check(t, um_crdt_encode(s.doc, NOTHING, &got) == UM_OK, "state");
        check_bytes(t, buf_span(&got), buf_span(&want), "state");
        um_buf_free(&want);
        um_buf_clear(&got);
        json_object_foreach(json_object_get(vector, "json"), name, o)
            check_json(t, um_crdt_read_json(s.doc, UM_SPAN_STR(name), UM_CRDT_PLAIN, &got), &got, o, name);
    }
    um_buf_free(&got);
    um_crdt_undo_free(s.undo);
    um_crdt_free(s.doc);
}

static void sessions_of_yjs_come_out_byte_for_byte(void **state)
{
    const char *more = getenv("UMBEL_UNDO_VECTORS");
    struct tally t = { 0 };

    (void)state;
    vectors_walk_in(more != NULL ? more : UM_TEST_VECTORS "/yjs-own", &t, replay);
}

/* ---- what the sessions do not hold --------------------------------------------------------------------- */

#define ME 5u

static struct um_crdt *text_doc(struct um_crdt_undo **undo, const struct um_crdt_undo_conf *cf)
{
    struct um_crdt *doc = doc_new(true);

    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_undo_new(doc, cf, undo), UM_OK);
    return doc;
}

static void type_text(struct um_crdt *doc, uint32_t index, const char *text, const void *origin)
{
    assert_int_equal(um_crdt_begin(doc, ME, origin), UM_OK);
    assert_int_equal(um_crdt_text_insert(doc, ROOT(1), index, UM_SPAN_STR(text), NOTHING), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
}

static void delete_text(struct um_crdt *doc, uint32_t index, uint32_t n)
{
    assert_int_equal(um_crdt_begin(doc, ME, NULL), UM_OK);
    assert_int_equal(um_crdt_text_delete(doc, ROOT(1), index, n), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
}

static void expect_text(struct um_crdt *doc, const char *want)
{
    struct um_buf got = { 0 };

    assert_int_equal(um_crdt_read_text(doc, UM_SPAN_STR("t"), &got), UM_OK);
    assert_string_equal(um_buf_cstr(&got), want);
    um_buf_free(&got);
}

static bool undo(struct um_crdt_undo *um)
{
    bool done;

    assert_int_equal(um_crdt_undo(um, ME, &done, NULL), UM_OK);
    return done;
}

static void without_a_clock_steps_end_on_request(void **state)
{
    struct um_crdt_undo *um;
    struct um_crdt *doc = text_doc(&um, NULL);

    (void)state;
    type_text(doc, 0, "one", NULL);
    type_text(doc, 3, " two", NULL);
    um_crdt_undo_stop_capturing(um);
    type_text(doc, 7, " three", NULL);
    assert_int_equal(um_crdt_undo_steps(um), 2);
    assert_true(undo(um));
    expect_text(doc, "one two");
    assert_true(undo(um));
    expect_text(doc, "");
    assert_false(undo(um));
    um_crdt_undo_free(um);
    um_crdt_free(doc);
}

static bool content_is_kept(const struct um_crdt *doc, const char *text)
{
    struct um_buf state = { 0 };
    bool found;

    assert_int_equal(um_crdt_encode(doc, NOTHING, &state), UM_OK);
    found = memmem(state.data, state.len, text, strlen(text)) != NULL;
    um_buf_free(&state);
    return found;
}

static void what_a_step_deleted_is_kept_until_it_is_cleared(void **state)
{
    struct um_crdt_undo_conf cf;
    struct um_crdt_undo *um;
    struct um_crdt *doc;

    (void)state;
    um_crdt_undo_conf_init(&cf);
    cf.capture_ms = 0;
    doc = text_doc(&um, &cf);
    type_text(doc, 0, "secret, open", NULL);
    delete_text(doc, 0, 8);
    assert_true(content_is_kept(doc, "secret"));
    assert_int_equal(um_crdt_undo_clear(um, true, true), UM_OK);
    assert_int_equal(um_crdt_undo_steps(um), 0);
    /* until something collects it: a type around it, a reload */
    assert_true(content_is_kept(doc, "secret"));
    um_crdt_undo_untrack(um, NULL);
    delete_text(doc, 0, 4);
    assert_false(content_is_kept(doc, "open"));         /* nobody's step: gone at once */
    um_crdt_undo_free(um);
    um_crdt_free(doc);
}

static void the_oldest_steps_give_way(void **state)
{
    struct um_crdt_undo_conf cf;
    struct um_crdt_undo *um;
    struct um_crdt *doc;

    (void)state;
    um_crdt_undo_conf_init(&cf);
    cf.capture_ms = 0;
    cf.max_steps = 2;
    doc = text_doc(&um, &cf);
    for (uint32_t i = 0; i < 4; i++)
        type_text(doc, i, "x", NULL);
    assert_int_equal(um_crdt_undo_steps(um), 2);
    assert_true(undo(um) && undo(um));
    assert_false(undo(um));
    expect_text(doc, "xx");
    assert_int_equal(um_crdt_redo_steps(um), 2);
    um_crdt_undo_free(um);
    um_crdt_free(doc);
}

static void only_tracked_origins_and_own_scope_make_steps(void **state)
{
    static const char me, other;
    struct um_crdt_undo *um, *second;
    struct um_crdt *doc = text_doc(&um, NULL);
    struct um_crdt_type array;

    (void)state;
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("a"), UM_CRDT_ARRAY, &array), UM_OK);
    assert_int_equal(um_crdt_undo_new(doc, NULL, &second), UM_OK);
    assert_int_equal(um_crdt_undo_scope(second, &array), UM_OK);
    assert_int_equal(um_crdt_undo_scope(second, ROOT(9)), UM_ENOTFOUND);
    assert_int_equal(um_crdt_undo_track(um, &me), UM_OK);
    type_text(doc, 0, "a", &other);
    assert_int_equal(um_crdt_undo_steps(um), 0);
    type_text(doc, 1, "b", &me);
    type_text(doc, 2, "c", NULL);
    assert_int_equal(um_crdt_undo_steps(um), 1);
    assert_int_equal(um_crdt_undo_steps(second), 0);
    assert_true(undo(um));
    expect_text(doc, "a");
    assert_int_equal(um_crdt_undo_steps(second), 0);
    um_crdt_undo_free(um);
    um_crdt_undo_free(second);
    um_crdt_free(doc);
}

static void an_applied_update_is_a_step_when_its_origin_is_tracked(void **state)
{
    static const uint8_t update[] = { 1, 1, 9, 0, 4, 1, 1, 't', 2, 'h', 'i', 0 };
    static const uint8_t more[] = { 1, 1, 9, 2, 0x84, 9, 1, 1, '!', 0 };
    static const char peer;
    struct um_crdt_undo *um;
    struct um_crdt *doc = text_doc(&um, NULL);

    (void)state;
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(update, sizeof(update)), NULL), UM_OK);
    assert_int_equal(um_crdt_undo_steps(um), 0);
    um_crdt_set_origin(doc, &peer);
    assert_int_equal(um_crdt_undo_track(um, &peer), UM_OK);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(more, sizeof(more)), NULL), UM_OK);
    assert_int_equal(um_crdt_undo_steps(um), 1);
    assert_true(undo(um));
    expect_text(doc, "hi");
    um_crdt_undo_free(um);
    um_crdt_free(doc);
}

/* Says no to what begins at an even clock; counts what it heard of steps. */
struct listener {
    unsigned events[4], asked;
    int data;
};

static bool even_stays(void *arg, const struct um_crdt_undo_item *item)
{
    struct listener *l = arg;

    l->asked++;
    assert_int_equal(item->client, ME);
    assert_int_equal(item->parent.root, 1);
    assert_false(item->is_type || item->key.data != NULL);
    return item->clock % 2 == 1;
}

static void hear(void *arg, enum um_crdt_undo_event event, bool of_redo_stack, void **data)
{
    struct listener *l = arg;

    l->events[event]++;
    if (event == UM_CRDT_STEP_ADDED && !of_redo_stack)
        *data = &l->data;
    else if (!of_redo_stack)
        assert_ptr_equal(*data, &l->data);
    else
        assert_null(*data);
}

static void the_caller_may_forbid_and_is_told(void **state)
{
    struct listener l = { 0 };
    struct um_crdt_undo_conf cf;
    struct um_crdt_undo *um;
    struct um_crdt *doc;

    (void)state;
    um_crdt_undo_conf_init(&cf);
    cf.may_delete = even_stays;
    cf.on_step = hear;
    cf.arg = &l;
    doc = text_doc(&um, &cf);
    type_text(doc, 0, "a", NULL);
    type_text(doc, 0, "b", NULL);
    type_text(doc, 0, "c", NULL);
    assert_true(undo(um));
    expect_text(doc, "ca");
    assert_int_equal(l.asked, 3);
    type_text(doc, 0, "d", NULL);                         /* drops what could be redone */
    assert_int_equal(l.events[UM_CRDT_STEP_ADDED], 3);
    assert_int_equal(l.events[UM_CRDT_STEP_GREW], 2);
    assert_int_equal(l.events[UM_CRDT_STEP_UNDONE], 1);
    assert_int_equal(l.events[UM_CRDT_STEP_DROPPED], 1);
    um_crdt_undo_free(um);
    um_crdt_free(doc);
}

static void a_position_follows_what_was_made_anew(void **state)
{
    struct um_crdt_undo_conf cf;
    struct um_crdt_position pos;
    struct um_crdt_undo *um;
    struct um_crdt_type type;
    struct um_crdt *doc;
    uint32_t index;

    (void)state;
    um_crdt_undo_conf_init(&cf);
    cf.capture_ms = 0;
    doc = text_doc(&um, &cf);
    type_text(doc, 0, "hello world", NULL);
    assert_int_equal(um_crdt_position_make(doc, ROOT(1), 8, 0, &pos), UM_OK);
    delete_text(doc, 5, 6);
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_OK);
    assert_int_equal(index, 5);
    assert_true(undo(um));
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_OK);
    assert_int_equal(index, 8);
    um_crdt_undo_free(um);
    um_crdt_free(doc);
}

static void managers_stay_out_of_open_transactions_and_hold_the_document(void **state)
{
    struct um_crdt_undo *um;
    struct um_crdt *doc = doc_new(true);
    bool done = true;

    (void)state;
    assert_int_equal(um_crdt_undo_new(doc, NULL, &um), UM_OK);
    assert_int_equal(um_crdt_begin(doc, ME, NULL), UM_OK);
    assert_int_equal(um_crdt_undo(um, ME, &done, NULL), UM_EBUSY);
    assert_false(done);
    assert_int_equal(um_crdt_redo(um, ME, &done, NULL), UM_EBUSY);
    assert_int_equal(um_crdt_undo_clear(um, true, true), UM_EBUSY);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    assert_int_equal(um_crdt_freeze(doc), UM_ECONFLICT);
    um_crdt_undo_free(um);
    assert_int_equal(um_crdt_freeze(doc), UM_OK);
    um_crdt_free(doc);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

struct failing {
    unsigned countdown;
};

static void *failing_realloc(void *ctx, void *p, size_t size)
{
    struct failing *f = ctx;

    if (f->countdown > 0 && --f->countdown == 0)
        return NULL;
    return realloc(p, size);
}

static void failing_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static struct um_crdt *script(struct failing *f, struct um_crdt_undo **um)
{
    struct um_crdt_undo_conf undo_cf;
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    struct um_crdt_type map;
    struct um_crdt_value v = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_ARRAY };
    struct um_crdt_value items[] = { { .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR("1") } };

    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, f };
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    um_crdt_undo_conf_init(&undo_cf);
    undo_cf.capture_ms = 0;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP, &map), UM_OK);
    assert_int_equal(um_crdt_undo_new(doc, &undo_cf, um), UM_OK);
    type_text(doc, 0, "some text of several words", NULL);
    assert_int_equal(um_crdt_begin(doc, ME, NULL), UM_OK);
    assert_int_equal(um_crdt_map_set(doc, &map, UM_SPAN_STR("k"), &v), UM_OK);
    assert_int_equal(um_crdt_list_push(doc, &v.ref, items, 1), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    assert_int_equal(um_crdt_begin(doc, ME, NULL), UM_OK);
    assert_int_equal(um_crdt_map_delete(doc, &map, UM_SPAN_STR("k")), UM_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(um_crdt_text_delete(doc, ROOT(1), 3 * i, 2), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    return doc;
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, NOTHING, &b), UM_OK);
    return b;
}

/* Undo and redo with allocation N failing: done, or nothing happened and the step is still there. */
static void an_undo_that_runs_out_of_memory_changes_nothing(void **state)
{
    bool failed = true;

    (void)state;
    for (unsigned n = 1; failed; n++) {
        struct failing f = { 0 };
        struct um_crdt_undo *um;
        struct um_crdt *doc = script(&f, &um);
        struct um_buf before = state_of(doc), after;
        uint32_t steps = um_crdt_undo_steps(um);
        bool done;
        um_err err;

        f.countdown = n;
        err = um_crdt_undo(um, ME, &done, NULL);
        failed = f.countdown == 0;
        f.countdown = 0;
        if (err != UM_OK) {
            assert_int_equal(err, UM_ENOMEM);
            after = state_of(doc);
            assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
            assert_int_equal(um_crdt_undo_steps(um), steps);
            assert_int_equal(um_crdt_undo(um, ME, &done, NULL), UM_OK);
            um_buf_free(&after);
        }
        assert_true(done);
        expect_text(doc, "some text of several words");
        assert_int_equal(um_crdt_redo(um, ME, &done, NULL), UM_OK);
        um_buf_free(&before);
        um_crdt_undo_free(um);
        um_crdt_free(doc);
        assert_true(n < 500);
    }
}

/* Every allocation of an edit fails once while a manager watches: the edit counts, its step may be missing. */
static void watching_never_harms_an_edit(void **state)
{
    bool failed = true;

    (void)state;
    for (unsigned n = 1; failed; n++) {
        struct failing f = { 0 };
        struct um_crdt_undo *um;
        struct um_crdt *doc = script(&f, &um);
        struct um_buf update = { 0 };
        bool done;
        um_err err;

        assert_true(undo(um));                            /* so that the next edit drops a step */
        assert_int_equal(um_crdt_begin(doc, ME, NULL), UM_OK);
        f.countdown = n;
        if ((err = um_crdt_text_delete(doc, ROOT(1), 1, 3)) != UM_OK)
            assert_int_equal(err, UM_ENOMEM);
        assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
        failed = f.countdown == 0;
        f.countdown = 0;
        expect_text(doc, err == UM_OK ? "s text of several words" : "some text of several words");
        while (um_crdt_undo_steps(um) > 0)
            assert_int_equal(um_crdt_undo(um, ME, &done, NULL), UM_OK);
        update = state_of(doc);
        assert_int_equal(um_crdt_validate(NULL, buf_span(&update), NULL), UM_OK);
        um_buf_free(&update);
        um_crdt_undo_free(um);
        um_crdt_free(doc);
        assert_true(n < 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_of_yjs_come_out_byte_for_byte),
        cmocka_unit_test(without_a_clock_steps_end_on_request),
        cmocka_unit_test(what_a_step_deleted_is_kept_until_it_is_cleared),
        cmocka_unit_test(the_oldest_steps_give_way),
        cmocka_unit_test(only_tracked_origins_and_own_scope_make_steps),
        cmocka_unit_test(an_applied_update_is_a_step_when_its_origin_is_tracked),
        cmocka_unit_test(the_caller_may_forbid_and_is_told),
        cmocka_unit_test(a_position_follows_what_was_made_anew),
        cmocka_unit_test(managers_stay_out_of_open_transactions_and_hold_the_document),
        cmocka_unit_test(an_undo_that_runs_out_of_memory_changes_nothing),
        cmocka_unit_test(watching_never_harms_an_edit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
