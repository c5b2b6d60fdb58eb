/* Where in a document we are, and the first thing that was wrong there. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "form.h"

static size_t enter(struct walk *w, const char *before, const char *text, const char *after)
{
    size_t mark = w->path_len, room = sizeof(w->path) - mark;
    int n = snprintf(w->path + mark, room, "%s%s%s", before, text, after);

    w->path_len = (size_t)n < room ? mark + (size_t)n : sizeof(w->path) - 1;
    return mark;
}

size_t walk_enter_key(struct walk *w, const char *key) { return enter(w, w->path_len > 0 ? "." : "", key, ""); }

size_t walk_enter_index(struct walk *w, size_t i)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%zu", i);
    return enter(w, "[", text, "]");
}

void *walk_refuse(struct walk *w, struct um_place at, const char *fmt, ...)
{
    va_list args;

    if (w->err != UM_OK)
        return NULL;
    w->err = UM_EPROTO;
    w->error->at = at;
    memcpy(w->error->path, w->path, w->path_len + 1);
    va_start(args, fmt);
    (void)vsnprintf(w->error->what, sizeof(w->error->what), fmt, args);
    va_end(args);
    return NULL;
}

void *walk_refuse_memory(struct walk *w)
{
    walk_refuse(w, (struct um_place){ 0, 0 }, "%s", um_err_text(UM_ENOMEM));
    w->err = UM_ENOMEM;
    return NULL;
}

struct um_place walk_place(const struct walk *w, const json_t *container, size_t index)
{
    return w->yaml != NULL ? um_yaml_place(w->yaml, container, index) : (struct um_place){ 0, 0 };
}
