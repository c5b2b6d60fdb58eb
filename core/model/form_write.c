/* From REST's form to what people write. A value that reading would refuse does not fit its field: it stands, as it is,
 * under `extra`, and so does every member that no table knows. */
#include <string.h>
#include "form.h"

/* What comes of a value: FITS without a value: it says nothing, and is left out. */
struct written {
    json_t *v;
    bool fits;
};
static const struct written unfit = { NULL, false };

static struct written write_value(const struct field *f, const json_t *v);

static struct written fitting(json_t *v) { return (struct written){ v, v != NULL }; }

static bool is_word(const char *words, const char *s)
{
    const char *found = words;
    size_t len = strlen(s);

    for (; len > 0 && (found = strstr(found, s)) != NULL; found += len)
        if ((found == words || found[-1] == '|') && (found[len] == '\0' || found[len] == '|'))
            return true;
    return false;
}

static struct written write_text(const struct field *f, const json_t *v)
{
    const char *s = json_string_value(v);
    size_t n = f->prefix != NULL ? strlen(f->prefix) : 0;

    if (s == NULL || (f->words != NULL && !is_word(f->words, s)))
        return unfit;
    if (n > 0 && strncmp(s, f->prefix, n) == 0 && s[n] != '\0' && strchr(s + n, '.') == NULL)
        return fitting(json_string(s + n));
    return fitting(json_incref((json_t *)v));
}

static struct written write_texts(const struct field *f, const json_t *v)
{
    const struct field one = { .name = f->name, .type = FIELD_TEXT, .words = f->words };
    json_t *out = json_array(), *child;
    struct written w;
    size_t i;

    if (!json_is_array(v)) {
        w = write_text(&one, v);
        json_array_append_new(out, w.v);
        if (!w.fits)
            goto unfit;
    }
    json_array_foreach(v, i, child) {
        w = write_text(&one, child);
        if (!w.fits)
            goto unfit;
        json_array_append_new(out, w.v);
    }
    return fitting(out);
unfit:
    json_decref(out);
    return unfit;
}

static struct written write_words(const struct field *f, const json_t *v)
{
    struct written w = write_texts(f, v);
    json_t *one;

    if (json_array_size(w.v) != 1)
        return w;
    one = json_incref(json_array_get(w.v, 0));
    json_decref(w.v);
    return fitting(one);
}

static struct written write_object(const struct shape *sh, const json_t *v)
{
    bool fits = json_is_object(v);
    json_t *out = fits ? model_form_write(v, sh, &fits) : NULL;

    return fits && out != NULL ? fitting(out) : unfit;
}

/* An object that says nothing but its bare member is that text. */
static json_t *bare(const struct shape *sh, json_t *o)
{
    json_t *text = sh->bare != NULL && json_object_size(o) == 1 ? json_incref(json_object_get(o, sh->bare)) : NULL;

    if (text == NULL)
        return o;
    json_decref(o);
    return text;
}

static struct written write_list(const struct shape *sh, const json_t *v)
{
    json_t *out, *child;
    struct written w;
    size_t i;

    if (!json_is_array(v))
        return unfit;
    out = json_array();
    json_array_foreach(v, i, child) {
        w = write_object(sh, child);
        if (!w.fits) {
            json_decref(out);
            return unfit;
        }
        json_array_append_new(out, bare(sh, w.v));
    }
    return fitting(out);
}

/* As a map when every element is its name and one member, and no name comes twice. */
static struct written write_named(const struct shape *sh, const json_t *v)
{
    struct written list = write_list(sh, v);
    json_t *map, *child;
    size_t i;

    if (!list.fits)
        return unfit;
    map = json_object();
    json_array_foreach(list.v, i, child) {
        json_t *name = json_object_get(child, sh->fields[0].name), *value = json_object_get(child, sh->fields[1].name);

        if (json_object_size(child) != 2 || value == NULL || json_string_length(name) > YAML_KEY_BYTES ||
            json_object_get(map, json_string_value(name)) != NULL) {
            json_decref(map);
            return list;
        }
        if (json_array_size(value) == 1)
            value = json_array_get(value, 0);
        json_object_set(map, json_string_value(name), value);
    }
    json_decref(list.v);
    return fitting(map);
}

