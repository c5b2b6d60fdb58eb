/* An S3-compatible store as a place. */
#ifndef ARCHIVE_S3_INT_H
#define ARCHIVE_S3_INT_H
#include <curl/curl.h>
#include "key.h"
#include "place.h"

enum {
    S3_TEXT_MAX = 8 << 20,            /* bytes of an answer that is not an object: a full page of a list, escaped */
    S3_FIELD_MAX = 256,               /* bytes of an answer's header that we read */
    S3_PARTS_MAX = 10000,             /* parts of one object, S3's rule */
    S3_UPLOAD_ID_MAX = 1024,
    S3_HEADERS_MAX = 4,
};

struct s3 {                           /* never changes after the opening */
    char *base;                       /* scheme://host[:port] and the bucket, in one of the two styles */
    bool bucket_in_path;
    char *prefix;                     /* "" or with a slash at its end */
    char *signer;                     /* for CURLOPT_AWS_SIGV4 */
    char *access_key, *secret_key, *ca_file;
    size_t part_bytes;
    int64_t timeout_ms, retries;
};

struct s3_worker { const struct s3 *s3; struct archive_stop *stop; CURL *easy; };

/* --- request.c: one signed request, repeated when that may help --- */
struct s3_request {
    const char *method;               /* PUT, GET, POST, DELETE, HEAD */
    const char *key;                  /* NULL: the bucket */
    const char *query;                /* sorted, percent-encoded, each with its =; NULL: none */
    struct um_span body;
    const char *headers[S3_HEADERS_MAX];
    bool wants_object;                /* a 200's body becomes `object` */
    size_t max_bytes;                 /* of the object */
    bool despite_stop;                /* one short try, also when the archive is closing */
};
struct s3_answer {                    /* zeroed by s3_send; free it in any case */
    long status;                      /* of the last try, 0: none came */
    int tries;
    char code[S3_FIELD_MAX];          /* S3's word for an error */
    char etag[S3_FIELD_MAX], crc_meta[S3_FIELD_MAX], crc_server[S3_FIELD_MAX];    /* "" when absent */
    int64_t length;                   /* Content-Length, -1: none */
    struct um_buf text;
    struct um_bytes *object;
    size_t have;                      /* bytes of the object that have come */
    um_err refused;                   /* why we broke the answer off */
};
/* UM_OK: a status of 200 to 299, complete. */
um_err s3_send(struct s3_worker *w, const struct s3_request *rq, struct s3_answer *an) UM_CHECK_RESULT;
void s3_answer_free(struct s3_answer *an);

/* --- place.c --- */
#define S3_META_CRC "x-amz-meta-umbel-crc32c"
/* The headers that carry an object's checksum, for us and for the server. */
struct s3_checks { char meta[64], server[64]; uint32_t crc; };
struct s3_checks s3_checks_of(struct um_span bytes);
bool s3_answer_has_crc(const struct s3_answer *an, uint32_t crc);

/* --- multipart.c --- */
um_err s3_put_parts(struct s3_worker *w, const char *key, struct um_span bytes) UM_CHECK_RESULT;

/* --- list.c --- */
um_err s3_list(void *worker, const char *prefix, const char *after, struct archive_page *pg) UM_CHECK_RESULT;

/* --- xml.c --- */
/* Called at the end of each element: PATH is "/Outer/Inner", TEXT what stood in it behind its last child. False ends it. */
typedef bool s3_xml_cb(void *arg, const char *path, const char *text);
/* UM_EPROTO: not XML, with a document type, or beyond the limits of xml.c; or CB ended it. */
um_err s3_xml_read(struct um_span xml, s3_xml_cb *cb, void *arg) UM_CHECK_RESULT;

#endif
