/* A document's insides. Everything refers to everything by 32-bit numbers.
 *
 * Invariants:
 *  1. Per client the index lists its structs by clock without holes; an entry is an item or a collected run.
 *  2. An item's neighbours `left` and `right` belong to the same list: a type's, or that of one map key (a slot).
 *  3. Only the rightmost item of a slot may be undeleted.
 *  4. Between the first change of a transaction and its end nothing that must succeed allocates: plan.c reserves
 *     items, index entries, types, slots and content before. What may be left out (merging, cleaning, the
 *     event's bytes) copes with failure. So an error always leaves the document as it was, and pointers to
 *     items stay valid within a transaction. */
#ifndef UM_CRDT_DOC_H
#define UM_CRDT_DOC_H
#include <umbel/crdt_types.h>
#include "wire.h"
#include <umbel/crdt_events.h>

#define NONE UINT32_MAX
#define CLIENTS_MAX (1u << 22)        /* what the bit field of an item holds */

/* ---- items --------------------------------------------------------------------------------------------- */

enum item_flag {
    F_DELETED = 1, F_KEYED = 2, F_HEAD_HALF = 4, F_TAIL_HALF = 8,
    F_KEEP = 16,                      /* an undo may need it: not collected */
    F_REDONE = 32                     /* made anew by an undo (redone.h): not joined */
};

struct item {                         /* 48 bytes */
    uint32_t clock, len;
    uint32_t client : 22, kind : 4, flags : 6;
    uint32_t left, right;             /* in the free list: right */
    uint32_t origin_client, origin_clock;     /* client NONE: no origin */
    uint32_t right_client, right_clock;
    uint32_t parent;                  /* slot when F_KEYED, else type */
    uint32_t content;                 /* offset in the content arena; KIND_TYPE: the type */
    uint32_t bytes;                   /* length there */
};
_Static_assert(sizeof(struct item) == 48, "an item is 48 bytes");

/* F_HEAD_HALF and F_TAIL_HALF: a string split inside a surrogate pair; the lost half reads as U+FFFD, is
 * counted in len and is not in the arena. So a split never moves bytes. */

#define ITEM_SEGMENT 256u
struct items {
    struct item **seg;                /* all but the first are full size */
    uint32_t n_seg, cap_seg;
    uint32_t first_cap;               /* items in segment 0, grows up to ITEM_SEGMENT */
    uint32_t used;                    /* high-water mark */
    uint32_t free_head, n_free;
};

/* ---- index of a client's structs ----------------------------------------------------------------------- */

#define CHUNK 128u
#define REF_GC 0x80000000u            /* a collected run: no item */
struct entry {
    uint32_t clock, ref;
};
struct dir {
    uint32_t clock;                   /* of the first entry */
    uint16_t n, cap;
    struct entry *e;
};
struct spare {                        /* an unused chunk */
    struct spare *next;
};
struct client {
    uint64_t id;
    uint32_t state;                   /* next clock */
    uint32_t n_dir, cap_dir;
    struct dir *dir;
    uint32_t near;                    /* chunk of the last look-up */
    uint32_t run_item, run_end;       /* the item whose content may grow in place up to run_end */
    /* of the transaction `epoch`: */
    uint32_t epoch;
    uint32_t before;                  /* state at its beginning */
    uint32_t planned;                 /* state at its end, as planned */
    uint32_t inserts, appends;        /* index entries that may be needed */
    uint32_t ds_order;                /* order of first deletion, while sorting */
    uint32_t section;                 /* of the update that is applied */
};
struct cursor {                       /* one index entry */
    struct client *c;
    uint32_t d, i;
};

/* ---- types, slots, names ------------------------------------------------------------------------------- */

