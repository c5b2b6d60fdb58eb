/* The files of documents: members of `files`, and the contents that they refer to. */
#ifndef DOMAIN_FILES_H
#define DOMAIN_FILES_H
#include "draft.h"

/* Makes D's body's `files` what is kept: an entry names a file that the document had before, or a temporary file to be bound.
 * Called for documents, before the row is written; D's body has its id. */
UM_CHECK_RESULT um_err files_bind(struct um_call *c, struct draft *d);
/* The document is about to go. */
UM_CHECK_RESULT um_err files_forget(struct um_call *c, const struct component *m);

#endif
