/* See model.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "acl.h"
#include "internal.h"
#include "model.h"
#include "operations/registration.h"

struct kind_row { const char *word, *cache; };
static const struct kind_row kinds[UM_KINDS_N] = {
#define X(id, word, cache, missing, exists) { word, cache },
    UM_KINDS(X)
#undef X
};
static const char *const categories[UM_CATEGORIES_N] = {
#define X(id) #id,
    UM_CATEGORIES(X)
#undef X
};

const char *um_kind_word(enum um_kind k) { return kinds[k].word; }
const char *um_kind_cache(enum um_kind k) { return kinds[k].cache; }
const char *um_category_word(enum um_category k) { return categories[k]; }

bool um_kind_of(const char *word, enum um_kind *out)
{
    for (size_t i = 0; i < UM_KINDS_N; i++)
        if (strcmp(kinds[i].word, word) == 0) {
            *out = (enum um_kind)i;
            return true;
        }
    return false;
}

bool um_category_of(const char *word, enum um_category *out)
{
    for (size_t i = 0; i < UM_CATEGORIES_N; i++)
        if (strcmp(categories[i], word) == 0) {
            *out = (enum um_category)i;
            return true;
        }
    return false;
}

struct set {                                 /* of one kind */
    struct um_map by_id;
    json_t **rows;                           /* by id */
    size_t n, cap;
};
struct um_model {
    _Atomic uint32_t refs;
    int64_t stamp;
    json_t *scope;
    struct set sets[UM_KINDS_N];
    struct acl **acls;                       /* beside the rows of UM_KIND_ACL */
    struct um_map acl_by_id;
    struct um_map groups_of;                 /* member -> struct groups, ours */
    struct registrations *registrations;
};
struct groups { size_t n; const json_t **rows; };

struct models {
    pthread_mutex_t lock;
    struct um_map by_scope;                  /* name -> struct um_model, one reference each */
};

/* ---- a picture ---- */

static void set_free(struct set *s)
{
    for (size_t i = 0; i < s->n; i++)
        json_decref(s->rows[i]);
    free(s->rows);
    um_map_free(&s->by_id);
}

static void members_free(struct um_model *m)
{
    struct um_span key;
    size_t pos = 0;
    void *of;

    while (um_map_next(&m->groups_of, &pos, &key, &of)) {
        free(((struct groups *)of)->rows);
        free(of);
    }
    um_map_free(&m->groups_of);
}

void um_model_unref(const struct um_model *picture)
{
    struct um_model *m = (struct um_model *)picture;

    if (m == NULL || atomic_fetch_sub(&m->refs, 1) != 1)
        return;
    for (size_t i = 0; m->acls != NULL && i < m->sets[UM_KIND_ACL].n; i++)
        acl_free(m->acls[i]);
    free(m->acls);
    um_map_free(&m->acl_by_id);
    members_free(m);
    registrations_free(m->registrations);
    for (size_t i = 0; i < UM_KINDS_N; i++)
        set_free(&m->sets[i]);
    json_decref(m->scope);
    free(m);
}

static um_err add_row(void *arg, const struct um_sql_row *row)
{
    struct um_model *m = arg;
    struct um_span text = um_sql_span(row, 2);
    struct set *s;
    enum um_kind k;
    json_t *body;

    if (!um_kind_of(um_sql_text(row, 0), &k))
        return UM_OK;                        /* of a newer version of ours */
    body = json_loadb((const char *)text.data, text.len, 0, NULL);
    if (body == NULL)
        return UM_ECORRUPT;
    s = &m->sets[k];
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 16 : 2 * s->cap;
        s->rows = um_xrealloc(s->rows, s->cap * sizeof(s->rows[0]));
    }
    s->rows[s->n++] = body;
    um_map_put(&s->by_id, um_sql_span(row, 1), body);
    return UM_OK;
}

static void compile_acls(struct um_model *m)
{
    const struct set *s = &m->sets[UM_KIND_ACL];

    m->acls = um_xcalloc(s->n + 1, sizeof(m->acls[0]));
    for (size_t i = 0; i < s->n; i++) {
        m->acls[i] = acl_new(s->rows[i]);
        if (acl_id(m->acls[i]) != NULL)
            um_map_put(&m->acl_by_id, UM_SPAN_STR(acl_id(m->acls[i])), m->acls[i]);
    }
}

static void add_member(struct um_model *m, const char *name, const json_t *group)
{
    struct groups *of = um_map_get(&m->groups_of, UM_SPAN_STR(name));

    if (of == NULL) {
        of = um_xcalloc(1, sizeof(*of));
        um_map_put(&m->groups_of, UM_SPAN_STR(name), of);
    }
    of->rows = um_xrealloc(of->rows, (of->n + 1) * sizeof(of->rows[0]));
    of->rows[of->n++] = group;
}

static void list_members(struct um_model *m)
{
    const struct set *s = &m->sets[UM_KIND_GROUP];
    json_t *member;
    size_t k;

    for (size_t i = 0; i < s->n; i++)
        json_array_foreach(json_object_get(s->rows[i], "members"), k, member)
            if (json_is_string(member))
                add_member(m, json_string_value(member), s->rows[i]);
}

static um_err load_scope(struct um_model *m, struct um_sql *q, const char *scope)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT body FROM scopes WHERE id = ?1", UM_SQL_ARGS(um_sql_word(scope)), &row);

    if (err != UM_OK)
        return err;
    m->scope = json_loadb((const char *)um_sql_span(&row, 0).data, um_sql_span(&row, 0).len, 0, NULL);
    return m->scope != NULL ? UM_OK : UM_ECORRUPT;
}

