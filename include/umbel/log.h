/* The log: one event per line, `key=value`, or JSON lines (ecs, logstash). Any thread.
 * Values from outside are escaped (control and bidi characters) and cut; secrets are never passed in.
 *
 *   um_log(UM_INFO, "http", "listening", UM_S("address", addr), UM_I("port", port));
 *   2026-01-02T03:04:05.678Z INFO  http listening address=127.0.0.1 port=8081                          */
#ifndef UMBEL_LOG_H
#define UMBEL_LOG_H
#include <umbel/base.h>

enum um_level { UM_TRACE, UM_DEBUG, UM_INFO, UM_WARN, UM_ERROR, UM_OFF };   /* WARN: operator today; ERROR: operator now */

struct um_field {
    const char *key;
    enum { UM_FIELD_END, UM_FIELD_STR, UM_FIELD_SPAN, UM_FIELD_INT, UM_FIELD_REAL } kind;
    union { const char *s; struct um_span span; int64_t i; double d; };
};
#define UM_S(k, v) ((struct um_field){ .key = (k), .kind = UM_FIELD_STR, .s = (v) })       /* NULL prints as - */
#define UM_B(k, v) ((struct um_field){ .key = (k), .kind = UM_FIELD_SPAN, .span = (v) })
#define UM_I(k, v) ((struct um_field){ .key = (k), .kind = UM_FIELD_INT, .i = (int64_t)(v) })
#define UM_D(k, v) ((struct um_field){ .key = (k), .kind = UM_FIELD_REAL, .d = (v) })

#define um_log(level, category, event, ...) \
    (um_log_is_on((level), (category))          \
        ? um_log_fields((level), (category), (event), \
                        (struct um_field[]){ __VA_ARGS__ __VA_OPT__(,) { .kind = UM_FIELD_END } }) \
        : (void)0)
/* For what a peer can cause as often as it likes: at most 10 lines a second and event; the next line that passes
 * says how many were held back (`suppressed=n`). */
#define um_log_limited(level, category, event, ...) \
    (um_log_is_on((level), (category)) && um_log_may((category), (event)) \
        ? um_log_fields((level), (category), (event), \
                        (struct um_field[]){ __VA_ARGS__ __VA_OPT__(,) { .kind = UM_FIELD_END } }) \
        : (void)0)

bool um_log_is_on(enum um_level level, const char *category);
bool um_log_may(const char *category, const char *event);
void um_log_fields(enum um_level level, const char *category, const char *event, const struct um_field *fields);

enum um_log_format { UM_LOG_TEXT, UM_LOG_ECS, UM_LOG_LOGSTASH };
struct um_log_conf {
    const char *service;                     /* "umbel-core" */
    enum um_log_format format;
    const char *file;                        /* NULL or "": standard error only */
    int64_t max_bytes;                       /* of the file: then it is put aside and a new one begun; 0: never */
    int64_t max_files;                       /* put aside and kept; 0: all */
};
um_err um_log_open(const struct um_log_conf *cf);        /* before threads start */
void um_log_set_level(const char *category, enum um_level level);   /* NULL: the root level; any thread */
void um_log_clear_level(const char *category);     /* as its parent again; NULL: the root, INFO; any thread */
bool um_log_parse_level(const char *text, enum um_level *out);      /* any case */
const char *um_log_level_text(enum um_level level);                 /* "INFO" */
enum um_level um_log_level_of(const char *category);               /* the one in force; NULL: the root's */
/* Categories with a level of their own, and those that have logged so far. OWN: UM_LEVEL_NONE, or what was set. CB runs during the call;
 * order of arrival. */
#define UM_LEVEL_NONE (-1)
void um_log_each(void (*cb)(void *arg, const char *category, int own), void *arg);

#endif
