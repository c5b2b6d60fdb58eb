/* Rows of a search as CSV (RFC 4180: commas, CRLF, quotes doubled), in UTF-8. */
#ifndef SEARCH_CSV_H
#define SEARCH_CSV_H
#include "call.h"

/* One cell. A text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers. */
void csv_cell(struct um_buf *out, const char *text);
/* FIELDS: names; titles by the model, in the language of LOCALE ("fr", "fr_FR"; NULL: ids). */
void csv_header(const struct um_call *c, struct um_buf *out, const json_t *fields, const char *locale);
/* The results of search_run. */
void csv_rows(struct um_buf *out, const json_t *fields, const json_t *results);

#endif
