/* A call on libcurl. The guard stands where the socket is opened: every address that curl is about to connect to is judged there, be it
 * from a name, a kept look-up or the text of the URL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/util.h>
#include "outgoing_int.h"

enum { KEEP_S = 30 };                    /* an idle connection is not used again after */

#define SET(option, value) (curl_easy_setopt(c->easy, (option), (value)) == CURLE_OK)

/* ---- the guard ---- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct call *c = arg;
    struct address a;

    c->n_tried++;
    if (purpose != CURLSOCKTYPE_IPCXN || !address_of_sockaddr(&a, &to->addr, to->addrlen) ||
        !allow_lets(&c->o->allow, &a, c->name_allowed)) {
        c->n_refused++;
        c->refused_kind = address_of_sockaddr(&a, &to->addr, to->addrlen) ? address_kind(&a) : ADDRESS_RESERVED;
        return CURL_SOCKET_BAD;
    }
    count(M_CONNECTIONS, 1);
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* ---- the answer, as it comes ---- */

static size_t break_off(struct call *c, um_err err)
{
    c->broke = err;
    return 0;                            /* fewer than were given: curl ends the transfer */
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    struct call *c = arg;
    long status = 0;

    (void)size;
    c->head_bytes += n;                  /* of interim answers and trailers too: any number of them may come */
    if (c->head_bytes > UM_OUTGOING_ANSWER_HEAD_MAX)
        return break_off(c, UM_ELIMIT);
    if (c->head_done)
        return n;
    if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
        answer_forget_fields(c);
        return n;
    }
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->head_done = status >= 200 && (line[0] == '\r' || line[0] == '\n');
    return answer_add_field(c, line, n) ? n : break_off(c, UM_ENOMEM);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct call *c = arg;

    (void)size;
    if (c->answer.len + n > (size_t)c->o->cf.max_answer)
        return break_off(c, UM_ELIMIT);
    um_buf_put(&c->answer, data, n);
    return c->answer.failed ? break_off(c, UM_ENOMEM) : n;
}

/* ---- the request ---- */

static bool set_request(struct call *c)
{
    if (!SET(CURLOPT_URL, c->url_text) || !SET(CURLOPT_HTTPHEADER, c->headers))
        return false;
    if (strcmp(c->method, "HEAD") == 0)
        return SET(CURLOPT_NOBODY, 1L);
    if (strcmp(c->method, "GET") == 0 && c->body_len == 0)
        return SET(CURLOPT_HTTPGET, 1L);
    return SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len) && SET(CURLOPT_POSTFIELDS, (const char *)c->body) &&
           SET(CURLOPT_CUSTOMREQUEST, c->method);
}

static bool set_guard(struct call *c)
{
    return SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) && SET(CURLOPT_OPENSOCKETDATA, c) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && SET(CURLOPT_HTTP09_ALLOWED, 0L) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && (c->o->ca_file[0] == '\0' || SET(CURLOPT_CAINFO, c->o->ca_file));
}

/* QUICK_EXIT: a look-up that is given up ends in a thread of its own; curl would wait for it, and all calls with it, as long as a
 * name server likes. */
static bool set_time(struct call *c)
{
    int64_t left = UM_MAX(c->deadline_ms - um_now_ms(), 1);

    return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_QUICK_EXIT, 1L) && SET(CURLOPT_TIMEOUT_MS, (long)left) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, (long)UM_MIN(left, c->o->cf.connect_ms)) && SET(CURLOPT_MAXAGE_CONN, (long)KEEP_S);
}

static bool set_callbacks(struct call *c)
{
    return SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, c) && SET(CURLOPT_WRITEFUNCTION, on_body) &&
           SET(CURLOPT_WRITEDATA, c) && SET(CURLOPT_PRIVATE, (char *)c) && SET(CURLOPT_PATH_AS_IS, 1L);
}

um_err transfer_start(struct call *c)
{
    if ((c->easy = curl_easy_init()) == NULL || !set_request(c) || !set_guard(c) || !set_time(c) || !set_callbacks(c) ||
        curl_multi_add_handle(c->o->multi, c->easy) != CURLM_OK)
        return UM_ENOMEM;
    return UM_OK;
}

