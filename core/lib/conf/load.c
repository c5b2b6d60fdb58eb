/* The whole of a load: the order below is the order in which things depend on each other. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include "conf_int.h"
#include "name.h"

/* Our own rows come first; the list is ours, the tables are the caller's. */
static void take_tables(struct um_conf *c, const struct um_conf_source *from)
{
    c->tables = um_xcalloc(from->n_tables + 1, sizeof(struct um_conf_table *));
    c->tables[c->n_tables++] = &um_conf_own_table;
    for (size_t i = 0; i < from->n_tables; i++)
        if (from->tables[i] != &um_conf_own_table)
            c->tables[c->n_tables++] = from->tables[i];
}

static void take_prefixes(struct um_conf *c, const char *const *prefixes)
{
    size_t n = 0;

    while (prefixes != NULL && prefixes[n] != NULL)
        n++;
    const char **own = pool_alloc(&c->pool, (n + 1) * sizeof(char *));
    for (size_t i = 0; i < n; i++) {
        struct um_buf b = { 0 };
        name_canonical(&b, prefixes[i]);
        own[i] = pool_str(&c->pool, b.data, b.len);
        um_buf_free(&b);
    }
    c->prefixes = own;
}

/* The lowest source. An empty default says that there is none. */
static void take_defaults(struct um_conf *c)
{
    for (size_t t = 0; t < c->n_tables; t++)
        for (size_t i = 0; i < c->tables[t]->n; i++) {
            const struct um_conf_key *key = &c->tables[t]->keys[i];
            if (key->def != NULL && *key->def != '\0' && !name_is_pattern(key->name))
                source_add(c, c->defaults, key->name, key->def, "default", 0, 0);
        }
}

um_err um_conf_load(struct um_conf **out, const struct um_conf_source *source)
{
    struct um_conf *c = calloc(1, sizeof(*c));

    *out = c;
    if (c == NULL)
        return UM_ENOMEM;
    c->from = source;
    c->dir = source->dir;
    take_tables(c, source);
    take_prefixes(c, source->prefixes);
    c->defaults = source_new(SOURCE_DEFAULT, "default");
    c->env = source_new(SOURCE_ENV, "environment");
    c->json = source_new(SOURCE_JSON, "spring.application.json");
    c->args = source_new(SOURCE_ARGS, "command line");
    known_build(c);
    take_defaults(c);
    env_read(c);
    args_read(c);
    json_read(c);
    files_load(c);
    items_build(c, true);
    values_build(c);
    items_find_secret(c);
    report_unknown(c);
    c->from = NULL;
    c->dir = NULL;
    return c->n_errors == 0 ? UM_OK : UM_EINVAL;
}

void um_conf_free(struct um_conf *conf)
{
    if (conf == NULL)
        return;
    items_clear(conf);
    for (size_t i = 0; i < conf->n_files; i++)
        source_free(conf->files[i]);
    source_free(conf->defaults);
    source_free(conf->env);
    source_free(conf->json);
    source_free(conf->args);
    um_map_free(&conf->known);
    um_map_free(&conf->env_vars);
    um_map_free(&conf->loaded);
    um_map_free(&conf->values);
    if (conf->secret != NULL)
        OPENSSL_cleanse(conf->secret, strlen(conf->secret));
    free(conf->secret);
    free(conf->files);
    free(conf->tables);
    free(conf->patterns);
    free(conf->all_known);
    free(conf->notes);
    pool_free(&conf->pool);
    free(conf);
}
