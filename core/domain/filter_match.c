/* A filter held against a component: what search/sql.c says in SQL, said in C.
 *
 * A criterion goes over the values that its field has and fits when one of them does; DIFFERENT fits when none equals. Members of a
 * component have one value, which is empty when it is not there; a tag has those of its values; a request those of its criteria. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "dates.h"
#include "filter_int.h"
#include "search/fold.h"

struct matching {
    const struct filter_subject *s;
    const struct filter_node *n;             /* the criterion */
    struct field field;
};

/* ---- texts ---- */

/* Does TEXT begin with PART, in any case? *END: where it goes on behind. */
static bool begins(const char *text, const char *part, const char **end)
{
    const char *text_end = text + strlen(text), *part_end = part + strlen(part);

    while (part < part_end) {
        uint32_t wanted = fold_next(&part, part_end), lower = fold_lower(wanted), upper = fold_upper(wanted), got;
        if (text == text_end)
            return false;
        got = fold_next(&text, text_end);
        if (lower != upper ? got != lower && got != upper : got != wanted)
            return false;
    }
    *end = text;
    return true;
}

static bool has_pattern(enum search_operator operator, const char *text, const char *part)
{
    const char *end = text + strlen(text), *behind;

    for (const char *p = text;; (void)fold_next(&p, end)) {
        if (begins(p, part, &behind) && (operator != SEARCH_ENDS_WITH || *behind == '\0'))
            return true;
        if (operator == SEARCH_STARTS_WITH || p == end)
            return false;
    }
}

/* NULL: ${user.id} when there is no user. */
static const char *text_of(const struct matching *m, const struct filter_value *v) { return v->is_user ? m->s->user : v->text; }

static bool text_fits(const struct matching *m, const char *text)
{
    const struct filter_node *n = m->n;
    const char *first = text_of(m, &n->values[0]), *second;

    switch (n->operator) {
    case SEARCH_GREATER_THAN:
        return first != NULL && strcmp(text, first) > 0;
    case SEARCH_LESS_THAN:
        return first != NULL && strcmp(text, first) < 0;
    case SEARCH_BETWEEN:
        second = text_of(m, &n->values[1]);
        return first != NULL && second != NULL && strcmp(text, first) >= 0 && strcmp(text, second) <= 0;
    default:
        for (size_t i = 0; i < n->n_values; i++) {
            const char *wanted = text_of(m, &n->values[i]);
            if (wanted != NULL && (search_is_pattern(n->operator) ? has_pattern(n->operator, text, wanted) : strcmp(text, wanted) == 0))
                return true;
        }
        return false;
    }
}

/* ---- numbers ---- */

static bool is_moment(const struct field *f) { return f->kind == FIELD_MOMENT || f->type == UM_TAG_DATE; }

/* Of a component: in the form of its type. */
static bool number_of_text(const struct field *f, const char *text, double *out)
{
    return *text != '\0' && um_tag_read(is_moment(f) ? UM_TAG_DATE : f->type, text, out);
}

/* Of a criterion: a moment may be milliseconds too. */
static bool number_of(const struct field *f, const struct filter_value *v, double *out)
{
    char *end;

    *out = v->number;
    if (v->is_number)
        return true;
    if (is_moment(f) && *v->text != '\0' && strchr(" \t\n", *v->text) == NULL) {
        errno = 0;
        *out = (double)strtoll(v->text, &end, 10);
        if (*end == '\0' && errno == 0)
            return true;
    }
    return number_of_text(f, v->text, out);
}

static bool number_fits(const struct matching *m, double number)
{
    const struct filter_node *n = m->n;
    double first, second;

    switch (n->operator) {
    case SEARCH_GREATER_THAN:
        return number_of(&m->field, &n->values[0], &first) && number > first;
    case SEARCH_LESS_THAN:
        return number_of(&m->field, &n->values[0], &first) && number < first;
    case SEARCH_BETWEEN:
        return number_of(&m->field, &n->values[0], &first) && number_of(&m->field, &n->values[1], &second) && number >= first &&
               number <= second;
    default:
        for (size_t i = 0; i < n->n_values; i++)
            if (number_of(&m->field, &n->values[i], &first) && number == first)
                return true;
        return false;
    }
}

/* ---- one value ---- */

static bool is_by_text(const struct matching *m)
{
    return m->field.kind == FIELD_TEXT || (m->field.kind == FIELD_NUMBER && search_is_pattern(m->n->operator));
}

static bool value_fits(const struct matching *m, const char *text)
{
    double number;

    if (is_by_text(m))
        return text_fits(m, text);
    return !search_is_pattern(m->n->operator) && number_of_text(&m->field, text, &number) && number_fits(m, number);
}

/* ---- of a component ---- */

static const char *or_empty(const char *text) { return text != NULL ? text : ""; }
static const char *member_of(const json_t *o, const char *member) { return json_string_value(json_object_get(o, member)); }

