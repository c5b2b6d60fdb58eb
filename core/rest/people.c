/* Users whose passwords are hashed on the way to the platform: POST /core/rest/users, PUT /core/rest/users/{id}/password.
 *
 * Oneself changes a password by knowing the old one, with a token or, as at a login, without: whose password has expired gets no
 * token. Somebody else needs ADMIN or SECURITY_ADMIN, and no role of the user's that he has not: the platform judges that. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/log.h>
#include <umbel/password.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "credentials.h"
#include "platform.h"

struct change {
    struct um_work work;
    struct um_rest *rest;
    struct later *later;
    json_t *body;                            /* of a new user, without the password */
    json_t *account;                         /* um_users_credentials, of who proves himself */
    bool proves, is_right, has_token, throttled;
    bool expired;                            /* what credentialsExpired becomes */
    um_err err;
    char id[UM_DOMAIN_ID_MAX + 1], scope[UM_DOMAIN_SCOPE_MAX + 1], address[65];
    char old[UM_PASSWORD_MAX + 1], password[UM_PASSWORD_MAX + 1], hash[UM_PASSWORD_HASH_SIZE];
};

static void wipe(struct change *ch)
{
    sodium_memzero(ch->old, sizeof(ch->old));
    sodium_memzero(ch->password, sizeof(ch->password));
}

static void change_free(struct change *ch)
{
    wipe(ch);
    json_decref(ch->body);
    json_decref(ch->account);
    free(ch);
}

/* ---- on a worker ---- */

static void hash_it(struct um_work *w)
{
    struct change *ch = UM_CONTAINER(w, struct change, work);

    ch->is_right = !ch->proves || um_password_check(json_string_value(json_object_get(ch->account, "hash")), ch->old);
    if (ch->is_right)
        ch->err = um_password_take(ch->password, ch->hash);
    wipe(ch);
}

static void refuse_password(struct um_http_req *rq, um_err err)
{
    if (err == UM_EINVAL)
        um_http_reply_error(rq, 400, "U00400", "a password has 8 to 1024 bytes, or is an argon2id hash of a fair cost");
    else
        um_http_reply_error(rq, 503, "U00503", "not enough memory to hash a password");
}

static void submit(struct change *ch, void (*done)(struct um_work *))
{
    struct um_http_req *rq;

    ch->work = (struct um_work){ .loop = ch->later->loop, .fn = hash_it, .done = done };
    if (um_work_submit(ch->rest->pool, &ch->work) == UM_OK)
        return;
    if (ch->throttled)
        um_throttle_undecided(ch->rest->throttle, ch->id, ch->address);
    rq = later_take(ch->later);
    if (rq != NULL)
        um_http_reply_error(rq, 503, "U00503", "too many at once");
    change_free(ch);
}

/* ---- POST /core/rest/users ---- */

static void create_hashed(struct um_work *w)
{
    struct change *ch = UM_CONTAINER(w, struct change, work);
    struct um_http_req *rq = later_take(ch->later);

    if (rq != NULL && ch->err == UM_OK)
        platform_ask(rq, ch->rest, &um_users_create, json_pack("{s:s}", "hash", ch->hash), json_incref(ch->body), NULL, NULL);
    else if (rq != NULL)
        refuse_password(rq, ch->err);
    change_free(ch);
}

/* False: replied. "" is no password. */
static bool take_text(struct um_http_req *rq, const json_t *body, const char *member, char *to, size_t size)
{
    const char *text = json_string_value(json_object_get(body, member));

    if (text != NULL && strlen(text) >= size) {
        um_http_reply_error(rq, 400, "U00400", "a text of the body is too long");
        return false;
    }
    snprintf(to, size, "%s", text != NULL ? text : "");
    return true;
}

/* He could never log in: the properties come first. */
static bool is_free(struct um_http_req *rq, const struct um_rest *r, const json_t *body)
{
    if (users_find(r->users, json_string_value(json_object_get(body, "id"))) == NULL)
        return true;
    um_http_reply_error(rq, 409, "U00410", "an account of the properties has this name");
    return false;
}

void users_create(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct change *ch = um_xcalloc(1, sizeof(*ch));

    ch->rest = r;
    ch->body = um_api_body(r->api, rq);
    if (ch->body == NULL || !is_free(rq, r, ch->body) || !take_text(rq, ch->body, "password", ch->password, sizeof(ch->password))) {
        change_free(ch);
        return;
    }
    json_object_del(ch->body, "password");
    if (ch->password[0] == '\0') {
        platform_ask(rq, r, &um_users_create, NULL, json_incref(ch->body), NULL, NULL);
        change_free(ch);
        return;
    }
    ch->later = later_new(rq, r, NULL);
    submit(ch, create_hashed);
}

/* ---- PUT /core/rest/users/{id}/password ---- */

