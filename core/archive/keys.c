/* The archive's configuration keys. */
#include <umbel/archive.h>
#include <umbel/conf.h>

#define AT(f) .at = offsetof(struct um_archive_conf, f)
static const struct um_conf_key keys[] = {
    { "archive.url", NULL, "", "where old versions and large files are kept: file:///path; empty: nowhere",
      UM_CONF_STR, 0, AT(url), .max = 4096 },
    { "archive.connections", NULL, "4", "calls that run at the same time",
      UM_CONF_INT, 0, AT(connections), .min = 1, .max = 64 },
    { "archive.max-waiting", NULL, "256MB", "most bytes that wait to be archived; beyond it calls are refused",
      UM_CONF_SIZE, 0, AT(max_waiting_bytes), .min = 1 << 20, .max = (int64_t)1 << 40 },
};
const struct um_conf_table um_archive_conf_table = UM_CONF_TABLE("Archive", keys);
