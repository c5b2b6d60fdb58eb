/* What is said about caches. On the channel `<namespace>:cache`:
 *
 *   'n' 1 origin scope name version news        nobody waits for an answer
 *   'w' 1 origin scope name version news        the origin waits
 *
 * and on `<namespace>:cache:applied:<origin>`, once it has been applied:
 *
 *   'a' 1 member scope name version ''
 *
 * Texts and news have their length before them, numbers are lib0's varuint. origin: 16 random characters of one process in one
 * run. Further fields may follow in later versions. */
#ifndef CACHEGEN_MESSAGE_H
#define CACHEGEN_MESSAGE_H
#include <umbel/cachegen.h>

enum { ORIGIN_LEN = 16, WHO_MAX = 255 };

struct message {
    char kind;
    char who[WHO_MAX + 1];                   /* origin, or the member's id */
    char scope[UM_CACHEGEN_TEXT_MAX + 1], name[UM_CACHEGEN_TEXT_MAX + 1];
    uint64_t version;
    struct um_span news;                     /* borrowed */
};
void message_write(struct um_buf *out, const struct message *m);
bool message_read(struct message *out, struct um_span bytes);    /* false: not of this form */

#endif
