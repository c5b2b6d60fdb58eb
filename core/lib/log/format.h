/* How one event becomes one line. Pure: time and names are passed in. */
#ifndef LOG_FORMAT_H
#define LOG_FORMAT_H
#include <umbel/bytes.h>
#include <umbel/log.h>

struct um_log_event {
    int64_t wall_ms;
    enum um_level level;
    const char *service, *category, *name;
    const struct um_field *fields;
    uint64_t suppressed;                     /* lines held back before this one */
};
void um_log_format(struct um_buf *out, enum um_log_format format, const struct um_log_event *e);
const char *um_level_name(enum um_level level);

#endif
