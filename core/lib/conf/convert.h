/* From text to values, beside um_conf_parse. */
#ifndef UMBEL_CONF_CONVERT_H
#define UMBEL_CONF_CONVERT_H
#include <umbel/conf.h>

/* Index of TEXT in WORDS, compared by letters and digits only and in any case; -1 when absent. */
int convert_word(const char *text, const char *const *words);

/* The elements of a comma list, trimmed; calls PUT for each. The empty text is the empty list. */
void convert_elements(const char *text, void (*put)(void *arg, const char *element, size_t len), void *arg);

const char *convert_type_text(enum um_conf_type type);     /* "duration (ms)" */
/* VALUE of TYPE as text for a message: "500ms", "16KB", "3". */
void convert_show(struct um_buf *out, enum um_conf_type type, int64_t value);

#endif
