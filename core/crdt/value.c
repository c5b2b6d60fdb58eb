/* JSON texts and `any` values, each made of the other.
 *
 * A scalar is translated at once. A container becomes a tree first: `any` counts what it holds in front, and
 * JavaScript orders an object's keys and drops equal ones. The tree points into the source and copies nothing; it is
 * linear in the source's size, and every walk has its own bounded stack. */
#include "value.h"
#include "mem.h"
#include "number.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <umbel/map.h>
#include <umbel/util.h>

#define EXPONENT_MAX (1L << 40)       /* of a number in JSON: far beyond what differs from zero or infinity */
#define EXPONENT_ROOM 24
#define FEW 12u                       /* entries of an object that are compared one by one */
#define NOTHING UINT32_MAX
#define NOT_INDEX UINT32_MAX          /* JavaScript's array indices end below it */

struct value_node {
    uint32_t at, key;                 /* offsets in the source; of what is in an object */
    uint32_t child, next;             /* or NOTHING */
    uint32_t n;                       /* children */
};

struct value_entry {                  /* of an object whose keys are being ordered */
    struct um_span key;               /* with halves of surrogate pairs as three bytes each */
    uint32_t node;
    uint32_t index;                   /* NOT_INDEX: a name */
};

struct tree;

/* What the ordering has to know about the source. */
struct source {
    struct um_span (*key)(struct tree *t, uint32_t at);
    bool (*is_dropped)(struct tree *t, const struct value_node *n);    /* JavaScript would not show it */
};

struct tree {
    struct um_span src;
    const struct source *source;
    struct value_room room;
    uint32_t *table;                  /* entries by key, while one object is ordered */
    uint32_t mask;
    bool lossy;
};

/* Open containers while a tree is built or walked. */
struct open {
    uint32_t node, last;
    uint64_t left;                    /* any: values to come */
};
struct stack {
    struct open v[VALUE_DEPTH_MAX];
    size_t n;
};

/* Small pieces come by the million: no call when there is room. */
static inline void put(struct um_buf *out, const char *s, size_t n)
{
    if (out->cap - out->len < n) {
        um_buf_put(out, s, n);
        return;
    }
    memcpy(out->data + out->len, s, n);
    out->len += n;
}

static inline void put_char(struct um_buf *out, char c) { put(out, &c, 1); }

/* ---- building ------------------------------------------------------------------------------------------ */

void value_room_free(struct value_room *room)
{
    if (room->mem.alloc.free == NULL)     /* never used */
        return;
    vec_free(&room->mem, &room->nodes);
    vec_free(&room->mem, &room->entries);
    um_buf_free(&room->keys);
}

static void tree_begin(struct tree *t, const struct value_room *room)
{
    t->room = *room;
    t->room.nodes.n = 0;
    if (t->room.mem.alloc.free == NULL)
        mem_init(&t->room.mem, NULL);
}

static bool node_add(struct tree *t, struct stack *s, uint32_t key, size_t at)
{
    uint32_t i = t->room.nodes.n;

    if (!vec_room(&t->room.mem, &t->room.nodes, 1))
        return false;
    t->room.nodes.v[t->room.nodes.n++] = (struct value_node){ (uint32_t)at, key, NOTHING, NOTHING, 0 };
    if (s->n > 0) {
        struct open *o = &s->v[s->n - 1];

        if (o->last == NOTHING)
            t->room.nodes.v[o->node].child = i;
        else
            t->room.nodes.v[o->last].next = i;
        o->last = i;
        t->room.nodes.v[o->node].n++;
    }
    return true;
}

/* The newest node holds others. */
static bool stack_push(struct tree *t, struct stack *s, uint64_t left)
{
    if (s->n == VALUE_DEPTH_MAX)
        return false;
    s->v[s->n++] = (struct open){ t->room.nodes.n - 1, NOTHING, left };
    return true;
}

/* ---- JavaScript's order of keys ------------------------------------------------------------------------ */

