/* The order of a search, and the cursor that leads on from a row of it.
 *
 * A row's place is its keys: for a member its column; for a tag whether it has one (those without come last), and its first
 * value; then num, in the direction of the first order. Keys are never NULL, so that "behind this row" is a comparison. A cursor
 * is those of the last row that was seen, with a digest of what was asked for, as JSON in base64. It says nothing that decides
 * about rights, so it is not sealed: another one leads to another place in the same results. */
#ifndef SEARCH_ORDER_H
#define SEARCH_ORDER_H
#include "search/sql.h"

enum { ORDER_KEYS_MAX = 2 * SEARCH_ORDERS_MAX + 1 };
struct order_keys { size_t n; struct order_key { const struct search_order *order; size_t i; bool is_missing, descending; } keys[ORDER_KEYS_MAX]; };

void order_keys_of(const struct search *s, struct order_keys *out);
void order_add_columns(struct search_sql *q, const struct order_keys *k);        /* "…, …": what a row is read with */
json_t *order_keys_read(const struct order_keys *k, const struct um_sql_row *row);
int64_t order_num(const struct order_keys *k, const struct um_sql_row *row);
void order_add_by(struct search_sql *q, const struct order_keys *k);             /* " ORDER BY …", by the columns */
/* " AND (…)": behind KEYS, which outlive the statement. */
void order_add_after(struct search_sql *q, const struct order_keys *k, const json_t *keys);

char *cursor_write(const struct um_call *c, const struct search *s, const json_t *request, const json_t *keys);    /* the caller frees it */
/* NULL: it is no cursor of this search. The caller decrefs. */
json_t *cursor_read(const struct um_call *c, const struct search *s, const json_t *request, const struct order_keys *k);

#endif