struct name {
    uint32_t offset, len;             /* in the names arena */
    uint32_t root;                    /* type of the root with this name, NONE */
};
struct type {
    uint8_t kind;                     /* enum um_crdt_kind */
    bool formatting : 1;              /* yjs' flag: a Format item came since the type is known */
    bool marks : 1;                   /* has or had a Format item */
    uint16_t depth;                   /* a root's is 0 */
    uint32_t name;                    /* root name, node name; NONE */
    uint32_t start;                   /* first item of the list */
    uint32_t length;                  /* visible countable units */
    uint32_t item;                    /* that holds it; NONE for roots. In the free list: the next */
    uint32_t first_slot, last_slot;   /* in order of appearance of the keys */
    uint32_t changed;                 /* epoch of the transaction that changed it */
    uint32_t pos;                     /* root of its position index; NONE */
};
struct slot {                         /* one key of one type */
    uint32_t type, key;               /* key: a name */
    uint32_t head, tail;              /* items */
    uint32_t next;
};
struct table {                        /* open addressing; the values tell their keys */
    uint32_t *v;                      /* NONE: empty */
    uint32_t n, cap;                  /* cap: power of two or 0 */
};

/* ---- a transaction ------------------------------------------------------------------------------------- */

struct span32 {
    uint32_t client, clock, len;
};
/* Where units of a long content begin in the arena, for the time of one transaction: contents do not move in it,
 * and splitting one content at many places must not walk it each time. */
struct milestone {
    uint32_t offset, unit;
};
struct region {
    uint32_t from, to;                /* bytes of the arena */
    uint32_t clock;                   /* of unit 0: all that is cut out of it keeps its clocks */
    VEC(struct milestone) marks;      /* one per MILESTONE units */
};
/* What an observer will be told; only while there is one. */
struct note {
    uint32_t type, slot;              /* slot NONE: its list */
    uint32_t seq;
};
struct subdoc_note {
    uint32_t item;
    bool removed;
};
struct tx {
    uint32_t epoch;
    VEC(uint32_t) touched;            /* clients whose structs may have changed */
    VEC(struct span32) deleted;       /* in order of deletion */
    VEC(struct span32) splits;        /* (client, clock) to join again; len: of what was cut off there, 0: nothing */
    VEC(uint32_t) texts;              /* texts that changed */
    VEC(struct note) notes;
    VEC(struct subdoc_note) subdocs;
    uint64_t scanned;                 /* items passed by conflict scans */
    uint32_t entered;                 /* the item that entered last; NONE */
    uint32_t content;                 /* bytes of the arena at its beginning */
    bool notes_lost;
    bool local;                       /* the clean-up: touches no states */
    bool lost;                        /* memory ran out where going on was possible: event unknown */
    bool odd;                         /* the event differs from the incoming bytes */
};

/* ---- what waits ---------------------------------------------------------------------------------------- */

struct piece {
    uint8_t *data;                    /* an update of its own, without deletions */
    uint32_t len, structs, sections;
};
struct missing {
    uint64_t client;
    uint32_t clock;                   /* smallest that lacks */
};
struct pending {
    VEC(struct piece) pieces;
    VEC(struct missing) missing;      /* sorted by client */
    VEC(struct range) ranges;         /* sorted: client descending, clock ascending; not touching */
    size_t bytes;
    uint32_t structs, sections;       /* sums over the pieces */
    uint32_t compacted;               /* structs after the last merging of the pieces */
};

typedef VEC(struct region) region_vec;

struct pos_node;                      /* posindex.c */
struct pos_ref {
    struct pos_node *node;
    uint32_t next_free;               /* of unused numbers */
};
struct posindex {
    VEC(struct pos_ref) nodes;
    VEC(uint32_t) leaf_of;            /* per item: its leaf, when its list has an index */
    uint32_t free_node, live;
    uint32_t unread;                  /* places added since the last look-up */
    uint32_t near_leaf, near_type, near_start;    /* of the last look-up */
    uint32_t near_slot, near_unit;    /* what was found, and the units of the leaf in front of it */
};

