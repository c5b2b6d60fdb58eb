/* The types of tags: what may be a value of each, and which are also numbers, by which one searches and sorts. */
#ifndef DOMAIN_TAG_TYPES_H
#define DOMAIN_TAG_TYPES_H
#include <jansson.h>
#include <umbel/base.h>

/* Word; what a value must look like (tag_types.c); is it a number; is it chosen from allowedValues. */
#define UM_TAG_TYPES(X) \
    X(STRING, text, false, false) X(TEXT, text, false, false) X(CHOICELIST, text, false, true) X(ICON, text, false, true) \
    X(FREELIST, text, false, false) X(CONDITIONAL, text, false, true) X(FLOAT, decimal, true, false) X(INT, whole, true, false) \
    X(CURRENCY, money, true, false) X(DATE, moment, true, false) X(BOOLEAN, truth, true, false) X(USER, user, false, false)
enum um_tag_type {
#define X(id, form, is_number, is_chosen) UM_TAG_##id,
    UM_TAG_TYPES(X)
#undef X
    UM_TAG_TYPES_N
};
const char *um_tag_type_word(enum um_tag_type t);
bool um_tag_type_of(const char *word, enum um_tag_type *out);
/* Of a tag class as the model has it; STRING without one. */
enum um_tag_type um_tag_type(const json_t *tag_class);
bool um_tag_is_number(enum um_tag_type t);
bool um_tag_is_chosen(enum um_tag_type t);

/* Can VALUE be one of this type? NUMBER (may be NULL): what it is as a number, moments in milliseconds; 0 of what is none. An
 * empty value is one of each type: nothing has been filled in. */
bool um_tag_read(enum um_tag_type t, const char *value, double *number);
const char *um_tag_form(enum um_tag_type t);           /* what a value must be, for messages */

#endif