/* KEY as an array index: its canonical decimal form below 2^32-1. */
static uint32_t key_index(struct um_span key)
{
    uint64_t v = 0;

    if (key.len == 0 || key.len > 10 || (key.len > 1 && key.data[0] == '0'))
        return NOT_INDEX;
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] < '0' || key.data[i] > '9')
            return NOT_INDEX;
        v = v * 10 + (key.data[i] - '0');
    }
    return v < NOT_INDEX ? (uint32_t)v : NOT_INDEX;
}

static int entry_by_index(const void *a, const void *b)
{
    const struct value_entry *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

/* The entry with E's key among the first N, found by the table (NOTHING: a free place), or by looking at
 * each when there is none. */
static struct value_entry *entry_find(struct tree *t, const struct value_entry *e, uint32_t n, uint32_t **place)
{
    struct value_entry *v = t->room.entries.v;

    if (t->table == NULL) {
        for (uint32_t i = 0; i < n; i++)
            if (um_span_eq(v[i].key, e->key))
                return &v[i];
        return NULL;
    }
    for (uint64_t h = um_hash_keyed(t->room.hash_key, e->key);; h++) {
        *place = &t->table[h & t->mask];
        if (**place == NOTHING)
            return NULL;
        if (um_span_eq(v[**place].key, e->key))
            return &v[**place];
    }
}

/* Of equal keys the first gives the place and the last the value. */
static void entries_unite(struct tree *t)
{
    uint32_t n = 0, *place = NULL;

    for (uint32_t i = 0; i < t->room.entries.n; i++) {
        struct value_entry e = t->room.entries.v[i], *same = entry_find(t, &e, n, &place);

        if (same != NULL) {
            same->node = e.node;
            continue;
        }
        if (place != NULL)
            *place = n;
        t->room.entries.v[n++] = e;
    }
    t->room.entries.n = n;
}

/* Array indices first. */
static bool entries_order(struct tree *t)
{
    uint32_t n = t->room.entries.n, k = 0;
    struct value_entry *v = t->room.entries.v, *names;

    for (uint32_t i = 0; i < n; i++)
        k += v[i].index != NOT_INDEX;
    if (k == 0)
        return true;
    if (!vec_room(&t->room.mem, &t->room.entries, n))       /* behind them: the others, which keep their order */
        return false;
    v = t->room.entries.v;
    names = v + n;
    k = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].index != NOT_INDEX)
            v[k++] = v[i];
        else
            *names++ = v[i];
    }
    qsort(v, k, sizeof(*v), entry_by_index);
    memcpy(v + k, t->room.entries.v + n, (n - k) * sizeof(*v));
    return true;
}

static bool entries_settle(struct tree *t)
{
    uint32_t size = 32;

    while (size < t->room.entries.n * 2)
        size *= 2;
    if (t->room.entries.n > FEW) {
        if ((t->table = mem_resize(&t->room.mem, NULL, 0, size * sizeof(*t->table))) == NULL)
            return false;
        memset(t->table, 0xff, size * sizeof(*t->table));
        t->mask = size - 1;
        if ((t->room.hash_key[0] | t->room.hash_key[1]) == 0)
            um_random_bytes(t->room.hash_key, sizeof(t->room.hash_key));
    }
    entries_unite(t);
    mem_free(&t->room.mem, t->table, size * sizeof(*t->table));
    t->table = NULL;
    return entries_order(t);
}

static void entries_link(struct tree *t, struct value_node *object)
{
    uint32_t *link = &object->child;

    object->n = 0;
    for (uint32_t i = 0; i < t->room.entries.n; i++) {
        struct value_node *e = &t->room.nodes.v[t->room.entries.v[i].node];

        if (t->source->is_dropped(t, e))
            continue;
        *link = t->room.entries.v[i].node;
        link = &e->next;
        object->n++;
    }
    *link = NOTHING;
}

