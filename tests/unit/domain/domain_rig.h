/* The platform over a store of its own: calls that look synchronous, with JSON in single quotes. */
#ifndef DOMAIN_RIG_H
#define DOMAIN_RIG_H
#include "rig.h"
#include <jansson.h>
#include <umbel/domain.h>
#include <umbel/domain_calls.h>

struct domain_rig {
    struct rig store;
    struct um_domain *d;
    struct um_who who;                       /* who asks; ann of main with role ADMIN at the begin */
    const char *profiles[4];                 /* his roles */
    /* of the newest call: */
    int calls;
    um_err err;
    char code[8], message[512];              /* of a refusal */
    unsigned status;
    json_t *details, *reply;
    int64_t version;
    char caches[1024], changes[1024];        /* "scope/name:version " each; "kind:category/id " each */
};

/* URL: NULL for the memory. The scope main exists, with the ACLs `all` (everybody, everything), `read` (everybody READ) and
 * `none`. */
void domain_rig_open(struct domain_rig *r, const char *url);
void domain_rig_close(struct domain_rig *r);
void domain_rig_be(struct domain_rig *r, const char *user, const char *scope, const char *const *profiles, size_t n);
#define BE(r, user, scope, ...) \
    domain_rig_be((r), (user), (scope), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* ARGS, BODY: NULL, or JSON with ' for ". The answer's code, "" when it was done. */
const char *domain_rig_ask(struct domain_rig *r, const struct um_domain_call *call, const char *args, const char *body);
json_t *domain_rig_json(const char *text);
/* A text of the reply by its JSON pointer, "/0/data/owner"; numbers as text; NULL: nothing there. Until the next two. */
const char *domain_rig_at(struct domain_rig *r, const char *pointer);

#define assert_done(r, call, args, body) assert_string_equal(domain_rig_ask((r), (call), (args), (body)), "")
#define assert_refused(r, call, args, body, what) assert_string_equal(domain_rig_ask((r), (call), (args), (body)), what)
#define assert_at(r, pointer, text) assert_string_equal(domain_rig_at((r), (pointer)), (text))

#endif
