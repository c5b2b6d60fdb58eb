/* Values: what the rows of the tables get, checked against type and bounds, and the ways to read them. */
#include <stdlib.h>
#include <string.h>
#include "conf_int.h"
#include "convert.h"
#include "name.h"

/* ---- building ---- */

static struct um_span row_span(const struct um_conf_key *const *key)
{
    return UM_SPAN(key, sizeof(*key));
}

const struct value *value_of(const struct um_conf *c, const struct um_conf_key *key)
{
    return um_map_get(&c->values, row_span(&key));
}

struct elements { struct um_conf *c; const char **items; size_t n; };

static void add_element(void *arg, const char *text, size_t len)
{
    struct elements *l = arg;

    if ((l->n & (l->n - 1)) == 0)                     /* full at every power of two */
        l->items = um_xrealloc(l->items, (l->n != 0 ? 2 * l->n : 1) * sizeof(char *));
    l->items[l->n++] = pool_str(&l->c->pool, text, len);
}

static struct um_conf_list make_list(struct um_conf *c, const struct item *it, const char *text)
{
    struct elements l = { .c = c };

    if (it != NULL && it->joined) {
        for (size_t i = 0;; i++) {
            const struct item *one = items_get(c, pool_printf(&c->pool, "%s[%zu]", it->name, i));
            if (one == NULL || one->text == NULL)
                break;
            add_element(&l, one->text, strlen(one->text));
        }
    } else {
        convert_elements(text, add_element, &l);
    }
    const char **items = pool_alloc(&c->pool, l.n * sizeof(char *));
    if (l.n > 0)
        memcpy(items, l.items, l.n * sizeof(char *));
    free(l.items);
    return (struct um_conf_list){ l.n, items };
}

/* What is wrong with NUMBER (a value, a length or a count); NULL: nothing. */
static const char *check_bounds(struct um_conf *c, const struct um_conf_key *key, int64_t number, const char *what)
{
    struct um_buf b = { 0 };
    const char *reason = NULL;

    if (number < key->min || (key->max != 0 && number > key->max)) {
        um_buf_printf(&b, "%s must be at %s ", what, number < key->min ? "least" : "most");
        convert_show(&b, key->type, number < key->min ? key->min : key->max);
        reason = pool_str(&c->pool, b.data, b.len);
    }
    um_buf_free(&b);
    return reason;
}

static const char *list_words(struct um_conf *c, const char *const *words)
{
    struct um_buf b = { 0 };

    for (size_t i = 0; words[i] != NULL; i++)
        um_buf_printf(&b, "%s%s", i == 0 ? "expected: " : ", ", words[i]);
    const char *s = pool_str(&c->pool, b.data, b.len);
    um_buf_free(&b);
    return s;
}

/* Fills V from its text; returns what is wrong with it, or NULL. */
static const char *convert(struct um_conf *c, struct value *v)
{
    const struct um_conf_key *key = v->key;
    const char *why = NULL;

    switch (key->type) {
    case UM_CONF_STR:
        return check_bounds(c, key, (int64_t)strlen(v->text), "length in bytes");
    case UM_CONF_LIST:
        v->list = make_list(c, v->item, v->text);
        if (v->item != NULL && v->item->joined && v->list.n < um_conf_count(c, v->item->name))
            return pool_printf(&c->pool, "the list has no element [%zu]", v->list.n);
        return check_bounds(c, key, (int64_t)v->list.n, "number of elements");
    case UM_CONF_ENUM:
        v->number = convert_word(v->text, key->words);
        return v->number >= 0 ? NULL : list_words(c, key->words);
    default:
        if (!um_conf_parse(v->text, key->type, &v->number, &why))
            return why;
        return key->type == UM_CONF_BOOL ? NULL : check_bounds(c, key, v->number, "value");
    }
}

static bool is_not_set(const struct value *v)
{
    bool empty_default = v->key->def == NULL || *v->key->def == '\0';

    return *v->text == '\0' && empty_default && v->key->type != UM_CONF_STR && v->key->type != UM_CONF_LIST;
}

static void check(struct um_conf *c, struct value *v)
{
    const char *why = NULL;

    if (v->item != NULL && v->item->state != ITEM_DONE)
        return;                                       /* told already */
    v->text = v->item != NULL ? v->item->text : "";
    if (is_not_set(v)) {
        v->number = v->key->type == UM_CONF_ENUM ? -1 : 0;
    } else if (v->item != NULL || v->key->min > 0) {
        why = convert(c, v);
    }
    if (why != NULL && v->item != NULL)
        note(c, UM_CONF_NOTE_ERROR, v->item->entry, "%s", why);
    else if (why != NULL)
        note_at(c, UM_CONF_NOTE_ERROR, "default", 0, 0, "%s must be set: %s", v->key->name, why);
    v->good = why == NULL;
}

static void build_row(struct um_conf *c, const struct um_conf_key *key)
{
    struct value *v;
    struct um_buf b = { 0 };

    if (name_is_pattern(key->name))
        return;
    v = pool_alloc(&c->pool, sizeof(*v));
    v->key = key;
    name_canonical(&b, key->name);
    v->item = items_get(c, um_buf_cstr(&b));
    um_buf_free(&b);
    um_map_put(&c->values, row_span(&key), v);
    check(c, v);
}

static void check_pattern_item(struct um_conf *c, const struct item *it)
{
    const struct known *k = it->entry->known;
    struct value v = { .item = it };

    if (k == NULL || !k->is_pattern || it->joined)
        return;
    v.key = k->key;
    if (k->key->type != UM_CONF_LIST)
        check(c, &v);
}

