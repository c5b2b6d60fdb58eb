/* Questions to the members of the cluster, for administrators: one process asks, every member answers for itself, and the
 * asker gets all answers together. Nothing rests on it: a member that does not answer in time is silent, no more.
 *
 *   PUBLISH <ns>:ask            "<mac> {"ask":id,"from":run,"topic":t,"member":id or null,"role":r or null,"body":...}"
 *   PUBLISH <ns>:ask:<run>      "<mac> {"answer":id,"member":id,"run":run,"body":...}", or with "error"
 *
 * <mac> is the HMAC-SHA-256 of the text under token.key, in hexadecimal. So a question is believed only of who has the key,
 * and every answer tells whether its member has the same one. Handlers run on the loop of the um_ask. */
#ifndef UMBEL_ASK_H
#define UMBEL_ASK_H
#include <jansson.h>
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_ask;                                /* one per process */
struct um_asked;                              /* a question that is to be answered */
struct um_cluster;
struct um_redis;

enum {
    UM_ASK_TOPIC_MAX = 64,
    UM_ASK_TEXT_MAX = 1 << 20,                /* bytes of a question or an answer; a longer answer comes as an error */
    UM_ASK_WAIT_MAX_MS = 20000,
    UM_ASK_OPEN_MAX = 256,                    /* questions of ours under way; beyond: answered by nobody */
};

struct um_ask_setup {                         /* the keys are borrowed for the life of the um_ask */
    struct um_redis *redis;                   /* NULL: alone */
    struct um_cluster *cluster;
    struct um_loop *loop;
    struct um_span key, previous;             /* token.key; token.key.previous or empty */
};
/* Before the loop runs. */
struct um_ask *um_ask_new(const struct um_ask_setup *setup);
/* On the loop: what is under way ends with the answers that are there; later questions are answered by nobody. */
void um_ask_stop(struct um_ask *a);
void um_ask_free(struct um_ask *a);           /* stopped, or its loop never ran; NULL is fine */

struct um_redis_link;
struct um_redis_link *um_ask_link(const struct um_ask *a);       /* for other words to Redis, on the loop; NULL: alone */

/* ---- answering ---- */

/* FN answers every question about TOPIC (a literal), once, now or later: by um_ask_answer or um_ask_fail. BODY: borrowed, may be
 * NULL. Before the loop runs. */
typedef void um_ask_fn(void *arg, struct um_asked *q, const json_t *body);
void um_ask_serve(struct um_ask *a, const char *topic, um_ask_fn *fn, void *arg);
void um_ask_answer(struct um_asked *q, json_t *body_adopt);      /* any thread; Q is gone */
void um_ask_fail(struct um_asked *q, const char *why);           /* the same; WHY: a sentence for an administrator */

/* ---- asking ---- */

enum um_ask_state {
    UM_ASK_ANSWERED,
    UM_ASK_FAILED,                            /* ERROR says why */
    UM_ASK_SILENT,                            /* no answer in time */
    UM_ASK_STRANGER,                          /* an answer under another key */
};
struct um_ask_answer {                        /* borrowed during the callback */
    const char *member, *role, *version;      /* ROLE, VERSION: as the membership knows them */
    enum um_ask_state state;
    bool is_self;
    bool by_previous;                         /* its token.key is our token.key.previous */
    int64_t us;                               /* how long it took */
    int64_t at_wall_ms;                       /* when it came, by our clock */
    const json_t *body;                       /* ANSWERED; may be NULL */
    const char *error;                        /* FAILED */
};
typedef void um_ask_done(void *arg, const struct um_ask_answer *answers, size_t n);

struct um_ask_question {
    const char *topic;
    const char *member;                       /* that one alone; NULL: all of ROLE */
    const char *role;                         /* NULL: of any */
    const json_t *body;                       /* may be NULL; copied */
    int64_t wait_ms;                          /* at most UM_ASK_WAIT_MAX_MS */
};
/* Any thread. DONE runs once on L, not inside the call, with a row for each member that was there to be asked, sorted by id: none
 * when MEMBER is not there. */
void um_ask(struct um_ask *a, struct um_loop *l, const struct um_ask_question *q, um_ask_done *done, void *arg);

#endif
