/* Shared types from C: finding one's way through a document, reading single values, and changing them. A change
 * makes exactly the update that yjs 13.6 would have made for the same call.
 *
 *     struct um_crdt_type notes, item;
 *     struct um_crdt_value v = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_MAP };
 *     struct um_crdt_applied out;
 *
 *     err = um_crdt_root(doc, UM_SPAN_STR("notes"), UM_CRDT_ARRAY, &notes);
 *     err = um_crdt_begin(doc, my_client_id, NULL);
 *     err = um_crdt_list_push(doc, &notes, &v, 1);                 v.ref names the new map
 *     err = um_crdt_map_set(doc, &v.ref, UM_SPAN_STR("done"), &(struct um_crdt_value){
 *               .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR("false") });
 *     um_crdt_commit(doc, &out);                                   out.event: relay and store it
 *
 * Lengths and indices count UTF-16 units in texts, elements elsewhere. Texts, keys and JSON are UTF-8. */
#ifndef UMBEL_CRDT_TYPES_H
#define UMBEL_CRDT_TYPES_H
#include <umbel/crdt.h>

/* ---- names of types, values ---------------------------------------------------------------------------- */

/* Names a shared type. One that an item holds is named by the item's id: good for ever, in every replica. A root
 * (`root` > 0) is named by its place in the order of um_crdt_roots: good as long as the document is open, and not
 * frozen. Functions say UM_ENOTFOUND when the type is not there (any more), UM_EINVAL when its kind has no such
 * operation. */
struct um_crdt_type {
    uint64_t client;
    uint32_t clock;
    uint32_t root;
};

enum um_crdt_value_kind {
    UM_CRDT_V_STRING,                 /* data: UTF-8 */
    UM_CRDT_V_JSON,                   /* data: a JSON text; read: an embed, or a value written by an old client */
    UM_CRDT_V_ANY,                    /* data: one lib0 `any` value; can say undefined, big integers, bytes inside */
    UM_CRDT_V_BYTES,                  /* data */
    UM_CRDT_V_TYPE,                   /* type, name, ref */
    UM_CRDT_V_DOC                     /* data: guid; options: an `any` object, may be empty */
};

/* What is read is borrowed from the document until it changes; of what is written nothing is kept. */
struct um_crdt_value {
    enum um_crdt_value_kind kind;
    struct um_span data, options;
    enum um_crdt_kind type;
    struct um_span name;              /* of an XML element (node name) or hook */
    struct um_crdt_type ref;          /* filled when read, and for a type that was inserted */
    /* What a type brings along when it is inserted; it may as well be filled afterwards: */
    struct um_span text;              /* texts */
    struct um_crdt_value *items;      /* arrays, XML elements and fragments */
    size_t n_items;
    struct um_crdt_entry *entries;    /* maps, hooks; attributes of elements and texts */
    size_t n_entries;
};
struct um_crdt_entry {
    struct um_span key;
    struct um_crdt_value value;
};

/* ---- finding and reading ------------------------------------------------------------------------------- */

/* The root NAME as KIND; creates and declares it as um_crdt_declare_root does. */
UM_CHECK_RESULT um_err um_crdt_root(struct um_crdt *doc, struct um_span name, enum um_crdt_kind kind,
                                    struct um_crdt_type *out);
/* The root NAME as it is; UM_ENOTFOUND when there is none. */
UM_CHECK_RESULT um_err um_crdt_root_find(const struct um_crdt *doc, struct um_span name, struct um_crdt_type *out);

UM_CHECK_RESULT um_err um_crdt_type_kind(const struct um_crdt *doc, const struct um_crdt_type *type,
                                         enum um_crdt_kind *out);
/* Units of its list (0 for maps). */
UM_CHECK_RESULT um_err um_crdt_length(const struct um_crdt *doc, const struct um_crdt_type *type, uint32_t *out);
/* The type that TYPE lies in, and under which KEY (data NULL: in the list). UM_ENOTFOUND for roots. */
UM_CHECK_RESULT um_err um_crdt_parent(const struct um_crdt *doc, const struct um_crdt_type *type,
                                      struct um_crdt_type *out, struct um_span *key);

/* The element at INDEX; in a text one unit, or an embed. UM_ENOTFOUND behind the end. */
UM_CHECK_RESULT um_err um_crdt_get(const struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                                   struct um_crdt_value *out);
/* The value of KEY of a map, a hook, or among the attributes of an element or text. UM_ENOTFOUND: no such key. */
UM_CHECK_RESULT um_err um_crdt_map_get(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key,
                                       struct um_crdt_value *out);

