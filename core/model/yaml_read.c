/* YAML into JSON values: libyaml's events, one stack of open containers, limits checked before anything is kept.
 *
 * 1. A container is put into its parent when it begins: the tree of a document owns everything at all times.
 * 2. Every key and every list element leaves its place behind (yaml_places.h), in the order of the container.
 * 3. An alias becomes a copy, counted like something written; texts are shared, not copied. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include <yaml.h>
#include "yaml_places.h"
#include "yaml_scalar.h"

struct frame {                     /* an open map or list */
    json_t *container;             /* borrowed */
    char key[YAML_KEY_BYTES + 1];  /* of the value that comes or is open */
    size_t key_len;
    bool has_key, has_child;
    size_t anchor;                 /* index + 1 */
};

struct anchor {
    char *name;
    json_t *value;                 /* borrowed */
    bool is_open;
};

struct reader {
    struct um_yaml *y;
    yaml_parser_t parser;
    struct um_span text;
    struct um_model_error *error;
    struct frame stack[YAML_DEPTH];
    size_t depth;
    struct anchor anchors[YAML_ANCHORS];   /* of this document */
    size_t n_anchors;
    size_t nodes, text_bytes;
    size_t chars, bytes;           /* how far byte_at has counted */
    size_t document_starts;        /* byte */
};

/* ---- refusing ------------------------------------------------------------------------------------------- */

static void write_path(const struct reader *r, struct um_buf *b)
{
    size_t i;

    for (i = 0; i < r->depth; i++) {
        const struct frame *f = &r->stack[i];

        if (json_is_array(f->container))
            um_buf_printf(b, "[%zu]", json_array_size(f->container) - f->has_child);
        else if (f->has_key)
            um_buf_printf(b, "%s%s", b->len > 0 ? "." : "", f->key);
    }
}

static struct um_place place_of(yaml_mark_t m) { return (struct um_place){ (uint32_t)m.line + 1, (uint32_t)m.column + 1 }; }

UM_PRINTF(4, 5) static um_err refuse(struct reader *r, um_err err, yaml_mark_t mark, const char *fmt, ...)
{
    struct um_buf path = { 0 };
    va_list args;

    r->error->at = place_of(mark);
    va_start(args, fmt);
    (void)vsnprintf(r->error->what, sizeof(r->error->what), fmt, args);
    va_end(args);
    write_path(r, &path);
    (void)snprintf(r->error->path, sizeof(r->error->path), "%s", um_buf_cstr(&path));
    um_buf_free(&path);
    return err;
}

static um_err no_memory(struct reader *r)
{
    (void)snprintf(r->error->what, sizeof(r->error->what), "%s", um_err_text(UM_ENOMEM));
    return UM_ENOMEM;
}

/* The place of the byte OFFSET, for errors that come without one. */
static yaml_mark_t mark_of_byte(const struct reader *r, size_t offset)
{
    yaml_mark_t m = { 0, 0, 0 };
    size_t i;

    for (i = 0; i < offset && i < r->text.len; i++)
        if (r->text.data[i] == '\n') {
            m.line++;
            m.column = 0;
        } else if ((r->text.data[i] & 0xC0) != 0x80) {
            m.column++;
        }
    return m;
}

static um_err refuse_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem != NULL ? p->problem : "no YAML";

    r->depth = 0;                      /* what is open may not be what the text means */
    if (p->error == YAML_MEMORY_ERROR)
        return no_memory(r);
    if (p->error == YAML_READER_ERROR)
        return refuse(r, UM_EPROTO, mark_of_byte(r, p->problem_offset), "%s (U+%04X)", problem, (unsigned)p->problem_value);
    return refuse(r, UM_EPROTO, p->problem_mark, "%s%s%s", problem, p->context != NULL ? " " : "", p->context != NULL ? p->context : "");
}

/* ---- counting ------------------------------------------------------------------------------------------- */

