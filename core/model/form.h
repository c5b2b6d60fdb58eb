/* Between what people write and REST's form, both ways by the tables of shape.h. */
#ifndef MODEL_FORM_H
#define MODEL_FORM_H
#include "shape.h"

struct walk {                            /* through one document */
    const struct um_yaml *yaml;          /* places; NULL: there are none */
    struct um_model_error *error;        /* filled by the first refusal */
    um_err err;
    char path[512];
    size_t path_len;
};

/* Path of the walk: returns what leave takes. */
size_t walk_enter_key(struct walk *w, const char *key);
size_t walk_enter_index(struct walk *w, size_t i);
static inline void walk_leave(struct walk *w, size_t mark) { w->path_len = mark; w->path[mark] = '\0'; }

/* Fills the error at the present path; returns NULL. */
void *walk_refuse(struct walk *w, struct um_place at, const char *fmt, ...) UM_PRINTF(3, 4);
void *walk_refuse_memory(struct walk *w);
struct um_place walk_place(const struct walk *w, const json_t *container, size_t index);

/* FROM, written at AT, in REST's form; NULL: refused. */
json_t *model_form_read(struct walk *w, const json_t *from, const struct shape *sh, struct um_place at);
/* REST as people write it, keys in the order of the table; what does not fit stands under `extra`. NULL: no memory, or (with
 * *FITS false) something that is needed is not there. */
json_t *model_form_write(const json_t *rest, const struct shape *sh, bool *fits);

#endif
