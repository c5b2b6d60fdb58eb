/* What this process knows of sessions in Redis: the last picture of each with the time when it was verified, for the minutes in
 * which Redis is away (reliability.md S6), and uses that are still to be written. Bounded: the copy that was used least
 * recently goes. Any thread. */
#ifndef SESSION_COPIES_H
#define SESSION_COPIES_H
#include <umbel/session.h>

struct copies;
struct copies *copies_new(size_t max, int64_t write_every_ms, int64_t (*now_ms)(void));
void copies_free(struct copies *c);       /* NULL is fine */

/* S was read from Redis just now; its last use that Redis knows was IDLE_MS ago. */
void copies_put(struct copies *c, const struct um_session *s, int64_t idle_ms);
void copies_drop(struct copies *c, const char *id);
/* A reference to the picture of ID if it was verified within GRACE_MS; else NULL. */
const struct um_session *copies_get(struct copies *c, const char *id, int64_t grace_ms);

/* ID is used. True: write it now. False: it is remembered, and comes out of copies_take when it is due. */
bool copies_touch(struct copies *c, const char *id) UM_CHECK_RESULT;
/* The use of ID AGE_MS ago could not be written. */
void copies_retouch(struct copies *c, const char *id, int64_t age_ms);

struct copies_use {
    char id[UM_SESSION_ID_LEN + 1];
    int64_t age_ms;
};
/* Uses that are to be written now: those that are due, or with USER all of that user's. At most N come at a time. */
size_t copies_take(struct copies *c, const char *user, struct copies_use *out, size_t n);

#endif
