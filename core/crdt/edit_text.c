/* Texts: inserting, formatting, deleting, with the marks that yjs puts and takes away around them. */
#include "edit.h"
#include "typing.h"
#include "value.h"
#include <umbel/util.h>

static bool is_mark(const struct item *it) { return it->kind == KIND_FORMAT && !item_is_deleted(it); }

/* ---- before the change: attributes, what will be passed, memory ---------------------------------------- */

/* A JSON object, as `any`, to bodies of Format items, one behind the other in edit->text. */
um_err attributes_convert(struct um_crdt *doc, struct um_span any, size_t *from, size_t *to)
{
    struct edit *e = doc->edit;
    struct rd r = rd_make(any);
    struct um_buf value = { 0 };
    um_err err = UM_OK;
    bool lossy;

    *from = *to = e->text.len;
    if (rd_u8(&r) != ANY_OBJECT)
        return UM_EINVAL;
    for (uint64_t n = rd_uint(&r); n > 0 && err == UM_OK; n--) {
        struct um_span key = rd_bytes(&r);
        const uint8_t *start = r.p;

        rd_any(&r, UINT32_MAX, false);
        um_buf_clear(&value);
        if (key.len > doc->limits.key_bytes)
            err = UM_ELIMIT;
        else
            err = any_to_json(UM_SPAN(start, (size_t)(r.p - start)), &value, &lossy);
        buf_put_string(&e->text, key);
        buf_put_string(&e->text, UM_SPAN(value.data, value.len));
        e->text.failed |= value.failed;
    }
    um_buf_free(&value);
    *to = e->text.len;
    return err == UM_OK && e->text.failed ? UM_ENOMEM : err;
}

static struct rd attributes_reader(const struct um_crdt *doc, size_t from, size_t to)
{
    return rd_make(UM_SPAN(doc->edit->text.data + from, to - from));
}

um_err attributes_intern(struct um_crdt *doc, size_t from, size_t to)
{
    struct rd r = attributes_reader(doc, from, to);
    um_err err = UM_OK;

    while (from < to && rd_left(&r) > 0 && err == UM_OK) {
        struct um_span key = rd_bytes(&r), value = rd_bytes(&r);

        err = mark_intern(doc, key, value.len);
    }
    return err;
}

/* Steps over N units of the KINDS that count; what is left of N when the text ends. The item where it stops may
 * have to be cut. */
um_err survey_pass(struct text *t, struct survey *s, uint32_t *n, uint32_t kinds)
{
    um_err err = UM_OK;

    while (*n > 0 && s->item != NONE && err == UM_OK) {
        const struct item *it = item_at(t->doc, s->item);

        if (!item_is_deleted(it) && (KINDS(it->kind) & kinds) != 0) {
            if (*n < it->len - s->offset) {
                s->offset += *n;
                *n = 0;
                return edit_cut_note(t->doc, s->item);
            }
            *n -= it->len - s->offset;
        } else if (t->marked && is_mark(it)) {
            err = mark_intern_item(t->doc, s->item);
        }
        s->item = it->right;
        s->offset = 0;
    }
    return err;
}

/* Steps over the marks from here to the next visible content: the operation may look at them. */
um_err survey_gap(struct text *t, struct survey *s)
{
    um_err err = UM_OK;

    if (!t->marked || s->offset > 0)
        return UM_OK;
    for (; s->item != NONE && !item_is_visible(item_at(t->doc, s->item)) && err == UM_OK;
         s->item = item_at(t->doc, s->item)->right)
        if (is_mark(item_at(t->doc, s->item)))
            err = mark_intern_item(t->doc, s->item);
    return err;
}

/* Marks in front of and behind an edit: of the attributes given, or of ALL. */
void need_marks(struct um_crdt *doc, struct need *need, size_t from, size_t to, bool all)
{
    const struct edit *e = doc->edit;
    struct rd r = attributes_reader(doc, from, to);
    size_t bytes = 0;
    uint64_t n = 0;

    if (all) {
        n = e->marks.v.n;
        for (uint32_t i = 0; i < n; i++)
            bytes += mark_body_max(doc, &e->marks.v.v[i]);
    } else {
        while (from < to && rd_left(&r) > 0) {
            bytes += mark_body_max(doc, mark_find(doc, rd_bytes(&r)));
            rd_bytes(&r);
            n++;
        }
    }
    need->items += 2 * n;
    need->units += 2 * n;
    need->content += 2 * bytes;
}

