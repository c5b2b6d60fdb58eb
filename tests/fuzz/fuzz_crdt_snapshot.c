/* Snapshots and relative positions. First byte even: any bytes as a snapshot, a position, its JSON, and updates,
 * each behind its length in two bytes: nothing crashes, nothing changes the document, forms lead back to themselves.
 * Odd: the bytes are a script of honest edits on two replicas that keep everything; at one moment a snapshot is
 * taken, and in the end it must restore and show what was there. */
#include <stdlib.h>
#include <umbel/crdt_position.h>
#include <umbel/crdt_snapshot.h>
#include "doc.h"                      /* the script places its edits by the physical list */

#define OPS_MAX   200
#define UNITS_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

static struct um_crdt *doc_new(bool gc)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.gc = gc;
    cf.cleanup = false;
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT) == UM_OK);
    UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP) == UM_OK);
    UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR("x"), UM_CRDT_XML_FRAGMENT) == UM_OK);
    return doc;
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    UM_ASSERT(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b) == UM_OK);
    return b;
}

/* ---- any bytes ----------------------------------------------------------------------------------------- */

static struct um_span take(const uint8_t **p, const uint8_t *end)
{
    size_t len = 0;
    struct um_span s;

    if (end - *p >= 2) {
        len = (size_t)(*p)[0] << 8 | (*p)[1];
        *p += 2;
    }
    s = UM_SPAN(*p, UM_MIN(len, (size_t)(end - *p)));
    *p += s.len;
    return s;
}

static void check_position(const struct um_crdt *doc, const struct um_crdt_position *pos)
{
    struct um_buf bytes = { 0 }, json = { 0 }, name = { 0 };
    struct um_crdt_position again;
    struct um_crdt_type type;
    uint32_t index;

    UM_ASSERT(um_crdt_position_encode(pos, &bytes) == UM_OK && um_crdt_position_decode(span_of(&bytes),
                                                                                       &again) == UM_OK);
    UM_ASSERT(um_crdt_position_to_json(pos, &json) == UM_OK);
    UM_ASSERT(um_crdt_position_from_json(span_of(&json), &name, &again) == UM_OK && um_crdt_position_equal(pos,
                                                                                                           &again));
    if (um_crdt_position_resolve(doc, pos, &type, &index) == UM_OK) {
        um_err err = um_crdt_position_make(doc, &type, index, pos->assoc, &again);

        UM_ASSERT(err == UM_OK && (!again.has_item || um_crdt_position_resolve(doc, &again, &type,
                                                                               &index) == UM_OK));
    }
    um_buf_free(&bytes);
    um_buf_free(&json);
    um_buf_free(&name);
}

static void check_positions(const struct um_crdt *doc, struct um_span bytes, struct um_span json)
{
    struct um_crdt_position pos;
    struct um_buf name = { 0 };

    if (um_crdt_position_decode(bytes, &pos) == UM_OK)
        check_position(doc, &pos);
    if (um_crdt_position_from_json(json, &name, &pos) == UM_OK)
        check_position(doc, &pos);
    um_buf_free(&name);
}

static void check_views(const struct um_crdt *doc, struct um_span snapshot, struct um_span present)
{
    struct um_buf out = { 0 };

    for (uint32_t i = 0; i < 3; i++) {
        const struct um_crdt_type *type = &(struct um_crdt_type){ .root = i + 1 };

        (void)!um_crdt_read_dump_at(doc, type, snapshot, &out);
        (void)!um_crdt_read_json_at(doc, type, snapshot, UM_CRDT_PLAIN, &out);
        (void)!um_crdt_read_list_at(doc, type, snapshot, UM_CRDT_TAGGED, &out);
        (void)!um_crdt_read_entry_at(doc, type, UM_SPAN_STR("k"), snapshot, UM_CRDT_TAGGED, &out);
        (void)!um_crdt_read_delta_at(doc, type, &snapshot, &present, (i & 1) != 0, UM_CRDT_TAGGED, &out);
        (void)!um_crdt_read_delta_at(doc, type, &present, &snapshot, (i & 1) == 0, UM_CRDT_TAGGED, &out);
        um_buf_clear(&out);
    }
    um_buf_free(&out);
}

