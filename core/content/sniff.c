/* What a file is. The bytes decide where they can: who calls a program a picture is not believed. Where many formats begin alike
 * (archives, office documents, text) the client says which of them it is. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "internal.h"

#define ANY "application/octet-stream"

/* MAGIC at OFFSET means TYPE; FAMILY: beginnings of types that look like this too, between blanks. */
static const struct signature { size_t offset; const char *magic; size_t len; const char *type, *family; } signatures[] = {
#define M(at, magic, type, family) { at, magic, sizeof(magic) - 1, type, family }
    M(0, "%PDF-", "application/pdf", NULL),
    M(0, "\x89PNG\r\n\x1a\n", "image/png", "image/apng"),
    M(0, "\xff\xd8\xff", "image/jpeg", NULL),
    M(0, "GIF87a", "image/gif", NULL),
    M(0, "GIF89a", "image/gif", NULL),
    M(8, "WEBPVP8", "image/webp", NULL),
    M(8, "WAVE", "audio/wav", "audio/x-wav audio/vnd.wave"),
    M(8, "AVI ", "video/x-msvideo", "video/avi"),
    M(0, "BM", "image/bmp", "image/x-ms-bmp"),
    M(0, "II*\0", "image/tiff", "image/x-"),
    M(0, "MM\0*", "image/tiff", "image/x-"),
    M(0, "\0\0\1\0", "image/x-icon", "image/vnd.microsoft.icon"),
    M(4, "ftypavif", "image/avif", NULL),
    M(4, "ftyphei", "image/heic", "image/heif"),
    M(4, "ftyp", "video/mp4", "audio/mp4 audio/x-m4a video/quicktime video/3gpp"),
    M(0, "ID3", "audio/mpeg", NULL),
    M(0, "OggS", "audio/ogg", "video/ogg application/ogg"),
    M(0, "fLaC", "audio/flac", NULL),
    M(0, "\x1a\x45\xdf\xa3", "video/webm", "video/x-matroska audio/webm audio/x-matroska"),
    M(0, "PK\3\4", "application/zip", "application/vnd. application/epub+zip application/java-archive application/x-zip"),
    M(0, "PK\5\6", "application/zip", "application/x-zip"),
    M(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage", "application/vnd.ms- application/msword"),
    M(0, "{\\rtf", "application/rtf", "text/rtf"),
    M(0, "\x1f\x8b", "application/gzip", "application/x-gzip application/x-gtar"),
    M(0, "BZh", "application/x-bzip2", NULL),
    M(0, "\xfd" "7zXZ\0", "application/x-xz", NULL),
    M(0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", NULL),
    M(0, "Rar!\x1a\7", "application/vnd.rar", "application/x-rar"),
    M(0, "\x7f" "ELF", ANY, NULL),
    M(0, "MZ", ANY, "application/x-ms application/vnd.microsoft."),
#undef M
};

/* No zero byte, and UTF-8 but for a character that HEAD may have cut. */
static bool is_text(struct um_span head)
{
    uint32_t state = um_utf8_feed(0, head.data, head.len);

    return state != UM_UTF8_BAD && (state == 0 || head.len == CONTENT_HEAD) && memchr(head.data, 0, head.len) == NULL;
}

/* A few letters may begin a text, too. */
static bool fits(const struct signature *s, struct um_span head)
{
    return head.len >= s->offset + s->len && memcmp(head.data + s->offset, s->magic, s->len) == 0 && (s->len > 4 || !is_text(head));
}

static bool is_in_family(const char *family, const char *type)
{
    while (family != NULL && *family != '\0') {
        size_t n = strcspn(family, " ");

        if (strncasecmp(type, family, n) == 0)
            return true;
        family += n + (family[n] == ' ');
    }
    return false;
}

static bool needs_signature(const char *type)
{
    for (size_t i = 0; i < UM_COUNT(signatures); i++)
        if (strcmp(signatures[i].type, ANY) != 0 && strcasecmp(signatures[i].type, type) == 0)
            return true;
    return false;
}

/* "text/plain" of `Text/Plain; charset=utf-8`, "" of what is no media type. */
static void clean(const char *type, char out[UM_CONTENT_FORMAT_MAX + 1])
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+";
    size_t n = 0, major;

    for (; type != NULL && type[n] != '\0' && type[n] != ';' && type[n] != ' ' && n < UM_CONTENT_FORMAT_MAX; n++)
        out[n] = (char)(type[n] >= 'A' && type[n] <= 'Z' ? type[n] - 'A' + 'a' : type[n]);
    out[n] = '\0';
    major = strspn(out, token);
    if (major == 0 || out[major] != '/' || out[major + 1] == '\0' || strspn(out + major + 1, token) != n - major - 1 ||
        (type[n] != '\0' && type[n] != ';' && type[n] != ' '))
        out[0] = '\0';
}

void content_sniff(struct um_span head, const char *type, char out[UM_CONTENT_FORMAT_MAX + 1])
{
    clean(type, out);
    for (size_t i = 0; i < UM_COUNT(signatures); i++)
        if (fits(&signatures[i], head)) {
            if (!is_in_family(signatures[i].family, out))
                snprintf(out, UM_CONTENT_FORMAT_MAX + 1, "%s", signatures[i].type);
            return;
        }
    if (out[0] == '\0' || strcmp(out, ANY) == 0 || needs_signature(out))
        snprintf(out, UM_CONTENT_FORMAT_MAX + 1, "%s", head.len > 0 && is_text(head) ? "text/plain" : ANY);
}
