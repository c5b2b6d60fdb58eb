/* Comparing: what the files of core/history share. Both documents are read only, so what is borrowed from them holds
 * as long as they do. The first error stays; what is made after it means nothing. */
#ifndef UM_HISTORY_INSIDE_H
#define UM_HISTORY_INSIDE_H
#include <umbel/align.h>
#include <umbel/bytes.h>
#include <umbel/crdt_copy.h>
#include <umbel/history.h>

/* ---- growing arrays ------------------------------------------------------------------------------------ */

#define LIST(type) struct { type *v; uint32_t n, cap; }
bool list_grow(void *v, uint32_t *cap, size_t need, size_t elem);
#define list_room(l, extra) \
    ((l)->n + (size_t)(extra) <= (l)->cap || list_grow(&(l)->v, &(l)->cap, (l)->n + (size_t)(extra), sizeof(*(l)->v)))
#define list_free(l) (free((l)->v), (l)->v = NULL, (l)->n = (l)->cap = 0)

/* ---- the whole ----------------------------------------------------------------------------------------- */

struct writer {                       /* a client of the new state */
    uint64_t client;
    uint32_t known;                   /* clocks below it are in the old state */
    uint32_t user;                    /* in `users` */
    bool fresh;                       /* it wrote since */
};
struct user {
    char *name;                       /* NULL: unknown */
    uint64_t words, characters, values;
    json_t *clients;
};
struct totals {
    uint64_t words[2], characters[2]; /* inserted, deleted */
    uint64_t blocks[4];               /* by status */
    uint64_t formats, values;
};
enum status { EQUAL, CHANGED, ADDED, REMOVED };

struct history {
    um_err err;
    struct um_crdt *old, *new;
    uint64_t key[2];                  /* of hashes */
    uint64_t steps;
    LIST(struct writer) writers;      /* sorted by client */
    LIST(struct user) users;
    struct totals totals;
    bool truncated;
    uint32_t blocks_shown, values_shown;
    size_t text_shown, json_shown;
    uint32_t nesting;                 /* blocks within attributes of blocks, and so on */
};

extern const char *const status_names[];
void fail(struct history *h, um_err err);                 /* UM_OK: nothing */
/* Take V over; NULL for V is out of memory. False: V is gone. */
void put_json(struct history *h, json_t *object, const char *key, json_t *v);
bool push_json(struct history *h, json_t *array, json_t *v);
json_t *array_in(struct history *h, json_t *object, const char *key);     /* borrowed; made when it is missing */
json_t *text_json(struct um_span text);                   /* a string */
json_t *parse_json(struct um_span text);                  /* what cannot be held is a string of JSON */
void put_by(struct history *h, json_t *object, uint64_t client);
const struct writer *writer_of(const struct history *h, uint64_t client);     /* NULL */
/* Did CLIENT write CLOCK since the old state? */
bool is_fresh(const struct history *h, uint64_t client, uint32_t clock);
struct user *user_of(struct history *h, uint64_t client);                     /* NULL */

/* ---- blocks.c, words.c --------------------------------------------------------------------------------- */

struct stretch {                      /* of a block's text: one writer, one set of formats; or an object */
    uint32_t from, bytes;             /* in the side's text */
    uint32_t marks, marks_len;        /* in the side's marks: a JSON object with sorted keys */
    uint64_t client;
    bool fresh, object;               /* object: the text is its JSON, `name` its node name */
    struct um_span name;
};
struct token {                        /* a word, a run of blanks, a sign, an object */
    uint64_t hash;
    uint32_t from, bytes;
    uint32_t stretch;                 /* that it begins in */
    bool word, blank, object;
};
struct around {                       /* an element around blocks */
    uint32_t parent;                  /* UM_ALIGN_NONE */
    uint32_t depth;
    struct um_crdt_type ref;
    struct um_span name;
    uint64_t names, attributes;       /* hashes: names from the root to here; own attributes */
    bool used;                        /* a block stands in it already */
};
struct block {
    struct um_span type;
    struct um_crdt_type ref;          /* the element; lines: none, `line` */
    bool line;
    uint32_t around;                  /* UM_ALIGN_NONE */
    uint32_t first_in;                /* it is the first one in so many of the innermost elements around it */
    uint32_t from, to;                /* tokens */
    uint64_t hash, kind;              /* of all that shows; of type and names around */
};
struct side {                         /* a root or a type as blocks */
    const struct um_crdt *doc;
    bool is_new;
    struct um_buf text, marks;
    LIST(struct stretch) stretches;
    LIST(struct token) tokens;
    LIST(struct around) around;
    LIST(struct block) blocks;
};
static inline struct um_span marks_of(const struct side *s, const struct stretch *t)
{
    return t->marks_len == 0 ? UM_SPAN(NULL, 0) : UM_SPAN(s->marks.data + t->marks, t->marks_len);
}
uint64_t hash_of(const struct history *h, struct um_span s);
/* REF of kind KIND as blocks; tells everything through H. */
void side_read(struct history *h, struct side *s, const struct um_crdt_type *ref, enum um_crdt_kind kind);
void side_free(struct side *s);
/* Tokens of the stretches from FIRST on. */
void tokens_add(struct history *h, struct side *s, uint32_t first);
/* Compares two types as blocks; either may be NULL. True: something changed; then INTO gets `blocks`. */
bool blocks_compare(struct history *h, const struct um_crdt_type *old, enum um_crdt_kind old_kind,
                    const struct um_crdt_type *new, enum um_crdt_kind new_kind, json_t *into);
/* The `parts` of a block: of B against A; either may be NULL. *COARSE: not word by word. */
json_t *parts_make(struct history *h, const struct side *old, const struct block *a, const struct side *new,
                   const struct block *b, bool *coarse);

/* ---- values.c ------------------------------------------------------------------------------------------ */

/* Appends VALUE as JSON text. */
void value_json(struct history *h, const struct um_crdt *doc, const struct um_crdt_value *v, enum um_crdt_form form,
                struct um_buf *out);
/* Compares the entries of two types, or their elements, and those of what they hold; either may be NULL. Appends to
 * ARRAY what changed, with paths that begin with PREFIX (an array, borrowed; may be NULL). */
void entries_compare(struct history *h, const struct um_crdt_type *old, const struct um_crdt_type *new,
                     const json_t *prefix, json_t *array);
void values_compare(struct history *h, const struct um_crdt_type *old, const struct um_crdt_type *new, bool list,
                    json_t *array);

#endif
