#include "operations.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/embedded.h>
#include <umbel/util.h>

extern const struct um_embedded cli_description[];

static struct operation *all;
static size_t n_all;
static json_t *description;

void operations_free(void)
{
    json_decref(description);
    free(all);
    description = NULL;
    all = NULL;
    n_all = 0;
}

/* As HTTP has it. */
static const char *upper(const char *method)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE", "PATCH" };

    for (size_t i = 0; i < UM_COUNT(methods); i++)
        if (strcasecmp(methods[i], method) == 0)
            return methods[i];
    return NULL;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct operation *)a)->id, ((const struct operation *)b)->id);
}

static void add(const char *path, const char *method, const json_t *o)
{
    const char *id = json_string_value(json_object_get(o, "operationId"));

    if (id == NULL || upper(method) == NULL || strncmp(id, "sockets.", 8) == 0)
        return;
    all = um_xrealloc(all, (n_all + 1) * sizeof(*all));
    all[n_all++] = (struct operation){ id, upper(method), path, json_string_value(json_object_get(o, "summary")),
                                       json_object_get(o, "parameters"), json_object_get(o, "requestBody") };
}

static void load(void)
{
    const json_t *methods, *o;
    const char *path, *method;

    if (all != NULL)
        return;
    description = json_loadb((const char *)cli_description[0].data.data, cli_description[0].data.len, 0, NULL);
    json_object_foreach(json_object_get(description, "paths"), path, methods)
        json_object_foreach((json_t *)methods, method, o)
            add(path, method, o);
    if (n_all > 0)
        qsort(all, n_all, sizeof(*all), by_id);
}

size_t operations_count(void) { load(); return n_all; }
const struct operation *operations_at(size_t i) { load(); return &all[i]; }

const struct operation *operations_by_id(const char *id)
{
    load();
    for (size_t i = 0; i < n_all; i++)
        if (strcmp(all[i].id, id) == 0)
            return &all[i];
    return NULL;
}

/* How many words are ID: "acl get", "acl.get", "caches clear-one" for clearOne. 0: they are not. */
static int words_of(const char *id, int argc, char **argv)
{
    int used = 0;

    for (; used < argc && *id != '\0'; used++) {
        const char *w = argv[used];

        for (; *w != '\0' && *id != '\0'; w++) {
            if (*w == '-' && *id >= 'A' && *id <= 'Z')
                continue;
            if ((*w | 0x20) != (*id | 0x20))
                return 0;
            id++;
        }
        if (*w != '\0' || (*id != '\0' && *id++ != '.'))
            return 0;
    }
    return *id == '\0' ? used : 0;
}

const struct operation *operations_find(int argc, char **argv, int *used)
{
    const struct operation *best = NULL;

    load();
    *used = 0;
    for (size_t i = 0; i < n_all; i++) {
        int n = words_of(all[i].id, argc, argv);

        if (n > *used) {
            best = &all[i];
            *used = n;
        }
    }
    return best;
}

static bool is_of_path(const json_t *p)
{
    return strcmp(json_string_value(json_object_get(p, "in")), "path") == 0;
}

bool operation_takes_list(const struct operation *o, const char *name, size_t len)
{
    size_t i;
    json_t *p;

    json_array_foreach(o->parameters, i, p) {
        const char *own = json_string_value(json_object_get(p, "name"));

        if (is_of_path(p) && strlen(own) == len && memcmp(own, name, len) == 0)
            return strcmp(json_string_value(json_object_get(json_object_get(p, "schema"), "type")), "array") == 0;
    }
    return false;
}

/* dryRun is --dry-run, as If-Match is --if-match: case and dashes do not count. */
static bool is_named(const json_t *p, const char *name)
{
    const char *own = json_string_value(json_object_get(p, "name"));

    for (;; own++, name++) {
        own += strspn(own, "-");
        name += strspn(name, "-");
        if (tolower((unsigned char)*own) != tolower((unsigned char)*name))
            return false;
        if (*own == '\0')
            return true;
    }
}

