/* The WebSocket doors. A handshake may carry a token (the gateway's, or ?token= of a y-websocket client); without one the
 * Hocuspocus protocol brings its own. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

struct door {
    struct um_rest *rest;
    struct um_loop *loop;
    struct um_collab_identity identity;
    bool has_identity;
    struct um_bytes *parameters;
    char *room, *address;
    bool is_leg;
};

static void hand_over(void *arg, int fd, struct um_span early)
{
    struct door *d = arg;
    struct um_collab_peer peer = { d->has_identity ? &d->identity : NULL, d->room, d->address, d->parameters, d->is_leg };

    if (fd >= 0)                             /* -1: the client left before */
        um_collab_accept(d->rest->collab, d->loop, fd, early, &peer);
    um_bytes_unref(d->identity.who);
    um_bytes_unref(d->parameters);
    free(d->room);
    free(d->address);
    free(d);
}

static void add_parameter(void *arg, const char *name, const char *value)
{
    if (strcmp(name, "token") != 0)          /* nobody else's business */
        json_object_set_new(arg, name, json_string(value));
}

/* Of the URL, for services outside; NULL: none. */
static struct um_bytes *parameters_of(const struct um_http_req *rq)
{
    json_t *all = json_object();
    char *text;
    struct um_bytes *bytes = NULL;

    um_http_each_query(rq, add_parameter, all);
    if (json_object_size(all) > 0 && (text = json_dumps(all, JSON_COMPACT)) != NULL) {
        bytes = um_bytes_dup(text, strlen(text));
        free(text);
    }
    json_decref(all);
    return bytes;
}

static void open_door(struct um_rest *r, struct um_http_req *rq, const char *token, const char *room)
{
    struct door *d = um_xcalloc(1, sizeof(*d));

    if (token != NULL && !(d->has_identity = caller_identity(r, UM_SPAN_STR(token), &d->identity))) {
        free(d);
        um_http_reply_error(rq, 401, "U00401", "the token is not valid (any more)");
        return;
    }
    d->rest = r;
    d->loop = um_http_loop(rq);
    d->room = room ? um_xstrdup(room) : NULL;
    d->address = um_xstrdup(um_http_peer(rq));
    d->parameters = parameters_of(rq);
    d->is_leg = um_http_header(rq, "Umbel-Leg") != NULL;
    um_http_upgrade(rq, NULL, hand_over, d);
}

static bool takes_nobody(struct um_rest *r, struct um_http_req *rq)
{
    if (r->deps.no_sockets) {
        um_http_reply_error(rq, 503, "U00503", "this core takes no part in collaboration (core.roles)");
        return true;
    }
    if (!atomic_load(&r->draining))
        return false;
    um_http_reply_error(rq, 503, "U00503", "this node is being stopped");
    return true;
}

void socket_collab(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    if (!takes_nobody(r, rq))
        open_door(r, rq, um_http_header(rq, "token"), NULL);
}

void socket_room(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *token = um_http_header(rq, "token"), *room = um_http_param(rq, "*");

    if (takes_nobody(r, rq))
        return;
    if (token == NULL)
        token = um_http_query(rq, "token");
    if (room == NULL || *room == '\0')
        um_http_reply_error(rq, 400, "U00400", "the path names no room");
    else if (token == NULL && r->deps.collab_conf->authentication == UM_COLLAB_REQUIRED)
        um_http_reply_error(rq, 401, "U00401", "a token is needed");
    else
        open_door(r, rq, token, room);
}

void socket_welcome(struct um_http_req *rq, void *ctx)
{
    (void)ctx;
    um_http_reply(rq, 200, "text/plain", UM_SPAN_STR("Welcome to Hocuspocus!"));
}

struct echo_door { struct um_rest *rest; struct um_loop *loop; };

static void echo_over(void *arg, int fd, struct um_span early)
{
    struct echo_door *d = arg;

    if (fd >= 0)
        um_ws_echo(d->loop, fd, early, d->rest->deps.ws);
    free(d);
}

void socket_echo(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct echo_door *d;

    if (!r->deps.ws->echo_enabled) {
        um_http_reply_error(rq, 404, "U00404", "there is nothing here");
        return;
    }
    d = um_xcalloc(1, sizeof(*d));
    *d = (struct echo_door){ r, um_http_loop(rq) };
    um_http_upgrade(rq, NULL, echo_over, d);
}
