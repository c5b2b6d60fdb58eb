/* Moments as bodies have them: yyyy-MM-dd HH:mm:ss.SSS Z, "2024-03-07 13:59:54.854 +0100". Written in UTC. */
#ifndef DOMAIN_DATES_H
#define DOMAIN_DATES_H
#include <umbel/base.h>

enum { UM_DATE_MAX = 40 };
void um_date_text(int64_t wall_ms, char out[UM_DATE_MAX]);
bool um_date_read(const char *text, int64_t *wall_ms);      /* false: no such moment */

#endif
