/* umbelctl: the operator's tool. Commands that need no running server are rows here; all others speak to one (remote.h). */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/password.h>
#include <umbel/util.h>
#include "commands.h"
#include "remote.h"

#define SECRET_MAX 1024

/* One line from standard input, without its end; so that no secret stands in a command line. */
static bool read_line(char out[SECRET_MAX + 2])
{
    if (fgets(out, SECRET_MAX + 2, stdin) == NULL)
        return false;
    out[strcspn(out, "\r\n")] = '\0';
    return *out != '\0' && strlen(out) <= SECRET_MAX;
}

static int hash_password(int argc, char **argv)
{
    char text[SECRET_MAX + 2], hash[UM_PASSWORD_HASH_SIZE];

    (void)argc;
    (void)argv;
    if (!read_line(text)) {
        fputs("umbelctl: give the password on standard input, 1 to 1024 bytes\n", stderr);
        return 2;
    }
    if (!um_password_hash(text, hash)) {
        fputs("umbelctl: not enough memory to hash a password\n", stderr);
        return 1;
    }
    sodium_memzero(text, sizeof(text));
    puts(hash);
    return 0;
}

static int encrypt(int argc, char **argv)
{
    const char *secret = getenv("secret");
    char text[SECRET_MAX + 2];
    struct um_buf out = { 0 };

    (void)argc;
    (void)argv;
    if (secret == NULL || !read_line(text)) {
        fputs("umbelctl: the master secret is the environment variable secret, the value comes on standard input\n", stderr);
        return 2;
    }
    if (um_conf_encrypt(secret, UM_SPAN_STR(text), &out) != UM_OK) {
        fputs("umbelctl: cannot encrypt\n", stderr);
        return 1;
    }
    puts(um_buf_cstr(&out));
    um_buf_free(&out);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    { "hash-password", hash_password, "reads a password from standard input, prints its argon2id hash for *.password keys" },
    { "encrypt",       encrypt,       "reads a value from standard input, prints ENC(...) made with the environment variable secret" },
    { "migrate-store", migrate_store, "moves a SQLite installation to PostgreSQL, also while it runs; --help tells how" },
};

static int usage(FILE *f, int status)
{
    fputs("umbelctl COMMAND\n\n", f);
    for (size_t i = 0; i < UM_COUNT(commands); i++)
        fprintf(f, "  %-15s %s\n", commands[i].name, commands[i].help);
    if (status == 0)
        remote_usage();
    else
        fputs("\numbelctl --help lists the calls of a running installation, too\n", f);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, 2);
    if (strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (strcmp(argv[1], "--version") == 0) {
        printf("umbelctl %s\n", UMBEL_VERSION);
        return 0;
    }
    for (size_t i = 0; i < UM_COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    return remote_run(argc - 1, argv + 1);
}
