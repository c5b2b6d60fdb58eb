/* What a search must find, in loops over bodies: no index, no SQL, no cleverness. Texts are ASCII here. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "dates.h"
#include "search_rig.h"
#include "tag_types.h"

static const char *text_of(const json_t *o, const char *member)
{
    const char *s = json_string_value(json_object_get(o, member));

    return s != NULL ? s : "";
}

/* ---- values of a field ---- */

struct value { char text[256]; double number; bool has_number; };
struct values { struct value v[16]; size_t n; bool is_number; };

static void add(struct values *out, const char *text, enum um_tag_type type)
{
    struct value *v = &out->v[out->n++];

    snprintf(v->text, sizeof(v->text), "%s", text);
    v->has_number = out->is_number && *text != '\0' && um_tag_read(type, text, &v->number);
}

static bool read_member(const json_t *body, const char *name, struct values *out)
{
    static const struct { const char *name, *member; } members[] = { { "classid", "classId" }, { "status", "status" }, { "owner", "owner" }, { "acl", "ACL" } };
    static const char *const dates[] = { "creationDate", "lastUpdateDate" };
    const json_t *data = json_object_get(body, "data");

    if (strcmp(name, "id") == 0 || strcmp(name, "name") == 0)
        return add(out, text_of(body, name), UM_TAG_STRING), true;
    for (size_t i = 0; i < UM_COUNT(members); i++)
        if (strcmp(name, members[i].name) == 0)
            return add(out, text_of(data, members[i].member), UM_TAG_STRING), true;
    for (size_t i = 0; i < UM_COUNT(dates); i++)
        if (strcmp(name, dates[i]) == 0) {
            out->is_number = true;
            return add(out, text_of(data, name), UM_TAG_DATE), true;
        }
    return false;
}

static enum um_tag_type type_of(const char *name) { return *name == 'N' ? UM_TAG_INT : *name == 'D' ? UM_TAG_DATE : UM_TAG_STRING; }

static void read_values(const json_t *body, const char *name, struct values *out)
{
    json_t *tag, *value;
    size_t i, k;

    *out = (struct values){ .n = 0 };
    if (read_member(body, name, out))
        return;
    out->is_number = um_tag_is_number(type_of(name));
    json_array_foreach(json_object_get(body, "tags"), i, tag)
        if (strcmp(text_of(tag, "name"), name) == 0)
            json_array_foreach(json_object_get(tag, "value"), k, value)
                add(out, json_string_value(value), type_of(name));
}

/* ---- full text ---- */

static bool has_word_in(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = text; *p != '\0';) {
        size_t len = 0;

        while (isalnum((unsigned char)p[len]))
            len++;
        if (len == n && strncasecmp(p, word, n) == 0)
            return true;
        p += len > 0 ? len : 1;
    }
    return false;
}

static bool has_word(const json_t *body, const char *word)
{
    bool has = has_word_in(text_of(body, "name"), word) || has_word_in(text_of(body, "text"), word);
    json_t *tag, *value;
    size_t i, k;

    json_array_foreach(json_object_get(body, "tags"), i, tag)
        json_array_foreach(json_object_get(tag, "value"), k, value)
            has = has || has_word_in(json_string_value(value), word);
    return has;
}

/* Words between blanks; OR, NOT. */
static bool has_words(const json_t *body, const char *question)
{
    char copy[256], *rest = copy, *word;
    bool alternative = true, any = false, is_not = false, some = false;

    snprintf(copy, sizeof(copy), "%s", question);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (strcmp(word, "OR") == 0) {
            any = any || (some && alternative);
            alternative = true;
            some = is_not = false;
        } else if (strcmp(word, "NOT") == 0) {
            is_not = true;
        } else if (strcmp(word, "AND") != 0 && *word != '\0') {
            alternative = alternative && has_word(body, word) != is_not;
            is_not = false;
            some = true;
        }
    }
    return any || (some && alternative);
}

/* ---- criteria ---- */

static bool has_pattern(const char *text, const char *part, const char *operator)
{
    size_t n = strlen(text), k = strlen(part);

    if (strcmp(operator, "STARTS_WITH") == 0)
        return strncasecmp(text, part, k) == 0;
    if (strcmp(operator, "ENDS_WITH") == 0)
        return n >= k && strcasecmp(text + n - k, part) == 0;
    return strcasestr(text, part) != NULL;
}

/* Below 0, 0 or above, as VALUE is to WANTED; *CAN: they can be compared. */
static int compare(const struct values *of, const struct value *v, const json_t *wanted, bool *can)
{
    const char *text = json_string_value(wanted);
    double number = strtod(text, NULL);

    *can = !of->is_number || v->has_number;
    if (!of->is_number)
        return strcmp(v->text, text);
    return v->number < number ? -1 : v->number > number;
}

static bool value_fits(const struct values *of, const struct value *v, const char *operator, const json_t *values)
{
    bool can = true;
    size_t i;
    json_t *wanted;
    int first;

    if (strcmp(operator, "CONTAINS") == 0 || strcmp(operator, "STARTS_WITH") == 0 || strcmp(operator, "ENDS_WITH") == 0) {
        json_array_foreach(values, i, wanted)
            if (has_pattern(v->text, json_string_value(wanted), operator))
                return true;
        return false;
    }
    first = compare(of, v, json_array_get(values, 0), &can);
    if (!can)
        return false;
    if (strcmp(operator, "GREATER_THAN") == 0)
        return first > 0;
    if (strcmp(operator, "LESS_THAN") == 0)
        return first < 0;
    if (strcmp(operator, "BETWEEN") == 0)
        return first >= 0 && compare(of, v, json_array_get(values, 1), &can) <= 0;
    json_array_foreach(values, i, wanted)
        if (compare(of, v, wanted, &can) == 0)
            return true;
    return false;
}