static um_err load(const struct um_domain *d, struct um_sql *q, const char *scope, int64_t stamp, struct um_model **out)
{
    struct um_model *m = um_xcalloc(1, sizeof(*m));
    um_err err;

    atomic_init(&m->refs, 1);
    m->stamp = stamp;
    err = load_scope(m, q, scope);
    if (err == UM_OK)
        err = um_sql_each(q, "SELECT kind, id, body FROM objects WHERE scope = ?1 ORDER BY kind, id", UM_SQL_ARGS(um_sql_word(scope)),
                          add_row, m);
    if (err == UM_OK)
        err = registrations_load(d, q, scope, &m->registrations);
    if (err != UM_OK) {
        um_model_unref(m);
        return err;
    }
    compile_acls(m);
    list_members(m);
    *out = m;
    return UM_OK;
}

const json_t *um_model_scope(const struct um_model *m) { return m->scope; }
const struct registrations *um_model_registrations(const struct um_model *m) { return m->registrations; }

const json_t *um_model_find(const struct um_model *m, enum um_kind k, const char *id)
{
    return id != NULL ? um_map_get(&m->sets[k].by_id, UM_SPAN_STR(id)) : NULL;
}

size_t um_model_count(const struct um_model *m, enum um_kind k) { return m->sets[k].n; }
const json_t *um_model_at(const struct um_model *m, enum um_kind k, size_t i) { return m->sets[k].rows[i]; }
size_t um_model_acls(const struct um_model *m) { return m->sets[UM_KIND_ACL].n; }
const struct acl *um_model_acl_at(const struct um_model *m, size_t i) { return m->acls[i]; }

const struct acl *um_model_acl(const struct um_model *m, const char *id)
{
    return id != NULL ? um_map_get(&m->acl_by_id, UM_SPAN_STR(id)) : NULL;
}

const json_t *const *um_model_groups_of(const struct um_model *m, const char *name, size_t *n)
{
    const struct groups *of = um_map_get(&m->groups_of, UM_SPAN_STR(name));

    *n = of != NULL ? of->n : 0;
    return of != NULL ? of->rows : NULL;
}

/* ---- those that are kept ---- */

struct models *models_new(void)
{
    struct models *all = um_xcalloc(1, sizeof(*all));

    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void models_free(struct models *all)
{
    struct um_span key;
    size_t pos = 0;
    void *m;

    if (all == NULL)
        return;
    while (um_map_next(&all->by_scope, &pos, &key, &m))
        um_model_unref(m);
    um_map_free(&all->by_scope);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static struct um_model *kept(struct models *all, const char *scope, int64_t stamp)
{
    struct um_model *m;

    pthread_mutex_lock(&all->lock);
    m = um_map_get(&all->by_scope, UM_SPAN_STR(scope));
    if (m != NULL && m->stamp == stamp)
        atomic_fetch_add(&m->refs, 1);
    else
        m = NULL;
    pthread_mutex_unlock(&all->lock);
    return m;
}

static void keep(struct models *all, const char *scope, struct um_model *m)
{
    struct um_model *old;

    atomic_fetch_add(&m->refs, 1);
    pthread_mutex_lock(&all->lock);
    old = um_map_put(&all->by_scope, UM_SPAN_STR(scope), m);
    pthread_mutex_unlock(&all->lock);
    um_model_unref(old);
}

static um_err model_of(struct um_domain *d, struct um_sql *q, const char *scope, int64_t stamp, const struct um_model **out)
{
    struct um_model *m = kept(d->models, scope, stamp);

    if (m == NULL) {
        um_err err = load(d, q, scope, stamp, &m);

        if (err != UM_OK)
            return err;
        keep(d->models, scope, m);
    }
    *out = m;
    return UM_OK;
}

um_err um_model_get(struct um_domain *d, struct um_sql *q, const char *scope, const struct um_model **out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT stamp FROM models WHERE scope = ?1", UM_SQL_ARGS(um_sql_word(scope)), &row);

    return err == UM_OK ? model_of(d, q, scope, um_sql_int(&row, 0), out) : err;
}

um_err um_model_get_for(struct um_domain *d, struct um_sql *q, const char *scope, const char *user, struct um_account *account,
                        const struct um_model **out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT models.stamp, users.stamp, users.enabled, users.profiles FROM models LEFT JOIN users"
                               " ON users.scope = models.scope AND users.id = ?2 WHERE models.scope = ?1",
                            UM_SQL_ARGS(um_sql_word(scope), um_sql_word(user)), &row);

    *account = (struct um_account){ 0 };
    if (err != UM_OK)
        return err;
    if (!um_sql_is_null(&row, 1))
        *account = (struct um_account){ true, um_sql_int(&row, 2) != 0, um_sql_int(&row, 1), json_loads(um_sql_text(&row, 3), 0, NULL) };
    return model_of(d, q, scope, um_sql_int(&row, 0), out);
}

void um_account_drop(struct um_account *account)
{
    json_decref(account->profiles);
    *account = (struct um_account){ 0 };
}

um_err um_model_touch(struct um_sql *q, const char *scope)
{
    return um_sql_exec(q, "INSERT INTO models(scope, stamp) VALUES(?1, ?2) ON CONFLICT (scope) DO UPDATE SET stamp = ?2",
                       UM_SQL_ARGS(um_sql_word(scope), UM_SQL_INT((int64_t)(um_random_u64() >> 1))), NULL);
}
