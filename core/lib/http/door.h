/* The server's own listening socket, for connections that something has to be done with before they speak HTTP: the head of a
 * balancer is read (proxy_head.h), and TLS ends here. libmicrohttpd gets what is left, a descriptor with plain HTTP.
 *
 *   accepted --> HEAD --read--> libmicrohttpd's            without proxy-protocol: at once
 *                  |            with TLS: one end of a socket pair, whose other end is a tls_link
 *                  +-- malformed, too long, too late, from nobody we trust: closed, counted
 *
 * All on the server's loop. */
#ifndef UMBEL_HTTP_DOOR_H
#define UMBEL_HTTP_DOOR_H
#include "http_int.h"

struct http_door;

/* LISTEN_FD is the door's from now on, whatever becomes of it. */
um_err http_door_open(struct http_door **out, struct um_http *h, int listen_fd) UM_CHECK_RESULT;
void http_door_shut(struct http_door *d);    /* accepts nothing more; what is on its way goes on */
void http_door_free(struct http_door *d);    /* after libmicrohttpd has stopped; NULL is fine */
/* Once for each connection that libmicrohttpd takes up: does its client speak TLS, to us or to the balancer? */
bool http_door_arrived(struct http_door *d, int fd);

#endif
