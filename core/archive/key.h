/* What a key may be. */
#ifndef ARCHIVE_KEY_H
#define ARCHIVE_KEY_H
#include <umbel/base.h>

enum {
    ARCHIVE_KEY_MAX = 1024,           /* bytes of a key */
    ARCHIVE_SEGMENT_MAX = 250,        /* bytes of a segment: with its ending still a file's name */
    ARCHIVE_SEGMENTS_MAX = 32,
};
#define ARCHIVE_OWN ".umbel"          /* the first segment that is ours */

bool archive_key_is_valid(const char *key);      /* NULL is not */
bool archive_key_is_own(const char *key);        /* begins with our segment */
/* Part of a key: what a list searches for. NULL and "" are. */
bool archive_prefix_is_valid(const char *prefix);

#endif
