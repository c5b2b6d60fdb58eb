/* The calls of the REST interface as the tool knows them: the API's own description (docs/api/openapi.json), which is part of
 * the program. Their words are the operation's id at its dots: "acl.get" is `umbelctl acl get ID`. */
#ifndef CLI_OPERATIONS_H
#define CLI_OPERATIONS_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct operation {                       /* borrowed from the description */
    const char *id, *method, *path, *summary;
    const json_t *parameters;            /* of OpenAPI: name, in, schema, description */
    const json_t *body;                  /* requestBody; NULL: none */
};

void operations_free(void);
size_t operations_count(void);
const struct operation *operations_at(size_t i);             /* by id */
/* The one that the first words of ARGV name; *USED of them. NULL: none. */
const struct operation *operations_find(int argc, char **argv, int *used);
const struct operation *operations_by_id(const char *id);
/* Its parameter NAME, any case, that is not of the path; NULL: none. */
const json_t *operation_option(const struct operation *o, const char *name);
/* Is {NAME} of the path a list of ids? */
bool operation_takes_list(const struct operation *o, const char *name, size_t len);
void operation_help(const struct operation *o, FILE *f);
/* What may stand behind these words; printed a line each. */
void operations_complete(int argc, char **argv);
/* A line each for those whose id begins with the words, or all. */
void operations_list(int argc, char **argv, FILE *f);

#endif
