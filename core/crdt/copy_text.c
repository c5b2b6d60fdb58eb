/* Texts: both are cut into words; words that stand for one another stay, between them what is common at the ends of
 * a place stays too (whole characters, so no surrogate pair is torn), and the rest is replaced. Then one delta is
 * made of it: units that stay are retained, with the formats that differ. */
#include "copy.h"

struct word {                         /* or an embed, or a type: one unit, no bytes */
    uint32_t from, bytes, units;
    uint32_t item, type;              /* NONE: a word; type NONE: an embed */
    uint32_t at;                      /* units in front of it */
};
struct text_mark {
    uint32_t at, item;                /* a Format item in front of unit AT */
};
struct text_side {                    /* what one of the two texts shows */
    const struct side *s;
    struct um_buf text;
    VEC(struct word) words;
    VEC(uint64_t) hashes;
    VEC(struct text_mark) marks;
    VEC(struct text_mark) odd;        /* visible units of no text in front of unit AT; item: how many */
    uint32_t units;
    uint32_t at, mark, odd_next;      /* where the edit stands */
    struct active active;
};
struct text_pair {
    struct copy *c;
    uint32_t type;                    /* that is edited */
    struct text_side a, b;
    VEC(uint32_t) match;
    VEC(struct um_crdt_value) values;
    VEC(struct type_pair) types;      /* op, type of the target */
    bool changes;
};

/* ---- reading ------------------------------------------------------------------------------------------- */

static um_err string_add(struct text_side *t, const struct item *it)
{
    static const uint8_t replacement[] = { 0xef, 0xbf, 0xbd };

    if ((it->flags & F_HEAD_HALF) != 0)
        um_buf_put(&t->text, replacement, 3);
    um_buf_put(&t->text, item_body(t->s->doc, it).data, it->bytes);
    if ((it->flags & F_TAIL_HALF) != 0)
        um_buf_put(&t->text, replacement, 3);
    if (t->text.failed)
        return UM_ENOMEM;
    t->units += it->len;
    return t->text.len < UINT32_MAX ? UM_OK : UM_ELIMIT;
}

