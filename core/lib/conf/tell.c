/* What is set where, and what is in force, for an administrator who asks while the program runs. */
#include <stdio.h>
#include <string.h>
#include "conf_int.h"

#define SHOWN_MAX 4096

struct telling {
    const struct um_conf *conf;
    um_conf_seen_fn *cb;
    void *arg;
    struct um_buf value, origin, source;
};

static void put_origin(struct um_buf *out, const struct entry *e)
{
    if (e->line > 0)
        um_buf_printf(out, "\"%s\" - %d:%d", e->origin, e->line, e->column);
    else
        um_buf_puts(out, e->origin != NULL ? e->origin : "");
}

/* As Spring Boot calls them. */
static void put_source(struct um_buf *out, const struct source *s)
{
    static const char *const names[] = { [SOURCE_DEFAULT] = "default", [SOURCE_ENV] = "systemEnvironment",
                                         [SOURCE_JSON] = "spring.application.json", [SOURCE_ARGS] = "commandLineArgs" };

    if (s->kind == SOURCE_FILE || s->kind == SOURCE_TREE)
        um_buf_printf(out, "Config resource 'file [%s]'", s->origin);
    else
        um_buf_puts(out, names[s->kind]);
}

static void tell_entry(struct telling *t, const struct entry *e)
{
    const struct item *it = items_get(t->conf, e->name);
    bool wins = it != NULL && it->entry == e;
    const char *value = wins && it->text != NULL ? it->text : e->value;

    um_buf_clear(&t->value);
    um_buf_clear(&t->origin);
    show_value(&t->value, value != NULL ? value : "", entry_is_secret(e) || (it != NULL && it->secret), SHOWN_MAX);
    put_origin(&t->origin, e);
    t->cb(t->arg, &(struct um_conf_seen){ um_buf_cstr(&t->source), e->spelled, um_buf_cstr(&t->value), um_buf_cstr(&t->origin), wins });
}

static void tell_source(struct telling *t, const struct source *s)
{
    if (s == NULL || !s->active || s->kind == SOURCE_DEFAULT)
        return;
    um_buf_clear(&t->source);
    put_source(&t->source, s);
    for (size_t i = 0; i < s->n; i++)
        tell_entry(t, s->entries[i]);
}

void um_conf_each_source(const struct um_conf *conf, um_conf_seen_fn *cb, void *arg)
{
    struct telling t = { .conf = conf, .cb = cb, .arg = arg };

    tell_source(&t, conf->args);
    tell_source(&t, conf->json);
    tell_source(&t, conf->env);
    for (size_t i = conf->n_files; i > 0; i--)
        tell_source(&t, conf->files[i - 1]);
    um_buf_free(&t.value);
    um_buf_free(&t.origin);
    um_buf_free(&t.source);
}

static void tell_row(struct telling *t, const struct um_conf_key *key)
{
    const struct value *v = value_of(t->conf, key);
    const struct item *it = v != NULL ? v->item : NULL;
    const char *text = it != NULL && it->text != NULL ? it->text : key->def;

    if (v == NULL)
        return;                              /* a pattern */
    um_buf_clear(&t->value);
    um_buf_clear(&t->origin);
    show_value(&t->value, text != NULL ? text : "", (key->flags & UM_CONF_SECRET) != 0 || (it != NULL && it->secret), SHOWN_MAX);
    if (it != NULL && it->entry->source->kind != SOURCE_DEFAULT)
        put_origin(&t->origin, it->entry);
    else
        um_buf_puts(&t->origin, "default");
    t->cb(t->arg, &(struct um_conf_seen){ um_buf_cstr(&t->source), key->name, um_buf_cstr(&t->value), um_buf_cstr(&t->origin), true });
}

void um_conf_each_row(const struct um_conf *conf, um_conf_seen_fn *cb, void *arg)
{
    struct telling t = { .conf = conf, .cb = cb, .arg = arg };

    for (size_t i = 0; i < conf->n_tables; i++) {
        um_buf_clear(&t.source);
        um_buf_puts(&t.source, conf->tables[i]->title);
        for (size_t k = 0; k < conf->tables[i]->n; k++)
            tell_row(&t, &conf->tables[i]->keys[k]);
    }
    um_buf_free(&t.value);
    um_buf_free(&t.origin);
    um_buf_free(&t.source);
}

um_err um_conf_encrypt_own(const struct um_conf *conf, struct um_span plain, struct um_buf *out)
{
    return conf->secret == NULL || *conf->secret == '\0' ? UM_ENOTFOUND : um_conf_encrypt(conf->secret, plain, out);
}
