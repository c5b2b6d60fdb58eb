/* Which files are read, and in which order (low to high):
 *
 *   APP.properties of every place; behind each document what it imports
 *   for each active profile: APP-<profile>.properties of every place
 *
 * Places are the working directory, config/ and config/<any>/ unless spring.config.location names others. A document
 * with a profile expression waits until the profiles are known; imports are worked off by one loop over the growing
 * list, never by recursion, and no file is read twice, so circles end. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "conf_int.h"
#include "convert.h"

struct place {
    const char *path;
    const struct entry *by;
    bool optional, tree;
};

struct places {
    struct um_conf *c;
    const char *base;                 /* relative paths begin here */
    const struct entry *by;
    struct place *all;
    size_t n;
};

bool files_insert(struct um_conf *c, size_t *at, struct source *s)
{
    if (c->n_files == CONF_MAX_FILES) {
        note_at(c, UM_CONF_NOTE_ERROR, s->origin, 0, 0, "more than %u documents", CONF_MAX_FILES);
        source_free(s);
        return false;
    }
    if (c->n_files == c->cap_files) {
        c->cap_files = c->cap_files != 0 ? 2 * c->cap_files : 16;
        c->files = um_xrealloc(c->files, c->cap_files * sizeof(struct source *));
    }
    memmove(c->files + *at + 1, c->files + *at, (c->n_files - *at) * sizeof(struct source *));
    c->files[(*at)++] = s;
    c->n_files++;
    return true;
}

/* ---- places ---- */

