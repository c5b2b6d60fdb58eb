/* archive.url: file:///abs/path, s3://bucket/prefix?region=name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "key.h"
#include "place.h"

enum { BUCKET_MIN = 3, BUCKET_MAX = 63, REGION_MAX = 64, PREFIX_MAX = 512 };

/* The strict rule: such a name also stands in a host's name. */
static bool is_bucket(const char *s, size_t n)
{
    return n >= BUCKET_MIN && n <= BUCKET_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") >= n &&
           s[0] != '.' && s[0] != '-' && s[n - 1] != '.' && s[n - 1] != '-';
}

static bool is_region(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n <= REGION_MAX && s[n] == '\0';
}

static um_err refuse(char why[256], const char *text)
{
    snprintf(why, 256, "archive.url: %s", text);
    return UM_EINVAL;
}

static um_err parse_s3(struct archive_url *out, const char *rest, char why[256])
{
    size_t bucket = strcspn(rest, "/?"), path = strcspn(rest + bucket, "?");
    const char *prefix = rest + bucket, *query = prefix + path;

    while (path > 0 && prefix[path - 1] == '/')
        path--;
    if (path > 0) {
        prefix++;
        path--;
    }
    out->bucket = um_xstrndup(rest, bucket);
    out->prefix = um_xstrndup(prefix, path);
    if (!is_bucket(rest, bucket))
        return refuse(why, "not the name of a bucket: 3 to 63 lower case letters, digits, dots and dashes");
    if (path > 0 && (path > PREFIX_MAX || !archive_key_is_valid(out->prefix)))
        return refuse(why, "not a prefix: at most 512 bytes, no empty part, no dots alone");
    if (query[0] != '\0') {
        if (strncmp(query, "?region=", 8) != 0 || !is_region(query + 8))
            return refuse(why, "behind the ? only region=name is known");
        query += 8;
    }
    out->region = um_xstrdup(query);
    return UM_OK;
}

um_err archive_url_parse(struct archive_url *out, const char *text, char why[256])
{
    *out = (struct archive_url){ 0 };
    if (strncmp(text, "file:///", 8) == 0) {
        out->place = &archive_dir;
        out->path = um_xstrdup(text + 7);
        return UM_OK;
    }
    if (strncmp(text, "s3://", 5) != 0)
        return refuse(why, "expected file:///path or s3://bucket/prefix");
    out->place = &archive_s3;
    return parse_s3(out, text + 5, why);
}

void archive_url_free(struct archive_url *url)
{
    free(url->path);
    free(url->bucket);
    free(url->prefix);
    free(url->region);
    *url = (struct archive_url){ 0 };
}