void values_build(struct um_conf *c)
{
    for (size_t i = 0; i < c->n_items; i++)
        if (!item_resolve(c, c->sorted[i]) && !c->sorted[i]->joined)
            note(c, UM_CONF_NOTE_ERROR, c->sorted[i]->entry, "%s", c->sorted[i]->reason);
    for (size_t t = 0; t < c->n_tables; t++)
        for (size_t i = 0; i < c->tables[t]->n; i++)
            build_row(c, &c->tables[t]->keys[i]);
    for (size_t i = 0; i < c->n_items; i++)
        check_pattern_item(c, c->sorted[i]);
}

/* ---- binding ---- */

static void store(const struct value *v, char *place)
{
    switch (v->key->type) {
    case UM_CONF_STR:  memcpy(place, &v->text, sizeof(v->text)); break;
    case UM_CONF_BOOL: { bool b = v->number != 0; memcpy(place, &b, sizeof(b)); break; }
    case UM_CONF_ENUM: { int i = (int)v->number; memcpy(place, &i, sizeof(i)); break; }
    case UM_CONF_LIST: memcpy(place, &v->list, sizeof(v->list)); break;
    default:           memcpy(place, &v->number, sizeof(v->number)); break;
    }
}

um_err um_conf_bind(const struct um_conf *conf, const struct um_conf_key *keys, size_t n, void *base)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < n; i++) {
        const struct value *v = value_of(conf, &keys[i]);
        if ((keys[i].flags & UM_CONF_UNBOUND) != 0 || name_is_pattern(keys[i].name))
            continue;
        if (v == NULL || !v->good)
            err = UM_EINVAL;
        else
            store(v, (char *)base + keys[i].at);
    }
    return err;
}

/* ---- reading by name ---- */

/* The item of NAME and the row that knows it; either may be NULL. */
static const struct item *find(const struct um_conf *c, const char *name, const struct known **known)
{
    struct um_buf b = { 0 };
    const struct item *it;

    *known = NULL;
    if (strlen(name) > NAME_MAX_BYTES)
        return NULL;
    name_canonical(&b, name);
    const struct known *k = known_find(c, um_buf_cstr(&b));
    if (k != NULL && k->is_alias && !k->is_pattern) {
        struct um_buf row = { 0 };
        um_buf_printf(&row, "%s%s", k->row_name, um_buf_cstr(&b) + strlen(k->canonical));
        it = items_get(c, um_buf_cstr(&row));
        um_buf_free(&row);
    } else {
        it = items_get(c, um_buf_cstr(&b));
    }
    if (k != NULL && !k->is_pattern && strcmp(k->canonical, um_buf_cstr(&b)) == 0)
        *known = k;
    um_buf_free(&b);
    return it;
}

const char *um_conf_get(const struct um_conf *conf, const char *name)
{
    const struct known *known;
    const struct item *it = find(conf, name, &known);

    if (it != NULL)
        return it->text;
    return known != NULL ? "" : NULL;                 /* a row without item has an empty default */
}

const char *um_conf_getf(const struct um_conf *conf, const char *fmt, ...)
{
    char name[NAME_MAX_BYTES + 1];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    return n >= 0 && (size_t)n < sizeof(name) ? um_conf_get(conf, name) : NULL;
}

bool um_conf_is_set(const struct um_conf *conf, const char *name)
{
    const struct known *known;
    const struct item *it = find(conf, name, &known);

    return it != NULL && it->entry->source->kind != SOURCE_DEFAULT;
}

size_t um_conf_count(const struct um_conf *conf, const char *name)
{
    struct um_buf b = { 0 };
    size_t count = 0;

    name_canonical(&b, name);
    um_buf_put_u8(&b, '[');
    const char *prefix = um_buf_cstr(&b);
    for (size_t i = 0; i < conf->n_items; i++) {
        const char *item = conf->sorted[i]->name;
        if (strncmp(item, prefix, b.len) != 0 || item[b.len] < '0' || item[b.len] > '9')
            continue;
        size_t index = strtoul(item + b.len, NULL, 10);
        count = UM_MAX(count, index + 1);
    }
    um_buf_free(&b);
    return count;
}

/* What follows the first SKIP separators of a name: `logging.level.com.Foo`, 1 -> `com.foo`. */
static const char *rest_of(const char *display, size_t skip)
{
    bool inside = false;

    for (const char *p = display; *p != '\0'; p++) {
        bool separator = !inside && (*p == '.' || *p == '[');
        inside = *p == '[' || (inside && *p != ']');
        if (!separator)
            continue;
        if (skip-- == 0)
            return *p == '[' && p[1] >= '0' && p[1] <= '9' ? p : p + 1;
    }
    return display;
}

bool um_conf_next(const struct um_conf *conf, const char *prefix, size_t *pos, const char **rest, const char **value)
{
    struct um_buf b = { 0 };
    size_t skip = 0;
    bool found = false;

    name_canonical(&b, prefix);
    const char *canonical = um_buf_cstr(&b);
    for (const char *p = canonical; *p != '\0'; p++)
        skip += *p == '.' || *p == '[';
    for (; *pos < conf->n_items && !found; (*pos)++) {
        const struct item *it = conf->sorted[*pos];
        if (it->joined || it->text == NULL || it->entry->source->kind == SOURCE_DEFAULT ||
            strncmp(it->name, canonical, b.len) != 0 || (it->name[b.len] != '.' && it->name[b.len] != '['))
            continue;
        *rest = rest_of(it->display, skip);
        *value = it->text;
        found = true;
    }
    um_buf_free(&b);
    return found;
}

struct um_conf_list um_conf_profiles(const struct um_conf *conf)
{
    return conf->profiles;
}
