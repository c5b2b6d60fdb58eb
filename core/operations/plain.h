/* The words of a file, as far as this process can read it: texts, JSON, XML, HTML. Others are read by handlers behind URLs, which send
 * the text to …/content/index. */
#ifndef OPERATIONS_PLAIN_H
#define OPERATIONS_PLAIN_H
#include <umbel/bytes.h>

bool plain_can_read(const char *format);     /* a media type, with or without parameters */
/* BYTES may be cut anywhere. What is no UTF-8 is read as Latin-1. */
void plain_text(const char *format, struct um_span bytes, struct um_buf *out);

#endif
