/* Walks the Hocuspocus vectors: arrays of {name, direction, hex, meaning} (docs: the collaboration protocol). */
#ifndef COLLAB_VECTORS_H
#define COLLAB_VECTORS_H
#include "um_test.h"
#include <dirent.h>
#include <stdio.h>
#include <jansson.h>
#include <umbel/util.h>

static inline const char *vector_text(const json_t *entry, const char *key)
{
    const char *s = json_string_value(json_object_get(entry, key));

    return s != NULL ? s : "";
}

static inline struct um_span vector_bytes(const json_t *entry, struct um_buf *out)
{
    um_buf_clear(out);
    assert_true(um_hex_decode(out, UM_SPAN_STR(vector_text(entry, "hex"))));
    return UM_SPAN(out->data, out->len);
}

static inline const char *vectors_dir(void)
{
    const char *other = getenv("UMBEL_VECTORS");

    return other != NULL ? other : UM_TEST_VECTORS;
}

static inline json_t *vector_file(const char *name)
{
    char path[512];
    json_error_t e;
    json_t *all;

    snprintf(path, sizeof(path), "%s/hocuspocus/%s", vectors_dir(), name);
    all = json_load_file(path, JSON_ALLOW_NUL, &e);
    if (all == NULL)
        fail_msg("%s: %s", path, e.text);
    return all;
}

#endif