static json_t *short_entry(const json_t *entry)
{
    bool allows = strcmp(json_string_value(json_object_get(entry, "grant")), "ALLOW") == 0;

    if (json_object_get(entry, EXTRA_KEY) != NULL)
        return json_incref((json_t *)entry);
    return json_pack("{s:O, s:O}", allows ? "allow" : "deny", json_object_get(entry, "permission"), "to", json_object_get(entry, "principal"));
}

static struct written write_entries(const struct shape *sh, const json_t *v)
{
    struct written list = write_list(sh, v);
    size_t i;

    for (i = 0; i < json_array_size(list.v); i++)
        json_array_set_new(list.v, i, short_entry(json_array_get(list.v, i)));
    return list;
}

static struct written write_value(const struct field *f, const json_t *v)
{
    switch (f->type) {
    case FIELD_TEXT: return write_text(f, v);
    case FIELD_BOOL: return json_is_boolean(v) ? fitting(json_incref((json_t *)v)) : unfit;
    case FIELD_INT: return json_is_integer(v) ? fitting(json_incref((json_t *)v)) : unfit;
    case FIELD_TEXTS: return write_texts(f, v);
    case FIELD_WORDS: return write_words(f, v);
    case FIELD_OBJECT: return write_object(f->shape, v);
    case FIELD_LIST: return write_list(f->shape, v);
    case FIELD_LABELS:
    case FIELD_PAIRS:
    case FIELD_TAGS: return write_named(f->shape, v);
    case FIELD_ENTRIES: return write_entries(f->shape, v);
    case FIELD_JSON: break;
    }
    return fitting(json_incref((json_t *)v));
}

/* ---- objects -------------------------------------------------------------------------------------------- */

static bool says_nothing(const struct field *f, const json_t *v)
{
    json_t *initial;
    bool same;

    if ((f->flags & FIELD_DROPPED) != 0 || json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0))
        return true;
    initial = f->initial != NULL ? json_loads(f->initial, JSON_DECODE_ANY, NULL) : NULL;
    same = initial != NULL && json_equal(initial, v);
    json_decref(initial);
    return same;
}

static const struct field *field_in(const struct shape *sh, const char *key, const char *in)
{
    size_t i;

    for (i = 0; i < sh->n; i++)
        if (strcmp(sh->fields[i].name, key) == 0 && (in == NULL) == (sh->fields[i].in == NULL) &&
            (in == NULL || strcmp(sh->fields[i].in, in) == 0))
            return &sh->fields[i];
    return NULL;
}

static bool is_holder(const struct shape *sh, const char *key)
{
    size_t i;

    for (i = 0; i < sh->n; i++)
        if (sh->fields[i].in != NULL && strcmp(sh->fields[i].in, key) == 0)
            return true;
    return false;
}

/* The members of REST (of its object IN) that were not written: unknown, or not fit. */
static json_t *leftover(const json_t *rest, const struct shape *sh, const char *in)
{
    json_t *out = json_object(), *child, *deeper;
    const struct field *f;
    struct written w;
    const char *key;

    json_object_foreach((json_t *)rest, key, child) {
        f = field_in(sh, key, in);
        if (f != NULL) {
            w = says_nothing(f, child) ? (struct written){ NULL, true } : write_value(f, child);
            json_decref(w.v);
            if (w.fits)
                continue;
        }
        if (f == NULL && in == NULL && is_holder(sh, key) && json_is_object(child)) {
            deeper = leftover(child, sh, key);
            if (json_object_size(deeper) > 0)
                json_object_set(out, key, deeper);
            json_decref(deeper);
            continue;
        }
        json_object_set(out, key, child);
    }
    return out;
}

json_t *model_form_write(const json_t *rest, const struct shape *sh, bool *fits)
{
    json_t *out = json_object(), *v, *extra;
    struct written w;
    size_t i;

    *fits = true;
    for (i = 0; i < sh->n; i++) {
        const struct field *f = &sh->fields[i];

        v = json_object_get(f->in != NULL ? json_object_get(rest, f->in) : rest, f->name);
        w = v == NULL || says_nothing(f, v) ? (struct written){ NULL, true } : write_value(f, v);
        if (w.v != NULL)
            json_object_set_new(out, yaml_name(f), w.v);
        else if ((f->flags & FIELD_NEEDED) != 0)
            *fits = false;
    }
    extra = leftover(rest, sh, NULL);
    if (json_object_size(extra) > 0)
        json_object_set(out, EXTRA_KEY, extra);
    json_decref(extra);
    if (*fits)
        return out;
    json_decref(out);
    return NULL;
}
