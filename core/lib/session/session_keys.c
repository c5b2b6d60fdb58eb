/* Configuration rows of sessions. */
#include <umbel/conf.h>
#include <umbel/session.h>

#define AT(f) .at = offsetof(struct um_sessions_conf, f)
static const struct um_conf_key keys[] = {
    { "spring.session.timeout", "server.servlet.session.timeout", "30m", "a session ends when it was not used for this long",
      UM_CONF_DURATION_S, 0, AT(timeout_s), .min = 1, .max = 365 * 86400 },
    { "gui.session.timeout", NULL, "", "the same under its older name, in seconds; wins when set",
      UM_CONF_DURATION_S, 0, AT(gui_timeout_s), .min = 1, .max = 365 * 86400 },
    { "session.max-age", NULL, "12h", "a session ends this long after the login, used or not; 0: never",
      UM_CONF_DURATION_S, 0, AT(max_age_s), .max = 365 * 86400 },
    { "session.max", NULL, "100000", "sessions at once; further logins are refused",
      UM_CONF_INT, 0, AT(max_sessions), .min = 1, .max = 10000000 },
    { "session.max-per-user", NULL, "20", "sessions of one user; the one unused longest ends when another begins",
      UM_CONF_INT, 0, AT(max_per_user), .min = 1, .max = 1000 },
    { "session.max-attributes", NULL, "64", "attributes of one session",
      UM_CONF_INT, 0, AT(max_attributes), .min = 16, .max = 10000 },
    { "session.max-value", NULL, "64KB", "bytes of one attribute",
      UM_CONF_SIZE, 0, AT(max_value_bytes), .min = 4096, .max = 16 << 20 },
    { "session.max-total", NULL, "256KB", "bytes of all attributes of one session",
      UM_CONF_SIZE, 0, AT(max_total_bytes), .min = 4096, .max = 16 << 20 },
};
const struct um_conf_table um_session_conf_table = UM_CONF_TABLE("Sessions", keys);
