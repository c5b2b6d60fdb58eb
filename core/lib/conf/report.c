/* Notes: what was wrong or doubtful, with its place. */
#include <stdlib.h>
#include <string.h>
#include "conf_int.h"
#include "convert.h"

#define SHOWN_MAX     120u            /* bytes of a value in a note */
#define UNKNOWN_MAX   100u            /* unknown keys that are told one by one */

/* ---- values for people ---- */

static const char *const secret_ends[] = { "password", "passphrase", "secret", "token", "key", "credentials" };

bool entry_is_secret(const struct entry *e)
{
    size_t n = e->name != NULL ? strlen(e->name) : 0;

    if (e->known != NULL)
        return (e->known->key->flags & UM_CONF_SECRET) != 0;
    for (size_t i = 0; i < UM_COUNT(secret_ends); i++) {
        size_t m = strlen(secret_ends[i]);
        if (n >= m && strcmp(e->name + n - m, secret_ends[i]) == 0)
            return true;
    }
    return false;
}

/* Length of a password that begins at P, the `://` being just before: user:password@host. */
static size_t url_password(const char *p, const char **from)
{
    size_t authority = strcspn(p, "/?# ,");
    const char *at = memrchr(p, '@', authority), *colon = at != NULL ? memchr(p, ':', (size_t)(at - p)) : NULL;

    if (colon == NULL)
        return 0;
    *from = colon + 1;
    return (size_t)(at - colon - 1);
}

/* Length of a password that begins at P, where a parameter's value does: ?password=..., &sslpassword=... */
static size_t query_password(const char *value, const char *p, const char **from)
{
    const char *name = p - strlen("password=");

    *from = p;
    name -= name > value + 3 && strncmp(name - 3, "ssl", 3) == 0 ? 3 : 0;
    return name > value && (name[-1] == '?' || name[-1] == '&') ? strcspn(p, "&# ,") : 0;
}

static void put_shown(struct um_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char b = (unsigned char)p[i];
        if (b == '\n')
            um_buf_puts(out, "\\n");
        else if (b == '\t')
            um_buf_puts(out, "\\t");
        else if (b == '\r')
            um_buf_puts(out, "\\r");
        else if (b < 0x20 || b == 0x7f)
            um_buf_printf(out, "\\u%04x", b);
        else
            um_buf_put_u8(out, b);
    }
}

void show_value(struct um_buf *out, const char *value, bool secret, size_t max)
{
    const char *p = value;
    size_t n = strlen(value), cut = n;

    if (secret) {
        um_buf_puts(out, n > 0 ? "******" : "");
        return;
    }
    if (n > max)
        for (cut = max; cut > 0 && ((unsigned char)value[cut] & 0xc0) == 0x80; cut--)
            ;
    for (;;) {
        const char *url = strstr(p, "://"), *query = strstr(p, "password="), *password = NULL;
        bool is_url = query == NULL || (url != NULL && url < query);
        const char *sign = is_url ? url : query, *behind;
        size_t len;

        if (sign == NULL || sign >= value + cut)
            break;
        behind = sign + (is_url ? strlen("://") : strlen("password="));
        len = is_url ? url_password(behind, &password) : query_password(value, behind, &password);
        const char *stop = len > 0 ? password : behind;
        put_shown(out, p, (size_t)(stop - p));
        if (len > 0)
            um_buf_puts(out, "******");
        p = stop + len;
    }
    if (p < value + cut)
        put_shown(out, p, (size_t)(value + cut - p));
    if (cut < n)
        um_buf_puts(out, "...");
}

/* ---- notes ---- */

static void add_note(struct um_conf *c, struct um_conf_note new)
{
    c->n_errors += new.level == UM_CONF_NOTE_ERROR;
    if (c->n_notes == CONF_MAX_NOTES)
        return;
    if (c->n_notes == c->cap_notes) {
        c->cap_notes = c->cap_notes != 0 ? 2 * c->cap_notes : 16;
        c->notes = um_xrealloc(c->notes, c->cap_notes * sizeof(*c->notes));
    }
    if (c->n_notes + 1 == CONF_MAX_NOTES)
        new = (struct um_conf_note){ .level = new.level, .reason = "and more: this report is full" };
    c->notes[c->n_notes++] = new;
}