/* Makes the attributes given the wanted ones. */
void text_want(struct text *t, size_t from, size_t to)
{
    struct edit *e = t->doc->edit;
    struct rd r = attributes_reader(t->doc, from, to);
    uint64_t order = 0;

    for (uint32_t i = 0; i < e->marks.v.n; i++)
        e->marks.v.v[i].want = e->marks.v.v[i].back = NO_VALUE;
    while (from < to && rd_left(&r) > 0) {
        struct mark *m = mark_find(t->doc, rd_bytes(&r));

        m->want = (struct mark_value){ NONE, rd_bytes(&r) };
        m->want_order = ++order;
    }
}

/* Those that are on already and not given are wanted off. */
void text_want_others_off(struct text *t)
{
    struct marks *k = &t->doc->edit->marks;

    for (uint32_t i = 0; i < k->v.n; i++) {
        struct mark *m = &k->v.v[i];

        if (!value_is_set(&m->now) || value_is_set(&m->want))
            continue;
        m->want = (struct mark_value){ NONE, UM_SPAN_STR("null") };
        m->want_order = k->v.n + m->now_order;
    }
}

static void want_as_now(struct text *t)
{
    struct marks *k = &t->doc->edit->marks;

    for (uint32_t i = 0; i < k->v.n; i++) {
        k->v.v[i].want = k->v.v[i].now;
        k->v.v[i].want_order = k->v.v[i].now_order;
    }
}

/* ---- the change ---------------------------------------------------------------------------------------- */

static void forward(struct text *t)
{
    const struct item *it = item_at(t->doc, t->right);

    if (t->marked && is_mark(it))
        mark_step(t->doc, t->right);
    t->left = t->right;
    t->right = it->right;
}

/* Steps over what is deleted and over marks that say nothing but what is wanted. */
static void skip_wanted(struct text *t)
{
    for (; t->right != NONE; forward(t)) {
        const struct item *it = item_at(t->doc, t->right);
        struct mark_value v = { .item = t->right }, want = NO_VALUE;
        const struct mark *m;

        if (item_is_deleted(it))
            continue;
        if (it->kind != KIND_FORMAT || !t->marked)
            return;
        if ((m = mark_find(t->doc, format_key(t->doc, t->right))) != NULL)
            want = m->want;
        if (!value_matches(t->doc, &want, &v))
            return;
    }
}

/* A new mark at the place, which is then behind it. */
static void put_mark(struct text *t, const struct mark *m, const struct mark_value *v)
{
    struct um_crdt *doc = t->doc;
    uint32_t from = doc->content.n, i;
    struct um_span key = m->item != NONE ? format_key(doc, m->item) : m->text, value = value_text(doc, v);
    uint8_t *p = doc->content.v + from;

    UM_ASSERT(key.len + value.len + uint_len(key.len) + uint_len(value.len) <= doc->content.cap - from);
    p = wr_bytes(wr_uint(p, key.len), key.data, key.len);
    p = wr_bytes(wr_uint(p, value.len), value.data, value.len);
    doc->content.n = (uint32_t)(p - doc->content.v);
    i = item_place_at(doc, t->type, t->left, KIND_FORMAT, 1, from);
    if (v->item != NONE)
        twin_note(doc, i, v->item);
    t->right = i;
    forward(t);
}

/* Marks that switch to what is wanted; what was before is noted, to be restored. */
static void put_wanted(struct text *t)
{
    uint32_t *order, n = marks_wanted(t->doc, &order);

    for (uint32_t i = 0; i < n; i++) {
        struct mark *m = &t->doc->edit->marks.v.v[order[i]];

        if (value_matches(t->doc, &m->now, &m->want))
            continue;
        back_set(t->doc, m, m->now);
        put_mark(t, m, &m->want);
    }
}

static void put_back(struct text *t)
{
    uint32_t *order, n;

    for (; t->right != NONE; forward(t)) {
        const struct item *it = item_at(t->doc, t->right);
        struct mark_value v = { .item = t->right };
        struct mark *m;

        if (item_is_deleted(it))
            continue;
        if (it->kind != KIND_FORMAT || !t->marked || (m = mark_find(t->doc, format_key(t->doc, t->right))) == NULL ||
            !value_is_set(&m->back) || !value_matches(t->doc, &m->back, &v))
            break;
        m->back = NO_VALUE;
    }
    n = t->marked ? marks_back(t->doc, &order) : 0;
    for (uint32_t i = 0; i < n; i++)
        put_mark(t, &t->doc->edit->marks.v.v[order[i]], &t->doc->edit->marks.v.v[order[i]].back);
}

