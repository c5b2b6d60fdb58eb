/* Words: cutting text into tokens, and the difference of two blocks as parts. */
#include "inside.h"
#include <stdlib.h>
#include <string.h>

/* ---- tokens -------------------------------------------------------------------------------------------- */

enum sort { LETTER, BLANK, SIGN, IDEOGRAPH };

/* Ranges of code points beyond ASCII that are no letters of words. */
static const struct range {
    uint32_t from, to;
    enum sort sort;
} ranges[] = {
    { 0x80, 0x9f, SIGN }, { 0xa0, 0xa0, BLANK }, { 0xa1, 0xa9, SIGN }, { 0xab, 0xb1, SIGN }, { 0xbb, 0xbf, SIGN },
    { 0x2000, 0x200a, BLANK }, { 0x200b, 0x206f, SIGN }, { 0x20a0, 0x20cf, SIGN }, { 0x2190, 0x2bff, SIGN },
    { 0x2e80, 0x2fff, IDEOGRAPH }, { 0x3000, 0x3000, BLANK }, { 0x3001, 0x303f, SIGN }, { 0x3040, 0x9fff, IDEOGRAPH },
    { 0xf900, 0xfaff, IDEOGRAPH }, { 0xff00, 0xff0f, SIGN }, { 0xfffd, 0xfffd, SIGN }, { 0x1f000, 0x1faff, SIGN },
    { 0x20000, 0x3ffff, IDEOGRAPH },
};

static enum sort sort_of(uint32_t c)
{
    uint32_t lower = c | 0x20;

