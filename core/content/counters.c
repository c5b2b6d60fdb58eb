#include "internal.h"

#define COUNTER(n, u, h) { .name = (n), .unit = (u), .help = (h), .kind = UM_COUNTER }
#define GAUGE(n, u, h)   { .name = (n), .unit = (u), .help = (h), .kind = UM_GAUGE }

static struct um_metric rows[M_N] = {
    [M_UPLOADS] = COUNTER("content.uploads", "uploads", "files uploaded"),
    [M_UPLOAD_BYTES] = COUNTER("content.upload.bytes", "bytes", "bytes of files uploaded"),
    [M_BROKEN_OFF] = COUNTER("content.broken.off", "uploads", "uploads that ended before the file was complete"),
    [M_DOWNLOADS] = COUNTER("content.downloads", "downloads", "downloads begun, of ranges too"),
    [M_DOWNLOAD_BYTES] = COUNTER("content.download.bytes", "bytes", "bytes of files read for downloads"),
    [M_LOST] = COUNTER("content.lost", "downloads", "downloads cut because the bytes could not be had"),
    [M_SWEPT] = COUNTER("content.swept", "contents", "contents removed because no file refers to them any more"),
    [M_TRANSFERS] = GAUGE("content.transfers", "transfers", "uploads and downloads under way"),
    [M_MAX_SIZE] = COUNTER("limit.hit.file.max-size", "uploads", "files refused because they are too large"),
    [M_MAX_TRANSFERS] = COUNTER("limit.hit.file.max-transfers", "requests", "uploads and downloads refused: too many"),
};

void content_counters_register(void)
{
    static _Atomic bool done;

    if (!atomic_exchange(&done, true))
        um_metrics_register(rows, M_N);
}

void content_count(enum content_counter which, int64_t n)
{
    um_count(&rows[which], n);
}
