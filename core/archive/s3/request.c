/* One request to an S3 store: signed by libcurl (SigV4), judged, repeated when that may help. All our requests may be
 * repeated: each names the whole of what it wants.
 *
 * libcurl 7.88 signs what it is given: path and query have to be encoded and sorted as the signature wants them, and
 * x-amz-content-sha256 has to be among the headers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/evp.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "s3_int.h"

enum { CONNECT_MS = 10000, FAREWELL_MS = 1000, BACKOFF_MS = 100, BACKOFF_MAX_MS = 5000 };

struct transfer {
    struct s3_worker *w;
    const struct s3_request *rq;
    struct s3_answer *an;
    struct curl_slist *headers;
    char *url;
};

/* ---- the answer, as it comes ---- */

static void forget_answer(struct s3_answer *an)
{
    int tries = an->tries;

    s3_answer_free(an);
    *an = (struct s3_answer){ .tries = tries, .length = -1 };
}

void s3_answer_free(struct s3_answer *an)
{
    um_buf_free(&an->text);
    um_bytes_unref(an->object);
    an->object = NULL;
}

static bool take_header(const char *line, size_t n, const char *name, char out[S3_FIELD_MAX])
{
    size_t skip = strlen(name);

    if (n <= skip || strncasecmp(line, name, skip) != 0 || line[skip] != ':')
        return false;
    for (skip++; skip < n && (line[skip] == ' ' || line[skip] == '\t'); skip++)
        ;
    while (n > skip && strchr(" \t\r\n", line[n - 1]) != NULL)
        n--;
    if (n - skip < S3_FIELD_MAX)
        snprintf(out, S3_FIELD_MAX, "%.*s", (int)(n - skip), line + skip);
    return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    struct s3_answer *an = ((struct transfer *)arg)->an;

    (void)size;
    if (n > 5 && memcmp(line, "HTTP/", 5) == 0)
        an->etag[0] = an->crc_meta[0] = an->crc_server[0] = '\0';     /* of a 100 Continue before */
    else if (!take_header(line, n, "etag", an->etag) && !take_header(line, n, S3_META_CRC, an->crc_meta))
        take_header(line, n, "x-amz-checksum-crc32c", an->crc_server);
    return n;
}

static um_err begin_object(struct transfer *t)
{
    struct s3_answer *an = t->an;
    curl_off_t length = -1;

    curl_easy_getinfo(t->w->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length <= 0)
        return UM_EPROTO;
    if ((uint64_t)length > t->rq->max_bytes)
        return UM_ELIMIT;
    an->object = um_bytes_new((size_t)length);
    return an->object != NULL ? UM_OK : UM_ENOMEM;
}

static um_err add_to_object(struct transfer *t, const char *data, size_t n)
{
    struct s3_answer *an = t->an;
    um_err err = an->object == NULL ? begin_object(t) : UM_OK;

    if (err != UM_OK)
        return err;
    if (n > an->object->len - an->have)
        return UM_EPROTO;
    memcpy(an->object->data + an->have, data, n);
    an->have += n;
    return UM_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct s3_answer *an = t->an;
    long status = 0;

    (void)size;
    curl_easy_getinfo(t->w->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->rq->wants_object && status == 200) {
        an->refused = add_to_object(t, data, n);
    } else if (an->text.len + n > S3_TEXT_MAX) {
        an->refused = UM_EPROTO;
    } else {
        um_buf_put(&an->text, data, n);
        an->refused = an->text.failed ? UM_ENOMEM : UM_OK;
    }
    return an->refused == UM_OK ? n : 0;
}

static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct transfer *t = arg;

    (void)down_all;
    (void)down;
    (void)up_all;
    (void)up;
    return !t->rq->despite_stop && archive_stop_is_set(t->w->stop);
}

/* ---- the request ---- */

static void put_path(struct um_buf *out, const char *path)
{
    for (const char *p = path;;) {
        size_t n = strcspn(p, "/");

        um_percent_encode(out, UM_SPAN(p, n));
        if (p[n] == '\0')
            return;
        um_buf_put_u8(out, '/');
        p += n + 1;
    }
}

