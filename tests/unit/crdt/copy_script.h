/* Documents of all types made of bytes, as a script of edits: for tests and fuzz targets that need two documents. */
#ifndef CRDT_COPY_SCRIPT_H
#define CRDT_COPY_SCRIPT_H
#include <string.h>
#include <umbel/crdt_types.h>

#define SCRIPT_ROOTS 4
#define SCRIPT_NESTED 8
#define SCRIPT_EDITS 300
#define SCRIPT_TEXT(s, list) script_pick((s), (list), UM_COUNT(list))

static const struct script_root {
    const char *name;
    enum um_crdt_kind kind;
} script_roots[SCRIPT_ROOTS] = {
    { "t", UM_CRDT_TEXT }, { "a", UM_CRDT_ARRAY }, { "m", UM_CRDT_MAP }, { "x", UM_CRDT_XML_FRAGMENT }
};
#define SCRIPT_PAIRS 2                /* the last words: surrogate pairs. Torn ones may look torn in one replica only */
static const char *const script_words[] = {
    "a", "two words ", "\xc3\xa9", "a line\n", "x", " ", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81\xf0\x9f\x98\x80",
};
static const char *const script_attrs[] = {
    "{\"b\":true}", "{\"b\":null}", "{\"b\":{\"x\":1},\"i\":\"q\"}", "{\"i\":null,\"b\":false}", "{}", "{\"10\":1,\"2\":{\"y\":[1]}}",
};
static const char *const script_values[] = { "1", "\"s\"", "[1,{\"a\":-0}]", "null", "true", "{\"2\":1,\"1\":0.5}" };
static const char *const script_embeds[] = { "1", "{\"e\":1}", "[null]", "true" };
static const struct script_any {
    uint8_t len, bytes[10];
} script_anys[] = {
    { 1, { 127 } }, { 1, { 126 } }, { 3, { 116, 1, 7 } }, { 2, { 125, 5 } }, { 3, { 117, 1, 126 } }, { 5, { 124, 0x7f, 0xc0, 0, 0 } },
    { 9, { 122, 0, 0, 0, 0, 0, 0, 1, 0 } }, { 5, { 118, 1, 1, 'k', 127 } },
};

struct script {
    const uint8_t *p, *end;
    struct um_crdt *doc;
    bool pairs;
    struct um_crdt_type nested[SCRIPT_NESTED];
    uint32_t n_nested;
};

static inline uint8_t script_byte(struct script *s) { return s->p < s->end ? *s->p++ : 0; }

static inline struct um_span script_pick(struct script *s, const char *const *list, size_t n)
{
    const char *text = list[script_byte(s) % n];

    return UM_SPAN_STR(text);
}

static inline struct um_span script_word(struct script *s)
{
    return script_pick(s, script_words, UM_COUNT(script_words) - (s->pairs ? 0 : SCRIPT_PAIRS));
}

static inline struct um_crdt_type script_type(struct script *s)
{
    struct um_crdt_type t = { 0 };
    uint8_t k = script_byte(s);

    if (k >= 96 && s->n_nested > 0)
        return s->nested[k % UM_MIN(s->n_nested, SCRIPT_NESTED)];
    (void)!um_crdt_root_find(s->doc, UM_SPAN_STR(script_roots[k % SCRIPT_ROOTS].name), &t);
    return t;
}

static inline struct um_crdt_value script_value(struct script *s)
{
    static const char *const names[] = { "p", "heading", "li" };
    struct um_crdt_value v = { .kind = (enum um_crdt_value_kind)(script_byte(s) % 8) };
    const struct script_any *any;

    if (v.kind > UM_CRDT_V_DOC)
        v.kind = UM_CRDT_V_TYPE;
    switch (v.kind) {
    case UM_CRDT_V_TYPE:
        v.type = (enum um_crdt_kind)(script_byte(s) % 7);
        v.name = SCRIPT_TEXT(s, names);
        break;
    case UM_CRDT_V_JSON:
        v.data = SCRIPT_TEXT(s, script_values);
        break;
    case UM_CRDT_V_ANY:
        any = &script_anys[script_byte(s) % UM_COUNT(script_anys)];
        v.data = UM_SPAN(any->bytes, any->len);
        break;
    default:
        v.data = script_word(s);
    }
    return v;
}

