/* Inside of a um_model_list. */
#ifndef MODEL_LIST_H
#define MODEL_LIST_H
#include <umbel/map.h>
#include "form.h"

struct source {                          /* one text that was read */
    char *name;
    struct um_yaml *yaml;
};

struct variable {
    char *name;
    char *value;                         /* NULL: it must be given */
    bool is_given, is_used, is_offered;
    const struct source *source;         /* where it is declared; NULL: it is only given */
    struct um_place at;
};

struct um_model_list {
    struct um_model_item *items;
    size_t n, cap;
    struct um_map by_name;               /* "kind/id" -> index + 1, until the list is sorted */
    struct source **sources;
    size_t n_sources;
    struct variable *variables;
    size_t n_variables;
    bool is_finished;
};

/* Takes YAML and makes it a source. */
UM_CHECK_RESULT um_err model_list_adopt(struct um_model_list *l, const char *name, struct um_yaml *yaml);
/* Adds an item in REST's form (adopted, also on failure). *THERE: the one that has this name already. */
UM_CHECK_RESULT um_err model_list_put(struct um_model_list *l, enum um_model_kind k, json_t *rest, const char *file, struct um_place at,
                                const struct um_model_item **there);
/* REST through the form and back: what it is in a list. NULL: no memory or no id. */
json_t *model_list_normal(enum um_model_kind k, const json_t *rest);

/* variables.c: reads what the sources declare, fills all texts in. */
UM_CHECK_RESULT um_err model_variables_declare(struct um_model_list *l, struct walk *w, const struct source *s, const json_t *declared);
UM_CHECK_RESULT um_err model_variables_fill(struct um_model_list *l, struct um_model_error *error);
void model_variables_free(struct um_model_list *l);

#endif
