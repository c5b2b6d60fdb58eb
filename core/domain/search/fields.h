/* What can be searched, sorted and shown: members that every component has (columns), and tags (rows of component_tags). */
#ifndef SEARCH_FIELDS_H
#define SEARCH_FIELDS_H
#include "call.h"
#include "tag_types.h"

enum {
    FIELD_VALUE_MAX = 1000,                  /* bytes of a tag's value that are searched by; PostgreSQL's indexes take 2,700 */
    FIELD_MARK_MAX = 32,
};

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_MOMENT, FIELD_WORDS };
struct field {
    const char *name;                        /* as it was asked for */
    const char *column;                      /* of components; NULL: a tag, or words */
    int64_t tag;                             /* component_tags.field */
    enum field_kind kind;
    enum um_tag_type type;                   /* of a tag */
};

/* The member with exactly this name, else the tag of the scope, else the member in any case, else a tag that nobody has. */
void field_of(const struct um_call *c, enum um_category category, const char *name, struct field *out);
/* The same without component_tags.field. M: NULL, there are no tag classes. */
void field_find(const struct um_model *m, const char *name, struct field *out);

/* component_tags.field: 48 bits of a hash that is the same everywhere. A search of one tag cannot meet another scope's: two
 * tags of one database share a number with a chance of one in 10^9 when there are some hundred of them. */
int64_t field_number(const char *scope, enum um_category category, const char *tag);
/* A word that full text has for each component of a scope and category, and for nothing else. */
void field_mark(const char *scope, enum um_category category, char out[FIELD_MARK_MAX]);

/* The beginning of a value that is searched by, cut between characters. */
size_t field_cut(const char *value);

#endif
