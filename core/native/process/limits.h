/* What a process that runs foreign code gives up before it does. */
#ifndef HANDLER_LIMITS_H
#define HANDLER_LIMITS_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct limits {
    pid_t parent;
    unsigned long long memory, files, call_s;     /* bytes of address space, open descriptors, seconds */
};
/* Dies with its parent, gains no privileges, leaves no core files, and has so much and no more. False: WHY says
 * what could not be set. */
bool limits_set(const struct limits *l, char *why, size_t size);
/* From now on CALL_S seconds of processor time, whatever was used before: then SIGXCPU. */
void limits_begin_call(const struct limits *l);

#endif