struct event_cache {
    struct um_bytes *blob;            /* full state, NULL: none */
    VEC(uint8_t) raw;                 /* events since the last look, each: uint length, bytes */
    VEC(struct um_bytes *) tail;      /* events before that */
    size_t tail_bytes;
};

struct redone_entry;                  /* redone.h */
struct redone {
    struct redone_entry *v;
    uint32_t n, cap;                  /* cap: power of two or 0 */
};

struct cold {
    struct um_bytes *state;           /* NULL: the document is warm */
    sv_vec sv;
    struct um_span ds;                /* within state */
    uint32_t structs;
};

struct um_crdt {
    struct mem mem;
    struct cold cold;
    struct um_crdt_limits limits;
    bool gc, cleanup, eager_pending;
    uint64_t hash_key[2];             /* of its tables: drawn per document, so that nothing is shared */
    uint32_t epoch;

    struct items items;
    VEC(uint8_t) content;
    uint32_t garbage;                 /* dead bytes in it */

    VEC(struct client) clients;
    struct table client_table;
    VEC(uint32_t) by_id;              /* clients by id descending; sorted as far as n_sorted */
    uint32_t n_sorted;
    struct spare *spare;              /* reserved index chunks */
    uint32_t n_spare, need_spare;
    uint32_t n_structs;               /* index entries */

    VEC(uint8_t) name_bytes;
    VEC(struct name) names;
    struct table name_table;
    VEC(uint32_t) roots;              /* types in order of appearance */
    VEC(struct type) types;
    uint32_t free_type;
    uint32_t max_depth;
    VEC(struct slot) slots;
    uint32_t free_slot;
    struct table slot_table;

    region_vec regions;               /* sorted; empty between transactions */
    VEC(uint32_t) marks;              /* per item: scratch of the conflict scan */
    uint32_t mark;
    struct posindex pos;

    struct tx txs[2];                 /* the update's; the formatting clean-up's */
    struct tx *tx;                    /* the running one */
    struct edit *edit;                /* local transactions (edit.h); NULL until the first */
    struct um_crdt_undo *undo;        /* the first undo manager (undo.h); NULL: none */
    struct redone redone;
    struct pending pending;
    struct um_buf event;              /* last event */
    struct um_buf more;               /* and the clean-up's */
    struct um_span more_span;
    struct um_buf ds_cache;           /* encoded delete set */
    bool ds_valid;
    struct event_cache cache;

    um_crdt_observer *observer;       /* NULL: nobody listens */
    void *observer_arg;
    const void *origin;
    bool telling;                     /* the observer is running */
};

#define AHEAD 8u                      /* items lie anywhere in memory: passes over many fetch them so far ahead */
static inline struct item *item_at(const struct um_crdt *doc, uint32_t i)
{
    return &doc->items.seg[i / ITEM_SEGMENT][i % ITEM_SEGMENT];
}
static inline bool item_is_deleted(const struct item *it) { return (it->flags & F_DELETED) != 0; }
static inline bool item_is_keyed(const struct item *it) { return (it->flags & F_KEYED) != 0; }
static inline bool item_is_countable(const struct item *it) { return (KINDS(it->kind) & KINDS_COUNTABLE) != 0; }
static inline bool item_is_visible(const struct item *it)
{
    return !item_is_deleted(it) && item_is_countable(it);
}
static inline struct um_span item_body(const struct um_crdt *doc, const struct item *it)
{
    return it->bytes == 0 ? UM_SPAN("", 0) : UM_SPAN(doc->content.v + it->content, it->bytes);
}
static inline struct type *item_type(const struct um_crdt *doc, const struct item *it)    /* its parent */
{
    uint32_t t = item_is_keyed(it) ? doc->slots.v[it->parent].type : it->parent;

    return &doc->types.v[t];
}

/* doc.c */
struct um_crdt_conf conf_of(const struct um_crdt_conf *conf);     /* NULL: the defaults */
struct um_crdt_conf doc_conf(const struct um_crdt *doc);
struct um_crdt_limits limits_of_store(const struct um_crdt *doc);      /* for bytes that an update_* limit does not bind */

