/* The local copy of all live reservations. One owner loop changes it; any thread reads it (a lock of its own).
 *
 * Reports of one component may come late, twice, or in the wrong order. They are put in order by what they say:
 *
 *   (token, is it free) only grows: a grant has a higher token than all before, and what was given back is not given again
 *   under the same token. An older report changes nothing; an equal one can only lengthen the lease.
 *
 * So what became free is remembered for a while (COPY_GRAVE_MS), or a late report of its grant would bring it back. */
#ifndef RESERVE_COPY_H
#define RESERVE_COPY_H
#include <pthread.h>
#include <umbel/map.h>
#include <umbel/reserve.h>

enum { COPY_GRAVE_MS = 60000, COPY_RECHECK_MS = 1000 };

struct copy_entry {
    struct um_store_reserved row;             /* strings are in TEXT; user and session stay readable when it is free */
    bool is_free;
    uint64_t version;                         /* of the cache, when this was learnt */
    int64_t sure_ms, until_ms;                /* um_now_ms; until_ms of a free one: when it is forgotten */
    int64_t asked_ms;                         /* when copy_due named it last; 0: not since it was granted */
    int64_t wrote_ms;                         /* when its holder's writing renewed it last */
    char *text;
};

struct copy {
    pthread_mutex_t lock;
    struct um_map entries;                    /* key of copy_key -> struct copy_entry */
    struct um_map sessions;                   /* session -> how many it holds */
    size_t held;
    bool loaded;
};

/* What a report has changed. */
enum copy_verdict { COPY_SAME, COPY_TAKEN, COPY_FREED, COPY_CONFIRMED };
struct copy_outcome {
    enum copy_verdict verdict;
    char user[UM_RESERVE_USER_MAX + 1];       /* the holder: now, when TAKEN or CONFIRMED; until now, when FREED */
    char session[UM_RESERVE_SESSION_MAX + 1];
};

void copy_init(struct copy *c);
void copy_free(struct copy *c);
/* ROW was so in VERSION. MARGIN_MS before its end a lease is no longer relied upon. False: the row is not fit to be kept. */
bool copy_report(struct copy *c, const struct um_store_reserved *row, uint64_t version, int64_t now_ms, int64_t margin_ms,
                 struct copy_outcome *out);
/* After a reading of everything in VERSION: those that are held here, were learnt up to VERSION and stand not in MAP (keys of
 * copy_key) are free. Calls FN for each, outside of the lock. */
void copy_sweep_absent(struct copy *c, const struct um_map *present, uint64_t version, int64_t now_ms,
                       void (*fn)(void *arg, const char *category, const char *id, const struct copy_outcome *o), void *arg);
/* Components whose lease should be asked about now, at most MAX of them into OUT (strings are the caller's to free); each is
 * named again when its lease should be over, and every COPY_RECHECK_MS. Forgets graves. *NEXT_MS: when to look again. */
size_t copy_due(struct copy *c, int64_t now_ms, struct um_store_ref *out, size_t max, int64_t *next_ms);
/* May SESSION have all of REFS? What it holds already does not count again. */
bool copy_has_room(struct copy *c, const char *session, const struct um_store_ref *refs, size_t n, int64_t max,
                   int64_t max_per_session);

enum um_reserve_is copy_look(struct copy *c, const char *category, const char *id, int64_t now_ms, struct um_reserve_holder *out);
/* True when USER holds it and its writing has not renewed it for EVERY_MS; SESSION gets the holder's. */
bool copy_wants_renewal(struct copy *c, const char *category, const char *id, const char *user, int64_t now_ms,
                        int64_t every_ms, char session[UM_RESERVE_SESSION_MAX + 1]);
size_t copy_list(struct copy *c, const struct um_reserve_filter *f, int64_t now_ms,
                 void (*cb)(void *arg, const struct um_store_reserved *row), void *arg);

/* Puts S with its zero byte at *AT, and moves *AT behind it; returns where it begins. */
const char *copy_put_text(char **at, const char *s);
/* The key of a component; OUT is cleared first. */
void copy_key(struct um_buf *out, const char *category, const char *id);

#endif
