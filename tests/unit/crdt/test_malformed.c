/* Hostile input and missing memory, for everything that decodes: what is refused is refused for the named reason, and
 * the document is as it was. */
#include "lib0.h"
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_inspect.h>
#include <umbel/crdt_position.h>
#include <umbel/crdt_snapshot.h>
#include <umbel/crdt_v2.h>

/* ---- memory that runs out: linked with --wrap=realloc ----------------------------------------------------- */

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
static unsigned countdown;                /* 1: the next allocation fails */

void *__wrap_realloc(void *p, size_t size)
{
    if (countdown > 0 && --countdown == 0)
        return NULL;
    return __real_realloc(p, size);
}

/* ---- what is asked ---------------------------------------------------------------------------------------- */

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

typedef um_err call_fn(struct um_crdt *doc, struct um_span in, struct um_buf *out);

static const struct um_span another = { (const uint8_t *)"\1\1\1\0\4\1\1t\1z\0", 11 };
static const struct um_span one_of_client_1 = { (const uint8_t *)"\1\1\1", 3 };

static void meta_ignore(void *arg, uint64_t client, uint32_t from, uint32_t to)
{
    (void)client;
    (void)from;
    *(uint32_t *)arg += to;
}

static um_err content_show(void *arg, const struct um_crdt_seen *seen)
{
    um_buf_clear(arg);
    return seen->kind == UM_CRDT_SEEN_RANGE ? UM_OK : um_crdt_seen_content(seen, UM_CRDT_PLAIN, arg);
}

static um_err apply(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_applied a;

    (void)out;
    return um_crdt_apply(doc, in, &a);
}
static um_err validate(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_update_stats stats;

    (void)doc;
    (void)out;
    return um_crdt_validate(NULL, in, &stats);
}
static um_err verify(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_fault fault;

    (void)doc;
    (void)out;
    return um_crdt_verify(NULL, in, &fault);
}
static um_err merge(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_span all[3] = { in, another, in };

    (void)doc;
    return um_crdt_merge(NULL, all, 3, out);
}
static um_err diff(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_diff(NULL, in, one_of_client_1, out);
}
static um_err sv_of_update(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_sv_of_update(NULL, in, out);
}
static um_err meta(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    uint32_t sum = 0;

    (void)doc;
    (void)out;
    return um_crdt_update_meta(NULL, in, meta_ignore, &sum);
}
static um_err contains(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    bool known;

    (void)out;
    return um_crdt_contains(doc, in, &known);
}
static um_err inspect(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_inspect(NULL, in, content_show, out);
}
static um_err to_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_v1_to_v2(NULL, in, out);
}
static um_err ds_of_update(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_span ds;

    (void)doc;
    (void)out;
    return um_crdt_ds_of_update(NULL, in, &ds);
}
static um_err snapshot_has_update(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    bool has;

    (void)doc;
    (void)out;
    return um_crdt_snapshot_contains_update(NULL, UM_SPAN("\0\1\1\5", 4), in, &has);
}

static um_err apply_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_applied a;

    (void)out;
    return um_crdt_apply_v2(doc, in, &a);
}
static um_err validate_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_update_stats stats;

    (void)doc;
    (void)out;
    return um_crdt_validate_v2(NULL, in, &stats);
}
static um_err to_v1(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_v2_to_v1(NULL, in, out);
}
static um_err merge_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_span all[2] = { in, in };

    (void)doc;
    return um_crdt_merge_v2(NULL, all, 2, out);
}
static um_err copy_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_merge_v2(NULL, &in, 1, out);
}
static um_err diff_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_diff_v2(NULL, in, one_of_client_1, out);
}
static um_err sv_of_update_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_sv_of_update_v2(NULL, in, out);
}
static um_err meta_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    uint32_t sum = 0;

    (void)doc;
    (void)out;
    return um_crdt_update_meta_v2(NULL, in, meta_ignore, &sum);
}

