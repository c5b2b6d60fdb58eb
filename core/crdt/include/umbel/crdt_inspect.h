/* Looking into an update without a document: every struct and delete range as it stands, and where a refused
 * update is wrong. For tools and tests; no content is hidden.
 *
 *   static um_err show(void *arg, const struct um_crdt_seen *s)
 *   {
 *       printf("%llu:%u %s, %u units\n", (unsigned long long)s->client, s->clock, um_crdt_seen_name(s->kind), s->len);
 *       return UM_OK;
 *   }
 *   err = um_crdt_inspect(NULL, update, show, NULL);
 *
 * Any thread, any number at once. CONF as in crdt.h: NULL means the defaults; raise update_* for whole documents. */
#ifndef UMBEL_CRDT_INSPECT_H
#define UMBEL_CRDT_INSPECT_H
#include <umbel/crdt.h>

enum um_crdt_seen_kind {              /* the wire's numbers; RANGE: a range of the delete set */
    UM_CRDT_SEEN_GC, UM_CRDT_SEEN_DELETED, UM_CRDT_SEEN_JSON, UM_CRDT_SEEN_BINARY, UM_CRDT_SEEN_STRING,
    UM_CRDT_SEEN_EMBED, UM_CRDT_SEEN_FORMAT, UM_CRDT_SEEN_TYPE, UM_CRDT_SEEN_ANY, UM_CRDT_SEEN_DOC, UM_CRDT_SEEN_SKIP,
    UM_CRDT_SEEN_RANGE
};
/* COPIED: parent and key are those of the struct's origin or right origin, and are not in the update. */
enum um_crdt_seen_parent { UM_CRDT_PARENT_COPIED, UM_CRDT_PARENT_ROOT, UM_CRDT_PARENT_ID };

/* Spans are borrowed from the update. What a kind does not have is zero. */
struct um_crdt_seen {
    enum um_crdt_seen_kind kind;
    uint64_t client;
    uint32_t clock, len;              /* UTF-16 units, values or whatever the kind counts */
    size_t offset, bytes;             /* where it stands in the update */
    bool has_origin, has_right;
    struct um_crdt_id origin, right;
    enum um_crdt_seen_parent parent;
    struct um_span root;              /* PARENT_ROOT: its name */
    struct um_crdt_id parent_id;      /* PARENT_ID: of the struct that holds the parent */
    struct um_span key;               /* data is NULL when there is none */
    enum um_crdt_kind type;           /* SEEN_TYPE */
    struct um_span name;              /* SEEN_TYPE: of an element or a hook; else data is NULL */
    struct um_span body;              /* the content without its count */
};

/* Calls CB for each struct, then for each delete range, in the order of the update; its error stops the walk
 * and is returned. The whole update is checked before the first call: errors of um_crdt_validate. */
typedef um_err um_crdt_inspect_cb(void *arg, const struct um_crdt_seen *seen);
UM_CHECK_RESULT um_err um_crdt_inspect(const struct um_crdt_conf *conf, struct um_span update, um_crdt_inspect_cb *cb,
                                       void *arg);

/* The content as JSON: a string; arrays for Any and JSON; {"key","value"} for Format; {"type","name"} for Type;
 * {"guid","opts"} for Doc; base64 for Binary; null for the others. */
UM_CHECK_RESULT um_err um_crdt_seen_content(const struct um_crdt_seen *seen, enum um_crdt_form form, struct um_buf *out);

const char *um_crdt_seen_name(enum um_crdt_seen_kind kind);       /* "String" */
const char *um_crdt_kind_name(enum um_crdt_kind kind);            /* "XmlElement" */

/* What an undeclared root looks like: the declared kind if there is one; else a fragment (its children are XML), a
 * text (strings, formats, embeds), an array, or a map (keys only). A guess: content decides, deleted or not, and an
 * empty root is a map. UM_ENOTFOUND when there is no such root. */
UM_CHECK_RESULT um_err um_crdt_guess_root(const struct um_crdt *doc, struct um_span name, enum um_crdt_kind *out);

/* The first thing that is wrong in an update. */
struct um_crdt_fault {
    size_t offset;                    /* of the field in the update */
    bool in_struct;                   /* CLIENT and CLOCK name the struct */
    uint64_t client;
    uint32_t clock;
    const char *field, *why;          /* "content", "not UTF-8"; static */
};

/* um_crdt_validate that says where and why. FAULT is filled when the result is UM_EPROTO or UM_ELIMIT. */
UM_CHECK_RESULT um_err um_crdt_verify(const struct um_crdt_conf *conf, struct um_span update,
                                      struct um_crdt_fault *fault);

#endif
