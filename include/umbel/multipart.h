/* multipart/form-data (RFC 7578), read while it arrives: fed in pieces of any size, it hands on what is in them. No part's body
 * is gathered; what it keeps is the headers of one part.
 *
 * Of a part: Content-Disposition (form-data with a name; filename, or filename*=UTF-8''..., which wins) and Content-Type.
 * Other headers are passed over, but for a Content-Transfer-Encoding that would change the body. Lone objects: no threads. */
#ifndef UMBEL_MULTIPART_H
#define UMBEL_MULTIPART_H
#include <umbel/bytes.h>

enum {
    UM_MULTIPART_BOUNDARY_MAX = 70,          /* bytes, RFC 2046 5.1.1 */
    UM_MULTIPART_PARTS_MAX = 1000,
    UM_MULTIPART_HEADERS_MAX = 8 << 10,      /* bytes of one part's headers, and of what stands before the first part */
    UM_MULTIPART_HELD_MAX = UM_MULTIPART_BOUNDARY_MAX + 4,       /* bytes that it holds back until it knows more */
};

struct um_multipart_part {                   /* borrowed during the call */
    const char *name;                        /* UTF-8, as are the others */
    const char *filename;                    /* without folders; "" when none was chosen; NULL: the part is no file */
    const char *type;                        /* as sent; NULL: none */
};
/* What is returned other than UM_OK ends the reading: um_multipart_feed answers with it. */
struct um_multipart_sink {
    um_err (*begin)(void *arg, const struct um_multipart_part *part);
    um_err (*piece)(void *arg, struct um_span bytes);
    um_err (*end)(void *arg);                /* of the part */
};

struct um_multipart;
/* CONTENT_TYPE: the request's. UM_EPROTO: it is not multipart/form-data with a boundary. SINK is copied. */
um_err um_multipart_new(struct um_multipart **out, const char *content_type, const struct um_multipart_sink *sink,
                        void *arg) UM_CHECK_RESULT;
void um_multipart_free(struct um_multipart *m);        /* NULL is fine; not inside the sink's functions */

/* The sink gets at most UM_MULTIPART_HELD_MAX bytes more than are fed. UM_EPROTO: malformed; UM_ELIMIT: a limit above. Errors
 * are final. */
um_err um_multipart_feed(struct um_multipart *m, struct um_span bytes) UM_CHECK_RESULT;
/* Nothing more comes. UM_EPROTO: the last boundary has not been there. */
um_err um_multipart_finish(struct um_multipart *m) UM_CHECK_RESULT;
const char *um_multipart_why(const struct um_multipart *m);      /* what was wrong, as a sentence for the client */

#endif
