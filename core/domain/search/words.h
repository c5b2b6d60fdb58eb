/* Texts as words: what full text is made of, and asked with.
 *
 * A word is a run of letters and digits, folded (fold.h) and cut to WORD_MAX bytes; characters of scripts that have no blanks
 * are a word each. A question (the value of a criterion on Content) is words that must all be there, in any order; OR separates
 * alternatives, NOT excludes the next word, AND says nothing new; anything else is a blank. */
#ifndef SEARCH_WORDS_H
#define SEARCH_WORDS_H
#include <umbel/bytes.h>
#include <umbel/map.h>

enum { WORD_MAX = 64, WORDS_ASKED_MAX = 50 };

/* ---- of a text ---- */

struct words { struct um_buf text; struct um_map known; size_t max; bool cut; };      /* zero-initialise but MAX: bytes of TEXT */
/* The words of TEXT (valid UTF-8) that are new, each with a blank before it if it is not the first. CUT: there was no room. */
void words_add(struct words *w, struct um_span text);
void words_free(struct words *w);

/* ---- of a question ---- */

struct word_asked { char word[WORD_MAX + 1]; bool is_not, begins; };     /* BEGINS an alternative */
struct words_asked { struct word_asked *words; size_t n; };
/* False: too many words. None at all is a question that finds nothing. */
bool words_ask(struct words_asked *a, struct um_span text);
void words_asked_free(struct words_asked *a);
/* As FTS5 and as PostgreSQL's tsquery have it. An alternative that only excludes is meant among texts with the word MARK, which holds
 * no sign of either. */
void words_as_fts5(const struct words_asked *a, const char *mark, struct um_buf *out);
void words_as_tsquery(const struct words_asked *a, const char *mark, struct um_buf *out);

#endif
