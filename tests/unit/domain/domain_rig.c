#include "domain_rig.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

json_t *domain_rig_json(const char *text)
{
    char *copy = um_xstrdup(text);
    json_error_t e;
    json_t *v;

    for (char *p = copy; *p != '\0'; p++)
        if (*p == '\'')
            *p = '"';
    v = json_loads(copy, JSON_DECODE_ANY, &e);
    if (v == NULL)
        fail_msg("a test's JSON is none: %s in %s", e.text, copy);
    free(copy);
    return v;
}

void domain_rig_be(struct domain_rig *r, const char *user, const char *scope, const char *const *profiles, size_t n)
{
    assert_true(n <= UM_COUNT(r->profiles));
    memcpy(r->profiles, profiles, n * sizeof(*profiles));
    r->who = (struct um_who){ .user = user, .scope = scope, .session = "s", .request = "r", .address = "a",
                              .profiles = { r->profiles, n } };
}

/* ---- asking ---- */

static void hear(void *arg, const struct um_domain_answer *a)
{
    static const char *const kinds[] = { "created", "updated", "deleted", "content", "account" };
    struct domain_rig *r = arg;

    r->calls++;
    r->err = a->err;
    r->version = a->version;
    r->reply = json_incref(a->reply);
    if (a->err != UM_OK) {
        assert_non_null(a->problem);
        snprintf(r->code, sizeof(r->code), "%s", a->problem->code);
        snprintf(r->message, sizeof(r->message), "%s", a->problem->message);
        r->status = a->problem->status;
        r->details = json_incref((json_t *)a->problem->details);
    }
    for (size_t i = 0; i < a->n_caches; i++) {
        size_t at = strlen(r->caches);

        snprintf(r->caches + at, sizeof(r->caches) - at, "%s/%s:%" PRIu64 " ", a->caches[i].scope, a->caches[i].name, a->caches[i].version);
    }
    for (size_t i = 0; i < a->n_changes; i++) {
        size_t at = strlen(r->changes);

        snprintf(r->changes + at, sizeof(r->changes) - at, "%s:%s/%s ", kinds[a->changes[i].kind], a->changes[i].category, a->changes[i].id);
    }
}

static void forget(struct domain_rig *r)
{
    json_decref(r->reply);
    json_decref(r->details);
    r->reply = r->details = NULL;
    r->calls = 0;
    r->version = 0;
    r->status = 0;
    r->code[0] = r->message[0] = r->caches[0] = r->changes[0] = '\0';
}

const char *domain_rig_ask(struct domain_rig *r, const struct um_domain_call *call, const char *args, const char *body)
{
    forget(r);
    um_domain_run(r->d, r->store.loop, call, &r->who, args != NULL ? domain_rig_json(args) : NULL,
                  body != NULL ? domain_rig_json(body) : NULL, hear, r);
    assert_int_equal(r->calls, 0);
    rig_turn_until(&r->store, &r->calls, 1);
    assert_int_equal(r->calls, 1);
    return r->code;
}

const char *domain_rig_at(struct domain_rig *r, const char *pointer)
{
    static char numbers[2][32];
    static int next;
    char *path = um_xstrdup(pointer), *rest = path, *step;
    const json_t *v = r->reply;

    while ((step = strsep(&rest, "/")) != NULL)
        if (*step != '\0')
            v = json_is_array(v) ? json_array_get(v, (size_t)atoi(step)) : json_object_get(v, step);
    free(path);
    next = 1 - next;
    if (json_is_integer(v))
        snprintf(numbers[next], sizeof(numbers[0]), "%lld", (long long)json_integer_value(v));
    return json_is_integer(v) ? numbers[next] : json_string_value(v);
}

/* ---- life ---- */

static const char acls[] =
    "[{'id':'all','name':'all','entries':[{'principal':'*','permission':'*','grant':'ALLOW'}]},"
    " {'id':'read','name':'read','entries':[{'principal':'*','permission':['READ'],'grant':'ALLOW'}]},"
    " {'id':'none','name':'none','entries':[]}]";

void domain_rig_open(struct domain_rig *r, const char *url)
{
    static const struct um_domain_conf conf = {
        .default_scope = "main", .max_depth = 8,
        .facts = { "create,update,delete,version,revert", "create,update,add_content,delete_content,delete", "create,answer,assign", "" },
    };

    memset(r, 0, sizeof(*r));
    rig_init(&r->store, url != NULL ? url : "memory:");
    rig_open(&r->store);
    assert_int_equal(um_domain_new(&r->d, r->store.st, &conf), UM_OK);
    BE(r, "root", "main", "SYSTEM_ADMIN");
    if (strcmp(domain_rig_ask(r, &um_scopes_get, "{'ids':['main']}", NULL), "") == 0)    /* a database of an earlier test */
        assert_done(r, &um_scopes_delete, "{'ids':['main'],'force':true}", NULL);
    assert_done(r, &um_scopes_create, NULL, "[{'id':'main','description':'of the tests','languages':['EN']}]");
    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_objects_create, "{'kind':'acl'}", acls);
}

void domain_rig_close(struct domain_rig *r)
{
    forget(r);
    rig_close(&r->store);
    um_domain_free(r->d);
    rig_free(&r->store);
}
