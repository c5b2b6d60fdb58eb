/* One place of entries. In a file the last of two equal keys wins, in the environment the first spelling; a row's
 * own name wins over its aliases. */
#include <stdlib.h>
#include <string.h>
#include "conf_int.h"
#include "name.h"

struct source *source_new(enum source_kind kind, const char *origin)
{
    struct source *s = um_xcalloc(1, sizeof(*s));

    s->kind = kind;
    s->origin = origin;
    s->active = true;
    return s;
}

void source_free(struct source *s)
{
    if (s == NULL)
        return;
    um_map_free(&s->by_name);
    free(s->entries);
    free(s);
}

struct entry *source_get(const struct source *s, const char *canonical)
{
    return um_map_get(&s->by_name, UM_SPAN_STR(canonical));
}

static bool is_alias(const struct entry *e)
{
    return e->known != NULL && e->known->is_alias;
}

/* NEW has the name of OLD, which is in the same source: leaves the winner in OLD. */
static void settle(struct um_conf *c, struct entry *old, const struct entry *new)
{
    bool differ = strcmp(old->value, new->value) != 0;

    if (old->source->kind == SOURCE_ENV || old->source->kind == SOURCE_DEFAULT)
        return;
    if (is_alias(old) != is_alias(new)) {
        const struct entry *winner = is_alias(old) ? new : old, *loser = is_alias(old) ? old : new;
        if (differ)
            note(c, UM_CONF_NOTE_WARN, loser, "another name of %s, which says otherwise and counts", winner->spelled);
        *old = *winner;
        return;
    }
    if (old->source->kind == SOURCE_FILE)
        note(c, UM_CONF_NOTE_WARN, new, "given before on line %d; the last one counts", old->line);
    if (old->source->kind == SOURCE_ARGS && new->known != NULL && new->known->key->type == UM_CONF_LIST)
        old->value = pool_printf(&c->pool, "%s,%s", old->value, new->value);
    else
        *old = *new;
}

static void append(struct source *s, struct entry *e)
{
    if (s->n == s->cap) {
        s->cap = s->cap != 0 ? 2 * s->cap : 16;
        s->entries = um_xrealloc(s->entries, s->cap * sizeof(struct entry *));
    }
    s->entries[s->n++] = e;
    um_map_put(&s->by_name, UM_SPAN_STR(e->name), e);
}

static bool index_is_small(const char *canonical)
{
    for (const char *p = canonical; (p = strchr(p, '[')) != NULL; p++)
        if (p[1] >= '0' && p[1] <= '9' && strtoul(p + 1, NULL, 10) > CONF_MAX_INDEX)
            return false;
    return true;
}

void source_add(struct um_conf *c, struct source *s, const char *spelled, const char *value,
                const char *origin, int line, int column)
{
    struct entry e = { .spelled = spelled, .value = value, .origin = origin, .line = line, .column = column, .source = s };
    struct um_buf canonical = { 0 };

    if (*spelled == '\0' || strlen(spelled) > NAME_MAX_BYTES) {
        note(c, UM_CONF_NOTE_ERROR, &e, *spelled == '\0' ? "empty key" : "key longer than 512 bytes");
        return;
    }
    name_canonical(&canonical, spelled);
    e.name = pool_str(&c->pool, canonical.data, canonical.len);
    um_buf_free(&canonical);
    e.known = known_find(c, e.name);
    e.name = known_row_name(c, e.known, e.name);
    e.spelled = pool_str(&c->pool, spelled, strlen(spelled));
    e.value = pool_str(&c->pool, value, strlen(value));
    if (!index_is_small(e.name)) {
        note(c, UM_CONF_NOTE_ERROR, &e, "index greater than %u", CONF_MAX_INDEX);
        return;
    }
    struct entry *old = source_get(s, e.name);
    if (old != NULL) {
        settle(c, old, &e);
        return;
    }
    struct entry *new = pool_alloc(&c->pool, sizeof(*new));
    *new = e;
    append(s, new);
    if (e.known == NULL && s->kind != SOURCE_ENV)
        env_take(c, e.spelled);
}
