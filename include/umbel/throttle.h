/* Slows down guessing of passwords. Failures are counted per (user, address), so nobody can lock somebody else out:
 * a number of attempts is free, then each further one has to wait 1 s, 2 s, 4 s ... up to a bound.
 * An attempt counts as failed from its beginning, so that guessing in parallel gains nothing. Any thread. */
#ifndef UMBEL_THROTTLE_H
#define UMBEL_THROTTLE_H
#include <umbel/base.h>

struct um_conf_table;

struct um_throttle_conf {
    int64_t free_attempts;                /* 5 */
    int64_t first_wait_ms;                /* 1000, doubled at each further failure */
    int64_t max_wait_ms;                  /* 300000 */
    int64_t forget_ms;                    /* 900000 without an attempt: forgotten */
    int64_t max_entries;                  /* 10000; the one that was quiet longest gives way */
};
#define UM_THROTTLE_DEFAULTS ((struct um_throttle_conf){ 5, 1000, 300000, 900000, 10000 })
extern const struct um_conf_table um_throttle_conf_table;

struct um_throttle;
struct um_throttle *um_throttle_new(const struct um_throttle_conf *cf);
void um_throttle_free(struct um_throttle *t);      /* NULL is fine */

/* Asks for one attempt. 0: go on; it is counted as failed until one of the two calls below. Otherwise the milliseconds
 * to wait; nothing is counted. NOW_MS is monotonic. */
int64_t um_throttle_take(struct um_throttle *t, const char *user, const char *address, int64_t now_ms) UM_CHECK_RESULT;
void um_throttle_succeeded(struct um_throttle *t, const char *user, const char *address);   /* forgets the failures */
void um_throttle_undecided(struct um_throttle *t, const char *user, const char *address);   /* this one does not count */
/* An administrator's word: failures of USER from any address are forgotten. Returns how many addresses there were. */
size_t um_throttle_forget(struct um_throttle *t, const char *user);
/* Those who have failed, the latest last. WAIT_MS: until the next attempt is allowed; 0: it is. CB runs during the call, under a lock. */
typedef void um_throttle_row(void *arg, const char *user, const char *address, int64_t failures, int64_t wait_ms);
void um_throttle_each(struct um_throttle *t, int64_t now_ms, um_throttle_row *cb, void *arg);
size_t um_throttle_entries(struct um_throttle *t);

#endif
