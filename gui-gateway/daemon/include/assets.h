/* The web app's files, read into memory at start: what is served is what was there then. Immutable; any thread. */
#ifndef GATEWAY_ASSETS_H
#define GATEWAY_ASSETS_H
#include <umbel/base.h>
#include <umbel/http.h>

struct um_assets;
/* Reads DIR (index.html, assets/...). Files with `.gz` beside them are served compressed to those who take it. UM_ENOTFOUND:
 * no index.html there. */
um_err um_assets_load(struct um_assets **out, const char *dir) UM_CHECK_RESULT;
void um_assets_free(struct um_assets *a);             /* NULL is fine */
size_t um_assets_count(const struct um_assets *a);
/* Replies with the file NAME ("index.html", "assets/main-XY.js"), 304 or 404. A may be NULL. */
void um_assets_reply(const struct um_assets *a, struct um_http_req *rq, const char *name);

#endif
