/* The registrations of a scope. They are documents like others; the filter and the rules of one, which its files have, are kept
 * beside it, so that a model is read without contents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "body.h"
#include "files.h"
#include "filter.h"
#include "internal.h"
#include "operations/registration.h"

struct registrations { struct registration **rows; size_t n; };

#define KEPT(file_, max_, table) \
    { file_, max_, "INSERT INTO " table "(num, body) VALUES(?1, ?2) ON CONFLICT (num) DO UPDATE SET body = ?2", \
      "DELETE FROM " table " WHERE num = ?1" }
static const struct { const char *file; size_t max; const char *put, *drop; } kept[REGISTRATION_TEXTS_N] = {
    [REGISTRATION_REQUEST] = KEPT("request", FILTER_TEXT_MAX, "operation_filters"),
    [REGISTRATION_RULES] = KEPT("rules", RULES_TEXT_MAX, "operation_rules"),
};

/* ---- a scope's ---- */

static int by_order(const void *a, const void *b)
{
    const struct registration *x = *(struct registration *const *)a, *y = *(struct registration *const *)b;

    return x->order != y->order ? (x->order < y->order ? -1 : 1) : strcmp(x->id, y->id);
}

struct loading { const struct um_domain *d; struct registrations *all; const char *scope; };

static void add(struct loading *in, const json_t *body, const char *const texts[REGISTRATION_TEXTS_N])
{
    struct registration *r;
    char where[64], why[RULES_WHY_MAX];

    if (!registration_new(in->d, body, texts, &r, where, why)) {
        um_log_limited(UM_ERROR, "operation", "a registration is left out", UM_S("scope", in->scope),
                       UM_S("registration", um_body_id(body)), UM_S("why", why));
    } else if (!r->enabled) {
        registration_free(r);
    } else {
        in->all->rows = um_xrealloc(in->all->rows, (in->all->n + 1) * sizeof(r));
        in->all->rows[in->all->n++] = r;
    }
}

static um_err add_row(void *arg, const struct um_sql_row *row)
{
    struct um_span text = um_sql_span(row, 0);
    json_t *body = json_loadb((const char *)text.data, text.len, 0, NULL);
    const char *texts[REGISTRATION_TEXTS_N];

    if (body == NULL)
        return UM_ECORRUPT;
    for (unsigned i = 0; i < REGISTRATION_TEXTS_N; i++)
        texts[i] = um_sql_is_null(row, 1 + i) ? NULL : um_sql_text(row, 1 + i);
    add(arg, body, texts);
    json_decref(body);
    return UM_OK;
}

um_err registrations_load(const struct um_domain *d, struct um_sql *q, const char *scope, struct registrations **out)
{
    struct registrations *all = um_xcalloc(1, sizeof(*all));
    struct loading in = { d, all, scope };
    um_err err = um_sql_each(q, "SELECT c.body, f.body, r.body FROM components c LEFT JOIN operation_filters f ON f.num = c.num"
                                " LEFT JOIN operation_rules r ON r.num = c.num"
                                " WHERE c.scope = ?1 AND c.category = ?2 AND c.class_id = ?3 LIMIT ?4",
                             UM_SQL_ARGS(um_sql_word(scope), um_sql_word(um_category_word(UM_CATEGORY_DOCUMENT)),
                                         um_sql_word(UM_REGISTRATION_CLASS), UM_SQL_INT(REGISTRATIONS_MAX)), add_row, &in);

    if (err != UM_OK) {
        registrations_free(all);
        return err;
    }
    if (all->n > 0)
        qsort(all->rows, all->n, sizeof(all->rows[0]), by_order);
    *out = all;
    return UM_OK;
}

void registrations_free(struct registrations *all)
{
    for (size_t i = 0; all != NULL && i < all->n; i++)
        registration_free(all->rows[i]);
    if (all != NULL)
        free(all->rows);
    free(all);
}

size_t registrations_count(const struct registrations *all) { return all != NULL ? all->n : 0; }
const struct registration *registrations_at(const struct registrations *all, size_t i) { return all->rows[i]; }

/* ---- one that is written ---- */

bool registration_is_one(unsigned object, const json_t *body)
{
    const char *class = um_body_data(body, "classId");

    return object == UM_CATEGORY_DOCUMENT && class != NULL && strcmp(class, UM_REGISTRATION_CLASS) == 0;
}

static um_err check_room(struct um_call *c)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT CAST(count(*) AS BIGINT) FROM components WHERE scope = ?1 AND category = ?2 AND class_id = ?3",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_category_word(UM_CATEGORY_DOCUMENT)),
                                        um_sql_word(UM_REGISTRATION_CLASS)), &row);

    if (err == UM_OK && um_sql_int(&row, 0) > REGISTRATIONS_MAX)
        return um_fail(c, UM_U00413, "a scope has at most %d registrations", REGISTRATIONS_MAX);
    return err;
}

