/* See copy.h. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "copy.h"

void copy_key(struct um_buf *out, const char *category, const char *id)
{
    um_buf_clear(out);
    um_buf_put(out, category, strlen(category) + 1);
    um_buf_puts(out, id);
}

void copy_init(struct copy *c)
{
    *c = (struct copy){ 0 };
    pthread_mutex_init(&c->lock, NULL);
}

static void entry_free(struct copy_entry *e)
{
    if (e != NULL)
        free(e->text);
    free(e);
}

void copy_free(struct copy *c)
{
    size_t pos = 0;
    void *value;

    while (um_map_next(&c->entries, &pos, &(struct um_span){ 0 }, &value))
        entry_free(value);
    um_map_free(&c->entries);
    um_map_free(&c->sessions);
    pthread_mutex_destroy(&c->lock);
}

/* ---- what is reported ---- */

static struct copy_entry *find(struct copy *c, const char *category, const char *id)
{
    struct um_buf key = { 0 };
    struct copy_entry *e;

    copy_key(&key, category, id);
    e = um_map_get(&c->entries, UM_SPAN(key.data, key.len));
    um_buf_free(&key);
    return e;
}

static void count_session(struct copy *c, const char *session, int by)
{
    struct um_span key = UM_SPAN(session, strlen(session) + 1);
    intptr_t n = (intptr_t)um_map_get(&c->sessions, key) + by;

    if (n > 0)
        um_map_put(&c->sessions, key, (void *)n);
    else
        um_map_remove(&c->sessions, key);
}

static void set_free(struct copy *c, struct copy_entry *e, bool is_free)
{
    if (e->is_free == is_free)
        return;
    e->is_free = is_free;
    c->held += is_free ? (size_t)-1 : 1;
    count_session(c, e->row.session, is_free ? -1 : 1);
}

const char *copy_put_text(char **at, const char *s)
{
    char *start = *at;

    strcpy(start, s);
    *at += strlen(s) + 1;
    return start;
}

static void set_strings(struct copy_entry *e, const struct um_store_reserved *row)
{
    size_t n = strlen(row->category) + strlen(row->id) + strlen(row->user) + strlen(row->session) + 4;
    char *old = e->text, *at = e->text = um_xmalloc(n);

    e->row.category = copy_put_text(&at, row->category);
    e->row.id = copy_put_text(&at, row->id);
    e->row.user = copy_put_text(&at, row->user);
    e->row.session = copy_put_text(&at, row->session);
    free(old);
}

static struct copy_entry *add(struct copy *c, const struct um_store_reserved *row)
{
    struct copy_entry *e = um_xcalloc(1, sizeof(*e));
    struct um_buf key = { 0 };

    e->is_free = true;
    set_strings(e, row);
    copy_key(&key, row->category, row->id);
    UM_ASSERT(!key.failed);
    um_map_put(&c->entries, UM_SPAN(key.data, key.len), e);
    um_buf_free(&key);
    return e;
}

static void name_holder(struct copy_outcome *out, enum copy_verdict verdict, const struct copy_entry *e)
{
    out->verdict = verdict;
    snprintf(out->user, sizeof(out->user), "%s", e->row.user);
    snprintf(out->session, sizeof(out->session), "%s", e->row.session);
}

static void bury(struct copy *c, struct copy_entry *e, uint64_t version, int64_t now_ms, struct copy_outcome *out)
{
    if (!e->is_free)
        name_holder(out, COPY_FREED, e);
    set_free(c, e, true);
    e->version = UM_MAX(e->version, version);
    e->until_ms = now_ms + COPY_GRAVE_MS;
}

static void hold(struct copy *c, struct copy_entry *e, const struct um_store_reserved *row, uint64_t version, int64_t now_ms)
{
    set_free(c, e, true);
    set_strings(e, row);
    e->row.token = row->token;
    e->row.since_ms = row->since_ms;
    e->version = version;
    e->wrote_ms = now_ms;                     /* a grant is as good as a renewal */
    e->sure_ms = e->until_ms = e->asked_ms = 0;
    set_free(c, e, false);
}

/* The same grant, told again: its lease can only have been lengthened. */
static bool lengthen(struct copy_entry *e, int64_t until_ms, int64_t now_ms, int64_t margin_ms)
{
    bool was_sure = e->sure_ms > now_ms;

    e->until_ms = UM_MAX(e->until_ms, until_ms);
    e->sure_ms = e->until_ms - margin_ms;
    return !was_sure && e->sure_ms > now_ms;
}