static char *make_url(const struct s3 *s3, const struct s3_request *rq)
{
    struct um_buf url = { 0 };
    char *text;

    um_buf_puts(&url, s3->base);
    if (rq->key != NULL || !s3->bucket_in_path)
        um_buf_put_u8(&url, '/');
    if (rq->key != NULL) {
        put_path(&url, s3->prefix);
        put_path(&url, rq->key);
    }
    if (rq->query != NULL) {
        um_buf_put_u8(&url, '?');
        um_buf_puts(&url, rq->query);
    }
    text = um_xstrdup(um_buf_cstr(&url));
    um_buf_free(&url);
    return text;
}

static bool add_header(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    if (longer != NULL)
        t->headers = longer;
    return longer != NULL;
}

static bool add_body_hash(struct transfer *t)
{
    static const char name[] = "x-amz-content-sha256: ";
    unsigned char digest[EVP_MAX_MD_SIZE];
    char line[sizeof(name) + 64];
    unsigned n = 0;

    if (EVP_Digest(t->rq->body.data != NULL ? t->rq->body.data : (const uint8_t *)"", t->rq->body.len, digest, &n,
                   EVP_sha256(), NULL) != 1 || n != 32)
        return false;
    memcpy(line, name, sizeof(name));
    for (unsigned i = 0; i < n; i++)
        snprintf(line + sizeof(name) - 1 + 2 * (size_t)i, 3, "%02x", digest[i]);
    return add_header(t, line);
}

static bool make_headers(struct transfer *t)
{
    bool ok = add_body_hash(t) && add_header(t, "Expect:") && add_header(t, "Accept:");

    for (int i = 0; i < S3_HEADERS_MAX && t->rq->headers[i] != NULL; i++)
        ok = ok && add_header(t, t->rq->headers[i]);
    return ok;
}

#define SET(option, value) (curl_easy_setopt(e, (option), (value)) == CURLE_OK)

static bool set_method(CURL *e, const struct s3_request *rq)
{
    if (strcmp(rq->method, "HEAD") == 0)
        return SET(CURLOPT_NOBODY, 1L);
    if (strcmp(rq->method, "PUT") == 0 || strcmp(rq->method, "POST") == 0)
        return SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.len) &&
               SET(CURLOPT_POSTFIELDS, rq->body.len > 0 ? (const char *)rq->body.data : "") &&
               SET(CURLOPT_CUSTOMREQUEST, rq->method);
    return SET(CURLOPT_HTTPGET, 1L) && SET(CURLOPT_CUSTOMREQUEST, rq->method);
}

static bool set_safety(CURL *e, const struct s3 *s3)
{
    return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) && SET(CURLOPT_PATH_AS_IS, 1L) &&
           (s3->ca_file[0] == '\0' || SET(CURLOPT_CAINFO, s3->ca_file));
}

static bool set_time(CURL *e, const struct transfer *t)
{
    int64_t ms = t->rq->despite_stop ? UM_MIN(t->w->s3->timeout_ms, FAREWELL_MS) : t->w->s3->timeout_ms;

    return SET(CURLOPT_TIMEOUT_MS, (long)ms) && SET(CURLOPT_CONNECTTIMEOUT_MS, (long)UM_MIN(ms, CONNECT_MS));
}

static bool set_callbacks(CURL *e, struct transfer *t)
{
    return SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, t) &&
           SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, t) &&
           SET(CURLOPT_XFERINFOFUNCTION, on_progress) && SET(CURLOPT_XFERINFODATA, t) && SET(CURLOPT_NOPROGRESS, 0L);
}

static bool set_all(struct transfer *t)
{
    const struct s3 *s3 = t->w->s3;
    CURL *e = t->w->easy;

    curl_easy_reset(e);
    return SET(CURLOPT_URL, t->url) && SET(CURLOPT_HTTPHEADER, t->headers) && SET(CURLOPT_AWS_SIGV4, s3->signer) &&
           SET(CURLOPT_USERNAME, s3->access_key) && SET(CURLOPT_PASSWORD, s3->secret_key) &&
           set_method(e, t->rq) && set_safety(e, s3) && set_time(e, t) && set_callbacks(e, t);
}

/* ---- what an answer means ---- */

struct verdict { um_err err; bool again; };

static bool keep_code(void *arg, const char *path, const char *text)
{
    struct s3_answer *an = arg;

    if (strcmp(path, "/Error/Code") == 0)
        snprintf(an->code, sizeof(an->code), "%s", text);
    return true;
}

