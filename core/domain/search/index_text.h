/* The words of components, part by part: "" is its name and tags, "file:<id>" what was said to be the text of a file, "body"
 * what is edited together. A search for several words finds a component in which each is in one part or another. */
#ifndef SEARCH_INDEX_TEXT_H
#define SEARCH_INDEX_TEXT_H
#include "call.h"

enum {
    INDEX_WORDS_MAX = 200000,                /* bytes of all different words of a component; PostgreSQL takes 1 MB */
    INDEX_PART_MAX = 8 + UM_DOMAIN_ID_MAX,
};

/* The words of PART of component NUM are those of TEXT, UTF-8. CUT (may be NULL): it has more than there is room for. */
UM_CHECK_RESULT um_err index_text(struct um_call *c, int64_t num, const char *part, struct um_span text, bool *cut);
UM_CHECK_RESULT um_err index_text_remove(struct um_call *c, int64_t num, const char *part);      /* NULL: all parts */
/* The same for a text whose first words are WORDS, which are taken as they are: the mark of its scope and category. */
UM_CHECK_RESULT um_err index_text_after(struct um_call *c, int64_t num, const char *part, const char *words, struct um_span text, bool *cut);

#endif
