/* The installation that the tool speaks to: an address and who speaks, from the options, the environment (UMBEL_URL, UMBEL_TOKEN,
 * UMBEL_USER and UMBEL_PASSWORD, UMBEL_SCOPE) or a profile of ~/.config/umbel/umbelctl.json, in this order:
 *
 *   {"default": "office", "profiles": {"office": {"url": "https://…", "user": "ann", "scope": "main", "token": "…"}}}
 *
 * `umbelctl login` writes it, readable by its owner alone. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H
#include <stdbool.h>
#include <umbel/bytes.h>

struct server { char *url, *token, *user, *scope, *profile, *ca; bool insecure; };

/* Takes what is its own out of ARGV: --profile --url --token --user --scope --ca --insecure. False: told why. */
bool server_options(struct server *s, int *argc, char **argv);
/* Fills the rest from environment and profile, and gets a token with a password if there is none. Exit status; 0: ready. */
int server_ready(struct server *s);
int server_login(struct server *s);                          /* asks for the password, keeps the token in the profile */
void server_free(struct server *s);

enum { ANSWER_MAX = 256 << 20 };                             /* bytes of an answer that is kept in memory */
struct answer { long status; char type[128]; struct um_buf body; };
/* PATH with its query; BODY may be empty (type NULL). HEADERS: "Name: value" lines, ends with NULL; may be NULL. False: it
 * could not be reached, and that was told. */
bool server_ask(const struct server *s, const char *method, const char *path, const char *const headers[], const char *type,
                struct um_span body, struct answer *out);
void answer_free(struct answer *a);
/* Exit status for it: 0; 1 refused; 4 the server failed. Tells the error's words on stderr. */
int answer_status(const struct answer *a);

#endif
