/* Files inside a unit of work (umbel/sql.h): what belongs to whom.
 *
 * A file is (owner, id) with a name, a format and a reference to a content. An OWNER is a text that its module makes up, up to
 * UM_CONTENT_OWNER_MAX bytes, not beginning with `~`: a component, one of its versions. Many files may refer to one content;
 * with the last of them it goes. All of this is part of the unit: what fails leaves everything as it was, a temporary file too.
 *
 * After a unit that removed something um_content_sweep_soon makes it go at once; otherwise it goes with the next sweep. */
#ifndef UMBEL_CONTENT_SQL_H
#define UMBEL_CONTENT_SQL_H
#include <umbel/content.h>
#include <umbel/sql.h>

/* Makes the temporary file TMP (tmp_<uuid>) of USER in SCOPE a file of OWNER, under the id FILE; OUT (may be NULL) is the new
 * file. Once: a temporary file is used up by it. UM_ENOTFOUND: he has none of this id; UM_ECLOSED: it was used up before
 * (T00707); UM_EEXIST: OWNER has a file FILE already; UM_EINVAL: ids. */
UM_CHECK_RESULT um_err um_content_bind(struct um_sql *q, const char *scope, const char *user, const char *tmp, const char *owner,
                                       const char *file, struct um_content_file *out);
/* Makes another file of the same content, with its name and format. UM_ENOTFOUND, UM_EEXIST. */
UM_CHECK_RESULT um_err um_content_share(struct um_sql *q, const char *owner, const char *file, const char *to_owner,
                                        const char *to_file);
/* The same of all files of OWNER, under their ids; those that TO_OWNER has already stay as they are. */
UM_CHECK_RESULT um_err um_content_share_all(struct um_sql *q, const char *owner, const char *to_owner);
UM_CHECK_RESULT um_err um_content_unbind(struct um_sql *q, const char *owner, const char *file);      /* UM_ENOTFOUND */
/* Those of OWNER, and of owners named OWNER@…: its versions. */
UM_CHECK_RESULT um_err um_content_unbind_all(struct um_sql *q, const char *owner);     /* none is fine */
UM_CHECK_RESULT um_err um_content_rename(struct um_sql *q, const char *owner, const char *file, const char *name);
UM_CHECK_RESULT um_err um_content_get(struct um_sql *q, const char *owner, const char *file, struct um_content_file *out);
/* The whole of a small file, at most MAX bytes (which a chunk has room for), added to OUT. UM_ELIMIT: it is larger. C: may be NULL
 * where contents lie in the database. A content in a directory is read from there by this thread: for what happens rarely. */
UM_CHECK_RESULT um_err um_content_peek(struct um_content *c, struct um_sql *q, const char *owner, const char *file, size_t max,
                                       struct um_buf *out);
/* By the ids' bytes; borrowed during the call, in which Q is not to be used. */
typedef um_err um_content_each_cb(void *arg, const struct um_content_file *file);
UM_CHECK_RESULT um_err um_content_each(struct um_sql *q, const char *owner, um_content_each_cb *cb, void *arg);

/* The owner of somebody's temporary files: for um_content_get and um_content_unbind. UM_EINVAL: too long. A temporary file that
 * has been used up is UM_ECLOSED to the former and UM_OK to the latter. */
UM_CHECK_RESULT um_err um_content_tmp_owner(const char *scope, const char *user, char out[UM_CONTENT_OWNER_MAX + 1]);
bool um_content_is_tmp(const char *id);      /* does it look like one? */

#endif
