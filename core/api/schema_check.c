/* A value against a schema. The way to the present value is a chain on the stack, which becomes text for a fault only; nothing
 * is allocated while a value fits. Depth and the cost of alternatives are bounded, so a hostile value costs little more than
 * its size. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "schema.h"

enum { POINTER_MAX = 512, MESSAGE_MAX = 200 };

struct at { const struct at *up; const char *name; size_t index; };  /* NAME NULL: an element */

struct check {
    um_api_fault_fn *fn;                     /* NULL: the first fault ends it */
    void *arg;
    size_t n_faults;
    bool trying;                             /* within alternatives: counts */
    int64_t *tries_left;
};

/* ---- faults ---- */

/* The rest of a pointer that is too long, or of a name cut within a character, is left out. */
static void put_step(struct um_buf *out, const struct at *at)
{
    if (at->name == NULL) {
        um_buf_printf(out, "/%zu", at->index);
        return;
    }
    um_buf_puts(out, "/");
    for (const char *p = at->name; *p != '\0' && (out->len < POINTER_MAX || ((uint8_t)*p & 0xc0) == 0x80); p++)
        if (*p == '~' || *p == '/')
            um_buf_puts(out, *p == '~' ? "~0" : "~1");
        else
            um_buf_put_u8(out, (uint8_t)*p);
}

static void put_pointer(struct um_buf *out, const struct at *at)
{
    if (at == NULL || at->up == NULL)
        return;
    put_pointer(out, at->up);
    if (out->len < POINTER_MAX)
        put_step(out, at);
}

static bool fault(struct check *c, const struct at *at, const char *fmt, ...) UM_PRINTF(3, 4);
static bool fault(struct check *c, const struct at *at, const char *fmt, ...)
{
    char message[MESSAGE_MAX];
    struct um_buf pointer = { 0 };
    va_list ap;

    if (c->fn == NULL || c->n_faults++ >= UM_API_FAULTS_MAX)
        return false;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    put_pointer(&pointer, at);
    c->fn(c->arg, um_buf_cstr(&pointer), message);
    um_buf_free(&pointer);
    return false;
}

/* After a fault: is there a reason to look further? */
static bool goes_on(const struct check *c) { return c->fn != NULL && c->n_faults < UM_API_FAULTS_MAX; }

/* ---- scalars ---- */

unsigned api_type_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:  return API_OBJECT;
    case JSON_ARRAY:   return API_ARRAY;
    case JSON_STRING:  return API_STRING;
    case JSON_INTEGER: return API_INT;
    case JSON_REAL:    return API_REAL;
    case JSON_TRUE:
    case JSON_FALSE:   return API_BOOL;
    default:           return API_NULL;
    }
}

static int compare(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return (json_integer_value(a) > json_integer_value(b)) - (json_integer_value(a) < json_integer_value(b));
    return (json_number_value(a) > json_number_value(b)) - (json_number_value(a) < json_number_value(b));
}

static void number_text(const json_t *v, char out[40])
{
    if (json_is_integer(v))
        snprintf(out, 40, "%lld", (long long)json_integer_value(v));
    else
        snprintf(out, 40, "%g", json_number_value(v));
}

static bool check_number(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at)
{
    char bound[40];

    if (s->minimum != NULL && compare(v, s->minimum) < 0) {
        number_text(s->minimum, bound);
        return fault(c, at, "must be at least %s", bound);
    }
    if (s->maximum != NULL && compare(v, s->maximum) > 0) {
        number_text(s->maximum, bound);
        return fault(c, at, "must be at most %s", bound);
    }
    return true;
}

static bool check_range(struct check *c, const struct api_range *r, size_t n, const char *what, const struct at *at)
{
    if ((int64_t)n < r->min)
        return fault(c, at, "must have at least %lld %s", (long long)r->min, what);
    if ((int64_t)n > r->max)
        return fault(c, at, "must have at most %lld %s", (long long)r->max, what);
    return true;
}

static size_t characters(const char *s, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((uint8_t)s[i] & 0xc0) != 0x80;
    return count;
}

static bool check_string(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at)
{
    const char *text = json_string_value(v);
    size_t n = json_string_length(v);

    if ((s->length.min > 0 || s->length.max < INT64_MAX) && !check_range(c, &s->length, characters(text, n), "characters", at))
        return false;
    return s->format == NULL || s->format->fits(text, n) || fault(c, at, "%s", s->format->message);
}

static bool equal(const json_t *a, const json_t *b)
{
    return json_is_number(a) && json_is_number(b) ? compare(a, b) == 0 : json_equal(a, b) == 1;
}

static void values_text(const json_t *values, char out[MESSAGE_MAX / 2])
{
    size_t i, n = 0;
    json_t *v;

    out[0] = '\0';
    json_array_foreach(values, i, v) {
        char *text = json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
        const char *shown = text != NULL ? text : json_string_value(v);
        size_t len = shown != NULL ? strlen(shown) : 0;

        if (n + len + 6 > MESSAGE_MAX / 2) {
            snprintf(out + n, MESSAGE_MAX / 2 - n, ", …");
            free(text);
            return;
        }
        n += (size_t)snprintf(out + n, MESSAGE_MAX / 2 - n, "%s%s", i > 0 ? ", " : "", shown != NULL ? shown : "");
        free(text);
    }
}

static bool check_values(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at)
{
    char known[MESSAGE_MAX / 2];
    size_t i;
    json_t *one;

    if (s->constant != NULL && !equal(s->constant, v))
        return fault(c, at, "has not the one value that it may have");
    if (s->values == NULL)
        return true;
    json_array_foreach(s->values, i, one)
        if (equal(one, v))
            return true;
    if (c->fn == NULL)
        return false;
    values_text(s->values, known);
    return fault(c, at, "must be one of: %s", known);
}

