/* What the parts of crdt_diff share: a case at work, its operands, and the telling of differences. */
#ifndef CRDT_DIFF_H
#define CRDT_DIFF_H
#include <umbel/crdt_types.h>

#define PLACES 4
#define BLOBS_MAX 4096
#define NAMES_MAX 16

enum command {                        /* as in case.mjs */
    END, BLOB, DOCUMENT, ROOT, APPLY, STATE_VECTOR, STATE, PENDING, DUMP, JSON, PLAIN, TEXT, XML, DELTA, MERGE,
    MERGE_UNDECIDED, DIFF, SV_OF_UPDATE, META, ENOUGH,
    APPLY_V2, STATE_V2, MERGE_V2, DIFF_V2, SV_OF_UPDATE_V2, META_V2, V1_TO_V2, V2_TO_V1,
    BEGIN, COMMIT, LIST_INSERT, LIST_PUSH, LIST_DELETE, MAP_SET, MAP_DELETE, MAP_CLEAR, TEXT_INSERT, TEXT_EMBED,
    TEXT_FORMAT, TEXT_DELETE, TEXT_DELTA,
    SNAPSHOT, RESTORE, DELTA_AT, POSITION, RESOLVE
};

struct declared {
    struct um_span name;
    enum um_crdt_kind kind;
};
struct place {
    struct um_crdt *doc, *peer;       /* the peer hears what the document tells */
    bool gc;
    struct declared roots[NAMES_MAX];
    unsigned n_roots;
};
struct run {                          /* one case */
    struct um_span seed;
    uint64_t number;
    struct um_reader r;
    struct um_span blobs[BLOBS_MAX];
    size_t n_blobs;
    struct place places[PLACES];
    struct um_buf got;                /* what the library says */
    const char *doing;
    unsigned commands, differences, checks;
    bool verbose;
};


void differs(struct run *run, const char *fmt, ...) UM_PRINTF(2, 3);
bool same_bytes(struct run *run, struct um_span got, struct um_span want, bool text);
void same_json(struct run *run, struct um_span got, struct um_span want);
/* The result of a call that appends to run->got; clears it. */
void same_result(struct run *run, um_err err, struct um_span want, bool text);
void must(struct run *run, um_err err, const char *what);
static inline struct um_span got_span(const struct run *run) { return UM_SPAN(run->got.data, run->got.len); }

struct um_span read_blob(struct run *run);
struct place *read_place(struct run *run);
/* Compares what the document told with what stands next in the case; the peer hears it. UPDATE: what came in. */
void told_check(struct run *run, struct place *s, const struct um_crdt_applied *a, struct um_span update);

void edit(struct run *run, enum command c);           /* diff_edit.c: BEGIN to TEXT_DELTA */
void history(struct run *run, enum command c);        /* diff_history.c: SNAPSHOT to RESOLVE */
#endif