static um_err snapshot_validate(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    (void)out;
    return um_crdt_snapshot_validate(NULL, in);
}
static um_err snapshot_equal(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    bool equal;
    um_err err;

    if ((err = um_crdt_snapshot(doc, 1, out)) != UM_OK)
        return err;
    if ((err = um_crdt_snapshot_equal(NULL, buf_span(out), in, &equal)) != UM_OK)
        return err;
    return um_crdt_snapshot_equal(NULL, in, in, &equal);
}
static um_err snapshot_update(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    um_err err = um_crdt_snapshot_update(doc, in, out);

    return err == UM_EINVAL ? UM_OK : err;        /* it may know more than the document */
}
static um_err snapshot_restore(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt *copy = NULL;
    um_err err = um_crdt_from_snapshot(doc, in, NULL, &copy);

    (void)out;
    if (err == UM_OK)
        um_crdt_free(copy);
    return err == UM_EINVAL ? UM_OK : err;
}
static um_err snapshot_delta(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_type t;
    struct um_span before = UM_SPAN("\0\0", 2);
    um_err err = um_crdt_root_find(doc, UM_SPAN_STR("t"), &t);

    return err != UM_OK ? err : um_crdt_read_delta_at(doc, &t, &in, &before, true, UM_CRDT_PLAIN, out);
}
static um_err snapshot_dump(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_type t;
    um_err err = um_crdt_root_find(doc, UM_SPAN_STR("t"), &t);

    return err != UM_OK ? err : um_crdt_read_dump_at(doc, &t, in, out);
}

static um_err snapshot_to_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_snapshot_to_v2(NULL, in, out);
}
static um_err snapshot_from_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    return um_crdt_snapshot_from_v2(NULL, in, out);
}

static um_err ds_merge(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_span sets[2] = { in, UM_SPAN("\1\1\1\0\1", 5) };

    (void)doc;
    return um_crdt_ds_merge(NULL, sets, 2, out);
}
static um_err ds_equal(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    bool equal;
    um_err err = um_crdt_ds(doc, out);

    return err != UM_OK ? err : um_crdt_ds_equal(NULL, buf_span(out), in, &equal);
}
static um_err ds_has(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    bool has;

    (void)doc;
    (void)out;
    return um_crdt_ds_has(NULL, in, 1, 3, &has);
}
static um_err ds_includes(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    bool has;
    um_err err = um_crdt_ds(doc, out);

    return err != UM_OK ? err : um_crdt_ds_includes(NULL, in, buf_span(out), &has);
}

static um_err sv_encode(struct um_crdt *doc, struct um_span in, struct um_buf *out) { return um_crdt_encode(doc, in, out); }
static um_err sv_encode_v2(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    return um_crdt_encode_v2(doc, in, out);
}
static um_err sv_validate(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)doc;
    (void)out;
    return um_crdt_sv_validate(NULL, in);
}
static um_err sv_get(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    uint64_t clock;

    (void)doc;
    (void)out;
    return um_crdt_sv_get(in, 1, &clock);
}
static um_err piece_ignore(void *arg, struct um_span piece)
{
    (void)arg;
    return piece.len > 0 ? UM_OK : UM_EINVAL;
}
static um_err sv_pieces(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    (void)out;
    return um_crdt_encode_pieces(doc, in, 10, piece_ignore, NULL);
}

static um_err position_decode(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_crdt_position p;
    struct um_crdt_type t;
    uint32_t index;
    um_err err;

    if ((err = um_crdt_position_decode(in, &p)) != UM_OK || (err = um_crdt_position_to_json(&p, out)) != UM_OK)
        return err;
    err = um_crdt_position_resolve(doc, &p, &t, &index);
    return err == UM_ENOTFOUND ? UM_OK : err;
}
static um_err position_json(struct um_crdt *doc, struct um_span in, struct um_buf *out)
{
    struct um_buf name = { 0 };
    struct um_crdt_position p;
    um_err err = um_crdt_position_from_json(in, &name, &p);

    (void)doc;
    if (err == UM_OK)
        err = um_crdt_position_encode(&p, out);
    um_buf_free(&name);
    return err == UM_EINVAL ? UM_OK : err;
}

