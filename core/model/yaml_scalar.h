/* What an unquoted word of YAML is: one judgement for the reader and the writer. */
#ifndef YAML_SCALAR_H
#define YAML_SCALAR_H
#include <jansson.h>
#include <umbel/base.h>

enum scalar_kind { SCALAR_TEXT, SCALAR_NULL, SCALAR_BOOL, SCALAR_INTEGER, SCALAR_REAL, SCALAR_NOT_FINITE };

enum scalar_kind yaml_scalar_kind(const char *s, size_t len);
/* S of kind INTEGER or REAL; NULL when it is longer than YAML_NUMBER_BYTES or too large. */
json_t *yaml_scalar_number(const char *s, size_t len, enum scalar_kind kind);
/* Would some reader of YAML 1.1 or 1.2 take S for something else than a text? Errs on the side of quotes. */
bool yaml_scalar_is_ambiguous(const char *s, size_t len);

#endif
