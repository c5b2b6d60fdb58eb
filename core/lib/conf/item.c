/* Items: for each name the entry of the highest source, resolved.
 *
 * 1. A list (name[0], name[1], ... or name=a,b) comes whole from one source: the highest that names any of it.
 * 2. An item is resolved once and remembers its depth, so the limit does not depend on the order of resolving. Only
 *    "too deep" is not remembered, for it holds for the chain, not for each of its members.
 * 3. What ENC() hides is literal: placeholders in a decrypted text are not expanded. A value that a secret went into
 *    is secret. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include "conf_int.h"
#include "name.h"
#include "placeholder.h"
#include "properties.h"

struct builder {
    struct um_conf *c;
    struct um_map claims;             /* name of a key or base of a list -> the source that has it */
    bool final;
};

struct resolving {                    /* one chain of references */
    struct um_conf *c;
    unsigned level;                   /* of the item that is being expanded, in the chain */
    bool too_deep;
    struct um_buf scratch;            /* a random value */
};

static bool resolve_in(struct resolving *r, struct item *it);

/* ---- the winners ---- */

static bool same_spelling(const struct entry *a, const struct entry *b)
{
    return a->known == b->known || a->known == NULL || b->known == NULL || a->known->is_alias == b->known->is_alias;
}

/* Two names of one row in two sources: told when they differ. */
static void note_shadowed(struct builder *b, const struct entry *loser)
{
    const struct item *it = items_get(b->c, loser->name);

    if (it != NULL && loser->source->kind != SOURCE_DEFAULT && !same_spelling(it->entry, loser) &&
        strcmp(it->entry->value, loser->value) != 0)
        note(b->c, UM_CONF_NOTE_WARN, loser, "another name of %s, which says otherwise and counts", it->entry->spelled);
}

static struct item *add_item(struct um_conf *c, const struct entry *e, const char *name)
{
    struct item *it = um_xcalloc(1, sizeof(*it));

    it->entry = e;
    it->name = name;
    it->secret = entry_is_secret(e);
    um_map_put(&c->items, UM_SPAN_STR(name), it);
    return it;
}

static void take_entry(struct builder *b, const struct source *s, const struct entry *e)
{
    size_t n = name_list_base(e->name);
    struct um_span base = UM_SPAN(e->name, n > 0 ? n : strlen(e->name));
    const struct source *owner = um_map_get(&b->claims, base);

    if (owner == NULL)
        um_map_put(&b->claims, base, (void *)(uintptr_t)s);
    else if (owner != s) {
        if (b->final)
            note_shadowed(b, e);
        return;
    }
    if (um_map_get(&b->c->items, UM_SPAN_STR(e->name)) == NULL)
        add_item(b->c, e, e->name);
}

static void take_source(struct builder *b, const struct source *s)
{
    for (size_t i = 0; s->active && i < s->n; i++)
        take_entry(b, s, s->entries[i]);
}

static int compare_items(const void *a, const void *b)
{
    return strcmp((*(struct item *const *)a)->name, (*(struct item *const *)b)->name);
}

static void sort_items(struct um_conf *c)
{
    size_t pos = 0;
    struct um_span key;
    void *value;

    c->sorted = um_xcalloc(c->items.n + 1, sizeof(struct item *));
    for (c->n_items = 0; um_map_next(&c->items, &pos, &key, &value); )
        c->sorted[c->n_items++] = value;
    qsort(c->sorted, c->n_items, sizeof(struct item *), compare_items);
}

/* A list that is given by index answers to its own name too. */
static void add_joined(struct um_conf *c)
{
    size_t n = c->n_items;

    for (size_t i = 0; i < n; i++) {
        const char *name = c->sorted[i]->name;
        size_t len = strlen(name);
        if (len <= 3 || strcmp(name + len - 3, "[0]") != 0 ||
            um_map_get(&c->items, UM_SPAN(name, len - 3)) != NULL)
            continue;
        add_item(c, c->sorted[i]->entry, pool_str(&c->pool, name, len - 3))->joined = true;
    }
    if (c->items.n != n) {
        free(c->sorted);
        sort_items(c);
    }
}

/* `Logging.Level[com.Foo]` -> `logging.level[com.Foo`: as written, lower case outside brackets; without the last
 * bracket of a name, so that um_conf_next can hand out the rest. */
