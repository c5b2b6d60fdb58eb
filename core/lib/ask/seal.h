/* A text under our key: "<64 hexadecimal digits> <text>". */
#ifndef ASK_SEAL_H
#define ASK_SEAL_H
#include <umbel/bytes.h>

void seal(struct um_buf *out, struct um_span key, struct um_span text);

enum seal_by { SEAL_CURRENT, SEAL_PREVIOUS, SEAL_OTHER };
/* *TEXT is what stands behind the seal, whoever's it is. False: this is no sealed text. */
bool seal_open(struct um_span sealed, struct um_span key, struct um_span previous, struct um_span *text, enum seal_by *by);

#endif
