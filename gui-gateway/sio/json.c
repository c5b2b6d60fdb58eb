/* See json.h. One descent over the bytes, as deep as SIO_JSON_DEPTH. An object is a placeholder when its last member `_placeholder` is
 * true, as JavaScript would see it; its number then has to be an integer below the count of attachments. */
#include "json.h"

#include <string.h>

enum { KEY_MAX = 16 };                    /* longer names are none of ours */

struct look {
    const uint8_t *p, *end;
    int n_att, depth;
    bool bad_attachment;
};
struct holder { bool is_one, num_is_right; };

static bool value(struct look *l);

static void skip_blanks(struct look *l)
{
    while (l->p < l->end && (*l->p == ' ' || *l->p == '\t' || *l->p == '\n' || *l->p == '\r'))
        l->p++;
}

static bool take(struct look *l, char c)
{
    if (l->p == l->end || *l->p != (uint8_t)c)
        return false;
    l->p++;
    return true;
}

static bool word(struct look *l, const char *w)
{
    size_t n = strlen(w);

    if ((size_t)(l->end - l->p) < n || memcmp(l->p, w, n) != 0)
        return false;
    l->p += n;
    return true;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind the backslash. The character, or -1; what is no ASCII is told as 255. */
static int escape(struct look *l)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at;
    int code = 0;

    if (l->p == l->end)
        return -1;
    if (*l->p != 'u') {
        at = *l->p != 0 ? strchr(from, *l->p) : NULL;
        l->p++;
        return at != NULL ? to[at - from] : -1;
    }
    if (l->end - l->p < 5)
        return -1;
    for (int i = 1; i <= 4; i++) {
        int digit = hex_digit(l->p[i]);

        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    l->p += 5;
    return code < 128 ? code : 255;
}

/* KEY (may be NULL) gets what it is, when that is short; "" otherwise. */
static bool string(struct look *l, char key[KEY_MAX])
{
    size_t n = 0;

    if (!take(l, '"'))
        return false;
    while (l->p < l->end) {
        int c = *l->p++;

        if (c == '"') {
            if (key != NULL)
                key[n < KEY_MAX ? n : 0] = '\0';
            return true;
        }
        if (c < 0x20 || (c == '\\' && (c = escape(l)) < 0))
            return false;
        if (key != NULL && n < KEY_MAX)
            key[n++] = (char)c;
    }
    return false;
}

static bool digits(struct look *l)
{
    const uint8_t *from = l->p;

    while (l->p < l->end && *l->p >= '0' && *l->p <= '9')
        l->p++;
    return l->p > from;
}

static bool number(struct look *l)
{
    (void)take(l, '-');
    if (!take(l, '0') && !digits(l))
        return false;
    if (take(l, '.') && !digits(l))
        return false;
    if (take(l, 'e') || take(l, 'E')) {
        if (!take(l, '+'))
            (void)take(l, '-');
        return digits(l);
    }
    return true;
}

static bool elements(struct look *l)
{
    skip_blanks(l);
    if (take(l, ']'))
        return true;
    do {
        skip_blanks(l);
        if (!value(l))
            return false;
        skip_blanks(l);
    } while (take(l, ','));
    return take(l, ']');
}

/* FROM .. l->p is the value of the member KEY. */
static void note_member(const struct look *l, const char *key, const uint8_t *from, struct holder *h)
{
    size_t n = (size_t)(l->p - from);
    int num = 0;

    if (strcmp(key, "_placeholder") == 0)
        h->is_one = n == 4 && memcmp(from, "true", 4) == 0;
    if (strcmp(key, "num") != 0)
        return;
    h->num_is_right = n >= 1 && n <= 4;
    for (size_t i = 0; i < n && h->num_is_right; i++) {
        h->num_is_right = from[i] >= '0' && from[i] <= '9';
        num = num * 10 + (from[i] - '0');
    }
    h->num_is_right &= num < l->n_att;
}

static bool members(struct look *l)
{
    struct holder h = { false, false };
    char key[KEY_MAX];

    skip_blanks(l);
    if (take(l, '}'))
        return true;
    do {
        const uint8_t *from;

        skip_blanks(l);
        if (!string(l, key))
            return false;
        skip_blanks(l);
        if (!take(l, ':'))
            return false;
        skip_blanks(l);
        from = l->p;
        if (!value(l))
            return false;
        note_member(l, key, from, &h);
        skip_blanks(l);
    } while (take(l, ','));
    if (l->n_att >= 0 && h.is_one && !h.num_is_right)
        l->bad_attachment = true;
    return take(l, '}');
}

static bool nested(struct look *l, bool (*body)(struct look *))
{
    bool ok;

    l->p++;
    if (l->depth == SIO_JSON_DEPTH)
        return false;
    l->depth++;
    ok = body(l);
    l->depth--;
    return ok;
}

static bool value(struct look *l)
{
    if (l->p == l->end)
        return false;
    switch (*l->p) {
    case '{': return nested(l, members);
    case '[': return nested(l, elements);
    case '"': return string(l, NULL);
    case 't': return word(l, "true");
    case 'f': return word(l, "false");
    case 'n': return word(l, "null");
    default:  return number(l);
    }
}

enum sio_json_err sio_json_look(struct um_span text, int n_att, struct sio_json *out)
{
    struct look l = { text.data, text.data + text.len, n_att, 0, false };
    const uint8_t *from;

    skip_blanks(&l);
    from = l.p;
    if (!value(&l))
        return SIO_JSON_BAD;
    out->value = UM_SPAN(from, (size_t)(l.p - from));
    out->kind = (*from >= '0' && *from <= '9') || *from == '-' ? '0' : (char)*from;
    skip_blanks(&l);
    if (l.p != l.end)
        return SIO_JSON_BAD;
    return l.bad_attachment ? SIO_JSON_ATTACHMENT : SIO_JSON_OK;
}
