/* Refusals, parameters, and what a call leaves to be told. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/sql_shared.h>
#include <umbel/util.h>
#include "call.h"
#include "principals.h"

enum { MESSAGE_MAX = 500, CACHES_MAX = 32 };

static const struct { const char *text; unsigned status; } codes[UM_CODES_N] = {
#define X(code, status, text) { #code, status },
    UM_CODES(X)
#undef X
};

struct outcome {
    bool has_problem;
    struct um_problem problem;
    char message[MESSAGE_MAX], code[16];     /* CODE: of one that is not ours */
    json_t *details;
    struct um_store_cache caches[CACHES_MAX];    /* in order of scope and name; strings are ours */
    size_t n_caches;
    struct um_domain_change *changes;            /* strings are ours */
    size_t n_changes, cap_changes;
};

struct outcome *outcome_new(void) { return um_xcalloc(1, sizeof(struct outcome)); }

void outcome_reset(struct outcome *o)
{
    json_decref(o->details);
    for (size_t i = 0; i < o->n_caches; i++) {
        free((char *)o->caches[i].scope);
        free((char *)o->caches[i].name);
    }
    for (size_t i = 0; i < o->n_changes; i++) {
        free((char *)o->changes[i].scope);
        free((char *)o->changes[i].id);
        free((char *)o->changes[i].class_id);
    }
    free(o->changes);
    *o = (struct outcome){ 0 };
}

void outcome_free(struct outcome *o)
{
    if (o != NULL)
        outcome_reset(o);
    free(o);
}

void outcome_answer(const struct outcome *o, struct um_domain_answer *a)
{
    if (o->has_problem) {
        a->problem = &o->problem;
        return;
    }
    a->caches = o->caches;
    a->n_caches = o->n_caches;
    a->changes = o->changes;
    a->n_changes = o->n_changes;
}

/* ---- refusing ---- */

static void set_problem(struct outcome *o, const char *code, unsigned status, json_t *details)
{
    json_decref(o->details);
    o->details = details;
    o->problem = (struct um_problem){ code, status, o->message, details };
    o->has_problem = true;
}

UM_PRINTF(4, 0) static um_err refuse(struct um_call *c, enum um_code code, json_t *details, const char *fmt, va_list args)
{
    vsnprintf(c->outcome->message, sizeof(c->outcome->message), fmt, args);
    set_problem(c->outcome, codes[code].text, codes[code].status, details);
    return UM_EINVAL;
}

um_err um_fail(struct um_call *c, enum um_code code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    refuse(c, code, NULL, fmt, args);
    va_end(args);
    return UM_EINVAL;
}

um_err um_fail_at(struct um_call *c, enum um_code code, const char *path, const char *fmt, ...)
{
    va_list args;
    struct outcome *o = c->outcome;

    va_start(args, fmt);
    refuse(c, code, NULL, fmt, args);
    va_end(args);
    set_problem(o, codes[code].text, codes[code].status, json_pack("[{s:s, s:s}]", "path", path, "message", o->message));
    return UM_EINVAL;
}

um_err um_fail_with(struct um_call *c, enum um_code code, json_t *details, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    refuse(c, code, details, fmt, args);
    va_end(args);
    return UM_EINVAL;
}

um_err um_fail_as(struct um_call *c, const char *code, unsigned status, const char *message)
{
    struct outcome *o = c->outcome;

    snprintf(o->message, sizeof(o->message), "%s", message);
    snprintf(o->code, sizeof(o->code), "%s", code);
    set_problem(o, o->code, status, NULL);
    return UM_EINVAL;
}

bool outcome_has_problem(const struct outcome *o) { return o->has_problem; }

