/* ${name}, ${name:default}, nested in name and default; \${ is literal. A pure function: FIND knows the values. */
#ifndef UMBEL_CONF_PLACEHOLDER_H
#define UMBEL_CONF_PLACEHOLDER_H
#include <umbel/base.h>
#include <umbel/bytes.h>

#define PLACEHOLDER_MAX_DEPTH 16u                /* of nesting and of chains of references together */
#define PLACEHOLDER_MAX_SIZE  (1024u * 1024u)    /* of one value and all that it took to make it */

enum placeholder_found { PLACEHOLDER_ABSENT, PLACEHOLDER_FOUND, PLACEHOLDER_FAILED };

struct placeholder_value {
    const char *text;             /* resolved; borrowed until the next call */
    unsigned depth;               /* of the placeholders that made it */
    bool secret;
    const char *reason;           /* FAILED: why */
};

struct expansion {
    /* LEVEL is how deep in this expansion NAME stands, from 1. */
    enum placeholder_found (*find)(void *arg, const char *name, unsigned level, struct placeholder_value *value);
    void *arg;
    bool keep_absent;             /* leave ${name} as it stands when it has neither value nor default */
    struct um_buf out;            /* the caller frees it */
    unsigned depth;               /* results: deepest level, ... */
    bool secret;                  /* ... a secret value went in, ... */
    char reason[256];             /* ... and why it failed */
    size_t spent;
};

bool placeholder_expand(struct expansion *x, const char *text) UM_CHECK_RESULT;

/* random.value, random.int, random.long, random.uuid, random.int(10), random.int[1,9] (upper bound excluded).
 * false: not one of them. */
bool placeholder_random(const char *name, struct um_buf *out);

#endif
