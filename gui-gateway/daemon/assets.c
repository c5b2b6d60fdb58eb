/* Static files from memory.
 *
 * Names below assets/ carry a hash of the content, so they are good for ever; anything else is asked for again each time and
 * answered by its ETag. No path of a client ever reaches the file system: only names that were found at start exist. */
#include "assets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/map.h>
#include <umbel/util.h>

enum { FILE_MAX_BYTES = 32 * 1024 * 1024, FILES_MAX = 2000, ETAG_HEX = 32 };

struct asset {
    struct um_bytes *plain, *gz;              /* gz: NULL when there is none */
    const char *type;
    bool is_immutable;
    char etag[ETAG_HEX + 3];
};
struct um_assets {
    struct um_map by_name;
};

static const struct { const char *ext, *type; } types[] = {
    { ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" }, { ".css", "text/css; charset=utf-8" },
    { ".json", "application/json" }, { ".map", "application/json" }, { ".webmanifest", "application/manifest+json" },
    { ".svg", "image/svg+xml" }, { ".png", "image/png" }, { ".ico", "image/x-icon" }, { ".webp", "image/webp" },
    { ".woff2", "font/woff2" }, { ".txt", "text/plain; charset=utf-8" }, { ".wasm", "application/wasm" },
};

static const char *type_of(const char *name)
{
    const char *ext = strrchr(name, '.');

    for (size_t i = 0; ext != NULL && i < UM_COUNT(types); i++)
        if (strcmp(ext, types[i].ext) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* ---- reading ---- */

static struct um_bytes *read_all(int fd, size_t n)
{
    struct um_bytes *b = um_bytes_new(n);
    size_t got = 0;

    while (b != NULL && got < n) {
        ssize_t k = read(fd, b->data + got, n - got);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            um_bytes_unref(b);
            return NULL;
        }
        got += (size_t)k;
    }
    return b;
}

static struct um_bytes *read_file(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct um_bytes *b = NULL;
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX_BYTES)
        b = read_all(fd, (size_t)st.st_size);
    close(fd);
    return b;
}

static void make_etag(struct asset *a)
{
    uint8_t digest[32];
    unsigned n = 0;
    struct um_buf hex = {0};

    UM_ASSERT(EVP_Digest(a->plain->data, a->plain->len, digest, &n, EVP_sha256(), NULL) && n == sizeof(digest));
    um_hex_encode(&hex, UM_SPAN(digest, ETAG_HEX / 2));
    snprintf(a->etag, sizeof(a->etag), "\"%s\"", um_buf_cstr(&hex));
    um_buf_free(&hex);
}

static void add_file(struct um_assets *as, int dir, const char *prefix, const char *name)
{
    struct asset *a;
    struct um_bytes *plain;
    char *path, *gz;

    if (as->by_name.n >= FILES_MAX || (plain = read_file(dir, name)) == NULL) {
        um_log(UM_WARN, "gateway.assets", "file-skipped", UM_S("file", name));
        return;
    }
    a = um_xcalloc(1, sizeof(*a));
    a->plain = plain;
    gz = um_xasprintf("%s.gz", name);
    a->gz = read_file(dir, gz);
    free(gz);
    a->type = type_of(name);
    a->is_immutable = prefix[0] != '\0';
    make_etag(a);
    path = um_xasprintf("%s%s", prefix, name);
    um_map_put(&as->by_name, UM_SPAN_STR(path), a);
    free(path);
}

static bool is_gz(const char *name)
{
    size_t n = strlen(name);
    return n > 3 && strcmp(name + n - 3, ".gz") == 0;
}

/* All regular files of one folder, none of its folders. */
static void add_folder(struct um_assets *as, const char *path, const char *prefix)
{
    DIR *d = opendir(path);
    struct dirent *e;

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && e->d_type != DT_DIR && !is_gz(e->d_name))
            add_file(as, dirfd(d), prefix, e->d_name);
    closedir(d);
}

um_err um_assets_load(struct um_assets **out, const char *dir)
{
    struct um_assets *as = um_xcalloc(1, sizeof(*as));
    char *inner = um_xasprintf("%s/assets", dir);

    *out = NULL;
    add_folder(as, dir, "");
    add_folder(as, inner, "assets/");
    free(inner);
    if (um_map_get(&as->by_name, UM_SPAN_STR("index.html")) == NULL) {
        um_assets_free(as);
        return UM_ENOTFOUND;
    }
    *out = as;
    return UM_OK;
}

void um_assets_free(struct um_assets *as)
{
    size_t pos = 0;
    struct um_span key;
    void *value;

    if (as == NULL)
        return;
    while (um_map_next(&as->by_name, &pos, &key, &value)) {
        struct asset *a = value;
        um_bytes_unref(a->plain);
        um_bytes_unref(a->gz);
        free(a);
    }
    um_map_free(&as->by_name);
    free(as);
}

size_t um_assets_count(const struct um_assets *as)
{
    return as->by_name.n;
}

/* ---- replying ---- */

void um_assets_reply(const struct um_assets *as, struct um_http_req *rq, const char *name)
{
    const struct asset *a = as != NULL ? um_map_get(&as->by_name, UM_SPAN_STR(name)) : NULL;
    const char *accepted = um_http_header(rq, "Accept-Encoding"), *known = um_http_header(rq, "If-None-Match");
    bool gz;

    if (a == NULL) {
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply_error(rq, 404, "U00404", "there is no such page");
        return;
    }
    gz = a->gz != NULL && accepted != NULL && um_token_list_has(accepted, "gzip");
    um_http_add_header(rq, "ETag", a->etag);
    um_http_add_header(rq, "Cache-Control", a->is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (a->gz != NULL)
        um_http_add_header(rq, "Vary", "Accept-Encoding");
    if (known != NULL && um_token_list_has(known, a->etag)) {
        um_http_reply(rq, 304, NULL, UM_SPAN("", 0));
        return;
    }
    if (gz)
        um_http_add_header(rq, "Content-Encoding", "gzip");
    um_http_reply_bytes(rq, 200, a->type, gz ? a->gz : a->plain);
}
