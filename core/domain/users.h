/* Users of a scope: people who can log in to it. A row each; what is in `body` is told, the password's hash is not: no reply, log,
 * fact or export has it.
 *
 * A token of a user names the stamp of his row. Another stamp ends all his tokens: when somebody else set his password, or when he was
 * disabled. Whoever asks with such a token is judged by the row and the scope's groups and teams, on every call. */
#ifndef DOMAIN_USERS_H
#define DOMAIN_USERS_H
#include "call.h"

#define USERS_CACHE "user"                   /* raised when somebody's rights may be less */

enum { USER_BODY_MAX = 64 << 10 };           /* bytes of a user as JSON */

struct user_row {
    bool is_there;
    json_t *shown;                           /* all that is told: body, profiles, enabled, credentialsExpired, createdAt, version */
    int64_t version, stamp;
    bool enabled, expired;
    char *password;                          /* the hash, or "" */
};
UM_CHECK_RESULT um_err user_read(struct um_call *c, const char *id, struct user_row *out);
void user_row_done(struct user_row *row);    /* zeroed is fine */

/* Whoever has no display name is shown by his names, or his id. */
void user_set_display_name(json_t *body, const char *id);
/* As a model has him (umbel/model.h), with data.version; *OUT NULL: there is none. The caller decrefs. */
UM_CHECK_RESULT um_err user_model_object(struct um_call *c, const char *id, json_t **out);

/* Makes or replaces ID by ASKED, in the form of the REST interface. HASH: of the password, for one that is new; NULL: none. PATH: for
 * refusals. What ASKED does not say of `enabled`, `credentialsExpired` stays, or is true and false. The caller has role ROLE_ADMINS. */
UM_CHECK_RESULT um_err user_put(struct um_call *c, const char *id, const json_t *asked, const struct user_row *before, const char *hash,
                                const char *path);

/* The tokens of ID with STAMP are worth nothing from the commit on: rights are judged again, and sessions end. */
UM_CHECK_RESULT um_err user_tokens_end(struct um_call *c, const char *id, int64_t stamp);

#endif