static um_err count(struct reader *r, yaml_mark_t mark, size_t nodes, size_t text_bytes)
{
    r->nodes += nodes;
    r->text_bytes += text_bytes;
    if (r->nodes > YAML_NODES)
        return refuse(r, UM_ELIMIT, mark, "more than %u values", YAML_NODES);
    if (r->text_bytes > YAML_TEXT_BYTES)
        return refuse(r, UM_ELIMIT, mark, "more than %u MiB of text", YAML_TEXT_BYTES >> 20);
    return UM_OK;
}

/* libyaml counts characters; the limits are bytes. Only ever called with growing marks. */
static size_t byte_at(struct reader *r, size_t chars)
{
    while (r->chars < chars && r->bytes < r->text.len) {
        do
            r->bytes++;
        while (r->bytes < r->text.len && (r->text.data[r->bytes] & 0xC0) == 0x80);
        r->chars++;
    }
    return r->bytes;
}

/* ---- values into containers ----------------------------------------------------------------------------- */

/* Puts VALUE, ours to give away, where the next value belongs. */
static um_err put(struct reader *r, yaml_mark_t mark, json_t *value)
{
    struct frame *f = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
    int failed;

    if (value == NULL)
        return no_memory(r);
    if (f == NULL) {
        failed = json_array_append_new(r->y->documents, value);
    } else if (json_is_array(f->container)) {
        yaml_places_add(&r->y->places, f->container, place_of(mark));
        failed = json_array_append_new(f->container, value);
    } else {
        failed = json_object_setn_new_nocheck(f->container, f->key, f->key_len, value);
    }
    return failed != 0 ? no_memory(r) : UM_OK;
}

static void value_done(struct reader *r)
{
    if (r->depth > 0) {
        r->stack[r->depth - 1].has_key = false;
        r->stack[r->depth - 1].has_child = false;
    }
}

static bool wants_key(const struct reader *r)
{
    return r->depth > 0 && json_is_object(r->stack[r->depth - 1].container) && !r->stack[r->depth - 1].has_key;
}

