/* Components with a body that is edited together: documents of a class with `collaborative: true`. The body is the document
 * "component/<scope>/<id>" of the engine; who may open and change it is the component's business: READ_CONTENT and
 * UPDATE_CONTENT of its ACL, asked for when somebody comes and again whenever ACLs, classes, teams or the component change.
 *
 * Documents of other names are nobody's component: anybody of the default scope may open them, unless collab.free-documents
 * says that there are none. */
#ifndef REST_BODIES_H
#define REST_BODIES_H
#include <umbel/collab.h>
#include <umbel/reserve.h>
#include "internal.h"

#define BODY_PREFIX UM_STORE_UNLISTED        /* of the documents' names */

bool body_is_name(const char *document);
/* What reservations call DOCUMENT: the component's id, or the name of a document that is no component's. */
enum { BODY_REF_MAX = UM_RESERVE_ID_MAX };
const char *body_ref(const struct um_rest *r, const char *document, char out[BODY_REF_MAX + 1]);
/* The reservation of ID is another now: the documents that it may be about are judged anew, and told NOTE. */
void body_reservation_changed(struct um_rest *r, const char *id, const char *note);

/* What `judge` has to know of the caller; one reference. */
struct um_bytes *body_who(const struct caller *c);
/* The engine's hook; CTX is the um_rest. */
bool body_judge(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, um_collab_right_cb *cb,
                void *arg);
/* body_text.c: the engine's hook; the words of DOCUMENT go into the search. */
void body_folded(void *ctx, struct um_loop *l, const char *document, struct um_bytes *state);
void body_listen(struct um_rest *r);         /* before threads start */

/* Rows of documents: may the caller do what the method says (GET: read) to the document of the parameter {name}? False: it has
 * replied, or goes on later. Other rows: true. */
bool body_check(struct um_http_req *rq, struct um_rest *r);

#endif
