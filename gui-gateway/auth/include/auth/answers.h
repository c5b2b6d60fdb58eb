/* What a gateway answers when an administrator asks all members. */
#ifndef AUTH_ANSWERS_H
#define AUTH_ANSWERS_H
#include <umbel/session.h>
#include <umbel/throttle.h>

struct um_ask;
struct um_auth_answers {                  /* borrowed; all outlive the um_ask */
    struct um_loop *loop;                 /* that of the um_ask */
    struct um_sessions *sessions;
    struct um_throttle *throttle;
};
void um_auth_serve(struct um_ask *ask, struct um_auth_answers *on);       /* before the loop runs */

#endif
