/* Names of keys: relaxed comparison, patterns, spellings in the environment. */
#ifndef UMBEL_CONF_NAME_H
#define UMBEL_CONF_NAME_H
#include <umbel/base.h>
#include <umbel/bytes.h>

#define NAME_MAX_BYTES 512u      /* longer names are refused */

/* Appends the form in which names are compared: `Spring.Redis.connect_timeout` -> `spring.redis.connecttimeout`,
 * `users[0].Id` -> `users[0].id`, `level[com.Foo]` keeps its case, `level[foo]` -> `level.foo`. */
void name_canonical(struct um_buf *out, const char *name);
bool name_equal(const char *a, const char *b);

/* Does the canonical NAME fit the canonical PATTERN? [N] stands for an index, a final .* for at least one element. */
bool name_is_pattern(const char *name);
bool name_matches(const char *pattern, const char *name);

/* Length of the part before the first index element, or 0 when there is none. */
size_t name_list_base(const char *canonical);

/* The four spellings of the environment, most modern first; FORM 0..3. Appends. */
#define NAME_ENV_FORMS 4
void name_env_form(struct um_buf *out, const char *name, int form);

/* Levenshtein distance, at most LIMIT + 1. */
size_t name_distance(const char *a, const char *b, size_t limit);

#endif
