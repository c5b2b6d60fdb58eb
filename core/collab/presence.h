/* Presence ("awareness"): per document, who is here. Rules of y-protocols 1.0.7, with nulls always applied and each id
 * bound to the seat that spoke last for it. States are JSON text, kept as received. One loop. */
#ifndef COLLAB_PRESENCE_H
#define COLLAB_PRESENCE_H
#include <umbel/bytes.h>
#include <umbel/map.h>
#include <umbel/list.h>

struct presence_entry {
    struct um_list link;                 /* in presence.all */
    struct um_list dirty_link;           /* in presence.dirty while a broadcast is due */
    uint64_t client;
    uint64_t clock;
    char *state;                         /* NULL: gone, only the clock is remembered */
    size_t state_len;
    const void *owner;                   /* the seat; NULL when it has left */
    int64_t heard_at_ms;
};
struct presence {
    struct um_map by_client;             /* key: the id's 8 bytes */
    struct um_list all, dirty;
    size_t n_present, n_known;
};
struct presence_limits { int64_t state_bytes, ids_per_frame, ids; };

void presence_init(struct presence *p);
void presence_free(struct presence *p);

struct presence_result {
    unsigned accepted, ignored;
    bool needs_query;                    /* one entry lost by its clock alone while nobody is present under its id */
    uint64_t query_client, query_clock;
};
/* Applies an awareness update from OWNER. MAY(arg, entry) says whether OWNER may speak for an entry that another seat
 * owns. The frame is checked before the first change. UM_EPROTO, UM_ELIMIT. */
um_err presence_apply(struct presence *p, struct um_span update, const void *owner, int64_t now_ms,
                      const struct presence_limits *limits, bool (*may)(const void *owner, const void *present_owner),
                      struct presence_result *out);
void presence_owner_left(struct presence *p, const void *owner);           /* marks its ids gone and dirty */
bool presence_expire(struct presence *p, int64_t now_ms, int64_t age_ms);  /* true: something became dirty */

/* All present states as an awareness update; false when there are none. */
bool presence_encode_all(const struct presence *p, struct um_buf *out);
/* Everything that is known, those who have gone included: for a reader that has missed who left. */
bool presence_encode_known(const struct presence *p, struct um_buf *out);
/* The dirty entries (nulls included), and clears them. *OWNER: the one seat they all came from, or NULL. */
bool presence_take_dirty(struct presence *p, struct um_buf *out, const void **owner);

#endif
