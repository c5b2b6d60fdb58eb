/* Which requests belong together, so that one core gets them all. Pure. */
#ifndef PROXY_AFFINITY_H
#define PROXY_AFFINITY_H
#include <umbel/base.h>

/* The document that PATH (as um_http_path gives it) is about: /y/<name>, /core/rest/collab/documents/<name>[/...]. Empty: none.
 * Borrows from PATH. */
struct um_span um_affinity_document(const char *path);

#endif
