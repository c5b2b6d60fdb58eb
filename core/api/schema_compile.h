/* What the files that compile schemas share. */
#ifndef API_SCHEMA_COMPILE_H
#define API_SCHEMA_COMPILE_H
#include "schema.h"

struct api_compiler { struct api_schemas *all; const char *component; char *why; };

/* False, and the sentence for whoever wrote the schema. */
bool api_compile_fails(struct api_compiler *c, const char *fmt, ...) UM_PRINTF(2, 3);
bool api_compile(struct api_compiler *c, const json_t *text, struct api_schema **out);

/* schema_words.c: a keyword of a schema, or NULL. */
struct api_keyword { const char *name; bool (*take)(struct api_compiler *c, struct api_schema *s, const json_t *v); };
const struct api_keyword *api_keyword_of(const char *name);

#endif
