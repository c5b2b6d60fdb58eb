/* Editing shared types from C: what the vectors cannot show. Errors, memory, limits, references, reading. */
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_events.h>
#include <umbel/crdt_types.h>

#define NONE_GIVEN UM_SPAN(NULL, 0)
#define TEXT(s) UM_SPAN_STR(s)
#define JSON(s) ((struct um_crdt_value){ .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR(s) })
#define TYPE(k) ((struct um_crdt_value){ .kind = UM_CRDT_V_TYPE, .type = (k) })

/* A document with one root of each kind that is edited. */
struct world {
    struct um_crdt *doc;
    struct um_crdt_type text, list, map, xml;
    struct failing {
        unsigned countdown, live;
    } memory;
};

static void *failing_realloc(void *ctx, void *p, size_t size)
{
    struct failing *f = ctx;
    void *q;

    if (f->countdown > 0 && --f->countdown == 0)
        return NULL;
    q = realloc(p, size);
    f->live += p == NULL && q != NULL;
    return q;
}

static void failing_free(void *ctx, void *p)
{
    struct failing *f = ctx;

    f->live -= p != NULL;
    free(p);
}

static void world_make(struct world *w, const struct um_crdt_conf *base)
{
    struct um_crdt_conf cf = *base;

    memset(&w->memory, 0, sizeof(w->memory));
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, &w->memory };
    assert_int_equal(um_crdt_new(&cf, &w->doc), UM_OK);
    assert_int_equal(um_crdt_root(w->doc, TEXT("text"), UM_CRDT_TEXT, &w->text), UM_OK);
    assert_int_equal(um_crdt_root(w->doc, TEXT("list"), UM_CRDT_ARRAY, &w->list), UM_OK);
    assert_int_equal(um_crdt_root(w->doc, TEXT("map"), UM_CRDT_MAP, &w->map), UM_OK);
    assert_int_equal(um_crdt_root(w->doc, TEXT("xml"), UM_CRDT_XML_FRAGMENT, &w->xml), UM_OK);
}

static struct world world_new(struct um_crdt **doc)
{
    static struct world w;
    struct um_crdt_conf cf;

