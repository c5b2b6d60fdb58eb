/* The v1 wire: one struct at a time, whole updates, state vectors.
 *
 *   update    := uint nClients, section*, deleteSet
 *   section   := uint nStructs, uint client, uint clock, struct*
 *   deleteSet := uint nClients, (uint client, uint nRanges, (uint clock, uint len)*)*
 */
#ifndef UM_CRDT_WIRE_H
#define UM_CRDT_WIRE_H
#include "lib0.h"
#include "mem.h"

enum kind {
    KIND_GC, KIND_DELETED, KIND_JSON, KIND_BINARY, KIND_STRING, KIND_EMBED, KIND_FORMAT, KIND_TYPE, KIND_ANY, KIND_DOC,
    KIND_SKIP
};
#define INFO_KIND   0x1f
#define INFO_KEY    0x20
#define INFO_RIGHT  0x40
#define INFO_ORIGIN 0x80

#define KINDS(k)           (1u << (k))
#define KINDS_COUNTABLE    (KINDS(KIND_JSON) | KINDS(KIND_BINARY) | KINDS(KIND_STRING) | KINDS(KIND_EMBED) | \
                            KINDS(KIND_TYPE) | KINDS(KIND_ANY) | KINDS(KIND_DOC))
#define KINDS_MERGEABLE    (KINDS(KIND_DELETED) | KINDS(KIND_JSON) | KINDS(KIND_STRING) | KINDS(KIND_ANY))

struct id {
    uint64_t client;
    uint32_t clock;
};

enum parent_form { PARENT_COPIED, PARENT_ROOT, PARENT_ID };    /* copied from a neighbour: not on the wire */

/* One struct as it stands on the wire. Spans borrow from the update. */
struct wire {
    uint8_t info, kind;
    uint8_t parent_form;
    uint8_t type_ref;                 /* KIND_TYPE */
    bool half;                        /* strings: BODY follows an implied U+FFFD, half of a cut surrogate pair */
    uint32_t len;
    uint32_t clock;
    struct id origin, right, parent;  /* present as INFO_ORIGIN, INFO_RIGHT, PARENT_ID say */
    struct um_span root, key;         /* key.data is NULL when there is none */
    struct um_span body;              /* content without its count: what a document stores (see content.h) */
    struct um_span name;              /* KIND_TYPE: node or hook name */
};

/* Reads the struct at CLOCK. LIMITS: check everything that can be checked without a document; NULL: the bytes
 * have been checked before. */
void wire_read(struct rd *r, uint64_t client, uint32_t clock, struct wire *w, const struct um_crdt_limits *limits);
/* Cuts K units (0 < k < len) off the front: origin, clock, body and len are those of the rest. W is as wire_read left
 * it, and no Skip. */
void wire_cut(struct wire *w, uint64_t client, uint32_t k);
/* Writes W as the functions without a document do: no key flag beside an origin, unless that came by cutting. */
void wire_write(struct um_buf *out, const struct wire *w);
/* Body bytes in front of K units of a kind that can be split; *HALF as utf16_offset. */
size_t body_offset(enum kind kind, struct um_span body, uint32_t k, bool *half);
/* Writes content of a kind other than TYPE with its count or length, from its stored form. */
void content_write(struct um_buf *out, enum kind kind, uint32_t len, struct um_span body, bool head_half, bool tail_half);
void type_write(struct um_buf *out, uint8_t type_ref, struct um_span name);
/* The options of a sub-document as yjs writes them again: gc, autoLoad, meta. At most as long as BODY. */
size_t doc_body_normalise(uint8_t *out, struct um_span body);

/* A section of a checked update. */
struct section {
    uint64_t client;
    uint32_t clock, n;                /* of the first struct; how many */
    const uint8_t *p;                 /* the first struct */
};
void section_read(struct rd *r, struct section *s);       /* its head; R then stands at the first struct */
uint32_t section_skip(struct rd *r, const struct section *s);    /* over the structs; the clock behind the last */

/* What a check of an update found. */
struct scan {
    uint32_t sections, structs, skips, ranges, ds_clients;
    uint32_t types;                   /* structs that hold a type */
    uint32_t keyed;                   /* structs that bring a key */
    uint32_t named;                   /* structs that bring a root name */
    uint32_t inside;                  /* structs that name the type they are in by its id */
    bool empty;                       /* structs or ranges of length 0 */
    bool ordered;                     /* sections with structs strictly descending */
    bool from_zero;                   /* every section has structs, and begins at clock 0 */
    struct um_span ds;                /* the delete set */
    size_t bytes;                     /* up to its end */
};
/* Checks everything but duplicate sections. */
um_err update_scan(struct um_span update, const struct um_crdt_limits *limits, struct scan *s);
/* Refuses an update with two sections of one client. */
um_err update_check_unique(struct mem *m, struct um_span update, const struct scan *s);

/* Walks a checked delete set. */
struct range_walk {
    struct rd r;
    uint64_t clients_left, ranges_left, client;
};
struct range {
    uint64_t client;
    uint32_t clock, len;
};
struct range_walk range_walk_make(struct um_span ds);
bool range_next(struct range_walk *w, struct range *out);       /* empty ranges are left out */

/* A state vector, sorted by client descending; the last of duplicates counts. */
struct sv_entry {
    uint64_t client, clock;
};
typedef VEC(struct sv_entry) sv_vec;
um_err sv_read(struct mem *m, struct um_span sv, const struct um_crdt_limits *limits, sv_vec *out);
uint64_t sv_get(const sv_vec *sv, uint64_t client);

/* As update_scan; ENDS gets each section's client with the clock behind its last struct, in the order of the sections.
 * The caller frees it, whatever is answered. */
um_err update_scan_ends(struct mem *m, struct um_span update, const struct um_crdt_limits *limits, struct scan *s,
                        sv_vec *ends);

#endif
