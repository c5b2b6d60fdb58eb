/* The names of this test, in place of the system's: names.c defines getaddrinfo, so that libcurl finds it first. All others are unknown. */
#ifndef OUTGOING_NAMES_H
#define OUTGOING_NAMES_H
#include <stdatomic.h>
#include <stdbool.h>

/* "slow.example" is looked up until this is true. */
extern _Atomic bool names_slow_may_end;
extern _Atomic int names_slow_now;           /* look-ups of it that go on */

#endif
