/* From what people write to REST's form. REST's own form is read as well: names, and lists in their long form. */
#include <stdlib.h>
#include <string.h>
#include "form.h"

enum { NAMES_MAX = 40 };

static json_t *read_value(struct walk *w, const struct field *f, const json_t *from, struct um_place at);

/* ---- texts ---------------------------------------------------------------------------------------------- */

/* Is S one of "A|B|C"? */
static bool is_word(const char *words, const char *s)
{
    size_t len = strlen(s);

    for (; *words != '\0'; words += strcspn(words, "|"), words += *words == '|')
        if (strcspn(words, "|") == len && memcmp(words, s, len) == 0)
            return true;
    return false;
}

static json_t *read_text(struct walk *w, const struct field *f, const json_t *from, struct um_place at)
{
    const char *s = json_string_value(from);
    json_t *out;

    if (json_is_number(from) || json_is_boolean(from))
        return walk_refuse(w, at, "a text is wanted: write it in quotes");
    if (s == NULL)
        return walk_refuse(w, at, "a text is wanted");
    if (f->words != NULL && !is_word(f->words, s))
        return walk_refuse(w, at, "\"%.60s\" is none of %s", s, f->words);
    if (f->prefix == NULL || strchr(s, '.') != NULL)
        return json_incref((json_t *)from);
    out = json_sprintf("%s%s", f->prefix, s);
    return out != NULL ? out : walk_refuse_memory(w);
}

static json_t *read_texts(struct walk *w, const struct field *f, const json_t *from, struct um_place at)
{
    json_t *out = json_array(), *child, *text;
    size_t i, mark;

    if (out == NULL)
        return walk_refuse_memory(w);
    if (!json_is_array(from)) {
        text = read_text(w, f, from, at);
        json_array_append_new(out, text);
    }
    json_array_foreach(from, i, child) {
        mark = walk_enter_index(w, i);
        text = read_text(w, f, child, walk_place(w, from, i));
        walk_leave(w, mark);
        json_array_append_new(out, text);
    }
    if (w->err == UM_OK)
        return out;
    json_decref(out);
    return NULL;
}

static json_t *read_words(struct walk *w, const struct field *f, const json_t *from, struct um_place at)
{
    json_t *all = read_texts(w, f, from, at), *one;

    if (json_array_size(all) != 1)
        return all;
    one = json_incref(json_array_get(all, 0));
    json_decref(all);
    return one;
}

/* ---- lists ---------------------------------------------------------------------------------------------- */

static json_t *read_list(struct walk *w, const json_t *from, const struct shape *sh, struct um_place at)
{
    json_t *out, *child, *v;
    size_t i, mark;

    if (!json_is_array(from))
        return walk_refuse(w, at, "a list is wanted");
    if ((out = json_array()) == NULL)
        return walk_refuse_memory(w);
    json_array_foreach(from, i, child) {
        mark = walk_enter_index(w, i);
        v = model_form_read(w, child, sh, walk_place(w, from, i));
        walk_leave(w, mark);
        if (v == NULL || json_array_append_new(out, v) != 0)
            break;
    }
    if (w->err == UM_OK)
        return out;
    json_decref(out);
    return NULL;
}

/* {KEY: VALUE} as [{NAME: KEY, MEMBER: VALUE}]; the shape's first two fields are NAME and MEMBER. */
static json_t *read_named(struct walk *w, const json_t *from, const struct shape *sh, struct um_place at)
{
    json_t *out, *child, *v;
    const char *key;
    size_t i = 0, mark;

    if (!json_is_object(from))
        return read_list(w, from, sh, at);
    if ((out = json_array()) == NULL)
        return walk_refuse_memory(w);
    json_object_foreach((json_t *)from, key, child) {
        mark = walk_enter_key(w, key);
        v = read_value(w, &sh->fields[1], child, walk_place(w, from, i++));
        walk_leave(w, mark);
        if (v == NULL || json_array_append_new(out, json_pack("{s:s, s:o}", sh->fields[0].name, key, sh->fields[1].name, v)) != 0)
            break;
    }
    if (w->err == UM_OK)
        return out;
    json_decref(out);
    return NULL;
}

/* ---- entries of an ACL ---------------------------------------------------------------------------------- */

static const char *const entry_keys[] = { "allow", "deny", "to" };

