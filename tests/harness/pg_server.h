/* A PostgreSQL server of a test's own: in a temporary folder, on a unix socket, gone with the test. Runs as the user
 * `postgres` when the test is root, for it refuses to be root itself. */
#ifndef PG_SERVER_H
#define PG_SERVER_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pg_server {
    char dir[64];                    /* of the socket; data beside it */
    int port;                        /* names the socket; on 127.0.0.1 too when tcp was asked for */
    bool tcp;
    pid_t pid;                       /* 0: not running */
};

/* Each says on stderr what is wrong and returns false. */
bool pg_server_init(struct pg_server *s);                /* initdb */
bool pg_server_start(struct pg_server *s, const char *option);      /* OPTION: name=value, or NULL; waits until it answers */
void pg_server_stop(struct pg_server *s, int signal);    /* SIGINT fast, SIGQUIT immediate, SIGKILL; waits for its end */
void pg_server_free(struct pg_server *s);                /* stops it, removes the folder; safe to repeat */

void pg_server_url(const struct pg_server *s, const char *database, char *out, size_t size);
/* Runs SQL as the owner. OUT (may be NULL) gets the first column of the first row. */
bool pg_server_ask(const struct pg_server *s, const char *database, const char *sql, char *out, size_t size);

#endif
