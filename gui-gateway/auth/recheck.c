/* Ends that may have been missed: the sessions of open tunnels are asked for again, or only compared with what was revoked. */
#include <stdlib.h>
#include <string.h>

#include "auth_int.h"

enum { AT_ONCE = 32 };                    /* questions on their way: a gateway with thousands of tunnels goes on with its work */

struct check {
    struct um_list link;                  /* in um_auth.checks, until it is asked */
    struct um_auth *a;
    char id[UM_SESSION_ID_LEN + 1];
};

static void ask(void *arg);
static void checked(void *arg, um_err err, const struct um_session *s);

static void ask_some(struct um_auth *a)
{
    while (a->n_asked < AT_ONCE && !um_list_is_empty(&a->checks)) {
        struct check *k = UM_CONTAINER(a->checks.next, struct check, link);

        um_list_remove(&k->link);
        a->n_asked++;
        um_session_get(a->env.sessions, a->env.loop, k->id, checked, k);
    }
}

void auth_forget_checks(struct um_auth *a)
{
    UM_LIST_EACH_SAFE(it, &a->checks) {
        um_list_remove(it);
        free(UM_CONTAINER(it, struct check, link));
    }
}

static void checked(void *arg, um_err err, const struct um_session *s)
{
    struct check *k = arg;
    struct um_auth *a = k->a;

    (void)s;
    a->n_asked--;
    if (err == UM_ENOTFOUND)
        auth_session_ended(a, k->id);
    else if (err != UM_OK)
        auth_forget_checks(a);            /* the others would not be answered either, and the next round is not far */
    free(k);
    ask_some(a);
    if (a->n_asked == 0 && a->check_again)
        ask(a);
}

struct round { struct um_auth *a; struct um_map seen; };

static void check(void *arg, const char *session_id)
{
    struct round *r = arg;
    struct check *k;

    if (um_map_put(&r->seen, UM_SPAN_STR(session_id), r) != NULL)
        return;                           /* one question for all tunnels of a session */
    k = um_xcalloc(1, sizeof(*k));
    k->a = r->a;
    strncat(k->id, session_id, UM_SESSION_ID_LEN);
    um_list_append(&r->a->checks, &k->link);
}

static void ask(void *arg)
{
    struct um_auth *a = arg;
    struct round r = { .a = a };

    a->check_again = a->n_asked > 0;      /* their answers may be from before */
    if (a->check_again)
        return;
    um_tunnels_each_session(a->tunnels, check, &r);
    um_map_free(&r.seen);
    ask_some(a);
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
