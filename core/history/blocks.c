/* Blocks against blocks: equal ones by alignment; between them changed ones are found by how many words they have in
 * common; the rest is removed and added. */
#include "inside.h"
#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 4096u               /* of blocks at one place that are looked at one by one */
#define ALIKE_MIN 30u                 /* per cent of words in common */
#define CONTEXT_CHARACTERS 80u
#define WITHIN_MAX 16u

struct compare {
    struct history *h;
    struct side a, b;
    LIST(uint32_t) match;             /* of each of A */
    LIST(uint64_t) x, y;              /* scratch of hashes */
    json_t *array;
    bool changed;
    uint32_t equal_from, equal_n;     /* a run of equal blocks of B that is not told yet */
};

/* ---- partners ------------------------------------------------------------------------------------------ */

static bool hashes_make(struct compare *c, bool kinds, uint32_t a, uint32_t a_end, uint32_t b, uint32_t b_end)
{
    if (!list_room(&c->x, a_end - a + 1) || !list_room(&c->y, b_end - b + 1)) {
        fail(c->h, UM_ENOMEM);
        return false;
    }
    for (uint32_t i = a; i < a_end; i++)
        c->x.v[i - a] = kinds ? c->a.blocks.v[i].kind : c->a.blocks.v[i].hash;
    for (uint32_t i = b; i < b_end; i++)
        c->y.v[i - b] = kinds ? c->b.blocks.v[i].kind : c->b.blocks.v[i].hash;
    return true;
}

static void align_into(struct compare *c, uint32_t n, uint32_t m, uint32_t *match)
{
    struct um_align al = { .max_edits = HISTORY_BLOCK_EDITS, .steps = c->h->steps };

    fail(c->h, um_align(&al, c->x.v, n, c->y.v, m, match));
    c->h->steps = al.steps;
}

static int hash_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint32_t words_sorted(const struct side *s, const struct block *b, uint64_t *out)
{
    uint32_t n = 0;

    for (uint32_t i = b->from; i < b->to; i++)
        if (!s->tokens.v[i].blank)
            out[n++] = s->tokens.v[i].hash;
    if (n > 0)
        qsort(out, n, sizeof(*out), hash_order);
    return n;
}

