/* The archive's configuration keys. */
#include <umbel/archive.h>
#include <umbel/conf.h>

static const char *const styles[] = { [UM_ARCHIVE_STYLE_AUTO] = "auto", [UM_ARCHIVE_STYLE_PATH] = "true",
                                      [UM_ARCHIVE_STYLE_HOST] = "false", NULL };

#define AT(f) .at = offsetof(struct um_archive_conf, f)
static const struct um_conf_key keys[] = {
    { "archive.url", NULL, "",
      "where old versions and large files are kept: file:///path or s3://bucket/prefix; empty: nowhere",
      UM_CONF_STR, 0, AT(url), .max = 4096 },
    { "archive.s3.endpoint", NULL, "", "http(s)://host:port of the S3-compatible store; empty: that of AWS in the region",
      UM_CONF_STR, 0, AT(s3_endpoint), .max = 1024 },
    { "archive.s3.region", NULL, "us-east-1", "region that requests are signed for; region= in the URL wins",
      UM_CONF_STR, 0, AT(s3_region), .max = 64 },
    { "archive.s3.path-style", NULL, "auto",
      "bucket in the path (true) or in the host's name (false); auto: path when an endpoint is given",
      UM_CONF_ENUM, 0, AT(s3_path_style), .words = styles },
    { "archive.s3.access-key", NULL, "", "access key of the S3 store",
      UM_CONF_STR, 0, AT(s3_access_key), .max = 256 },
    { "archive.s3.secret-key", NULL, "", "secret key of the S3 store",
      UM_CONF_STR, UM_CONF_SECRET, AT(s3_secret_key), .max = 256 },
    { "archive.s3.ca-file", NULL, "", "certificates (PEM) that the store's own must be signed by; empty: the system's",
      UM_CONF_STR, 0, AT(s3_ca_file), .max = 4096 },
    { "archive.part-size", NULL, "8MB", "larger objects are sent to an S3 store in parts of this size",
      UM_CONF_SIZE, 0, AT(part_bytes), .min = 5 << 20, .max = 1 << 30 },
    { "archive.timeout", NULL, "60s", "longest time of one request to an S3 store",
      UM_CONF_DURATION_MS, 0, AT(timeout_ms), .min = 100, .max = 3600000 },
    { "archive.retries", NULL, "4", "how often a request that failed is sent again",
      UM_CONF_INT, 0, AT(retries), .min = 0, .max = 20 },
    { "archive.connections", NULL, "4", "calls that run at the same time",
      UM_CONF_INT, 0, AT(connections), .min = 1, .max = 64 },
    { "archive.max-waiting", NULL, "256MB", "most bytes that wait to be archived; beyond it calls are refused",
      UM_CONF_SIZE, 0, AT(max_waiting_bytes), .min = 1 << 20, .max = (int64_t)1 << 40 },
};
const struct um_conf_table um_archive_conf_table = UM_CONF_TABLE("Archive", keys);
