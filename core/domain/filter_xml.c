/* A SearchRequest in XML as the same search in JSON. Prefixes do not count, only that a namespace is one of the domain's; elements are
 * the members of the same name, and xsi:type says what a clause is. No document type, so no entities but the five of XML. Unknown
 * elements are refused: a misspelt criterion would let everything through. */
#include <errno.h>
#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "filter_int.h"

#define DOMAIN_SPACE "http://flower.com/docs/domain/"
#define SEARCH_SPACE DOMAIN_SPACE "search"
#define SCHEMA_SPACE "http://www.w3.org/2001/XMLSchema-instance"
enum { SEPARATOR = '|' };

/* What an element is: an object, or a text of some form. */
enum shape { TOP, REQUEST, SELECT, CLAUSE, CRITERION, ORDER, FACET, TEXT, EXACT_TEXT, WHOLE, TRUTH };

struct member { enum shape in; const char *name; enum shape is; bool is_list; };
static const struct member members[] = {
    { TOP,       "SearchRequest", REQUEST,    false },
    { REQUEST,   "selectClause",  SELECT,     false },
    { REQUEST,   "filterClauses", CLAUSE,     true },
    { REQUEST,   "orderClauses",  ORDER,      true },
    { REQUEST,   "aggregation",   FACET,      false },
    { REQUEST,   "start",         WHOLE,      false },
    { REQUEST,   "max",           WHOLE,      false },
    { SELECT,    "fields",        TEXT,       true },
    { CLAUSE,    "criteria",      CRITERION,  true },
    { CLAUSE,    "clauses",       CLAUSE,     true },
    { CLAUSE,    "filterClauses", CLAUSE,     true },
    { CRITERION, "name",          TEXT,       false },
    { CRITERION, "operator",      TEXT,       false },
    { CRITERION, "type",          TEXT,       false },
    { CRITERION, "values",        EXACT_TEXT, true },
    { ORDER,     "name",          TEXT,       false },
    { ORDER,     "type",          TEXT,       false },
    { ORDER,     "ascending",     TRUTH,      false },
    { FACET,     "field",         TEXT,       false },
    { FACET,     "nested",        FACET,      true },
};

struct frame { const struct member *member; json_t *object; };       /* OBJECT: borrowed; NULL: a text */
struct reading {
    XML_Parser parser;
    json_t *top;                             /* {"SearchRequest": …} */
    struct frame stack[FILTER_XML_DEPTH];
    size_t depth, elements;
    struct um_buf text;
    bool failed;
    char *why;
};

