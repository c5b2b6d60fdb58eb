/* An S3-compatible store as a place. Each object has its CRC-32C as metadata, given at the put and compared at every get;
 * to servers that know checksums the same is sent as x-amz-checksum-crc32c, which they compare by themselves. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "counters.h"
#include "s3_int.h"

/* ---- checksums ---- */

struct s3_checks s3_checks_of(struct um_span bytes)
{
    struct s3_checks c = { .crc = um_crc32c(0, bytes.data, bytes.len) };
    const uint8_t big[4] = { (uint8_t)(c.crc >> 24), (uint8_t)(c.crc >> 16), (uint8_t)(c.crc >> 8), (uint8_t)c.crc };
    struct um_buf text = { 0 };

    um_base64_encode(&text, UM_SPAN(big, sizeof(big)));
    snprintf(c.meta, sizeof(c.meta), S3_META_CRC ": %08x", c.crc);
    snprintf(c.server, sizeof(c.server), "x-amz-checksum-crc32c: %s", um_buf_cstr(&text));
    um_buf_free(&text);
    return c;
}

static const char *value_of(const char *header)
{
    return strchr(header, ' ') + 1;
}

bool s3_answer_has_crc(const struct s3_answer *an, uint32_t crc)
{
    char expected[16];

    snprintf(expected, sizeof(expected), "%08x", crc);
    return strcmp(an->crc_meta, expected) == 0;
}

/* The server's own has a dash when it is one over the parts' checksums. */
static bool server_agrees(const struct s3_answer *an, const struct s3_checks *c)
{
    return an->crc_server[0] == '\0' || strchr(an->crc_server, '-') != NULL ||
           strcmp(an->crc_server, value_of(c->server)) == 0;
}

/* ---- calls ---- */

static um_err s3_put(void *worker, const char *key, struct um_span bytes)
{
    struct s3_worker *w = worker;
    struct s3_request rq = { .method = "PUT", .key = key, .body = bytes };
    struct s3_checks checks;
    struct s3_answer an;
    um_err err;

    if (bytes.len > w->s3->part_bytes)
        return s3_put_parts(w, key, bytes);
    checks = s3_checks_of(bytes);
    rq.headers[0] = "Content-Type: application/octet-stream";
    rq.headers[1] = checks.server;
    rq.headers[2] = checks.meta;
    err = s3_send(w, &rq, &an);
    s3_answer_free(&an);
    return err == UM_ENOTFOUND ? UM_EUNAVAIL : err;
}

static um_err get_once(struct s3_worker *w, const char *key, size_t max_bytes, struct um_bytes **out)
{
    struct s3_request rq = { .method = "GET", .key = key, .headers = { "x-amz-checksum-mode: ENABLED" },
                             .wants_object = true, .max_bytes = max_bytes };
    struct s3_answer an;
    um_err err = s3_send(w, &rq, &an);

    if (err == UM_OK && (an.status != 200 || an.object == NULL || an.have != an.object->len))
        err = UM_ECORRUPT;            /* an empty one was never put by us */
    if (err == UM_OK) {
        struct s3_checks c = s3_checks_of(um_bytes_span(an.object));

        if (!s3_answer_has_crc(&an, c.crc) || !server_agrees(&an, &c))
            err = UM_ECORRUPT;
    }
    if (err == UM_OK) {
        *out = an.object;
        an.object = NULL;
    }
    s3_answer_free(&an);
    return err;
}

/* Damage is read a second time: it may have happened on the way. */
static um_err s3_get(void *worker, const char *key, size_t max_bytes, struct um_bytes **out)
{
    um_err err = get_once(worker, key, max_bytes, out);

    return err == UM_ECORRUPT ? get_once(worker, key, max_bytes, out) : err;
}

