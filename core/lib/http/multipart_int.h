/* The headers of a part, and of the whole form. */
#ifndef HTTP_MULTIPART_INT_H
#define HTTP_MULTIPART_INT_H
#include <umbel/multipart.h>

/* The boundary of multipart/form-data; false: it is none, or not a boundary by RFC 2046. TYPE may be NULL. */
bool multipart_boundary(const char *type, char out[UM_MULTIPART_BOUNDARY_MAX + 1]);

struct multipart_part {
    struct um_multipart_part part;           /* points to what follows */
    char *name, *filename, *type;
};
/* HEADERS: lines, each with its CRLF, the last one empty. UM_EPROTO with *WHY, a literal. */
um_err multipart_part_parse(struct multipart_part *out, const struct um_buf *headers, const char **why) UM_CHECK_RESULT;
void multipart_part_free(struct multipart_part *p);

#endif
