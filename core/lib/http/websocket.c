/* The opening handshake of RFC 6455 4.2, and handing the socket over. libmicrohttpd checks nothing of it. It closes its own
 * descriptor on its next run, so a duplicate of the socket goes on, and all its memory for the connection is freed. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/socket.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "http_int.h"

bool um_http_wants_websocket(const struct um_http_req *rq)
{
    const char *upgrade = um_http_header(rq, "Upgrade");

    return upgrade != NULL && um_token_list_has(upgrade, "websocket");
}

void um_http_websocket_accept(const char *key, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    struct um_buf text = { 0 }, coded = { 0 };
    uint8_t digest[20];
    unsigned n = 0;

    um_buf_puts(&text, key);
    um_buf_puts(&text, guid);
    UM_ASSERT(!text.failed && EVP_Digest(text.data, text.len, digest, &n, EVP_sha1(), NULL) == 1 && n == sizeof(digest));
    um_base64_encode(&coded, UM_SPAN(digest, sizeof(digest)));
    UM_ASSERT(coded.len == 28);
    memcpy(out, coded.data, 28);
    out[28] = '\0';
    um_buf_free(&text);
    um_buf_free(&coded);
}

static const char *only_header(const struct um_http_req *rq, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < rq->n_fields; i++) {
        if (!um_ascii_ieq(rq->field[i].name, name))
            continue;
        if (value != NULL)
            return NULL;
        value = rq->field[i].value;
    }
    return value;
}

static bool is_key(const char *key)
{
    struct um_buf raw = { 0 };
    bool ok = key != NULL && strlen(key) == 24 && um_base64_decode(&raw, UM_SPAN(key, 24)) && raw.len == 16;

    um_buf_free(&raw);
    return ok;
}

/* Connection may come in several fields. */
static bool has_connection_token(const struct um_http_req *rq)
{
    for (size_t i = 0; i < rq->n_fields; i++)
        if (um_ascii_ieq(rq->field[i].name, "Connection") && um_token_list_has(rq->field[i].value, "upgrade"))
            return true;
    return false;
}

bool http_check_handshake(struct um_http_req *rq)
{
    const char *version = only_header(rq, "Sec-WebSocket-Version"), *why = NULL;

    if (strcmp(rq->method, "GET") != 0)
        why = "A WebSocket begins with GET.";
    else if (!rq->is_http11)
        why = "A WebSocket needs HTTP/1.1.";
    else if (!has_connection_token(rq))
        why = "Connection must say Upgrade.";
    else if (http_has_body(rq))
        why = "A WebSocket handshake has no body.";
    else if (!is_key(only_header(rq, "Sec-WebSocket-Key")))
        why = "Sec-WebSocket-Key is malformed.";
    if (why != NULL) {
        rq->close = true;
        um_http_reply_error(rq, 400, "U00400", why);
        return false;
    }
    if (version == NULL || strcmp(version, "13") != 0) {
        rq->close = true;                    /* what follows was meant for a tunnel */
        um_http_add_header(rq, "Sec-WebSocket-Version", "13");
        um_http_add_header(rq, "Upgrade", "websocket");
        um_http_reply_error(rq, 426, "U00400", "Only version 13 of the WebSocket protocol is spoken.");
        return false;
    }
    return true;
}

static void hand_over(void *cls, struct MHD_Connection *c, void *req, const char *extra, size_t n_extra, MHD_socket sock,
                      struct MHD_UpgradeResponseHandle *urh)
{
    struct um_http_req *rq = cls;
    struct um_http *h = rq->http;
    void (*take)(void *, int, struct um_span) = rq->take;
    int one = 1, fd = fcntl(sock, F_DUPFD_CLOEXEC, 3);

    (void)c;
    (void)req;
    rq->take = NULL;
    if (fd < 0)
        um_log_limited(UM_ERROR, "http", "no descriptor for a WebSocket");
    else
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    http_count(HTTP_M_UPGRADES, 1);
    take(rq->take_arg, fd, UM_SPAN(extra, n_extra));
    MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
    http_run_soon(h);                       /* frees the connection */
}

void um_http_upgrade(struct um_http_req *rq, const char *protocol,
                     void (*take)(void *arg, int fd, struct um_span early), void *arg)
{
    struct MHD_Response *r;
    char accept[29];

    if (rq->state == HTTP_DONE) {
        take(arg, -1, UM_SPAN(NULL, 0));
        return;
    }
    um_http_websocket_accept(only_header(rq, "Sec-WebSocket-Key"), accept);
    r = MHD_create_response_for_upgrade(hand_over, rq);
    UM_ASSERT(r != NULL);
    um_http_add_header(rq, "Upgrade", "websocket");
    um_http_add_header(rq, "Sec-WebSocket-Accept", accept);
    if (protocol != NULL)
        um_http_add_header(rq, "Sec-WebSocket-Protocol", protocol);
    rq->take = take;
    rq->take_arg = arg;
    http_finish(rq, 101, r);
}

void http_upgrade_lost(struct um_http_req *rq)
{
    void (*take)(void *, int, struct um_span) = rq->take;

    rq->take = NULL;
    if (take != NULL)
        take(rq->take_arg, -1, UM_SPAN(NULL, 0));
}
