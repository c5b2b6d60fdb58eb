/* Levels of the log. */
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { NAME_MAX_BYTES = 31 };

static json_t *logger_json(const char *category, int own)
{
    return json_pack("{s:s?, s:s}", "configuredLevel", own == UM_LEVEL_NONE ? NULL : um_log_level_text((enum um_level)own), "effectiveLevel",
                     um_log_level_text(um_log_level_of(category)));
}

static void add_logger(void *arg, const char *category, int own) { json_object_set_new(arg, category, logger_json(category, own)); }

void um_actuator_loggers(const struct um_actuator *a, struct um_http_req *rq)
{
    json_t *all;

    if (!um_actuator_exposes(a, rq, "loggers"))
        return;
    all = json_object();
    um_log_each(add_logger, all);
    json_object_set_new(all, "ROOT", logger_json(NULL, (int)um_log_level_of(NULL)));
    um_actuator_reply(a, rq, 200, json_pack("{s:[s,s,s,s,s,s], s:o, s:{}}", "levels", "OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "loggers",
                                         all, "groups"));
}

struct looking { const char *name; int own; };

static void look(void *arg, const char *category, int own)
{
    struct looking *l = arg;

    if (um_ascii_ieq(category, l->name))
        l->own = own;
}

void um_actuator_logger(const struct um_actuator *a, struct um_http_req *rq, const char *name)
{
    struct looking l = { name, UM_LEVEL_NONE };

    if (!um_actuator_exposes(a, rq, "loggers"))
        return;
    if (um_ascii_ieq(name, "ROOT")) {
        um_actuator_reply(a, rq, 200, logger_json(NULL, (int)um_log_level_of(NULL)));
        return;
    }
    um_log_each(look, &l);                    /* any name has a level, as in Spring Boot: its parent's */
    um_actuator_reply(a, rq, 200, logger_json(name, l.own));
}

static bool read_level(const json_t *body, bool *clears, enum um_level *level)
{
    const json_t *value = json_object_get(body, "configuredLevel");

    *clears = value == NULL || json_is_null(value);
    if (json_is_string(value) && um_ascii_ieq(json_string_value(value), "FATAL")) {
        *level = UM_ERROR;                    /* Spring Boot's enumeration has it; nothing of ours is worse than an error */
        return json_is_object(body);
    }
    return json_is_object(body) && (*clears || (json_is_string(value) && um_log_parse_level(json_string_value(value), level)));
}

bool um_actuator_set_logger(const struct um_actuator *a, struct um_http_req *rq, const char *name, const char **before, const char **after)
{
    const char *category = um_ascii_ieq(name, "ROOT") ? NULL : name;
    enum um_level level = UM_INFO;
    json_t *body;
    bool clears, ok;

    if (!um_actuator_exposes(a, rq, "loggers") || (body = um_http_body_json(rq)) == NULL)
        return false;
    ok = read_level(body, &clears, &level) && strlen(name) <= NAME_MAX_BYTES;
    json_decref(body);
    if (!ok) {
        um_http_reply_error(rq, 400, "U00400", "configuredLevel is OFF, ERROR, WARN, INFO, DEBUG, TRACE or null, a name has at most 31 bytes");
        return false;
    }
    *before = um_log_level_text(um_log_level_of(category));
    if (clears)
        um_log_clear_level(category);
    else
        um_log_set_level(category, level);
    *after = um_log_level_text(um_log_level_of(category));
    return true;
}
