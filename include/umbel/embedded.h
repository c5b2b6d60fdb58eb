/* Files that are part of the program: um_embed in cmake/UmbelTargets.cmake makes a table of them. */
#ifndef UMBEL_EMBEDDED_H
#define UMBEL_EMBEDDED_H
#include <umbel/base.h>

struct um_embedded {
    const char *name;                        /* "common.json": without its folder */
    struct um_span data;                     /* a zero byte follows */
};

#endif