/* Puts F with the attributes that are wanted. */
void text_put(struct text *t, struct fresh *f, uint32_t nested)
{
    skip_wanted(t);
    if (t->marked)
        put_wanted(t);
    t->right = item_place(t->doc, t->type, NONE, t->left, f);
    nested_place(t->doc, nested);
    forward(t);
    put_back(t);
}

static void put_line_feeds(struct text *t, uint32_t n)
{
    struct um_crdt *doc = t->doc;
    uint32_t from = doc->content.n;

    UM_ASSERT(n <= doc->content.cap - from);
    memset(doc->content.v + from, '\n', n);
    doc->content.n += n;
    t->right = item_place_at(doc, t->type, t->left, KIND_STRING, n, from);
    forward(t);
}

/* A mark in the way of formatting; false: the walk ends here. */
static bool format_mark(struct text *t, uint32_t n)
{
    struct mark *m = mark_find(t->doc, format_key(t->doc, t->right));
    struct mark_value v = { .item = t->right };

    if (m == NULL)
        return true;
    if (!value_is_set(&m->want)) {
        now_set(t->doc, m, v);
        return true;
    }
    if (value_matches(t->doc, &m->want, &v)) {
        m->back = NO_VALUE;
    } else {
        if (n == 0)
            return false;
        back_set(t->doc, m, v);
    }
    item_delete(t->doc, t->right);
    return true;
}

static bool something_to_restore(const struct um_crdt *doc)
{
    for (uint32_t i = 0; i < doc->edit->marks.v.n; i++)
        if (value_is_set(&doc->edit->marks.v.v[i].back))
            return true;
    return false;
}

void text_format(struct text *t, uint32_t n)
{
    struct um_crdt *doc = t->doc;

    skip_wanted(t);
    if (t->marked)
        put_wanted(t);
    while (t->right != NONE) {
        const struct item *it = item_at(doc, t->right);

        if (n == 0 && !((item_is_deleted(it) || it->kind == KIND_FORMAT) && t->marked && something_to_restore(doc)))
            break;
        if (is_mark(it)) {
            if (!format_mark(t, n))
                break;
        } else if (!item_is_deleted(it)) {
            if (n < it->len)
                item_split(doc, index_find(&doc->clients.v[it->client], it->clock), n);
            n -= it->len;
        }
        forward(t);
    }
    if (n > 0)
        put_line_feeds(t, n);
    put_back(t);
}

/* ---- deletion ------------------------------------------------------------------------------------------ */

/* A mark between two pieces of visible content: superfluous when another of its key follows, or when it says what
 * held before the deletion anyway. BEHIND: it follows the place where the edit stands. */
static void gap_mark(struct text *t, uint32_t i, bool behind)
{
    struct mark *m = mark_find(t->doc, format_key(t->doc, i));
    struct mark_value v = { .item = i };
    bool as_before;

    if (m == NULL)
        return;
    as_before = value_is_same(t->doc, &m->before, &v);
    if (m->last != i || as_before) {
        item_delete(t->doc, i);
        if (!behind && !as_before && value_is_same(t->doc, &m->now, &v))
            now_set(t->doc, m, m->before);
    } else if (!behind) {
        mark_step(t->doc, i);
    }
}

/* Removes marks that a deletion from item START on has made superfluous. */
static void gap_clean(struct text *t, uint32_t start)
{
    struct um_crdt *doc = t->doc;
    bool behind = false;
    uint32_t end, next;

    for (end = start; end != NONE && !item_is_visible(item_at(doc, end)); end = item_at(doc, end)->right) {
        struct mark *m = is_mark(item_at(doc, end)) ? mark_find(doc, format_key(doc, end)) : NULL;

        if (m != NULL)
            m->last = end;
    }
    for (uint32_t i = start; i != end; i = next) {
        next = item_at(doc, i)->right;
        behind |= i == t->right;
        if (is_mark(item_at(doc, i)))
            gap_mark(t, i, behind);
    }
}

void text_delete(struct text *t, uint32_t n)
{
    struct um_crdt *doc = t->doc;
    struct marks *k = &doc->edit->marks;
    uint32_t start = t->right;

    for (uint32_t i = 0; t->marked && i < k->v.n; i++) {
        k->v.v[i].before = k->v.v[i].now;
        k->v.v[i].last = NONE;
    }
    while (n > 0 && t->right != NONE) {
        const struct item *it = item_at(doc, t->right);

        if (!item_is_deleted(it) && (KINDS(it->kind) & UNITS_DELETED) != 0) {
            if (n < it->len)
                item_split(doc, index_find(&doc->clients.v[it->client], it->clock), n);
            n -= it->len;
            item_delete(doc, t->right);
        }
        forward(t);
    }
    if (start != NONE && t->marked)
        gap_clean(t, start);
}