/* items.c: items, content bytes */
um_err items_reserve(struct um_crdt *doc, uint64_t n);
void items_trim(struct um_crdt *doc);                     /* gives back what a reservation did not use */
uint32_t item_new(struct um_crdt *doc);                   /* from the reserve */
void item_free(struct um_crdt *doc, uint32_t i);          /* its content bytes become garbage */
um_err content_reserve(struct um_crdt *doc, size_t n);
uint32_t content_put(struct um_crdt *doc, struct um_span body);    /* from the reserve */
void content_drop(struct um_crdt *doc, struct item *it);  /* its bytes are not needed any more */
void content_tidy(struct um_crdt *doc);                   /* compacts when half is garbage */
void items_destroy(struct um_crdt *doc);

/* index.c: clients and their structs */
uint32_t client_find(const struct um_crdt *doc, uint64_t id);      /* NONE when unknown */
um_err client_intern(struct um_crdt *doc, uint64_t id, uint32_t *out);
void clients_truncate(struct um_crdt *doc, uint32_t n);   /* forgets the newest, which hold nothing */
void index_truncate(struct um_crdt *doc, struct client *c, uint32_t clock);    /* forgets structs from CLOCK on */
void clients_sort(struct um_crdt *doc);
um_err index_reserve(struct um_crdt *doc, struct client *c);       /* c->appends, c->inserts */
um_err index_reserve_chunks(struct um_crdt *doc);
void index_trim(struct um_crdt *doc);
void index_append(struct um_crdt *doc, struct client *c, uint32_t ref, uint32_t len);
/* The N items right of AT's in their list, which were parts of it. AT holds no longer. */
void index_insert_chain(struct um_crdt *doc, struct cursor at, uint32_t n);
struct cursor index_remove_after(struct um_crdt *doc, struct cursor at, uint32_t n);   /* AT, at its new place */
struct cursor index_find(struct client *c, uint32_t clock);       /* clock < state */
static inline struct entry *cursor_entry(struct cursor at) { return &at.c->dir[at.d].e[at.i]; }
static inline bool cursor_next(struct cursor *at)
{
    if (at->i + 1 < at->c->dir[at->d].n) {
        at->i++;
        return true;
    }
    if (at->d + 1 >= at->c->n_dir)
        return false;
    at->d++;
    at->i = 0;
    return true;
}
bool cursor_prev(struct cursor *at);
struct cursor cursor_last(struct client *c);              /* state > 0 */
static inline uint32_t cursor_end(struct cursor at)       /* clock behind the struct */
{
    return cursor_next(&at) ? cursor_entry(at)->clock : at.c->state;
}
void clients_destroy(struct um_crdt *doc);
static inline uint32_t client_before(const struct um_crdt *doc, uint32_t client)    /* state at the transaction's beginning */
{
    const struct client *c = &doc->clients.v[client];

    return c->epoch == doc->tx->epoch ? c->before : c->state;
}

/* names.c: names, roots, types, slots */
bool table_room(struct mem *m, struct table *t, uint32_t extra, uint64_t (*hash)(const void *ctx, uint32_t v),
                const void *ctx);
um_err name_intern(struct um_crdt *doc, struct um_span s, uint32_t *out);
uint32_t name_find(const struct um_crdt *doc, struct um_span s);
struct um_span name_text(const struct um_crdt *doc, uint32_t name);
um_err root_intern(struct um_crdt *doc, struct um_span name, uint32_t *out);
uint32_t root_find(const struct um_crdt *doc, struct um_span name);
um_err types_reserve(struct um_crdt *doc, uint32_t n_types, uint32_t n_slots);
uint32_t type_new(struct um_crdt *doc, uint8_t kind, uint32_t name, uint32_t item);    /* from the reserve */
void type_free(struct um_crdt *doc, uint32_t t);          /* and its slots */
void slots_drop_empty(struct um_crdt *doc, uint32_t type);
uint32_t slot_find(const struct um_crdt *doc, uint32_t type, uint32_t key);
uint32_t slot_get(struct um_crdt *doc, uint32_t type, uint32_t key);       /* from the reserve when new */
struct names_mark {
    uint32_t names, name_bytes, roots, types;
};
struct names_mark names_mark(const struct um_crdt *doc);
void names_rollback(struct um_crdt *doc, struct names_mark mark);
void names_destroy(struct um_crdt *doc);