/* {allow: P, to: [A, B]} is an entry for each of A and B, in this order. */
static void read_short_entry(struct walk *w, const json_t *from, const struct shape *sh, struct um_place at, json_t *out)
{
    const struct field principal = { .name = "to", .type = FIELD_TEXTS };
    json_t *child, *permission = NULL, *to = NULL, *one;
    const char *key, *grant = NULL, *near;
    size_t i = 0, mark;

    json_object_foreach((json_t *)from, key, child) {
        struct um_place here = walk_place(w, from, i++);

        mark = walk_enter_key(w, key);
        if (strcmp(key, "to") == 0) {
            to = read_texts(w, &principal, child, here);
        } else if ((strcmp(key, "allow") == 0 || strcmp(key, "deny") == 0) && grant == NULL) {
            grant = key[0] == 'a' ? "ALLOW" : "DENY";
            permission = read_words(w, &sh->fields[1], child, here);
        } else {
            near = model_nearest(key, strlen(key), entry_keys, UM_COUNT(entry_keys));
            if (near != NULL && strcmp(near, key) == 0)
                walk_refuse(w, here, "an entry either allows or denies");
            else
                walk_refuse(w, here, "unknown key of an entry%s%s%s", near != NULL ? "; is " : "", near != NULL ? near : "", near != NULL ? " meant?" : "");
        }
        walk_leave(w, mark);
    }
    if (grant == NULL || to == NULL)
        walk_refuse(w, at, "an entry has allow or deny, and to");
    json_array_foreach(to, i, child) {
        if (w->err != UM_OK)
            break;
        one = json_pack("{s:O, s:O, s:s}", "principal", child, "permission", permission, "grant", grant);
        if (json_array_append_new(out, one) != 0)
            walk_refuse_memory(w);
    }
    json_decref(permission);
    json_decref(to);
}

static json_t *read_entries(struct walk *w, const json_t *from, const struct shape *sh, struct um_place at)
{
    json_t *out, *child, *v;
    size_t i, mark;

    if (!json_is_array(from))
        return walk_refuse(w, at, "a list is wanted");
    if ((out = json_array()) == NULL)
        return walk_refuse_memory(w);
    json_array_foreach(from, i, child) {
        mark = walk_enter_index(w, i);
        if (json_object_get(child, "to") != NULL || json_object_get(child, "allow") != NULL || json_object_get(child, "deny") != NULL) {
            read_short_entry(w, child, sh, walk_place(w, from, i), out);
        } else {
            v = model_form_read(w, child, sh, walk_place(w, from, i));
            if (v != NULL)
                json_array_append_new(out, v);
        }
        walk_leave(w, mark);
    }
    if (w->err == UM_OK)
        return out;
    json_decref(out);
    return NULL;
}

/* ---- one value ------------------------------------------------------------------------------------------ */

static json_t *read_value(struct walk *w, const struct field *f, const json_t *from, struct um_place at)
{
    json_t *v = (json_t *)from;

    switch (f->type) {
    case FIELD_TEXT: return read_text(w, f, from, at);
    case FIELD_BOOL: return json_is_boolean(from) ? json_incref(v) : walk_refuse(w, at, "true or false is wanted");
    case FIELD_INT: return json_is_integer(from) ? json_incref(v) : walk_refuse(w, at, "a whole number is wanted");
    case FIELD_TEXTS: return read_texts(w, f, from, at);
    case FIELD_WORDS: return read_words(w, f, from, at);
    case FIELD_OBJECT: return model_form_read(w, from, f->shape, at);
    case FIELD_LIST: return read_list(w, from, f->shape, at);
    case FIELD_LABELS:
    case FIELD_PAIRS:
    case FIELD_TAGS: return read_named(w, from, f->shape, at);
    case FIELD_ENTRIES: return read_entries(w, from, f->shape, at);
    case FIELD_JSON: break;
    }
    return json_incref(v);
}

/* ---- objects -------------------------------------------------------------------------------------------- */

struct object {
    const struct shape *sh;
    json_t *out;
    struct um_place at;
};

static bool is_nothing(const json_t *v) { return v == NULL || json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0); }

static bool is_initial(const struct field *f, const json_t *v)
{
    json_t *initial = f->initial != NULL && (f->flags & FIELD_FIXED) == 0 ? json_loads(f->initial, JSON_DECODE_ANY, NULL) : NULL;
    bool same = initial != NULL && json_equal(initial, v);

    json_decref(initial);
    return same;
}

/* The object that has F in REST's form; made when it is not there. */
static json_t *holder(const json_t *out, const struct field *f, bool make)
{
    json_t *o = (json_t *)out;

    if (f->in == NULL)
        return o;
    if (json_object_get(o, f->in) == NULL && make)
        json_object_set_new(o, f->in, json_object());
    return json_object_get(o, f->in);
}

static void read_field(struct walk *w, struct object *o, const struct field *f, const json_t *from, struct um_place at)
{
    json_t *v;

    if ((f->flags & FIELD_DROPPED) != 0 || is_nothing(from) || (v = read_value(w, f, from, at)) == NULL)
        return;
    if (json_object_get(holder(o->out, f, false), f->name) != NULL)
        walk_refuse(w, at, "said twice, as %s and as %s", f->name, yaml_name(f));
    else if (!is_nothing(v) && !is_initial(f, v) && json_object_set(holder(o->out, f, true), f->name, v) != 0)
        walk_refuse_memory(w);
    json_decref(v);
}

