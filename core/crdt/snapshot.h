/* Delete sets and snapshots taken apart, and a snapshot laid over a document. */
#ifndef UM_CRDT_SNAPSHOT_H
#define UM_CRDT_SNAPSHOT_H
#include <umbel/crdt_snapshot.h>
#include "doc.h"

/* Client descending, clock ascending, no empty ranges, none that touch. */
typedef VEC(struct range) range_vec;

um_err ds_read(struct mem *m, struct um_span ds, const struct um_crdt_limits *limits, range_vec *out);
/* R: behind it */
um_err ds_read_from(struct mem *m, struct rd *r, const struct um_crdt_limits *limits, range_vec *out);
void ranges_normalise(range_vec *v);
void ranges_write(const range_vec *v, struct um_buf *out);
bool ranges_equal(const range_vec *a, const range_vec *b);
bool ranges_hold(const range_vec *v, const struct range *g);      /* all of G */
/* The first range of the sorted N that ends behind CLOCK; N when there is none. All of one client. */
uint32_t range_behind(const struct range *v, uint32_t n, uint32_t clock);

struct snapshot {
    range_vec ds;
    sv_vec sv;                        /* client descending, no clock 0 */
};
um_err snapshot_read(struct mem *m, struct um_span bytes, const struct um_crdt_limits *limits,
                     struct snapshot *out);
void snapshot_free(struct mem *m, struct snapshot *s);

/* What a snapshot shows of a document. yjs cuts items where the snapshot begins and ends to see something; here
 * an item shows in stretches, and the document stays as it is. */
struct seen {
    uint32_t clock;                   /* units below it are known */
    uint32_t from, n;                 /* deleted ranges */
};
struct view {
    struct snapshot snap;
    VEC(struct seen) clients;         /* by the document's numbers */
};
um_err view_make(struct mem *m, const struct um_crdt *doc, struct um_span snapshot, struct view *out);
void view_free(struct mem *m, struct view *w);
/* Is unit FROM of IT to be seen? *TO: up to which unit that is so. VIEW NULL: the present. */
bool view_stretch(const struct view *view, const struct item *it, uint32_t from, uint32_t *to);
/* Units of IT that the view's state vector knows. */
uint32_t view_known(const struct view *view, const struct item *it);

#endif