/* navigate.c: references to types */
uint32_t type_find(const struct um_crdt *doc, const struct um_crdt_type *type);    /* NONE: no such type */
struct um_crdt_type type_named(const struct um_crdt *doc, uint32_t type);

/* offsets.c */
typedef size_t offset_fn(struct um_crdt *doc, const struct item *it, uint32_t k, bool *half);    /* bytes of K units */
offset_fn content_offset;
offset_fn content_offset_near;                            /* walks there: for those who cut from left to right */
void offsets_drop(struct um_crdt *doc);

/* split.c: cutting and joining structs */
uint32_t item_split(struct um_crdt *doc, struct cursor at, uint32_t k);    /* the right part */
void item_unsplit(struct um_crdt *doc, uint32_t client, uint32_t clock);    /* the part that begins at CLOCK */
/* The two halves of it: the right part, which the index does not know yet; and the record that item I was cut off. */
uint32_t item_part(struct um_crdt *doc, uint32_t i, uint32_t k, offset_fn *offset);
void cut_note(struct um_crdt *doc, uint32_t i);
uint32_t item_ending(struct um_crdt *doc, uint32_t client, uint32_t clock);    /* last id is clock; NONE: collected */
uint32_t item_starting(struct um_crdt *doc, uint32_t client, uint32_t clock);  /* first id is clock; NONE: collected */
uint32_t item_holding(const struct um_crdt *doc, uint32_t client, uint32_t clock);     /* as it is; NONE: collected */
bool entry_stands_alone(const struct um_crdt *doc, struct cursor at);     /* merge_lefts would do nothing */
uint32_t merge_lefts(struct um_crdt *doc, struct cursor *at);     /* joins AT to what is left of it; how many */

/* delete.c */
void item_delete(struct um_crdt *doc, uint32_t i);
void range_delete(struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t end);    /* end <= state */
void tx_record_delete(struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t len);
void tx_note_split(struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t cut);
void tx_note_change(struct um_crdt *doc, uint32_t type);
void collect_deleted(struct um_crdt *doc);                /* garbage collection of the transaction's deletions */

/* ranges.c */
void deletions_apply(struct um_crdt *doc, struct um_span ds);     /* a checked delete set */

/* changes.c: only while there is an observer */
void change_note(struct um_crdt *doc, const struct item *it);     /* added or deleted: its list or key changed */
void subdoc_note(struct um_crdt *doc, uint32_t item, bool removed);
void changes_tell(struct um_crdt *doc);                   /* of the running transaction; nothing is collected yet */

/* integrate.c */
void item_enter(struct um_crdt *doc, uint32_t i, uint32_t left, uint32_t type);    /* I has all but its neighbours */
/* The same where others may have put items between LEFT and RIGHT (NONE: the ends). */
void item_enter_between(struct um_crdt *doc, uint32_t i, uint32_t left, uint32_t right, uint32_t type);
void integrate(struct um_crdt *doc, uint32_t client, struct wire *w, uint32_t offset);