    um_crdt_conf_init(&cf);
    world_make(&w, &cf);
    *doc = w.doc;
    return w;
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

static void assert_json(const struct um_crdt *doc, const char *root, const char *want)
{
    struct um_buf got = { 0 };

    assert_int_equal(um_crdt_read_json(doc, TEXT(root), UM_CRDT_TAGGED, &got), UM_OK);
    assert_string_equal(um_buf_cstr(&got), want);
    um_buf_free(&got);
}

static void assert_delta(const struct um_crdt *doc, const char *want)
{
    struct um_buf got = { 0 };

    assert_int_equal(um_crdt_read_delta(doc, TEXT("text"), UM_CRDT_TAGGED, &got), UM_OK);
    assert_string_equal(um_buf_cstr(&got), want);
    um_buf_free(&got);
}

static void begin(struct um_crdt *doc) { assert_int_equal(um_crdt_begin(doc, 7, NULL), UM_OK); }
static void commit(struct um_crdt *doc) { assert_int_equal(um_crdt_commit(doc, NULL), UM_OK); }

/* ---- a session of all operations ----------------------------------------------------------------------- */

static um_err put_tree(struct world *w)
{
    struct um_crdt_value words = TYPE(UM_CRDT_XML_TEXT), kids[2];
    struct um_crdt_entry attrs[] = { { TEXT("id"), JSON("\"p1\"") }, { TEXT("class"), JSON("\"c\"") } };
    struct um_crdt_value p = TYPE(UM_CRDT_XML_ELEMENT);

    words.text = TEXT("hello");
    kids[0] = words;
    kids[1] = TYPE(UM_CRDT_XML_ELEMENT);
    kids[1].name = TEXT("br");
    p.name = TEXT("p");
    p.items = kids;
    p.n_items = 2;
    p.entries = attrs;
    p.n_entries = 2;
    return um_crdt_list_insert(w->doc, &w->xml, 0, &p, 1);
}

static um_err put_values(struct world *w)
{
    struct um_crdt_value v[] = {
        JSON("1"), JSON("{\"b\":[1,2.5],\"10\":null}"), { .kind = UM_CRDT_V_BYTES, .data = UM_SPAN("\0\1\2", 3) },
        { .kind = UM_CRDT_V_STRING, .data = TEXT("s\"\xc3\xa9") }, { .kind = UM_CRDT_V_DOC, .data = TEXT("guid") },
        TYPE(UM_CRDT_MAP), JSON("true"),
    };

    return um_crdt_list_insert(w->doc, &w->list, 0, v, UM_COUNT(v));
}

static um_err set_value(struct world *w, const char *key, const char *json)
{
    struct um_crdt_value v = JSON(json);

    return um_crdt_map_set(w->doc, &w->map, TEXT(key), &v);
}

static um_err embed(struct world *w)
{
    struct um_crdt_value v = JSON("{\"image\":\"x\"}");

    return um_crdt_text_embed(w->doc, &w->text, 3, &v, TEXT("{\"b\":true,\"link\":{\"href\":\"u\"}}"));
}

static um_err push(struct world *w)
{
    struct um_crdt_value v = JSON("\"pushed\"");

    return um_crdt_list_push(w->doc, &w->list, &v, 1);
}

#define SESSION_STEPS 18
static um_err session_step(struct world *w, int k)
{
    switch (k) {
    case 0: return um_crdt_text_insert(w->doc, &w->text, 0, TEXT("Hello, wide \xf0\x9f\x98\x80 world"), NONE_GIVEN);
    case 1: return um_crdt_text_format(w->doc, &w->text, 2, 6, TEXT("{\"b\":true,\"link\":{\"href\":\"u\"}}"));
    case 2: return um_crdt_text_insert(w->doc, &w->text, 4, TEXT("xx"), TEXT("{\"i\":1}"));
    case 3: return embed(w);
    case 4: return um_crdt_text_insert(w->doc, &w->text, 5, TEXT("inherits"), NONE_GIVEN);
    case 5: return um_crdt_text_delete(w->doc, &w->text, 1, 7);
    case 6: return um_crdt_text_apply_delta(w->doc, &w->text, TEXT("[{\"retain\":2,\"attributes\":{\"b\":null,\"c\":\"red\"}},"
                       "{\"insert\":\"new\",\"attributes\":{\"d\":{}}},{\"delete\":3},{\"insert\":{\"e\":1}},{\"retain\":90}]"));
    case 7: return put_values(w);
    case 8: return um_crdt_list_delete(w->doc, &w->list, 1, 3);
    case 9: return push(w);
    case 10: return set_value(w, "key", "[1,{}]");
    case 11: return set_value(w, "key", "\"second\"");
    case 12: return set_value(w, "other", "null");
    case 13: return um_crdt_map_delete(w->doc, &w->map, TEXT("key"));
    case 14: return um_crdt_map_clear(w->doc, &w->map);
    case 15: return put_tree(w);
    case 16: return um_crdt_list_delete(w->doc, &w->xml, 0, 1);
    default: return um_crdt_text_delete(w->doc, &w->text, 0, 3);
    }
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static void declare_as(struct um_crdt *doc, const struct um_crdt *like)
{
    struct um_span name;
    enum um_crdt_kind kind;

    for (size_t pos = 0; um_crdt_roots(like, &pos, &name, &kind);)
        assert_int_equal(um_crdt_declare_root(doc, name, kind), UM_OK);
}

/* Runs may be joined differently: that may be left out without memory. */
static void assert_same_content(const struct um_crdt *a, const struct um_crdt *b)
{
    struct um_buf x = { 0 }, y = { 0 };
    struct um_span name;
    enum um_crdt_kind kind;

    assert_int_equal(um_crdt_state_vector(a, &x), UM_OK);
    assert_int_equal(um_crdt_state_vector(b, &y), UM_OK);
    assert_true(um_span_eq(buf_span(&x), buf_span(&y)));
    for (size_t pos = 0; um_crdt_roots(a, &pos, &name, &kind);) {
        um_buf_clear(&x);
        um_buf_clear(&y);
        assert_int_equal(um_crdt_read_dump(a, name, &x), UM_OK);
        assert_int_equal(um_crdt_read_dump(b, name, &y), UM_OK);
        assert_string_equal(um_buf_cstr(&x), um_buf_cstr(&y));
    }
    um_buf_free(&x);
    um_buf_free(&y);
}

/* Step K with its first allocation failing, then its second, until it goes through. */
static void step_with_failures(struct world *w, int k)
{
    um_err err = UM_ENOMEM;

    for (unsigned n = 1; err != UM_OK; n++) {
        struct um_buf before = state_of(w->doc), after;

        w->memory.countdown = n;
        err = session_step(w, k);
        w->memory.countdown = 0;
        if (err != UM_OK) {
            assert_int_equal(err, UM_ENOMEM);
            after = state_of(w->doc);
            assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
            um_buf_free(&after);
        }
        um_buf_free(&before);
    }
}

static void a_call_without_memory_is_not_done_at_all(void **state)
{
    struct um_crdt_conf cf;

    (void)state;
    for (int steps_per_transaction = 1; steps_per_transaction <= SESSION_STEPS; steps_per_transaction += 5) {
        struct world poor, rich;
        um_crdt_conf_init(&cf);
        world_make(&poor, &cf);
        world_make(&rich, &cf);
        for (int k = 0; k < SESSION_STEPS; k++) {
            if (k % steps_per_transaction == 0) {
                begin(poor.doc);
                begin(rich.doc);
            }
            step_with_failures(&poor, k);
            assert_int_equal(session_step(&rich, k), UM_OK);
            if ((k + 1) % steps_per_transaction == 0 || k + 1 == SESSION_STEPS) {
                commit(poor.doc);
                commit(rich.doc);
            }
        }
        assert_same_content(poor.doc, rich.doc);
        um_crdt_free(poor.doc);
        um_crdt_free(rich.doc);
        assert_int_equal(poor.memory.live, 0);
    }
}

/* What a commit leaves undone must not be seen: another replica that gets the state shows the same. */
static void a_commit_without_memory_ends_the_transaction(void **state)
{
    struct um_crdt_conf cf;

    (void)state;
    um_crdt_conf_init(&cf);
    for (unsigned n = 1; n < 40; n++) {
        struct world w;
        struct um_buf b;
        struct um_crdt *other = doc_new(true);
        struct um_crdt_applied out;

        world_make(&w, &cf);
        for (int k = 0; k < SESSION_STEPS; k++) {
            begin(w.doc);
            assert_int_equal(session_step(&w, k), UM_OK);
            w.memory.countdown = n;
            assert_int_equal(um_crdt_commit(w.doc, &out), UM_OK);
            w.memory.countdown = 0;
            b = state_of(w.doc);
            assert_int_equal(um_crdt_apply(other, out.event.len > 0 ? out.event : buf_span(&b), NULL), UM_OK);
            um_buf_free(&b);
        }
        declare_as(other, w.doc);
        assert_same_content(w.doc, other);
        um_crdt_free(w.doc);
        um_crdt_free(other);
        assert_int_equal(w.memory.live, 0);
    }
}

/* ---- errors -------------------------------------------------------------------------------------------- */

static um_err bad_call(struct world *w, int k)
{
    static const uint8_t undefined[] = { 127 }, bigint[] = { 122, 0, 0, 0, 0, 0, 0, 0, 5 }, cut[] = { 119, 5, 'a' };
    struct um_crdt_type none = { 99, 5, 0 }, no_root = { 0, 0, 50 };
    struct um_crdt_value one = JSON("1"), word = JSON("\"s\""), p = TYPE(UM_CRDT_XML_ELEMENT), text = TYPE(UM_CRDT_TEXT);
    struct um_crdt_value two[] = { one, { .kind = UM_CRDT_V_ANY, .data = UM_SPAN(undefined, 1) } };
    struct um_crdt_value big = { .kind = UM_CRDT_V_ANY, .data = UM_SPAN(bigint, 9) };
    struct um_crdt_value torn = { .kind = UM_CRDT_V_ANY, .data = UM_SPAN(cut, 3) };
    struct um_crdt_value odd = { .kind = UM_CRDT_V_STRING, .data = UM_SPAN("\xff", 1) };

    p.text = TEXT("an element has no text");
    switch (k) {
    case 0: return um_crdt_list_insert(w->doc, &w->list, 5, &one, 1);
    case 1: return um_crdt_list_delete(w->doc, &w->list, 0, 5);
    case 2: return um_crdt_list_delete(w->doc, &w->list, 5, 0);
    case 3: return um_crdt_list_insert(w->doc, &w->list, 0, two, 2);
    case 4: return um_crdt_list_insert(w->doc, &w->list, 0, &big, 1);
    case 5: return um_crdt_list_insert(w->doc, &w->text, 0, &one, 1);
    case 6: return um_crdt_list_insert(w->doc, &w->xml, 0, &one, 1);
    case 7: return um_crdt_list_insert(w->doc, &w->xml, 0, &text, 1);
    case 8: return um_crdt_list_insert(w->doc, &w->xml, 0, &p, 1);
    case 9: return um_crdt_map_set(w->doc, &w->list, TEXT("k"), &one);
    case 10: return um_crdt_map_set(w->doc, &w->map, UM_SPAN("\xc0", 1), &one);
    case 11: return um_crdt_map_set(w->doc, &w->map, TEXT("new key"), &odd);
    case 12: return um_crdt_map_clear(w->doc, &w->list);
    case 13: return um_crdt_text_insert(w->doc, &w->text, 6, TEXT("x"), NONE_GIVEN);
    case 14: return um_crdt_text_insert(w->doc, &w->text, 0, UM_SPAN("\xed\xa0\x80", 3), NONE_GIVEN);
    case 15: return um_crdt_text_insert(w->doc, &w->text, 0, TEXT("x"), TEXT("[1]"));
    case 16: return um_crdt_text_format(w->doc, &w->text, 6, 1, TEXT("{\"b\":1}"));
    case 17: return um_crdt_text_format(w->doc, &w->text, 0, 1, NONE_GIVEN);
    case 18: return um_crdt_text_delete(w->doc, &w->text, 6, 1);
    case 19: return um_crdt_text_embed(w->doc, &w->text, 0, &word, NONE_GIVEN);
    case 20: return um_crdt_text_apply_delta(w->doc, &w->text, TEXT("[{\"insert\":\"x\"},{\"retain\":-1}]"));
    case 21: return um_crdt_text_apply_delta(w->doc, &w->text, TEXT("[{\"insert\":\"x\"},{\"attributes\":{}}]"));
    case 22: return um_crdt_text_apply_delta(w->doc, &w->text, TEXT("[{\"delete\":1},{\"insert\":null}]"));
    case 23: return um_crdt_text_apply_delta(w->doc, &w->text, TEXT("[{\"delete\":1},{\"retain\":1.5}]"));
    case 24: return um_crdt_text_apply_delta(w->doc, &w->text, TEXT("{}"));
    case 25: return um_crdt_list_insert(w->doc, &w->list, 0, &torn, 1);
    case 26: return um_crdt_text_apply_delta(w->doc, &w->text, TEXT("[{\"delete\":1},"));
    case 27: return um_crdt_list_push(w->doc, &none, &one, 1);
    case 28: return um_crdt_list_push(w->doc, &no_root, &one, 1);
    default: return UM_OK;
    }
}

static void an_error_leaves_the_document_as_it_was(void **state)
{
    struct um_crdt *doc;
    struct world w = world_new(&doc);
    struct um_crdt_applied out;
    um_err err;
    int k;

    (void)state;
    begin(doc);
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 0, TEXT("12345"), NONE_GIVEN), UM_OK);
    commit(doc);
    begin(doc);
    for (k = 0; k < 29; k++) {
        struct um_buf before = state_of(doc), after;

        err = bad_call(&w, k);
        assert_int_equal(err, k < 25 ? UM_EINVAL : k < 27 ? UM_EPROTO : UM_ENOTFOUND);
        after = state_of(doc);
        assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
        um_buf_free(&before);
        um_buf_free(&after);
    }
    assert_int_equal(um_crdt_commit(doc, &out), UM_OK);
    assert_false(out.changed);
    um_crdt_free(doc);
}

