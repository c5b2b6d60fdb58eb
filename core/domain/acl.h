/* Who may do what. An ACL is a list of entries; the first that names the asked permission and somebody that the caller is
 * decides, and when none does, the answer is no. Order matters: a DENY behind an ALLOW denies nothing. */
#ifndef DOMAIN_ACL_H
#define DOMAIN_ACL_H
#include "call.h"

#define UM_PERMISSIONS(X) \
    X(CREATE) X(READ) X(UPDATE) X(DELETE) X(READ_HISTORY) X(READ_TASK_HISTORY) \
    X(READ_CONTENT) X(UPDATE_CONTENT) X(DELETE_CONTENT) X(DOWNLOAD_CONTENT) X(PRINT) X(CREATE_ANNOTATION) X(READ_ANNOTATION) \
    X(BUILD_NEW_DOCUMENT) X(OBFUSCATE) X(ATTACH) X(DETACH) \
    X(APPROPRIATE) X(APPROPRIATE_ALREADY_ASSIGNED) X(ASSIGN) X(APPLY_ANSWER)
enum um_permission {
#define X(id) UM_MAY_##id,
    UM_PERMISSIONS(X)
#undef X
    UM_PERMISSIONS_N
};
const char *um_permission_word(enum um_permission p);
bool um_permission_of(const char *word, enum um_permission *out);

/* ---- one ACL ---- */

struct acl;                                  /* compiled; immutable */
/* Of a body that acl_fault has let through. */
struct acl *acl_new(const json_t *body);
void acl_free(struct acl *a);                /* NULL is fine */
const char *acl_id(const struct acl *a);

/* What a rule-based ACL (`rules`) looks at. NULL members are as if they were empty. */
struct acl_about { const char *class_id; const json_t *tags; };
/* A body that cannot be an ACL: WHY, and PATH into it ("/entries/3/grant"). */
bool acl_fault(const json_t *body, char path[64], char why[200]);
/* ALL: the ACLs of the model, where rules point to. */
bool acl_allows(const struct acl *a, const struct um_model *all, const struct principals *who, const struct acl_about *about,
                enum um_permission p);
/* Does the answer depend on the component itself? */
bool acl_has_rules(const struct acl *a);

/* ---- the caller ---- */

/* May the caller do P under the ACL of this id? An ACL that does not exist allows nothing. ABOUT: NULL when there is no
 * component yet. Errors are the database's, when the caller's groups are read. */
UM_CHECK_RESULT um_err um_may(struct um_call *c, const char *acl_id, const struct acl_about *about, enum um_permission p, bool *may);
/* The same; UM_U00403 when he may not. WHAT: "documents of class Invoice". */
UM_CHECK_RESULT um_err um_need(struct um_call *c, const char *acl_id, const struct acl_about *about, enum um_permission p,
                               const char *what);
/* The ids of the ACLs under which the caller may do P, for searches: those without rules. *N 0: none. The caller frees the
 * list, not the ids, which are the model's. */
UM_CHECK_RESULT um_err um_acls_with(struct um_call *c, enum um_permission p, const char ***ids, size_t *n);

#endif
