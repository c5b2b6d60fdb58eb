/* The end of the archive, as its threads see it. */
#ifndef ARCHIVE_STOP_H
#define ARCHIVE_STOP_H
#include <pthread.h>
#include <umbel/base.h>

struct archive_stop { pthread_mutex_t lock; pthread_cond_t wake; bool set; };

void archive_stop_init(struct archive_stop *s);
void archive_stop_free(struct archive_stop *s);
void archive_stop_set(struct archive_stop *s);
bool archive_stop_is_set(struct archive_stop *s);
bool archive_stop_wait(struct archive_stop *s, int64_t ms);    /* false: set before MS had passed */

#endif