/* ---- calls --------------------------------------------------------------------------------------------- */

/* Looks up the place, with the attributes there when they matter. */
static um_err place_find(struct text *t, uint32_t index, struct position *p)
{
    struct um_crdt *doc = t->doc;
    um_err err = UM_OK;

    if (index > doc->types.v[t->type].length)
        return UM_EINVAL;
    position_find(doc, t->type, index, p);
    if (position_is_inside(doc, p))
        err = edit_cut_note(doc, p->left);
    if (err == UM_OK && t->marked && doc->types.v[t->type].marks)
        err = position_marks(doc, t->type, p, mark_read);
    return err;
}

static void place_take(struct text *t, const struct position *p)
{
    position_cut(t->doc, p);
    t->left = p->left;
    t->right = position_right(t->doc, t->type, p);
}

static struct survey survey_at(const struct um_crdt *doc, uint32_t type, const struct position *p)
{
    if (position_is_inside(doc, p))
        return (struct survey){ p->left, p->units };
    return (struct survey){ position_right(doc, type, p), 0 };
}

static um_err attributes_take(struct um_crdt *doc, struct um_span attrs, size_t *from, size_t *to)
{
    struct um_buf any = { 0 };
    um_err err = json_to_any(attrs, doc->limits.value_depth, &any);

    if (err == UM_OK && any.failed)
        err = UM_ENOMEM;
    if (err == UM_OK)
        err = attributes_convert(doc, UM_SPAN(any.data, any.len), from, to);
    um_buf_free(&any);
    return err == UM_OK ? attributes_intern(doc, *from, *to) : err;
}

/* Begins a call: T, with the attributes given converted. A text without marks needs none unless they are given. */
static um_err text_open(struct um_crdt *doc, struct text *t, uint32_t type, struct um_span attrs, size_t *from, size_t *to)
{
    *t = (struct text){ .doc = doc, .type = type, .left = NONE, .right = NONE };
    *from = *to = 0;
    marks_clear(doc);
    t->marked = attrs.data != NULL || doc->types.v[type].marks;
    return attrs.data != NULL ? attributes_take(doc, attrs, from, to) : UM_OK;
}

/* INHERIT: the attributes of what stands before. */
static um_err fresh_insert(struct um_crdt *doc, uint32_t type, uint32_t index, struct um_span attrs, bool inherit)
{
    struct edit *e = doc->edit;
    struct need need = { 0 };
    struct position p;
    struct text t;
    size_t from, to;
    um_err err;

    if ((err = text_open(doc, &t, type, attrs, &from, &to)) != UM_OK || (err = place_find(&t, index, &p)) != UM_OK)
        return err;
    inherit &= attrs.data == NULL;
    for (uint32_t i = 0; i < e->fresh.n; i++)
        need_add(&need, &e->fresh.v[i]);
    if (!inherit)
        need_marks(doc, &need, 0, 0, true);
    if ((err = marks_ready(doc)) != UM_OK || (err = edit_reserve(doc, &need)) != UM_OK)
        return err;
    place_take(&t, &p);
    text_want(&t, from, to);
    if (inherit)
        want_as_now(&t);
    else
        text_want_others_off(&t);
    text_put(&t, &e->fresh.v[0], 1);
    return UM_OK;
}

static um_err text_insert(struct um_crdt *doc, uint32_t type, uint32_t index, struct um_span text,
                          struct um_span attrs)
{
    struct edit *e = doc->edit;

    if (index > doc->types.v[type].length || !um_utf8_is_valid(text.data, text.len))
        return UM_EINVAL;
    if (text.len > doc->limits.update_bytes)
        return UM_ELIMIT;
    if (text.len == 0)
        return UM_OK;
    um_buf_put(&e->text, text.data, text.len);
    if (e->text.failed || !vec_room(&doc->mem, &e->fresh, 1))
        return UM_ENOMEM;
    e->fresh.v[e->fresh.n++] = (struct fresh){ .kind = KIND_STRING, .len = (uint32_t)utf16_len(text), .to = text.len,
                                               .holder = NONE, .key = NONE };
    return fresh_insert(doc, type, index, attrs, true);
}