/* ---- arrays, objects ---- */

static bool check(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at, int depth);

static bool check_array(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at, int depth)
{
    bool ok = check_range(c, &s->count, json_array_size(v), "elements", at);
    size_t i;
    json_t *one;

    if (s->items == NULL || (!ok && !goes_on(c)))
        return ok;
    json_array_foreach(v, i, one) {
        struct at here = { at, NULL, i };
        if (!check(c, s->items, one, &here, depth + 1))
            ok = false;
        if (!ok && !goes_on(c))
            return false;
    }
    return ok;
}

static int name_of(const void *name, const void *p) { return strcmp(name, ((const struct api_property *)p)->name); }

static const struct api_property *find(const struct api_schema *s, const char *name)
{
    return s->n_properties > 0 ? bsearch(name, s->properties, s->n_properties, sizeof(*s->properties), name_of) : NULL;
}

static bool check_member(struct check *c, const struct api_schema *s, const struct api_property *p, const json_t *v,
                         const struct at *at, int depth)
{
    if (p != NULL && p->schema != NULL)
        return check(c, p->schema, v, at, depth + 1);
    if (p != NULL)
        return true;
    if (s->closed)
        return fault(c, at, "is not known");
    return s->extra == NULL || check(c, s->extra, v, at, depth + 1);
}

static void find_missing(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at)
{
    for (size_t i = 0; i < s->n_properties && goes_on(c); i++)
        if (s->properties[i].required && json_object_get(v, s->properties[i].name) == NULL) {
            struct at here = { at, s->properties[i].name, 0 };
            fault(c, &here, "is missing");
        }
}

static bool check_object(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at, int depth)
{
    bool ok = check_range(c, &s->members, json_object_size(v), "members", at);
    size_t n_required = 0;
    const char *name;
    json_t *one;

    if (!ok && !goes_on(c))
        return false;
    json_object_foreach((json_t *)v, name, one) {
        const struct api_property *p = find(s, name);
        struct at here = { at, name, 0 };

        n_required += p != NULL && p->required;
        if (!check_member(c, s, p, one, &here, depth))
            ok = false;
        if (!ok && !goes_on(c))
            return false;
    }
    if (n_required == s->n_required)
        return ok;
    find_missing(c, s, v, at);
    return false;
}

/* ---- alternatives ---- */

/* Is S what the caller seems to have meant? Its type fits, and so do the members that have one value only. */
static bool seems_meant(const struct api_schema *choice, const json_t *v)
{
    const struct api_schema *s = api_schema_real(choice);

    if (s->types != 0 && (s->types & api_type_of(v)) == 0)
        return false;
    for (size_t i = 0; i < s->n_properties && json_is_object(v); i++) {
        const struct api_schema *sub = s->properties[i].schema != NULL ? api_schema_real(s->properties[i].schema) : NULL;
        const json_t *given = json_object_get(v, s->properties[i].name);
        if (sub != NULL && sub->constant != NULL && (given == NULL || !equal(sub->constant, given)))
            return false;
    }
    return true;
}

/* With one alternative that can be meant, its faults are the ones that help. */
static bool explain_choices(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at, int depth)
{
    const struct api_schema *meant = NULL;
    size_t n = 0;

    for (size_t i = 0; i < s->n_choices; i++)
        if (seems_meant(s->choices[i], v)) {
            meant = s->choices[i];
            n++;
        }
    if (n == 1)
        return check(c, meant, v, at, depth + 1);
    return fault(c, at, "fits none of its %zu alternatives", s->n_choices);
}

static bool check_choices(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at, int depth)
{
    struct check quiet = { .trying = true, .tries_left = c->tries_left };
    size_t fitting = 0;

    for (size_t i = 0; i < s->n_choices && fitting < (s->exactly_one ? 2 : 1); i++)
        fitting += check(&quiet, s->choices[i], v, at, depth + 1);
    if (*c->tries_left < 0)
        return fault(c, at, "is too much to check");
    if (fitting == 1)
        return true;
    if (fitting > 1)
        return fault(c, at, "fits more than one of its alternatives");
    return c->fn != NULL && explain_choices(c, s, v, at, depth);
}

static bool check_parts(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at, int depth)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:  return check_object(c, s, v, at, depth);
    case JSON_ARRAY:   return check_array(c, s, v, at, depth);
    case JSON_STRING:  return check_string(c, s, v, at);
    case JSON_INTEGER:
    case JSON_REAL:    return check_number(c, s, v, at);
    default:           return true;
    }
}

static bool check(struct check *c, const struct api_schema *s, const json_t *v, const struct at *at, int depth)
{
    s = api_schema_real(s);
    if (depth > API_DEPTH_MAX)
        return fault(c, at, "is too deep");
    if (c->trying && --*c->tries_left < 0)
        return false;
    if (s->types != 0 && (s->types & api_type_of(v)) == 0) {
        char wanted[96];
        if (c->fn == NULL)
            return false;
        api_types_text(s->types, wanted);
        return fault(c, at, "must be %s", wanted);
    }
    if (!check_values(c, s, v, at))
        return false;
    if (!check_parts(c, s, v, at, depth))
        return false;
    return s->n_choices == 0 || check_choices(c, s, v, at, depth);
}

bool api_schema_fits(const struct api_schema *s, const json_t *value, um_api_fault_fn *fn, void *arg)
{
    int64_t tries = API_TRIES_MAX;
    struct check c = { .fn = fn, .arg = arg, .tries_left = &tries };
    struct at root = { 0 };

    return check(&c, s, value, &root, 0);
}