static void set_it(struct um_http_req *rq, struct change *ch)
{
    json_t *args = json_pack("{s:s, s:s, s:b}", "id", ch->id, "hash", ch->hash, "expired", ch->expired);

    if (ch->proves)
        json_object_set(args, "proved", json_object_get(ch->account, "account"));
    if (!ch->has_token)                      /* he is whoever he has proved to be */
        caller_become(rq, ch->id, json_string_value(json_object_get(ch->account, "scope")));
    platform_ask(rq, ch->rest, &um_users_password, args, NULL, NULL, NULL);
}

static void hashed(struct um_work *w)
{
    struct change *ch = UM_CONTAINER(w, struct change, work);
    bool is_known = ch->is_right && (!ch->proves || json_is_true(json_object_get(ch->account, "enabled")));
    struct um_http_req *rq = later_take(ch->later);

    if (ch->throttled && is_known)
        um_throttle_succeeded(ch->rest->throttle, ch->id, ch->address);
    if (rq != NULL && !is_known)
        um_http_reply_error(rq, ch->has_token ? 403 : 401, ch->has_token ? "U00403" : "U00401",
                            ch->has_token ? "the old password is wrong" : "user or password is wrong");
    else if (rq != NULL && ch->err != UM_OK)
        refuse_password(rq, ch->err);
    else if (rq != NULL)
        set_it(rq, ch);
    change_free(ch);
}

static void on_credentials(void *arg, const struct um_domain_answer *found)
{
    struct change *ch = arg;
    struct um_http_req *rq;

    if (found->err != UM_OK && found->problem->status != 404) {
        um_throttle_undecided(ch->rest->throttle, ch->id, ch->address);
        rq = later_take(ch->later);
        if (rq != NULL)
            um_http_reply_error(rq, 503, "U00503", "the store is away");
        change_free(ch);
        return;
    }
    ch->account = found->err == UM_OK ? json_incref(found->reply) : NULL;
    submit(ch, hashed);
}

static void drop(void *arg)
{
    struct change *ch = arg;

    (void)later_take(ch->later);
    change_free(ch);
}

/* False: replied. */
static bool read_change(struct um_http_req *rq, struct um_rest *r, struct change *ch)
{
    json_t *body = um_api_body(r->api, rq);
    const char *id = um_http_param(rq, "id");
    bool ok = body != NULL && take_text(rq, body, "old", ch->old, sizeof(ch->old)) &&
              take_text(rq, body, "new", ch->password, sizeof(ch->password)) && take_text(rq, body, "scope", ch->scope, sizeof(ch->scope));

    if (ok && (id == NULL || strlen(id) >= sizeof(ch->id))) {
        um_http_reply_error(rq, 404, "U00404", "there is no such user");
        ok = false;
    }
    if (ok) {
        snprintf(ch->id, sizeof(ch->id), "%s", id);
        ch->expired = json_is_true(json_object_get(body, "credentialsExpired"));
    }
    json_decref(body);
    return ok;
}

/* Who has to prove himself says so with the old password, which is not the new one. False: replied. */
static bool check_proof(struct um_http_req *rq, struct change *ch)
{
    const char *wrong = !ch->proves ? NULL : ch->old[0] == '\0' ? "the old password is needed" :
                        strcmp(ch->old, ch->password) == 0 ? "the new password is the old one" : NULL;

    if (wrong != NULL)
        um_http_reply_error(rq, 400, "U00400", wrong);
    return wrong == NULL;
}

static void begin(struct um_http_req *rq, struct um_rest *r, struct change *ch)
{
    const struct caller *c = caller_of(rq);

    ch->rest = r;
    ch->has_token = c != NULL;
    ch->proves = c == NULL || (c->claims.account != NULL && strcmp(c->claims.sub, ch->id) == 0);
    if (ch->proves)
        ch->expired = false;
    if (c != NULL)
        snprintf(ch->scope, sizeof(ch->scope), "%s", c->claims.scope != NULL ? c->claims.scope : "");
    credentials_address(r, rq, ch->address);
}

void users_password(struct um_http_req *rq, void *ctx)
{
    struct change *ch = um_xcalloc(1, sizeof(*ch));

    if (!caller_optional(rq, ctx) || !read_change(rq, ctx, ch)) {
        change_free(ch);
        return;
    }
    begin(rq, ctx, ch);
    if (!check_proof(rq, ch) || (ch->proves && credentials_wait(ch->rest, rq, ch->id, ch->address))) {
        change_free(ch);
        return;
    }
    ch->throttled = ch->proves;
    ch->later = later_new(rq, ch->rest, NULL);
    if (ch->proves)
        credentials_ask(ch->rest, ch->later->loop, ch->scope, ch->id, on_credentials, drop, ch);
    else
        submit(ch, hashed);
}
