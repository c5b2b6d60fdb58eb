/* Configuration of reservations. */
#include <umbel/conf.h>
#include <umbel/reserve.h>

#define AT(f) .at = offsetof(struct um_reserve_conf, f)
static const struct um_conf_key keys[] = {
    { "reservation.ttl", NULL, "120s", "lease of a reservation: so long after its last renewal it lasts; the same on every core",
      UM_CONF_DURATION_MS, 0, AT(ttl_ms), .min = 1000, .max = 7 * 86400000 },
    { "reservation.max", NULL, "100000", "reservations at a time, in the whole installation",
      UM_CONF_INT, 0, AT(max), .min = 1, .max = 200000 },
    { "reservation.max-per-session", NULL, "1000", "reservations of one session at a time",
      UM_CONF_INT, 0, AT(max_per_session), .min = 1, .max = 200000 },
};
const struct um_conf_table um_reserve_conf_table = UM_CONF_TABLE("Reservations", keys);
