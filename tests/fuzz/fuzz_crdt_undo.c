/* Undo managers under a script of edits: one document with two managers (all of it; its text), another without. Both
 * edit, hear of one another late, and the first takes back and does again. In the end both are equal, what the first
 * told is valid, and its state makes a third. Input: four bytes per step. */
#include <string.h>
#include <umbel/crdt_undo.h>

#define STEPS_MAX 400
#define ME   5u
#define PEER 7u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct session {
    struct um_crdt *docs[2];
    struct um_crdt_undo *undo[2];
    uint64_t now;
};

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }
static uint64_t session_now(void *arg) { return ((struct session *)arg)->now; }

static struct um_crdt *doc_new(bool gc)
{
    static const enum um_crdt_kind kinds[] = { UM_CRDT_TEXT, UM_CRDT_MAP, UM_CRDT_ARRAY };
    static const char *const names[] = { "t", "m", "a" };
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.gc = gc;
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    for (size_t i = 0; i < UM_COUNT(kinds); i++)
        UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR(names[i]), kinds[i]) == UM_OK);
    return doc;
}

/* A root, or a type that is found below it. */
static struct um_crdt_type place_of(struct um_crdt *doc, uint8_t where)
{
    struct um_crdt_type type = { .root = 1 + where % 3 };
    struct um_crdt_value v;

    for (int depth = 0; depth < 3 && (where & 0x80) != 0; depth++, where = (uint8_t)(where << 1)) {
        um_err err = type.root == 2 ? um_crdt_map_get(doc, &type, UM_SPAN_STR("k"), &v) : um_crdt_get(doc, &type,
                                                                                                      0, &v);

        if (err != UM_OK || v.kind != UM_CRDT_V_TYPE)
            break;
        type = v.ref;
    }
    return type;
}

/* No surrogate pairs: an edit that looks within one and changes nothing cuts it for its own replica only, in yjs
 * too. */
static void text_edit(struct um_crdt *doc, const struct um_crdt_type *t, uint32_t at, uint8_t v)
{
    struct um_crdt_value embed = { .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR("{}") };
    uint32_t n;

    if (um_crdt_length(doc, t, &n) != UM_OK)
        return;
    at %= n + 1;
    if (v % 8 < 4)
        (void)!um_crdt_text_insert(doc, t, at, UM_SPAN_STR("ab\xe2\x82\xac"), UM_SPAN(NULL, 0));
    else if (v % 8 < 6)
        (void)!um_crdt_text_delete(doc, t, at, v >> 4);
    else if (v % 8 == 6)
        (void)!um_crdt_text_format(doc, t, at, UM_MIN(v >> 4, n - at),
                                   UM_SPAN_STR((v & 8) != 0 ? "{\"b\":1}" : "{\"b\":null}"));
    else
        (void)!um_crdt_text_embed(doc, t, at, &embed, UM_SPAN(NULL, 0));
}

static struct um_crdt_value value_of(uint8_t v)
{
    static const enum um_crdt_kind kinds[] = { UM_CRDT_TEXT, UM_CRDT_MAP, UM_CRDT_ARRAY };

    if (v % 4 < 2)
        return (struct um_crdt_value){ .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR("[1,\"x\"]") };
    return (struct um_crdt_value){ .kind = UM_CRDT_V_TYPE, .type = kinds[v / 4 % 3] };
}

/* One edit, whatever fits the place; what does not fit is refused. */
static void edit(struct um_crdt *doc, uint8_t where, uint8_t at, uint8_t v)
{
    struct um_crdt_type t = place_of(doc, where);
    struct um_crdt_value value = value_of(v);
    enum um_crdt_kind kind;
    uint32_t n;

    if (um_crdt_type_kind(doc, &t, &kind) != UM_OK)
        return;
    if (kind == UM_CRDT_TEXT) {
        text_edit(doc, &t, at, v);
    } else if (kind == UM_CRDT_MAP) {
        if (v >> 6 == 0)
            (void)!um_crdt_map_delete(doc, &t, UM_SPAN_STR(at % 2 == 0 ? "k" : "l"));
        else
            (void)!um_crdt_map_set(doc, &t, UM_SPAN_STR(at % 2 == 0 ? "k" : "l"), &value);
    } else if (um_crdt_length(doc, &t, &n) == UM_OK) {
        if (v >> 6 == 0 && n > 0)
            (void)!um_crdt_list_delete(doc, &t, at % n, 1);
        else
            (void)!um_crdt_list_insert(doc, &t, at % (n + 1), &value, 1);
    }
}

static void edits(struct session *s, int who, const uint8_t *p)
{
    UM_ASSERT(um_crdt_begin(s->docs[who], who == 0 ? ME : PEER, NULL) == UM_OK);
    edit(s->docs[who], p[1], p[2], p[3]);
    if ((p[0] & 0x80) != 0)
        edit(s->docs[who], (uint8_t)(p[1] >> 1), p[3], p[2]);
    UM_ASSERT(um_crdt_commit(s->docs[who], NULL) == UM_OK);
}

