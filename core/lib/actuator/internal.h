/* What the files of this module share. */
#ifndef ACTUATOR_INTERNAL_H
#define ACTUATOR_INTERNAL_H
#include <pthread.h>
#include <umbel/actuator.h>

enum { KEPT_MAX = 8 };                        /* replies of one endpoint that are kept: one for each of what may be shown to whom */

struct endpoint {                             /* of the setup's, same indices */
    bool exposed;
    int access;                               /* enum um_actuator_access */
    int64_t keep_ms;                          /* management.endpoint.<id>.cache.time-to-live */
    struct kept { int64_t until_ms; unsigned status; json_t *body; } kept[KEPT_MAX];     /* under the lock */
};

struct group {
    char *name;
    char **include, **exclude;                /* names of components, "*"; end with NULL */
    int show_details, show_components;        /* -1: as health has it */
    char *probe;                              /* "/livez": path of its own; NULL: none */
    bool on_management;                       /* on the actuator's own port */
};

struct um_actuator {
    struct um_actuator_setup s;
    char *base;                               /* "/core/actuator" */
    struct endpoint *endpoints;
    size_t n_endpoints;
    struct group *groups;                     /* by name */
    size_t n_groups;
    pthread_mutex_t lock;
};

bool actuator_shows(const struct um_actuator *a, const struct um_http_req *rq, int show);
void actuator_not_there(struct um_http_req *rq, const char *what);

/* endpoints.c. False: a value is wrong, which is logged. */
bool endpoints_open(struct um_actuator *a);
void endpoints_close(struct um_actuator *a);
bool endpoint_is_exposed(const struct um_actuator *a, const char *id);
/* The endpoint whose whole RQ reads, if replies of it are kept: *SLOT is where this one belongs. NULL: none. */
struct endpoint *endpoint_kept(struct um_actuator *a, const struct um_http_req *rq, size_t *slot);

/* groups.c: likewise */
bool groups_open(struct um_actuator *a);
void groups_close(struct um_actuator *a);
const struct group *group_find(const struct um_actuator *a, const char *name);       /* NULL: none */
bool group_has(const struct group *g, const char *component);

/* A word of a property: any case, dashes or none. -1: it is none of WORDS. */
int actuator_word(const char *text, const char *const *words);
bool actuator_fail(const char *key, const char *value, const char *why);            /* logs; false */
extern const char *const actuator_shows_words[], *const actuator_access_words[];

/* system.c: figures of the process and the machine, brought up to date for who is about to read them. */
void system_register(void);
void system_refresh(int64_t started_wall_ms);

#endif