/* The field that KEY names: in an object of people, or (IN) within an object of REST's form. */
static const struct field *field_of(const struct shape *sh, const char *key, const char *in)
{
    size_t i;

    for (i = 0; i < sh->n; i++) {
        const struct field *f = &sh->fields[i];
        bool is_name = strcmp(f->name, key) == 0;

        if (in != NULL ? is_name && f->in != NULL && strcmp(f->in, in) == 0
                       : (f->in == NULL && is_name) || (strcmp(yaml_name(f), key) == 0 && (f->flags & FIELD_DROPPED) == 0))
            return f;
    }
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

static void refuse_key(struct walk *w, const struct shape *sh, const char *key, struct um_place at)
{
    const char *names[NAMES_MAX], *near;
    size_t n = 0, i;

    for (i = 0; i < sh->n && n < NAMES_MAX; i++)
        if ((sh->fields[i].flags & FIELD_DROPPED) == 0)
            names[n++] = yaml_name(&sh->fields[i]);
    near = model_nearest(key, strlen(key), names, n);
    if (near != NULL)
        walk_refuse(w, at, "unknown key of %s; is %s meant?", sh->name, near);
    else
        walk_refuse(w, at, "unknown key of %s", sh->name);
}

/* "data": {…} as REST has it. */
static void read_holder(struct walk *w, struct object *o, const char *in, const json_t *from, struct um_place at)
{
    const struct field *f;
    const char *key;
    json_t *child;
    size_t i = 0, mark;

    if (!json_is_object(from)) {
        walk_refuse(w, at, "a map is wanted");
        return;
    }
    json_object_foreach((json_t *)from, key, child) {
        struct um_place here = walk_place(w, from, i++);

        mark = walk_enter_key(w, key);
        f = field_of(o->sh, key, in);
        if (f == NULL)
            refuse_key(w, o->sh, key, here);
        else
            read_field(w, o, f, child, here);
        walk_leave(w, mark);
    }
}

/* Members that no table knows, as they are. */
static void read_extra(struct walk *w, struct object *o, json_t *to, const json_t *from, struct um_place at)
{
    const char *key;
    json_t *child, *there;

    if (!json_is_object(from)) {
        walk_refuse(w, at, "a map is wanted");
        return;
    }
    json_object_foreach((json_t *)from, key, child) {
        there = json_object_get(to, key);
        if (to == o->out && is_holder(o->sh, key) && json_is_object(child) && json_is_object(there))
            read_extra(w, o, there, child, at);
        else if (there != NULL)
            walk_refuse(w, at, "%.100s is said twice", key);
        else if (json_object_set_new(to, key, json_deep_copy(child)) != 0)
            walk_refuse_memory(w);
    }
}

static void complete(struct walk *w, struct object *o)
{
    size_t i;

    for (i = 0; i < o->sh->n; i++) {
        const struct field *f = &o->sh->fields[i];

        if (json_object_get(holder(o->out, f, false), f->name) != NULL)
            continue;
        if ((f->flags & FIELD_FIXED) != 0)
            json_object_set_new(holder(o->out, f, true), f->name, json_loads(f->initial, JSON_DECODE_ANY, NULL));
        else if ((f->flags & FIELD_NEEDED) != 0)
            walk_refuse(w, o->at, "%s needs %s", o->sh->name, yaml_name(f));
    }
}

static void read_members(struct walk *w, struct object *o, const json_t *from)
{
    const struct field *f;
    const char *key;
    json_t *child;
    size_t i = 0, mark;

    json_object_foreach((json_t *)from, key, child) {
        struct um_place here = walk_place(w, from, i++);

        mark = walk_enter_key(w, key);
        if ((f = field_of(o->sh, key, NULL)) != NULL)
            read_field(w, o, f, child, here);
        else if (is_holder(o->sh, key))
            read_holder(w, o, key, child, here);
        else if (strcmp(key, EXTRA_KEY) != 0)
            refuse_key(w, o->sh, key, here);
        walk_leave(w, mark);
    }
    if (json_object_get(from, EXTRA_KEY) != NULL)
        read_extra(w, o, o->out, json_object_get(from, EXTRA_KEY), o->at);
}

json_t *model_form_read(struct walk *w, const json_t *from, const struct shape *sh, struct um_place at)
{
    struct object o = { sh, NULL, at };

    if (!json_is_object(from) && !(json_is_string(from) && sh->bare != NULL))
        return walk_refuse(w, at, "%s is a map%s%s", sh->name, sh->bare != NULL ? ", or the text of its " : "", sh->bare != NULL ? sh->bare : "");
    if ((o.out = json_object()) == NULL)
        return walk_refuse_memory(w);
    if (json_is_string(from))
        read_field(w, &o, field_of(sh, sh->bare, NULL), from, at);
    else
        read_members(w, &o, from);
    complete(w, &o);
    if (w->err == UM_OK)
        return o.out;
    json_decref(o.out);
    return NULL;
}