/* Codes that say "not now" whatever the status, or that our bytes were damaged on their way. */
static bool is_passing(const char *code)
{
    static const char *const codes[] = {
        "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "OperationAborted",
        "BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch",
    };

    for (size_t i = 0; i < UM_COUNT(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static struct verdict judge_status(const struct s3_request *rq, const struct s3_answer *an)
{
    if (an->status >= 200 && an->status < 300)
        return (struct verdict){ UM_OK, false };
    if (an->status == 429 || an->status == 408 || an->status >= 500 || is_passing(an->code))
        return (struct verdict){ UM_EUNAVAIL, true };
    switch (an->status) {
    case 401: case 403:
        return (struct verdict){ UM_EDENIED, false };
    case 404:       /* a bucket that is not there must not look like an object that is not there */
        if (strcmp(rq->method, "HEAD") == 0 || strcmp(an->code, "NoSuchKey") == 0 || strcmp(an->code, "NoSuchUpload") == 0)
            return (struct verdict){ UM_ENOTFOUND, false };
        return (struct verdict){ UM_EUNAVAIL, false };
    default:
        return (struct verdict){ UM_EPROTO, false };
    }
}

static struct verdict judge(const struct s3_request *rq, const struct s3_answer *an, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return judge_status(rq, an);
    case CURLE_WRITE_ERROR:
        return (struct verdict){ an->refused != UM_OK ? an->refused : UM_EPROTO, false };
    case CURLE_OPERATION_TIMEDOUT:
        return (struct verdict){ UM_ETIMEOUT, true };
    case CURLE_OUT_OF_MEMORY:
        return (struct verdict){ UM_ENOMEM, false };
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
        return (struct verdict){ UM_EUNAVAIL, false };
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return (struct verdict){ UM_EPROTO, false };
    default:
        return (struct verdict){ UM_EUNAVAIL, true };
    }
}

static void log_failure(const struct transfer *t, um_err err, CURLcode code)
{
    if (err == UM_OK || err == UM_ENOTFOUND || err == UM_ELIMIT || code == CURLE_ABORTED_BY_CALLBACK)
        return;
    um_log_limited(UM_WARN, "archive", "request failed", UM_S("method", t->rq->method), UM_S("key", t->rq->key),
                   UM_I("status", t->an->status), UM_S("code", t->an->code),
                   UM_S("reason", code != CURLE_OK ? curl_easy_strerror(code) : um_err_text(err)),
                   UM_I("try", t->an->tries));
}

/* ---- tries ---- */

static struct verdict try_once(struct transfer *t)
{
    struct verdict v;
    CURLcode code;

    forget_answer(t->an);
    t->an->tries++;
    archive_count(M_REQUESTS, 1);
    if (!set_all(t))
        return (struct verdict){ UM_ENOMEM, false };
    code = curl_easy_perform(t->w->easy);
    curl_easy_getinfo(t->w->easy, CURLINFO_RESPONSE_CODE, &t->an->status);
    curl_easy_getinfo(t->w->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &t->an->length);
    if (code == CURLE_OK && t->an->status >= 300 &&
        s3_xml_read(UM_SPAN(t->an->text.data, t->an->text.len), keep_code, t->an) != UM_OK)
        t->an->code[0] = '\0';
    v = judge(t->rq, t->an, code);
    log_failure(t, v.err, code);
    return v;
}

/* Doubling, and any moment within it: so that many who failed together do not come back together. */
static bool wait_before(struct s3_worker *w, int tries)
{
    int64_t most = UM_MIN((int64_t)BACKOFF_MS << UM_MIN(tries, 10), BACKOFF_MAX_MS);

    return archive_stop_wait(w->stop, BACKOFF_MS / 2 + (int64_t)um_random_below((uint64_t)most));
}

um_err s3_send(struct s3_worker *w, const struct s3_request *rq, struct s3_answer *an)
{
    struct transfer t = { .w = w, .rq = rq, .an = an };
    struct verdict v = { UM_ENOMEM, false };

    *an = (struct s3_answer){ .length = -1 };
    if (rq->key != NULL && strlen(w->s3->prefix) + strlen(rq->key) > ARCHIVE_KEY_MAX)
        return UM_EINVAL;            /* S3's own limit is the same */
    t.url = make_url(w->s3, rq);
    if (make_headers(&t))
        v = try_once(&t);
    while (v.again && !rq->despite_stop && an->tries <= w->s3->retries && wait_before(w, an->tries)) {
        archive_count(M_RETRIES, 1);
        v = try_once(&t);
    }
    curl_slist_free_all(t.headers);
    free(t.url);
    return v.err;
}
