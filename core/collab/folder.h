/* Folding by cores with the role worker (collab.cluster.transport=streams): a core without it tells which documents are worth
 * folding, a worker loads, folds and forgets them; nobody needs to have them open.
 *
 *   <ns>:collab:folds    a stream, an entry for each offer: document = its name. Group "workers", a hub's name is its consumer's
 *
 * 1. An entry goes (XACK, XDEL) when the document was folded, or needs it no more. Before that, whoever comes by after FOLDER_IDLE_MS
 *    takes it over (XAUTOCLAIM): so a worker may die at any moment. Folding twice does no harm: a fold names the version it replaces.
 * 2. Nothing rests on an entry: a document that nobody folds is complete, as state and log. A lost offer is made again when the
 *    document is changed or opened the next time.
 *
 * On the hub's loop. All functions take NULL: this process has no streams. */
#ifndef COLLAB_FOLDER_H
#define COLLAB_FOLDER_H
#include <umbel/base.h>

enum { FOLDER_IDLE_MS = 10000, FOLDER_AT_ONCE = 4, FOLDER_TRIES = 5 };

struct hub;
struct folder;
struct folder *folder_new(struct hub *h);
void folder_free(struct folder *f);          /* on the loop or after it; nothing of it waits for the store any more */
/* False: Redis is not to be reached. */
bool folder_offer(struct folder *f, const char *document);
bool folder_is_idle(const struct folder *f); /* no fold is under way */

#endif
