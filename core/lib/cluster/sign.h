/* Signs of life, as text on the channel `<namespace>:members` and as the value of a claim, `<namespace>:member:<id>`:
 *
 *   <incarnation> 1 <kind> <started> <load> <draining> =<id> =<role> =<address> =<version> =<serves>
 *
 * incarnation: 16 random characters, one process in one run. Texts are percent-encoded. kind: a (alive), b (bye),
 * w (who is there? everybody answers with a). serves: as struct um_member has it; may be missing. Further fields may follow in later versions. */
#ifndef CLUSTER_SIGN_H
#define CLUSTER_SIGN_H
#include <umbel/bytes.h>
#include <umbel/cluster.h>

enum { INCARNATION_LEN = 16, SIGN_MAX_BYTES = 4096 };

struct sign {
    char incarnation[INCARNATION_LEN + 1];
    char kind;
    int64_t started_at_ms, load;
    bool draining;
    char id[UM_MEMBER_TEXT_MAX + 1], role[UM_MEMBER_TEXT_MAX + 1], address[UM_MEMBER_TEXT_MAX + 1], version[UM_MEMBER_TEXT_MAX + 1],
         serves[UM_MEMBER_TEXT_MAX + 1];
};
void sign_write(struct um_buf *out, const struct sign *s);
bool sign_read(struct sign *out, struct um_span text);        /* false: not of this form */

/* A snapshot of SIGNS, sorted by id; SELF is the incarnation that is ours. */
struct um_members *view_new(const struct sign *const *signs, size_t n, const char *self);

#endif