/* What a search has in a column. */
static const char *column_text(const struct filter_subject *s, const char *column)
{
    static const struct { const char *column, *in_data, *member; } rows[] = {
        { "name", NULL, "name" }, { "class_id", "classId", NULL }, { "status", "status", NULL }, { "owner", "owner", NULL },
        { "acl", "ACL", NULL }, { "created_ms", "creationDate", NULL }, { "updated_ms", "lastUpdateDate", NULL },
    };

    if (strcmp(column, "id") == 0)
        return s->id != NULL ? s->id : member_of(s->image, "id");
    if (strcmp(column, "assignee") == 0)
        return s->is_assignment ? s->assignee_before : member_of(s->image, "assignee");
    if (strcmp(column, "category") == 0)
        return s->category != NULL ? s->category : member_of(s->image, "category");
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (strcmp(rows[i].column, column) == 0)
            return rows[i].member != NULL ? member_of(s->image, rows[i].member) : member_of(json_object_get(s->image, "data"), rows[i].in_data);
    return NULL;
}

/* A field that searches do not have, unless the scope has a tag of this name. */
static const json_t *own_field(const struct filter_subject *s, const char *name)
{
    if (s->model != NULL && um_model_find(s->model, UM_KIND_TAG_CLASS, name) != NULL)
        return NULL;
    if (um_ascii_ieq(name, "workflow"))
        return json_object_get(s->image, "workflow");
    return strncmp(name, "data.", 5) == 0 ? json_object_get(json_object_get(s->image, "data"), name + 5) : NULL;
}

static bool own_field_fits(const struct matching *m, const json_t *value)
{
    struct filter_value v;
    bool fits = filter_value_of(value, &v) && value_fits(m, v.text);

    free(v.text);
    return fits;
}

/* Searches look at the beginning of a tag's value. */
static bool tag_value_fits(const struct matching *m, const char *text)
{
    size_t n = field_cut(text);
    char *cut;
    bool fits;

    if (text[n] == '\0' || !is_by_text(m))
        return value_fits(m, text);
    cut = um_xstrndup(text, n);
    fits = value_fits(m, cut);
    free(cut);
    return fits;
}

static bool tags_fit(const struct matching *m)
{
    json_t *tag, *value;
    size_t i, k;

    json_array_foreach(json_object_get(m->s->image, "tags"), i, tag) {
        const char *name = member_of(tag, "name");
        if (name == NULL || strcmp(name, m->n->name) != 0)
            continue;
        json_array_foreach(json_object_get(tag, "value"), k, value)
            if (json_is_string(value) && tag_value_fits(m, json_string_value(value)))
                return true;
    }
    return false;
}

static bool component_fits(const struct matching *m)
{
    const json_t *own;

    if (m->field.column != NULL)
        return value_fits(m, or_empty(column_text(m->s, m->field.column)));
    own = own_field(m->s, m->n->name);
    return own != NULL ? own_field_fits(m, own) : tags_fit(m);
}

/* ---- of a request ---- */

/* A value of somebody else's criterion: moments may be milliseconds. */
static bool asked_value_fits(const struct matching *m, const json_t *value)
{
    struct filter_value v;
    double number;
    bool fits;

    if (!filter_value_of(value, &v))
        return false;
    if (is_by_text(m))
        fits = text_fits(m, v.text);
    else
        fits = !search_is_pattern(m->n->operator) && number_of(&m->field, &v, &number) && number_fits(m, number);
    free(v.text);
    return fits;
}

static bool asked_criteria_fit(const struct matching *m, const json_t *criteria)
{
    json_t *one, *value;
    size_t i, k;

    json_array_foreach(criteria, i, one) {
        const char *name = member_of(one, "name");
        bool same = name != NULL && (m->field.column != NULL ? um_ascii_ieq(name, m->n->name) : strcmp(name, m->n->name) == 0);
        if (same)
            json_array_foreach(json_object_get(one, "values"), k, value)
                if (asked_value_fits(m, value))
                    return true;
    }
    return false;
}

static bool asked_clauses_fit(const struct matching *m, const json_t *clauses, int depth)
{
    json_t *one;
    size_t i;

    json_array_foreach(clauses, i, one)
        if (depth <= SEARCH_DEPTH_MAX &&
            (asked_criteria_fit(m, json_object_get(one, "criteria")) || asked_clauses_fit(m, json_object_get(one, "clauses"), depth + 1) ||
             asked_clauses_fit(m, json_object_get(one, "filterClauses"), depth + 1)))
            return true;
    return false;
}

/* ---- the tree ---- */

static bool criterion_matches(const struct filter_node *n, const struct filter_subject *s)
{
    struct matching m = { .s = s, .n = n };
    bool fits;

    field_find(s->model, n->name, &m.field);
    fits = s->request != NULL ? asked_clauses_fit(&m, json_object_get(s->request, "filterClauses"), 1) : component_fits(&m);
    return fits != (n->operator == SEARCH_DIFFERENT);
}

static bool node_matches(const struct filter_node *n, const struct filter_subject *s)
{
    if (n->kind == SEARCH_CRITERION)
        return criterion_matches(n, s);
    for (const struct filter_node *i = n->first; i != NULL; i = i->next)
        if (node_matches(i, s) == (n->kind == SEARCH_OR))
            return n->kind == SEARCH_OR;
    return n->kind == SEARCH_AND;
}

bool filter_matches(const struct filter *f, const struct filter_subject *s)
{
    return f->root == NULL || node_matches(f->root, s);
}