static void edits_stand_in_a_transaction(void **state)
{
    struct um_crdt *doc;
    struct world w = world_new(&doc);
    struct um_crdt_value one = JSON("1");

    (void)state;
    assert_int_equal(um_crdt_list_push(doc, &w.list, &one, 1), UM_ECLOSED);
    assert_int_equal(um_crdt_text_delete(doc, &w.text, 0, 0), UM_ECLOSED);
    assert_int_equal(um_crdt_map_clear(doc, &w.map), UM_ECLOSED);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_ECLOSED);
    assert_int_equal(um_crdt_begin(doc, 1ull << 53, NULL), UM_EINVAL);
    begin(doc);
    assert_int_equal(um_crdt_begin(doc, 8, NULL), UM_EBUSY);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN("\0\0", 2), NULL), UM_EBUSY);
    assert_int_equal(um_crdt_load(doc, UM_SPAN("\0\0", 2), NULL), UM_EBUSY);
    assert_int_equal(um_crdt_freeze(doc), UM_ECONFLICT);
    commit(doc);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN("\0\0", 2), NULL), UM_OK);
    um_crdt_free(doc);
}

static void a_transaction_without_a_change_leaves_no_trace(void **state)
{
    struct um_crdt *doc;
    struct world w = world_new(&doc);
    struct um_buf sv = { 0 };
    struct um_crdt_applied out;
    struct um_crdt_stats stats;

    (void)state;
    begin(doc);
    assert_int_equal(um_crdt_map_delete(doc, &w.map, TEXT("none")), UM_OK);
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 0, TEXT(""), NONE_GIVEN), UM_OK);
    assert_int_equal(um_crdt_text_format(doc, &w.text, 0, 5, TEXT("{\"b\":1}")), UM_OK);
    assert_int_equal(um_crdt_text_apply_delta(doc, &w.text, TEXT("[{\"delete\":3}]")), UM_OK);
    assert_int_equal(um_crdt_commit(doc, &out), UM_OK);
    assert_false(out.changed);
    assert_int_equal(out.event.len, 0);
    assert_int_equal(um_crdt_state_vector(doc, &sv), UM_OK);
    assert_int_equal(sv.len, 1);
    um_crdt_get_stats(doc, &stats);
    assert_int_equal(stats.clients, 0);
    um_buf_free(&sv);
    um_crdt_free(doc);
}

