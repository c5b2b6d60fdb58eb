/* Authorization: Basic at the actuator, for programs that know nothing of tokens (Prometheus, Spring Boot Admin): a user of the
 * internal realm. Checked on a worker like a login, under the same throttle. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/api.h>
#include <umbel/util.h>
#include "actuator.h"

#define ACTUATOR "/core/actuator"
#define TEXT_MAX 1200                        /* of name, colon and password */

struct attempt {
    struct um_work work;
    struct um_rest *rest;
    struct later *later;
    const struct um_http_route *route;
    struct user *user;                       /* NULL: nobody of that name */
    char name[USER_MAX + 1], address[65], password[TEXT_MAX + 1];
    bool right;
};

static void check(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);

    a->right = users_check(a->user, a->password);
    sodium_memzero(a->password, sizeof(a->password));
}

static void refuse(struct um_http_req *rq)
{
    um_http_add_header(rq, "WWW-Authenticate", "Basic realm=\"umbel\"");
    um_http_reply_error(rq, 401, "U00401", "user or password is wrong");
}

/* The user's strings live as long as the um_rest: nothing is copied. */
static void let_in(struct um_http_req *rq, const struct attempt *a)
{
    const struct user *u = a->user;

    if (!caller_is(rq, &(struct um_token_claims){ .sub = u->id, .name = u->display_name, .use = UM_TOKEN_USER,
                                                  .profiles = { (const char *const *)u->profiles, u->n_profiles } }, a->route))
        return;
    if (um_api_check_params(a->rest->api, rq))
        um_http_continue(rq);
}

static void checked(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);
    struct um_http_req *rq = later_take(a->later);

    if (a->right)
        um_throttle_succeeded(a->rest->throttle, a->name, a->address);
    if (rq != NULL && a->right)
        let_in(rq, a);
    else if (rq != NULL)
        refuse(rq);
    free(a);
}

static bool read_credentials(const char *header, struct attempt *a)
{
    struct um_buf text = { 0 };
    const char *given = header + strlen("Basic "), *colon;
    bool ok;

    given += strspn(given, " ");
    ok = strlen(given) <= 2 * TEXT_MAX && um_base64_decode(&text, UM_SPAN_STR(given)) && text.len <= TEXT_MAX &&
         memchr(text.data, '\0', text.len) == NULL && (colon = strchr(um_buf_cstr(&text), ':')) != NULL &&
         (size_t)(colon - um_buf_cstr(&text)) <= USER_MAX;
    if (ok) {
        colon = strchr(um_buf_cstr(&text), ':');
        snprintf(a->name, sizeof(a->name), "%.*s", (int)(colon - um_buf_cstr(&text)), um_buf_cstr(&text));
        snprintf(a->password, sizeof(a->password), "%s", colon + 1);
    }
    if (text.data != NULL)
        sodium_memzero(text.data, text.len);
    um_buf_free(&text);
    return ok;
}

bool basic_begin(struct um_http_req *rq, const struct um_http_route *route, struct um_rest *r)
{
    const char *header = um_http_header(rq, "Authorization");
    struct attempt *a;

    if (header == NULL || strncasecmp(header, "Basic ", 6) != 0 || strncmp(route->path, ACTUATOR, strlen(ACTUATOR)) != 0)
        return false;
    a = um_xcalloc(1, sizeof(*a));
    if (!read_credentials(header, a)) {
        free(a);
        refuse(rq);
        return true;
    }
    a->rest = r;
    a->route = route;
    a->user = users_find(r->users, a->name);
    snprintf(a->address, sizeof(a->address), "%s", um_http_peer(rq));
    if (um_throttle_take(r->throttle, a->name, a->address, um_now_ms()) > 0) {
        free(a);
        um_http_reply_error(rq, 429, "U00429", "too many attempts; wait a little");
        return true;
    }
    a->work = (struct um_work){ .loop = um_http_loop(rq), .fn = check, .done = checked };
    a->later = later_new(rq, r, NULL);
    if (um_work_submit(r->pool, &a->work) != UM_OK) {
        um_throttle_undecided(r->throttle, a->name, a->address);
        um_http_reply_error(later_take(a->later), 503, "U00503", "too many logins at once");
        free(a);
    }
    return true;
}
