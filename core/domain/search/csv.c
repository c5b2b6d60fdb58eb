#include <string.h>
#include <strings.h>
#include "search/csv.h"

static bool is_plain_number(const char *text)
{
    size_t n;

    text += *text == '-' || *text == '+';
    n = strspn(text, "0123456789");
    if (n > 0 && text[n] == '.')
        n += 1 + strspn(text + n + 1, "0123456789");
    return n > 0 && text[n] == '\0';
}

void csv_cell(struct um_buf *out, const char *text)
{
    bool is_formula = *text != '\0' && strchr("=+-@\t\r\n", *text) != NULL && !is_plain_number(text);

    if (!is_formula && text[strcspn(text, ",\"\r\n\t;'")] == '\0' && *text != ' ') {
        um_buf_puts(out, text);
        return;
    }
    um_buf_puts(out, is_formula ? "\"'" : "\"");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            um_buf_put_u8(out, '"');
        um_buf_put_u8(out, (uint8_t)*p);
    }
    um_buf_put_u8(out, '"');
}

/* ---- titles ---- */

static const char *title_of(const struct um_call *c, const char *field, const char *locale)
{
    const json_t *class = um_model_find(c->model, UM_KIND_TAG_CLASS, field), *names = json_object_get(class, "displayNames");
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name) {
        const char *language = json_string_value(json_object_get(name, "language")), *value = json_string_value(json_object_get(name, "value"));

        if (locale != NULL && language != NULL && value != NULL && strncasecmp(language, locale, 2) == 0)
            return value;
    }
    return field;
}

void csv_header(const struct um_call *c, struct um_buf *out, const json_t *fields, const char *locale)
{
    size_t i;
    json_t *field;

    json_array_foreach(fields, i, field) {
        if (i > 0)
            um_buf_put_u8(out, ',');
        csv_cell(out, title_of(c, json_string_value(field), locale));
    }
    um_buf_puts(out, "\r\n");
}

/* ---- rows ---- */

/* Fields of a row come in the order asked for, but those without a value do not come. */
static void add_row(struct um_buf *out, const json_t *fields, const json_t *row)
{
    size_t i, at = 0;
    json_t *field;

    json_array_foreach(fields, i, field) {
        const json_t *own = json_array_get(row, at);
        const char *name = json_string_value(json_object_get(own, "name"));

        if (i > 0)
            um_buf_put_u8(out, ',');
        if (name == NULL || strcmp(name, json_string_value(field)) != 0)
            continue;
        csv_cell(out, json_string_value(json_object_get(own, "value")));
        at++;
    }
    um_buf_puts(out, "\r\n");
}

void csv_rows(struct um_buf *out, const json_t *fields, const json_t *results)
{
    size_t i;
    json_t *row;

    json_array_foreach(results, i, row)
        add_row(out, fields, json_object_get(row, "fields"));
}
