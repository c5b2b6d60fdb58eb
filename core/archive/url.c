/* archive.url: file:///abs/path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "place.h"

static um_err refuse(char why[256], const char *text)
{
    snprintf(why, 256, "archive.url: %s", text);
    return UM_EINVAL;
}

um_err archive_url_parse(struct archive_url *out, const char *text, char why[256])
{
    *out = (struct archive_url){ 0 };
    if (strncmp(text, "file:///", 8) == 0) {
        out->place = &archive_dir;
        out->path = um_xstrdup(text + 7);
        return UM_OK;
    }
    return refuse(why, "expected file:///path");
}

void archive_url_free(struct archive_url *url)
{
    free(url->path);
    free(url->bucket);
    free(url->prefix);
    free(url->region);
    *url = (struct archive_url){ 0 };
}