static call_fn *const on_update[] = { apply, validate, verify, merge, diff, sv_of_update, meta, contains, inspect, to_v2,
                                      ds_of_update, snapshot_has_update, NULL };
static call_fn *const on_v2[] = { apply_v2, validate_v2, to_v1, merge_v2, copy_v2, diff_v2, sv_of_update_v2, meta_v2, NULL };
static call_fn *const on_snapshot[] = { snapshot_validate, snapshot_equal, snapshot_update, snapshot_restore,
                                        snapshot_delta, snapshot_dump, snapshot_to_v2, NULL };
static call_fn *const on_snapshot_v2[] = { snapshot_from_v2, NULL };
static call_fn *const on_ds[] = { ds_merge, ds_equal, ds_has, ds_includes, NULL };
static call_fn *const on_sv[] = { sv_encode, sv_encode_v2, sv_validate, sv_get, sv_pieces, NULL };
static call_fn *const on_position[] = { position_decode, NULL };
static call_fn *const on_position_json[] = { position_json, NULL };

/* ---- a document with everything ---------------------------------------------------------------------------- */

static struct um_crdt_value any(const char *bytes, size_t n)
{
    return (struct um_crdt_value){ .kind = UM_CRDT_V_ANY, .data = UM_SPAN(bytes, n) };
}

static void text_fill(struct um_crdt *doc, const struct um_crdt_type *t)
{
    struct um_crdt_value embed = { .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR("{\"a\":[1,\"\\u00e9\",null,true]}") };
    struct um_crdt_value map = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_MAP };

    assert_int_equal(um_crdt_text_insert(doc, t, 0, UM_SPAN_STR("a\xf0\x9f\x98\x80 text \xc3\xa9"), UM_SPAN(NULL, 0)), UM_OK);
    assert_int_equal(um_crdt_text_format(doc, t, 2, 3, UM_SPAN_STR("{\"b\":\"\\ud83d\",\"i\":-1.5e3}")), UM_OK);
    assert_int_equal(um_crdt_text_embed(doc, t, 1, &embed, UM_SPAN(NULL, 0)), UM_OK);
    assert_int_equal(um_crdt_text_embed(doc, t, 1, &map, UM_SPAN(NULL, 0)), UM_OK);
    assert_int_equal(um_crdt_text_delete(doc, t, 3, 3), UM_OK);
}

static void list_fill(struct um_crdt *doc, const struct um_crdt_type *t)
{
    static const char all[] = "\x75\12\x7f\x7e\x7d\101\x7c\77\200\0\0\x7b\77\360\0\0\0\0\0\0\x7a\0\0\0\0\0\0\0\5\x79\x78\x77\1s"
                              "\x76\1\1k\x74\2ab";
    struct um_crdt_value values[] = {
        any(all, sizeof(all) - 1), any("\x7d\2", 2),
        { .kind = UM_CRDT_V_BYTES, .data = UM_SPAN("\0\377", 2) },
        { .kind = UM_CRDT_V_DOC, .data = UM_SPAN_STR("guid"), .options = UM_SPAN("\x76\3\2gc\x79\10autoLoad\x78\4meta\x7d\1", 23) },
        { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = UM_SPAN_STR("p") },
        { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_HOOK, .name = UM_SPAN_STR("h") },
        { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_TEXT, .text = UM_SPAN_STR("in") },
    };

    assert_int_equal(um_crdt_list_insert(doc, t, 0, values, UM_COUNT(values)), UM_OK);
    assert_int_equal(um_crdt_map_set(doc, &values[4].ref, UM_SPAN_STR("k"), &(struct um_crdt_value){
        .kind = UM_CRDT_V_STRING, .data = UM_SPAN_STR("v") }), UM_OK);
    assert_int_equal(um_crdt_list_delete(doc, t, 6, 1), UM_OK);
}

