/* Bytes as a script of edits by three authors on three documents that hear of one another now and then: no call
 * breaks an invariant, an error changes nothing, every event is a valid update, a mirror that gets one document's
 * events shows what it shows, and in the end all three are equal. Input: flags, then operations of a few bytes. */
#include "posindex.h"
#include <stdlib.h>
#include <umbel/crdt_types.h>

#define AUTHORS 3
#define ROOTS 4
#define NESTED 8
#define STEPS_MAX 400
#define ROUNDS_MAX 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
    const uint8_t *p, *end;
    struct um_crdt *docs[AUTHORS], *mirror;         /* of document 0 */
    struct um_crdt_type nested[NESTED];
    uint32_t n_nested;
    bool pairs;                       /* surrogate pairs: torn ones may look torn in one replica only, as in yjs */
};

static const struct root {
    const char *name;
    enum um_crdt_kind kind;
} roots[ROOTS] = { { "t", UM_CRDT_TEXT }, { "a", UM_CRDT_ARRAY }, { "m", UM_CRDT_MAP }, { "x", UM_CRDT_XML_FRAGMENT } };

/* What no yjs writes: in the text values, bytes and a key with a mark as value; in the array a mark, a string and
 * two values in one entry; a type in each. */
static const uint8_t odd[] = {
    1, 10, 1, 0, 4, 1, 1, 't', 3, 'a', 'b', 'c', 136, 1, 2, 2, 125, 1, 125, 2, 131, 1, 4, 1, 9,
    38, 1, 1, 't', 1, 'k', 1, 'b', 4, 't', 'r', 'u', 'e', 6, 1, 1, 'a', 1, 'b', 1, '1', 132, 1, 7, 2, 'x', 'y',
    40, 1, 1, 'm', 1, 'k', 2, 125, 1, 125, 2, 135, 1, 5, 0, 135, 1, 9, 2, 129, 1, 13, 3, 0,
};

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

static uint8_t next(struct script *s) { return s->p < s->end ? *s->p++ : 0; }

static struct um_buf state_of(const struct um_crdt *doc, struct um_span sv)
{
    struct um_buf b = { 0 };

    UM_ASSERT(um_crdt_encode(doc, sv, &b) == UM_OK);
    return b;
}

static struct um_buf vector_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    UM_ASSERT(um_crdt_state_vector(doc, &b) == UM_OK);
    return b;
}

static struct um_crdt *doc_new(bool cleanup)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.cleanup = cleanup;
    cf.limits.update_bytes = 4096;
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    for (uint32_t i = 0; i < ROOTS; i++)
        UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR(roots[i].name), roots[i].kind) == UM_OK);
    return doc;
}

/* ---- hearing of one another ---------------------------------------------------------------------------- */

static void tell(struct script *s, uint32_t author, const struct um_crdt_applied *out)
{
    struct um_crdt_update_stats stats;

    if (out->changed) {
        UM_ASSERT(um_crdt_validate(NULL, out->event, &stats) == UM_OK);
        UM_ASSERT(!stats.empty_structs && stats.bytes == out->event.len);
    }
    if (author != 0)
        return;
    if (out->changed)
        UM_ASSERT(um_crdt_apply(s->mirror, out->event, NULL) == UM_OK);
    for (size_t i = 0; i < out->n_more; i++)
        UM_ASSERT(um_crdt_apply(s->mirror, out->more[i], NULL) == UM_OK);
}

/* True when TO did not know it all. */
static bool hear(struct script *s, uint32_t from, uint32_t to)
{
    struct um_buf sv = vector_of(s->docs[to]), update = state_of(s->docs[from], span_of(&sv));
    struct um_crdt_applied out;

    UM_ASSERT(um_crdt_load(s->docs[to], span_of(&update), &out) == UM_OK);
    tell(s, to, &out);
    um_buf_free(&sv);
    um_buf_free(&update);
    return out.changed || out.n_more > 0;
}

