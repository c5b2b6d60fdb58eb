/* Delete sets and snapshots taken apart, and a snapshot laid over a document. */
#ifndef UM_CRDT_SNAPSHOT_H
#define UM_CRDT_SNAPSHOT_H
#include <umbel/crdt_snapshot.h>
#include "doc.h"
#include "ds.h"

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
