/* See umbel/node.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/process.h>
#include <umbel/util.h>
#include "node_int.h"

enum { HEAR_MS = 100, LEAVE_MS = 1000, RANDOM_CHARS = 6 };

/* ---- who and where we are ---- */

static bool is_wildcard(const char *address)
{
    static const char *const words[] = { "", "*", "0.0.0.0", "::" };

    for (size_t i = 0; i < UM_COUNT(words); i++)
        if (strcmp(address, words[i]) == 0)
            return true;
    return false;
}

/* "host:port", "[::1]:port". */
static bool is_host_and_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t host = colon != NULL ? (size_t)(colon - text) : 0, digits;
    bool bracketed = host > 2 && text[0] == '[' && text[host - 1] == ']';

    if (host == 0 || strcspn(text, "/@?# \t,") != strlen(text) || (memchr(text, ':', host) != NULL && !bracketed))
        return false;
    digits = strspn(colon + 1, "0123456789");
    return digits > 0 && digits <= 5 && colon[1 + digits] == '\0' && atoi(colon + 1) > 0 && atoi(colon + 1) <= 65535;
}

/* With a port that the system chooses two processes of one machine could not be told apart: a random word stands for it. */
static char *own_id(const struct um_node *n)
{
    const struct um_node_setup *s = &n->setup;
    char word[RANDOM_CHARS + 1];

    if (s->cluster->id[0] != '\0')
        return um_xstrdup(s->cluster->id);
    if (s->port > 0)
        return um_xasprintf("%s-%s-%lld", s->role, n->host, (long long)s->port);
    um_random_id(word, RANDOM_CHARS);
    return um_xasprintf("%s-%s-%s", s->role, n->host, word);
}

static char *own_address(const struct um_node *n, int port)
{
    const struct um_node_setup *s = &n->setup;
    const char *host = is_wildcard(s->listen_address) ? n->host : s->listen_address;
    bool is_ipv6 = strchr(host, ':') != NULL && host[0] != '[';

    if (s->cluster->address[0] != '\0')
        return um_xstrdup(s->cluster->address);
    return um_xasprintf(is_ipv6 ? "[%s]:%d" : "%s:%d", host, port);
}

void um_node_listens(struct um_node *n, int port)
{
    char *address = own_address(n, port);

    um_cluster_set_address(n->cluster, address);
    free(address);
}

/* ---- the id is another's ---- */

static void on_refused(void *arg, const char *address)
{
    struct um_node *n = arg;

    (void)address;                            /* the membership has told it */
    atomic_store(&n->refused, true);
    if (!atomic_exchange(&n->ending, true))
        kill(getpid(), SIGTERM);              /* the main thread waits for it, and takes everything down in order */
}

static const struct um_cluster_handler handler = { .on_refused = on_refused };

bool um_node_was_refused(const struct um_node *n) { return atomic_load(&n->refused); }

/* ---- life ---- */

static um_err open_redis(struct um_node *n, const char **part, char why[256])
{
    if (!n->setup.redis->enabled)
        return UM_OK;
    *part = "token.key";
    if (n->setup.token_key[0] == '\0') {
        snprintf(why, 256, "a cluster needs token.key, the same everywhere");
        return UM_EINVAL;
    }
    *part = "redis";
    return um_redis_open(&n->redis, n->setup.redis, why);
}

static um_err open_cluster(struct um_node *n, const char **part, char why[256])
{
    char *id = own_id(n);
    struct um_member self = { .id = id, .role = n->setup.role, .address = "", .version = UMBEL_VERSION, .serves = n->setup.serves,
                              .started_at_ms = um_wall_ms() };
    um_err err = UM_EINVAL;

    *part = "cluster.address";
    snprintf(why, 256, "expected host:port");
    if (n->setup.cluster->address[0] == '\0' || is_host_and_port(n->setup.cluster->address)) {
        *part = "cluster.id";
        snprintf(why, 256, "expected 1 to %d bytes of UTF-8", (int)UM_MEMBER_TEXT_MAX);
        err = um_cluster_new(&n->cluster, n->redis, n->setup.loop, &self, &handler, n);
    }
    if (err == UM_OK && n->redis != NULL)
        um_log(UM_INFO, "cluster", "one of several", UM_S("id", id), UM_S("namespace", n->setup.redis->ns));
    free(id);
    return err;
}

static void open_ask(struct um_node *n)
{
    const char *previous = n->setup.token_key_previous;
    struct um_ask_setup setup = { n->redis, n->cluster, n->setup.loop, UM_SPAN_STR(n->setup.token_key),
                                  UM_SPAN_STR(previous != NULL ? previous : "") };

    n->ask = um_ask_new(&setup);
    check_serve(n);
    answers_serve(n);
}

um_err um_node_open(struct um_node **out, const struct um_node_setup *setup, const char **part, char why[256])
{
    struct um_node *n = um_xcalloc(1, sizeof(*n));
    um_err err;

    *out = NULL;
    n->setup = *setup;
    if (gethostname(n->host, sizeof(n->host) - 1) != 0 || n->host[0] == '\0')
        strcpy(n->host, "localhost");
    if ((err = open_redis(n, part, why)) != UM_OK || (err = open_cluster(n, part, why)) != UM_OK) {
        um_node_free(n);
        return err;
    }
    open_ask(n);
    *out = n;
    return UM_OK;
}

static void drain(void *arg) { um_cluster_set_draining(((struct um_node *)arg)->cluster, true); }

void um_node_drain(struct um_node *n)
{
    atomic_store(&n->ending, true);
    um_loop_call(n->setup.loop, drain, n);
    if (n->redis != NULL)
        um_process_wait_flag(&n->left, HEAR_MS);      /* nobody sets it yet: who keeps sending to us has that long to stop */
}

static void has_left(void *arg) { atomic_store(&((struct um_node *)arg)->left, true); }
static void leave(void *arg)
{
    struct um_node *n = arg;

    um_ask_stop(n->ask);
    um_cluster_leave(n->cluster, has_left, n);
}


void um_node_leave(struct um_node *n)
{
    um_loop_call(n->setup.loop, leave, n);
    if (!um_process_wait_flag(&n->left, LEAVE_MS))
        um_log(UM_INFO, "cluster", "left without a farewell");
}

void um_node_free(struct um_node *n)
{
    if (n == NULL)
        return;
    um_ask_free(n->ask);
    um_cluster_free(n->cluster);
    um_redis_close(n->redis);
    free(n);
}

struct um_redis *um_node_redis(const struct um_node *n) { return n->redis; }
struct um_cluster *um_node_cluster(const struct um_node *n) { return n->cluster; }
struct um_ask *um_node_ask(const struct um_node *n) { return n->ask; }
