/* .properties with placeholders: the first byte chooses what is done with the rest.
 *   even  the reader alone; whatever it reads must be the same after writing and reading it again
 *   odd   the values of the text refer to each other (expansion, bounded in depth and size), and to conversions */
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include "name.h"
#include "placeholder.h"
#include "properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* Expansions of up to 1 MB, freed by the thousand, would fill the default quarantine of 256 MB. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=32";
}

#define MAX_ENTRIES 256

struct seen {
    char *keys[MAX_ENTRIES], *values[MAX_ENTRIES];
    size_t n;
};

static char *copy(struct um_span s)
{
    char *p = um_xmalloc(s.len + 1);
    memcpy(p, s.data, s.len);
    p[s.len] = '\0';
    return p;
}

static um_err take(void *arg, const struct properties_entry *e)
{
    struct seen *s = arg;

    UM_ASSERT(e->line >= e->key_line && e->column >= 1);
    if (s->n == MAX_ENTRIES)
        return UM_ELIMIT;
    s->keys[s->n] = copy(e->key);
    s->values[s->n++] = copy(e->value);
    return UM_OK;
}

static um_err take_separator(void *arg, int line)
{
    (void)arg;
    UM_ASSERT(line >= 1);
    return UM_OK;
}

static um_err read_all(struct seen *s, const void *data, size_t size, bool spring)
{
    const struct properties_sink sink = { .entry = take, .separator = spring ? take_separator : NULL, .arg = s, .lists = spring };
    struct properties_error error;
    return properties_read(UM_SPAN(data, size), &sink, &error);
}

static void drop(struct seen *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->keys[i]);
        free(s->values[i]);
    }
    free(s);
}

static void write_and_read_again(const struct seen *s)
{
    struct seen *again = um_xcalloc(1, sizeof(*again));
    struct um_buf b = { 0 };

    for (size_t i = 0; i < s->n; i++) {
        properties_write_key(&b, s->keys[i]);
        um_buf_puts(&b, "=");
        properties_write_value(&b, s->values[i]);
        um_buf_puts(&b, "\n");
    }
    um_err err = read_all(again, um_buf_cstr(&b), b.len, false);
    if (err != UM_ELIMIT) {                       /* escapes make a line longer */
        UM_ASSERT(err == UM_OK && again->n == s->n);
        for (size_t i = 0; i < s->n; i++)
            UM_ASSERT(strcmp(again->keys[i], s->keys[i]) == 0 && strcmp(again->values[i], s->values[i]) == 0);
    }
    um_buf_free(&b);
    drop(again);
}

/* Values as they stand, so that one expansion meets many names. */
static enum placeholder_found find(void *arg, const char *name, unsigned level, struct placeholder_value *value)
{
    struct seen *s = arg;

    UM_ASSERT(level >= 1 && level <= PLACEHOLDER_MAX_DEPTH + 1);
    for (size_t i = 0; i < s->n; i++)
        if (name_equal(s->keys[i], name)) {
            value->text = s->values[i];
            value->depth = (unsigned)(i % 4);
            return PLACEHOLDER_FOUND;
        }
    return PLACEHOLDER_ABSENT;
}

static void expand_and_convert(struct seen *s)
{
    for (size_t i = 0; i < s->n && i < 32; i++) {
        struct expansion x = { .find = find, .arg = s, .keep_absent = i % 2 == 1 };
        struct um_buf name = { 0 };
        int64_t v;
        if (placeholder_expand(&x, s->values[i]))
            UM_ASSERT(x.out.len <= PLACEHOLDER_MAX_SIZE && x.depth <= PLACEHOLDER_MAX_DEPTH);
        else
            UM_ASSERT(x.reason[0] != '\0');
        for (int type = UM_CONF_STR; type <= UM_CONF_LIST; type++) {
            bool ok = um_conf_parse(s->values[i], (enum um_conf_type)type, &v, NULL);
            UM_ASSERT(!ok || type != UM_CONF_STR);
        }
        um_buf_free(&x.out);
        name_canonical(&name, s->keys[i]);
        UM_ASSERT(name_equal(um_buf_cstr(&name), s->keys[i]));
        um_buf_free(&name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct seen *s = um_xcalloc(1, sizeof(*s));
    um_err err = read_all(s, data + 1, size - 1, (data[0] & 2) != 0);
    if ((data[0] & 1) == 0) {
        if (err == UM_OK && memchr(data + 1, '\0', size - 1) == NULL && memmem(data + 1, size - 1, "\\u0000", 6) == NULL)
            write_and_read_again(s);
    } else {
        expand_and_convert(s);
    }
    drop(s);
    return 0;
}
