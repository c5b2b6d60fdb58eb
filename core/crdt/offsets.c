/* Byte offsets of units within contents. Runs of ASCII need no looking; others are walked, and long ones get
 * milestones when they are cut for the first time in a transaction. */
#include "doc.h"

#define LONG 512u                     /* units from which on milestones are worth their making */
#define MILESTONE 8u

/* Steps over one value or character at P; its units. */
static const uint8_t *unit_step(enum kind kind, const uint8_t *p, const uint8_t *end, uint32_t *units)
{
    struct rd r = { p, end, UM_OK };

    *units = 1;
    if (kind == KIND_STRING) {
        size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

        *units = n == 4 ? 2 : 1;
        return p + n;
    }
    if (kind == KIND_JSON)
        rd_bytes(&r);
    else
        rd_any(&r, UINT32_MAX, false);
    return r.p;
}

/* The last region that begins at or before OFFSET; NONE. */
static uint32_t region_before(const struct um_crdt *doc, uint32_t offset)
{
    uint32_t lo = 0, hi = doc->regions.n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (doc->regions.v[mid].from <= offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo == 0 ? NONE : lo - 1;
}

static bool milestones_make(struct um_crdt *doc, enum kind kind, struct region *g)
{
    const uint8_t *base = doc->content.v, *p = base + g->from, *end = base + g->to;
    uint32_t unit = 0, next = 0, n;

    while (p < end) {
        if (unit >= next) {
            if (!vec_room(&doc->mem, &g->marks, 1))
                return false;
            g->marks.v[g->marks.n++] = (struct milestone){ (uint32_t)(p - base), unit };
            next = unit + MILESTONE;
        }
        p = unit_step(kind, p, end, &n);
        unit += n;
    }
    return g->marks.n > 0;
}

/* The region that holds IT's bytes; NULL: short, or no memory. */
static struct region *region_of(struct um_crdt *doc, const struct item *it)
{
    uint32_t k = region_before(doc, it->content);
    struct region g = { .from = it->content, .to = it->content + it->bytes };

    if (k != NONE && it->content + it->bytes <= doc->regions.v[k].to)
        return &doc->regions.v[k];
    if (it->len < LONG || !vec_room(&doc->mem, &doc->regions, 1))
        return NULL;
    if (!milestones_make(doc, it->kind, &g)) {
        vec_free(&doc->mem, &g.marks);
        return NULL;
    }
    k = k == NONE ? 0 : k + 1;
    memmove(doc->regions.v + k + 1, doc->regions.v + k, (doc->regions.n - k) * sizeof(g));
    doc->regions.v[k] = g;
    doc->regions.n++;
    return &doc->regions.v[k];
}

/* Does milestone I lie at or before OFFSET, or UNIT when OFFSET is NONE? */
static bool milestone_is_before(const struct region *g, uint32_t i, uint32_t offset, uint32_t unit)
{
    return offset != NONE ? g->marks.v[i].offset <= offset : g->marks.v[i].unit <= unit;
}

/* The last milestone before it; the first one is. Cuts come in clusters: the last answer and its neighbours first. */
static struct milestone milestone_before(struct region *g, uint32_t offset, uint32_t unit)
{
    uint32_t lo = 0, hi = g->marks.n, from = g->near > 0 ? g->near - 1 : 0, to = UM_MIN(g->near + 2, hi);

    if (milestone_is_before(g, from, offset, unit))
        lo = from;
    if (to < hi && !milestone_is_before(g, to, offset, unit))
        hi = to;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (milestone_is_before(g, mid, offset, unit))
            lo = mid;
        else
            hi = mid;
    }
    g->near = lo;
    return g->marks.v[lo];
}

static size_t region_offset(const struct um_crdt *doc, struct region *g, const struct item *it, uint32_t k,
                            bool *half)
{
    const uint8_t *base = doc->content.v, *end = base + g->to;
    struct milestone m = it->content == g->from ? g->marks.v[0] : milestone_before(g, it->content, 0);
    uint32_t n;

    for (const uint8_t *p = base + m.offset; p < base + it->content; m.unit += n)
        p = unit_step(it->kind, p, end, &n);
    k += m.unit;                          /* counted from the region's beginning */
    m = milestone_before(g, NONE, k);
    *half = false;
    while (m.unit < k) {
        const uint8_t *next = unit_step(it->kind, base + m.offset, end, &n);

        if (m.unit + n > k) {
            *half = true;
            break;
        }
        m.unit += n;
        m.offset = (uint32_t)(next - base);
    }
    return m.offset - it->content;
}

size_t content_offset(struct um_crdt *doc, const struct item *it, uint32_t k, bool *half)
{
    uint32_t halves = (uint32_t)((it->flags & F_HEAD_HALF) != 0) + ((it->flags & F_TAIL_HALF) != 0);
    struct region *g;

    *half = false;
    if (it->bytes == 0)
        return 0;
    if (it->kind == KIND_STRING && it->bytes == it->len - halves)
        return k;
    if ((g = region_of(doc, it)) != NULL)
        return region_offset(doc, g, it, k, half);
    return body_offset(it->kind, item_body(doc, it), k, half);
}

void offsets_drop(struct um_crdt *doc)
{
    for (uint32_t i = 0; i < doc->regions.n; i++)
        vec_free(&doc->mem, &doc->regions.v[i].marks);
    doc->regions.n = 0;
    if (doc->regions.cap > 64)
        vec_free(&doc->mem, &doc->regions);
}
