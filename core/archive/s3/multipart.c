/* A large object in parts: begin, the parts one after the other, complete. Whatever goes wrong between, the upload is
 * given up at the server, so that no parts nobody sees are paid for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "s3_int.h"

struct upload {
    struct s3_worker *w;
    const char *key;
    struct um_span bytes;
    struct s3_checks checks;
    size_t part_bytes;
    char id[3 * S3_UPLOAD_ID_MAX + 1];   /* percent-encoded */
    struct um_buf list;                  /* what completes it, in XML */
};

static bool keep_id(void *arg, const char *path, const char *text)
{
    struct upload *u = arg;
    struct um_buf encoded = { 0 };

    if (strcmp(path, "/InitiateMultipartUploadResult/UploadId") != 0)
        return true;
    if (strlen(text) > S3_UPLOAD_ID_MAX)
        return false;
    um_percent_encode(&encoded, UM_SPAN_STR(text));
    snprintf(u->id, sizeof(u->id), "%s", um_buf_cstr(&encoded));
    um_buf_free(&encoded);
    return true;
}

static um_err begin(struct upload *u)
{
    struct s3_request rq = { .method = "POST", .key = u->key, .query = "uploads=", .headers = {
        "Content-Type: application/octet-stream", "x-amz-checksum-algorithm: CRC32C", u->checks.meta } };
    struct s3_answer an;
    um_err err = s3_send(u->w, &rq, &an);

    if (err == UM_OK)
        err = s3_xml_read(UM_SPAN(an.text.data, an.text.len), keep_id, u);
    if (err == UM_OK && u->id[0] == '\0')
        err = UM_EPROTO;
    s3_answer_free(&an);
    return err;
}

static void escape(struct um_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("<>&\"", *text) != NULL)
            um_buf_printf(out, "&#%d;", *text);
        else
            um_buf_put_u8(out, (uint8_t)*text);
    }
}

static void note_part(struct upload *u, int number, const char *etag, const char *checksum)
{
    um_buf_printf(&u->list, "<Part><PartNumber>%d</PartNumber><ETag>", number);
    escape(&u->list, etag);
    um_buf_printf(&u->list, "</ETag><ChecksumCRC32C>%s</ChecksumCRC32C></Part>", checksum);
}

static um_err send_part(struct upload *u, int number, struct um_span part)
{
    struct s3_checks checks = s3_checks_of(part);
    char query[sizeof(u->id) + 64];
    struct s3_request rq = { .method = "PUT", .key = u->key, .query = query, .body = part,
        .headers = { "Content-Type: application/octet-stream", checks.server } };
    struct s3_answer an;
    um_err err;

    snprintf(query, sizeof(query), "partNumber=%d&uploadId=%s", number, u->id);
    err = s3_send(u->w, &rq, &an);
    if (err == UM_OK && an.etag[0] == '\0')
        err = UM_EPROTO;
    if (err == UM_OK)
        note_part(u, number, an.etag, strchr(checks.server, ' ') + 1);
    s3_answer_free(&an);
    return err;
}

static um_err send_parts(struct upload *u)
{
    size_t sent = 0;
    um_err err = UM_OK;

    um_buf_puts(&u->list, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (int number = 1; sent < u->bytes.len && err == UM_OK; number++) {
        size_t n = UM_MIN(u->part_bytes, u->bytes.len - sent);

        err = send_part(u, number, UM_SPAN(u->bytes.data + sent, n));
        sent += n;
    }
    um_buf_puts(&u->list, "</CompleteMultipartUpload>");
    return err == UM_OK && u->list.failed ? UM_ENOMEM : err;
}

/* The upload is gone: was it an earlier completion of ours whose answer got lost (libcurl too repeats a request on a
 * connection that turns out dead)? Then the object is there. */
static um_err look_whether_complete(struct upload *u)
{
    struct s3_request rq = { .method = "HEAD", .key = u->key };
    struct s3_answer an;
    um_err err = s3_send(u->w, &rq, &an);

    if (err == UM_OK && (!s3_answer_has_crc(&an, u->checks.crc) || an.length != (int64_t)u->bytes.len))
        err = UM_ENOTFOUND;
    s3_answer_free(&an);
    return err == UM_ENOTFOUND ? UM_EUNAVAIL : err;
}

static bool see_result(void *arg, const char *path, const char *text)
{
    (void)text;
    if (strcmp(path, "/CompleteMultipartUploadResult") == 0)
        *(bool *)arg = true;
    return true;
}

/* S3 may say 200 before it knows, and then send an error as the body. */
static um_err complete(struct upload *u)
{
    char query[sizeof(u->id) + 16];
    struct s3_request rq = { .method = "POST", .key = u->key, .query = query, .body = UM_SPAN(u->list.data, u->list.len),
        .headers = { "Content-Type: application/xml" } };
    struct s3_answer an;
    bool done = false;
    um_err err;

    snprintf(query, sizeof(query), "uploadId=%s", u->id);
    err = s3_send(u->w, &rq, &an);
    if (err == UM_OK)
        err = s3_xml_read(UM_SPAN(an.text.data, an.text.len), see_result, &done);
    if (err == UM_OK && !done)
        err = UM_EUNAVAIL;
    if (err == UM_ENOTFOUND)
        err = look_whether_complete(u);
    s3_answer_free(&an);
    return err;
}

static void give_up(struct upload *u)
{
    char query[sizeof(u->id) + 16];
    struct s3_request rq = { .method = "DELETE", .key = u->key, .query = query, .despite_stop = true };
    struct s3_answer an;
    um_err err;

    snprintf(query, sizeof(query), "uploadId=%s", u->id);
    err = s3_send(u->w, &rq, &an);
    s3_answer_free(&an);
    archive_count(M_ABORTED, 1);
    if (err != UM_OK && err != UM_ENOTFOUND)
        um_log_limited(UM_WARN, "archive", "parts may be left at the store", UM_S("key", u->key),
                       UM_S("error", um_err_text(err)));
}

um_err s3_put_parts(struct s3_worker *w, const char *key, struct um_span bytes)
{
    size_t least = (bytes.len + S3_PARTS_MAX - 1) / S3_PARTS_MAX;
    struct upload *u = um_xcalloc(1, sizeof(*u));
    um_err err;

    *u = (struct upload){ .w = w, .key = key, .bytes = bytes, .checks = s3_checks_of(bytes),
                          .part_bytes = UM_MAX(w->s3->part_bytes, least) };
    err = begin(u);
    if (err == UM_OK && ((err = send_parts(u)) != UM_OK || (err = complete(u)) != UM_OK))
        give_up(u);
    if (err == UM_OK)
        archive_count(M_MULTIPARTS, 1);
    um_buf_free(&u->list);
    free(u);
    return err == UM_ENOTFOUND ? UM_EUNAVAIL : err;
}