static void deliver(struct session *s, int from)
{
    struct um_buf sv = { 0 }, update = { 0 };

    UM_ASSERT(um_crdt_state_vector(s->docs[1 - from], &sv) == UM_OK);
    UM_ASSERT(um_crdt_encode(s->docs[from], span_of(&sv), &update) == UM_OK);
    UM_ASSERT(um_crdt_apply(s->docs[1 - from], span_of(&update), NULL) == UM_OK);
    um_buf_free(&sv);
    um_buf_free(&update);
}

static void take_back(struct session *s, struct um_crdt_undo *undo, bool redo)
{
    uint32_t steps = redo ? um_crdt_redo_steps(undo) : um_crdt_undo_steps(undo);
    struct um_crdt_applied out;
    bool done;

    UM_ASSERT((redo ? um_crdt_redo(undo, ME, &done, &out) : um_crdt_undo(undo, ME, &done, &out)) == UM_OK);
    UM_ASSERT(!done || steps > 0);
    if (out.changed)
        UM_ASSERT(um_crdt_validate(NULL, out.event, NULL) == UM_OK);
    (void)s;
}

static void check_equal(struct um_crdt *a, struct um_crdt *b)
{
    static const char *const names[] = { "t", "a" };      /* a map's keys may stand in another order */
    struct um_buf x = { 0 }, y = { 0 };

    UM_ASSERT(um_crdt_state_vector(a, &x) == UM_OK && um_crdt_state_vector(b, &y) == UM_OK);
    UM_ASSERT(um_span_eq(span_of(&x), span_of(&y)));
    for (size_t i = 0; i < UM_COUNT(names); i++) {
        um_buf_clear(&x);
        um_buf_clear(&y);
        UM_ASSERT(um_crdt_read_json(a, UM_SPAN_STR(names[i]), UM_CRDT_TAGGED, &x) == UM_OK);
        UM_ASSERT(um_crdt_read_json(b, UM_SPAN_STR(names[i]), UM_CRDT_TAGGED, &y) == UM_OK);
        UM_ASSERT(x.len == y.len && (i > 0 || um_span_eq(span_of(&x), span_of(&y))));
    }
    um_buf_free(&x);
    um_buf_free(&y);
}

static void finish(struct session *s, bool gc)
{
    struct um_crdt *third = doc_new(gc);
    struct um_buf state = { 0 };

    for (int i = 0; i < 3; i++) {             /* the clean-up of marks may answer */
        deliver(s, 0);
        deliver(s, 1);
    }
    check_equal(s->docs[0], s->docs[1]);
    UM_ASSERT(um_crdt_encode(s->docs[0], UM_SPAN(NULL, 0), &state) == UM_OK);
    UM_ASSERT(um_crdt_apply(third, span_of(&state), NULL) == UM_OK);
    check_equal(s->docs[0], third);
    um_buf_free(&state);
    um_crdt_free(third);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool gc = size == 0 || (data[0] & 1) == 0;
    struct session s = { .docs = { doc_new(gc), doc_new(gc) } };
    struct um_crdt_undo_conf cf;

    um_crdt_undo_conf_init(&cf);
    cf.now_ms = session_now;
    cf.arg = &s;
    cf.max_steps = 8;
    cf.ignore_remote_map_changes = size > 0 && (data[0] & 2) != 0;
    UM_ASSERT(um_crdt_undo_new(s.docs[0], &cf, &s.undo[0]) == UM_OK);
    UM_ASSERT(um_crdt_undo_new(s.docs[0], &cf, &s.undo[1]) == UM_OK);
    UM_ASSERT(um_crdt_undo_scope(s.undo[1], &(struct um_crdt_type){ .root = 1 }) == UM_OK);
    for (size_t i = 1, n = 0; i + 4 <= size && n < STEPS_MAX; i += 4, n++) {
        const uint8_t *p = data + i;

        s.now += p[2] * 4u;
        switch (p[0] & 15) {
        case 0: case 1: case 2: case 3: case 4: edits(&s, 0, p); break;
        case 5: case 6: case 7:                 edits(&s, 1, p); break;
        case 8: case 9:                         deliver(&s, p[1] & 1); break;
        case 10: case 11: case 12:              take_back(&s, s.undo[p[1] % 4 == 3], false); break;
        case 13: case 14:                       take_back(&s, s.undo[p[1] % 4 == 3], true); break;
        default:
            um_crdt_undo_stop_capturing(s.undo[p[1] & 1]);
            if (p[1] > 240)
                UM_ASSERT(um_crdt_undo_clear(s.undo[p[1] & 1], (p[2] & 1) != 0, (p[2] & 2) != 0) == UM_OK);
        }
    }
    finish(&s, gc);
    um_crdt_undo_free(s.undo[0]);
    um_crdt_undo_free(s.undo[1]);
    um_crdt_free(s.docs[0]);
    um_crdt_free(s.docs[1]);
    return 0;
}
