/* Events: what a transaction changed, as yjs tells its observers: per shared type a delta of the list and the keys
 * that changed, and the sub-documents that came and went. Nothing is noted or computed while nobody listens.
 *
 *     static void heard(void *arg, const struct um_crdt_changes *changes)
 *     {
 *         for (size_t i = 0; i < changes->n; i++)
 *             if (changes->v[i].list)
 *                 err = um_crdt_change_delta(changes, i, UM_CRDT_PLAIN, out);   // [{"retain":2},{"insert":"x"}]
 *     }
 *     um_crdt_observe(doc, heard, arg);
 *
 * The functions below return UM_ENOMEM, UM_ELIMIT (a text with more than 1,000 attributes active at once), UM_EINVAL
 * for an I that is out of range. They append to OUT; after an error the new bytes mean nothing. */
#ifndef UMBEL_CRDT_EVENTS_H
#define UMBEL_CRDT_EVENTS_H
#include <umbel/crdt_position.h>

/* One shared type that existed before the transaction and still does, and whose list or keys changed. */
struct um_crdt_change {
    struct um_crdt_type type;
    enum um_crdt_kind kind;
    struct um_span root;              /* name of the root above it, or its own */
    bool list, keys;                  /* what changed: its list; its map entries or attributes */
};

enum um_crdt_subdoc_action { UM_CRDT_SUBDOC_LOADED, UM_CRDT_SUBDOC_ADDED, UM_CRDT_SUBDOC_REMOVED };
struct um_crdt_subdoc_change {
    enum um_crdt_subdoc_action action;    /* loaded: its author wants it loaded at once (autoLoad); also added */
    struct um_span guid;
};

/* One transaction. Everything in it, spans included, is borrowed and ends with the callback. */
struct um_crdt_changes {
    const void *origin;               /* as um_crdt_set_origin said; NULL for the clean-up of formatting marks */
    bool local;                       /* made here: an edit, or the clean-up */
    bool incomplete;                  /* memory ran out while noting: changes may be missing. Read what you need */
    size_t n, n_subdocs;
    const struct um_crdt_change *v;   /* root by root in order of their first change, shorter paths first */
    const struct um_crdt_subdoc_change *subdocs;      /* in this order: loaded, added, removed */
    struct tx_changes *inside;           /* the library's own */
};

/* Runs on the caller's thread inside the function that changes the document, once for a transaction that changed
 * something of the above, and once more for the clean-up of formatting marks that followed. The document already
 * has its new content; deleted values can still be told. The callback may read the document with um_crdt_read_*
 * and must not change or encode it. */
typedef void um_crdt_observer(void *arg, const struct um_crdt_changes *changes);

/* Who listens; NULL: nobody. Not to be called from the observer. */
void um_crdt_observe(struct um_crdt *doc, um_crdt_observer *cb, void *arg);

/* Names who is behind the updates that are applied from now on; observers see it as `origin`. Never followed. */
void um_crdt_set_origin(struct um_crdt *doc, const void *origin);

/* Change I's place below its root as a JSON array of keys and positions, now: ["list",3]; [] for the root. */
UM_CHECK_RESULT um_err um_crdt_change_path(const struct um_crdt_changes *changes, size_t i, struct um_buf *out);

/* The change of the list as a JSON array. Texts: {"insert":text or value,"attributes":{…}}, {"retain":n,…},
 * {"delete":n}; others: the same with "insert" as a list of values. Nested types appear as in um_crdt_read_json.
 * [] when `list` is false. */
UM_CHECK_RESULT um_err um_crdt_change_delta(const struct um_crdt_changes *changes, size_t i, enum um_crdt_form form,
                                            struct um_buf *out);

/* The keys that changed as a JSON object, key -> {"action":"add","newValue":…}, {"action":"update","oldValue":…,
 * "newValue":…} or {"action":"delete","oldValue":…}. A type that was deleted has lost its content: {} or "". Keys
 * that came and went within the transaction are left out. */
UM_CHECK_RESULT um_err um_crdt_change_keys(const struct um_crdt_changes *changes, size_t i, enum um_crdt_form form,
                                           struct um_buf *out);

/* All of it: {"local":…,"incomplete":true (only then),"changes":[{"root":…,"path":…,"kind":"Text","delta":…,
 * "keys":…}],"subdocs":{"loaded":[…],"added":[…],"removed":[…]}}. Without `delta`, `keys`, `subdocs` where there
 * are none. */
UM_CHECK_RESULT um_err um_crdt_changes_json(const struct um_crdt_changes *changes, enum um_crdt_form form,
                                            struct um_buf *out);

#endif