/* ---- limits -------------------------------------------------------------------------------------------- */

static void limits_hold_for_edits(void **state)
{
    struct um_crdt_conf cf;
    struct world w;
    struct um_crdt_value inner = TYPE(UM_CRDT_MAP), map = TYPE(UM_CRDT_ARRAY), one = JSON("1"), deep = JSON("[[[1]]]");
    char key[40];

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.type_depth = 2;
    cf.limits.update_bytes = 100;
    cf.limits.key_bytes = 20;
    cf.limits.value_depth = 2;
    cf.limits.structs = 6;
    world_make(&w, &cf);
    memset(key, 'k', sizeof(key));
    begin(w.doc);
    assert_int_equal(um_crdt_text_format(w.doc, &w.text, 0, 1000, TEXT("{\"b\":1}")), UM_OK);    /* nothing there */
    assert_int_equal(um_crdt_text_insert(w.doc, &w.text, 0, TEXT("ab"), NONE_GIVEN), UM_OK);
    assert_int_equal(um_crdt_text_format(w.doc, &w.text, 0, 1000, TEXT("{\"b\":1}")), UM_ELIMIT);
    assert_int_equal(um_crdt_text_apply_delta(w.doc, &w.text, TEXT("[{\"retain\":4000000000}]")), UM_ELIMIT);
    assert_int_equal(um_crdt_text_format(w.doc, &w.text, 0, 1, TEXT("{\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkk\":1}")), UM_ELIMIT);
    assert_int_equal(um_crdt_map_set(w.doc, &w.map, UM_SPAN(key, 21), &one), UM_ELIMIT);
    assert_int_equal(um_crdt_map_set(w.doc, &w.map, TEXT("k"), &deep), UM_ELIMIT);
    map.items = &inner;
    map.n_items = 1;
    assert_int_equal(um_crdt_map_set(w.doc, &w.map, TEXT("k"), &map), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &inner.ref, TEXT("too deep"), &map), UM_ELIMIT);
    for (int i = 0; i < 3; i++)
        assert_int_equal(um_crdt_map_set(w.doc, &w.map, TEXT("n"), &one), UM_OK);
    assert_int_equal(um_crdt_map_set(w.doc, &w.map, TEXT("n"), &one), UM_ELIMIT);
    commit(w.doc);
    um_crdt_free(w.doc);
}

