/* What all kept objects have in common: an id, and `data` with owner, dates and version. */
#ifndef DOMAIN_BODY_H
#define DOMAIN_BODY_H
#include "call.h"

/* A text that may be an id: 1 to UM_DOMAIN_ID_MAX bytes of UTF-8 without control characters, and no blank at its ends. */
bool um_is_id(const char *id);
const char *um_body_id(const json_t *body);                          /* NULL: it has none */
/* A member of `data`; NULL: it has none, or no text. */
const char *um_body_data(const json_t *body, const char *member);
int64_t um_body_version(const json_t *body);                         /* data.version; 0: none */

/* A copy of ASKED as it is to be kept: `data` has the owner, the dates and the version of what comes after BEFORE (NULL: it is
 * new). The caller decrefs. */
json_t *um_body_next(const struct um_call *c, const json_t *asked, const json_t *before);
/* As text for its row; UM_U00413 when it is too long. The caller frees it. */
UM_CHECK_RESULT um_err um_body_text(struct um_call *c, const json_t *body, char **text);

/* May ASKED replace BEFORE, as far as versions go? By data.version when it has one, and the parameter If-Match. */
UM_CHECK_RESULT um_err um_body_check_version(struct um_call *c, const json_t *asked, const json_t *before, const char *path);

/* The I-th object of an update: its id is the path's, and the body's when it has one. UM_U00400 when they differ, or when there
 * are not as many of both. */
UM_CHECK_RESULT um_err um_body_check_ids(struct um_call *c);

#endif