/* All entries of the object OF are known. */
static bool object_order(struct tree *t, uint32_t of)
{
    struct value_node *object = &t->room.nodes.v[of];

    if (object->n < 2) {
        if (object->n == 1 && t->source->is_dropped(t, &t->room.nodes.v[object->child])) {
            object->child = NOTHING;
            object->n = 0;
        }
        return true;
    }
    t->room.entries.n = 0;
    if (!vec_room(&t->room.mem, &t->room.entries, object->n))
        return false;
    um_buf_clear(&t->room.keys);
    for (uint32_t i = object->child; i != NOTHING; i = t->room.nodes.v[i].next) {
        struct um_span key = t->source->key(t, t->room.nodes.v[i].key);

        if (key.data == NULL)
            return false;
        t->room.entries.v[t->room.entries.n++] = (struct value_entry){ key, i, key_index(key) };
    }
    if (!entries_settle(t))
        return false;
    entries_link(t, object);
    return true;
}

/* ---- JSON as a source ---------------------------------------------------------------------------------- */

/* Behind the string whose opening quote is at P. */
static const uint8_t *string_end(const uint8_t *p)
{
    for (p++; *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p + 1;
}

static uint32_t hex4(const uint8_t *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v = v << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return v;
}

static uint8_t *put_utf8(uint8_t *out, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(n == 1 ? c : (0xf00u >> n | c));
    return out + n;
}

/* An escape \uXXXX at P (its x's), or two of them that are a pair; moves P behind. */
static uint32_t escaped_char(const uint8_t **p, const uint8_t *end)
{
    uint32_t c = hex4(*p), low;

    *p += 4;
    if (c >= 0xd800 && c < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        low = hex4(*p + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *p += 6;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return c;
}

/* The text of a JSON string, at most as long as it. HALVES: half a pair as its three bytes instead of U+FFFD, so
 * that different keys stay different. */
static uint8_t *unescape(uint8_t *out, struct um_span quoted, bool halves)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const uint8_t *p = quoted.data + 1, *end = quoted.data + quoted.len - 1;

    while (p < end) {
        const uint8_t *run = p;
        const char *k;
        uint32_t c;

        while (p < end && *p != '\\')
            p++;
        out = wr_bytes(out, run, (size_t)(p - run));
        if (p == end)
            return out;
        c = p[1];
        p += 2;
        if (c == 'u') {
            c = escaped_char(&p, end);
            out = put_utf8(out, !halves && c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
        } else {
            k = strchr(from, (int)c);
            *out++ = k != NULL ? (uint8_t)to[k - from] : (uint8_t)c;
        }
    }
    return out;
}

static struct um_span json_quoted(const uint8_t *p) { return UM_SPAN(p, (size_t)(string_end(p) - p)); }

/* Keys with escapes are unescaped to a buffer that must not move while they are compared: it gets room for all of
 * the source at once. */
static struct um_span json_key_text(struct tree *t, uint32_t at)
{
    struct um_span quoted = json_quoted(t->src.data + at);
    struct um_span key = UM_SPAN(quoted.data + 1, quoted.len - 2);
    uint8_t *room;

    if (memchr(key.data, '\\', key.len) == NULL)
        return key;
    if (um_buf_room(&t->room.keys, t->src.len - t->room.keys.len) == NULL)
        return UM_SPAN(NULL, 0);
    room = t->room.keys.data + t->room.keys.len;
    key = UM_SPAN(room, (size_t)(unescape(room, quoted, true) - room));
    um_buf_advance(&t->room.keys, key.len);
    return key;
}

static bool json_is_dropped(struct tree *t, const struct value_node *n)
{
    (void)t;
    (void)n;
    return false;
}

static const struct source json_source = { json_key_text, json_is_dropped };

static const uint8_t *blank_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t' || *p == ',' || *p == ':'))
        p++;
    return p;
}

static const uint8_t *scalar_end(const uint8_t *p, const uint8_t *end)
{
    if (*p == '"')
        return string_end(p);
    while (p < end && (*p == '-' || *p == '+' || *p == '.' || (*p >= '0' && *p <= '9') || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')))
        p++;
    return p;
}

/* The text is well-formed, so it only has to be followed. */
static um_err json_tree(struct tree *t, struct stack *s)
{
    const uint8_t *p = t->src.data, *end = p + t->src.len;

    do {
        uint32_t key = NOTHING;

        p = blank_end(p, end);
        if (*p == ']' || *p == '}') {
            if (*p++ == '}' && !object_order(t, s->v[s->n - 1].node))
                return UM_ENOMEM;
            s->n--;
            continue;
        }
        if (s->n > 0 && t->src.data[t->room.nodes.v[s->v[s->n - 1].node].at] == '{') {
            key = (uint32_t)(p - t->src.data);
            p = blank_end(string_end(p), end);
        }
        if (!node_add(t, s, key, (size_t)(p - t->src.data)))
            return UM_ENOMEM;
        if (*p != '[' && *p != '{')
            p = scalar_end(p, end);
        else if (p++, !stack_push(t, s, 0))
            return UM_ELIMIT;
    } while (s->n > 0);
    return UM_OK;
}

/* ---- writing any --------------------------------------------------------------------------------------- */

static bool is_float32(double v)
{
    double back;

    if (isinf(v))
        return true;
    if (!(fabs(v) <= (double)FLT_MAX))
        return false;
    back = (double)(float)v;
    return !(back < v) && !(back > v);
}

static uint8_t *put_big_endian(uint8_t *p, uint64_t v, int bytes)
{
    while (bytes-- > 0)
        *p++ = (uint8_t)(v >> 8 * bytes);
    return p;
}

void any_put_number(struct um_buf *out, double v)
{
    union { double f; uint64_t u; } f64 = { .f = isnan(v) ? (double)NAN : v };
    uint8_t *start = um_buf_room(out, 1 + LIB0_SINT_MAX_BYTES), *p = start;

    if (p == NULL)
        return;
    if (fabs(v) <= 2147483647 && !(floor(v) < v)) {
        *p++ = ANY_INT;
        p = wr_sint(p, (uint64_t)fabs(v), signbit(v) != 0);
    } else if (is_float32(v)) {
        union { float f; uint32_t u; } f32 = { .f = (float)v };

        *p++ = ANY_FLOAT32;
        p = put_big_endian(p, f32.u, 4);
    } else {
        *p++ = ANY_FLOAT64;
        p = put_big_endian(p, isnan(v) ? 0x7ff8000000000000u : f64.u, 8);
    }
    um_buf_advance(out, (size_t)(p - start));
}

void any_put_string(struct um_buf *out, struct um_span s)
{
    um_buf_put_u8(out, ANY_STRING);
    buf_put_string(out, s);
}

void json_unescape(struct um_buf *out, struct um_span quoted)
{
    uint8_t *room = um_buf_room(out, quoted.len);

    if (room != NULL)
        um_buf_advance(out, (size_t)(unescape(room, quoted, false) - room));
}

static void put_unescaped(struct um_buf *out, struct um_span quoted)
{
    struct um_buf text = { 0 };

    if (memchr(quoted.data, '\\', quoted.len) == NULL) {
        buf_put_string(out, UM_SPAN(quoted.data + 1, quoted.len - 2));
        return;
    }
    json_unescape(&text, quoted);
    buf_put_string(out, UM_SPAN(text.data, text.len));
    out->failed |= text.failed;
    um_buf_free(&text);
}

/* strtod without its decimal point, which depends on the locale: 12.5e3 is read as 125e2. ROOM: for TEXT and an
 * exponent. */
static double number_parse(struct um_span text, char *room)
{
    bool point = false, negative = false;
    long exponent = 0, e = 0;
    char *p = room;
    size_t i = 0;

    for (; i < text.len && (text.data[i] | 0x20) != 'e'; i++) {
        exponent -= point;
        if (text.data[i] == '.')
            point = true;
        else
            *p++ = (char)text.data[i];
    }
    for (; i < text.len; i++) {
        negative |= text.data[i] == '-';
        if (text.data[i] >= '0' && text.data[i] <= '9')
            e = UM_MIN(e * 10 + (text.data[i] - '0'), EXPONENT_MAX);
    }
    exponent += negative ? -e : e;
    sprintf(p, "e%ld", exponent);
    return strtod(room, NULL);
}

static void put_parsed_number(struct um_buf *out, struct um_span text)
{
    bool negative = text.data[0] == '-';
    char few[80], *room = few;
    uint64_t v = 0;
    size_t i = negative;

    if (text.len < 10) {
        while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9')
            v = v * 10 + (text.data[i++] - '0');
        if (i == text.len) {
            any_put_number(out, negative ? -(double)v : (double)v);
            return;
        }
    }
    if (text.len + EXPONENT_ROOM > sizeof(few) && (room = malloc(text.len + EXPONENT_ROOM)) == NULL) {
        out->failed = true;
        return;
    }
    any_put_number(out, number_parse(text, room));
    if (room != few)
        free(room);
}

/* The JSON scalar at P. */
static void any_put_scalar(struct um_buf *out, const uint8_t *p, const uint8_t *end)
{
    switch (*p) {
    case '"':
        um_buf_put_u8(out, ANY_STRING);
        put_unescaped(out, json_quoted(p));
        return;
    case 't': um_buf_put_u8(out, ANY_TRUE); return;
    case 'f': um_buf_put_u8(out, ANY_FALSE); return;
    case 'n': um_buf_put_u8(out, ANY_NULL); return;
    default:  put_parsed_number(out, UM_SPAN(p, (size_t)(scalar_end(p, end) - p)));
    }
}

/* ---- walking a tree ------------------------------------------------------------------------------------ */

/* How a tree is written; FIRST of its container. */
struct form {
    void (*key)(struct um_buf *out, struct tree *t, uint32_t at, bool first);
    void (*item)(struct um_buf *out, struct tree *t, bool first);         /* before an element of a list */
    void (*value)(struct um_buf *out, struct tree *t, const struct value_node *n, bool object);
    void (*close)(struct um_buf *out, bool object);
    uint8_t object, list;             /* what the source's containers begin with */
};

static um_err tree_write(struct tree *t, struct stack *s, const struct form *f, struct um_buf *out)
{
    uint32_t i = 0;

    s->n = 0;
    for (;;) {
        const struct value_node *n = &t->room.nodes.v[i];
        uint8_t head = t->src.data[n->at];

        f->value(out, t, n, head == f->object);
        if (head == f->object || head == f->list)
            s->v[s->n++] = (struct open){ i, n->child, n->n };
        while (s->n > 0 && s->v[s->n - 1].last == NOTHING)
            f->close(out, t->src.data[t->room.nodes.v[s->v[--s->n].node].at] == f->object);
        if (s->n == 0 || out->failed)
            return out->failed ? UM_ENOMEM : UM_OK;
        i = s->v[s->n - 1].last;
        s->v[s->n - 1].last = t->room.nodes.v[i].next;
        n = &t->room.nodes.v[s->v[s->n - 1].node];
        if (t->src.data[n->at] == f->object)
            f->key(out, t, t->room.nodes.v[i].key, i == n->child);
        else
            f->item(out, t, i == n->child);
    }
}

/* ---- JSON to any --------------------------------------------------------------------------------------- */

static void any_key(struct um_buf *out, struct tree *t, uint32_t at, bool first)
{
    (void)first;
    put_unescaped(out, json_quoted(t->src.data + at));
}

static void any_item(struct um_buf *out, struct tree *t, bool first)
{
    (void)out;
    (void)t;
    (void)first;
}

static void any_value(struct um_buf *out, struct tree *t, const struct value_node *n, bool object)
{
    const uint8_t *p = t->src.data + n->at;

    if (object || *p == '[') {
        um_buf_put_u8(out, object ? ANY_OBJECT : ANY_ARRAY);
        buf_put_uint(out, n->n);
    } else {
        any_put_scalar(out, p, t->src.data + t->src.len);
    }
}

static void any_close(struct um_buf *out, bool object)
{
    (void)out;
    (void)object;
}

static const struct form any_form = { any_key, any_item, any_value, any_close, '{', '[' };

um_err json_to_any_in(struct value_room *room, struct um_span json, uint32_t max_depth, struct um_buf *out)
{
    struct tree t = { .src = json, .source = &json_source };
    const uint8_t *p, *end = json.data + json.len;
    UNSET struct stack s;
    um_err err;

    if (json.len >= NOTHING)
        return UM_ELIMIT;
    if ((err = json_check(json, max_depth)) != UM_OK)
        return err;
    p = blank_end(json.data, end);
    if (*p != '{' && *p != '[') {
        any_put_scalar(out, p, end);
        return out->failed ? UM_ENOMEM : UM_OK;
    }
    tree_begin(&t, room);
    s.n = 0;
    if ((err = json_tree(&t, &s)) == UM_OK)
        err = tree_write(&t, &s, &any_form, out);
    *room = t.room;
    return err;
}

um_err json_to_any(struct um_span json, uint32_t max_depth, struct um_buf *out)
{
    struct value_room room = { 0 };
    um_err err = json_to_any_in(&room, json, max_depth, out);

    value_room_free(&room);
    return err;
}

/* ---- any as a source ----------------------------------------------------------------------------------- */

static struct um_span any_key_text(struct tree *t, uint32_t at)
{
    struct rd r = rd_make(UM_SPAN(t->src.data + at, t->src.len - at));

    return rd_bytes(&r);
}

static bool any_is_dropped(struct tree *t, const struct value_node *n)
{
    bool undefined = t->src.data[n->at] == ANY_UNDEFINED;

    if (um_span_eq(any_key_text(t, n->key), UM_SPAN_STR("__proto__")))
        return true;
    t->lossy |= undefined;
    return undefined;
}

static const struct source any_source = { any_key_text, any_is_dropped };

/* Containers that are full. */
static um_err any_closed(struct tree *t, struct stack *s)
{
    while (s->n > 0 && s->v[s->n - 1].left == 0) {
        uint32_t node = s->v[--s->n].node;

        if (t->src.data[t->room.nodes.v[node].at] == ANY_OBJECT && !object_order(t, node))
            return UM_ENOMEM;
    }
    return UM_OK;
}

static um_err any_tree(struct tree *t, struct stack *s)
{
    struct rd r = rd_make(t->src);
    um_err err;

    do {
        uint32_t key = NOTHING;

        if (s->n > 0) {
            struct open *o = &s->v[s->n - 1];

            o->left--;
            if (t->src.data[t->room.nodes.v[o->node].at] == ANY_OBJECT) {
                key = (uint32_t)(r.p - t->src.data);
                rd_bytes(&r);
            }
        }
        if (r.p == r.end)
            return UM_EPROTO;
        if (!node_add(t, s, key, (size_t)(r.p - t->src.data)))
            return UM_ENOMEM;
        if (*r.p != ANY_OBJECT && *r.p != ANY_ARRAY) {
            rd_any(&r, 0, false);
        } else {
            r.p++;
            if (!stack_push(t, s, rd_uint(&r)))
                return UM_ELIMIT;
        }
        if (r.err != UM_OK)
            return r.err;
        if ((err = any_closed(t, s)) != UM_OK)
            return err;
    } while (s->n > 0);
    return UM_OK;
}

/* ---- any to JSON --------------------------------------------------------------------------------------- */

static void escape_put(struct um_buf *out, uint8_t c)
{
    static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\", hex[] = "0123456789abcdef";
    const char *k = c == 0 ? NULL : strchr(from, c);
    char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

    if (k != NULL)
        text[1] = to[k - from];
    put(out, text, k != NULL ? 2 : sizeof(text));
}

void json_escape(struct um_buf *out, struct um_span s)
{
    const uint8_t *p = s.data, *end = p + s.len;

    while (p < end) {
        const uint8_t *run = p;

        while (p < end && *p >= 0x20 && *p != '"' && *p != '\\')
            p++;
        if (p > run)
            um_buf_put(out, run, (size_t)(p - run));
        if (p < end)
            escape_put(out, *p++);
    }
}

void json_put_string(struct um_buf *out, struct um_span s)
{
    put_char(out, '"');
    json_escape(out, s);
    put_char(out, '"');
}

static bool json_put_number(struct um_buf *out, double v)
{
    char text[32];

    if (isfinite(v))
        um_buf_put(out, text, js_number(v, text));
    else
        put(out, "null", 4);
    return isfinite(v) && (!signbit(v) || v < 0);
}

/* Decimal digits in front of END; where they begin. */
static char *decimal(char *end, size_t v)
{
    do
        *--end = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    return end;
}

static void json_put_bytes(struct um_buf *out, struct um_span s)
{
    put_char(out, '{');
    for (size_t i = 0; i < s.len; i++) {      /* written from the end: ,"12":255 */
        char text[32], *end = text + sizeof(text), *p = decimal(end, s.data[i]);

        *--p = ':';
        *--p = '"';
        p = decimal(p, i);
        *--p = '"';
        if (i > 0)
            *--p = ',';
        put(out, p, (size_t)(end - p));
    }
    put_char(out, '}');
}

static void json_put_bigint(struct um_buf *out, struct rd *r)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | rd_u8(r);
    um_buf_printf(out, "\"%lld\"", (long long)(int64_t)v);
}

/* False: JSON cannot hold it. */
static bool json_put_scalar(struct um_buf *out, struct rd *r)
{
    uint8_t tag = rd_u8(r);

    switch (tag) {
    case ANY_NULL:      put(out, "null", 4); return true;
    case ANY_TRUE:      put(out, "true", 4); return true;
    case ANY_FALSE:     put(out, "false", 5); return true;
    case ANY_STRING:    json_put_string(out, rd_bytes(r)); return true;
    case ANY_INT: case ANY_FLOAT32: case ANY_FLOAT64: return json_put_number(out, any_number(r, tag));
    case ANY_BIGINT:    json_put_bigint(out, r); return false;
    case ANY_BYTES:     json_put_bytes(out, rd_bytes(r)); return false;
    default:            put(out, "null", 4); return false;
    }
}

static void json_item(struct um_buf *out, struct tree *t, bool first)
{
    (void)t;
    if (!first)
        put_char(out, ',');
}

static void json_key(struct um_buf *out, struct tree *t, uint32_t at, bool first)
{
    json_item(out, t, first);
    json_put_string(out, any_key_text(t, at));
    put_char(out, ':');
}

static void json_value(struct um_buf *out, struct tree *t, const struct value_node *n, bool object)
{
    struct rd r = rd_make(UM_SPAN(t->src.data + n->at, t->src.len - n->at));

    if (object)
        put_char(out, '{');
    else if (*r.p == ANY_ARRAY)
        put_char(out, '[');
    else
        t->lossy |= !json_put_scalar(out, &r);
}

static void json_close(struct um_buf *out, bool object) { put_char(out, object ? '}' : ']'); }

static const struct form json_form = { json_key, json_item, json_value, json_close, ANY_OBJECT, ANY_ARRAY };

um_err any_to_json_in(struct value_room *room, struct um_span any, struct um_buf *out, bool *lossy)
{
    struct tree t = { .src = any, .source = &any_source };
    struct rd r = rd_make(any);
    UNSET struct stack s;
    um_err err;

    *lossy = false;
    if (any.len == 0)
        return UM_EPROTO;
    if (any.len >= NOTHING)
        return UM_ELIMIT;
    if (*r.p != ANY_OBJECT && *r.p != ANY_ARRAY) {
        *lossy = !json_put_scalar(out, &r);
        return r.err != UM_OK ? r.err : out->failed ? UM_ENOMEM : UM_OK;
    }
    tree_begin(&t, room);
    s.n = 0;
    if ((err = any_tree(&t, &s)) == UM_OK)
        err = tree_write(&t, &s, &json_form, out);
    *lossy = t.lossy;
    *room = t.room;
    return err;
}

um_err any_to_json(struct um_span any, struct um_buf *out, bool *lossy)
{
    struct value_room room = { 0 };
    um_err err = any_to_json_in(&room, any, out, lossy);

    value_room_free(&room);
    return err;
}
