/* Templates in XML, one object per file, as what their YAML would be in REST's names. Prefixes do not count, only that a
 * namespace is one of the domain's; elements and attributes are the members of the same name. No document type, so no
 * entities but the five of XML.
 *
 * An element either has a text or is an object. The objects that are open are a stack; a member that REST keeps in an
 * object of its own ("data") has a frame with the same table. */
#include <ctype.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "list.h"
#include "yaml_places.h"

#define DOMAIN_SPACE "http://flower.com/docs/domain/"
#define SCHEMA_SPACE "http://www.w3.org/2001/XMLSchema-instance"
enum { SEPARATOR = '|' };

struct frame {
    json_t *object;                      /* borrowed; NULL: the element has a text */
    const struct shape *sh;
    const char *in;                      /* the frame stands for this object of REST's form */
    const struct field *field;           /* of a text */
    struct um_place at;
    size_t mark;                         /* of the path */
};

struct reading {
    XML_Parser parser;
    struct um_yaml *y;
    struct walk w;
    struct frame stack[MODEL_XML_DEPTH];
    size_t depth, elements;
    struct um_buf text;
};

static const struct { const char *element; enum um_model_kind kind; } roots[] = {
#define X(id, word, key, element) { element, UM_MODEL_##id },
    UM_MODEL_KINDS(X)
#undef X
    { "ACLProxy", UM_MODEL_ACL },
};

static struct um_place here(const struct reading *r)
{
    return (struct um_place){ (uint32_t)XML_GetCurrentLineNumber(r->parser), (uint32_t)XML_GetCurrentColumnNumber(r->parser) + 1 };
}

/* ---- members -------------------------------------------------------------------------------------------- */

static void put(struct reading *r, json_t *object, const char *name, json_t *value)
{
    yaml_places_add(&r->y->places, object, here(r));
    if (json_object_set_new(object, name, value) != 0)
        walk_refuse_memory(&r->w);
}

static void push_element(struct reading *r, json_t *object, const char *name, json_t *value)
{
    json_t *list = json_object_get(object, name);

    if (list == NULL) {
        list = json_array();
        put(r, object, name, list);
    }
    yaml_places_add(&r->y->places, list, here(r));
    if (json_array_append_new(list, value) != 0)
        walk_refuse_memory(&r->w);
}

/* The text of a field that has one value. */
static json_t *value_of(struct reading *r, const struct field *f, const char *text)
{
    char *end;
    long long whole;

    if (f->type == FIELD_BOOL) {
        if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
            return json_true();
        return strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ? json_false() : walk_refuse(&r->w, here(r), "true or false is wanted");
    }
    if (f->type == FIELD_INT) {
        whole = strtoll(text, &end, 10);
        return end != text && *end == '\0' ? json_integer(whole) : walk_refuse(&r->w, here(r), "a whole number is wanted");
    }
    return json_string(text);
}

static void put_text(struct reading *r, const struct frame *f, const struct field *field, const char *text)
{
    json_t *v;

    if (*text == '\0' && (field->flags & FIELD_NEEDED) == 0 && field->type != FIELD_TEXTS)
        return;
    v = value_of(r, field, text);
    if (v == NULL)
        return;
    if (field->type == FIELD_TEXTS || field->type == FIELD_WORDS) {
        push_element(r, f->object, field->name, v);
    } else if (json_object_get(f->object, field->name) != NULL) {
        walk_refuse(&r->w, here(r), "this stands here twice");
        json_decref(v);
    } else {
        put(r, f->object, field->name, v);
    }
}

/* The field of an element or attribute: its name as REST has it, or with another case at its first letter. */
static const struct field *field_of(const struct frame *f, const char *name)
{
    const struct field *near = NULL;
    size_t i;

    for (i = 0; i < f->sh->n; i++) {
        const struct field *field = &f->sh->fields[i];

        if ((f->in == NULL) != (field->in == NULL) || (f->in != NULL && strcmp(f->in, field->in) != 0))
            continue;
        if (strcmp(field->name, name) == 0)
            return field;
        if (tolower((unsigned char)field->name[0]) == tolower((unsigned char)name[0]) && strcmp(field->name + 1, name + 1) == 0)
            near = field;
    }
    return near;
}

/* "data" of a component: one of its fields is kept there. */
static const char *holder_of(const struct frame *f, const char *name)
{
    size_t i;

    for (i = 0; f->in == NULL && i < f->sh->n; i++)
        if (f->sh->fields[i].in != NULL && strcmp(f->sh->fields[i].in, name) == 0)
            return f->sh->fields[i].in;
    return NULL;
}