void outcome_set_error(struct outcome *o, um_err err)
{
    static const struct { um_err err; unsigned status; const char *code, *message; } rows[] = {
        { UM_EBUSY,    503, "U00503", "others changed the same at the same time, again and again" },
        { UM_ETIMEOUT, 503, "U00503", "it took too long" },
        { UM_EUNAVAIL, 503, "U00503", "the store is away" },
        { UM_EIO,      503, "U00503", "the store is away" },
        { UM_EEXIST,   409, "U00409", "somebody else made the same at the same time" },
        { UM_ELIMIT,   413, "U00413", "too much at once" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (rows[i].err == err) {
            snprintf(o->message, sizeof(o->message), "%s", rows[i].message);
            set_problem(o, rows[i].code, rows[i].status, NULL);
            return;
        }
    snprintf(o->message, sizeof(o->message), "the request failed");
    set_problem(o, "T00000", 500, NULL);
}

/* ---- parameters ---- */

const char *um_arg(const struct um_call *c, const char *name) { return json_string_value(json_object_get(c->args, name)); }

int64_t um_arg_int(const struct um_call *c, const char *name, int64_t without)
{
    const json_t *v = json_object_get(c->args, name);

    return json_is_integer(v) ? json_integer_value(v) : json_is_boolean(v) ? json_is_true(v) : without;
}

size_t um_arg_n(const struct um_call *c, const char *name) { return json_array_size(json_object_get(c->args, name)); }

const char *um_arg_id(const struct um_call *c, const char *name, size_t i)
{
    return json_string_value(json_array_get(json_object_get(c->args, name), i));
}

/* Of a token; of an account by what the database says. */
static bool has_one(struct um_call *c, const char *role)
{
    const struct principals *who;

    if (c->who->account == NULL)
        return um_token_list_contains(&c->who->profiles, role);
    return principals_of(c, &who) == UM_OK && principals_have_role(who, role);
}

bool um_has_role(struct um_call *c, const char *roles)
{
    char role[64];

    if (c->who->account == NULL && um_token_list_contains(&c->who->profiles, "SYSTEM_ADMIN"))
        return true;
    for (size_t n; *roles != '\0'; roles += n + (roles[n] == '|')) {
        n = strcspn(roles, "|");
        snprintf(role, sizeof(role), "%.*s", (int)UM_MIN(n, sizeof(role) - 1), roles);
        if (has_one(c, role))
            return true;
    }
    return false;
}

/* ---- what is told after the commit ---- */

static int compare(const struct um_store_cache *a, const char *scope, const char *name)
{
    int by_scope = strcmp(a->scope, scope);

    return by_scope != 0 ? by_scope : strcmp(a->name, name);
}

um_err um_raise(struct um_call *c, const char *scope, const char *name)
{
    struct outcome *o = c->outcome;
    size_t at = 0;

    while (at < o->n_caches && compare(&o->caches[at], scope, name) < 0)
        at++;
    if (at < o->n_caches && compare(&o->caches[at], scope, name) == 0)
        return UM_OK;
    if (o->n_caches == CACHES_MAX)
        return um_fail(c, UM_U00413, "too many kinds of objects in one call");
    memmove(&o->caches[at + 1], &o->caches[at], (o->n_caches - at) * sizeof(o->caches[0]));
    o->caches[at] = (struct um_store_cache){ um_xstrdup(scope), um_xstrdup(name), 0 };
    o->n_caches++;
    return UM_OK;
}

um_err outcome_raise_all(struct um_call *c)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < c->outcome->n_caches && err == UM_OK; i++) {
        struct um_store_cache *row = &c->outcome->caches[i];

        err = um_sql_raise_cache(c->q, row->scope, row->name, &row->version);
    }
    return err;
}

void um_changed(struct um_call *c, enum um_change_kind kind, const char *category, const char *id, const char *class_id)
{
    struct outcome *o = c->outcome;

    if (o->n_changes == o->cap_changes) {
        o->cap_changes = o->cap_changes == 0 ? 4 : 2 * o->cap_changes;
        o->changes = um_xrealloc(o->changes, o->cap_changes * sizeof(o->changes[0]));
    }
    o->changes[o->n_changes++] = (struct um_domain_change){ kind, um_xstrdup(c->scope), category, um_xstrdup(id), um_xstrdup(class_id) };
}
