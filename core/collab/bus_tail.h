/* The tail of the streams (collab.cluster.transport=streams): updates that went through Redis and may not be in the store yet, as
 * this hub has read them. Pure; one per hub, on its loop.
 *
 * 1. An entry is durable when its speaker has said so (the number `stored` of bus_wire.h), or when we have stored it ourselves.
 * 2. What stands in front of the first entry that is not durable and young is of no more use: tail_trim gives the position. So a
 *    stream is never cut behind what the store does not have.
 * 3. Durable entries stay for TAIL_KEEP_MS: who has begun to load a document before the commit finds them here. */
#ifndef COLLAB_BUS_TAIL_H
#define COLLAB_BUS_TAIL_H
#include <umbel/list.h>
#include <umbel/map.h>
#include "bus_wire.h"

enum { TAIL_STREAMS = 4, TAIL_KEEP_MS = 5000, TAIL_MAX_BYTES = 64 << 20, TAIL_MAX_ENTRIES = 200000 };
struct tail_id { uint64_t ms, seq; };        /* of an entry of a Redis stream */

struct tail {
    struct um_list entries[TAIL_STREAMS];    /* as they came */
    struct um_map speakers;                  /* origin, epoch, document -> struct speaker */
    size_t n, bytes;
    bool has_holes;                          /* too much: the oldest were dropped. False again when the tail was empty */
};
void tail_init(struct tail *t);
void tail_free(struct tail *t);
unsigned tail_stream_of(struct um_span document);            /* which of TAIL_STREAMS */
/* An UPDATE that was read from STREAM. One that is here already is passed over; what is no UPDATE too. False: not taken. */
bool tail_add(struct tail *t, unsigned stream, struct tail_id id, struct um_span message, int64_t now_ms);
/* Any message: what it says of how far its speaker has stored. */
void tail_hear(struct tail *t, struct um_span message);
/* FN gets the updates of DOCUMENT, oldest first, and up to which number their speaker has stored; it may not change the tail. */
typedef void tail_replay_fn(void *arg, struct um_span message, uint64_t stored);
size_t tail_replay(struct tail *t, struct um_span document, tail_replay_fn *fn, void *arg);
/* The entries that are not durable and older than AGE_MS: FN says whether we have stored that one ourselves; then GONE gets its
 * position, and it is dropped. */
void tail_orphans(struct tail *t, int64_t now_ms, int64_t age_ms, bool (*is_stored)(void *arg, struct um_span document, uint64_t origin),
                  void (*gone)(void *arg, unsigned stream, struct tail_id id), void *arg);
/* Drops what is durable and old at the beginning of STREAM. True: *UPTO is the first that has to stay. */
bool tail_trim(struct tail *t, unsigned stream, int64_t now_ms, struct tail_id *upto);
/* Redis has nothing before FIRST any more. */
void tail_forget(struct tail *t, unsigned stream, struct tail_id first);
bool tail_is_empty(const struct tail *t, unsigned stream);
bool tail_id_read(struct um_span text, struct tail_id *out);
#define TAIL_ID_SIZE 44
void tail_id_write(struct tail_id id, char out[TAIL_ID_SIZE]);

#endif
