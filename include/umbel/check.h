/* The check of a member by itself: every part that it needs is tried, and what is wrong comes with advice. Asked for by
 * administrators, through umbel/ask.h, topic UM_CHECK_TOPIC; the answer:
 *
 *   {"at": wall clock in ms, "members": [ids that it knows], "results": [{"name","status","detail","advice","ms"}]}
 *
 * A part is a function that says one or more results, now or later. All on the loop of the node. */
#ifndef UMBEL_CHECK_H
#define UMBEL_CHECK_H
#include <jansson.h>
#include <umbel/base.h>

#define UM_CHECK_TOPIC "check"

struct um_check;                              /* one run */
struct um_node;

enum um_check_status { UM_CHECK_OK, UM_CHECK_WARN, UM_CHECK_FAIL };
const char *um_check_status_text(enum um_check_status s);

typedef void um_check_part(void *arg, struct um_check *c);
void um_node_add_check(struct um_node *n, um_check_part *part, void *arg);      /* before the loop runs */

/* US: how long it took; -1: that does not say anything. ADVICE: what to do; NULL when all is well. */
void um_check_say(struct um_check *c, const char *name, enum um_check_status status, int64_t us, const char *advice, const char *fmt, ...)
    UM_PRINTF(6, 7);
const json_t *um_check_question(const struct um_check *c);       /* what came along with the question; may be NULL */
/* The run waits for who holds it. */
void um_check_hold(struct um_check *c);
void um_check_release(struct um_check *c);

/* How far two clocks may be apart before it is told, and before tokens are refused. */
enum { UM_CHECK_CLOCK_WARN_MS = 1000, UM_CHECK_CLOCK_FAIL_MS = 20000 };
enum um_check_status um_check_clock(int64_t apart_ms);

#endif