static struct um_crdt *doc_rich(bool gc)
{
    struct um_crdt *doc = doc_new(gc);
    struct um_crdt_type t, a;

    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, &t), UM_OK);
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("a"), UM_CRDT_ARRAY, &a), UM_OK);
    assert_int_equal(um_crdt_begin(doc, 1, NULL), UM_OK);
    text_fill(doc, &t);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    assert_int_equal(um_crdt_begin(doc, 300, NULL), UM_OK);
    list_fill(doc, &a);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    return doc;
}

/* A letter of client 9 in the way of what comes. */
static struct um_crdt *doc_base(void)
{
    struct um_crdt *doc = doc_new(false);
    struct um_crdt_type t;

    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, &t), UM_OK);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN("\1\1\11\0\4\1\1t\1z\0", 11), NULL), UM_OK);
    return doc;
}

/* ---- sweeps ----------------------------------------------------------------------------------------------- */

/* DOC must not change where a call fails. */
static void call_checked(struct um_crdt *doc, call_fn *call, struct um_span in)
{
    struct um_buf before = state_of(doc), after, out = { 0 };
    um_err err = call(doc, in, &out);

    assert_true(err == UM_OK || err == UM_EPROTO || err == UM_ELIMIT);
    if (err != UM_OK) {
        after = state_of(doc);
        assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
        um_buf_free(&after);
    }
    um_buf_free(&before);
    um_buf_free(&out);
}

/* IN cut off at each byte, and with each byte damaged in several ways. What is asked must answer, in a document that is
 * made anew when a call may have changed it. */
static void damage(call_fn *const *calls, struct um_span in, bool changes)
{
    static const uint8_t put[] = { 0, 1, 10, 0x7f, 0x80, 0xff };
    uint8_t *copy = malloc(in.len + 1);
    struct um_crdt *doc = doc_base();

    for (; *calls != NULL; calls++) {
        for (size_t cut = 0; cut < in.len; cut++)
            call_checked(doc, *calls, UM_SPAN(in.data, cut));
        for (size_t at = 0; at < in.len; at++) {
            for (size_t i = 0; i < UM_COUNT(put) + 1; i++) {
                memcpy(copy, in.data, in.len);
                copy[at] = i < UM_COUNT(put) ? put[i] : copy[at] ^ 0x60;
                call_checked(doc, *calls, UM_SPAN(copy, in.len));
                if (changes) {
                    um_crdt_free(doc);
                    doc = doc_base();
                }
            }
        }
    }
    um_crdt_free(doc);
    free(copy);
}

/* Each call with its first allocation failing, then its second, until it goes through. */
static void starve(call_fn *const *calls, struct um_span in, bool gc)
{
    for (; *calls != NULL; calls++) {
        um_err err = UM_ENOMEM;

        for (unsigned n = 1; err == UM_ENOMEM; n++) {
            struct um_crdt *doc = gc ? doc_base() : doc_rich(false);
            struct um_buf before = state_of(doc), after, out = { 0 };

            assert_true(n < 2000);
            countdown = n;
            err = (*calls)(doc, in, &out);
            countdown = 0;
            after = state_of(doc);
            if (err != UM_OK)
                assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
            um_buf_free(&before);
            um_buf_free(&after);
            um_buf_free(&out);
            um_crdt_free(doc);
        }
        assert_int_equal(err, UM_OK);
    }
}

/* The inputs of a sweep, made by the library itself. */
struct inputs {
    struct um_buf v1, v2, snapshot, snapshot_v2, ds, sv, position, json;
};

static struct inputs inputs_make(bool gc)
{
    struct um_crdt *doc = doc_rich(gc);
    struct um_crdt_position p;
    struct um_crdt_type t;
    struct inputs in = { .v1 = state_of(doc) };