static bool is_space(uint8_t c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static um_err word_add(struct text_pair *p, struct text_side *t, struct word w, uint64_t hash)
{
    if (!vec_room(p->c->mem, &t->words, 1) || !vec_room(p->c->mem, &t->hashes, 1))
        return UM_ENOMEM;
    t->words.v[t->words.n++] = w;
    t->hashes.v[t->hashes.n++] = hash;
    return UM_OK;
}

/* Words of what was gathered behind byte FROM, which is unit AT: letters and the blanks behind them. */
static um_err words_add(struct text_pair *p, struct text_side *t, uint32_t from, uint32_t at)
{
    const uint8_t *text = t->text.data;
    um_err err = UM_OK;

    while (from < t->text.len && err == UM_OK) {
        struct word w = { .from = from, .item = NONE, .type = NONE, .at = at };
        uint32_t to = from;

        while (to < t->text.len && !is_space(text[to]))
            to++;
        while (to < t->text.len && is_space(text[to]))
            to++;
        w.bytes = to - from;
        w.units = (uint32_t)utf16_len(UM_SPAN(text + from, w.bytes));
        err = word_add(p, t, w, um_hash_keyed(p->c->key, UM_SPAN(text + from, w.bytes)));
        from = to;
        at += w.units;
    }
    return err;
}

static um_err object_hash(struct text_pair *p, const struct text_side *t, const struct item *it, uint64_t *out)
{
    struct um_span body = item_body(t->s->doc, it);

    if (it->kind == KIND_TYPE) {
        *out = type_signature(p->c, t->s->doc, it->content);
        return UM_OK;
    }
    um_buf_clear(&p->c->bytes);
    um_buf_put_u8(&p->c->bytes, 0xff);
    um_buf_put(&p->c->bytes, body.data, body.len);
    *out = um_hash_keyed(p->c->key, UM_SPAN(p->c->bytes.data, p->c->bytes.len));
    return p->c->bytes.failed ? UM_ENOMEM : UM_OK;
}

static um_err object_add(struct text_pair *p, struct text_side *t, uint32_t item)
{
    const struct item *it = item_at(t->s->doc, item);
    struct word w = { .from = (uint32_t)t->text.len, .units = 1, .item = item, .at = t->units,
                      .type = it->kind == KIND_TYPE ? it->content : NONE };
    uint64_t hash;
    um_err err = object_hash(p, t, it, &hash);

    t->units++;
    return err == UM_OK ? word_add(p, t, w, hash) : err;
}

static um_err note_add(struct text_pair *p, struct text_side *t, bool is_mark, uint32_t value)
{
    struct text_mark m = { t->units, value };

    if (is_mark ? !vec_room(p->c->mem, &t->marks, 1) : !vec_room(p->c->mem, &t->odd, 1))
        return UM_ENOMEM;
    if (is_mark)
        t->marks.v[t->marks.n++] = m;
    else
        t->odd.v[t->odd.n++] = m;
    return UM_OK;
}

static um_err text_read(struct text_pair *p, struct text_side *t, uint32_t type)
{
    const struct um_crdt *doc = t->s->doc;
    uint32_t from = 0, at = 0;
    um_err err = UM_OK;

    for (uint32_t i = doc->types.v[type].start; i != NONE && err == UM_OK; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        if (item_is_deleted(it))
            continue;
        if (it->kind == KIND_STRING) {
            err = string_add(t, it);
        } else if (it->kind == KIND_FORMAT) {
            err = note_add(p, t, true, i);
        } else if (it->kind != KIND_EMBED && it->kind != KIND_TYPE) {
            err = note_add(p, t, false, it->len);
        } else if ((err = words_add(p, t, from, at)) == UM_OK) {
            err = object_add(p, t, i);
            from = (uint32_t)t->text.len;
            at = t->units;
        }
    }
    return err == UM_OK ? words_add(p, t, from, at) : err;
}

/* ---- the delta ----------------------------------------------------------------------------------------- */

static struct delta_op *op_add(struct text_pair *p, enum delta_kind kind)
{
    struct edit *e = p->c->doc->edit;

    if (!vec_room(p->c->mem, &e->ops, 1))
        return NULL;
    e->ops.v[e->ops.n] = (struct delta_op){ .kind = kind, .from = e->text.len, .to = e->text.len };
    return &e->ops.v[e->ops.n++];
}

static um_err attribute_put(struct text_pair *p, struct um_span key, struct um_span json)
{
    struct edit *e = p->c->doc->edit;
    struct um_buf value = { 0 };
    um_err err = mark_print(&p->c->room, json, &value);

    buf_put_string(&e->text, key);
    buf_put_string(&e->text, UM_SPAN(value.data, value.len));
    e->text.failed |= value.failed;
    um_buf_free(&value);
    return err == UM_OK && e->text.failed ? UM_ENOMEM : err;
}

/* What turns the formats that are active in A into those of B. */
static um_err difference_put(struct text_pair *p)
{
    const struct active *a = &p->a.active, *b = &p->b.active;
    um_err err = UM_OK;

    for (uint32_t i = 0, j = 0; (i < a->v.n || j < b->v.n) && err == UM_OK;) {
        int order = i == a->v.n ? 1 : j == b->v.n ? -1 : span_order(a->v.v[i].key, b->v.v[j].key);

        if (order < 0)
            err = attribute_put(p, a->v.v[i].key, UM_SPAN_STR("null"));
        else if (order > 0 || a->v.v[i].hash != b->v.v[j].hash)
            err = attribute_put(p, b->v.v[j].key, b->v.v[j].json);
        i += order <= 0;
        j += order >= 0;
    }
    return err;
}

static um_err marks_take(struct text_pair *p, struct text_side *t)
{
    um_err err = UM_OK;

    for (; t->mark < t->marks.n && t->marks.v[t->mark].at <= t->at && err == UM_OK; t->mark++)
        err = active_apply(p->c, &t->active, t->s->doc, t->marks.v[t->mark].item);
    return err;
}

/* Units from here to the next mark, at most N. */
static uint32_t stretch(const struct text_side *t, uint32_t n)
{
    return t->mark < t->marks.n ? UM_MIN(n, t->marks.v[t->mark].at - t->at) : n;
}

static um_err retain_plain(struct text_pair *p, uint32_t n)
{
    struct edit *e = p->c->doc->edit;
    struct delta_op *op = e->ops.n > 0 ? &e->ops.v[e->ops.n - 1] : NULL;

    if (op == NULL || op->kind != DELTA_RETAIN || op->to > op->from)
        op = op_add(p, DELTA_RETAIN);
    if (op == NULL)
        return UM_ENOMEM;
    op->n += n;
    return UM_OK;
}

/* Steps over units that are there and belong to no text. */
static um_err odd_pass(struct text_pair *p, uint32_t *n)
{
    struct text_side *a = &p->a;
    um_err err = UM_OK;

    for (; a->odd_next < a->odd.n && a->odd.v[a->odd_next].at <= a->at && err == UM_OK; a->odd_next++)
        err = retain_plain(p, a->odd.v[a->odd_next].item);
    if (a->odd_next < a->odd.n)
        *n = UM_MIN(*n, a->odd.v[a->odd_next].at - a->at);
    return err;
}

static um_err retain_formatted(struct text_pair *p, uint32_t n)
{
    struct edit *e = p->c->doc->edit;
    size_t from = e->text.len;
    struct delta_op *op;
    um_err err;

    if (p->a.active.sum == p->b.active.sum)
        return retain_plain(p, n);
    if ((err = difference_put(p)) != UM_OK)
        return err;
    if ((op = op_add(p, DELTA_RETAIN)) == NULL)
        return UM_ENOMEM;
    op->from = from;
    op->n = n;
    p->changes = true;
    return UM_OK;
}

/* N units are the same in both. */
static um_err units_keep(struct text_pair *p, uint32_t n)
{
    um_err err = UM_OK;

    for (uint32_t now; n > 0 && err == UM_OK; n -= now) {
        now = n;
        if ((err = marks_take(p, &p->a)) != UM_OK || (err = marks_take(p, &p->b)) != UM_OK || (err = odd_pass(p, &now)) != UM_OK)
            return err;
        now = stretch(&p->b, stretch(&p->a, now));
        err = retain_formatted(p, now);
        p->a.at += now;
        p->b.at += now;
    }
    return err;
}

static um_err units_delete(struct text_pair *p, uint32_t n)
{
    um_err err = UM_OK;

    p->changes |= n > 0;
    for (uint32_t now; n > 0 && err == UM_OK; n -= now) {
        struct delta_op *op;

        now = n;
        if ((err = odd_pass(p, &now)) != UM_OK)
            return err;
        if ((op = op_add(p, DELTA_DELETE)) == NULL)
            return UM_ENOMEM;
        op->n = now;
        p->a.at += now;
    }
    return err == UM_OK ? marks_take(p, &p->a) : err;
}

/* An insertion with the formats that are active in B. CONTENT: bytes of edit->text behind FROM. */
static um_err insert_add(struct text_pair *p, enum kind kind, uint32_t units, size_t from)
{
    struct edit *e = p->c->doc->edit;
    size_t to = e->text.len;
    struct delta_op *op;
    um_err err = UM_OK;

    if (e->text.failed)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < p->b.active.v.n && err == UM_OK; i++)
        err = attribute_put(p, p->b.active.v.v[i].key, p->b.active.v.v[i].json);
    if (err != UM_OK)
        return err;
    if ((op = op_add(p, DELTA_INSERT)) == NULL)
        return UM_ENOMEM;
    op->from = to;
    op->content = (struct fresh){ .kind = kind, .len = units, .from = from, .to = to, .holder = NONE, .key = NONE };
    p->changes = true;
    return UM_OK;
}

