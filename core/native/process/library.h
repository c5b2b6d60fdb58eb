/* A library in this process. */
#ifndef HANDLER_LIBRARY_H
#define HANDLER_LIBRARY_H
#include <stdbool.h>
#include <umbel/handler.h>

enum { LIBRARY_WHY_MAX = 400 };
struct library { const struct umbel_handler *table; void *state; };
/* From descriptor FD, which is closed: what was checked is what is loaded. False: WHY (LIBRARY_WHY_MAX bytes). */
bool library_load(struct library *l, int fd, const char *name, const char *dir, char *why);

#endif