/* ---- references and reading ---------------------------------------------------------------------------- */

static void a_reference_is_good_after_a_reload_until_the_type_is_deleted(void **state)
{
    struct um_crdt *doc, *other = doc_new(true);
    struct world w = world_new(&doc);
    struct um_crdt_value map = TYPE(UM_CRDT_MAP), one = JSON("1"), v;
    struct um_crdt_type parent, list;
    struct um_span key;
    struct um_buf b;

    (void)state;
    begin(doc);
    assert_int_equal(um_crdt_list_push(doc, &w.list, &map, 1), UM_OK);
    commit(doc);
    b = state_of(doc);
    assert_int_equal(um_crdt_apply(other, buf_span(&b), NULL), UM_OK);
    assert_int_equal(um_crdt_root(other, TEXT("list"), UM_CRDT_ARRAY, &list), UM_OK);
    assert_int_equal(um_crdt_begin(other, 9, NULL), UM_OK);
    assert_int_equal(um_crdt_map_set(other, &map.ref, TEXT("k"), &one), UM_OK);
    assert_int_equal(um_crdt_parent(other, &map.ref, &parent, &key), UM_OK);
    assert_int_equal(parent.root, list.root);
    assert_null(key.data);
    assert_int_equal(um_crdt_parent(other, &list, &parent, &key), UM_ENOTFOUND);
    assert_json(other, "list", "[{\"k\":1}]");
    assert_int_equal(um_crdt_list_delete(other, &list, 0, 1), UM_OK);
    assert_int_equal(um_crdt_map_set(other, &map.ref, TEXT("k"), &one), UM_ENOTFOUND);
    commit(other);
    assert_int_equal(um_crdt_map_get(other, &map.ref, TEXT("k"), &v), UM_ENOTFOUND);
    um_buf_free(&b);
    um_crdt_free(doc);
    um_crdt_free(other);
}

