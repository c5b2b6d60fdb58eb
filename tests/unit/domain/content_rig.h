/* The platform with contents: who uploads, and what lies in the store. */
#ifndef CONTENT_RIG_H
#define CONTENT_RIG_H
#include "domain_rig.h"
#include <umbel/content_sql.h>

struct content_rig { struct domain_rig rig; struct um_content *content; };

void content_rig_open(struct content_rig *t, const char *url);     /* as domain_rig_open; nothing is stored yet */
void content_rig_close(struct content_rig *t);

/* The id of a temporary file of the caller's, with the text "hello"; until the next one. */
const char *content_rig_upload(struct content_rig *t, const char *name);
const char *content_rig_upload_text(struct content_rig *t, const char *name, const char *text);
/* What TEXT, a statement, selects. */
int64_t content_rig_count(struct content_rig *t, const char *text);

#endif
