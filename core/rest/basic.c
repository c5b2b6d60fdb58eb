/* Authorization: Basic at the actuator, for programs that know nothing of tokens (Prometheus, Spring Boot Admin): a user of the
 * internal realm. Checked on a worker like a login, under the same throttle. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/api.h>
#include <umbel/util.h>
#include "actuator.h"


struct attempt {
    struct um_work work;
    struct um_rest *rest;
    struct later *later;
    const struct um_http_route *route;
    struct user *user;                       /* NULL: nobody of that name */
    struct um_actuator_credentials given;
    char address[65];
    bool right;
};

static void check(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);

    a->right = users_check(a->user, a->given.password);
    explicit_bzero(a->given.password, sizeof(a->given.password));
}

/* The user's strings live as long as the um_rest: nothing is copied. */
static bool is_let_in(struct um_http_req *rq, const struct um_rest *r, const struct user *u, const struct um_http_route *route)
{
    return caller_is(rq, r, &(struct um_token_claims){ .sub = u->id, .name = u->display_name, .use = UM_TOKEN_USER,
                                                    .profiles = { (const char *const *)u->profiles, u->n_profiles } }, route);
}

/* The actuator's own user; likewise. */
static bool own_is_let_in(struct um_http_req *rq, const struct um_rest *r, const struct um_http_route *route)
{
    static const char *const profiles[] = { "SYSTEM_ADMIN" };

    return caller_is(rq, r, &(struct um_token_claims){ .sub = r->deps.actuator->user, .use = UM_TOKEN_USER, .profiles = { profiles, 1 } }, route);
}

static void checked(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);
    struct um_http_req *rq = later_take(a->later);

    if (a->right)
        um_throttle_succeeded(a->rest->throttle, a->given.user, a->address);
    if (rq != NULL && !a->right)
        um_actuator_refuse_basic(rq);
    else if (rq != NULL && is_let_in(rq, a->rest, a->user, a->route) && um_api_check_params(a->rest->api, rq))
        um_http_continue(rq);
    free(a);
}

/* At the actuator's rows. *IS: somebody says a password, well or badly. */
static struct attempt *read_attempt(struct um_http_req *rq, const struct um_http_route *route, struct um_rest *r, bool *is)
{
    struct attempt *a;

    *is = false;
    if (!um_actuator_has_path(r->actuator, route->path))
        return NULL;
    a = um_xcalloc(1, sizeof(*a));
    a->rest = r;
    a->route = route;
    snprintf(a->address, sizeof(a->address), "%s", um_http_peer(rq));
    switch (um_actuator_basic(rq, &a->given)) {
    case UM_ACTUATOR_BASIC:
        *is = true;
        return a;
    case UM_ACTUATOR_BAD_BASIC:
        *is = true;
        um_actuator_refuse_basic(rq);
        break;
    case UM_ACTUATOR_NO_BASIC:
        break;
    }
    free(a);
    return NULL;
}

static void submit(struct um_http_req *rq, struct attempt *a)
{
    struct um_rest *r = a->rest;

    a->user = users_find(r->users, a->given.user);
    a->work = (struct um_work){ .loop = um_http_loop(rq), .fn = check, .done = checked };
    a->later = later_new(rq, r, NULL);
    if (um_work_submit(r->pool, &a->work) != UM_OK) {
        um_throttle_undecided(r->throttle, a->given.user, a->address);
        um_http_reply_error(later_take(a->later), 503, "U00503", "too many logins at once");
        free(a);
    }
}

bool basic_begin(struct um_http_req *rq, const struct um_http_route *route, struct um_rest *r)
{
    bool is;
    struct attempt *a = read_attempt(rq, route, r, &is);

    if (a == NULL)
        return is;
    if (um_throttle_take(r->throttle, a->given.user, a->address, um_now_ms()) > 0) {
        um_http_reply_error(rq, 429, "U00429", "too many attempts; wait a little");
    } else if (um_actuator_is_own_user(r->deps.actuator, &a->given)) {
        um_throttle_succeeded(r->throttle, a->given.user, a->address);
        is = !own_is_let_in(rq, r, route);       /* nothing to wait for */
    } else {
        submit(rq, a);
        return true;
    }
    explicit_bzero(a->given.password, sizeof(a->given.password));
    free(a);
    return is;
}
