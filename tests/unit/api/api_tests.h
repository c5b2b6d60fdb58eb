/* What the files of unit.api share. */
#ifndef API_TESTS_H
#define API_TESTS_H
#include "um_test.h"
#include "internal.h"

/* Rows with the schemas of TEXT; NULL: WHY. */
struct um_api *api_of(const struct um_api_row *rows, size_t n, const char *text, char why[256]);
int rows_group(void);
int requests_group(void);
#endif
