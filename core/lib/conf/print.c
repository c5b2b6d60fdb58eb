/* --print-config: every effective value with its origin. */
#include <string.h>
#include "conf_int.h"
#include "properties.h"

#define ORIGIN_COLUMN 56

static void print_item(FILE *f, const char *name, const struct item *it)
{
    const struct entry *e = it != NULL ? it->entry : NULL;
    struct um_buf b = { 0 };

    properties_write_key(&b, name);
    um_buf_puts(&b, "=");
    if (it != NULL)
        show_value(&b, it->text != NULL ? it->text : e->value, it->secret, PROPERTIES_MAX_FILE);
    fprintf(f, "%-*s  # ", ORIGIN_COLUMN, um_buf_cstr(&b));
    if (e == NULL)
        fputs("default", f);
    else if (e->line > 0)
        fprintf(f, "\"%s\" - %d:%d", e->origin, e->line, e->column);
    else
        fputs(e->origin, f);
    if (it != NULL && it->state == ITEM_FAILED)
        fputs(" (not resolved)", f);
    fputc('\n', f);
    um_buf_free(&b);
}

static void print_table(const struct um_conf *c, const struct um_conf_table *t, FILE *f)
{
    fprintf(f, "# %s\n", t->title);
    for (size_t i = 0; i < t->n; i++) {
        const struct value *v = value_of(c, &t->keys[i]);
        if (v != NULL)
            print_item(f, t->keys[i].name, v->item);
    }
    fputc('\n', f);
}

/* Has a table printed it already? Elements of a list have, in joined form. */
static bool is_printed(const struct um_conf *c, const struct item *it)
{
    const struct known *k = it->entry->known;

    return it->joined || it->entry->source->kind == SOURCE_DEFAULT ||
           (k != NULL && !k->is_pattern && value_of(c, k->key) != NULL);
}

void um_conf_print(const struct um_conf *conf, FILE *f)
{
    bool title = false;

    fputs("# profiles: ", f);
    for (size_t i = 0; i < conf->profiles.n; i++)
        fprintf(f, "%s%s", i > 0 ? "," : "", conf->profiles.items[i]);
    fputs("\n\n", f);
    for (size_t t = 0; t < conf->n_tables; t++)
        print_table(conf, conf->tables[t], f);
    for (size_t i = 0; i < conf->n_items; i++) {
        if (is_printed(conf, conf->sorted[i]))
            continue;
        if (!title)
            fputs("# Others\n", f);
        title = true;
        print_item(f, conf->sorted[i]->entry->spelled, conf->sorted[i]);
    }
}
