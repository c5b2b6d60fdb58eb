/* The log's file, which does not grow for ever: at a size it is put aside under the time of that, and a new one begun. */
#ifndef LOG_ROTATE_H
#define LOG_ROTATE_H
#include <umbel/log.h>

/* Opens the file of CF and keeps its name. Before threads start. */
um_err rotate_open(const struct um_log_conf *cf, int *fd) UM_CHECK_RESULT;
/* N bytes were written to FD, which stays the same descriptor. Any thread. */
void rotate_wrote(int fd, size_t n);

#endif
