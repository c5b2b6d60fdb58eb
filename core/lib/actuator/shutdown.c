/* shutdown: the process ends as by SIGTERM, half a second later, so that its reply leaves. */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { REPLY_MS = 500 };

static void end_process(void *arg)
{
    (void)arg;
    kill(getpid(), SIGTERM);                  /* the main thread waits for it, and takes everything down in order */
}

void um_actuator_shut_down(const struct um_actuator *a, struct um_http_req *rq)
{
    static _Atomic bool asked;
    static struct um_timer timer;
    struct um_loop *loop = um_http_loop(rq);

    if (!atomic_exchange(&asked, true)) {
        um_log(UM_WARN, "actuator", "shutting down, as an administrator wants it");
        um_timer_set(loop, &timer, um_loop_next_ms(loop, REPLY_MS), end_process, NULL);
    }
    um_actuator_reply(a, rq, 200, json_pack("{s:s}", "message", "Shutting down, bye..."));
}