static void refuse(struct reading *r, const char *fmt, ...) UM_PRINTF(2, 3);
static void refuse(struct reading *r, const char *fmt, ...)
{
    char text[FILTER_WHY_MAX - 32];
    va_list args;

    if (r->failed)
        return;
    r->failed = true;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    snprintf(r->why, FILTER_WHY_MAX, "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(r->parser), text);
    XML_StopParser(r->parser, XML_FALSE);
}

/* ---- members ---- */

static const struct member *find_member(enum shape in, const char *name)
{
    for (size_t i = 0; i < UM_COUNT(members); i++)
        if (members[i].in == in && strcmp(members[i].name, name) == 0)
            return &members[i];
    return NULL;
}

/* Adopts VALUE. */
static void put(struct reading *r, json_t *into, const struct member *m, json_t *value)
{
    json_t *list = json_object_get(into, m->name);

    if (!m->is_list && list != NULL) {
        refuse(r, "%s stands here twice", m->name);
        json_decref(value);
    } else if (!m->is_list) {
        json_object_set_new(into, m->name, value);
    } else {
        if (list == NULL)
            json_object_set_new(into, m->name, list = json_array());
        json_array_append_new(list, value);
    }
}

static const char *trimmed(struct um_buf *b)
{
    while (b->len > 0 && strchr(" \t\r\n", b->data[b->len - 1]) != NULL)
        b->len--;
    return um_buf_cstr(b) + strspn(um_buf_cstr(b), " \t\r\n");
}

static json_t *value_of(struct reading *r, const struct member *m)
{
    const char *text = m->is == EXACT_TEXT ? um_buf_cstr(&r->text) : trimmed(&r->text);
    json_t *v = NULL;
    long long whole;
    char *end;

    if (m->is == WHOLE) {
        errno = 0;
        whole = strtoll(text, &end, 10);
        v = *text != '\0' && *end == '\0' && errno == 0 ? json_integer(whole) : NULL;
    } else if (m->is == TRUTH) {
        v = strcmp(text, "true") == 0 || strcmp(text, "1") == 0    ? json_true()
            : strcmp(text, "false") == 0 || strcmp(text, "0") == 0 ? json_false()
                                                                   : NULL;
    } else {
        v = json_string(text);
    }
    if (v == NULL)
        refuse(r, "%s is %s", m->name, m->is == WHOLE ? "a whole number" : m->is == TRUTH ? "true or false" : "a text");
    return v;
}

/* xsi:type="ns2:OrClause" */
static void take_attributes(struct reading *r, const struct frame *f, const XML_Char **attributes)
{
    for (; attributes[0] != NULL; attributes += 2) {
        const char *bar = strrchr(attributes[0], SEPARATOR), *colon = strrchr(attributes[1], ':');
        if (bar == NULL || strncmp(attributes[0], SCHEMA_SPACE, strlen(SCHEMA_SPACE)) != 0)
            refuse(r, "the attribute %.60s is not known", attributes[0]);
        else if (strcmp(bar + 1, "type") == 0 && f->member->is == CLAUSE)
            json_object_set_new(f->object, "type", json_string(colon != NULL ? colon + 1 : attributes[1]));
    }
}

/* ---- elements ---- */

static bool is_space(const char *name, const char *bar, bool is_root)
{
    if (bar == NULL)
        return false;
    if (is_root)
        return (size_t)(bar - name) == strlen(SEARCH_SPACE) && strncmp(name, SEARCH_SPACE, strlen(SEARCH_SPACE)) == 0;
    return strncmp(name, DOMAIN_SPACE, strlen(DOMAIN_SPACE)) == 0;
}

static void open_element(struct reading *r, const char *name, const XML_Char **attributes)
{
    const struct frame *above = r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
    const char *bar = strrchr(name, SEPARATOR), *local = bar != NULL ? bar + 1 : name;
    enum shape in = above != NULL ? above->member->is : TOP;
    struct frame *f = &r->stack[r->depth];

    *f = (struct frame){ find_member(in, local), NULL };
    if (!is_space(name, bar, above == NULL) || f->member == NULL) {
        refuse(r, "%.60s is not known %s%s", local, f->member != NULL ? "outside of the namespace " : "here",
               f->member != NULL ? SEARCH_SPACE : "");
        return;
    }
    um_buf_clear(&r->text);
    if (f->member->is < TEXT) {
        f->object = json_object();
        put(r, above != NULL ? above->object : r->top, f->member, f->object);
    }
    if (!r->failed)
        take_attributes(r, f, attributes);
    r->depth++;
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = arg;

    if (r->failed)
        return;
    if (r->depth == FILTER_XML_DEPTH)
        refuse(r, "more than %d elements within one another", FILTER_XML_DEPTH);
    else if (r->elements++ == FILTER_XML_ELEMENTS)
        refuse(r, "more than %d elements", FILTER_XML_ELEMENTS);
    else
        open_element(r, name, attributes);
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reading *r = arg;
    const struct frame *f;
    json_t *v;

    (void)name;
    if (r->failed)
        return;
    f = &r->stack[--r->depth];
    if (f->object == NULL && (v = value_of(r, f->member)) != NULL)
        put(r, f[-1].object, f->member, v);
    else if (f->object != NULL && *trimmed(&r->text) != '\0')
        refuse(r, "a text where elements are wanted");
    um_buf_clear(&r->text);
}

static void on_text(void *arg, const XML_Char *s, int n)
{
    struct reading *r = arg;

    if (r->failed)
        return;
    um_buf_put(&r->text, s, (size_t)n);
    if (r->text.failed)
        refuse(r, "out of memory");
}

static void on_document_type(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    refuse(arg, "a document type is not allowed");
}

/* ---- */

json_t *filter_read_xml(struct um_span text, char why[FILTER_WHY_MAX])
{
    struct reading r = { .why = why, .parser = XML_ParserCreateNS(NULL, SEPARATOR), .top = json_object() };
    json_t *request = NULL;

    UM_ASSERT(r.parser != NULL && r.top != NULL && text.len <= FILTER_TEXT_MAX);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_document_type);
    if (XML_Parse(r.parser, (const char *)text.data, (int)text.len, XML_TRUE) != XML_STATUS_OK)
        refuse(&r, "no XML: %s", XML_ErrorString(XML_GetErrorCode(r.parser)));
    if (!r.failed)
        request = json_incref(json_object_get(r.top, "SearchRequest"));
    XML_ParserFree(r.parser);
    json_decref(r.top);
    um_buf_free(&r.text);
    return request;
}