static um_err take_key(struct reader *r, const yaml_event_t *ev)
{
    struct frame *f = &r->stack[r->depth - 1];
    const char *s = (const char *)ev->data.scalar.value;
    size_t len = ev->data.scalar.length;

    if (len > YAML_KEY_BYTES)
        return refuse(r, UM_ELIMIT, ev->start_mark, "a key longer than %u bytes", YAML_KEY_BYTES);
    if (memchr(s, '\0', len) != NULL)
        return refuse(r, UM_EPROTO, ev->start_mark, "a key with a NUL");
    if (ev->data.scalar.anchor != NULL || ev->data.scalar.tag != NULL)
        return refuse(r, UM_EPROTO, ev->start_mark, "a key with an anchor or a tag");
    if (len == 2 && memcmp(s, "<<", 2) == 0 && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return refuse(r, UM_EPROTO, ev->start_mark, "merge keys (<<) are no part of YAML 1.2");
    if (json_object_getn(f->container, s, len) != NULL)
        return refuse(r, UM_EPROTO, ev->start_mark, "the key \"%.*s\" stands here twice", (int)len, s);
    memcpy(f->key, s, len);
    f->key[len] = '\0';
    f->key_len = len;
    f->has_key = true;
    yaml_places_add(&r->y->places, f->container, place_of(ev->start_mark));
    return count(r, ev->start_mark, 0, len);
}

/* ---- anchors and aliases -------------------------------------------------------------------------------- */

/* *INDEX is its place + 1; 0 without an anchor. VALUE is in its container by now. */
static um_err take_anchor(struct reader *r, yaml_mark_t mark, const yaml_char_t *name, json_t *value, bool is_open, size_t *index)
{
    struct anchor *a;

    *index = 0;
    if (name == NULL)
        return UM_OK;
    if (r->n_anchors == YAML_ANCHORS)
        return refuse(r, UM_ELIMIT, mark, "more than %u anchors", YAML_ANCHORS);
    a = &r->anchors[r->n_anchors];
    a->name = strdup((const char *)name);
    if (a->name == NULL)
        return no_memory(r);
    a->value = value;
    a->is_open = is_open;
    *index = ++r->n_anchors;
    return UM_OK;
}

static void forget_anchors(struct reader *r)
{
    while (r->n_anchors > 0)
        free(r->anchors[--r->n_anchors].name);
}

/* Fills COPY, an empty container that its parent has, like FROM. */
static um_err copy_into(struct reader *r, yaml_mark_t mark, json_t *copy, json_t *from, size_t depth)
{
    size_t i = 0, n = json_array_size(from);
    void *it = json_object_iter(from);
    um_err err;

    if (depth > YAML_DEPTH)
        return refuse(r, UM_ELIMIT, mark, "more than %u maps and lists within one another", YAML_DEPTH);
    for (;; i++, it = json_is_object(from) ? json_object_iter_next(from, it) : NULL) {
        json_t *v = json_is_object(from) ? json_object_iter_value(it) : json_array_get(from, i), *child;
        bool is_container = json_is_object(v) || json_is_array(v);
        int failed;

        if (json_is_object(from) ? it == NULL : i >= n)
            return UM_OK;
        err = count(r, mark, 1, json_is_object(from) ? json_object_iter_key_len(it) + json_string_length(v) : json_string_length(v));
        if (err != UM_OK)
            return err;
        child = !is_container ? json_incref(v) : json_is_object(v) ? json_object() : json_array();
        yaml_places_add(&r->y->places, copy, yaml_places_get(&r->y->places, from, i));
        failed = child == NULL || (json_is_object(from)
            ? json_object_setn_new_nocheck(copy, json_object_iter_key(it), json_object_iter_key_len(it), child)
            : json_array_append_new(copy, child)) != 0;
        if (failed)
            return no_memory(r);
        if (is_container && (err = copy_into(r, mark, child, v, depth + 1)) != UM_OK)
            return err;
    }
}

static um_err on_alias(struct reader *r, const yaml_event_t *ev)
{
    const char *name = (const char *)ev->data.alias.anchor;
    size_t i = r->n_anchors;
    json_t *from, *value;
    um_err err;

    if (wants_key(r))
        return refuse(r, UM_EPROTO, ev->start_mark, "an alias as a key");
    while (i > 0 && strcmp(r->anchors[i - 1].name, name) != 0)
        i--;
    if (i == 0)
        return refuse(r, UM_EPROTO, ev->start_mark, "the anchor &%.64s is not known here", name);
    if (r->anchors[i - 1].is_open)
        return refuse(r, UM_EPROTO, ev->start_mark, "the alias *%.64s stands inside what it names", name);
    from = r->anchors[i - 1].value;
    value = json_is_object(from) ? json_object() : json_is_array(from) ? json_array() : json_incref(from);
    if ((err = put(r, ev->start_mark, value)) != UM_OK ||
        (err = count(r, ev->start_mark, 1, json_string_length(from))) != UM_OK ||
        (value != from && (err = copy_into(r, ev->start_mark, value, from, r->depth + 1)) != UM_OK))
        return err;
    value_done(r);
    return UM_OK;
}

/* ---- events --------------------------------------------------------------------------------------------- */

#define CORE_TAG "tag:yaml.org,2002:"

/* A scalar's kind by its tag: -1 for a tag that is not ours, SCALAR_NULL..REAL demanded, or by its look. */
static int kind_of(const yaml_event_t *ev)
{
    static const struct { const char *tag; enum scalar_kind kind; } tags[] = {
        { CORE_TAG "str", SCALAR_TEXT }, { CORE_TAG "null", SCALAR_NULL }, { CORE_TAG "bool", SCALAR_BOOL },
        { CORE_TAG "int", SCALAR_INTEGER }, { CORE_TAG "float", SCALAR_REAL },
    };
    const char *tag = (const char *)ev->data.scalar.tag;
    enum scalar_kind looks = yaml_scalar_kind((const char *)ev->data.scalar.value, ev->data.scalar.length);
    size_t i;

    if (tag == NULL)
        return ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? looks : SCALAR_TEXT;
    if (strcmp(tag, "!") == 0)
        return SCALAR_TEXT;
    for (i = 0; i < UM_COUNT(tags); i++)
        if (strcmp(tags[i].tag, tag) == 0) {
            if (tags[i].kind == SCALAR_TEXT || tags[i].kind == looks)
                return tags[i].kind;
            return tags[i].kind == SCALAR_REAL && looks == SCALAR_INTEGER ? SCALAR_REAL : -1;
        }
    return -1;
}

static um_err on_scalar(struct reader *r, const yaml_event_t *ev)
{
    const char *s = (const char *)ev->data.scalar.value;
    size_t len = ev->data.scalar.length, anchor;
    json_t *v = NULL;
    um_err err;

    if (wants_key(r))
        return take_key(r, ev);
    switch (kind_of(ev)) {
    case SCALAR_NULL: v = json_null(); break;
    case SCALAR_BOOL: v = json_boolean(s[0] == 't' || s[0] == 'T'); break;
    case SCALAR_INTEGER:
        if ((v = yaml_scalar_number(s, len, SCALAR_INTEGER)) == NULL)
            return refuse(r, UM_ELIMIT, ev->start_mark, "a whole number beyond 64 bits: %.60s (write quotes if a text is meant)", s);
        break;
    case SCALAR_REAL:
        if ((v = yaml_scalar_number(s, len, SCALAR_REAL)) == NULL)
            return refuse(r, UM_ELIMIT, ev->start_mark, "a number that is too large or too long: %.60s", s);
        break;
    case SCALAR_NOT_FINITE:
        return refuse(r, UM_EPROTO, ev->start_mark, "%.8s is no number here (write quotes if a text is meant)", s);
    case SCALAR_TEXT:
        if (memchr(s, '\0', len) != NULL)
            return refuse(r, UM_EPROTO, ev->start_mark, "a text with a NUL");
        v = json_stringn_nocheck(s, len);
        break;
    default:
        return refuse(r, UM_EPROTO, ev->start_mark, "the tag %.80s is unknown, or does not fit its value", (const char *)ev->data.scalar.tag);
    }
    if ((err = put(r, ev->start_mark, v)) != UM_OK ||
        (err = count(r, ev->start_mark, 1, len)) != UM_OK ||
        (err = take_anchor(r, ev->start_mark, ev->data.scalar.anchor, v, false, &anchor)) != UM_OK)
        return err;
    value_done(r);
    return UM_OK;
}

static um_err open_container(struct reader *r, yaml_mark_t mark, const char *tag, const char *own_tag, const yaml_char_t *anchor, json_t *c)
{
    struct frame *f;
    um_err err;

    if (wants_key(r)) {
        json_decref(c);
        return refuse(r, UM_EPROTO, mark, "a map or a list as a key");
    }
    if ((err = put(r, mark, c)) != UM_OK || (err = count(r, mark, 1, 0)) != UM_OK)
        return err;
    if (tag != NULL && strcmp(tag, "!") != 0 && strcmp(tag, own_tag) != 0)
        return refuse(r, UM_EPROTO, mark, "the tag %.80s is unknown, or does not fit its value", tag);
    if (r->depth == YAML_DEPTH)
        return refuse(r, UM_ELIMIT, mark, "more than %u maps and lists within one another", YAML_DEPTH);
    if (r->depth > 0)
        r->stack[r->depth - 1].has_child = true;
    f = &r->stack[r->depth++];
    f->container = c;
    f->has_key = f->has_child = false;
    return take_anchor(r, mark, anchor, c, true, &f->anchor);
}

static void close_container(struct reader *r)
{
    const struct frame *f = &r->stack[--r->depth];

    if (f->anchor != 0)
        r->anchors[f->anchor - 1].is_open = false;
    value_done(r);
}

static um_err on_event(struct reader *r, const yaml_event_t *ev)
{
    size_t at = byte_at(r, ev->end_mark.index);

    switch (ev->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (json_array_size(r->y->documents) == YAML_DOCUMENTS)
            return refuse(r, UM_ELIMIT, ev->start_mark, "more than %u documents", YAML_DOCUMENTS);
        r->document_starts = at;
        return UM_OK;
    case YAML_DOCUMENT_END_EVENT: forget_anchors(r); break;
    case YAML_ALIAS_EVENT: return on_alias(r, ev);
    case YAML_SCALAR_EVENT: return at - r->document_starts > YAML_DOCUMENT_BYTES ? UM_ELIMIT : on_scalar(r, ev);
    case YAML_SEQUENCE_START_EVENT:
        return open_container(r, ev->start_mark, (const char *)ev->data.sequence_start.tag, CORE_TAG "seq",
                              ev->data.sequence_start.anchor, json_array());
    case YAML_MAPPING_START_EVENT:
        return open_container(r, ev->start_mark, (const char *)ev->data.mapping_start.tag, CORE_TAG "map",
                              ev->data.mapping_start.anchor, json_object());
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: close_container(r); break;
    default: break;
    }
    return at - r->document_starts > YAML_DOCUMENT_BYTES ? UM_ELIMIT : UM_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

static um_err read_events(struct reader *r)
{
    um_err err = UM_OK;
    bool at_end = false;
    yaml_event_t ev;

    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, r->text.data != NULL ? r->text.data : (const unsigned char *)"", r->text.len);
    while (err == UM_OK && !at_end) {
        if (!yaml_parser_parse(&r->parser, &ev))
            return refuse_syntax(r);
        err = on_event(r, &ev);
        if (err == UM_ELIMIT && r->error->what[0] == '\0')
            err = refuse(r, UM_ELIMIT, ev.start_mark, "a document of more than %u MiB", YAML_DOCUMENT_BYTES >> 20);
        at_end = ev.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&ev);
    }
    return err;
}

