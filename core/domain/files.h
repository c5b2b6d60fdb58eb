/* The files of documents: members of `files`, each of which is a file of the store of contents (umbel/content_sql.h) whose owner is
 * the document. The body has what is shown of them, so that a document is one row to read. */
#ifndef DOMAIN_FILES_H
#define DOMAIN_FILES_H
#include <umbel/content_sql.h>
#include "draft.h"

enum { FILES_MAX = 200 };                    /* of a document */

/* Makes D's body's `files` what is kept: an entry names a file that the document had before, or a temporary file to be bound, which
 * may get another name by it. What is not named goes. To change the files of one that is there needs UPDATE_CONTENT.
 * Called for documents, before the row is written; D's body has its id. */
UM_CHECK_RESULT um_err files_bind(struct um_call *c, struct draft *d);
/* The document is about to go, and its versions with it. */
UM_CHECK_RESULT um_err files_forget(struct um_call *c, const struct component *m);

/* Who owns the files of document ID, or of its version VERSION (NULL: the document itself): for um_content_share_all and
 * um_content_unbind_all. */
void files_owner(const struct um_call *c, const char *id, const char *version, char out[UM_CONTENT_OWNER_MAX + 1]);

#endif