static inline um_err script_insert(struct script *s, uint8_t op, uint32_t at)
{
    static const char *const keys[] = { "k", "b", "10", "" };
    struct um_crdt_type t = script_type(s);
    struct um_crdt_value v = script_value(s);
    uint32_t length = 0;
    um_err err;

    (void)!um_crdt_length(s->doc, &t, &length);
    at %= length + 1;
    if (op == 0)
        err = um_crdt_list_insert(s->doc, &t, at, &v, 1);
    else if (op == 1)
        err = um_crdt_map_set(s->doc, &t, SCRIPT_TEXT(s, keys), &v);
    else {
        if (v.kind != UM_CRDT_V_TYPE)
            v = (struct um_crdt_value){ .kind = UM_CRDT_V_JSON, .data = SCRIPT_TEXT(s, script_embeds) };
        err = um_crdt_text_embed(s->doc, &t, at, &v, SCRIPT_TEXT(s, script_attrs));
    }
    if (err == UM_OK && v.kind == UM_CRDT_V_TYPE)
        s->nested[s->n_nested++ % SCRIPT_NESTED] = v.ref;
    return err;
}

static inline um_err script_change(struct script *s, uint8_t op, uint32_t at)
{
    struct um_crdt_type t = script_type(s);
    uint32_t length = 0, n = script_byte(s) % 12;
    struct um_span attrs;

    (void)!um_crdt_length(s->doc, &t, &length);
    at %= length + 1;
    n = UM_MIN(n, length - at);
    attrs = SCRIPT_TEXT(s, script_attrs);
    switch (op) {
    case 0: return um_crdt_list_delete(s->doc, &t, at, n % 4);
    case 1: return um_crdt_text_delete(s->doc, &t, at, n);
    case 2: return um_crdt_text_format(s->doc, &t, at, n, attrs);
    case 3: return um_crdt_map_delete(s->doc, &t, UM_SPAN_STR("k"));
    default: return um_crdt_text_insert(s->doc, &t, at, script_word(s),
                                        n % 2 == 0 ? attrs : UM_SPAN(NULL, 0));
    }
}

/* Edits DOC as CLIENT, in one transaction. */
static inline void script_run(struct um_crdt *doc, uint64_t client, bool pairs, const uint8_t *data, size_t size)
{
    struct script s = { .p = data, .end = data + size, .doc = doc, .pairs = pairs };

    UM_ASSERT(um_crdt_begin(doc, client, NULL) == UM_OK);
    for (int n = 0; s.p < s.end && n < SCRIPT_EDITS; n++) {
        uint8_t op = script_byte(&s) % 12, at = script_byte(&s);

        if (op < 5)
            (void)!script_insert(&s, op % 3, at);
        else
            (void)!script_change(&s, (uint8_t)(op - 5), at);
    }
    UM_ASSERT(um_crdt_commit(doc, NULL) == UM_OK);
}

static inline struct um_crdt *script_doc(const struct um_crdt_conf *conf)
{
    struct um_crdt *doc;

    UM_ASSERT(um_crdt_new(conf, &doc) == UM_OK);
    for (int i = 0; i < SCRIPT_ROOTS; i++)
        UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR(script_roots[i].name), script_roots[i].kind) == UM_OK);
    return doc;
}

static inline void script_copy(const struct um_crdt *from, struct um_crdt *to)
{
    struct um_buf b = { 0 };

    UM_ASSERT(um_crdt_encode(from, UM_SPAN(NULL, 0), &b) == UM_OK);
    UM_ASSERT(um_crdt_load(to, UM_SPAN(b.data, b.len), NULL) == UM_OK);
    um_buf_free(&b);
}

#endif