/* ---- operations ---------------------------------------------------------------------------------------- */

static const char *const keys[] = { "k", "b", "10", "" };
static const char *const attributes[] = {
    "{\"b\":true}", "{\"b\":null}", "{\"b\":{\"x\":1}}", "{\"i\":[1],\"b\":1.0}", "{}", "{\"10\":\"\\u0061\",\"2\":{\"y\":{}}}",
    "{\"b\":{\"x\":1},\"i\":null}", "{\"i\":\"a\"}",
};
static const char *const texts[] = { "a", "bc", "\xc3\xa9", "long text with words", "\n", "\xf0\x9f\x98\x80" };
static const char *const jsons[] = { "1", "\"s\"", "[1,{\"a\":-0}]", "null", "true", "{\"2\":1,\"1\":0.5}" };
static const char *const deltas[] = {
    "[{\"insert\":\"x\",\"attributes\":{\"b\":true}},{\"retain\":2,\"attributes\":{\"i\":null}},{\"insert\":\"y\"}]",
    "[{\"retain\":1},{\"delete\":2},{\"insert\":{\"e\":1},\"attributes\":{\"b\":{\"x\":1}}}]",
    "[{\"retain\":3,\"attributes\":{\"b\":{\"x\":1}}},{\"delete\":1},{\"retain\":9,\"attributes\":{\"b\":null}},{\"insert\":\"end\"}]",
    "[{\"delete\":4},{\"insert\":\"q\"},{\"delete\":4},{\"retain\":0,\"attributes\":{\"i\":1}}]",
};
#define PICK(s, list) pick((s), (list), UM_COUNT(list))

static struct um_span pick(struct script *s, const char *const *list, size_t n)
{
    const char *text = list[next(s) % n];

    return UM_SPAN_STR(text);
}

static struct um_span attributes_next(struct script *s)
{
    uint8_t k = next(s);

    return k % 4 == 0 ? UM_SPAN(NULL, 0) : UM_SPAN_STR(attributes[k % UM_COUNT(attributes)]);
}

/* A value, with a little something in it when it is a type. */
static struct um_crdt_value value_next(struct script *s, struct um_crdt_value *inner, struct um_crdt_entry *entry)
{
    static const uint8_t any[][4] = { { 127 }, { 116, 1, 7 }, { 125, 5 }, { 117, 1, 126 } };
    static const uint8_t any_len[] = { 1, 3, 2, 3 };
    struct um_crdt_value v = { .kind = (enum um_crdt_value_kind)(next(s) % 6) };
    uint8_t k = next(s);

    v.data = v.kind == UM_CRDT_V_JSON ? UM_SPAN_STR(jsons[k % UM_COUNT(jsons)])
             : v.kind == UM_CRDT_V_ANY ? UM_SPAN(any[k % 4], any_len[k % 4]) : UM_SPAN_STR(texts[k % UM_COUNT(texts)]);
    v.type = (enum um_crdt_kind)(k % 7);
    v.name = UM_SPAN_STR("p");
    if (v.kind != UM_CRDT_V_TYPE || (k & 64) == 0)
        return v;
    v.text = v.type == UM_CRDT_TEXT || v.type == UM_CRDT_XML_TEXT ? UM_SPAN_STR("in") : UM_SPAN(NULL, 0);
    if (v.type == UM_CRDT_ARRAY || v.type == UM_CRDT_XML_ELEMENT) {
        *inner = (struct um_crdt_value){ .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_TEXT, .text = UM_SPAN_STR("deep") };
        v.items = inner;
        v.n_items = 1;
    } else if (v.type == UM_CRDT_MAP || v.type == UM_CRDT_TEXT) {
        *entry = (struct um_crdt_entry){ UM_SPAN_STR("key"), { .kind = UM_CRDT_V_STRING, .data = UM_SPAN_STR("v") } };
        v.entries = entry;
        v.n_entries = 1;
    }
    return v;
}

