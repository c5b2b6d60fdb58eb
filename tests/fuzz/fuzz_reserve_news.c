/* News of reservations from a hostile node: whatever it says, rows that are told can be kept, and are kept in bounds. */
#include <string.h>
#include <umbel/util.h>
#include "copy.h"
#include "news.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(void *arg, const struct news_head *head, const struct um_store_reserved *row)
{
    struct copy_outcome o;

    UM_ASSERT(head->event < UM_RESERVE_EVENTS_N && row->left_ms >= 0 && um_store_is_category(row->category));
    UM_ASSERT(um_utf8_is_valid(row->id, strlen(row->id)));
    copy_report(arg, row, 1, 1000, 10, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct copy c;

    copy_init(&c);
    news_read(UM_SPAN(data, size), keep, &c);
    copy_free(&c);
    return 0;
}