static bool criterion_fits(const json_t *body, const json_t *criterion)
{
    const char *name = text_of(criterion, "name"), *operator = text_of(criterion, "operator");
    const json_t *values = json_object_get(criterion, "values");
    bool differs = strcmp(operator, "DIFFERENT") == 0, fits = false;
    struct values own;
    size_t i;
    json_t *value;

    if (strcmp(name, "Content") == 0) {
        json_array_foreach(values, i, value)
            fits = fits || has_words(body, json_string_value(value));
        return fits != differs;
    }
    read_values(body, name, &own);
    for (i = 0; i < own.n; i++)
        fits = fits || value_fits(&own, &own.v[i], differs ? "EQUALS_TO" : operator, values);
    return fits != differs;
}

/* As if it were not there. */
static bool is_empty(const json_t *clause)
{
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(clause, "clauses"), i, one)
        if (!is_empty(one))
            return false;
    return json_array_size(json_object_get(clause, "criteria")) == 0;
}

static bool clause_fits(const json_t *body, const json_t *clause)
{
    bool is_or = strstr(text_of(clause, "type"), "OrClause") != NULL, all = true, some = false, none = true;
    const json_t *criteria = json_object_get(clause, "criteria"), *clauses = json_object_get(clause, "clauses");
    size_t i;
    json_t *one;

    json_array_foreach(criteria, i, one) {
        bool fits = criterion_fits(body, one);

        all = all && fits, some = some || fits, none = false;
    }
    json_array_foreach(clauses, i, one) {
        bool fits = clause_fits(body, one);

        if (is_empty(one))
            continue;
        all = all && fits, some = some || fits, none = false;
    }
    return none || (is_or ? some : all);
}

static bool may_read(const json_t *body)
{
    const char *acl = text_of(json_object_get(body, "data"), "ACL");
    struct values t;

    if (strcmp(acl, "ruled") != 0)
        return strcmp(acl, "none") != 0;
    read_values(body, "T", &t);
    for (size_t i = 0; i < t.n; i++)
        if (strcmp(t.v[i].text, "yes") == 0)
            return true;
    return false;
}

static bool fits(const json_t *body, const json_t *request)
{
    size_t i;
    json_t *clause;

    json_array_foreach(json_object_get(request, "filterClauses"), i, clause)
        if (!clause_fits(body, clause))
            return false;
    return may_read(body);
}

/* ---- order ---- */

static const json_t *orders;

/* The newest first when all else is equal, if the first order is descending: rows were put in the order of their ids. */
static int compare_bodies(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    bool down = json_is_false(json_object_get(json_array_get(orders, 0), "ascending"));
    size_t i;
    json_t *o;
    int d;

    json_array_foreach(orders, i, o) {
        bool falls = json_is_false(json_object_get(o, "ascending"));
        struct values v, w;

        read_values(x, text_of(o, "name"), &v);
        read_values(y, text_of(o, "name"), &w);
        if (v.n == 0 || w.n == 0 || (v.is_number && !(v.v[0].has_number && w.v[0].has_number))) {
            bool no_v = v.n == 0 || (v.is_number && !v.v[0].has_number), no_w = w.n == 0 || (w.is_number && !w.v[0].has_number);

            if (no_v != no_w)
                return no_v ? 1 : -1;
            continue;
        }
        d = v.is_number ? (v.v[0].number > w.v[0].number) - (v.v[0].number < w.v[0].number) : strcmp(v.v[0].text, w.v[0].text);
        if (d != 0)
            return falls ? -d : d;
    }
    d = strcmp(text_of(x, "id"), text_of(y, "id"));
    return down ? -d : d;
}

json_t *naive_search(const json_t *bodies, const json_t *request)
{
    json_t **found = um_xcalloc(json_array_size(bodies) + 1, sizeof(*found)), *ids = json_array(), *body;
    json_t *initial = json_pack("[{s:s, s:b}]", "name", "lastUpdateDate", "ascending", 0);
    size_t n = 0, i;

    json_array_foreach(bodies, i, body)
        if (fits(body, request))
            found[n++] = body;
    orders = json_array_size(json_object_get(request, "orderClauses")) > 0 ? json_object_get(request, "orderClauses") : initial;
    qsort(found, n, sizeof(*found), compare_bodies);
    for (i = 0; i < n; i++)
        json_array_append(ids, json_object_get(found[i], "id"));
    json_decref(initial);
    free(found);
    return ids;
}

json_t *naive_facet(const json_t *bodies, const json_t *request)
{
    const char *field = text_of(json_object_get(request, "aggregation"), "field");
    json_t *counts = json_object(), *body;
    size_t i;

    json_array_foreach(bodies, i, body) {
        struct values v;

        if (!fits(body, request))
            continue;
        read_values(body, field, &v);
        for (size_t k = 0; k < v.n; k++) {
            bool again = false;

            for (size_t e = 0; e < k; e++)
                again |= strcmp(v.v[e].text, v.v[k].text) == 0;
            if (!again)
                json_object_set_new(counts, v.v[k].text, json_integer(json_integer_value(json_object_get(counts, v.v[k].text)) + 1));
        }
    }
    return counts;
}