    assert_int_equal(um_crdt_encode_v2(doc, UM_SPAN(NULL, 0), &in.v2), UM_OK);
    assert_int_equal(um_crdt_snapshot(doc, 1, &in.snapshot), UM_OK);
    assert_int_equal(um_crdt_snapshot(doc, 2, &in.snapshot_v2), UM_OK);
    assert_int_equal(um_crdt_ds(doc, &in.ds), UM_OK);
    assert_int_equal(um_crdt_state_vector(doc, &in.sv), UM_OK);
    assert_int_equal(um_crdt_root_find(doc, UM_SPAN_STR("t"), &t), UM_OK);
    assert_int_equal(um_crdt_position_make(doc, &t, 3, -1, &p), UM_OK);
    assert_int_equal(um_crdt_position_encode(&p, &in.position), UM_OK);
    assert_int_equal(um_crdt_position_to_json(&p, &in.json), UM_OK);
    um_crdt_free(doc);
    return in;
}

static void inputs_free(struct inputs *in)
{
    struct um_buf *all[] = { &in->v1, &in->v2, &in->snapshot, &in->snapshot_v2, &in->ds, &in->sv, &in->position, &in->json };

    for (size_t i = 0; i < UM_COUNT(all); i++)
        um_buf_free(all[i]);
}

static void damaged_updates_leave_the_document_as_it_was(void **state)
{
    struct inputs in = inputs_make(true);

    (void)state;
    damage(on_update, buf_span(&in.v1), true);
    inputs_free(&in);
}

static void damaged_v2_updates_leave_the_document_as_it_was(void **state)
{
    struct inputs in = inputs_make(true);

    (void)state;
    damage(on_v2, buf_span(&in.v2), true);
    inputs_free(&in);
}

static void damaged_snapshots_sets_vectors_and_positions_are_refused_or_read(void **state)
{
    static const char full[] = "{\"type\":{\"client\":1,\"clock\":2},\"tname\":\"t\",\"item\":{\"client\":1,\"clock\":0},\"assoc\":-1}";
    struct inputs in = inputs_make(false);

    (void)state;
    damage(on_snapshot, buf_span(&in.snapshot), false);
    damage(on_snapshot_v2, buf_span(&in.snapshot_v2), false);
    damage(on_ds, buf_span(&in.ds), false);
    damage(on_sv, buf_span(&in.sv), false);
    damage(on_position, buf_span(&in.position), false);
    damage(on_position, UM_SPAN("\1\1t\0", 4), false);
    damage(on_position, UM_SPAN("\2\1\2\101", 4), false);
    damage(on_position_json, buf_span(&in.json), false);
    damage(on_position_json, UM_SPAN_STR(full), false);
    inputs_free(&in);
}

/* Strings, names and values that no small buffer holds. */
static struct um_buf update_long(void)
{
    static const struct {
        const char *head, *quote, *tail;
    } parts[] = {
        { "\4\1\1t", "", "" }, { "\7\1\1x\3", "", "" }, { "\x24\1\1m", "", "\1v" }, { "\5\1\1t", "\"", "" },
        { "\x09\1\1t", "", "\x76\1\4meta\x7d\1" }, { "\2\1\1t\1", "\"", "" },
    };
    struct um_buf b = { 0 };

    um_buf_put(&b, "\1\6\7\0", 4);
    for (size_t i = 0; i < UM_COUNT(parts); i++) {
        um_buf_puts(&b, parts[i].head);
        buf_put_uint(&b, 300 + 2 * strlen(parts[i].quote));
        um_buf_puts(&b, parts[i].quote);
        for (int k = 0; k < 300; k++)
            um_buf_put_u8(&b, (uint8_t)('a' + k % 26));
        um_buf_puts(&b, parts[i].quote);
        um_buf_puts(&b, parts[i].tail);
    }
    um_buf_put_u8(&b, 0);
    return b;
}

