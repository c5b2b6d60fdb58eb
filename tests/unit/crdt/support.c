#include "support.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHOWN_MAX 40

static bool failed(struct tally *t, const char *fmt, va_list ap)
{
    if (t->failed++ < SHOWN_MAX) {
        fprintf(stderr, "%s: ", t->file == NULL ? "?" : t->file);
        vfprintf(stderr, fmt, ap);
    }
    return false;
}

bool check(struct tally *t, bool ok, const char *fmt, ...)
{
    va_list ap;

    t->checked++;
    if (ok)
        return true;
    va_start(ap, fmt);
    failed(t, fmt, ap);
    va_end(ap);
    if (t->failed <= SHOWN_MAX)
        fprintf(stderr, "\n");
    return false;
}

bool check_bytes(struct tally *t, struct um_span got, struct um_span want, const char *fmt, ...)
{
    struct um_buf a = { 0 }, b = { 0 };
    va_list ap;

    t->checked++;
    if (um_span_eq(got, want))
        return true;
    va_start(ap, fmt);
    failed(t, fmt, ap);
    va_end(ap);
    if (t->failed <= SHOWN_MAX) {
        um_hex_encode(&a, UM_SPAN(got.data, UM_MIN(got.len, 300)));
        um_hex_encode(&b, UM_SPAN(want.data, UM_MIN(want.len, 300)));
        fprintf(stderr, "\n   got  %s\n   want %s\n", um_buf_cstr(&a), um_buf_cstr(&b));
    }
    um_buf_free(&a);
    um_buf_free(&b);
    return false;
}

static json_t *folder_load(const char *dir, const char *name)
{
    char path[1024];
    json_error_t err;
    json_t *j;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if ((j = json_load_file(path, JSON_ALLOW_NUL, &err)) == NULL)
        fail_msg("%s: %s", path, err.text);
    return j;
}

json_t *vector_load(const char *name) { return folder_load(UM_TEST_VECTORS "/yjs", name); }

static int is_vector(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0 && strcmp(e->d_name, "index.json") != 0;
}

static void folder_walk(struct tally *t, const char *dir, vector_fn *fn)
{
    struct dirent **list;
    int n = scandir(dir, &list, is_vector, alphasort);

    if (n <= 0)
        fail_msg("%s: no vectors", dir);
    for (int i = 0; i < n; i++) {
        json_t *j = folder_load(dir, list[i]->d_name);

        t->file = list[i]->d_name;
        fn(t, j);
        json_decref(j);
        free(list[i]);
    }
    free(list);
}

/* UMBEL_VECTORS names a folder of vectors, or one that has it as `yjs`. */
static const char *other_folder(char *out, size_t size)
{
    const char *env = getenv("UMBEL_VECTORS");
    struct stat st;

    if (env == NULL)
        return NULL;
    snprintf(out, size, "%s/yjs", env);
    if (stat(out, &st) != 0)
        snprintf(out, size, "%s", env);
    return out;
}

static void tally_end(const struct tally *t)
{
    print_message("%u checked, %u failed, %u parts of later work left out\n", t->checked, t->failed, t->left_out);
    assert_true(t->checked > 0);
    assert_int_equal(t->failed, 0);
}

void vectors_walk(struct tally *t, vector_fn *fn)
{
    char path[512];
    const char *other = other_folder(path, sizeof(path));

    folder_walk(t, UM_TEST_VECTORS "/yjs", fn);
    if (other != NULL)
        folder_walk(t, other, fn);
    tally_end(t);
}

void vectors_walk_in(const char *dir, struct tally *t, vector_fn *fn)
{
    folder_walk(t, dir, fn);
    tally_end(t);
}

struct um_buf b64(const json_t *text)
{
    struct um_buf b = { 0 };

    assert_true(json_is_string(text));
    assert_true(um_base64_decode(&b, UM_SPAN(json_string_value(text), json_string_length(text))));
    return b;
}

static bool objects_same(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *v;

    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach((json_t *)a, key, v)
        if (json_object_get(b, key) == NULL || !json_same(v, json_object_get(b, key)))
            return false;
    return true;
}

bool json_same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);

        return !(x < y) && !(x > y);
    }
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!json_same(json_array_get(a, i), json_array_get(b, i)))
                return false;
        return true;
    }
    if (json_is_object(a))
        return objects_same(a, b);
    return json_equal(a, b);
}

enum um_crdt_kind kind_of(const char *name)
{
    static const char *const names[] = { "Array", "Map", "Text", "XmlElement", "XmlFragment", "XmlHook", "XmlText" };

    for (size_t i = 0; i < UM_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum um_crdt_kind)i;
    fail_msg("kind %s", name);
    return UM_CRDT_UNTYPED;
}

struct um_crdt *doc_new(bool gc)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.gc = gc;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    return doc;
}

void declare_roots(struct um_crdt *doc, const json_t *vector)
{
    const char *name;
    json_t *kind;

    json_object_foreach(json_object_get(vector, "roots"), name, kind)
        assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR(name), kind_of(json_string_value(kind))), UM_OK);
}

void check_json(struct tally *t, um_err err, struct um_buf *got, const json_t *want, const char *what)
{
    json_t *j = err != UM_OK ? NULL : json_loadb((const char *)got->data, got->len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    char *expected = json_dumps(want, JSON_ENCODE_ANY | JSON_COMPACT);

    check(t, j != NULL && json_same(j, want), "%s: %s\n   got  %.*s\n   want %s", what, um_err_text(err), (int)got->len,
          (const char *)got->data, expected);
    free(expected);
    json_decref(j);
    um_buf_clear(got);
}