/* toJSON() of one type, appended. UM_EINVAL for a root that nobody declared. */
UM_CHECK_RESULT um_err um_crdt_type_json(const struct um_crdt *doc, const struct um_crdt_type *type,
                                         enum um_crdt_form form, struct um_buf *out);

/* Walks are started with a zeroed walk; false at the end, and when there is no such type. The document must not
 * change meanwhile. Lists: one element after the other, but the strings of a text as whole runs. */
struct um_crdt_walk {
    uint32_t at, unit;
    size_t bytes;
};
bool um_crdt_list_next(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_crdt_walk *walk,
                       struct um_crdt_value *out);
/* Keys in order of their first appearance. */
bool um_crdt_map_next(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_crdt_walk *walk,
                      struct um_span *key, struct um_crdt_value *out);

/* ---- local transactions -------------------------------------------------------------------------------- */

/* Everything below stands between begin and commit; else it says UM_ECLOSED. Each call is all or nothing: after an
 * error the document is as it was before that call, and the transaction may go on. A transaction cannot be taken
 * back. While it is open, um_crdt_apply, um_crdt_load and um_crdt_begin say UM_EBUSY; reading is allowed.
 *
 * CLIENT (below 2^53) is the author: its clock goes on. Nobody else may write under the same id meanwhile; draw a
 * new one per process, as yjs does. ORIGIN is for those who watch the transaction; may be NULL. */
UM_CHECK_RESULT um_err um_crdt_begin(struct um_crdt *doc, uint64_t client, const void *origin);

/* Ends it: joins, collects, and tells the update as um_crdt_apply does (`changed` with an empty event: memory ran
 * out for it, send readers the state). OUT may be NULL. Fails only with UM_ECLOSED. */
um_err um_crdt_commit(struct um_crdt *doc, struct um_crdt_applied *out);

/* Errors of all edits: UM_EINVAL for an index behind the end (yjs changes half of it first, then throws), text that
 * is not UTF-8, a value or a kind of type that does not go there; UM_EPROTO for bytes that are no JSON or `any`;
 * UM_ELIMIT beyond `update_bytes` per call or another limit; UM_ENOMEM. */

/* ---- lists: arrays, and children of XML fragments and elements ----------------------------------------- */

/* Types bring what their value says, and `ref` tells where to put more. yjs fills a type before it makes the next
 * item; who wants its bytes and fills types afterwards inserts one, fills it (elements: children, then attributes),
 * and goes on. Undefined and big integers are refused in arrays, as in yjs; XML takes elements, fragments, texts and
 * hooks. */
UM_CHECK_RESULT um_err um_crdt_list_insert(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                                           struct um_crdt_value *values, size_t n);
/* At the end: behind deleted elements in arrays, in XML as an insertion at its length. */
UM_CHECK_RESULT um_err um_crdt_list_push(struct um_crdt *doc, const struct um_crdt_type *type,
                                         struct um_crdt_value *values, size_t n);
UM_CHECK_RESULT um_err um_crdt_list_delete(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                                           uint32_t n);

/* ---- maps: maps, hooks, attributes of XML elements and of texts ---------------------------------------- */

UM_CHECK_RESULT um_err um_crdt_map_set(struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key,
                                       struct um_crdt_value *value);
UM_CHECK_RESULT um_err um_crdt_map_delete(struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key);
UM_CHECK_RESULT um_err um_crdt_map_clear(struct um_crdt *doc, const struct um_crdt_type *type);

/* ---- texts: Text and XmlText --------------------------------------------------------------------------- */

/* ATTRS is a JSON object, `{"bold":true,"link":null}`: null switches off. Data NULL means none given: an inserted
 * text then has the attributes of what stands before it; an embed has none.
 * An index or length that ends inside a surrogate pair tears it, as in yjs: both halves read as U+FFFD, here at once,
 * in other replicas only when that left something between them. */
UM_CHECK_RESULT um_err um_crdt_text_insert(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                                           struct um_span text, struct um_span attrs);
/* VALUE: JSON other than null and strings, or a type. */
UM_CHECK_RESULT um_err um_crdt_text_embed(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                                          struct um_crdt_value *value, struct um_span attrs);
/* Beyond the end yjs appends line feeds, so that N units are formatted; so it is here. */
UM_CHECK_RESULT um_err um_crdt_text_format(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                                           uint32_t n, struct um_span attrs);
/* At most what is there. */
UM_CHECK_RESULT um_err um_crdt_text_delete(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                                           uint32_t n);
/* A Quill delta, JSON: [{"retain":3},{"insert":"x","attributes":{"b":true}},{"delete":1}]. */
UM_CHECK_RESULT um_err um_crdt_text_apply_delta(struct um_crdt *doc, const struct um_crdt_type *type,
                                                struct um_span delta);

#endif
