/* One .properties file: its documents (`#---`) become sources.
 *
 * Text that is UTF-8 throughout is read as such, anything else as ISO-8859-1; one leading byte order mark is skipped. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "conf_int.h"
#include "properties.h"

struct document {                     /* the file that is being read */
    struct um_conf *c;
    size_t *at;
    const struct file_want *want;
    const char *dir;
    struct source *source;
};

static um_err begin(struct document *d)
{
    d->source = source_new(SOURCE_FILE, d->want->path);
    d->source->dir = d->dir;
    d->source->of_profile = d->want->of_profile;
    return files_insert(d->c, d->at, d->source) ? UM_OK : UM_ELIMIT;
}

static um_err on_separator(void *arg, int line)
{
    struct document *d = arg;

    (void)line;
    return d->source->n == 0 ? UM_OK : begin(d);
}

static um_err on_entry(void *arg, const struct properties_entry *e)
{
    struct document *d = arg;
    struct um_conf *c = d->c;

    if (memchr(e->key.data, '\0', e->key.len) != NULL || memchr(e->value.data, '\0', e->value.len) != NULL) {
        note_at(c, UM_CONF_NOTE_ERROR, d->want->path, e->line, e->column, "NUL character");
        return UM_OK;
    }
    char *key = strndup((const char *)e->key.data, e->key.len);
    char *value = strndup((const char *)e->value.data, e->value.len);
    if (key != NULL && value != NULL)
        source_add(c, d->source, key, value, d->want->path, e->line, e->column);
    um_err err = key != NULL && value != NULL ? UM_OK : UM_ENOMEM;
    free(key);
    free(value);
    return err;
}

static void from_latin1(struct um_buf *text)
{
    struct um_buf out = { 0 };

    for (size_t i = 0; i < text->len; i++) {
        uint8_t b = text->data[i];
        if (b >= 0x80)
            um_buf_put_u8(&out, (uint8_t)(0xc0 | b >> 6));
        um_buf_put_u8(&out, b < 0x80 ? b : (uint8_t)(0x80 | (b & 0x3f)));
    }
    um_buf_free(text);
    *text = out;
}

static um_err parse(struct document *d, struct um_buf *text)
{
    const struct properties_sink sink = { .entry = on_entry, .separator = on_separator, .arg = d, .lists = true };
    struct properties_error error = { 0 };
    size_t skip = 0;

    if (!um_utf8_is_valid(text->data, text->len)) {
        from_latin1(text);
        note_at(d->c, UM_CONF_NOTE_INFO, d->want->path, 0, 0, "not UTF-8, read as ISO-8859-1");
    } else if (text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0) {
        skip = 3;
    }
    if (text->failed)
        return UM_ENOMEM;
    um_err err = begin(d);
    if (err == UM_OK && text->len > skip)
        err = properties_read(UM_SPAN(text->data + skip, text->len - skip), &sink, &error);
    if (error.reason != NULL)
        note_at(d->c, UM_CONF_NOTE_ERROR, d->want->path, error.line, error.column, "%s", error.reason);
    return err;
}

/* Says once for each file what keeps it from being read. */
static void note_unread(struct um_conf *c, const struct file_want *want, um_err err)
{
    const char *why = err == UM_ELIMIT ? "larger than 1MB" : err == UM_EIO ? strerrordesc_np(errno) : um_err_text(err);

    if (want->by != NULL)
        note(c, UM_CONF_NOTE_ERROR, want->by, "%s: %s", want->path, why);
    else
        note_at(c, UM_CONF_NOTE_ERROR, want->path, 0, 0, "%s", why);
}

static bool was_loaded(struct um_conf *c, const char *path)
{
    char *real = realpath(path, NULL);
    bool before = real != NULL && um_map_put(&c->loaded, UM_SPAN_STR(real), c) != NULL;

    free(real);
    return before;
}

void document_load(struct um_conf *c, size_t *at, const struct file_want *want)
{
    struct document d = { .c = c, .at = at, .want = want };
    const char *slash = strrchr(want->path, '/'), *path = path_full(c, want->path);
    struct um_buf text = { 0 };
    um_err err;

    d.dir = slash != NULL ? pool_str(&c->pool, want->path, (size_t)(slash + 1 - want->path)) : "";
    if (was_loaded(c, path))
        return;
    err = slurp(path, PROPERTIES_MAX_FILE, &text);
    if (err == UM_OK) {
        if (parse(&d, &text) == UM_ENOMEM)
            note_unread(c, want, UM_ENOMEM);
    } else if (err != UM_ENOTFOUND || !want->optional) {
        note_unread(c, want, err);
    }
    um_buf_free(&text);
}
