#include "counters.h"

static struct um_metric rows[M_N] = {
    [M_COMMITS] = { "store.commits", "transactions", "transactions committed", UM_COUNTER },
    [M_COMMIT_US] = { "store.commit.us", "microseconds", "time spent in transactions, the disk included", UM_COUNTER },
    [M_ERRORS] = { "store.errors", "transactions", "transactions that failed; nothing of them was acknowledged", UM_COUNTER },
    [M_APPENDS] = { "store.appends", "updates", "updates stored", UM_COUNTER },
    [M_APPEND_BYTES] = { "store.append.bytes", "bytes", "bytes of updates stored", UM_COUNTER },
    [M_FOLDS] = { "store.folds", "documents", "folded states written", UM_COUNTER },
    [M_CONFLICTS] = { "store.conflicts", "documents", "folds refused because the state had changed meanwhile", UM_COUNTER },
    [M_TRIMMED] = { "store.trimmed", "updates", "rows of the log removed below a folded state", UM_COUNTER },
    [M_LOADS] = { "store.loads", "documents", "documents read", UM_COUNTER },
    [M_CORRUPT] = { "store.corrupt", "documents", "loads refused because stored bytes are damaged", UM_COUNTER },
    [M_LISTS] = { "store.lists", "pages", "pages of the list of documents", UM_COUNTER },
    [M_REFUSED] = { "store.refused", "calls", "calls refused because too much waits", UM_COUNTER },
    [M_WAITING_BYTES] = { "store.waiting.bytes", "bytes", "calls that wait for their commit", UM_GAUGE },
    [M_FOREIGN] = { "store.foreign", "transactions", "times that another program was seen to have written", UM_COUNTER },
    [M_REOPENED] = { "store.reopened", "times", "connections opened anew after an input/output error", UM_COUNTER },
    [M_UNHEALTHY] = { "store.unhealthy", "stores", "1 while the last transaction has failed", UM_GAUGE },
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