static void refuse_name(struct reading *r, const struct frame *f, const char *name)
{
    const char *names[64], *near;
    size_t n = 0, i;

    for (i = 0; i < f->sh->n && n < UM_COUNT(names); i++)
        names[n++] = f->sh->fields[i].name;
    near = model_nearest(name, strlen(name), names, n);
    walk_refuse(&r->w, here(r), "unknown in %s%s%s%s", f->sh->name, near != NULL ? "; is " : "", near != NULL ? near : "", near != NULL ? " meant?" : "");
}

/* ---- attributes ----------------------------------------------------------------------------------------- */

/* xsi:type="AndClause" is the member `type` where REST has one like it; elsewhere members tell subclasses apart. */
static void take_subclass(struct reading *r, const struct frame *f, const char *value)
{
    const struct field *field = f->sh != NULL && f->object != NULL ? field_of(f, "type") : NULL;
    const char *colon = strrchr(value, ':');

    if (field != NULL && field->prefix != NULL)
        put_text(r, f, field, colon != NULL ? colon + 1 : value);
}

static void take_attributes(struct reading *r, const struct frame *f, const XML_Char **attributes)
{
    const struct field *field;
    size_t mark;

    for (; *attributes != NULL && r->w.err == UM_OK; attributes += 2) {
        const char *bar = strrchr(attributes[0], SEPARATOR), *name = bar != NULL ? bar + 1 : attributes[0];

        if (bar != NULL && strncmp(attributes[0], SCHEMA_SPACE, strlen(SCHEMA_SPACE)) == 0) {
            if (strcmp(name, "type") == 0)
                take_subclass(r, f, attributes[1]);
            continue;
        }
        mark = walk_enter_key(&r->w, name);
        field = f->object != NULL ? field_of(f, name) : NULL;
        if (field == NULL && f->object != NULL)
            refuse_name(r, f, name);
        else if (field == NULL || field->shape != NULL)
            walk_refuse(&r->w, here(r), "this is no attribute");
        else
            put_text(r, f, field, attributes[1]);
        walk_leave(&r->w, mark);
    }
}

/* ---- elements ------------------------------------------------------------------------------------------- */

static bool open_root(struct reading *r, struct frame *f, const char *name)
{
    json_t *top = json_object();
    size_t i;

    for (i = 0; i < UM_COUNT(roots); i++)
        if (strcmp(roots[i].element, name) == 0)
            break;
    if (i == UM_COUNT(roots) || top == NULL) {
        json_decref(top);
        return walk_refuse(&r->w, here(r), "an element that is no part of a model") != NULL;
    }
    json_array_append_new(r->y->documents, top);
    f->sh = model_shapes[roots[i].kind];
    f->object = json_object();
    push_element(r, top, um_model_kind_key(roots[i].kind), f->object);
    return true;
}

/* <Tags> stands around the tags of a component. */
static bool is_wrapper(const struct frame *parent, const char *name)
{
    return strcmp(name, "Tags") == 0 && field_of(parent, "tags") != NULL && parent->in == NULL;
}

static bool open_member(struct reading *r, struct frame *f, const struct frame *parent, const char *name)
{
    const struct field *field;
    const char *in;

    if (parent->object == NULL)
        return walk_refuse(&r->w, here(r), "an element within a text") != NULL;
    field = field_of(parent, name);
    in = holder_of(parent, name);
    if (is_wrapper(parent, name)) {
        f->object = parent->object;
        f->sh = parent->sh;
    } else if (in != NULL) {
        f->sh = parent->sh;
        f->in = in;
        f->object = json_object_get(parent->object, in);
        if (f->object == NULL)
            put(r, parent->object, in, f->object = json_object());
    } else if (field == NULL) {
        refuse_name(r, parent, name);
        return false;
    } else if (field->shape == NULL) {
        f->field = field;
    } else {
        f->sh = field->shape;
        f->object = json_object();
        if (field->type != FIELD_OBJECT)
            push_element(r, parent->object, field->name, f->object);
        else if (json_object_get(parent->object, field->name) == NULL)
            put(r, parent->object, field->name, f->object);
        else {
            json_decref(f->object);
            return walk_refuse(&r->w, here(r), "this stands here twice") != NULL;
        }
    }
    return true;
}

static void stop_if_failed(struct reading *r)
{
    if (r->w.err != UM_OK)
        XML_StopParser(r->parser, XML_FALSE);
}

