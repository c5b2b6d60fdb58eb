/* What the handlers of models share. */
#ifndef REST_MODELS_H
#define REST_MODELS_H
#include "internal.h"
#include "platform.h"

/* The scope that the path names, when the caller may administer it; else replied, and NULL. */
const char *model_scope(struct um_http_req *rq, struct um_rest *r, const struct um_who *who);

um_http_handler model_export, model_import;

/* version_task.c */
bool task_enter(struct um_http_req *rq, struct um_rest *r);
void task_leave(struct um_rest *r);

#endif