/* Per cent of the words of both that both have; two without words are alike. */
static uint32_t alike(struct compare *c, const struct block *a, const struct block *b)
{
    uint32_t n, m, both = 0;

    if (c->h->steps == 0)
        return 0;
    if (!list_room(&c->x, a->to - a->from + 1) || !list_room(&c->y, b->to - b->from + 1)) {
        fail(c->h, UM_ENOMEM);
        return 0;
    }
    n = words_sorted(&c->a, a, c->x.v);
    m = words_sorted(&c->b, b, c->y.v);
    c->h->steps -= UM_MIN(c->h->steps, (uint64_t)n + m);
    for (uint32_t i = 0, j = 0; i < n && j < m;) {
        uint64_t x = c->x.v[i], y = c->y.v[j];

        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    return n + m == 0 ? 100 : (uint32_t)(200ull * both / ((uint64_t)n + m));
}

/* The pairs of A[0..n) and B[0..m) in order whose likenesses add up to most: a table of sums. */
static void pairs_find(struct compare *c, uint32_t a, uint32_t n, uint32_t b, uint32_t m)
{
    uint32_t *best = calloc(((size_t)n + 1) * (m + 1), sizeof(*best)), *like = calloc((size_t)n * m, sizeof(*like));
    uint32_t i = n, j = m, w = m + 1;

    if (best == NULL || like == NULL)
        fail(c->h, UM_ENOMEM);
    for (uint32_t x = 0; x < n && c->h->err == UM_OK; x++)
        for (uint32_t y = 0; y < m && c->h->err == UM_OK; y++) {
            const struct block *p = &c->a.blocks.v[a + x], *q = &c->b.blocks.v[b + y];
            uint32_t v = n == 1 && m == 1 ? 100 : alike(c, p, q);
            uint32_t skip = UM_MAX(best[x * w + y + 1], best[(x + 1) * w + y]);

            like[x * m + y] = v >= ALIKE_MIN ? v + (p->kind == q->kind) : 0;
            best[(x + 1) * w + y + 1] = UM_MAX(skip, like[x * m + y] > 0 ? best[x * w + y] + like[x * m + y] : 0);
        }
    while (i > 0 && j > 0 && c->h->err == UM_OK) {
        uint32_t v = like[(i - 1) * m + j - 1], here = best[i * w + j];

        if (v > 0 && here == best[(i - 1) * w + j - 1] + v)
            c->match.v[a + --i] = b + --j;
        else if (here == best[(i - 1) * w + j])
            i--;
        else
            j--;
    }
    free(best);
    free(like);
}

/* Too many to look at: those of one kind, in order. */
static void pairs_guess(struct compare *c, uint32_t a, uint32_t n, uint32_t b, uint32_t m)
{
    uint32_t *match = calloc(n, sizeof(*match));

    if (match == NULL)
        fail(c->h, UM_ENOMEM);
    else if (hashes_make(c, true, a, a + n, b, b + m))
        align_into(c, n, m, match);
    for (uint32_t i = 0; i < n && c->h->err == UM_OK; i++)
        if (match[i] != UM_ALIGN_NONE)
            c->match.v[a + i] = b + match[i];
    free(match);
}

static void partners_find(struct compare *c)
{
    uint32_t n = c->a.blocks.n, m = c->b.blocks.n;

    if (!list_room(&c->match, n + 1)) {
        fail(c->h, UM_ENOMEM);
        return;
    }
    if (!hashes_make(c, false, 0, n, 0, m))
        return;
    align_into(c, n, m, c->match.v);
    for (uint32_t i = 0, j = 0; i < n && c->h->err == UM_OK;) {
        uint32_t to = i, end;

        while (to < n && c->match.v[to] == UM_ALIGN_NONE)
            to++;
        end = to < n ? c->match.v[to] : m;
        if (to > i && end > j && (uint64_t)(to - i) * (end - j) <= PAIRS_MAX && c->h->steps > 0)
            pairs_find(c, i, to - i, j, end - j);
        else if (to > i && end > j)
            pairs_guess(c, i, to - i, j, end - j);
        i = to + 1;
        j = end + 1;
    }
}

/* ---- telling ------------------------------------------------------------------------------------------- */

/* The beginning of a block's text. */
static json_t *context_json(const struct side *s, const struct block *b)
{
    struct um_buf text = { 0 };
    uint32_t characters = 0;
    json_t *v;

    for (uint32_t i = b->from; i < b->to && characters < CONTEXT_CHARACTERS; i++) {
        const struct token *t = &s->tokens.v[i];
        uint32_t at = 0;

        for (; !t->object && at < t->bytes; at++)
            if ((s->text.data[t->from + at] & 0xc0) != 0x80 && characters++ >= CONTEXT_CHARACTERS)
                break;
        um_buf_put(&text, s->text.data + t->from, at);
    }
    v = text.failed ? NULL : text_json(UM_SPAN(text.data, text.len));
    um_buf_free(&text);
    return v;
}

static bool block_shows(struct compare *c)
{
    if (c->h->blocks_shown >= HISTORY_BLOCKS_SHOWN) {
        c->h->truncated = true;
        return false;
    }
    c->h->blocks_shown++;
    return true;
}

static void equal_tell(struct compare *c)
{
    json_t *o;

    if (c->equal_n == 0)
        return;
    if (block_shows(c)) {
        o = json_object();
        put_json(c->h, o, "status", json_string(status_names[EQUAL]));
        put_json(c->h, o, "count", json_integer(c->equal_n));
        put_json(c->h, o, "first", context_json(&c->b, &c->b.blocks.v[c->equal_from]));
        put_json(c->h, o, "last", context_json(&c->b, &c->b.blocks.v[c->equal_from + c->equal_n - 1]));
        push_json(c->h, c->array, o);
    }
    c->h->totals.blocks[EQUAL] += c->equal_n;
    c->equal_n = 0;
}

static json_t *within_json(struct history *h, const struct side *s, uint32_t around)
{
    json_t *array = json_array();

    for (; around != UM_ALIGN_NONE; around = s->around.v[around].parent)
        if (s->around.v[around].depth < WITHIN_MAX && json_array_insert_new(array, 0, text_json(s->around.v[around].name)) != 0)
            fail(h, UM_ENOMEM);
    return array;
}

static void within_put(struct compare *c, json_t *o, const struct block *a, const struct block *b)
{
    json_t *old = a != NULL ? within_json(c->h, &c->a, a->around) : NULL;
    json_t *now = b != NULL ? within_json(c->h, &c->b, b->around) : json_incref(old);

    if (json_array_size(now) > 0)
        put_json(c->h, o, "within", json_incref(now));
    if (a != NULL && b != NULL && !json_equal(old, now))
        put_json(c->h, o, "oldWithin", json_incref(old));
    json_decref(old);
    json_decref(now);
}

/* Attributes that changed: the block's own, and those of elements around it that begin with it. */
static void attributes_put(struct compare *c, json_t *o, const struct block *a, const struct block *b)
{
    uint32_t x = a->around, y = b->around;
    json_t *array = json_array();

    if (!a->line && !b->line)
        entries_compare(c->h, &a->ref, &b->ref, NULL, array);
    for (uint32_t k = 0; k < b->first_in && x != UM_ALIGN_NONE && c->h->err == UM_OK; k++) {
        const struct around *p = &c->a.around.v[x], *q = &c->b.around.v[y];

        if (um_span_eq(p->name, q->name) && p->attributes != q->attributes) {
            json_t *prefix = json_array();

            push_json(c->h, prefix, text_json(q->name));
            entries_compare(c->h, &p->ref, &q->ref, prefix, array);
            json_decref(prefix);
        }
        x = p->parent;
        y = q->parent;
    }
    if (json_array_size(array) > 0)
        put_json(c->h, o, "attributes", array);
    else
        json_decref(array);
}

static void values_put(struct compare *c, json_t *o, const struct side *s, const struct block *b)
{
    struct um_buf text = { 0 };
    struct um_crdt_walk walk = { 0 };
    struct um_crdt_value v;
    struct um_span key;

    if (b->line)
        return;
    um_buf_put_u8(&text, '{');
    while (c->h->err == UM_OK && um_crdt_map_next(s->doc, &b->ref, &walk, &key, &v)) {
        json_t *name = text_json(key);
        char *printed = name == NULL ? NULL : json_dumps(name, JSON_ENCODE_ANY);

        if (printed == NULL)
            fail(c->h, UM_ENOMEM);
        um_buf_puts(&text, text.len > 1 ? "," : "");
        um_buf_puts(&text, printed != NULL ? printed : "\"\"");
        um_buf_puts(&text, ":");
        value_json(c->h, s->doc, &v, UM_CRDT_PLAIN, &text);
        free(printed);
        json_decref(name);
    }
    um_buf_put_u8(&text, '}');
    if (text.len > 2 && text.len <= HISTORY_VALUE_BYTES && !text.failed)
        put_json(c->h, o, "values", parse_json(UM_SPAN(text.data, text.len)));
    um_buf_free(&text);
}

/* Either may be NULL. */
static void block_tell(struct compare *c, const struct block *a, const struct block *b)
{
    enum status status = a == NULL ? ADDED : b == NULL ? REMOVED : CHANGED;
    bool coarse = false, shows;
    json_t *o, *parts;

    equal_tell(c);
    c->changed = true;
    c->h->totals.blocks[status]++;
    shows = block_shows(c);
    o = json_object();
    put_json(c->h, o, "status", json_string(status_names[status]));
    put_json(c->h, o, "type", text_json(b != NULL ? b->type : a->type));
    if (a != NULL && b != NULL && !um_span_eq(a->type, b->type))
        put_json(c->h, o, "oldType", text_json(a->type));
    if (a != NULL)
        put_json(c->h, o, "oldIndex", json_integer(a - c->a.blocks.v));
    if (b != NULL)
        put_json(c->h, o, "newIndex", json_integer(b - c->b.blocks.v));
    if (shows)
        within_put(c, o, a, b);
    if (a != NULL && b != NULL)
        attributes_put(c, o, a, b);
    else if (shows)
        values_put(c, o, a != NULL ? &c->a : &c->b, a != NULL ? a : b);
    parts = parts_make(c->h, &c->a, a, &c->b, b, &coarse);
    put_json(c->h, o, "parts", parts);
    if (coarse)
        put_json(c->h, o, "coarse", json_true());
    if (shows)
        push_json(c->h, c->array, o);
    else
        json_decref(o);
}

static void blocks_tell(struct compare *c)
{
    uint32_t i = 0, j = 0;

    while ((i < c->a.blocks.n || j < c->b.blocks.n) && c->h->err == UM_OK) {
        if (i < c->a.blocks.n && c->match.v[i] == UM_ALIGN_NONE) {
            block_tell(c, &c->a.blocks.v[i++], NULL);
        } else if (i == c->a.blocks.n || c->match.v[i] > j) {
            block_tell(c, NULL, &c->b.blocks.v[j++]);
        } else if (c->a.blocks.v[i].hash != c->b.blocks.v[j].hash) {
            block_tell(c, &c->a.blocks.v[i++], &c->b.blocks.v[j++]);
        } else {
            if (c->equal_n++ == 0)
                c->equal_from = j;
            i++;
            j++;
        }
    }
    equal_tell(c);
}

bool blocks_compare(struct history *h, const struct um_crdt_type *old, enum um_crdt_kind old_kind,
                    const struct um_crdt_type *new, enum um_crdt_kind new_kind, json_t *into)
{
    struct compare c = { .h = h, .a.doc = h->old, .b = { .doc = h->new, .is_new = true } };

    c.array = array_in(h, into, "blocks");
    if (old != NULL && h->err == UM_OK)
        side_read(h, &c.a, old, old_kind);
    if (new != NULL && h->err == UM_OK)
        side_read(h, &c.b, new, new_kind);
    if (h->err == UM_OK)
        partners_find(&c);
    if (h->err == UM_OK)
        blocks_tell(&c);
    side_free(&c.a);
    side_free(&c.b);
    list_free(&c.match);
    list_free(&c.x);
    list_free(&c.y);
    return c.changed;
}
