#include "counters.h"

#define COUNTER(n, u, h) { .name = (n), .unit = (u), .help = (h), .kind = UM_COUNTER }
#define GAUGE(n, u, h)   { .name = (n), .unit = (u), .help = (h), .kind = UM_GAUGE }

static struct um_metric rows[M_N] = {
    [M_COMMITS] = COUNTER("store.commits", "transactions", "transactions committed"),
    [M_COMMIT_US] = COUNTER("store.commit.us", "microseconds", "time spent in transactions, the disk included"),
    [M_ERRORS] = COUNTER("store.errors", "transactions", "transactions that failed; nothing of them was acknowledged"),
    [M_APPENDS] = COUNTER("store.appends", "updates", "updates stored"),
    [M_APPEND_BYTES] = COUNTER("store.append.bytes", "bytes", "bytes of updates stored"),
    [M_FOLDS] = COUNTER("store.folds", "documents", "folded states written"),
    [M_CONFLICTS] = COUNTER("store.conflicts", "documents", "folds refused because the state had changed meanwhile"),
    [M_TRIMMED] = COUNTER("store.trimmed", "updates", "rows of the log removed below a folded state"),
    [M_LOADS] = COUNTER("store.loads", "documents", "documents read"),
    [M_CORRUPT] = COUNTER("store.corrupt", "documents", "loads refused because stored bytes are damaged"),
    [M_LISTS] = COUNTER("store.lists", "pages", "pages of the list of documents"),
    [M_REFUSED] = COUNTER("store.refused", "calls", "calls refused because too much waits"),
    [M_LATE] = COUNTER("store.late", "calls", "changes of reservations not done because their turn came after store.timeout"),
    [M_WAITING_BYTES] = GAUGE("store.waiting.bytes", "bytes", "calls that wait for their commit"),
    [M_FOREIGN] = COUNTER("store.foreign", "transactions", "times that another program was seen to have written"),
    [M_REOPENED] = COUNTER("store.reopened", "times", "connections opened anew after an input/output error"),
    [M_UNITS] = COUNTER("store.units", "units", "units of work committed"),
    [M_UNIT_RUNS] = COUNTER("store.unit.runs", "runs", "runs of units; more than units: others were in the way, or they were rolled back"),
    [M_VIEWS] = COUNTER("store.views", "inspections", "inspections made"),
    [M_UNHEALTHY] = GAUGE("store.unhealthy", "stores", "1 while the last transaction has failed"),
};

void store_counters_register(void)
{
    static _Atomic bool done;

    if (!atomic_exchange(&done, true))
        um_metrics_register(rows, M_N);
}

void store_count(enum store_counter which, int64_t n)
{
    um_count(&rows[which], n);
}
