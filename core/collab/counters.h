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
    X(FOLDS_OFFERED,  "collab.folds.offered",    "folds",       COUNTER, "documents that were offered to workers for folding") \
    X(FOLD_CONFLICTS, "collab.fold.conflicts",   "folds",       COUNTER, "folds that another writer overtook") \
    X(RESTS,          "collab.rests",            "times",       COUNTER, "quiet documents that went back to their encoded form") \
    X(BUS_SENT,       "collab.bus.sent",         "messages",    COUNTER, "messages to other cores")        \
    X(BUS_SENT_BYTES, "collab.bus.sent.bytes",   "bytes",       COUNTER, "their bytes")                    \
    X(BUS_HEARD,      "collab.bus.heard",        "messages",    COUNTER, "messages that came in, our own included") \
    X(BUS_UPDATES,    "collab.bus.updates",      "updates",     COUNTER, "other cores' updates that changed a document") \
    X(BUS_GAPS,       "collab.bus.gaps",         "times",       COUNTER, "another core was asked for what had been missed") \
    X(BUS_REFUSED,    "collab.bus.refused",      "messages",    COUNTER, "messages that were malformed or over a limit") \
    X(BUS_TOO_LONG,   "collab.bus.too-long",     "messages",    COUNTER, "messages that were not sent for their length: the store has it") \
    X(BUS_NO_ANSWER,  "collab.bus.no-answer",    "times",       COUNTER, "documents that were opened before every other core had answered") \
    X(BUS_DOUBTS,     "collab.bus.doubts",       "messages",    GAUGE,   "other cores' updates that may not be durable yet") \
    X(BUS_ADOPTED,    "collab.bus.adopted",      "messages",    COUNTER, "such updates that were stored here, their core being gone") \
    X(BUS_STREAM_READ, "collab.bus.stream.read", "updates",    COUNTER, "entries that were read from streams, our own included") \
    X(BUS_RECOVERED,  "collab.bus.recovered",    "updates",     COUNTER, "updates that a document got from the streams' tail when it was opened") \
    X(BUS_TRIMS,      "collab.bus.trims",        "times",       COUNTER, "streams were cut behind what the store has") \
    X(STOCK_BRIDGED,  "collab.stock.bridged",    "updates",     COUNTER, "updates passed on between stock servers that cannot hear one another") \
    X(STOCK_LOCKED,   "collab.stock.locked",     "times",       COUNTER, "folds that waited while a stock server was storing the document") \
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