static char *UM_PRINTF(2, 0) format(struct um_conf *c, const char *fmt, va_list ap)
{
    char *text = NULL;
    struct um_buf b = { 0 };

    UM_ASSERT(vasprintf(&text, fmt, ap) >= 0);
    put_shown(&b, text, strlen(text));
    char *s = pool_str(&c->pool, b.data, b.len);
    um_buf_free(&b);
    free(text);
    return s;
}

static char *shown(struct um_conf *c, const char *text, bool secret)
{
    struct um_buf b = { 0 };

    show_value(&b, text, secret, SHOWN_MAX);
    char *s = pool_str(&c->pool, b.data, b.len);
    um_buf_free(&b);
    return s;
}

void note(struct um_conf *c, enum um_conf_level level, const struct entry *e, const char *fmt, ...)
{
    struct um_conf_note n = { .level = level };
    va_list ap;

    if (e != NULL) {
        n.key = shown(c, e->spelled, false);
        n.value = shown(c, e->value, entry_is_secret(e));
        n.origin = e->origin;
        n.line = e->line;
        n.column = e->column;
    }
    va_start(ap, fmt);
    n.reason = format(c, fmt, ap);
    va_end(ap);
    add_note(c, n);
}

void note_at(struct um_conf *c, enum um_conf_level level, const char *origin, int line, int column,
             const char *fmt, ...)
{
    struct um_conf_note n = { .level = level, .origin = origin, .line = line, .column = column };
    va_list ap;

    va_start(ap, fmt);
    n.reason = format(c, fmt, ap);
    va_end(ap);
    add_note(c, n);
}

size_t um_conf_notes(const struct um_conf *conf, const struct um_conf_note **notes)
{
    *notes = conf->notes;
    return conf->n_notes;
}

void um_conf_report(const struct um_conf *conf, FILE *f)
{
    static const char *const names[] = { "INFO", "WARN", "ERROR" };

    for (size_t i = 0; i < conf->n_notes; i++) {
        const struct um_conf_note *n = &conf->notes[i];
        fprintf(f, "%-5s ", names[n->level]);
        if (n->origin != NULL)
            fprintf(f, "%s", n->origin);
        if (n->line > 0)
            fprintf(f, ":%d:%d", n->line, n->column);
        if (n->origin != NULL)
            fputs(": ", f);
        if (n->key != NULL)
            fprintf(f, "%s=%s: ", n->key, n->value != NULL ? n->value : "");
        fprintf(f, "%s\n", n->reason);
    }
}

/* ---- unknown keys ---- */

/* A key that is neither ours nor close to one belongs to somebody else who shares the file. */
static void judge_unknown(struct um_conf *c, const struct entry *e)
{
    size_t n = strlen(e->name);
    bool ours = known_is_ours(c, e->name);
    const char *near = ours || n >= 8 ? known_nearest(c, e->name, ours ? UM_MAX(n / 4, 2u) : 2) : NULL;

    if (!ours && near == NULL)
        return;
    if (++c->n_unknown > UNKNOWN_MAX)
        return;
    if (near != NULL)
        note(c, UM_CONF_NOTE_WARN, e, "unknown key; did you mean %s?", near);
    else
        note(c, UM_CONF_NOTE_WARN, e, "unknown key");
}

static void judge_source(struct um_conf *c, const struct source *s)
{
    for (size_t i = 0; s->active && i < s->n; i++)
        if (s->entries[i]->known == NULL && c->n_unknown <= UNKNOWN_MAX)
            judge_unknown(c, s->entries[i]);
}

void report_unknown(struct um_conf *c)
{
    for (size_t i = 0; i < c->n_files; i++)
        judge_source(c, c->files[i]);
    judge_source(c, c->json);
    judge_source(c, c->args);
    if (c->n_unknown > UNKNOWN_MAX)
        note(c, UM_CONF_NOTE_WARN, NULL, "more unknown keys follow");
}
