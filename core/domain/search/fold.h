/* Letters without their case, and without accents: what two spellings of a word have in common. The tables are ours, so that
 * an index means the same on every machine. */
#ifndef SEARCH_FOLD_H
#define SEARCH_FOLD_H
#include <umbel/bytes.h>

/* The next character of valid UTF-8 at *P, which moves behind it; *P is before END. */
uint32_t fold_next(const char **p, const char *end);
void fold_put(struct um_buf *b, uint32_t c);             /* as UTF-8 */

uint32_t fold_lower(uint32_t c);             /* Latin, Greek, Cyrillic, Armenian; others stay */
uint32_t fold_upper(uint32_t c);
uint32_t fold_base(uint32_t c);              /* lower case without accents; 0: a mark that is left out */
bool fold_is_word(uint32_t c);               /* letter, digit, or anything else that is no sign, blank or mark */
bool fold_is_alone(uint32_t c);              /* of a script without blanks between words: a word by itself */

#endif