static um_err check_text(struct reader *r)
{
    size_t line = 0, at;

    if (r->text.len > YAML_STREAM_BYTES)
        return refuse(r, UM_ELIMIT, mark_of_byte(r, 0), "more than %u MiB", YAML_STREAM_BYTES >> 20);
    if (um_utf8_is_valid(r->text.data, r->text.len))
        return UM_OK;
    for (at = 0; at < r->text.len; at = line) {
        const uint8_t *end = memchr(r->text.data + at, '\n', r->text.len - at);

        line = end != NULL ? (size_t)(end - r->text.data) + 1 : r->text.len;
        if (!um_utf8_is_valid(r->text.data + at, line - at))
            break;
    }
    return refuse(r, UM_EPROTO, mark_of_byte(r, at), "a line that is not UTF-8");
}

um_err um_yaml_read(struct um_span text, const char *name, struct um_yaml **out, struct um_model_error *error)
{
    struct um_yaml *y = calloc(1, sizeof(*y));
    struct reader *r = calloc(1, sizeof(*r));
    um_err err = UM_ENOMEM;

    *out = NULL;
    *error = (struct um_model_error){ 0 };
    (void)snprintf(error->file, sizeof(error->file), "%s", name != NULL ? name : "");
    if (y == NULL || r == NULL || (y->documents = json_array()) == NULL)
        goto out;
    r->y = y;
    r->text = text;
    r->error = error;
    if ((err = check_text(r)) != UM_OK)
        goto out;
    if (!yaml_parser_initialize(&r->parser)) {
        err = UM_ENOMEM;
        goto out;
    }
    err = read_events(r);
    yaml_parser_delete(&r->parser);
    forget_anchors(r);
    if (err == UM_OK) {
        *out = y;
        y = NULL;
    }
out:
    free(r);
    um_yaml_free(y);
    return err;
}

size_t um_yaml_documents(const struct um_yaml *y) { return json_array_size(y->documents); }

json_t *um_yaml_peek(const struct um_yaml *y, size_t document) { return json_array_get(y->documents, document); }

struct um_place um_yaml_place(const struct um_yaml *y, const json_t *container, size_t index)
{
    return yaml_places_get(&y->places, container, index);
}

void um_yaml_free(struct um_yaml *y)
{
    if (y == NULL)
        return;
    json_decref(y->documents);
    yaml_places_free(&y->places);
    free(y);
}
