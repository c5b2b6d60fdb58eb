/* What the engine counts: one row each. */
#ifndef COLLAB_COUNTERS_H
#define COLLAB_COUNTERS_H
#include <umbel/metrics.h>

#define COLLAB_COUNTERS(X)                                                                              \
    X(DOCUMENTS,      "collab.documents.open",   "documents",   GAUGE,   "documents in memory")          \
    X(SOCKETS,        "collab.sockets",          "sockets",     GAUGE,   "open collaboration sockets")   \
    X(CONNECTIONS,    "collab.connections",      "connections", GAUGE,   "document connections")         \
    X(UNSTORED,       "collab.unstored.bytes",   "bytes",       GAUGE,   "changes that are not committed yet") \
    X(UPDATES,        "collab.updates",          "updates",     COUNTER, "updates that changed a document") \
    X(RELAYED,        "collab.relayed",          "frames",      COUNTER, "frames queued for readers")    \
    X(ACKS,           "collab.acks",             "frames",      COUNTER, "updates acknowledged as stored") \
    X(REFUSED_UPDATE, "collab.refused.update",   "updates",     COUNTER, "updates that were refused: malformed, over a limit, or without the right") \
    X(REFUSED_FRAME,  "collab.refused.frame",    "frames",      COUNTER, "frames that broke the protocol") \
    X(REFUSED_AUTH,   "collab.refused.auth",     "tokens",      COUNTER, "admissions that were denied")  \
    X(LIMIT_HIT,      "collab.limit.hit",        "times",       COUNTER, "sockets ended or held back by a limit") \
    X(BEHIND,         "collab.readers.behind",   "times",       COUNTER, "readers that fell behind and got one merged update") \
    X(STORE_RETRIES,  "collab.store.retries",    "appends",     COUNTER, "appends that were repeated after a failure") \
    X(FOLDS,          "collab.folds",            "folds",       COUNTER, "logs folded into their document's state") \
    X(FOLD_CONFLICTS, "collab.fold.conflicts",   "folds",       COUNTER, "folds that another writer overtook") \
    X(RESTS,          "collab.rests",            "times",       COUNTER, "quiet documents that went back to their encoded form") \
    X(LOAD_FAILURES,  "collab.load.failures",    "loads",       COUNTER, "documents that could not be loaded")

enum collab_counter {
#define X(id, name, unit, kind, help) C_##id,
    COLLAB_COUNTERS(X)
#undef X
    C_N
};
extern struct um_metric collab_counters[C_N];
static inline void count(enum collab_counter c, int64_t n) { um_count(&collab_counters[c], n); }

#endif
