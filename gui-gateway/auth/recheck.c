/* Ends that may have been missed: the sessions of open tunnels are asked for again, or only compared with what was revoked. */
#include <stdlib.h>
#include <string.h>

#include "auth_int.h"

struct check {
    struct um_auth *a;
    char id[UM_SESSION_ID_LEN + 1];
};

static void ask(void *arg);

static void checked(void *arg, um_err err, const struct um_session *s)
{
    struct check *k = arg;

    (void)s;
    if (err == UM_ENOTFOUND)
        auth_session_ended(k->a, k->id);
    if (--k->a->n_checks == 0 && k->a->check_again)
        ask(k->a);
    free(k);
}

static void check(void *arg, const char *session_id)
{
    struct um_auth *a = arg;
    struct check *k;

    if (um_map_put(&a->checking, UM_SPAN_STR(session_id), a) != NULL)
        return;                           /* one question for all tunnels of a session */
    k = um_xcalloc(1, sizeof(*k));
    k->a = a;
    strncat(k->id, session_id, UM_SESSION_ID_LEN);
    a->n_checks++;
    um_session_get(a->env.sessions, a->env.loop, k->id, checked, k);
}

static void ask(void *arg)
{
    struct um_auth *a = arg;

    a->check_again = a->n_checks > 0;     /* their answers may be from before */
    if (a->check_again)
        return;
    um_tunnels_each_session(a->tunnels, check, a);
    um_map_free(&a->checking);
    a->checking = (struct um_map){0};
}

/* ---- revoked ones ---- */

struct ended {
    struct um_auth *a;
    char (*ids)[UM_SESSION_ID_LEN + 1];
    size_t n;
};

static void note_revoked(void *arg, const char *session_id)
{
    struct ended *e = arg;

    if (!um_sessions_have_revoked(e->a->env.sessions, session_id))
        return;
    e->ids = um_xrealloc(e->ids, (e->n + 1) * sizeof(*e->ids));
    e->ids[e->n][0] = '\0';
    strncat(e->ids[e->n++], session_id, UM_SESSION_ID_LEN);
}

static void look(void *arg)
{
    struct ended e = { .a = arg };

    um_tunnels_each_session(e.a->tunnels, note_revoked, &e);
    for (size_t i = 0; i < e.n; i++)
        auth_session_ended(e.a, e.ids[i]);
    free(e.ids);
}

const struct um_session_doubt auth_recheck = { ask, look };