    if (c < 0x80)
        return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '_' ? LETTER
               : c == ' ' || (c >= '\t' && c <= '\r') ? BLANK : SIGN;
    for (size_t i = 0; i < UM_COUNT(ranges); i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return ranges[i].sort;
    return LETTER;
}

/* The code point at P of valid UTF-8; *LEN: its bytes. */
static uint32_t code_point(const uint8_t *p, uint32_t *len)
{
    uint32_t c = p[0];

    *len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (*len > 1)
        c &= 0x7fu >> *len;
    for (uint32_t i = 1; i < *len; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

static void token_add(struct history *h, struct side *s, struct token t)
{
    t.hash = hash_of(h, UM_SPAN(s->text.data + t.from, t.bytes)) + t.object;
    if (!list_room(&s->tokens, 1))
        fail(h, UM_ENOMEM);
    else
        s->tokens.v[s->tokens.n++] = t;
}

/* One token of the text that ends at END. */
static struct token token_read(const struct side *s, uint32_t from, uint32_t end)
{
    uint32_t at = from, len;
    enum sort sort = sort_of(code_point(s->text.data + at, &len));
    struct token t = { .from = from, .word = sort == LETTER || sort == IDEOGRAPH, .blank = sort == BLANK };

    for (at += len; at < end && (sort == LETTER || sort == BLANK); at += len)
        if (sort_of(code_point(s->text.data + at, &len)) != sort)
            break;
    t.bytes = at - from;
    return t;
}

void tokens_add(struct history *h, struct side *s, uint32_t first)
{
    for (uint32_t i = first, to; i < s->stretches.n && h->err == UM_OK; i = to) {
        const struct stretch *t = &s->stretches.v[i];
        uint32_t at = t->from, end, near = i;

        to = i + 1;
        if (t->object) {
            token_add(h, s, (struct token){ .from = t->from, .bytes = t->bytes, .stretch = i, .object = true });
            continue;
        }
        while (to < s->stretches.n && !s->stretches.v[to].object)
            to++;
        end = s->stretches.v[to - 1].from + s->stretches.v[to - 1].bytes;
        while (at < end && h->err == UM_OK) {
            struct token token = token_read(s, at, end);

            while (s->stretches.v[near].from + s->stretches.v[near].bytes <= at)
                near++;
            token.stretch = near;
            token_add(h, s, token);
            at += token.bytes;
        }
    }
}

/* ---- parts --------------------------------------------------------------------------------------------- */

enum op { OP_EQUAL, OP_INSERT, OP_DELETE, OP_FORMAT };
static const char *const op_names[] = { "equal", "insert", "delete", "format" };

struct parts {
    struct history *h;
    json_t *array;
    /* what is gathered: */
    enum op op;
    struct um_buf text;
    struct um_span marks, before;     /* before: of the old state, FORMAT only */
    uint64_t client;
};

static json_t *marks_json(struct um_span marks) { return marks.len > 0 ? parse_json(marks) : json_object(); }

/* What A has that B has not, or otherwise. */
static json_t *marks_beyond(struct history *h, const json_t *a, json_t *b)
{
    json_t *o = json_object(), *v;
    const char *key;

    json_object_foreach((json_t *)a, key, v)
        if (!json_equal(v, json_object_get(b, key)))
            put_json(h, o, key, json_incref(v));
    return o;
}

static void marks_put(struct parts *p, json_t *o)
{
    json_t *now, *before;

    if (p->op != OP_FORMAT) {
        if (p->marks.len > 0)
            put_json(p->h, o, "marks", marks_json(p->marks));
        return;
    }
    now = marks_json(p->marks);
    before = marks_json(p->before);
    put_json(p->h, o, "old", marks_beyond(p->h, before, now));
    put_json(p->h, o, "new", marks_beyond(p->h, now, before));
    p->h->totals.formats++;
    json_decref(now);
    json_decref(before);
}

/* A new part, but for its content; NULL: there is no room for LEN bytes more. */
static json_t *part_make(struct parts *p, size_t len)
{
    json_t *o = json_object();

    put_json(p->h, o, "op", json_string(op_names[p->op]));
    marks_put(p, o);
    if (p->op == OP_INSERT)
        put_by(p->h, o, p->client);
    if (p->h->text_shown + len > HISTORY_TEXT_BYTES || p->h->err != UM_OK) {
        p->h->truncated = true;
        json_decref(o);
        return NULL;
    }
    p->h->text_shown += len;
    return o;
}

static void part_end(struct parts *p)
{
    json_t *o;

    if (p->text.failed)
        fail(p->h, UM_ENOMEM);
    if (p->text.len > 0 && (o = part_make(p, p->text.len)) != NULL) {
        put_json(p->h, o, "text", text_json(UM_SPAN(p->text.data, p->text.len)));
        push_json(p->h, p->array, o);
    }
    um_buf_clear(&p->text);
}

static void part_be(struct parts *p, enum op op, struct um_span marks, struct um_span before, uint64_t client)
{
    if (p->op != op || !um_span_eq(p->marks, marks) || !um_span_eq(p->before, before) || p->client != client)
        part_end(p);
    p->op = op;
    p->marks = marks;
    p->before = before;
    p->client = client;
}

static void object_tell(struct parts *p, const struct side *s, const struct stretch *t)
{
    struct um_span json = UM_SPAN(s->text.data + t->from, t->bytes);
    json_t *o, *object = json_object();

    part_end(p);
    if ((o = part_make(p, t->bytes)) == NULL) {
        json_decref(object);
        return;
    }
    if (t->name.len > 0)
        put_json(p->h, object, "name", text_json(t->name));
    put_json(p->h, object, "json", parse_json(json));
    put_json(p->h, o, "object", object);
    push_json(p->h, p->array, o);
}

/* ---- counting ------------------------------------------------------------------------------------------ */

static uint32_t characters_of(const struct side *s, const struct token *t)
{
    uint32_t n = 0;

    if (t->object)
        return 1;
    for (uint32_t i = 0; i < t->bytes; i++)
        n += (s->text.data[t->from + i] & 0xc0) != 0x80;
    return n;
}

static void token_count(struct history *h, const struct side *s, const struct token *t, uint64_t client)
{
    struct user *u = s->is_new ? user_of(h, client) : NULL;
    uint32_t n = characters_of(s, t);

    h->totals.words[!s->is_new] += t->word;
    h->totals.characters[!s->is_new] += n;
    if (u != NULL) {
        u->words += t->word;
        u->characters += n;
    }
}

/* Who wrote the token's first new letter; else its first one. */
static uint64_t token_writer(const struct side *s, const struct token *t)
{
    for (uint32_t i = t->stretch; i < s->stretches.n && s->stretches.v[i].from < t->from + t->bytes; i++)
        if (s->stretches.v[i].fresh)
            return s->stretches.v[i].client;
    return s->stretches.v[t->stretch].client;
}

/* ---- one token ----------------------------------------------------------------------------------------- */

/* Inserted, deleted, or the same without a comparison of formats. */
static void token_tell(struct parts *p, enum op op, const struct side *s, const struct token *t)
{
    uint64_t client = op == OP_INSERT ? token_writer(s, t) : 0;
    uint32_t end = t->from + t->bytes;

    if (op != OP_EQUAL)
        token_count(p->h, s, t, client);
    for (uint32_t i = t->stretch, at = t->from; i < s->stretches.n && (at < end || t->object); i++) {
        const struct stretch *x = &s->stretches.v[i];
        uint32_t to = UM_MIN(end, x->from + x->bytes);

        part_be(p, op, marks_of(s, x), UM_SPAN(NULL, 0), client);
        if (t->object) {
            object_tell(p, s, x);
            return;
        }
        um_buf_put(&p->text, s->text.data + at, to - at);
        at = to;
    }
}

/* In both: stretches of equal formats on either side. */
static void pair_tell(struct parts *p, const struct side *old, const struct token *a, const struct side *new, const struct token *b)
{
    uint32_t i = a->stretch, j = b->stretch;

    for (uint32_t done = 0; done < b->bytes || b->object;) {
        const struct stretch *x = &old->stretches.v[i], *y = &new->stretches.v[j];
        uint32_t left = x->from + x->bytes - (a->from + done), right = y->from + y->bytes - (b->from + done);
        uint32_t n = UM_MIN(UM_MIN(left, right), b->bytes - done);
        bool same = um_span_eq(marks_of(old, x), marks_of(new, y));

        part_be(p, same ? OP_EQUAL : OP_FORMAT, marks_of(new, y), same ? UM_SPAN(NULL, 0) : marks_of(old, x), 0);
        if (b->object) {
            object_tell(p, new, y);
            return;
        }
        um_buf_put(&p->text, new->text.data + b->from + done, n);
        done += n;
        i += n == left;
        j += n == right;
    }
}

/* ---- two blocks ---------------------------------------------------------------------------------------- */

struct aligned {
    uint64_t *x, *y;
    uint32_t *match;
    uint32_t n, m;
};

/* Blanks that are the same between words that are not would only cut what changed into pieces. */
static void lonely_blanks_drop(struct aligned *w, const struct token *tokens)
{
    for (uint32_t i = 1; i + 1 < w->n; i++)
        if (w->match[i] != UM_ALIGN_NONE && tokens[i].blank && w->match[i - 1] == UM_ALIGN_NONE &&
            w->match[i + 1] == UM_ALIGN_NONE && w->match[i] > 0 && w->match[i] + 1 < w->m)
            w->match[i] = UM_ALIGN_NONE;
}

static bool words_align(struct history *h, struct aligned *w, const struct token *a, const struct token *b)
{
    struct um_align al = { .max_edits = HISTORY_WORD_EDITS, .steps = h->steps };

    w->x = malloc(((size_t)w->n + 1) * sizeof(*w->x));
    w->y = malloc(((size_t)w->m + 1) * sizeof(*w->y));
    w->match = malloc(((size_t)w->n + 1) * sizeof(*w->match));
    if (w->x == NULL || w->y == NULL || w->match == NULL) {
        fail(h, UM_ENOMEM);
        return false;
    }
    for (uint32_t i = 0; i < w->n; i++)
        w->x[i] = a[i].hash;
    for (uint32_t i = 0; i < w->m; i++)
        w->y[i] = b[i].hash;
    fail(h, um_align(&al, w->x, w->n, w->y, w->m, w->match));
    h->steps = al.steps;
    if (!al.coarse && h->err == UM_OK)
        lonely_blanks_drop(w, a);
    return !al.coarse && h->err == UM_OK;
}

static void side_tell(struct parts *p, enum op op, const struct side *s, const struct block *b)
{
    for (uint32_t i = b->from; i < b->to && p->h->err == UM_OK; i++)
        token_tell(p, op, s, &s->tokens.v[i]);
}

static void words_tell(struct parts *p, const struct aligned *w, const struct side *old, const struct token *a,
                       const struct side *new, const struct token *b)
{
    uint32_t i = 0, j = 0;

    while ((i < w->n || j < w->m) && p->h->err == UM_OK) {
        if (i < w->n && w->match[i] == UM_ALIGN_NONE)
            token_tell(p, OP_DELETE, old, &a[i++]);
        else if (i == w->n || w->match[i] > j)
            token_tell(p, OP_INSERT, new, &b[j++]);
        else
            pair_tell(p, old, &a[i++], new, &b[j++]);
    }
}

json_t *parts_make(struct history *h, const struct side *old, const struct block *a, const struct side *new,
                   const struct block *b, bool *coarse)
{
    struct parts p = { .h = h, .array = json_array() };
    struct aligned w = { 0 };

    if (a != NULL && b != NULL) {
        const struct token *x = old->tokens.n > 0 ? &old->tokens.v[a->from] : NULL;
        const struct token *y = new->tokens.n > 0 ? &new->tokens.v[b->from] : NULL;

        w.n = a->to - a->from;
        w.m = b->to - b->from;
        if (words_align(h, &w, x, y))
            words_tell(&p, &w, old, x, new, y);
        else
            *coarse = true;
    }
    if (a != NULL && (b == NULL || *coarse))
        side_tell(&p, OP_DELETE, old, a);
    if (b != NULL && (a == NULL || *coarse))
        side_tell(&p, OP_INSERT, new, b);
    part_end(&p);
    um_buf_free(&p.text);
    free(w.x);
    free(w.y);
    free(w.match);
    return p.array;
}
