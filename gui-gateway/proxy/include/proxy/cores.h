/* The cores behind this gateway: which there are, how each does, and which one something goes to. On one loop.
 *
 * Who is there is said by the membership (those of role core that do not drain) or, without one and when it knows of none, by
 * the static list. How they do is learnt by use: one that could not be reached is left aside for a while, 100 ms at first and up
 * to 2 s, unless all are; and by checks (checks.h): one that does not answer them is left aside until it does.
 *
 * Something with a key (a document's name, a session) goes to the same core from every gateway, as long as that core is there:
 * the one whose address and key have the highest hash (rendezvous hashing), so that a core that comes or goes moves nothing
 * but its own share. Everything else goes to the one with the fewest attempts under way; of several, to the one that was chosen
 * longest ago. */
#ifndef PROXY_CORES_H
#define PROXY_CORES_H
#include <umbel/cluster.h>
#include <umbel/conf.h>

enum { UM_CORE_REST_MIN_MS = 100, UM_CORE_REST_MAX_MS = 2000, UM_CORE_TRIES_MAX = 4 };

struct um_cores;
struct um_core;                           /* one of them; readable as long as it is held, also when it is no core of ours any more */

/* LIST: "http://host:port", borrowed. MEMBERS: who is there now, to be unref'd; NULL: nobody says. */
typedef struct um_members *um_cores_members(void *arg);
struct um_cores *um_cores_new(const struct um_conf_list *list, um_cores_members *members, void *arg);
void um_cores_free(struct um_cores *cs);  /* when none is held; NULL is fine */
bool um_core_is_node(const char *node);   /* is it http://host[:port] and nothing more? */

/* The attempts at one thing, each at another core. Zero-initialise; holds its cores until um_tries_end. */
struct um_tries {
    struct um_core *cores[UM_CORE_TRIES_MAX];
    size_t n;
    const char *needs;                    /* "rest", "collab": what a core has to serve (core.roles); NULL: anything */
};
/* The core for the next attempt; NULL: none is left, or none is known. KEY may be empty. */
struct um_core *um_cores_next(struct um_cores *cs, struct um_tries *tries, struct um_span key, int64_t now_ms);
/* Is there one left after those that were tried? */
bool um_cores_has_next(struct um_cores *cs, const struct um_tries *tries);
void um_tries_end(struct um_tries *tries);

void um_core_hold(struct um_core *c);
void um_core_release(struct um_core *c);
/* A document with KEY is at CORE: the one that it belongs to now, because CORE drains or has left, or one with a higher hash has
 * come; NULL: it stays. The answer can be another one when um_cores_version is. */
struct um_core *um_cores_better(struct um_cores *cs, const struct um_core *core, struct um_span key, int64_t now_ms);
uint64_t um_cores_version(struct um_cores *cs);
bool um_core_is_draining(const struct um_core *c);

const char *um_core_node(const struct um_core *c);     /* "http://host:port" */
const char *um_core_host(const struct um_core *c);     /* "host:port" */
/* What became of an attempt: it answered, or it could not be reached, broke off or stayed silent. */
void um_core_note(struct um_core *c, bool reached, int64_t now_ms);

/* What a check has found: it serves; it answers, and says that it cannot serve now; it could not be reached, or did not answer. */
enum um_core_check { UM_CORE_READY, UM_CORE_NOT_READY, UM_CORE_SILENT };
void um_core_checked(struct um_core *c, enum um_core_check verdict, int64_t now_ms);
void um_cores_each_core(struct um_cores *cs, void (*fn)(void *arg, struct um_core *c), void *arg);   /* FN may hold them */

/* Is there one that has not failed of late? True before the first attempt. */
bool um_cores_is_up(struct um_cores *cs);
/* For people: FN gets each with UP, AWAY, NOT_READY or DRAINING. */
void um_cores_each(struct um_cores *cs, void (*fn)(void *arg, const char *host, const char *state), void *arg);

#endif