static void values_are_read_as_they_were_written(void **state)
{
    static const enum um_crdt_value_kind kinds[] = { UM_CRDT_V_ANY, UM_CRDT_V_ANY, UM_CRDT_V_BYTES, UM_CRDT_V_STRING,
                                                     UM_CRDT_V_DOC, UM_CRDT_V_TYPE, UM_CRDT_V_ANY };
    struct um_crdt *doc;
    struct world w = world_new(&doc);
    struct um_crdt_walk walk = { 0 };
    struct um_crdt_value v, by_index;
    struct um_span key;
    uint32_t n, length;

    (void)state;
    begin(doc);
    assert_int_equal(put_values(&w), UM_OK);
    assert_int_equal(set_value(&w, "a", "\"x\""), UM_OK);
    assert_int_equal(set_value(&w, "gone", "1"), UM_OK);
    assert_int_equal(um_crdt_map_delete(doc, &w.map, TEXT("gone")), UM_OK);
    assert_int_equal(set_value(&w, "b", "2"), UM_OK);
    commit(doc);
    for (n = 0; um_crdt_list_next(doc, &w.list, &walk, &v); n++) {
        assert_int_equal(v.kind, kinds[n]);
        assert_int_equal(um_crdt_get(doc, &w.list, n, &by_index), UM_OK);
        assert_int_equal(by_index.kind, v.kind);
        assert_true(um_span_eq(by_index.data, v.data));
    }
    assert_int_equal(um_crdt_length(doc, &w.list, &length), UM_OK);
    assert_int_equal(n, length);
    assert_int_equal(um_crdt_get(doc, &w.list, n, &v), UM_ENOTFOUND);
    memset(&walk, 0, sizeof(walk));
    assert_true(um_crdt_map_next(doc, &w.map, &walk, &key, &v) && um_span_eq(key, TEXT("a")));
    assert_true(v.kind == UM_CRDT_V_STRING && um_span_eq(v.data, TEXT("x")));
    assert_true(um_crdt_map_next(doc, &w.map, &walk, &key, &v) && um_span_eq(key, TEXT("b")));
    assert_false(um_crdt_map_next(doc, &w.map, &walk, &key, &v));
    assert_int_equal(um_crdt_map_get(doc, &w.map, TEXT("gone"), &v), UM_ENOTFOUND);
    um_crdt_free(doc);
}