static um_err object_insert(struct text_pair *p, const struct word *w)
{
    const struct um_crdt *to = p->b.s->doc;
    const struct item *it = item_at(to, w->item);
    struct edit *e = p->c->doc->edit;
    size_t from = e->text.len;
    struct fresh *f;
    um_err err;

    if (w->type == NONE) {
        um_buf_put(&e->text, item_body(to, it).data, it->bytes);
        return insert_add(p, KIND_EMBED, 1, from);
    }
    if (p->c->doc->types.v[p->type].depth + 1u > p->c->doc->limits.type_depth)
        return UM_ELIMIT;
    if ((err = insert_add(p, KIND_TYPE, 1, from)) != UM_OK)
        return err;
    if (!vec_room(p->c->mem, &p->types, 1))
        return UM_ENOMEM;
    p->types.v[p->types.n++] = (struct type_pair){ e->ops.n - 1, w->type };
    f = &e->ops.v[e->ops.n - 1].content;
    f->type_kind = to->types.v[w->type].kind;
    f->name = NONE;
    return to->types.v[w->type].name == NONE ? UM_OK : name_intern(p->c->doc, name_text(to, to->types.v[w->type].name), &f->name);
}

static uint32_t units_of(const struct text_side *t, uint32_t from, uint32_t bytes)
{
    return bytes == 0 ? 0 : (uint32_t)utf16_len(UM_SPAN(t->text.data + from, bytes));
}

