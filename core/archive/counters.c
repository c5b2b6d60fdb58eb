#include "counters.h"

#define COUNTER(n, u, h) { .name = (n), .unit = (u), .help = (h), .kind = UM_COUNTER }
#define GAUGE(n, u, h)   { .name = (n), .unit = (u), .help = (h), .kind = UM_GAUGE }

static struct um_metric rows[M_N] = {
    [M_PUTS] = COUNTER("archive.puts", "objects", "objects archived"),
    [M_PUT_BYTES] = COUNTER("archive.put.bytes", "bytes", "bytes of objects archived"),
    [M_GETS] = COUNTER("archive.gets", "objects", "objects read"),
    [M_GET_BYTES] = COUNTER("archive.get.bytes", "bytes", "bytes of objects read"),
    [M_DELETES] = COUNTER("archive.deletes", "objects", "objects deleted, or not there any more"),
    [M_LISTS] = COUNTER("archive.lists", "pages", "pages of lists"),
    [M_PROBES] = COUNTER("archive.probes", "calls", "probes that found the archive usable"),
    [M_ERRORS] = COUNTER("archive.errors", "calls", "calls that failed for want of the archive"),
    [M_CORRUPT] = COUNTER("archive.corrupt", "objects", "objects refused because their bytes are damaged"),
    [M_REFUSED] = COUNTER("archive.refused", "calls", "calls refused because too much waits"),
    [M_CALL_US] = COUNTER("archive.call.us", "microseconds", "time that threads spent in calls"),
    [M_REQUESTS] = COUNTER("archive.requests", "requests", "HTTP requests sent to an S3 store, repeated ones included"),
    [M_RETRIES] = COUNTER("archive.retries", "requests", "HTTP requests that were repeated"),
    [M_MULTIPARTS] = COUNTER("archive.multiparts", "objects", "objects sent in parts"),
    [M_ABORTED] = COUNTER("archive.aborted", "objects", "objects sent in parts and given up"),
    [M_LEFTOVERS] = COUNTER("archive.leftovers", "files", "unfinished files of a crash that were removed"),
    [M_WAITING] = GAUGE("archive.waiting", "calls", "calls that wait or run"),
    [M_WAITING_BYTES] = GAUGE("archive.waiting.bytes", "bytes", "bytes of objects that wait to be archived"),
    [M_UNHEALTHY] = GAUGE("archive.unhealthy", "archives", "1 while the last call has failed for want of the archive"),
};

void archive_counters_register(void)
{
    static _Atomic bool done;

    if (!atomic_exchange(&done, true))
        um_metrics_register(rows, M_N);
}

void archive_count(enum archive_counter which, int64_t n)
{
    um_count(&rows[which], n);
}
