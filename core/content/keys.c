/* The keys of files. */
#include <umbel/conf.h>
#include <umbel/content.h>

#define AT(f) .at = offsetof(struct um_content_conf, f)
static const struct um_conf_key keys[] = {
    { "file.dir", NULL, "", "directory of the contents of files, the same for all cores; empty: they lie in the database",
      UM_CONF_STR, 0, AT(dir), .max = 4096 },
    { "file.max-size", "spring.servlet.multipart.max-file-size", "100MB", "largest file; beyond it 413",
      UM_CONF_SIZE, 0, AT(max_bytes), .min = 1024, .max = (int64_t)1 << 40 },
    { "file.tmp.ttl", NULL, "24h", "how long an uploaded file waits to be bound to a component; then it is removed",
      UM_CONF_DURATION_MS, 0, AT(tmp_ttl_ms), .min = 1000, .max = (int64_t)366 * 86400000 },
    { "file.max-transfers", NULL, "200", "uploads and downloads at a time, each of which holds up to 512KB; beyond it 503",
      UM_CONF_INT, 0, AT(max_transfers), .min = 1, .max = 100000 },
};
const struct um_conf_table um_content_conf_table = UM_CONF_TABLE("Files", keys);
