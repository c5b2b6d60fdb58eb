/* Components for searches, written without the calls that check them; and a naive evaluator: what a search must find is what it
 * says of their bodies, in a loop. */
#ifndef SEARCH_RIG_H
#define SEARCH_RIG_H
#include "domain_rig.h"

/* A component as its body: id, name, data {classId, ACL, owner, status, creationDate, lastUpdateDate}, tags. Puts it into main,
 * over what has its id. */
void search_rig_clear(struct domain_rig *r);                 /* of a database of an earlier test */
void search_rig_put(struct domain_rig *r, const char *body);
void search_rig_put_json(struct domain_rig *r, json_t *bodies_adopt);
void search_rig_text(struct domain_rig *r, const char *id, const char *part, const char *text);      /* "": no more */
void search_rig_model(struct domain_rig *r);                 /* tag classes T (STRING), N (INT), D (DATE), and an ACL `ruled`: T == yes */

/* The ids of the newest reply, each with a blank behind it. */
const char *search_rig_ids(struct domain_rig *r);
const char *search_rig_search(struct domain_rig *r, const char *request);        /* over documents; the ids, or the refusal's code */
extern const struct um_domain_call search_rig_many;          /* an array of searches, an array of replies: one unit, one wait */

/* ---- the naive evaluator ---- */

/* The components of BODIES that fit REQUEST, in its order, as an array of ids. */
json_t *naive_search(const json_t *bodies, const json_t *request);
json_t *naive_facet(const json_t *bodies, const json_t *request);        /* {"value": count} of the top field */

#endif