static bool skip_word(const char **p, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

static void add_place(struct places *p, const char *text)
{
    struct place new = { .by = p->by };
    size_t n;

    new.optional = skip_word(&text, "optional:");
    new.tree = skip_word(&text, "configtree:");
    if (skip_word(&text, "file:") && strncmp(text, "//", 2) == 0)
        text += 2;
    if (skip_word(&text, "classpath:") || *text == '\0' || *text == '[') {
        if (!new.optional)
            note(p->c, UM_CONF_NOTE_ERROR, p->by, "a file, a directory ending in / or configtree:DIR/ expected");
        return;
    }
    n = strlen(text);
    if (!new.tree && text[n - 1] == ']' && strchr(text, '[') != NULL)     /* [encoding=utf-8], [.properties] */
        n = (size_t)(strchr(text, '[') - text);
    while (strncmp(text, "./", 2) == 0 && n > 2) {
        text += 2;
        n -= 2;
    }
    new.path = *text == '/' ? pool_str(&p->c->pool, text, n) :
               pool_printf(&p->c->pool, "%s%.*s", p->base, (int)n, text);
    p->all = um_xrealloc(p->all, (p->n + 1) * sizeof(*p->all));
    p->all[p->n++] = new;
}

static void add_element(void *arg, const char *element, size_t len)
{
    struct places *p = arg;
    char *text = pool_str(&p->c->pool, element, len), *save = NULL;

    for (char *one = strtok_r(text, ";", &save); one != NULL; one = strtok_r(NULL, ";", &save))
        add_place(p, one);
}

static void add_places_of(struct places *p, const char *name)
{
    const char *text = items_early_value(p->c, name, &p->by);

    if (text != NULL)
        convert_elements(text, add_element, p);
    p->by = NULL;
}

static bool is_dir(struct um_conf *c, const char *path)
{
    struct stat st;

    return stat(path_full(c, path), &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- reading a place ---- */

/* DIR ends in a slash or is "". */
static void load_app(struct um_conf *c, size_t *at, const char *dir, const char *profile)
{
    struct file_want want = { .optional = true, .of_profile = profile != NULL };

    if (strcmp(dir, "./") == 0)
        dir = "";
    want.path = pool_printf(&c->pool, "%s%s%s%s.properties", dir, c->from->app, profile != NULL ? "-" : "",
                            profile != NULL ? profile : "");
    document_load(c, at, &want);
}

/* The directories of PLACE, whose path ends in an asterisk and a slash, by name. */
static void load_wildcard(struct um_conf *c, size_t *at, const struct place *place, const char *profile)
{
    char *parent = pool_str(&c->pool, place->path, strlen(place->path) - 2);
    struct dirent **names;
    int n = scandir(path_full(c, *parent != '\0' ? parent : "."), &names, NULL, alphasort);

    if (n < 0 && !place->optional && profile == NULL)
        note(c, UM_CONF_NOTE_ERROR, place->by, "%s: %s", parent, strerrordesc_np(errno));
    for (int i = 0; i < n; i++) {
        char *dir = pool_printf(&c->pool, "%s%s/", parent, names[i]->d_name);
        struct file_want tree = { .path = dir, .by = place->by };
        if (names[i]->d_name[0] != '.' && is_dir(c, dir)) {
            if (!place->tree)
                load_app(c, at, dir, profile);
            else if (profile == NULL)
                tree_load(c, at, &tree);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static void load_dir(struct um_conf *c, size_t *at, const struct place *place, const char *profile)
{
    size_t n = strlen(place->path);

    if (is_dir(c, place->path))
        load_app(c, at, place->path[n - 1] == '/' ? place->path : pool_printf(&c->pool, "%s/", place->path), profile);
    else if (!place->optional && profile == NULL)
        note(c, UM_CONF_NOTE_ERROR, place->by, "%s: no such directory", place->path);
}

static void load_one_file(struct um_conf *c, size_t *at, const struct place *place, const char *profile)
{
    static const char extension[] = ".properties";
    struct file_want want = { .path = place->path, .by = place->by, .optional = place->optional };
    size_t n = strlen(place->path), m = sizeof(extension) - 1;

    if (n <= m || strcmp(place->path + n - m, extension) != 0) {
        if (profile == NULL && !place->optional)
            note(c, UM_CONF_NOTE_ERROR, place->by, "%s: only .properties files are read", place->path);
        return;
    }
    if (profile != NULL) {
        want.path = pool_printf(&c->pool, "%.*s-%s%s", (int)(n - m), place->path, profile, extension);
        want.optional = want.of_profile = true;
    }
    document_load(c, at, &want);
}

static void load_place(struct um_conf *c, size_t *at, const struct place *place, const char *profile)
{
    size_t n = strlen(place->path);
    struct file_want tree = { .path = place->path, .by = place->by, .optional = place->optional };

    if (n >= 2 && strcmp(place->path + n - 2, "*/") == 0)
        load_wildcard(c, at, place, profile);
    else if (place->tree && profile == NULL)
        tree_load(c, at, &tree);
    else if (!place->tree && (place->path[n - 1] == '/' || is_dir(c, place->path)))
        load_dir(c, at, place, profile);
    else if (!place->tree)
        load_one_file(c, at, place, profile);
}

static void load_places(struct um_conf *c, size_t *at, const struct places *p, const char *profile)
{
    for (size_t i = 0; i < p->n; i++)
        load_place(c, at, &p->all[i], profile);
}

/* ---- imports and profiles ---- */

static void expand_imports_of(struct um_conf *c, size_t index)
{
    static const char name[] = "spring.config.import";
    struct source *s = c->files[index];
    struct places p = { .c = c, .base = s->dir != NULL ? s->dir : "" };
    size_t at = index + 1, n = s->n;

    for (size_t i = 0; i < n; i++) {
        const struct entry *e = s->entries[i];
        if (strncmp(e->name, name, sizeof(name) - 1) != 0 ||
            (e->name[sizeof(name) - 1] != '\0' && e->name[sizeof(name) - 1] != '['))
            continue;
        const char *text = items_early_text(c, e);
        p.by = e;
        if (text != NULL)
            convert_elements(text, add_element, &p);
    }
    load_places(c, &at, &p, NULL);
    free(p.all);
}

static void judge_document(struct um_conf *c, struct source *s)
{
    const struct entry *when = source_get(s, "spring.config.activate.onprofile");
    const struct entry *profiles = source_get(s, "spring.profiles.active");
    bool good = true;

    s->when = when != NULL ? when->value : NULL;
    s->active = when == NULL || (c->profiles_known && profile_holds(&c->profiles, when->value, &good));
    if (!good)
        note(c, UM_CONF_NOTE_ERROR, when, "not a profile expression");
    if (s->active && profiles != NULL && (when != NULL || s->of_profile))
        note(c, UM_CONF_NOTE_ERROR, profiles, "a document that depends on a profile cannot choose profiles");
}

/* Works off all documents that are active and were not looked at before. */
static void expand_imports(struct um_conf *c)
{
    for (size_t i = 0; i < c->n_files; i++) {
        struct source *s = c->files[i];
        if (s->expanded)
            continue;
        judge_document(c, s);
        s->expanded = s->active || c->profiles_known;
        if (s->active)
            expand_imports_of(c, i);
    }
}

static void import_from_outside(struct um_conf *c)
{
    struct places p = { .c = c, .base = "" };
    size_t at = c->n_files;

    if (source_get(c->args, "spring.config.import") != NULL || source_get(c->json, "spring.config.import") != NULL ||
        source_get(c->env, "spring.config.import") != NULL)
        add_places_of(&p, "spring.config.import");
    load_places(c, &at, &p, NULL);
    free(p.all);
}

struct profile_list { struct um_conf *c; const char **items; size_t n; const struct entry *by; };

static void add_profile(void *arg, const char *name, size_t len)
{
    struct profile_list *l = arg;

    for (size_t i = 0; i < len; i++)
        if (strchr("()&|!/ \t", name[i]) != NULL || len > 128 || name[0] == '.') {
            note(l->c, UM_CONF_NOTE_ERROR, l->by, "\"%.*s\" cannot be the name of a profile", (int)UM_MIN(len, 128u), name);
            return;
        }
    if (len == 0)
        return;
    l->items = um_xrealloc(l->items, (l->n + 1) * sizeof(char *));
    l->items[l->n++] = pool_str(&l->c->pool, name, len);
}

static void find_profiles(struct um_conf *c)
{
    struct profile_list l = { .c = c };
    const char *text = items_early_value(c, "spring.profiles.active", &l.by);

    if (text != NULL)
        convert_elements(text, add_profile, &l);
    if (l.n == 0)
        add_profile(&l, "default", 7);
    const char **items = pool_alloc(&c->pool, l.n * sizeof(char *));
    memcpy(items, l.items, l.n * sizeof(char *));
    free(l.items);
    c->profiles = (struct um_conf_list){ l.n, items };
    c->profiles_known = true;
}

void files_load(struct um_conf *c)
{
    struct places p = { .c = c, .base = "" };
    size_t at = 0;

    add_places_of(&p, "spring.config.location");
    if (p.n == 0) {
        add_place(&p, "optional:./");
        add_place(&p, "optional:config/");
        add_place(&p, "optional:config/*/");
    }
    add_places_of(&p, "spring.config.additionallocation");
    load_places(c, &at, &p, NULL);
    import_from_outside(c);
    expand_imports(c);
    find_profiles(c);
    expand_imports(c);
    for (size_t i = 0; i < c->profiles.n; i++) {
        at = c->n_files;
        load_places(c, &at, &p, c->profiles.items[i]);
    }
    expand_imports(c);
    free(p.all);
}