const json_t *operation_option(const struct operation *o, const char *name)
{
    size_t i;
    json_t *p;

    json_array_foreach(o->parameters, i, p)
        if (!is_of_path(p) && is_named(p, name))
            return p;
    return NULL;
}

/* ---- for people ---- */

static void put_words(const char *id, FILE *f)
{
    for (bool within = false; *id != '\0'; id++) {
        bool is_upper = *id >= 'A' && *id <= 'Z';

        if (is_upper && within)
            fputc('-', f);
        fputc(is_upper ? *id | 0x20 : *id == '.' ? ' ' : *id, f);
        within = *id != '-' && *id != '.';
    }
}

/* --dry-run, padded: TEXT stands behind it. */
static void put_option(const char *name, const char *text, FILE *f)
{
    int n = 0;

    fputs("  --", f);
    for (const char *p = name; *p != '\0'; p++)
        n += 1 + (p > name && *p >= 'A' && *p <= 'Z' && p[-1] != '-');
    put_words(name, f);
    fprintf(f, "%*s %s\n", n < 22 ? 22 - n : 0, "", text);
}

/* A query's word goes before a header's of the same name. */
static bool is_option(const struct operation *o, const json_t *p)
{
    return !is_of_path(p) && operation_option(o, json_string_value(json_object_get(p, "name"))) == p;
}

/* The {…} of the path in their order. */
static void put_positions(const char *path, FILE *f)
{
    for (const char *open = strchr(path, '{'), *end; open != NULL && (end = strchr(open, '}')) != NULL; open = strchr(end, '{')) {
        fputc(' ', f);
        for (const char *p = open + 1; p < end; p++)
            fputc(*p >= 'a' && *p <= 'z' ? *p - 0x20 : *p, f);
    }
}

void operation_help(const struct operation *o, FILE *f)
{
    size_t i;
    json_t *p;

    fputs("umbelctl ", f);
    put_words(o->id, f);
    put_positions(o->path, f);
    fprintf(f, "%s\n\n  %s\n  (%s %s)\n", o->body != NULL ? " [-f FILE | --body JSON]" : "", o->summary, o->method, o->path);
    json_array_foreach(o->parameters, i, p) {
        const char *name = json_string_value(json_object_get(p, "name")), *text = json_string_value(json_object_get(p, "description"));

        text = text != NULL ? text : "";
        if (is_of_path(p))
            fprintf(f, "    %-22s %s\n", name, text);
        else if (is_option(o, p))
            put_option(name, text, f);
    }
}

static bool begins_with(const char *id, int argc, char **argv, const char **rest)
{
    for (int i = 0; i < argc; i++) {
        size_t n = strlen(argv[i]);

        if (strncasecmp(id, argv[i], n) != 0 || (id[n] != '.' && id[n] != '\0'))
            return false;
        id += n + (id[n] == '.');
    }
    *rest = id;
    return true;
}

void operations_list(int argc, char **argv, FILE *f)
{
    const char *rest;

    load();
    for (size_t i = 0; i < n_all; i++)
        if (begins_with(all[i].id, argc, argv, &rest)) {
            fputs("  ", f);
            put_words(all[i].id, f);
            put_positions(all[i].path, f);
            fprintf(f, "\n      %s\n", all[i].summary);
        }
}

/* The next word of each id that begins with these; behind a whole one, its options. */
void operations_complete(int argc, char **argv)
{
    const struct operation *o;
    const char *rest;
    char last[128] = "";
    int used;
    size_t i;
    json_t *p;

    load();
    for (size_t k = 0; k < n_all; k++) {
        char word[128];

        if (!begins_with(all[k].id, argc, argv, &rest) || *rest == '\0')
            continue;
        snprintf(word, sizeof(word), "%.*s", (int)strcspn(rest, "."), rest);
        if (strcmp(word, last) != 0)
            puts(word);
        snprintf(last, sizeof(last), "%s", word);
    }
    o = operations_find(argc, argv, &used);
    if (o == NULL)
        return;
    json_array_foreach(o->parameters, i, p)
        if (is_option(o, p)) {
            fputs("--", stdout);
            put_words(json_string_value(json_object_get(p, "name")), stdout);
            putchar('\n');
        }
}
