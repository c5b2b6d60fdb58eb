/* A page of ListObjectsV2. Order of bytes is S3's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "s3_int.h"

struct listing {
    const struct s3 *s3;
    const char *prefix, *after;
    struct archive_page *pg;
    char key[ARCHIVE_KEY_MAX + 1], last[ARCHIVE_KEY_MAX + 1];    /* without the archive's own prefix; "" when not ours */
    int64_t bytes, modified_at_ms;
    bool truncated, seen;
};

static int64_t parse_time(const char *text)
{
    struct tm tm = { 0 };

    return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) != NULL ? (int64_t)timegm(&tm) * 1000 : 0;
}

/* "" unless the server's key stands below our prefix. */
static void keep_key(struct listing *li, const char *text)
{
    size_t n = strlen(li->s3->prefix);

    li->key[0] = '\0';
    if (strncmp(text, li->s3->prefix, n) == 0 && strlen(text + n) <= ARCHIVE_KEY_MAX)
        snprintf(li->key, sizeof(li->key), "%s", text + n);
}

static void note_object(struct listing *li)
{
    memcpy(li->last, li->key, sizeof(li->last));
    if (archive_key_is_valid(li->key) && !archive_key_is_own(li->key) && strcmp(li->key, li->after) > 0 &&
        strncmp(li->key, li->prefix, strlen(li->prefix)) == 0 && !archive_page_is_full(li->pg))
        archive_page_add(li->pg, li->key, li->bytes, li->modified_at_ms);
    li->key[0] = '\0';
    li->bytes = li->modified_at_ms = 0;
}

static bool on_element(void *arg, const char *path, const char *text)
{
    struct listing *li = arg;

    if (strcmp(path, "/ListBucketResult/Contents/Key") == 0)
        keep_key(li, text);
    else if (strcmp(path, "/ListBucketResult/Contents/Size") == 0)
        li->bytes = UM_MAX(strtoll(text, NULL, 10), 0);
    else if (strcmp(path, "/ListBucketResult/Contents/LastModified") == 0)
        li->modified_at_ms = parse_time(text);
    else if (strcmp(path, "/ListBucketResult/Contents") == 0)
        note_object(li);
    else if (strcmp(path, "/ListBucketResult/IsTruncated") == 0)
        li->truncated = strcmp(text, "true") == 0;
    else if (strcmp(path, "/ListBucketResult") == 0)
        li->seen = true;
    return true;
}

static void put_value(struct um_buf *out, const char *name, const char *a, const char *b)
{
    um_buf_puts(out, name);
    um_percent_encode(out, UM_SPAN_STR(a));
    um_percent_encode(out, UM_SPAN_STR(b));
}

static um_err read_page(struct listing *li, const struct s3_answer *an)
{
    um_err err = s3_xml_read(UM_SPAN(an->text.data, an->text.len), on_element, li);

    if (err != UM_OK || !li->seen)
        return err != UM_OK ? err : UM_EPROTO;
    if (!li->truncated)
        return UM_OK;
    /* The next page begins behind the last key, if we can name that; and it must not begin where this one did. */
    if (li->last[0] == '\0' || !archive_prefix_is_valid(li->last) || strcmp(li->last, li->after) <= 0) {
        um_log_limited(UM_WARN, "archive", "a list that cannot go on", UM_S("after", li->last));
        return UM_EPROTO;
    }
    archive_page_set_after(li->pg, li->last);
    return UM_OK;
}

um_err s3_list(void *worker, const char *prefix, const char *after, struct archive_page *pg)
{
    struct s3_worker *w = worker;
    struct listing *li = um_xcalloc(1, sizeof(*li));
    struct s3_request rq = { .method = "GET" };
    struct um_buf query = { 0 };
    struct s3_answer an;
    um_err err;

    li->s3 = w->s3;
    li->prefix = prefix;
    li->after = after;
    li->pg = pg;
    um_buf_printf(&query, "list-type=2&max-keys=%zu", pg->max);
    put_value(&query, "&prefix=", w->s3->prefix, prefix);
    if (after[0] != '\0')
        put_value(&query, "&start-after=", w->s3->prefix, after);
    rq.query = um_buf_cstr(&query);
    err = s3_send(w, &rq, &an);
    if (err == UM_OK)
        err = read_page(li, &an);
    s3_answer_free(&an);
    um_buf_free(&query);
    free(li);
    return err == UM_ENOTFOUND ? UM_EUNAVAIL : err;
}