/* The short way; false: nothing was changed, take the long one. */
static bool insert_typed(struct um_crdt *doc, const struct um_crdt_type *ref, uint32_t index, struct um_span text)
{
    struct edit *e = doc->edit;
    uint32_t type;

    if (type_open(doc, ref, TYPES_TEXT, &type) != UM_OK || index > doc->types.v[type].length || text.len == 0 ||
        text.len > doc->limits.update_bytes || !um_utf8_is_valid(text.data, text.len) ||
        !type_on(doc, &doc->clients.v[e->author], type, index, text, (uint32_t)utf16_len(text)))
        return false;
    e->course = COURSE_TYPED;
    e->typed = text.len;
    return true;
}

static bool delete_typed(struct um_crdt *doc, const struct um_crdt_type *ref, uint32_t index, uint32_t n)
{
    uint32_t type;

    if (type_open(doc, ref, TYPES_TEXT, &type) != UM_OK || !take_back(doc, type, index, n))
        return false;
    doc->edit->course = COURSE_TAKEN;
    return true;
}

um_err um_crdt_text_insert(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index, struct um_span text,
                           struct um_span attrs)
{
    uint32_t t;
    um_err err;

    if (edit_is_first(doc) && attrs.data == NULL && insert_typed(doc, type, index, text))
        return UM_OK;
    if ((err = edit_start(doc, type, TYPES_TEXT, &t)) == UM_OK)
        err = text_insert(doc, t, index, text, attrs);
    return edit_end(doc, err);
}

um_err um_crdt_text_embed(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                          struct um_crdt_value *value, struct um_span attrs)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_TEXT, &t)) == UM_OK && (err = values_convert(doc, t, value, 1, IN_TEXT)) == UM_OK)
        err = fresh_insert(doc, t, index, attrs, false);
    return edit_end(doc, err);
}

static um_err range_format(struct um_crdt *doc, uint32_t type, uint32_t index, uint32_t n, struct um_span attrs)
{
    struct need need = { 0 };
    struct position p;
    struct survey s;
    struct text t;
    size_t from, to;
    uint32_t rest = n;
    um_err err;

    if (attrs.data == NULL)
        return UM_EINVAL;
    if ((err = text_open(doc, &t, type, attrs, &from, &to)) != UM_OK || (err = place_find(&t, index, &p)) != UM_OK)
        return err;
    s = survey_at(doc, type, &p);
    if (n == 0 || s.item == NONE)
        return UM_OK;
    if ((err = survey_pass(&t, &s, &rest, UNITS_FORMATTED)) != UM_OK || (err = survey_gap(&t, &s)) != UM_OK)
        return err;
    need.items = rest > 0;
    need.units = need.content = rest;
    need_marks(doc, &need, from, to, false);
    if ((err = marks_ready(doc)) != UM_OK || (err = edit_reserve(doc, &need)) != UM_OK)
        return err;
    place_take(&t, &p);
    text_want(&t, from, to);
    text_format(&t, n);
    return UM_OK;
}

um_err um_crdt_text_format(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index, uint32_t n,
                           struct um_span attrs)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_TEXT, &t)) == UM_OK)
        err = range_format(doc, t, index, n, attrs);
    return edit_end(doc, err);
}

static um_err range_delete_text(struct um_crdt *doc, uint32_t type, uint32_t index, uint32_t n)
{
    struct position p;
    struct survey s;
    struct text t;
    size_t from, to;
    uint32_t rest = n;
    um_err err;

    if ((err = text_open(doc, &t, type, UM_SPAN(NULL, 0), &from, &to)) != UM_OK ||
        (err = place_find(&t, index, &p)) != UM_OK)
        return err;
    s = survey_at(doc, type, &p);
    if (n == 0)
        return UM_OK;
    if ((err = survey_pass(&t, &s, &rest, UNITS_DELETED)) != UM_OK || (err = survey_gap(&t, &s)) != UM_OK ||
        (err = edit_reserve(doc, &(struct need){ 0 })) != UM_OK)
        return err;
    place_take(&t, &p);
    text_delete(&t, n);
    return UM_OK;
}

um_err um_crdt_text_delete(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index, uint32_t n)
{
    uint32_t t;
    um_err err;

    if (edit_is_first(doc) && delete_typed(doc, type, index, n))
        return UM_OK;
    if ((err = edit_start(doc, type, TYPES_TEXT, &t)) == UM_OK)
        err = range_delete_text(doc, t, index, n);
    return edit_end(doc, err);
}
