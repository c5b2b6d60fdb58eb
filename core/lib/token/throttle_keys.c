/* Configuration rows of the login throttle. */
#include <umbel/conf.h>
#include <umbel/throttle.h>

#define AT(f) .at = offsetof(struct um_throttle_conf, f)
static const struct um_conf_key keys[] = {
    { "login.free-attempts", NULL, "5", "failed logins of one user from one address before they are slowed down",
      UM_CONF_INT, 0, AT(free_attempts), .min = 1, .max = 1000 },
    { "login.first-wait", NULL, "1s", "wait after that many failures; each further one doubles it",
      UM_CONF_DURATION_MS, 0, AT(first_wait_ms), .min = 1, .max = 3600000 },
    { "login.max-wait", NULL, "5m", "greatest wait between two attempts",
      UM_CONF_DURATION_MS, 0, AT(max_wait_ms), .min = 1, .max = 86400000 },
    { "login.forget", NULL, "15m", "failures are forgotten after this time without an attempt",
      UM_CONF_DURATION_MS, 0, AT(forget_ms), .min = 1000, .max = 86400000 },
    { "login.max-entries", NULL, "10000", "pairs of user and address that are remembered",
      UM_CONF_INT, 0, AT(max_entries), .min = 16, .max = 10000000 },
};
const struct um_conf_table um_throttle_conf_table = UM_CONF_TABLE("Login throttle", keys);
