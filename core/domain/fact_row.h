/* A row of the table of facts. */
#ifndef DOMAIN_FACT_ROW_H
#define DOMAIN_FACT_ROW_H
#include "call.h"

/* FIELDS: a JSON array as text. NUM (may be NULL): the row's. */
UM_CHECK_RESULT um_err fact_insert(struct um_call *c, const char *category, const char *id, const char *action, bool technical,
                                   const char *description, const char *fields, int64_t *num);

#endif