static bool is_equal(struct um_span a, struct um_span b)
{
    bool same;

    return um_crdt_snapshot_equal(NULL, a, b, &same) == UM_OK && same;
}

static bool deletes_too(const struct um_crdt *doc, const struct um_crdt *old)
{
    struct um_buf a = { 0 }, b = { 0 };
    bool yes;

    UM_ASSERT(um_crdt_ds(doc, &a) == UM_OK && um_crdt_ds(old, &b) == UM_OK);
    UM_ASSERT(um_crdt_ds_includes(NULL, span_of(&b), span_of(&a), &yes) == UM_OK);
    um_buf_free(&a);
    um_buf_free(&b);
    return yes;
}

/* What restores is a valid update; the present restores to itself. Where a key's value was a run of several units, and
 * was cut before a newer one came, only its last part was deleted, here and in stock documents; a copy deletes all. */
static void check_restoring(const struct um_crdt *doc, struct um_span snapshot, struct um_span present)
{
    struct um_buf update = { 0 }, again = { 0 };
    struct um_crdt *old;

    if (um_crdt_snapshot_update(doc, snapshot, &update) == UM_OK)
        UM_ASSERT(um_crdt_validate(NULL, span_of(&update), NULL) == UM_OK);
    UM_ASSERT(um_crdt_from_snapshot(doc, present, NULL, &old) == UM_OK);
    UM_ASSERT(um_crdt_snapshot(old, 1, &again) == UM_OK);
    UM_ASSERT(is_equal(span_of(&again), present) || deletes_too(doc, old));
    um_crdt_free(old);
    um_buf_free(&update);
    um_buf_free(&again);
}

static void run_bytes(const uint8_t *p, const uint8_t *end)
{
    struct um_span snapshot = take(&p, end), position = take(&p, end), json = take(&p, end);
    struct um_crdt *doc = doc_new(false);
    struct um_buf before, after, present = { 0 }, v1 = { 0 };
    bool yes;

    while (end - p >= 2)
        (void)!um_crdt_apply(doc, take(&p, end), NULL);
    before = state_of(doc);
    UM_ASSERT(um_crdt_snapshot(doc, 1, &present) == UM_OK);
    if (um_crdt_snapshot_from_v2(NULL, snapshot, &v1) == UM_OK)
        UM_ASSERT(um_crdt_snapshot_validate(NULL, span_of(&v1)) == UM_OK);
    (void)!um_crdt_snapshot_contains_update(NULL, snapshot, span_of(&before), &yes);
    (void)!um_crdt_ds_includes(NULL, snapshot, span_of(&present), &yes);
    if (um_crdt_snapshot_validate(NULL, snapshot) == UM_OK)
        UM_ASSERT(is_equal(snapshot, snapshot));
    check_positions(doc, position, json);
    check_views(doc, snapshot, span_of(&present));
    check_restoring(doc, snapshot, span_of(&present));
    after = state_of(doc);
    UM_ASSERT(um_span_eq(span_of(&before), span_of(&after)));
    um_buf_free(&before);
    um_buf_free(&after);
    um_buf_free(&present);
    um_buf_free(&v1);
    um_crdt_free(doc);
}

/* ---- a script of edits --------------------------------------------------------------------------------- */

struct script {
    struct um_crdt *docs[2];
    struct um_buf snapshot, dumps[3];
    struct id units[UNITS_MAX];       /* of the text, tombstones included */
    uint32_t n;
};

static void units_list(struct script *s, const struct um_crdt *doc)
{
    uint32_t t = root_find(doc, UM_SPAN_STR("t"));

    s->n = 0;
    for (uint32_t i = doc->types.v[t].start; i != NONE; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        for (uint32_t u = 0; u < it->len && s->n < UNITS_MAX; u++)
            s->units[s->n++] = (struct id){ doc->clients.v[it->client].id, it->clock + u };
    }
}