static bool is_fit(const struct um_store_reserved *row)
{
    size_t id = strlen(row->id);

    return *row->category != '\0' && strlen(row->category) <= UM_RESERVE_CATEGORY_MAX && id > 0 && id <= UM_RESERVE_ID_MAX &&
           strlen(row->user) <= UM_RESERVE_USER_MAX && strlen(row->session) <= UM_RESERVE_SESSION_MAX;
}

static void take_report(struct copy *c, const struct um_store_reserved *row, uint64_t version, int64_t now_ms,
                        int64_t margin_ms, struct copy_outcome *out)
{
    bool is_free = *row->session == '\0' || row->left_ms <= 0;
    struct copy_entry *e = find(c, row->category, row->id);

    if (e == NULL && row->token == 0)
        return;
    if (e == NULL)
        e = add(c, row);
    if (row->token < e->row.token || (row->token == e->row.token && e->is_free))
        return;
    if (is_free) {
        bury(c, e, version, now_ms, out);
        e->row.token = row->token;
        return;
    }
    bool is_new = row->token > e->row.token;
    if (is_new)
        hold(c, e, row, version, now_ms);
    bool is_sure_again = lengthen(e, now_ms + row->left_ms, now_ms, margin_ms);
    if (is_new || is_sure_again)
        name_holder(out, is_new ? COPY_TAKEN : COPY_CONFIRMED, e);
}

bool copy_report(struct copy *c, const struct um_store_reserved *row, uint64_t version, int64_t now_ms, int64_t margin_ms,
                 struct copy_outcome *out)
{
    *out = (struct copy_outcome){ .verdict = COPY_SAME };
    if (!is_fit(row))
        return false;
    pthread_mutex_lock(&c->lock);
    take_report(c, row, version, now_ms, margin_ms, out);
    pthread_mutex_unlock(&c->lock);
    return true;
}

/* ---- what is absent, what is due ---- */

struct absent { char *category, *id; struct copy_outcome o; };

void copy_sweep_absent(struct copy *c, const struct um_map *present, uint64_t version, int64_t now_ms,
                       void (*fn)(void *arg, const char *category, const char *id, const struct copy_outcome *o), void *arg)
{
    struct absent *gone = NULL;
    size_t n = 0, pos = 0;
    struct um_span key;
    void *value;

    pthread_mutex_lock(&c->lock);
    while (um_map_next(&c->entries, &pos, &key, &value)) {
        struct copy_entry *e = value;

        if (e->is_free || e->version > version || um_map_get(present, key) != NULL)
            continue;
        gone = um_xrealloc(gone, (n + 1) * sizeof(*gone));
        gone[n] = (struct absent){ um_xstrdup(e->row.category), um_xstrdup(e->row.id), { .verdict = COPY_SAME } };
        bury(c, e, version, now_ms, &gone[n++].o);
    }
    c->loaded = true;
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < n; i++) {
        fn(arg, gone[i].category, gone[i].id, &gone[i].o);
        free(gone[i].category);
        free(gone[i].id);
    }
    free(gone);
}

static void drop_graves(struct copy *c, int64_t now_ms)
{
    struct um_span *keys = NULL;
    size_t n = 0, pos = 0;
    struct um_span key;
    void *value;

    while (um_map_next(&c->entries, &pos, &key, &value)) {
        struct copy_entry *e = value;

        if (!e->is_free || e->until_ms > now_ms)
            continue;
        keys = um_xrealloc(keys, (n + 1) * sizeof(*keys));
        keys[n++] = key;
    }
    for (size_t i = 0; i < n; i++) {
        struct copy_entry *e = um_map_get(&c->entries, keys[i]);

        um_map_remove(&c->entries, keys[i]);
        entry_free(e);
    }
    free(keys);
}

/* When the database is to be asked about E: when it is no longer sure, then again and again until the database has said more. */
static int64_t due_at(const struct copy_entry *e)
{
    int64_t again = e->asked_ms + COPY_RECHECK_MS;

    if (e->asked_ms < e->sure_ms || e->asked_ms == 0)
        return e->sure_ms;
    return e->asked_ms < e->until_ms ? UM_MIN(again, e->until_ms) : again;
}

size_t copy_due(struct copy *c, int64_t now_ms, struct um_store_ref *out, size_t max, int64_t *next_ms)
{
    size_t n = 0, pos = 0;
    void *value;

    pthread_mutex_lock(&c->lock);
    drop_graves(c, now_ms);
    *next_ms = now_ms + COPY_GRAVE_MS;
    while (um_map_next(&c->entries, &pos, &(struct um_span){ 0 }, &value)) {
        struct copy_entry *e = value;
        int64_t at = e->is_free ? e->until_ms : due_at(e);

        if (!e->is_free && at <= now_ms && n < max) {
            out[n++] = (struct um_store_ref){ um_xstrdup(e->row.category), um_xstrdup(e->row.id), 0 };
            e->asked_ms = now_ms;
            at = due_at(e);
        }
        *next_ms = UM_MIN(*next_ms, at);
    }
    pthread_mutex_unlock(&c->lock);
    return n;
}

