/* The model of a scope: its classes, tags, ACLs, teams, as one immutable picture.
 *
 * A picture belongs to a stamp: a random number in the table `models` that every change of a configuration object replaces in
 * its own transaction. Numbers are random, not counted, because a unit may see the number of a neighbour that is rolled back
 * later: such a number never comes again, so a picture that was read beside it is never taken for another. */
#ifndef DOMAIN_MODEL_H
#define DOMAIN_MODEL_H
#include <jansson.h>
#include <umbel/domain.h>
#include <umbel/map.h>
#include <umbel/sql.h>

/* Kinds of configuration objects: word in paths and in the database; cache that a change raises; codes when one is missing or
 * there already. */
#define UM_KINDS(X) \
    X(DOCUMENT_CLASS,       "documentclass",      "DocumentClass",      F00206, F00903) \
    X(FOLDER_CLASS,         "folderclass",        "FolderClass",        F00206, F00903) \
    X(TASK_CLASS,           "taskclass",          "TaskClass",          F00206, F00903) \
    X(VIRTUAL_FOLDER_CLASS, "virtualfolderclass", "VirtualFolderClass", F00206, F00903) \
    X(TAG_CLASS,            "tagclass",           "TagClass",           F00205, F00903) \
    X(TAG_CATEGORY,         "tagcategory",        "TagCategory",        U00404, F00903) \
    X(WORKFLOW,             "workflow",           "Workflow",           U00404, F00903) \
    X(ACL,                  "acl",                "ACL",                T01002, F00903) \
    X(GROUP,                "groups",             "group",              U00404, U00410)
enum um_kind {
#define X(id, word, cache, missing, exists) UM_KIND_##id,
    UM_KINDS(X)
#undef X
    UM_KINDS_N
};
const char *um_kind_word(enum um_kind k);
const char *um_kind_cache(enum um_kind k);
bool um_kind_of(const char *word, enum um_kind *out);

/* Categories of components, in the order of their classes above. */
#define UM_CATEGORIES(X) X(DOCUMENT) X(FOLDER) X(TASK) X(VIRTUAL_FOLDER)
enum um_category {
#define X(id) UM_CATEGORY_##id,
    UM_CATEGORIES(X)
#undef X
    UM_CATEGORIES_N
};
const char *um_category_word(enum um_category k);
bool um_category_of(const char *word, enum um_category *out);
static inline enum um_kind um_class_kind(enum um_category k) { return (enum um_kind)k; }

struct acl;                                  /* acl.h */
struct um_model;                             /* immutable, reference-counted, any thread */

/* The picture of SCOPE as the unit sees it. UM_ENOTFOUND: there is no such scope. */
UM_CHECK_RESULT um_err um_model_get(struct um_domain *d, struct um_sql *q, const char *scope, const struct um_model **out);

/* What a call has to know of a user of the scope. */
struct um_account {
    bool is_there, enabled;
    int64_t stamp;                           /* his tokens have it */
    json_t *profiles;                        /* names; the account's */
};
/* The same, and USER's account beside it, in one question. The caller drops the account, whatever the answer is. */
UM_CHECK_RESULT um_err um_model_get_for(struct um_domain *d, struct um_sql *q, const char *scope, const char *user,
                                        struct um_account *account, const struct um_model **out);
void um_account_drop(struct um_account *account);      /* zeroed is fine */
void um_model_unref(const struct um_model *m);                                         /* NULL is fine */
/* A configuration object of the scope was changed in this unit. */
UM_CHECK_RESULT um_err um_model_touch(struct um_sql *q, const char *scope);

const json_t *um_model_scope(const struct um_model *m);                                /* the scope itself */
const json_t *um_model_find(const struct um_model *m, enum um_kind k, const char *id); /* NULL: there is none; ID may be NULL */
size_t um_model_count(const struct um_model *m, enum um_kind k);
const json_t *um_model_at(const struct um_model *m, enum um_kind k, size_t i);         /* in the order of their ids */
const struct acl *um_model_acl(const struct um_model *m, const char *id);              /* NULL: there is none; ID may be NULL */
/* The groups that have NAME, a user or group, as a member: N of them, the model's. */
const json_t *const *um_model_groups_of(const struct um_model *m, const char *name, size_t *n);
size_t um_model_acls(const struct um_model *m);
const struct acl *um_model_acl_at(const struct um_model *m, size_t i);

struct registrations;                        /* operations/registration.h */
const struct registrations *um_model_registrations(const struct um_model *m);

/* ---- model.c's side towards domain.c ---- */
struct models;                               /* the pictures that a process keeps: the newest of each scope */
struct models *models_new(void);
void models_free(struct models *all);        /* NULL is fine */

#endif