/* What has to be put in order first: clients ascending. */
static void without_memory_nothing_is_put_in_order(void **state)
{
    (void)state;
    starve(on_update, UM_SPAN("\2\1\7\0\4\1\1t\1a\1\x08\0\4\1\1t\1b\2\1\1\0\1\2\1\0\1", 28), true);
    starve(on_v2, UM_SPAN("\0\0\0\0\0\0\1\0\0\0\0\0\2\1\1\0\0\2\1\0\0", 21), true);
    starve(on_snapshot, UM_SPAN("\2\1\1\0\1\2\1\0\1\2\1\1\2\1", 14), false);
    starve(on_snapshot_v2, UM_SPAN("\2\1\1\0\0\2\1\0\0\2\1\1\2\1", 14), false);
    starve(on_ds, UM_SPAN("\2\1\1\0\1\2\1\0\1", 9), false);
    starve(on_sv, UM_SPAN("\2\1\1\2\1", 5), false);
}

static void without_memory_every_decoder_says_so(void **state)
{
    struct inputs in = inputs_make(false);
    struct um_buf longer = update_long(), longer_v2 = { 0 };

    (void)state;
    starve(on_update, buf_span(&in.v1), true);
    starve(on_v2, buf_span(&in.v2), true);
    starve(on_snapshot, buf_span(&in.snapshot), false);
    starve(on_snapshot_v2, buf_span(&in.snapshot_v2), false);
    starve(on_ds, buf_span(&in.ds), false);
    starve(on_sv, buf_span(&in.sv), false);
    starve(on_position, buf_span(&in.position), false);
    starve(on_position_json, buf_span(&in.json), false);
    assert_int_equal(um_crdt_v1_to_v2(NULL, buf_span(&longer), &longer_v2), UM_OK);
    starve(on_update, buf_span(&longer), true);
    starve(on_v2, buf_span(&longer_v2), true);
    um_buf_free(&longer);
    um_buf_free(&longer_v2);
    inputs_free(&in);
}

/* ---- what waits ------------------------------------------------------------------------------------------- */

/* What a document heard, and what comes then. Client 1 wrote "z" before. */
struct story {
    const char *what;
    bool eager;
    uint32_t pending_structs, type_depth; /* limits; 0: the usual one */
    const char *heard[5], *next;          /* in hexadecimal */
};
#define LONG "78787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
static const struct story stories[] = {
    { "all that waited goes on", false, 100, 0,
      { "01010900" "0401017401" "6100", "0101090284090101" "6200", "01010903840902" "016300", "0001090104" "03" },
      "01010901840900" "016400" },
    { "what waits is folded to make room", false, 3, 0,
      { "010109028409010162" "00", "010109028409010162" "00", "010109028409010162" "00" }, "01010903840902" "016300" },
    { "there is no more room", false, 2, 0,
      { "01010902840901016200", "01010904840903016200" }, "01010906840905016300" },
    { "several wait for one another", true, 100, 0, { NULL },
      "03" "0109008408000161" "0108008407000161" "0107008406000161" "00" },
    { "several wait for one another, as in yjs", false, 100, 0, { NULL },
      "03" "0109008408000161" "0108008407000161" "0107008406000161" "00" },
    { "long content waits", false, 100, 0, { "01010902840901" "40" LONG "00" },
      "02010904840903" "40" LONG "010701890700" "0167" "7600" "00" },
    { "an overlap is written anew", false, 100, 0, { "01010900040101740161" "00" },
      "01010900040101740261" "6200" },
    { "a known struct that names something new", false, 100, 0, { "01010500040101740161" "00" },
      "02010800040101740162" "010500c4080008000161" "00" },
    { "sections in ascending order", false, 100, 0, { NULL }, "02010500040101740161" "010600040101740162" "00" },
    { "deletions of what is known and of what is not", false, 100, 0, { "01010500040101740361626300" },
      "000205020001" "0203" "0901" "0005" },
    { "marks that a clean-up takes away", false, 100, 0,
      { "01050500040101740161" "860500016204" "74727565" "8405010162" "860502016204" "6e756c6c" "8405030163" "00" },
      "000105010201" },
    { "types near the limit of their nesting", false, 100, 2, { "01010500070101610" "000" },
      "02" "010700070101610" "0" "0104000700050000" "00" },
#undef LONG
};