bool copy_has_room(struct copy *c, const char *session, const struct um_store_ref *refs, size_t n, int64_t max,
                   int64_t max_per_session)
{
    size_t held, own, more = n;

    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < n; i++) {
        const struct copy_entry *e = find(c, refs[i].category, refs[i].id);
        more -= e != NULL && !e->is_free && strcmp(e->row.session, session) == 0;
    }
    held = c->held;
    own = (size_t)(intptr_t)um_map_get(&c->sessions, UM_SPAN(session, strlen(session) + 1));
    pthread_mutex_unlock(&c->lock);
    return held + more <= (size_t)max && own + more <= (size_t)max_per_session;
}

/* ---- looking ---- */

enum um_reserve_is copy_look(struct copy *c, const char *category, const char *id, int64_t now_ms, struct um_reserve_holder *out)
{
    enum um_reserve_is is = UM_RESERVE_FREE;
    struct copy_entry *e;

    *out = (struct um_reserve_holder){ .sure_ms = INT64_MAX };
    pthread_mutex_lock(&c->lock);
    e = find(c, category, id);
    if (!c->loaded) {
        is = UM_RESERVE_DOUBTFUL;
        out->sure_ms = now_ms;
    } else if (e != NULL && !e->is_free) {
        is = now_ms < e->sure_ms ? UM_RESERVE_HELD : UM_RESERVE_DOUBTFUL;
        snprintf(out->user, sizeof(out->user), "%s", e->row.user);
        snprintf(out->session, sizeof(out->session), "%s", e->row.session);
        out->token = e->row.token;
        out->sure_ms = is == UM_RESERVE_HELD ? e->sure_ms : now_ms;
    }
    pthread_mutex_unlock(&c->lock);
    return is;
}

bool copy_wants_renewal(struct copy *c, const char *category, const char *id, const char *user, int64_t now_ms,
                        int64_t every_ms, char session[UM_RESERVE_SESSION_MAX + 1])
{
    struct copy_entry *e;
    bool wants;

    pthread_mutex_lock(&c->lock);
    e = find(c, category, id);
    wants = e != NULL && !e->is_free && strcmp(e->row.user, user) == 0 && now_ms - e->wrote_ms >= every_ms;
    if (wants) {
        e->wrote_ms = now_ms;
        snprintf(session, UM_RESERVE_SESSION_MAX + 1, "%s", e->row.session);
    }
    pthread_mutex_unlock(&c->lock);
    return wants;
}

static bool is_wanted(const struct copy_entry *e, const struct um_reserve_filter *f)
{
    return !e->is_free && (f->user == NULL || strcmp(f->user, e->row.user) == 0) &&
           (f->session == NULL || strcmp(f->session, e->row.session) == 0) &&
           (f->category == NULL || strcmp(f->category, e->row.category) == 0) &&
           (f->fits == NULL || f->fits(f->arg, e->row.id));
}

static int by_name(const void *a, const void *b)
{
    const struct copy_entry *x = *(const struct copy_entry *const *)a, *y = *(const struct copy_entry *const *)b;
    int by_category = strcmp(x->row.category, y->row.category);

    return by_category != 0 ? by_category : strcmp(x->row.id, y->row.id);
}

size_t copy_list(struct copy *c, const struct um_reserve_filter *f, int64_t now_ms,
                 void (*cb)(void *arg, const struct um_store_reserved *row), void *arg)
{
    struct copy_entry **found = NULL;
    size_t n = 0, pos = 0;
    void *value;

    pthread_mutex_lock(&c->lock);
    if (c->held > 0)
        found = um_xcalloc(c->held, sizeof(struct copy_entry *));
    while (um_map_next(&c->entries, &pos, &(struct um_span){ 0 }, &value))
        if (is_wanted(value, f))
            found[n++] = value;
    if (n > 0)
        qsort(found, n, sizeof(struct copy_entry *), by_name);
    for (size_t i = f->start; i < n && i - f->start < f->max; i++) {
        struct um_store_reserved row = found[i]->row;

        row.left_ms = found[i]->until_ms - now_ms;
        cb(arg, &row);
    }
    if (!c->loaded)
        n = SIZE_MAX;
    pthread_mutex_unlock(&c->lock);
    free(found);
    return n;
}
