/* A deleted document's objects: page by page, one after the other. */
#include "versions_int.h"
#include <stdlib.h>
#include <umbel/log.h>

enum { PAGE = 100 };

struct forgetting {
    struct um_versions *v;
    struct um_loop *loop;
    char prefix[VERSIONS_KEY_MAX];
    char *keys[PAGE];
    size_t n, next;
    char *after;                             /* NULL: this page is the last one */
};

static void finish(struct forgetting *f, um_err err)
{
    if (err != UM_OK)
        um_log(UM_WARN, "versions", "objects of a deleted document are left in the archive", UM_S("prefix", f->prefix),
               UM_S("reason", um_err_text(err)));
    for (size_t i = 0; i < f->n; i++)
        free(f->keys[i]);
    free(f->after);
    free(f);
}

static void next(struct forgetting *f);

static void removed(void *arg, um_err err)
{
    struct forgetting *f = arg;

    if (err != UM_OK) {
        finish(f, err);
        return;
    }
    versions_count(VERSIONS_C_REMOVED, 1);
    next(f);
}

static void listed(void *arg, um_err err, const struct um_archive_page *page)
{
    struct forgetting *f = arg;

    if (err != UM_OK) {
        finish(f, err);
        return;
    }
    for (size_t i = 0; i < f->n; i++)
        free(f->keys[i]);
    for (f->n = 0; f->n < page->n; f->n++)
        f->keys[f->n] = um_xstrdup(page->entries[f->n].key);
    f->next = 0;
    free(f->after);
    f->after = page->after != NULL ? um_xstrdup(page->after) : NULL;
    next(f);
}

static void next(struct forgetting *f)
{
    if (f->next < f->n)
        um_archive_delete(f->v->archive, f->loop, f->keys[f->next++], removed, f);
    else if (f->after != NULL)
        um_archive_list(f->v->archive, f->loop, f->prefix, f->after, PAGE, listed, f);
    else
        finish(f, UM_OK);
}

void um_versions_forget(struct um_versions *v, struct um_loop *l, const char *document)
{
    struct forgetting *f;

    if (v->archive == NULL)
        return;
    f = um_xcalloc(1, sizeof(*f));
    f->v = v;
    f->loop = l;
    versions_prefix(document, f->prefix);
    um_archive_list(v->archive, l, f->prefix, NULL, PAGE, listed, f);
}