void transfer_drop(struct call *c)
{
    if (c->easy == NULL)
        return;
    curl_multi_remove_handle(c->o->multi, c->easy);
    curl_easy_cleanup(c->easy);
    c->easy = NULL;
}

/* ---- what its end means ---- */

struct verdict { CURLcode code; um_err err; const char *why; };
static const struct verdict verdicts[] = {
    { CURLE_OK,                       UM_OK,       "" },
    { CURLE_COULDNT_RESOLVE_HOST,     UM_EUNAVAIL, "its host is not known" },
    { CURLE_COULDNT_CONNECT,          UM_EUNAVAIL, "no connection" },
    { CURLE_SSL_CONNECT_ERROR,        UM_EUNAVAIL, "no secure connection" },
    { CURLE_PEER_FAILED_VERIFICATION, UM_EUNAVAIL, "its certificate is not to be trusted" },
    { CURLE_SSL_CACERT_BADFILE,       UM_EUNAVAIL, "outgoing.ca-file cannot be read" },
    { CURLE_URL_MALFORMAT,            UM_EDENIED,  "its URL is malformed" },
    { CURLE_UNSUPPORTED_PROTOCOL,     UM_EPROTO,   "its answer is not HTTP/1" },
    { CURLE_WEIRD_SERVER_REPLY,       UM_EPROTO,   "its answer is not HTTP/1" },
    { CURLE_BAD_CONTENT_ENCODING,     UM_EPROTO,   "its answer has a coding that we did not ask for" },
    { CURLE_OUT_OF_MEMORY,            UM_ENOMEM,   "out of memory" },
    { CURLE_GOT_NOTHING,              UM_EIO,      "the connection ended without an answer" },
    { CURLE_PARTIAL_FILE,             UM_EIO,      "the connection ended within the answer" },
};

static void conclude(struct call *c, um_err err, const char *why)
{
    c->err = err;
    snprintf(c->why, sizeof(c->why), "%s", why);
}

static void conclude_refused(struct call *c)
{
    c->err = UM_EDENIED;
    snprintf(c->why, sizeof(c->why), "its host leads to %s, which outgoing.allow does not have", address_kind_text(c->refused_kind));
}

static void conclude_late(struct call *c)
{
    curl_off_t sent_us = 0;

    curl_easy_getinfo(c->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    if (sent_us > 0)
        conclude(c, UM_ETIMEOUT, "no whole answer in time");
    else
        conclude(c, UM_EUNAVAIL, "no connection in time");
}

/* A single line beyond curl's own bound of 100 KB never reaches on_header: curl calls it a want of memory. */
static bool has_long_line(struct call *c, CURLcode code)
{
    curl_off_t began_us = 0;

    curl_easy_getinfo(c->easy, CURLINFO_STARTTRANSFER_TIME_T, &began_us);
    return code == CURLE_OUT_OF_MEMORY && began_us > 0 && !c->head_done;
}

void transfer_end(struct call *c, CURLcode code)
{
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &c->status);
    if (c->head_bytes > UM_OUTGOING_ANSWER_HEAD_MAX || has_long_line(c, code))
        return conclude(c, UM_ELIMIT, "its answer has too long a head");
    if (code == CURLE_WRITE_ERROR && c->broke == UM_ELIMIT)
        return conclude(c, UM_ELIMIT, "its answer is too large");
    if (code == CURLE_WRITE_ERROR && c->broke != UM_OK)
        return conclude(c, c->broke, um_err_text(c->broke));
    if (code == CURLE_COULDNT_CONNECT && c->n_refused > 0 && c->n_refused == c->n_tried)
        return conclude_refused(c);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return conclude_late(c);
    if (code == CURLE_OK && !c->head_done)
        code = CURLE_PARTIAL_FILE;           /* which curl takes for the whole */
    for (size_t i = 0; i < UM_COUNT(verdicts); i++)
        if (verdicts[i].code == code)
            return conclude(c, verdicts[i].err, verdicts[i].why);
    conclude(c, UM_EIO, "the connection broke");
}