static um_err s3_remove(void *worker, const char *key)
{
    struct s3_request rq = { .method = "DELETE", .key = key };
    struct s3_answer an;
    um_err err = s3_send(worker, &rq, &an);

    s3_answer_free(&an);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

/* ---- where it is ---- */

struct endpoint { char *scheme, *host, *port; };

static void free_endpoint(struct endpoint *ep)
{
    curl_free(ep->scheme);
    curl_free(ep->host);
    curl_free(ep->port);
}

/* http(s)://host[:port] and nothing else. */
static bool parse_endpoint(const char *text, struct endpoint *out)
{
    char *path = NULL, *more = NULL;
    CURLU *u = curl_url();
    bool ok;

    *out = (struct endpoint){ 0 };
    ok = u != NULL && curl_url_set(u, CURLUPART_URL, text, 0) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK;
    curl_url_get(u, CURLUPART_PORT, &out->port, 0);
    ok = ok && (strcmp(out->scheme, "http") == 0 || strcmp(out->scheme, "https") == 0) && strcmp(path, "/") == 0 &&
         curl_url_get(u, CURLUPART_USER, &more, 0) == CURLUE_NO_USER &&
         curl_url_get(u, CURLUPART_QUERY, &more, 0) == CURLUE_NO_QUERY &&
         curl_url_get(u, CURLUPART_FRAGMENT, &more, 0) == CURLUE_NO_FRAGMENT;
    curl_free(path);
    curl_free(more);
    curl_url_cleanup(u);
    return ok;
}

static bool make_base(struct s3 *s3, const struct archive_url *url, const struct um_archive_conf *cf, const char *region)
{
    bool in_path = cf->s3_path_style == UM_ARCHIVE_STYLE_PATH ||
                   (cf->s3_path_style == UM_ARCHIVE_STYLE_AUTO && cf->s3_endpoint[0] != '\0');
    char *aws = um_xasprintf("https://s3.%s.amazonaws.com", region);
    struct endpoint ep;
    bool ok = parse_endpoint(cf->s3_endpoint[0] != '\0' ? cf->s3_endpoint : aws, &ep);

    s3->bucket_in_path = in_path;
    if (ok) {
        const char *colon = ep.port != NULL ? ":" : "", *port = ep.port != NULL ? ep.port : "";

        s3->base = in_path ? um_xasprintf("%s://%s%s%s/%s", ep.scheme, ep.host, colon, port, url->bucket)
                           : um_xasprintf("%s://%s.%s%s%s", ep.scheme, url->bucket, ep.host, colon, port);
        ok = in_path || ep.host[0] != '[';
    }
    free_endpoint(&ep);
    free(aws);
    return ok;
}

/* ---- life ---- */

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void s3_close(void *self)
{
    struct s3 *s3 = self;

    if (s3->secret_key != NULL)
        explicit_bzero(s3->secret_key, strlen(s3->secret_key));
    free(s3->base);
    free(s3->prefix);
    free(s3->signer);
    free(s3->access_key);
    free(s3->secret_key);
    free(s3->ca_file);
    free(s3);
}

/* It stands in a header. */
static bool is_access_key(const char *s)
{
    for (size_t i = 0; s[i] != '\0'; i++)
        if (s[i] <= 0x20 || s[i] >= 0x7f || s[i] == '/' || s[i] == ',')
            return false;
    return s[0] != '\0';
}

static um_err refuse(char why[256], const char *text)
{
    snprintf(why, 256, "%s", text);
    return UM_EINVAL;
}

static bool is_region(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

    return n > 0 && s[n] == '\0';
}

static um_err s3_open(void **self, const struct archive_url *url, const struct um_archive_conf *cf, char why[256])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *region = url->region[0] != '\0' ? url->region : cf->s3_region[0] != '\0' ? cf->s3_region : "us-east-1";
    struct s3 *s3 = um_xcalloc(1, sizeof(*s3));

    *self = s3;
    pthread_once(&once, init_curl);
    if (!is_region(region))
        return refuse(why, "archive.s3.region: letters, digits and dashes");
    if (!is_access_key(cf->s3_access_key) || cf->s3_secret_key[0] == '\0')
        return refuse(why, "archive.s3.access-key and archive.s3.secret-key are needed for an S3 store");
    if (!make_base(s3, url, cf, region))
        return refuse(why, "archive.s3.endpoint: expected http(s)://host[:port], and no address with path-style=false");
    s3->prefix = um_xasprintf("%s%s", url->prefix, url->prefix[0] != '\0' ? "/" : "");
    s3->signer = um_xasprintf("aws:amz:%s:s3", region);
    s3->access_key = um_xstrdup(cf->s3_access_key);
    s3->secret_key = um_xstrdup(cf->s3_secret_key);
    s3->ca_file = um_xstrdup(cf->s3_ca_file);
    s3->part_bytes = (size_t)cf->part_bytes;
    s3->timeout_ms = cf->timeout_ms;
    s3->retries = cf->retries;
    return UM_OK;
}

static um_err s3_worker_open(void *self, struct archive_stop *stop, void **worker)
{
    struct s3_worker *w = um_xcalloc(1, sizeof(*w));

    w->s3 = self;
    w->stop = stop;
    w->easy = curl_easy_init();
    if (w->easy == NULL) {
        free(w);
        return UM_ENOMEM;
    }
    *worker = w;
    return UM_OK;
}

static void s3_worker_close(void *worker)
{
    struct s3_worker *w = worker;

    curl_easy_cleanup(w->easy);
    free(w);
}

const struct archive_place archive_s3 = {
    .name = "s3", .open = s3_open, .close = s3_close, .worker_open = s3_worker_open, .worker_close = s3_worker_close,
    .put = s3_put, .get = s3_get, .remove = s3_remove, .list = s3_list,
};