static um_err read_text(struct um_call *c, const struct component *m, enum registration_text which, char **out)
{
    const json_t *files = json_object_get(m->body, "files");
    char owner[UM_CONTENT_OWNER_MAX + 1];
    struct um_buf text = { 0 };
    um_err err = UM_OK;
    size_t i;
    json_t *file;

    json_array_foreach(files, i, file) {
        const char *name = json_string_value(json_object_get(file, "name"));

        if (name == NULL || strcmp(name, kept[which].file) != 0)
            continue;
        files_owner(c, component_id(m), NULL, owner);
        err = um_content_peek(c->domain->content, c->q, owner, um_body_id(file), kept[which].max, &text);
        if (err == UM_OK)
            *out = um_xstrdup(um_buf_cstr(&text));
        um_buf_free(&text);
        return err == UM_ELIMIT || err == UM_EINVAL
                   ? um_fail_at(c, UM_U00400, "/files", "the file `%s` is a text of at most %zu bytes", kept[which].file, kept[which].max)
                   : err;
    }
    return UM_OK;
}

/* NULL: there is none, or none that means something. */
static um_err read_texts(struct um_call *c, const struct component *m, char *texts[REGISTRATION_TEXTS_N])
{
    um_err err = read_text(c, m, REGISTRATION_REQUEST, &texts[REGISTRATION_REQUEST]);

    return err == UM_OK && registration_has_rules(m->body) ? read_text(c, m, REGISTRATION_RULES, &texts[REGISTRATION_RULES]) : err;
}

static um_err keep_text(struct um_call *c, const struct component *m, enum registration_text which, const char *text)
{
    if (text == NULL)
        return um_sql_exec(c->q, kept[which].drop, UM_SQL_ARGS(UM_SQL_INT(m->num)), NULL);
    return um_sql_exec(c->q, kept[which].put, UM_SQL_ARGS(UM_SQL_INT(m->num), um_sql_word(text)), NULL);
}

static um_err keep_texts(struct um_call *c, const struct component *m, char *const texts[REGISTRATION_TEXTS_N])
{
    um_err err = UM_OK;

    for (unsigned i = 0; i < REGISTRATION_TEXTS_N && err == UM_OK; i++)
        err = keep_text(c, m, (enum registration_text)i, texts[i]);
    return err;
}

um_err registration_forget(struct um_call *c, const struct component *m)
{
    return keep_texts(c, m, (char *[REGISTRATION_TEXTS_N]){ NULL });
}

/* What is enabled must be there; what is gone later fails, is not passed over, and may be disabled. */
static bool is_there(const struct registration *r, char where[64], char why[RULES_WHY_MAX])
{
    snprintf(where, 64, "/tags/OperationHandler");
    return !r->enabled || r->kind->admit == NULL || r->kind->admit(r->kind->env, r->handler, why);
}

um_err registration_follow(struct um_call *c, const struct component *m)
{
    struct registration *r = NULL;
    char *texts[REGISTRATION_TEXTS_N] = { NULL }, where[64], why[RULES_WHY_MAX];
    um_err err = read_texts(c, m, texts);

    if (err == UM_OK && !(registration_new(c->domain, m->body, (const char *const *)texts, &r, where, why) &&
                          is_there(r, where, why)))
        err = um_fail_at(c, UM_U00400, where, "%s", why);
    if (err == UM_OK)
        err = keep_texts(c, m, texts);
    registration_free(r);
    for (unsigned i = 0; i < REGISTRATION_TEXTS_N; i++)
        free(texts[i]);
    return err == UM_OK ? check_room(c) : err;
}

um_err registrations_changed(struct um_call *c)
{
    um_err err = um_model_touch(c->q, c->scope);

    return err == UM_OK ? um_raise(c, c->scope, UM_REGISTRATION_CLASS) : err;
}

/* ---- for who does jobs ---- */

static um_err get(struct um_call *c)
{
    const struct registrations *all = um_model_registrations(c->model);

    for (size_t i = 0; i < registrations_count(all); i++) {
        const struct registration *r = registrations_at(all, i);

        if (strcmp(r->id, um_arg(c, "id")) != 0)
            continue;
        c->reply = json_pack("{s:b}", "injectToken", r->inject_token);
        if (r->authorization != NULL)
            json_object_set_new(c->reply, "authorization", json_string(r->authorization));
        return UM_OK;
    }
    return um_fail(c, UM_U00404, "the registration %s is gone, or not enabled", um_arg(c, "id"));
}

const struct um_domain_call um_operations_registration = { "operations.registration", get, 0 };
