#include "show.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <umbel/bytes.h>
#include <umbel/util.h>

enum { COLUMNS_MAX = 14, ROWS_LOOKED_AT = 200, CELL_MAX = 60 };

int show_width(void)
{
    struct winsize w;

    if (!isatty(STDOUT_FILENO))
        return 0;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20 ? w.ws_col : 80;
}

/* ---- cells ---- */

/* {"code": …, "message": …}: shown as one sentence. */
static bool is_error(const json_t *v) { return json_is_string(json_object_get(v, "code")) && json_is_string(json_object_get(v, "message")); }

static bool is_plain(const json_t *v)
{
    size_t i;
    json_t *item;

    if (is_error(v))
        return true;

    if (!json_is_array(v))
        return !json_is_object(v);
    json_array_foreach(v, i, item)
        if (json_is_object(item) || json_is_array(item))
            return false;
    return json_array_size(v) > 0;           /* an empty one tells nothing of what it would hold */
}

static void put_text(struct um_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        um_buf_put_u8(out, (unsigned char)*text < 0x20 || *text == 0x7f ? '.' : (uint8_t)*text);
}

static void put_cell(struct um_buf *out, const json_t *v)
{
    char *text;
    size_t i;
    json_t *item;

    if (v == NULL || json_is_null(v))
        return;
    if (json_is_string(v)) {
        put_text(out, json_string_value(v));
    } else if (is_error(v)) {
        put_text(out, json_string_value(json_object_get(v, "code")));
        um_buf_puts(out, " ");
        put_text(out, json_string_value(json_object_get(v, "message")));
    } else if (json_is_array(v) && is_plain(v)) {
        json_array_foreach(v, i, item) {
            um_buf_puts(out, i > 0 ? "," : "");
            put_cell(out, item);
        }
    } else {
        text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
        put_text(out, text != NULL ? text : "?");
        free(text);
    }
}

/* Characters, as a terminal counts them near enough. */
static int length_of(const char *s)
{
    int n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void put_padded(const char *s, int width, bool is_last, FILE *f)
{
    int n = length_of(s);

    if (n > width) {
        for (int left = width - 1; left > 0 && *s != '\0'; s++) {
            fputc(*s, f);
            left -= ((unsigned char)s[1] & 0xc0) != 0x80;
        }
        fputs("…", f);
    } else {
        fputs(s, f);
        for (; n < width && !is_last; n++)
            fputc(' ', f);
    }
    fputs(is_last ? "\n" : "  ", f);
}

/* ---- tables ---- */

struct column { const char *name; int width; };
struct table { struct column columns[COLUMNS_MAX]; size_t n; };

static struct column *column_of(struct table *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    if (t->n == COLUMNS_MAX)
        return NULL;
    t->columns[t->n] = (struct column){ name, length_of(name) };
    return &t->columns[t->n++];
}

/* Of objects of the platform, what the platform keeps of them is shown as their own. */
static const json_t *value_of(const json_t *row, const char *name)
{
    const json_t *v = json_object_get(row, name);

    return v != NULL ? v : json_object_get(json_object_get(row, "data"), name);
}

static void look_at(struct table *t, const json_t *row)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)row, name, v) {
        if (strcmp(name, "data") == 0 && json_is_object(v))
            look_at(t, v);
        struct column *c = is_plain(v) ? column_of(t, name) : NULL;
        struct um_buf cell = { 0 };

        if (c == NULL)
            continue;
        put_cell(&cell, v);
        c->width = UM_MIN(UM_MAX(c->width, length_of(um_buf_cstr(&cell))), CELL_MAX);
        um_buf_free(&cell);
    }
}

/* The widest give until all fit. */
static void squeeze(struct table *t, int width)
{
    for (;;) {
        int whole = 0;
        size_t widest = 0;

        for (size_t i = 0; i < t->n; i++) {
            whole += t->columns[i].width + 2;
            widest = t->columns[i].width > t->columns[widest].width ? i : widest;
        }
        if (width == 0 || whole - 2 <= width || t->n == 0 || t->columns[widest].width <= 8)
            return;
        t->columns[widest].width--;
    }
}

static void show_rows(const json_t *rows, int width, FILE *f)
{
    struct table t = { 0 };
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
        if (i < ROWS_LOOKED_AT)
            look_at(&t, row);
    squeeze(&t, width);
    for (size_t k = 0; k < t.n; k++)
        put_padded(t.columns[k].name, t.columns[k].width, k + 1 == t.n, f);
    json_array_foreach(rows, i, row)
        for (size_t k = 0; k < t.n; k++) {
            struct um_buf cell = { 0 };

            put_cell(&cell, value_of(row, t.columns[k].name));
            put_padded(um_buf_cstr(&cell), width == 0 ? UM_MAX(t.columns[k].width, length_of(um_buf_cstr(&cell))) : t.columns[k].width,
                       k + 1 == t.n, f);
            um_buf_free(&cell);
        }
}

static bool is_rows(const json_t *v)
{
    return json_is_array(v) && json_array_size(v) > 0 && json_is_object(json_array_get(v, 0));
}

/* ---- objects ---- */

static void show_object(const json_t *o, int width, FILE *f)
{
    const char *name;
    int widest = 0;
    json_t *v;

    json_object_foreach((json_t *)o, name, v)
        widest = UM_MAX(widest, length_of(name));
    json_object_foreach((json_t *)o, name, v) {
        struct um_buf cell = { 0 };

        if (is_rows(v))
            continue;
        put_cell(&cell, v);
        put_padded(name, widest, false, f);
        put_padded(um_buf_cstr(&cell), width == 0 ? length_of(um_buf_cstr(&cell)) : UM_MAX(width - widest - 2, 8), true, f);
        um_buf_free(&cell);
    }
    json_object_foreach((json_t *)o, name, v)
        if (is_rows(v)) {
            fprintf(f, "\n%s\n", name);
            show_rows(v, width, f);
        }
}

void show(const json_t *answer, int width, FILE *f)
{
    struct um_buf cell = { 0 };

    if (is_rows(answer)) {
        show_rows(answer, width, f);
    } else if (json_is_object(answer)) {
        show_object(answer, width, f);
    } else {
        put_cell(&cell, answer);
        fprintf(f, "%s\n", um_buf_cstr(&cell));
    }
    um_buf_free(&cell);
}