/* plan.c: order of integration, reservation */
struct plan_run {
    uint32_t section, n;
};
struct plan_section {
    struct section s;
    uint32_t client;                  /* NONE: a client that nothing is known of and that stays so */
    struct rd r;                      /* while planning and again while integrating: the next struct */
    uint32_t clock, left;             /* of the next struct; structs from it on */
    const uint8_t *rest;              /* parked: the first struct that stays, NULL: none */
    uint32_t rest_clock, rest_n;
    bool stacked;
    struct missing missing;           /* stacked: what the next struct waits for */
};
typedef VEC(struct plan_section) plan_section_vec;
struct plan {
    const struct scan *scan;
    const uint8_t *end;               /* of the update */
    plan_section_vec sections;
    VEC(struct plan_run) runs;
    VEC(uint32_t) stack;
    VEC(struct missing) missing;
    uint32_t fresh;                   /* structs that will be integrated */
    uint32_t parked;                  /* structs that must wait */
    uint32_t parked_ranges;
    size_t content;                   /* bytes that may be stored */
    uint64_t items;                   /* that may be needed */
};
um_err plan_make(struct um_crdt *doc, struct plan *p, struct um_span update, const struct scan *scan);
bool plan_run(struct um_crdt *doc, struct plan *p, uint64_t max_scan);    /* false: gave up (rollback.c) */
void plan_free(struct um_crdt *doc, struct plan *p);
um_err depth_check(struct um_crdt *doc, struct plan *p);

/* rollback.c */
void tx_rollback(struct um_crdt *doc);                    /* takes back what plan_run did, before anything is joined */

/* tx.c: the life of a transaction */
void tx_begin(struct um_crdt *doc, struct tx *tx, bool local);
um_err tx_touch(struct um_crdt *doc, uint32_t client);    /* before the first change */
void tx_sort_deleted(struct um_crdt *doc);
bool tx_changed(const struct um_crdt *doc);
void tx_tidy(struct um_crdt *doc);                        /* collecting and joining at the end */
void tx_scratch_trim(struct um_crdt *doc);                /* before a transaction: gives back unusually large scratch */
void tx_settle(struct um_crdt *doc, const struct um_crdt_applied *out);    /* behind it: spare memory, the cache */
void tx_free(struct um_crdt *doc, struct tx *tx);

/* pending.c */
um_err pending_reserve(struct um_crdt *doc, const struct plan *p, struct piece *piece);
void pending_add(struct um_crdt *doc, const struct plan *p, struct piece *piece);
bool pending_is_ready(const struct um_crdt *doc);         /* something may go on */
um_err pending_merged(const struct um_crdt *doc, struct um_buf *out);    /* all pieces as one update */
void pending_drop_pieces(struct um_crdt *doc);
void pending_apply_ranges(struct um_crdt *doc);
um_err pending_ranges_room(struct um_crdt *doc, uint32_t client);
void pending_put_range(struct um_crdt *doc, struct range g);    /* from the reserve */
void pending_destroy(struct um_crdt *doc);

/* format.c */
struct um_span format_key(const struct um_crdt *doc, uint32_t i);         /* of a Format item */
struct um_span format_value(const struct um_crdt *doc, uint32_t i);       /* JSON text */
bool format_cleanup_wanted(struct um_crdt *doc);
void format_cleanup(struct um_crdt *doc);                 /* fills and finishes the second transaction */

/* encode.c */
/* The structs of C with clocks [FROM, TO), cut at both ends. */
void section_write(const struct um_crdt *doc, struct client *c, uint32_t from, uint32_t to, struct um_buf *out);
um_err ds_encode(const struct um_crdt *doc, struct um_buf *out);  /* the document's delete set */
um_err event_encode(struct um_crdt *doc, struct um_buf *out);     /* of the running transaction */
bool event_has_ds(struct um_crdt *doc, struct um_span ds);        /* the transaction deleted exactly DS */
void deletions_changed(struct um_crdt *doc);

/* cache.c */
void cache_note(struct um_crdt *doc, struct um_span event);
void cache_drop(struct um_crdt *doc);

/* merge.c */
um_err updates_merge(struct mem *m, const struct um_span *updates, size_t n, struct um_buf *out);   /* checked ones */
um_err update_diff(struct mem *m, struct um_span update, const sv_vec *sv, struct um_buf *out);

#endif
