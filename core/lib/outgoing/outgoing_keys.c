/* The keys of outgoing calls. */
#include <umbel/conf.h>
#include <umbel/outgoing.h>

#define AT(f) .at = offsetof(struct um_outgoing_conf, f)
static const struct um_conf_key keys[] = {
    { "rest.oh.connect.timeout", NULL, "5000", "time to reach a handler or webhook, with name look-up and TLS",
      UM_CONF_DURATION_MS, 0, AT(connect_ms), .min = 1, .max = 600000 },
    { "rest.oh.read.timeout", NULL, "30000", "time for the whole of a call, from the asking to the last byte of the answer",
      UM_CONF_DURATION_MS, 0, AT(read_ms), .min = 1, .max = 3600000 },
    { "rest.oh.pool.max.total", NULL, "200", "calls under way at once, and connections",
      UM_CONF_INT, 0, AT(max_total), .min = 1, .max = 100000 },
    { "rest.oh.pool.max.per.route", NULL, "100", "the same to one host and port",
      UM_CONF_INT, 0, AT(max_per_route), .min = 1, .max = 100000 },
    { "outgoing.allow", NULL, "", "networks (10.0.0.0/8), addresses and host names that may be called although they lie inside; a name opens "
      "loopback and private addresses only", UM_CONF_STR, 0, AT(allow), .max = 16384 },
    { "outgoing.max-answer", NULL, "1MB", "largest body of an answer", UM_CONF_SIZE, 0, AT(max_answer), .min = 1, .max = 1 << 30 },
    { "outgoing.max-waiting", NULL, "10000", "calls that wait for a place; beyond it a call fails at once",
      UM_CONF_INT, 0, AT(max_waiting), .min = 1, .max = 1000000 },
    { "outgoing.max-waiting-bytes", NULL, "64MB", "the same for the bytes of their bodies",
      UM_CONF_SIZE, 0, AT(max_waiting_bytes), .min = 1, .max = 1LL << 40 },
    { "outgoing.ca-file", NULL, "", "certificates (PEM) that are trusted for https; empty: the system's", UM_CONF_STR, 0, AT(ca_file), .max = 4096 },
};
const struct um_conf_table um_outgoing_conf_table = UM_CONF_TABLE("Outgoing calls", keys);