static struct um_buf unhex(const char *text)
{
    struct um_buf b = { 0 };

    assert_true(um_hex_decode(&b, UM_SPAN_STR(text)));
    return b;
}

static struct um_crdt *story_begin(const struct story *s, bool cleanup)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.cleanup = cleanup;
    cf.eager_pending = s->eager;
    cf.limits.pending_structs = s->pending_structs;
    if (s->type_depth > 0)
        cf.limits.type_depth = s->type_depth;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN("\1\1\1\0\4\1\1t\1z\0", 11), NULL), UM_OK);
    for (size_t i = 0; i < UM_COUNT(s->heard) && s->heard[i] != NULL; i++) {
        struct um_buf u = unhex(s->heard[i]);

        assert_int_equal(um_crdt_apply(doc, buf_span(&u), NULL), UM_OK);
        um_buf_free(&u);
    }
    return doc;
}

/* The next update with allocation N failing. False: none failed. What is refused leaves no trace; else the document
 * has all of WANT, or something waits. */
static bool story_goes_on(const struct story *s, struct um_span next, struct um_span want, um_err well, unsigned n)
{
    struct um_crdt *doc = story_begin(s, true);
    struct um_buf before = state_of(doc);
    struct um_crdt_applied a;
    struct um_crdt_stats stats;
    bool failed, known;
    um_err err;

    countdown = n;
    err = um_crdt_apply(doc, next, &a);
    failed = countdown == 0;
    countdown = 0;
    if (err != UM_OK) {
        struct um_buf after = state_of(doc);

        assert_true(err == well || err == UM_ENOMEM);
        assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
        um_buf_free(&after);
        err = um_crdt_apply(doc, next, NULL);
    } else {
        err = um_crdt_apply(doc, next, NULL);     /* what waits gets its chance */
    }
    assert_int_equal(err, well);
    um_crdt_get_stats(doc, &stats);
    assert_int_equal(um_crdt_contains(doc, want, &known), UM_OK);
    if (!known && stats.pending_structs + stats.pending_ranges == 0)
        fail_msg("%s: something is lost without allocation %u", s->what, n);
    um_buf_free(&before);
    um_crdt_free(doc);
    return failed;
}

static void without_memory_nothing_that_waits_is_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(stories); i++) {
        struct um_buf next = unhex(stories[i].next), want;
        struct um_crdt *doc = story_begin(&stories[i], false);     /* what may be left undone */
        um_err well = um_crdt_apply(doc, buf_span(&next), NULL);
        unsigned n = 1;

        if (well != UM_OK && well != UM_ELIMIT)
            fail_msg("%s: %s", stories[i].what, um_err_text(well));
        want = state_of(doc);
        um_crdt_free(doc);
        while (story_goes_on(&stories[i], buf_span(&next), buf_span(&want), well, n))
            assert_true(++n < 2000);
        um_buf_free(&next);
        um_buf_free(&want);
    }
}

/* ---- the table -------------------------------------------------------------------------------------------- */

