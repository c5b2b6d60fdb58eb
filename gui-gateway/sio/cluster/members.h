/* What the sharded and the streams adapter have in common: messages {type, data, uid, nsp} on a channel of all nodes of a namespace and one of
 * each node. */
#ifndef SIO_MEMBERS_H
#define SIO_MEMBERS_H
#include "cluster.h"

/* One that came by a channel: obeyed, taken as an answer, or passed over when it is ours or of another namespace. */
void members_hear(struct nsp *n, struct um_span payload);
/* For subscriptions with a namespace as their argument: of the channel of all, which makes it live, and of any other. */
extern const struct um_redis_sub_handler members_of_all, members_of_some;
/* The verb of a message that is to be obeyed, VERB_N for others. */
enum verb members_verb(const struct wire_msg *m);
int members_type(enum verb v);
/* `<key>#<nsp>#`, with LAST `<last>#`. Borrowed from OUT. */
struct um_span members_channel(struct um_buf *out, const struct nsp *n, struct um_span last);
/* An answer for r->uid's own channel; false when it cannot be written (told). */
bool members_answer(struct reply *r, const struct wire_say *what, enum wire_form form, struct um_buf *channel, struct um_buf *out);
#define MEMBERS_ALL ((struct um_span){ 0 })

#endif