static void nested_note(struct script *s, um_err err, const struct um_crdt_value *v)
{
    if (err == UM_OK && v->kind == UM_CRDT_V_TYPE)
        s->nested[s->n_nested++ % NESTED] = v->ref;
}

static struct um_crdt_type type_next(struct script *s, struct um_crdt *doc)
{
    struct um_crdt_type t = { 0 };
    uint8_t k = next(s);

    if (k >= 128 && s->n_nested > 0)
        return s->nested[k % UM_MIN(s->n_nested, NESTED)];
    UM_ASSERT(um_crdt_root_find(doc, UM_SPAN_STR(roots[k % ROOTS].name), &t) == UM_OK);
    return t;
}

static um_err value_op(struct script *s, struct um_crdt *doc, const struct um_crdt_type *t, uint8_t op, uint32_t at)
{
    struct um_crdt_value inner, v;
    struct um_crdt_entry entry;
    um_err err;

    v = value_next(s, &inner, &entry);
    if (op == 0)
        err = um_crdt_list_insert(doc, t, at, &v, 1);
    else if (op == 1)
        err = um_crdt_list_push(doc, t, &v, 1);
    else if (op == 2)
        err = um_crdt_map_set(doc, t, PICK(s, keys), &v);
    else
        err = um_crdt_text_embed(doc, t, at, &v, attributes_next(s));
    nested_note(s, err, &v);
    return err;
}

static um_err edit_next(struct script *s, struct um_crdt *doc)
{
    struct um_crdt_type t = type_next(s, doc);
    uint8_t op = next(s) % 11;
    uint32_t length = 0, at;

    (void)!um_crdt_length(doc, &t, &length);
    at = next(s) % (length + 1 + (length < 9));
    switch (op) {
    case 4: return um_crdt_list_delete(doc, &t, at, next(s) % 5);
    case 5: return um_crdt_map_delete(doc, &t, PICK(s, keys));
    case 6: return um_crdt_map_clear(doc, &t);
    case 7: return um_crdt_text_insert(doc, &t, at, pick(s, texts, UM_COUNT(texts) - !s->pairs), attributes_next(s));
    case 8: return um_crdt_text_format(doc, &t, at, next(s) % 9, attributes_next(s));
    case 9: return um_crdt_text_delete(doc, &t, at, next(s) % 9);
    case 10: return um_crdt_text_apply_delta(doc, &t, PICK(s, deltas));
    default: return value_op(s, doc, &t, op, at);
    }
}

/* ---- checks -------------------------------------------------------------------------------------------- */

static void check_type(const struct um_crdt *doc, uint32_t t)
{
    uint32_t sum = 0;
    bool marks = false;

    for (uint32_t i = doc->types.v[t].start; i != NONE; i = item_at(doc, i)->right) {
        sum += item_width(item_at(doc, i));
        marks |= item_is_mark(item_at(doc, i));
    }
    UM_ASSERT(sum == doc->types.v[t].length);
    UM_ASSERT(!marks || doc->types.v[t].marks);
    UM_ASSERT(posindex_is_sound(doc, t));
}

static void check_sound(const struct um_crdt *doc)
{
    bool *is_free = calloc(doc->types.n + 1, sizeof(*is_free));

    UM_ASSERT(is_free != NULL);
    for (uint32_t t = doc->free_type; t != NONE; t = doc->types.v[t].item)
        is_free[t] = true;
    for (uint32_t t = 0; t < doc->types.n; t++)
        if (!is_free[t])
            check_type(doc, t);
    free(is_free);
}

/* The same state in a document where keys have appeared in an order that depends on the state alone. */
static struct um_crdt *copy_of(const struct um_crdt *doc)
{
    struct um_crdt *copy = doc_new(false);
    struct um_buf state = state_of(doc, UM_SPAN(NULL, 0));

