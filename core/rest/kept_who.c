/* See kept_who.h. */
#include <stdlib.h>
#include <umbel/util.h>
#include "kept_who.h"

static char *copy(const char *s) { return s != NULL ? um_xstrdup(s) : NULL; }

static void copy_list(struct um_token_list *list)
{
    const char **items = um_xcalloc(list->n + 1, sizeof(*items));

    for (size_t i = 0; i < list->n; i++)
        items[i] = um_xstrdup(list->items[i]);
    list->items = items;
}

static void drop_list(struct um_token_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free((char *)list->items[i]);
    free((void *)list->items);
}

struct um_who *who_keep(const struct um_who *who)
{
    struct um_who *w = um_xcalloc(1, sizeof(*w));

    *w = *who;
    w->user = copy(who->user);
    w->scope = copy(who->scope);
    w->session = copy(who->session);
    w->request = copy(who->request);
    w->address = copy(who->address);
    w->account = copy(who->account);
    w->role = copy(who->role);
    w->idempotency_key = NULL;
    copy_list(&w->profiles);
    copy_list(&w->groups);
    return w;
}

void who_drop(struct um_who *who)
{
    if (who == NULL)
        return;
    free((char *)who->user);
    free((char *)who->scope);
    free((char *)who->session);
    free((char *)who->request);
    free((char *)who->address);
    free((char *)who->account);
    free((char *)who->role);
    drop_list(&who->profiles);
    drop_list(&who->groups);
    free(who);
}
