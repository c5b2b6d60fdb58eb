/* configtree: every file below a directory is a property, as Kubernetes and Docker mount secrets. The name is the
 * path with dots, the value the content without one trailing newline. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "conf_int.h"
#include "properties.h"

#define TREE_MAX_ENTRIES 10000u

struct branch { char *path, *name; unsigned depth; };     /* both in the pool; name ends in a dot, or is "" */

struct walk {
    struct um_conf *c;
    struct source *source;
    const struct file_want *want;
    struct branch *todo;
    size_t n_todo, n_seen;
};

static void push(struct walk *w, char *path, char *name, unsigned depth)
{
    w->todo = um_xrealloc(w->todo, (w->n_todo + 1) * sizeof(*w->todo));
    w->todo[w->n_todo++] = (struct branch){ path, name, depth };
}

static void add_file(struct walk *w, const char *path, const char *name)
{
    struct um_buf text = { 0 };
    um_err err = slurp(path_full(w->c, path), PROPERTIES_MAX_FILE, &text);

    if (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    if (text.len > 0 && text.data[text.len - 1] == '\r')
        text.len--;
    if (err != UM_OK)
        note_at(w->c, UM_CONF_NOTE_ERROR, path, 0, 0, "%s", err == UM_EIO ? strerrordesc_np(errno) : um_err_text(err));
    else if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
        note_at(w->c, UM_CONF_NOTE_ERROR, path, 0, 0, "NUL character");
    else
        source_add(w->c, w->source, name, um_buf_cstr(&text), path, 1, 1);
    um_buf_free(&text);
}

static void visit(struct walk *w, const struct branch *b, const char *file)
{
    char *path = pool_printf(&w->c->pool, "%s/%s", b->path, file);
    struct stat st;

    if (++w->n_seen > TREE_MAX_ENTRIES || (b->depth == CONF_MAX_DEPTH)) {
        if (w->n_seen == TREE_MAX_ENTRIES + 1 || b->depth == CONF_MAX_DEPTH)
            note_at(w->c, UM_CONF_NOTE_ERROR, path, 0, 0, "configuration tree too deep or too large");
        return;
    }
    if (stat(path_full(w->c, path), &st) < 0)
        note_at(w->c, UM_CONF_NOTE_ERROR, path, 0, 0, "%s", strerrordesc_np(errno));
    else if (S_ISDIR(st.st_mode))
        push(w, path, pool_printf(&w->c->pool, "%s%s.", b->name, file), b->depth + 1);
    else if (S_ISREG(st.st_mode))
        add_file(w, path, pool_printf(&w->c->pool, "%s%s", b->name, file));
}

/* Entries that begin with two dots are the mount's own (..data). */
static bool list(struct walk *w, const struct branch *b)
{
    struct dirent **names;
    int n = scandir(path_full(w->c, b->path), &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (strcmp(names[i]->d_name, ".") != 0 && strncmp(names[i]->d_name, "..", 2) != 0)
            visit(w, b, names[i]->d_name);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return n >= 0;
}

void tree_load(struct um_conf *c, size_t *at, const struct file_want *want)
{
    struct walk w = { .c = c, .want = want, .source = source_new(SOURCE_TREE, want->path) };
    size_t n = strlen(want->path);

    if (!files_insert(c, at, w.source))
        return;
    while (n > 1 && want->path[n - 1] == '/')
        n--;
    push(&w, pool_str(&c->pool, want->path, n), pool_str(&c->pool, "", 0), 0);
    while (w.n_todo > 0) {
        struct branch b = w.todo[--w.n_todo];
        if (list(&w, &b) || (b.depth == 0 && errno == ENOENT && want->optional))
            continue;
        if (want->by != NULL)
            note(c, UM_CONF_NOTE_ERROR, want->by, "%s: %s", b.path, strerrordesc_np(errno));
        else
            note_at(c, UM_CONF_NOTE_ERROR, b.path, 0, 0, "%s", strerrordesc_np(errno));
    }
    free(w.todo);
}