    UM_ASSERT(um_crdt_load(copy, span_of(&state), NULL) == UM_OK);
    um_buf_free(&state);
    return copy;
}

static void check_same(const struct script *s, const struct um_crdt *doc, const struct um_crdt *other)
{
    struct um_buf x = vector_of(doc), y = vector_of(other);
    struct um_crdt *a = copy_of(doc), *b = copy_of(other);

    UM_ASSERT(um_span_eq(span_of(&x), span_of(&y)));
    for (uint32_t i = 0; i < ROOTS && !s->pairs; i++) {
        um_buf_clear(&x);
        um_buf_clear(&y);
        UM_ASSERT(um_crdt_read_dump(a, UM_SPAN_STR(roots[i].name), &x) ==
                  um_crdt_read_dump(b, UM_SPAN_STR(roots[i].name), &y));
        UM_ASSERT(um_span_eq(span_of(&x), span_of(&y)));
    }
    um_crdt_free(a);
    um_crdt_free(b);
    um_buf_free(&x);
    um_buf_free(&y);
}

/* ---- the script ---------------------------------------------------------------------------------------- */

static void transaction(struct script *s, uint32_t author, uint8_t n)
{
    struct um_crdt *doc = s->docs[author];
    struct um_crdt_applied out;

    UM_ASSERT(um_crdt_begin(doc, 10 + author, NULL) == UM_OK);
    for (uint8_t i = 0; i < n; i++) {
        struct um_buf before = state_of(doc, UM_SPAN(NULL, 0)), after;

        if (edit_next(s, doc) != UM_OK) {
            after = state_of(doc, UM_SPAN(NULL, 0));
            UM_ASSERT(um_span_eq(span_of(&before), span_of(&after)));
            um_buf_free(&after);
        }
        um_buf_free(&before);
    }
    UM_ASSERT(um_crdt_commit(doc, &out) == UM_OK);
    tell(s, author, &out);
    check_sound(doc);
}

static void all_hear(struct script *s)
{
    bool news = true;

    for (int round = 0; news; round++) {
        UM_ASSERT(round < ROUNDS_MAX);
        news = false;
        for (uint32_t from = 0; from < AUTHORS; from++)
            for (uint32_t to = 0; to < AUTHORS; to++)
                news |= from != to && hear(s, from, to);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script s = { .p = data, .end = data + size };
    uint8_t flags = next(&s);

    s.pairs = (flags & 4) != 0;
    for (uint32_t i = 0; i < AUTHORS; i++)
        s.docs[i] = doc_new((flags & 1) == 0);
    s.mirror = doc_new(false);
    if ((flags & 2) != 0) {
        for (uint32_t i = 0; i < AUTHORS; i++)
            UM_ASSERT(um_crdt_apply(s.docs[i], UM_SPAN(odd, sizeof(odd)), NULL) == UM_OK);
        UM_ASSERT(um_crdt_apply(s.mirror, UM_SPAN(odd, sizeof(odd)), NULL) == UM_OK);
    }
    for (uint32_t n = 0; s.p < s.end && n < STEPS_MAX; n++) {
        uint8_t k = next(&s);

        if (k >= 192)
            hear(&s, k % AUTHORS, (k % AUTHORS + 1 + k / AUTHORS % (AUTHORS - 1)) % AUTHORS);
        else
            transaction(&s, k % AUTHORS, (uint8_t)(1 + k / AUTHORS % 4));
    }
    all_hear(&s);
    check_same(&s, s.docs[0], s.docs[1]);
    check_same(&s, s.docs[0], s.docs[2]);
    check_same(&s, s.docs[0], s.mirror);
    for (uint32_t i = 0; i < AUTHORS; i++) {
        check_sound(s.docs[i]);
        um_crdt_free(s.docs[i]);
    }
    um_crdt_free(s.mirror);
    return 0;
}