static void put_id(struct um_buf *b, struct id id)
{
    um_buf_put_varuint(b, id.client);
    um_buf_put_varuint(b, id.clock);
}

static void put_head(struct um_buf *b, const struct um_crdt *doc, uint64_t client)
{
    uint32_t k = client_find(doc, client);

    um_buf_put(b, "\1\1", 2);
    put_id(b, (struct id){ client, k == NONE ? 0 : doc->clients.v[k].state });
}

static void put_content(struct um_buf *b, uint8_t kind, uint8_t v)
{
    /* no surrogate pairs: a later cut within one changes the past, in yjs too */
    static const char *const texts[] = { "\3abc", "\1z", "\5x\xe2\x82\xacy", "\2\xc3\xa9" };

    if (kind == KIND_STRING) {
        um_buf_puts(b, texts[v % 4]);
    } else if (kind == KIND_FORMAT) {
        um_buf_put(b, "\1", 1);
        um_buf_put_u8(b, (uint8_t)('b' + v % 2));
        um_buf_puts(b, v % 3 == 0 ? "\4null" : "\0011");
    } else {
        um_buf_puts(b, "\2{}");
    }
}

/* Between units AT-1 and AT. */
static void edit_insert(struct script *s, struct um_crdt *doc, uint64_t client, uint8_t where, uint8_t v)
{
    static const uint8_t kinds[] = { KIND_STRING, KIND_STRING, KIND_FORMAT, KIND_EMBED };
    uint8_t kind = kinds[v >> 6];
    struct um_buf b = { 0 };
    uint32_t at;

    units_list(s, doc);
    at = where % (s->n + 1);
    put_head(&b, doc, client);
    um_buf_put_u8(&b, (uint8_t)(kind | (at > 0 ? INFO_ORIGIN : 0) | (at < s->n ? INFO_RIGHT : 0)));
    if (at > 0)
        put_id(&b, s->units[at - 1]);
    if (at < s->n)
        put_id(&b, s->units[at]);
    if (s->n == 0)
        um_buf_put(&b, "\1\1t", 3);
    put_content(&b, kind, v & 0x3f);
    um_buf_put_u8(&b, 0);
    UM_ASSERT(um_crdt_apply(doc, span_of(&b), NULL) == UM_OK);
    um_buf_free(&b);
}

static void edit_delete(struct script *s, struct um_crdt *doc, uint8_t where)
{
    struct um_buf b = { 0 };

    units_list(s, doc);
    if (s->n == 0)
        return;
    um_buf_put(&b, "\0\1", 2);
    um_buf_put_varuint(&b, s->units[where % s->n].client);
    um_buf_put_u8(&b, 1);
    um_buf_put_varuint(&b, s->units[where % s->n].clock);
    um_buf_put_u8(&b, 1);
    UM_ASSERT(um_crdt_apply(doc, span_of(&b), NULL) == UM_OK);
    um_buf_free(&b);
}

static void edit_set(struct um_crdt *doc, uint64_t client, uint8_t v)
{
    char key[2] = { (char)('k' + v % 3), '\0' };
    uint32_t name = name_find(doc, UM_SPAN_STR(key)), t = root_find(doc, UM_SPAN_STR("m")), tail = NONE, slot;
    struct um_buf b = { 0 };

    if (name != NONE && (slot = slot_find(doc, t, name)) != NONE)
        tail = doc->slots.v[slot].tail;
    put_head(&b, doc, client);
    um_buf_put_u8(&b, (uint8_t)(KIND_ANY | INFO_KEY | (tail != NONE ? INFO_ORIGIN : 0)));
    if (tail != NONE) {
        const struct item *it = item_at(doc, tail);

        put_id(&b, (struct id){ doc->clients.v[it->client].id, it->clock + it->len - 1 });
    } else {
        um_buf_put(&b, "\1\1m\1", 4);
        um_buf_puts(&b, key);
    }
    um_buf_put(&b, "\1\x7d", 2);
    um_buf_put_u8(&b, v & 0x3f);
    um_buf_put_u8(&b, 0);
    UM_ASSERT(um_crdt_apply(doc, span_of(&b), NULL) == UM_OK);
    um_buf_free(&b);
}