static void a_text_is_read_unit_by_unit(void **state)
{
    struct um_crdt *doc;
    struct world w = world_new(&doc);
    struct um_crdt_value v;
    static const char *const want[] = { "a", "\xef\xbf\xbd", "\xef\xbf\xbd", "\xc3\xa9", "b" };

    (void)state;
    begin(doc);
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 0, TEXT("a\xf0\x9f\x98\x80\xc3\xa9" "b"), NONE_GIVEN), UM_OK);
    for (uint32_t i = 0; i < UM_COUNT(want); i++) {
        assert_int_equal(um_crdt_get(doc, &w.text, i, &v), UM_OK);
        assert_true(um_span_eq(v.data, TEXT(want[i])));
    }
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 2, TEXT("|"), NONE_GIVEN), UM_OK);
    commit(doc);
    assert_json(doc, "text", "\"a\xef\xbf\xbd|\xef\xbf\xbd\xc3\xa9" "b\"");
    um_crdt_free(doc);
}

/* ---- texts --------------------------------------------------------------------------------------------- */

/* The mark behind what was retained decides what the insertion finds. */
static void an_insertion_in_a_delta_sees_marks_behind_a_formatted_range(void **state)
{
    struct um_crdt *doc;
    struct world w = world_new(&doc);

    (void)state;
    begin(doc);
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 0, TEXT("abcx"), TEXT("{\"i\":true}")), UM_OK);
    assert_int_equal(um_crdt_text_format(doc, &w.text, 3, 1, TEXT("{\"b\":true}")), UM_OK);
    commit(doc);
    begin(doc);
    assert_int_equal(um_crdt_text_apply_delta(doc, &w.text,
                         TEXT("[{\"retain\":2},{\"retain\":1,\"attributes\":{\"i\":null}},{\"insert\":\"q\"}]")), UM_OK);
    commit(doc);
    assert_delta(doc, "[{\"insert\":\"ab\",\"attributes\":{\"i\":true}},{\"insert\":\"c\"},{\"insert\":\"q\"},"
                      "{\"insert\":\"x\",\"attributes\":{\"b\":true,\"i\":true}}]");
    um_crdt_free(doc);
}

/* More keys than are looked for one by one, indices among them. */
static void attributes_are_set_in_javascripts_order(void **state)
{
    struct um_crdt *doc;
    struct world w = world_new(&doc);
    struct um_buf b;
    const char *at = NULL;
    static const char *const order[] = { "2", "9", "10", "z", "a", "b", "c", "d", "e", "f", "01", "4294967295" };

    (void)state;
    begin(doc);
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 0, TEXT("t"),
                         TEXT("{\"z\":1,\"10\":1,\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"2\":1,\"e\":1,\"f\":1,\"01\":1,\"9\":1,"
                              "\"4294967295\":1}")), UM_OK);
    commit(doc);
    b = state_of(doc);
    for (size_t i = 0; i < UM_COUNT(order); i++) {
        char mark[24];
        int n = snprintf(mark, sizeof(mark), "%c%s\x01" "1", (char)strlen(order[i]), order[i]);
        const char *found = memmem(b.data, b.len, mark, (size_t)n);

        assert_non_null(found);
        assert_true(at == NULL || found > at);
        at = found;
    }
    um_buf_free(&b);
    um_crdt_free(doc);
}

