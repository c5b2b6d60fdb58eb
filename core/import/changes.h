/* What has to be done to a scope. */
#ifndef IMPORT_CHANGES_H
#define IMPORT_CHANGES_H
#include <umbel/import.h>

/* KEPT: what um_models_read answers; NULL: there is no such scope. *DIFF: what leads to LIST (um_model_diff), without what
 * MODE does not do; *CHANGES: the same as um_models_apply takes it. The caller decrefs both. UM_EINVAL: an object that is kept
 * is none; UM_ENOMEM. */
UM_CHECK_RESULT um_err import_changes_of(const json_t *kept, const struct um_model_list *list, enum um_import_mode mode, json_t **diff, json_t **changes);

/* The ids of LIST's users; the caller decrefs. */
json_t *import_users(const struct um_model_list *list);
/* Passwords become their hashes, but not for a dry run; those of users who are kept, and empty ones, go. On a worker. */
UM_CHECK_RESULT um_err import_passwords(const json_t *kept, const struct um_model_list *list, bool dry_run);

#endif
