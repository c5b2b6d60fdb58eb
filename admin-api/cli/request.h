/* Commands that speak to an installation: one call each, from the words of the command line. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H
#include <jansson.h>
#include "server.h"

struct looks { bool json; const char *to_file; };            /* how an answer is shown; TO_FILE: its bytes go there */

/* ARGV: the operation's words, its ids, --options, -f FILE or --body JSON. Returns the exit status. */
int request_run(const struct server *s, int argc, char **argv, const struct looks *how);
/* The answer of a call without a body as JSON; NULL: *STATUS says why, and it was told. */
json_t *request_get(const struct server *s, const char *path, int *status);

#endif
