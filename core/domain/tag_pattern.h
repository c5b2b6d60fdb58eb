/* Patterns of tags: regular expressions as Perl has them, over the whole of a value. They come from administrators and meet
 * values from anybody: how long one may be, how deep, and how long a value may keep it busy, is bounded. */
#ifndef DOMAIN_TAG_PATTERN_H
#define DOMAIN_TAG_PATTERN_H
#include <umbel/base.h>

enum { TAG_PATTERN_MAX = 1000 };             /* bytes */
bool tag_pattern_fault(const char *pattern, char why[200]);     /* it is none */
enum tag_match { TAG_MATCHES, TAG_DIFFERS, TAG_TOO_HARD };      /* the last: it gave up, or PATTERN is none */
enum tag_match tag_pattern_match(const char *pattern, const char *value);

#endif
