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

/* Milestone I is the first unit at or behind I * MILESTONE where a character begins. */
static bool milestones_make(struct um_crdt *doc, enum kind kind, struct region *g)
{
    const uint8_t *base = doc->content.v, *p = base + g->from, *end = base + g->to;
    uint32_t unit = 0, n;

    while (p < end) {
        if (unit >= g->marks.n * MILESTONE) {
            if (!vec_room(&doc->mem, &g->marks, 1))
                return false;
            g->marks.v[g->marks.n++] = (struct milestone){ (uint32_t)(p - base), unit };
        }
        p = unit_step(kind, p, end, &n);
        unit += n;
    }
    return g->marks.n > 0;
}

/* The clock of the first unit that IT has bytes of. */
static uint32_t content_clock(const struct item *it) { return it->clock + ((it->flags & F_HEAD_HALF) != 0); }

/* The region that holds IT's bytes; NULL: short, or no memory. */
static const struct region *region_of(struct um_crdt *doc, const struct item *it)
{
    uint32_t k = region_before(doc, it->content);
    struct region g = { .from = it->content, .to = it->content + it->bytes, .clock = content_clock(it) };

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

/* The last milestone at or before UNIT. */
static struct milestone milestone_before(const struct region *g, uint32_t unit)
{
    uint32_t i = UM_MIN(unit / MILESTONE, g->marks.n - 1);

    return g->marks.v[g->marks.v[i].unit <= unit ? i : i - 1];
}

/* Bytes of IT in front of unit number UNIT of its region. */
static size_t region_offset(const struct um_crdt *doc, const struct region *g, const struct item *it, uint32_t unit,
                            bool *half)
{
    const uint8_t *base = doc->content.v, *end = base + g->to;
    struct milestone m = milestone_before(g, unit);
    uint32_t n;

    while (m.unit < unit) {
        const uint8_t *next = unit_step(it->kind, base + m.offset, end, &n);

        if (m.unit + n > unit) {
            *half = true;
            break;
        }
        m.unit += n;
        m.offset = (uint32_t)(next - base);
    }
    return m.offset - it->content;
}

/* No bytes, or one per unit: the answer is K or 0. */
static bool is_plain(const struct item *it)
{
    uint32_t halves = (uint32_t)((it->flags & F_HEAD_HALF) != 0) + ((it->flags & F_TAIL_HALF) != 0);

    return it->bytes == 0 || (it->kind == KIND_STRING && it->bytes == it->len - halves);
}

size_t content_offset(struct um_crdt *doc, const struct item *it, uint32_t k, bool *half)
{
    const struct region *g;

    *half = false;
    if (is_plain(it))
        return it->bytes == 0 ? 0 : k;
    if ((g = region_of(doc, it)) != NULL)
        return region_offset(doc, g, it, content_clock(it) + k - g->clock, half);
    return body_offset(it->kind, item_body(doc, it), k, half);
}

size_t content_offset_near(struct um_crdt *doc, const struct item *it, uint32_t k, bool *half)
{
    *half = false;
    if (is_plain(it))
        return it->bytes == 0 ? 0 : k;
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