/* BYTES of the target's text. */
static um_err text_insert(struct text_pair *p, uint32_t from, uint32_t bytes)
{
    struct edit *e = p->c->doc->edit;
    uint32_t units = units_of(&p->b, from, bytes), now;
    um_err err = UM_OK;

    for (; bytes > 0 && err == UM_OK; units -= now) {
        struct um_span rest = UM_SPAN(p->b.text.data + from, bytes);
        size_t n = bytes, at = e->text.len;
        bool half = false;

        if ((err = marks_take(p, &p->b)) != UM_OK)
            return err;
        if ((now = stretch(&p->b, units)) < units)
            n = utf16_offset(rest, now, &half);
        if (half) {                       /* a mark within a pair: behind it */
            n += 4;
            now++;
        }
        um_buf_put(&e->text, rest.data, n);
        err = insert_add(p, KIND_STRING, now, at);
        p->b.at += now;
        from += (uint32_t)n;
        bytes -= (uint32_t)n;
    }
    return err;
}

/* ---- what stays ---------------------------------------------------------------------------------------- */

/* A place where the texts differ: words [A, A_END) against [B, B_END). */
struct place {
    uint32_t a, a_end, b, b_end;
};

static uint32_t run_bytes(const struct text_side *t, uint32_t from, uint32_t to)      /* words up to an object */
{
    uint32_t bytes = 0;

    for (; from < to && t->words.v[from].item == NONE; from++)
        bytes += t->words.v[from].bytes;
    return bytes;
}

static uint32_t run_bytes_back(const struct text_side *t, uint32_t from, uint32_t to)
{
    uint32_t bytes = 0;

    for (; to > from && t->words.v[to - 1].item == NONE; to--)
        bytes += t->words.v[to - 1].bytes;
    return bytes;
}

static bool goes_on(const uint8_t *p, uint32_t at, uint32_t len) { return at < len && (p[at] & 0xc0) == 0x80; }

static uint32_t common_head(const struct text_side *a, uint32_t x, uint32_t n, const struct text_side *b, uint32_t y, uint32_t m)
{
    const uint8_t *s = a->text.data + x, *t = b->text.data + y;
    uint32_t len = 0;

    while (len < n && len < m && s[len] == t[len])
        len++;
    while (len > 0 && (goes_on(s, len, n) || goes_on(t, len, m)))
        len--;
    return len;
}

/* S and T end where the place ends. */
static uint32_t common_tail(const uint8_t *s, uint32_t n, const uint8_t *t, uint32_t m)
{
    uint32_t len = 0;

    while (len < n && len < m && s[n - 1 - len] == t[m - 1 - len])
        len++;
    while (len > 0 && (s[n - len] & 0xc0) == 0x80)
        len--;
    return len;
}

static uint32_t byte_end(const struct text_side *t, uint32_t word)      /* behind the word in front of WORD */
{
    return word == 0 ? 0 : t->words.v[word - 1].from + t->words.v[word - 1].bytes;
}

/* Words of the target [B, B_END) without HEAD bytes in front and TAIL bytes at the end. */
static um_err words_insert(struct text_pair *p, const struct place *g, uint32_t head, uint32_t tail)
{
    uint32_t from = byte_end(&p->b, g->b) + head, end = byte_end(&p->b, g->b_end) - tail;
    um_err err = UM_OK;

    for (uint32_t i = g->b; i < g->b_end && err == UM_OK; i++) {
        const struct word *w = &p->b.words.v[i];

        if (w->item == NONE) {
            uint32_t x = UM_MAX(w->from, from), y;

            while (i + 1 < g->b_end && p->b.words.v[i + 1].item == NONE)      /* neighbours at once */
                i++;
            y = UM_MIN(byte_end(&p->b, i + 1), end);
            if (y > x)
                err = text_insert(p, x, y - x);
        } else if ((err = marks_take(p, &p->b)) == UM_OK) {
            err = object_insert(p, w);
            p->b.at++;
        }
    }
    return err;
}

static uint32_t units_between(const struct text_side *t, uint32_t from, uint32_t to)
{
    return to == from ? 0 : t->words.v[to - 1].at + t->words.v[to - 1].units - t->words.v[from].at;
}

