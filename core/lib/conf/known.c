/* The rows of all tables, found by any of their names. */
#include <stdlib.h>
#include <string.h>
#include "conf_int.h"
#include "name.h"

static const struct um_conf_key own_keys[] = {
    { "spring.config.location", NULL, "", "files and directories (ending in /) to read instead of the working directory and config/",
      .type = UM_CONF_LIST, .flags = UM_CONF_UNBOUND },
    { "spring.config.additional-location", NULL, "", "files and directories to read after those, overriding them",
      .type = UM_CONF_LIST, .flags = UM_CONF_UNBOUND },
    { "spring.config.import", NULL, "", "files, directories or configtree:DIR/ to read just after this document",
      .type = UM_CONF_LIST, .flags = UM_CONF_UNBOUND },
    { "spring.config.activate.on-profile", NULL, "", "this document counts only when the profile expression holds",
      .type = UM_CONF_STR, .flags = UM_CONF_UNBOUND },
    { "spring.profiles.active", NULL, "", "active profiles; the last one named wins",
      .type = UM_CONF_LIST, .flags = UM_CONF_UNBOUND },
    { "spring.application.json", NULL, "", "properties as one JSON object (environment or command line)",
      .type = UM_CONF_STR, .flags = UM_CONF_UNBOUND | UM_CONF_SECRET },
    { "secret", NULL, "", "master secret that opens ENC(...) values; environment and command line win over secret.file",
      .type = UM_CONF_STR, .flags = UM_CONF_UNBOUND | UM_CONF_SECRET },
    { "secret.file", NULL, "", "file that holds the master secret",
      .type = UM_CONF_STR, .flags = UM_CONF_UNBOUND },
};
const struct um_conf_table um_conf_own_table = UM_CONF_TABLE("Configuration itself", own_keys);

static char *canonical_of(struct um_conf *c, const char *name)
{
    struct um_buf b = { 0 };

    name_canonical(&b, name);
    char *s = pool_str(&c->pool, b.data, b.len);
    um_buf_free(&b);
    return s;
}

static void add_name(struct um_conf *c, const struct um_conf_key *key, const char *name, const char *row_name)
{
    struct known *k = pool_alloc(&c->pool, sizeof(*k));

    k->key = key;
    k->spelled = name;
    k->canonical = canonical_of(c, name);
    k->row_name = row_name != NULL ? row_name : k->canonical;
    k->is_alias = row_name != NULL;
    k->is_pattern = name_is_pattern(name);
    c->all_known = um_xrealloc(c->all_known, (c->n_known + 1) * sizeof(struct known *));
    c->all_known[c->n_known++] = k;
    if (k->is_pattern) {
        c->patterns = um_xrealloc(c->patterns, (c->n_patterns + 1) * sizeof(struct known *));
        c->patterns[c->n_patterns++] = k;
    } else if (um_map_get(&c->known, UM_SPAN_STR(k->canonical)) == NULL) {
        um_map_put(&c->known, UM_SPAN_STR(k->canonical), k);
    }
}

static void add_aliases(struct um_conf *c, const struct um_conf_key *key)
{
    const char *row_name = canonical_of(c, key->name);

    for (const char *p = key->alias; p != NULL && *p != '\0'; ) {
        size_t n = strcspn(p, ", ");
        if (n > 0)
            add_name(c, key, pool_str(&c->pool, p, n), row_name);
        p += n;
        p += strspn(p, ", ");
    }
}

/* Names come before aliases, so that an alias of one row never hides the name of another. */
void known_build(struct um_conf *c)
{
    for (size_t t = 0; t < c->n_tables; t++)
        for (size_t i = 0; i < c->tables[t]->n; i++)
            add_name(c, &c->tables[t]->keys[i], c->tables[t]->keys[i].name, NULL);
    for (size_t t = 0; t < c->n_tables; t++)
        for (size_t i = 0; i < c->tables[t]->n; i++)
            add_aliases(c, &c->tables[t]->keys[i]);
}

static const struct known *find_pattern(const struct um_conf *c, const char *canonical, bool lists_only)
{
    for (size_t i = 0; i < c->n_patterns; i++)
        if ((!lists_only || c->patterns[i]->key->type == UM_CONF_LIST) &&
            name_matches(c->patterns[i]->canonical, canonical))
            return c->patterns[i];
    return NULL;
}

/* `nodes[3]` belongs to the list `nodes`. */
static const struct known *find_list(const struct um_conf *c, const char *canonical)
{
    const char *open = strrchr(canonical, '[');
    size_t n = strlen(canonical);
    char base[NAME_MAX_BYTES + 1];

    if (open == NULL || canonical[n - 1] != ']' || open[1] < '0' || open[1] > '9' || n > NAME_MAX_BYTES)
        return NULL;
    memcpy(base, canonical, (size_t)(open - canonical));
    base[open - canonical] = '\0';
    const struct known *k = um_map_get(&c->known, UM_SPAN_STR(base));
    if (k == NULL)
        k = find_pattern(c, base, true);
    return k != NULL && k->key->type == UM_CONF_LIST ? k : NULL;
}

const struct known *known_find(const struct um_conf *c, const char *canonical)
{
    const struct known *k = um_map_get(&c->known, UM_SPAN_STR(canonical));

    if (k == NULL)
        k = find_pattern(c, canonical, false);
    return k != NULL ? k : find_list(c, canonical);
}

const char *known_row_name(struct um_conf *c, const struct known *k, const char *canonical)
{
    if (k == NULL || !k->is_alias || k->is_pattern)
        return canonical;
    return pool_printf(&c->pool, "%s%s", k->row_name, canonical + strlen(k->canonical));
}

/* users[12].id -> users[N].id, so that a misspelt field meets its pattern. */
static void generalise(struct um_buf *out, const char *canonical)
{
    for (const char *p = canonical; *p != '\0'; p++) {
        um_buf_put_u8(out, (uint8_t)*p);
        if (*p == '[' && p[1] >= '0' && p[1] <= '9') {
            um_buf_put_u8(out, 'N');
            p += strspn(p + 1, "0123456789");
        }
    }
}

const char *known_nearest(const struct um_conf *c, const char *canonical, size_t limit)
{
    struct um_buf b = { 0 };
    const char *best = NULL;

    generalise(&b, canonical);
    for (size_t i = 0; i < c->n_known; i++) {
        size_t d = name_distance(um_buf_cstr(&b), c->all_known[i]->canonical, limit);
        if (d <= limit) {
            best = c->all_known[i]->spelled;
            if (d == 0)
                break;
            limit = d - 1;
        }
    }
    um_buf_free(&b);
    return best;
}

bool known_is_ours(const struct um_conf *c, const char *canonical)
{
    for (size_t i = 0; c->prefixes != NULL && c->prefixes[i] != NULL; i++) {
        size_t n = strlen(c->prefixes[i]);
        if (strncmp(canonical, c->prefixes[i], n) == 0 &&
            (canonical[n] == '.' || canonical[n] == '[' || canonical[n] == '\0'))
            return true;
    }
    return false;
}
