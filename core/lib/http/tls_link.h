/* TLS with a client on one side, plain bytes through a socket pair on the other. Bounded: what has been read from one side goes
 * to the other before more is read. Each side's end is passed on to the other one; when both have ended, or one fails, the link
 * frees itself. */
#ifndef UMBEL_HTTP_TLS_LINK_H
#define UMBEL_HTTP_TLS_LINK_H
#include <umbel/list.h>
#include "tls.h"

struct tls_links {
    struct um_loop *loop;
    struct um_list list;
};

/* FD and PLAIN are the link's from now on, also when it fails. */
um_err tls_link_new(struct tls_links *all, struct http_tls *tls, int fd, int plain) UM_CHECK_RESULT;
void tls_links_free(struct tls_links *all);

#endif