static um_err place_become(struct text_pair *p, const struct place *g)
{
    uint32_t x = byte_end(&p->a, g->a), y = byte_end(&p->b, g->b), n = run_bytes(&p->a, g->a, g->a_end),
             m = run_bytes(&p->b, g->b, g->b_end), head = common_head(&p->a, x, n, &p->b, y, m), tail, keep, last;
    bool whole_a = x + n == byte_end(&p->a, g->a_end), whole_b = y + m == byte_end(&p->b, g->b_end);
    um_err err;

    x = byte_end(&p->a, g->a_end);
    y = byte_end(&p->b, g->b_end);
    n = run_bytes_back(&p->a, g->a, g->a_end);
    m = run_bytes_back(&p->b, g->b, g->b_end);
    n -= whole_a && n > 0 ? UM_MIN(head, n) : 0;
    m -= whole_b && m > 0 ? UM_MIN(head, m) : 0;
    tail = n == 0 || m == 0 ? 0 : common_tail(p->a.text.data + x - n, n, p->b.text.data + y - m, m);
    keep = units_of(&p->a, byte_end(&p->a, g->a), head);
    last = units_of(&p->a, x - tail, tail);
    if ((err = units_keep(p, keep)) != UM_OK ||
        (err = units_delete(p, units_between(&p->a, g->a, g->a_end) - keep - last)) != UM_OK ||
        (err = words_insert(p, g, head, tail)) != UM_OK)
        return err;
    return units_keep(p, last);
}

static um_err word_keep(struct text_pair *p, uint32_t i, uint32_t j)
{
    const struct word *a = &p->a.words.v[i], *b = &p->b.words.v[j];
    um_err err = units_keep(p, a->units);

    if (err == UM_OK && a->type != NONE && p->c->from.hashes.v[a->type] != p->c->to.hashes.v[b->type])
        err = copy_push(p->c, a->type, b->type);
    return err;
}

static um_err delta_make(struct text_pair *p)
{
    um_err err = UM_OK;

    for (uint32_t i = 0, j = 0; err == UM_OK; i++, j++) {
        struct place g = { .a = i, .b = j };

        while (i < p->a.words.n && p->match.v[i] == UM_ALIGN_NONE)
            i++;
        g.a_end = i;
        g.b_end = j = i < p->a.words.n ? p->match.v[i] : p->b.words.n;
        if (g.a_end > g.a || g.b_end > g.b)
            err = place_become(p, &g);
        if (i == p->a.words.n)
            break;
        if (err == UM_OK)
            err = word_keep(p, i, j);
    }
    return err;
}

/* ---- the edit ------------------------------------------------------------------------------------------ */

/* Types that the delta inserts get their places; afterwards they are filled. */
static um_err delta_commit(struct text_pair *p)
{
    struct edit *e = p->c->doc->edit;
    um_err err;

    if (!vec_room(p->c->mem, &p->values, p->types.n + 1))
        return UM_ENOMEM;
    for (uint32_t i = 0; i < p->types.n; i++)
        e->ops.v[p->types.v[i].type].content.value = &p->values.v[i];
    if ((err = delta_run(p->c->doc, p->type)) != UM_OK)
        return err;
    for (uint32_t i = 0; i < p->types.n && err == UM_OK; i++)
        err = copy_push(p->c, type_find(p->c->doc, &p->values.v[i].ref), p->types.v[i].target);
    return err;
}

static um_err texts_edit(struct text_pair *p)
{
    struct um_crdt *doc = p->c->doc;
    struct um_crdt_type ref = type_named(doc, p->type);
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, &ref, TYPES_ALL, &t)) == UM_OK &&
        (err = delta_make(p)) == UM_OK && p->changes)
        err = delta_commit(p);
    return edit_end(doc, err);
}

static void text_side_free(struct text_pair *p, struct text_side *t)
{
    um_buf_free(&t->text);
    vec_free(p->c->mem, &t->words);
    vec_free(p->c->mem, &t->hashes);
    vec_free(p->c->mem, &t->marks);
    vec_free(p->c->mem, &t->odd);
    vec_free(p->c->mem, &t->active.v);
}

um_err text_become(struct copy *c, uint32_t type, uint32_t target)
{
    struct text_pair p = { .c = c, .type = type, .a.s = &c->from, .b.s = &c->to };
    um_err err;

    if ((err = text_read(&p, &p.a, type)) == UM_OK && (err = text_read(&p, &p.b, target)) == UM_OK) {
        if (!vec_room(c->mem, &p.match, p.a.words.n + 1))
            err = UM_ENOMEM;
        else
            err = um_align(&c->align, p.a.hashes.v, p.a.hashes.n, p.b.hashes.v, p.b.hashes.n, p.match.v);
    }
    if (err == UM_OK)
        err = texts_edit(&p);
    text_side_free(&p, &p.a);
    text_side_free(&p, &p.b);
    vec_free(c->mem, &p.match);
    vec_free(c->mem, &p.values);
    vec_free(c->mem, &p.types);
    return err;
}
