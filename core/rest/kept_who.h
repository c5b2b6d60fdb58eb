/* Who asks, for what goes on when his request may be gone. */
#ifndef REST_KEPT_WHO_H
#define REST_KEPT_WHO_H
#include <umbel/domain.h>

/* A copy, with everything that WHO points to. */
struct um_who *who_keep(const struct um_who *who);
void who_drop(struct um_who *who);           /* one of who_keep; NULL is fine */

#endif
