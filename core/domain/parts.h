/* What only one category has: children of folders, attachments and answers of tasks. Draft and component ask for it by table. */
#ifndef DOMAIN_PARTS_H
#define DOMAIN_PARTS_H
#include "draft.h"

/* Completes D's body before it is kept. */
UM_CHECK_RESULT um_err document_complete(struct um_call *c, struct draft *d);
UM_CHECK_RESULT um_err folder_complete(struct um_call *c, struct draft *d);
UM_CHECK_RESULT um_err task_complete(struct um_call *c, struct draft *d);
/* What M has beside its row goes with it. */
UM_CHECK_RESULT um_err document_forget(struct um_call *c, const struct component *m);
/* M has just been kept as D says. */
UM_CHECK_RESULT um_err folder_kept(struct um_call *c, struct component *m, const struct draft *d);
/* Adds to BODY, which is about to be answered, what is not kept in it. */
UM_CHECK_RESULT um_err folder_show(struct um_call *c, const struct component *m, json_t *body);

/* The component as it is answered, of any category. */
UM_CHECK_RESULT um_err component_show(struct um_call *c, const struct component *m);

/* A reference of a body, {"category", "id"}, to what the caller may see; M is ended by the caller. */
UM_CHECK_RESULT um_err reference_find(struct um_call *c, const json_t *reference, const char *path, struct component *m);
/* Does a rule {"category", "id" or "classId": a class, or *} admit M? */
bool rule_admits(const json_t *rule, const char *class_member, const struct component *m);

/* The searches of a virtual folder's class with their places filled by its tags and the caller; the caller decrefs. */
json_t *virtual_folder_searches(const struct um_call *c, const struct component *m);

/* Children, answers, slots of a class that is being written. */
UM_CHECK_RESULT um_err parts_check_class(struct um_call *c, enum um_kind k, const json_t *class, const char *path);

#endif