static const char *display_of(struct um_conf *c, const struct entry *e)
{
    const char *name = e->known != NULL && e->known->is_alias ? e->name : e->spelled;
    char *s = pool_str(&c->pool, name, strlen(name));
    const char *open = strrchr(s, '[');
    size_t n = strlen(s);
    bool inside = false;

    if (open != NULL && s[n - 1] == ']' && !(open[1] >= '0' && open[1] <= '9'))
        s[n - 1] = '\0';
    for (char *p = s; *p != '\0'; p++) {
        inside = *p == '[' || (inside && *p != ']');
        if (!inside && *p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    }
    return s;
}

void items_build(struct um_conf *c, bool final)
{
    struct builder b = { .c = c, .final = final };

    take_source(&b, c->args);
    take_source(&b, c->json);
    take_source(&b, c->env);
    for (size_t i = c->n_files; i > 0; i--)
        take_source(&b, c->files[i - 1]);
    take_source(&b, c->defaults);
    um_map_free(&b.claims);
    sort_items(c);
    add_joined(c);
    for (size_t i = 0; final && i < c->n_items; i++)
        c->sorted[i]->display = display_of(c, c->sorted[i]->entry);
}

void items_clear(struct um_conf *c)
{
    for (size_t i = 0; i < c->n_items; i++)
        free(c->sorted[i]);
    free(c->sorted);
    c->sorted = NULL;
    c->n_items = 0;
    um_map_free(&c->items);
    c->items = (struct um_map){ 0 };
}

struct item *items_get(const struct um_conf *c, const char *canonical)
{
    return um_map_get(&c->items, UM_SPAN_STR(canonical));
}

/* ---- resolving ---- */

static enum placeholder_found find_random(struct resolving *r, const char *name, struct placeholder_value *value)
{
    um_buf_clear(&r->scratch);
    if (!placeholder_random(name, &r->scratch)) {
        value->reason = "not a random value: value, int, long, uuid, int(max) or int[min,max] expected";
        return PLACEHOLDER_FAILED;
    }
    value->text = um_buf_cstr(&r->scratch);
    return PLACEHOLDER_FOUND;
}

static enum placeholder_found find_item(struct resolving *r, struct item *it, unsigned level,
                                        struct placeholder_value *value)
{
    unsigned above = r->level;
    bool ok = true;

    r->level += level;
    if (it->state == ITEM_BUSY) {
        value->reason = pool_printf(&r->c->pool, "placeholders refer to each other in a circle: ${%s}", it->entry->spelled);
        ok = false;
    } else if (r->level > PLACEHOLDER_MAX_DEPTH) {
        value->reason = "placeholders nested deeper than 16";
        r->too_deep = true;
        ok = false;
    } else if (!resolve_in(r, it)) {
        value->reason = it->reason;
        ok = false;
    }
    r->level = above;
    value->text = it->text;
    value->depth = it->depth;
    value->secret = it->secret;
    return ok ? PLACEHOLDER_FOUND : PLACEHOLDER_FAILED;
}

static enum placeholder_found find(void *arg, const char *name, unsigned level, struct placeholder_value *value)
{
    struct resolving *r = arg;
    struct um_buf b = { 0 };
    struct item *it = NULL;

    if (strncmp(name, "random.", 7) == 0)
        return find_random(r, name, value);
    if (strlen(name) <= NAME_MAX_BYTES) {
        name_canonical(&b, name);
        it = items_get(r->c, known_row_name(r->c, known_find(r->c, um_buf_cstr(&b)), um_buf_cstr(&b)));
        um_buf_free(&b);
    }
    if (it != NULL)
        return find_item(r, it, level, value);
    value->text = env_raw(r->c, name);           /* another program's variable: its text is taken as it is */
    return value->text != NULL ? PLACEHOLDER_FOUND : PLACEHOLDER_ABSENT;
}

static bool is_encrypted(const char *text)
{
    size_t n = strlen(text);

    return n > 5 && strncmp(text, "ENC(", 4) == 0 && text[n - 1] == ')';
}

static void read_secret_file(struct um_conf *c, const char *path)
{
    struct um_buf text = { 0 };

    if (slurp(path_full(c, path), 64 * 1024, &text) == UM_OK) {
        while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
            text.len--;
        c->secret = um_xstrdup(um_buf_cstr(&text));
    }
    if (text.data != NULL)
        OPENSSL_cleanse(text.data, text.len);
    um_buf_free(&text);
}

/* Command line, JSON and environment; then secret.file; then a file's own line. */
static const char *master_secret(struct resolving *r)
{
    struct um_conf *c = r->c;
    struct item *secret = items_get(c, "secret"), *file = items_get(c, "secret.file");
    bool outside = secret != NULL && secret->entry->source->kind >= SOURCE_ENV;

    if (c->secret != NULL || c->secret_busy)
        return c->secret;
    c->secret_busy = true;
    if (file != NULL && !outside && resolve_in(r, file))
        read_secret_file(c, file->text);
    else if (secret != NULL && secret->state != ITEM_BUSY && resolve_in(r, secret))
        c->secret = um_xstrdup(secret->text);
    c->secret_busy = false;
    return c->secret;
}

static bool fail_item(struct item *it, const char *reason)
{
    it->reason = reason;
    it->state = ITEM_FAILED;
    return false;
}

static bool decrypt(struct resolving *r, struct item *it, const char *text)
{
    const char *secret = master_secret(r);
    struct um_buf plain = { 0 };
    const char *reason = NULL;

    it->secret = true;
    if (secret == NULL || *secret == '\0')
        return fail_item(it, "encrypted, but there is no master secret: set the variable \"secret\", --secret= or secret.file");
    um_err err = um_conf_decrypt(secret, UM_SPAN_STR(text), &plain);
    if (err == UM_EPROTO)
        reason = "not a well-formed ENC(...)";
    else if (err != UM_OK)
        reason = "cannot be decrypted: another master secret, or a changed text";
    else if (memchr(um_buf_cstr(&plain), '\0', plain.len) != NULL)
        reason = "the decrypted text has a NUL character";
    else
        it->text = pool_str(&r->c->pool, plain.data, plain.len);
    if (plain.data != NULL)
        OPENSSL_cleanse(plain.data, plain.len);
    um_buf_free(&plain);
    if (reason != NULL)
        return fail_item(it, reason);
    it->state = ITEM_DONE;
    return true;
}

static bool expand(struct resolving *r, struct item *it, const char *text)
{
    const struct known *k = it->entry->known;
    struct expansion x = { .find = find, .arg = r, .keep_absent = k != NULL && (k->key->flags & UM_CONF_RUNTIME_EXPR) != 0 };
    size_t left = CONF_MAX_EXPANDED - UM_MIN(r->c->expanded, CONF_MAX_EXPANDED);
    size_t not_ours = PLACEHOLDER_MAX_SIZE - UM_MIN(left, PLACEHOLDER_MAX_SIZE);

    x.spent = not_ours;
    bool ok = placeholder_expand(&x, text);
    r->c->expanded += x.spent - not_ours;
    it->secret = it->secret || x.secret;
    if (ok) {
        it->text = pool_str(&r->c->pool, x.out.data, x.out.len);
        it->depth = x.depth;
        it->state = ITEM_DONE;
    } else {
        fail_item(it, pool_str(&r->c->pool, x.reason, strlen(x.reason)));
        if (r->too_deep && r->level > 0)
            it->state = ITEM_RAW;
    }
    um_buf_free(&x.out);
    return ok;
}

/* name[0],name[1],...: as long as there is no gap. */
static bool join(struct resolving *r, struct item *it)
{
    struct um_buf b = { 0 };

    it->state = ITEM_BUSY;
    for (unsigned i = 0; i <= CONF_MAX_INDEX && b.len <= PLACEHOLDER_MAX_SIZE; i++) {
        struct item *one = items_get(r->c, pool_printf(&r->c->pool, "%s[%u]", it->name, i));
        if (one == NULL)
            break;
        if (one->state == ITEM_BUSY || !resolve_in(r, one)) {
            um_buf_free(&b);
            fail_item(it, one->state == ITEM_BUSY ? "placeholders refer to each other in a circle" : one->reason);
            if (r->too_deep && r->level > 0)
                it->state = ITEM_RAW;
            return false;
        }
        um_buf_printf(&b, "%s%s", i > 0 ? "," : "", one->text);
        it->depth = UM_MAX(it->depth, one->depth);
        it->secret = it->secret || one->secret;
    }
    it->text = pool_str(&r->c->pool, b.data, b.len);
    it->state = ITEM_DONE;
    um_buf_free(&b);
    return true;
}

static bool resolve_in(struct resolving *r, struct item *it)
{
    const char *text = it->entry->value;

    if (it->state == ITEM_DONE || it->state == ITEM_FAILED)
        return it->state == ITEM_DONE;
    if (it->joined)
        return join(r, it);
    it->state = ITEM_BUSY;
    if (is_encrypted(text))
        return decrypt(r, it, text);
    if (strstr(text, "${") != NULL)
        return expand(r, it, text);
    it->text = text;
    it->state = ITEM_DONE;
    return true;
}

bool item_resolve(struct um_conf *c, struct item *it)
{
    struct resolving r = { .c = c };
    bool ok = resolve_in(&r, it);

    um_buf_free(&r.scratch);
    return ok;
}

/* ---- while the files are still being collected ---- */

static const char *early(struct um_conf *c, struct item *it)
{
    const char *text = NULL;

    if (item_resolve(c, it))
        text = it->text;
    else
        note(c, UM_CONF_NOTE_ERROR, it->entry, "%s", it->reason);
    return text;
}

const char *items_early_text(struct um_conf *c, const struct entry *e)
{
    if (strstr(e->value, "${") == NULL)
        return e->value;
    items_build(c, false);
    struct item it = { .entry = e, .name = e->name };
    const char *text = early(c, &it);
    items_clear(c);
    return text;
}

const char *items_early_value(struct um_conf *c, const char *name, const struct entry **entry)
{
    const char *text = NULL;

    *entry = NULL;
    items_build(c, false);
    struct item *it = items_get(c, name);
    if (it != NULL) {
        *entry = it->entry;
        text = early(c, it);
    }
    items_clear(c);
    return text;
}

void items_find_secret(struct um_conf *c)
{
    struct resolving r = { .c = c };

    (void)master_secret(&r);
    um_buf_free(&r.scratch);
}
