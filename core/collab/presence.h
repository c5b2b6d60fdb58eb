/* Presence ("awareness"): per document, who is here. Rules of y-protocols 1.0.7, with nulls always applied and each id
 * bound to the user who spoke last for it, here or at another core. States are JSON text, kept as received. One loop. */
#ifndef COLLAB_PRESENCE_H
#define COLLAB_PRESENCE_H
#include <umbel/bytes.h>
#include <umbel/map.h>
#include <umbel/list.h>

/* Who else is told what changes here: the other cores, stock servers. Each takes it by itself. */
enum presence_ear { PRESENCE_CORES, PRESENCE_STOCK, PRESENCE_EARS };

struct presence_entry {
    struct um_list link;                 /* in presence.all */
    struct um_list dirty_link;           /* in presence.dirty while a broadcast is due */
    struct um_list news_link[PRESENCE_EARS];     /* in presence.news while they do not know it */
    struct um_list contested_link;       /* in presence.contested while it is to be asked */
    uint64_t client;
    uint64_t clock;
    char *state;                         /* NULL: gone, only the clock is remembered */
    size_t state_len;
    const void *owner;                   /* the seat or the other core; NULL when it has left */
    const void *claimant;                /* the seat that said the same again, while OWNER was there; or NULL */
    uint64_t contested_clock;            /* it is to answer with a higher one */
    uint64_t round;                      /* when OWNER last told everything that it has: named in that round */
    bool is_remote;                      /* the owner is, or was, another core */
    char *user;                          /* of the owner; NULL: not known */
    int64_t heard_at_ms;
};
struct presence {
    struct um_map by_client;             /* key: the id's 8 bytes */
    struct um_list all, dirty, news[PRESENCE_EARS], contested;
    size_t n_present, n_known;
    uint64_t round;
};
struct presence_limits { int64_t state_bytes, ids_per_frame, ids; };

void presence_init(struct presence *p);
void presence_free(struct presence *p);

struct presence_result {
    unsigned accepted, ignored;
    bool needs_query;                    /* one entry lost by its clock alone while nobody is present under its id */
    uint64_t query_client, query_clock;
    struct presence_entry *claimed;      /* present under this clock already, by another connection */
};
struct presence_speaker {
    const void *who;                     /* a seat, or another core */
    const char *user;                    /* speaks for ids of this user; NULL: for any */
    bool is_remote;
    bool is_vouched;                     /* a gateway's word that this is the speaker's own: it speaks for it from now on, news or not */
};
/* Applies an awareness update. An id that another live owner introduced for another user is left alone, and so is the word
 * of another core that somebody is gone who is connected here. The frame is checked before the first change.
 * UM_EPROTO, UM_ELIMIT. */
um_err presence_apply(struct presence *p, struct um_span update, const struct presence_speaker *by, int64_t now_ms,
                      const struct presence_limits *limits, struct presence_result *out);
/* The same for what another core tells (bus_wire.h): each entry with its user. IS_ALL: it has nobody else. */
um_err presence_apply_told(struct presence *p, struct um_span told, bool is_all, const void *core, int64_t now_ms,
                           const struct presence_limits *limits, struct presence_result *out);

/* Somebody who is connected here was taken for gone by others, or by us when their earlier connection ended. They are to be
 * told so, and answer with a higher clock. *SEAT is theirs. False: nobody any more. */
bool presence_take_contested(struct presence *p, const void **seat, uint64_t *client, uint64_t *clock);

void presence_owner_left(struct presence *p, const void *owner);           /* marks its ids gone and dirty */
/* OWNER says no more for its ids, who may be elsewhere: they stay as they are until their new owner is heard, or they were last
 * heard before what presence_expire allows. HEARD_AT_MS: they count as heard then at the latest. */
void presence_owner_moved(struct presence *p, const void *owner, int64_t heard_at_ms);
bool presence_expire(struct presence *p, int64_t now_ms, int64_t age_ms);  /* true: something became dirty */

/* What other cores are to be told: what has changed here since the last call; or all that is present here. False: nothing. */
bool presence_take_news(struct presence *p, struct um_buf *out);
bool presence_put_own(const struct presence *p, struct um_buf *out);
/* The same for stock servers, as awareness updates (the second one also when nobody is present). */
bool presence_take_stock_news(struct presence *p, struct um_buf *out);
void presence_encode_own(const struct presence *p, struct um_buf *out);

/* All present states as an awareness update; false when there are none. */
bool presence_encode_all(const struct presence *p, struct um_buf *out);
/* Everything that is known, those who have gone included: for a reader that has missed who left. */
bool presence_encode_known(const struct presence *p, struct um_buf *out);
/* The dirty entries (nulls included), and clears them. *OWNER: the one seat they all came from, or NULL. */
bool presence_take_dirty(struct presence *p, struct um_buf *out, const void **owner);

#endif
