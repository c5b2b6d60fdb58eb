/* What comes from outside into the archive: an S3 store's XML, keys, the URL of the configuration. The first byte chooses. */
#include <s3_int.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool check_element(void *arg, const char *path, const char *text)
{
    (void)arg;
    UM_ASSERT(path[0] == '/' && strlen(path) < 512 && strlen(text) <= 8192);
    return true;
}

/* A key that is taken leads nowhere else, whatever it was made of. */
static void check_key(const char *key)
{
    if (!archive_key_is_valid(key))
        return;
    UM_ASSERT(key[0] != '/' && key[strlen(key) - 1] != '/' && strlen(key) <= ARCHIVE_KEY_MAX);
    UM_ASSERT(strstr(key, "//") == NULL && strstr(key, "/../") == NULL && strncmp(key, "../", 3) != 0);
    UM_ASSERT(archive_prefix_is_valid(key));
}

static void check_url(const char *text)
{
    struct archive_url url;
    char why[256] = "";

    if (archive_url_parse(&url, text, why) == UM_OK)
        UM_ASSERT(url.place == &archive_dir ? url.path[0] == '/' : strlen(url.bucket) >= 3 && url.region != NULL);
    else
        UM_ASSERT(why[0] != '\0');
    archive_url_free(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    text = um_xstrndup((const char *)data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        if (s3_xml_read(UM_SPAN(data + 1, size - 1), check_element, NULL) == UM_ENOMEM)
            UM_ASSERT(false);
        break;
    case 1:
        check_key(text);
        break;
    default:
        check_url(text);
    }
    free(text);
    return 0;
}