static void limit(struct reading *r, const char *what, unsigned n)
{
    walk_refuse(&r->w, here(r), "more than %u %s", n, what);
    r->w.err = UM_ELIMIT;
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = arg;
    const char *bar = strrchr(name, SEPARATOR), *local = bar != NULL ? bar + 1 : name;
    struct frame *f = &r->stack[r->depth];
    size_t i, n_attributes = 0;

    if (r->w.err != UM_OK)
        return;
    for (i = 0; attributes[i] != NULL; i += 2)
        n_attributes++;
    if (r->depth == MODEL_XML_DEPTH) {
        limit(r, "elements within one another", MODEL_XML_DEPTH);
    } else if ((r->elements += 1 + n_attributes) > MODEL_XML_ELEMENTS) {
        limit(r, "elements and attributes", MODEL_XML_ELEMENTS);
    } else {
        *f = (struct frame){ .at = here(r), .mark = walk_enter_key(&r->w, local) };
        um_buf_clear(&r->text);
        if (strncmp(name, DOMAIN_SPACE, strlen(DOMAIN_SPACE)) != 0)
            walk_refuse(&r->w, f->at, "an element of another namespace than %s…", DOMAIN_SPACE);
        else if (r->depth == 0 ? open_root(r, f, local) : open_member(r, f, f - 1, local))
            take_attributes(r, f, attributes);
        r->depth++;
    }
    stop_if_failed(r);
}

/* The text without the blanks around it. */
static const char *trimmed(struct um_buf *b)
{
    const char *s;

    while (b->len > 0 && strchr(" \t\r\n", b->data[b->len - 1]) != NULL)
        b->len--;
    s = um_buf_cstr(b);
    return s + strspn(s, " \t\r\n");
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reading *r = arg;
    const struct frame *f;

    (void)name;
    if (r->w.err != UM_OK)
        return;
    f = &r->stack[--r->depth];
    if (f->object == NULL)
        put_text(r, f - 1, f->field, trimmed(&r->text));
    else if (*trimmed(&r->text) != '\0')
        walk_refuse(&r->w, f->at, "a text where elements are wanted");
    um_buf_clear(&r->text);
    walk_leave(&r->w, f->mark);
    stop_if_failed(r);
}

static void on_text(void *arg, const XML_Char *s, int n)
{
    struct reading *r = arg;

    if (r->w.err != UM_OK)
        return;
    um_buf_put(&r->text, s, (size_t)n);
    if (r->text.failed)
        walk_refuse_memory(&r->w);
    stop_if_failed(r);
}

static void on_document_type(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
    struct reading *r = arg;

    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    walk_refuse(&r->w, here(r), "a document type is not allowed");
    stop_if_failed(r);
}

/* ---- the whole ------------------------------------------------------------------------------------------ */

static um_err parse(struct reading *r, struct um_span text)
{
    enum XML_Status status;

    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_start, on_end);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetStartDoctypeDeclHandler(r->parser, on_document_type);
    status = XML_Parse(r->parser, (const char *)text.data, (int)text.len, XML_TRUE);
    if (status != XML_STATUS_OK && r->w.err == UM_OK)
        walk_refuse(&r->w, here(r), "no XML: %s", XML_ErrorString(XML_GetErrorCode(r->parser)));
    return r->w.err;
}

static um_err read_xml(struct um_span text, struct um_yaml *y, struct um_model_error *error)
{
    struct reading *r = um_xcalloc(1, sizeof(*r));
    um_err err;

    r->y = y;
    r->w.error = error;
    r->parser = XML_ParserCreateNS(NULL, SEPARATOR);
    if (r->parser == NULL)
        err = UM_ENOMEM;
    else if (text.len > MODEL_XML_BYTES)
        err = (walk_refuse(&r->w, (struct um_place){ 0, 0 }, "more than %u MiB", MODEL_XML_BYTES >> 20), UM_ELIMIT);
    else
        err = parse(r, text);
    if (r->parser != NULL)
        XML_ParserFree(r->parser);
    um_buf_free(&r->text);
    free(r);
    return err;
}

um_err um_model_list_read_xml(struct um_model_list *l, struct um_span text, const char *name, struct um_model_error *error)
{
    struct um_yaml *y = um_xcalloc(1, sizeof(*y));
    um_err err;

    UM_ASSERT(!l->is_finished);
    *error = (struct um_model_error){ 0 };
    (void)snprintf(error->file, sizeof(error->file), "%s", name);
    y->documents = json_array();
    err = read_xml(text, y, error);
    if (err == UM_OK)
        return model_list_adopt(l, name, y);
    um_yaml_free(y);
    return err;
}