static void edit_sync(struct script *s)
{
    for (int i = 0; i < 2; i++) {
        struct um_buf state = state_of(s->docs[i]);

        UM_ASSERT(um_crdt_apply(s->docs[1 - i], span_of(&state), NULL) == UM_OK);
        um_buf_free(&state);
    }
}

static void moment_note(struct script *s)
{
    static const char *const names[] = { "t", "m", "x" };

    um_buf_clear(&s->snapshot);
    UM_ASSERT(um_crdt_snapshot(s->docs[0], 1, &s->snapshot) == UM_OK);
    for (int i = 0; i < 3; i++) {
        um_buf_clear(&s->dumps[i]);
        UM_ASSERT(um_crdt_read_dump(s->docs[0], UM_SPAN_STR(names[i]), &s->dumps[i]) == UM_OK);
    }
}

static void moment_check(struct script *s)
{
    static const char *const names[] = { "t", "m", "x" };
    struct um_buf got = { 0 }, again = { 0 };
    struct um_crdt_conf cf;
    struct um_crdt *old;

    um_crdt_conf_init(&cf);
    cf.cleanup = false;
    UM_ASSERT(um_crdt_from_snapshot(s->docs[0], span_of(&s->snapshot), &cf, &old) == UM_OK);
    UM_ASSERT(um_crdt_snapshot(old, 1, &again) == UM_OK && um_span_eq(span_of(&again), span_of(&s->snapshot)));
    for (uint32_t i = 0; i < 3; i++) {
        enum um_crdt_kind kinds[] = { UM_CRDT_TEXT, UM_CRDT_MAP, UM_CRDT_XML_FRAGMENT };

        UM_ASSERT(um_crdt_declare_root(old, UM_SPAN_STR(names[i]), kinds[i]) == UM_OK);
        um_buf_clear(&got);
        UM_ASSERT(um_crdt_read_dump(old, UM_SPAN_STR(names[i]), &got) == UM_OK);
        /* a map's keys may be in another order */
        UM_ASSERT(i == 1 || um_span_eq(span_of(&got), span_of(&s->dumps[i])));
        um_buf_clear(&got);
        UM_ASSERT(um_crdt_read_dump_at(s->docs[0], &(struct um_crdt_type){ .root = i + 1 }, span_of(&s->snapshot),
                                       &got) == UM_OK);
        UM_ASSERT(um_span_eq(span_of(&got), span_of(&s->dumps[i])));
    }
    um_crdt_free(old);
    um_buf_free(&got);
    um_buf_free(&again);
}

static void run_script(const uint8_t *p, size_t size)
{
    struct script *s = calloc(1, sizeof(*s));
    size_t n = UM_MIN(size / 3, OPS_MAX), moment = n == 0 ? 0 : p[0] % n;

    UM_ASSERT(s != NULL);
    s->docs[0] = doc_new(false);
    s->docs[1] = doc_new(false);
    for (size_t i = 0; i < n; i++, p += 3) {
        struct um_crdt *doc = s->docs[p[0] & 1];
        uint64_t client = 1 + (p[0] & 1) + 10 * (uint64_t)(p[0] >> 1 & 1);

        if (i == moment)
            moment_note(s);
        switch (p[0] >> 2 & 7) {
        case 0: case 1: case 2: case 3: edit_insert(s, doc, client, p[1], p[2]); break;
        case 4: case 5:                 edit_delete(s, doc, p[1]); break;
        case 6:                         edit_set(doc, client, p[2]); break;
        default:                        edit_sync(s);
        }
    }
    if (n > 0)
        moment_check(s);
    um_crdt_free(s->docs[0]);
    um_crdt_free(s->docs[1]);
    um_buf_free(&s->snapshot);
    for (int i = 0; i < 3; i++)
        um_buf_free(&s->dumps[i]);
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && (data[0] & 1) != 0)
        run_script(data + 1, size - 1);
    else if (size > 0)
        run_bytes(data + 1, data + size);
    return 0;
}
