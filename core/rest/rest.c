/* What the handlers stand on. */
#include <stdio.h>
#include <stdlib.h>
#include <umbel/failpoint.h>
#include <umbel/util.h>
#include "actuator.h"
#include "internal.h"
#include "bodies.h"
#include "reservations.h"

#define AT(f) .at = offsetof(struct um_rest_conf, f)
static const struct um_conf_key keys[] = {
    { "system.admin.username", NULL, "", "platform administrator, valid in every scope", UM_CONF_STR, 0, AT(admin_user), .max = USER_MAX },
    { "system.admin.password", NULL, "", "its password: text, ENC(...), or an argon2id hash", UM_CONF_STR, UM_CONF_SECRET, AT(admin_password), .max = 1024 },
    { "collab.free-documents", NULL, "true", "documents of any name may be opened, beside those of components", UM_CONF_BOOL, 0, AT(free_documents) },
    { "features.custom.*", NULL, NULL, "a feature of your own that clients ask for by its name at /core/rest/features", UM_CONF_BOOL,
      UM_CONF_UNBOUND, .at = 0 },
    { "internal.realm.users[N].id", NULL, NULL, "name of a local user", UM_CONF_STR, UM_CONF_UNBOUND, .max = USER_MAX },
    { "internal.realm.users[N].password", NULL, NULL, "its password: text, ENC(...), or an argon2id hash from umbelctl hash-password",
      UM_CONF_STR, UM_CONF_UNBOUND | UM_CONF_SECRET, .max = 1024 },
    { "internal.realm.users[N].profiles", NULL, NULL, "its teams, separated by commas; ADMIN administers", UM_CONF_STR, UM_CONF_UNBOUND, .max = 4096 },
};
const struct um_conf_table um_rest_conf_table = UM_CONF_TABLE("Users and REST", keys);

#define HASH_THREADS 2
#define HASH_WAITING 20
#define READER_THREADS 2

um_err um_rest_new(struct um_rest **out, const struct um_rest_deps *deps, char why[256])
{
    struct um_rest *r = um_xcalloc(1, sizeof(*r));
    um_err err;

    *out = NULL;
    r->deps = *deps;
    r->started_wall_ms = um_wall_ms();
    r->actuator = actuator_new(r);
    snprintf(why, 256, "a property of the actuator is wrong, see above");
    err = r->actuator != NULL ? mount_api(r, why) : UM_EINVAL;
    if (err == UM_OK)
        err = users_load(&r->users, deps, why);
    if (err != UM_OK) {
        um_rest_free(r);
        return err;
    }
    r->throttle = um_throttle_new(deps->throttle);
    r->pool = um_pool_new(HASH_THREADS, HASH_WAITING);
    r->readers = um_pool_new(READER_THREADS, REST_TASKS_MAX);
    if (deps->cachegen != NULL)
        r->revocations = revocations_new(r, deps->loop);
    *out = r;
    return UM_OK;
}

void um_rest_stop(struct um_rest *r)
{
    if (r == NULL)
        return;
    um_pool_free(r->pool);
    um_pool_free(r->readers);
    r->pool = r->readers = NULL;
}

void um_rest_free(struct um_rest *r)
{
    if (r == NULL)
        return;
    um_rest_stop(r);
    um_throttle_free(r->throttle);
    revocations_free(r->revocations);
    users_free(r->users);
    um_actuator_free(r->actuator);
    um_api_free(r->api);
    mount_free(r->mount);
    free(r);
}

void um_rest_set_collab(struct um_rest *r, struct um_collab *collab)
{
    r->collab = collab;
    reservation_listen(r);
    admin_serve(r);
    admin_check_serve(r);
    body_listen(r);
}

void um_rest_set_draining(struct um_rest *r, bool draining) { atomic_store(&r->draining, draining); }

void um_rest_beat(struct um_rest *r, unsigned i)
{
    int64_t late_ms = UM_FAILPOINT("loop.beat") ? UM_REST_STUCK_MS + 1 : 0;

    if (i < UM_REST_LOOPS_MAX)
        atomic_store_explicit(&r->beat_ms[i], um_now_ms() - late_ms, memory_order_relaxed);
}

static void client_left(void *arg)
{
    struct later *l = arg;

    l->rq = NULL;
}

struct later *later_new(struct um_http_req *rq, struct um_rest *rest, const char *text)
{
    struct later *l = um_xcalloc(1, sizeof(*l));

    l->rq = rq;
    l->rest = rest;
    l->loop = um_http_loop(rq);
    l->text = text ? um_xstrdup(text) : NULL;
    um_http_on_gone(rq, client_left, l);
    return l;
}

struct um_http_req *later_take(struct later *l)
{
    struct um_http_req *rq = l->rq;

    if (rq != NULL)
        um_http_on_gone(rq, NULL, NULL);
    free(l->text);
    free(l);
    return rq;
}

void reply_store_error(struct um_http_req *rq, um_err err)
{
    static const struct { um_err err; unsigned status; const char *code, *message; } rows[] = {
        { UM_ENOTFOUND, 404, "F00012", "there is no such document" },
        { UM_EDENIED,   404, "F00012", "the document was deleted" },
        { UM_EEXIST,    409, "T00108", "a document of this name exists" },
        { UM_EINVAL,    400, "U00400", "a parameter cannot be understood" },
        { UM_ECONFLICT, 409, "U00409", "somebody else changed it meanwhile" },
        { UM_EUNAVAIL,  503, "U00503", "the store is away" },
        { UM_EIO,       503, "U00503", "the store is away" },
        { UM_ETIMEOUT,  503, "U00503", "the store does not answer" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (rows[i].err == err) {
            um_http_reply_error(rq, rows[i].status, rows[i].code, rows[i].message);
            return;
        }
    um_http_reply_error(rq, 500, "T00000", "the request failed");
}