static const struct hostile {
    const char *what, *hex;
    um_err err;
} hostiles[] = {
    { "nothing", "", UM_EPROTO },
    { "no delete set", "00", UM_EPROTO },
    { "a section that ends behind its clock", "0101ffffffff0f00", UM_EPROTO },
    { "a number of nine bytes", "ffffffffffffffff7f00", UM_EPROTO },
    { "a number above 2^53", "ffffffffffffff1f00", UM_EPROTO },
    { "more sections than bytes", "ff0f00", UM_EPROTO },
    { "more structs than bytes", "01ff010200040101740161" "00", UM_EPROTO },
    { "a client twice", "020102000401017401610102000401017401" "6200", UM_EPROTO },
    { "clock beyond 2^32-1", "010102ffffffff7f0401017401" "6100", UM_ELIMIT },
    { "clocks that leave 2^32-1", "010102ffffffff0f000500", UM_ELIMIT },
    { "content kind 11", "010102000b01017400", UM_EPROTO },
    { "content kind 31", "010102001f01017400", UM_EPROTO },
    { "type 7", "0101020007010174070000", UM_EPROTO },
    { "any tag 16", "0101020008010161011000", UM_EPROTO },
    { "no JSON", "01010200020101610" "1027b7800", UM_EPROTO },
    { "a JSON escape that is none", "0101020002010161010422" "5c782200", UM_EPROTO },
    { "a JSON escape with three digits", "010102000201016101072" "25c7530306722" "00", UM_EPROTO },
    { "a control character in JSON", "010102000201016101032201" "2200", UM_EPROTO },
    { "a JSON key without quotes", "010102000201016101057b613a317d00", UM_EPROTO },
    { "a string cut off in JSON", "0101020002010161010222" "6100", UM_EPROTO },
    { "no UTF-8", "010102000401017402fffe00", UM_EPROTO },
    { "a surrogate in UTF-8", "010102000401017403eda0bd00", UM_EPROTO },
    { "overlong UTF-8", "010102000401017402c08000", UM_EPROTO },
    { "an origin of the own future", "0101020084020501" "7800", UM_EPROTO },
    { "an origin that is itself", "010102008402000178" "00", UM_EPROTO },
    { "a parent that is itself", "01010200070002000000", UM_EPROTO },
    { "a sub-document without options", "01010200090101610167" "7f00", UM_EPROTO },
    { "a sub-document with null options", "01010200090101610167" "7e00", UM_EPROTO },
    { "more delete ranges than bytes", "000101ff0f0001", UM_EPROTO },
    { "more clients of deletions than bytes", "00ff0f0101000100", UM_EPROTO },
    { "a delete range beyond 2^32-1", "00010101ffffffff0f02", UM_ELIMIT },
    { "trailing bytes", "0000ffff", UM_OK },
    { "structs of length 0", "010202000401017400000000", UM_OK },
    { "a delete range of length 0", "0001010100" "00", UM_OK },
    { "a section without structs", "0100020000", UM_OK },
    { "flags beside a skip", "010102008a0500", UM_OK },
    { "flags beside a collected run", "01010200800500", UM_OK },
    { "a number that is longer than it must be", "8000" "8000", UM_OK },
};

static void each_is_answered_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(hostiles); i++) {
        struct um_crdt *doc = doc_base();
        struct um_buf in = { 0 }, text = { 0 }, before = state_of(doc), after;
        um_err err, checked;

        for (const char *c = hostiles[i].hex; *c != '\0'; c++)
            if (*c != ' ')
                um_buf_put_u8(&text, (uint8_t)*c);
        assert_true(um_hex_decode(&in, buf_span(&text)));
        err = apply(doc, buf_span(&in), NULL);
        checked = validate(doc, buf_span(&in), NULL);
        if (err != hostiles[i].err || checked != hostiles[i].err)
            fail_msg("%s: %s, and %s when only checked", hostiles[i].what, um_err_text(err), um_err_text(checked));
        after = state_of(doc);
        if (err != UM_OK)
            assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
        um_buf_free(&in);
        um_buf_free(&text);
        um_buf_free(&before);
        um_buf_free(&after);
        um_crdt_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_answered_as_the_table_says),
        cmocka_unit_test(damaged_updates_leave_the_document_as_it_was),
        cmocka_unit_test(damaged_v2_updates_leave_the_document_as_it_was),
        cmocka_unit_test(damaged_snapshots_sets_vectors_and_positions_are_refused_or_read),
        cmocka_unit_test(without_memory_nothing_is_put_in_order),
        cmocka_unit_test(without_memory_every_decoder_says_so),
        cmocka_unit_test(without_memory_nothing_that_waits_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