/* ---- around -------------------------------------------------------------------------------------------- */

struct heard {
    unsigned calls;
    const void *origin;
    bool local;
    char json[256];
};

static void hear(void *arg, const struct um_crdt_changes *changes)
{
    struct heard *h = arg;
    struct um_buf out = { 0 };

    h->calls++;
    h->origin = changes->origin;
    h->local = changes->local;
    assert_int_equal(um_crdt_changes_json(changes, UM_CRDT_PLAIN, &out), UM_OK);
    snprintf(h->json, sizeof(h->json), "%s", um_buf_cstr(&out));
    um_buf_free(&out);
}

static void an_observer_hears_of_edits_with_their_origin(void **state)
{
    struct um_crdt *doc;
    struct world w = world_new(&doc);
    struct heard h = { 0 };

    (void)state;
    um_crdt_observe(doc, hear, &h);
    um_crdt_set_origin(doc, "somebody else");
    assert_int_equal(um_crdt_begin(doc, 7, &h), UM_OK);
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 0, TEXT("hi"), NONE_GIVEN), UM_OK);
    commit(doc);
    assert_int_equal(h.calls, 1);
    assert_ptr_equal(h.origin, &h);
    assert_true(h.local);
    assert_non_null(strstr(h.json, "\"delta\":[{\"insert\":\"hi\"}]"));
    um_crdt_free(doc);
}

static void a_cold_document_is_edited_as_any_other(void **state)
{
    struct um_crdt *doc, *cold = doc_new(true);
    struct world w = world_new(&doc);
    struct um_crdt_value v;
    struct um_bytes *bytes;
    struct um_crdt_type text;

    (void)state;
    begin(doc);
    assert_int_equal(um_crdt_text_insert(doc, &w.text, 0, TEXT("warm"), NONE_GIVEN), UM_OK);
    commit(doc);
    assert_int_equal(um_crdt_encode_shared(doc, &bytes), UM_OK);
    assert_int_equal(um_crdt_open(cold, bytes), UM_OK);
    assert_true(um_crdt_is_cold(cold));
    begin(cold);
    assert_int_equal(um_crdt_root(cold, TEXT("text"), UM_CRDT_TEXT, &text), UM_OK);
    assert_int_equal(um_crdt_text_insert(cold, &text, 4, TEXT("er"), NONE_GIVEN), UM_OK);
    commit(cold);
    assert_json(cold, "text", "\"warmer\"");
    assert_int_equal(um_crdt_get(cold, &text, 0, &v), UM_OK);
    um_bytes_unref(bytes);
    um_crdt_free(doc);
    um_crdt_free(cold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_without_memory_is_not_done_at_all),
        cmocka_unit_test(a_commit_without_memory_ends_the_transaction),
        cmocka_unit_test(an_error_leaves_the_document_as_it_was),
        cmocka_unit_test(edits_stand_in_a_transaction),
        cmocka_unit_test(a_transaction_without_a_change_leaves_no_trace),
        cmocka_unit_test(limits_hold_for_edits),
        cmocka_unit_test(a_reference_is_good_after_a_reload_until_the_type_is_deleted),
        cmocka_unit_test(values_are_read_as_they_were_written),
        cmocka_unit_test(a_text_is_read_unit_by_unit),
        cmocka_unit_test(an_insertion_in_a_delta_sees_marks_behind_a_formatted_range),
        cmocka_unit_test(attributes_are_set_in_javascripts_order),
        cmocka_unit_test(an_observer_hears_of_edits_with_their_origin),
        cmocka_unit_test(a_cold_document_is_edited_as_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
