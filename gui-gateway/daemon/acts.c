/* See acts.h. */
#include <acts.h>
#include <auth/act.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/cachegen.h>
#include <umbel/cluster.h>
#include <umbel/util.h>

/* ---- an act on its way ---- */

struct doing {
    const struct um_acts *x;
    struct um_http_req *rq;               /* NULL: the client has left */
    struct um_act *act;
    void (*reply)(struct doing *d);       /* when the fact is durable */
};

static void client_left(void *arg) { ((struct doing *)arg)->rq = NULL; }

static struct doing *doing_new(const struct um_acts *x, struct um_http_req *rq, const char *action, const char *type, const char *id,
                               void (*reply)(struct doing *d))
{
    struct doing *d = um_xcalloc(1, sizeof(*d));

    *d = (struct doing){ x, rq, um_act_new(x->auth, rq, action, type, id), reply };
    um_http_on_gone(rq, client_left, d);
    return d;
}

static void noted(void *arg)
{
    struct doing *d = arg;

    if (d->rq != NULL) {
        um_http_on_gone(d->rq, NULL, NULL);
        d->reply(d);
    }
    free(d);
}

static void done(struct doing *d) { um_act_done(d->act, noted, d); }
static void reply_nothing(struct doing *d) { um_http_reply(d->rq, 204, NULL, UM_SPAN(NULL, 0)); }

/* ---- levels ---- */

void um_acts_set_logger(const struct um_acts *x, struct um_http_req *rq)
{
    const char *name = um_http_param(rq, "name"), *before, *after;
    struct doing *d;

    if (!um_actuator_set_logger(x->actuator, rq, name, &before, &after))
        return;
    d = doing_new(x, rq, "LOG_LEVEL", "LOGGER", name, reply_nothing);
    um_act_note(d->act, "before", json_string(before));
    um_act_note(d->act, "after", json_string(after));
    done(d);
}

/* ---- caches ---- */

/* As a core calls them: "GEC-DocumentClass", or the name alone. */
static char *shown(const char *scope, const char *name) { return um_xasprintf("%s%s%s", scope, *scope != '\0' ? "-" : "", name); }

static void add_name(void *arg, const char *scope, const char *name, uint64_t version, uint64_t applied)
{
    char *text = shown(scope, name);

    (void)version;
    (void)applied;
    json_array_append_new(arg, json_string(text));
    free(text);
}

void um_acts_list_caches(const struct um_acts *x, struct um_http_req *rq)
{
    json_t *names;

    if (!um_actuator_is_manager(x->actuator, rq))
        return;
    names = json_array();
    if (x->cachegen != NULL)
        um_cachegen_each(x->cachegen, add_name, names);
    um_actuator_caches(x->actuator, rq, names);
    json_decref(names);
}

struct looking { const char *name; bool found; uint64_t version, applied; };

static void look(void *arg, const char *scope, const char *name, uint64_t version, uint64_t applied)
{
    struct looking *l = arg;
    char *text = shown(scope, name);

    if (strcmp(text, l->name) == 0)
        *l = (struct looking){ l->name, true, version, applied };
    free(text);
}

void um_acts_show_cache(const struct um_acts *x, struct um_http_req *rq)
{
    struct looking l = { .name = um_http_param(rq, "name") };

    if (!um_actuator_is_manager(x->actuator, rq))
        return;
    if (x->cachegen != NULL)
        um_cachegen_each(x->cachegen, look, &l);
    if (l.found)
        um_actuator_cache(x->actuator, rq, l.name, l.version, l.applied);
    else
        um_http_reply_error(rq, 404, "U00404", "there is no such cache");
}

static void cleared(void *arg, um_err err)
{
    struct doing *d = arg;

    if (err == UM_OK) {
        done(d);
        return;
    }
    if (d->rq != NULL && err == UM_ENOTFOUND)
        um_http_reply_error(d->rq, 404, "U00404", "there is no such cache");
    else if (d->rq != NULL && err == UM_EINVAL)
        um_http_reply_error(d->rq, 400, "U00400", "several caches have this name, in different scopes");
    else if (d->rq != NULL)
        um_http_reply_error(d->rq, 503, "U00503", "no core can be asked at the moment");
    um_act_drop(d->act);
    free(d);
}

void um_acts_clear_caches(const struct um_acts *x, struct um_http_req *rq)
{
    const char *name = um_http_param(rq, "name");

    if (um_actuator_is_manager(x->actuator, rq))
        um_act_clear_caches(x->auth, name, cleared, doing_new(x, rq, "CLEAR", "CACHE", name != NULL ? name : "*", reply_nothing));
}

/* ---- the end ---- */

static void say_goodbye(struct doing *d) { um_actuator_shut_down(d->x->actuator, d->rq); }

void um_acts_shut_down(const struct um_acts *x, struct um_http_req *rq)
{
    int64_t since;

    if (um_actuator_exposes(x->actuator, rq, "shutdown"))
        done(doing_new(x, rq, "SHUTDOWN", "MEMBER", x->cluster != NULL ? um_cluster_self(x->cluster, &since) : "gateway", say_goodbye));
}
