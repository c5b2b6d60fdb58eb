/* Passwords as argon2id hashes. A hash costs 64 MiB and some 50 ms: on a pool of workers, never on a loop. Any thread. */
#ifndef UMBEL_PASSWORD_H
#define UMBEL_PASSWORD_H
#include <umbel/base.h>

enum {
    UM_PASSWORD_MIN = 8,                     /* bytes of one that somebody chooses; */
    UM_PASSWORD_MAX = 1024,                  /* of any */
    UM_PASSWORD_HASH_SIZE = 128,             /* of a hash as text, with its end */
    UM_PASSWORD_MEM_MAX_KB = 1 << 20,        /* what a hash from outside may cost to check; */
    UM_PASSWORD_OPS_MAX = 10,
};

/* "$argon2...": a hash where a text or a hash may stand. */
bool um_password_is_hash(const char *text);
/* False: out of memory. */
bool um_password_hash(const char *text, char out[UM_PASSWORD_HASH_SIZE]) UM_CHECK_RESULT;
/* What is wrong with a password that somebody chooses, or with a hash; NULL: nothing. */
const char *um_password_fault(const char *text);
/* The hash of TEXT, or TEXT itself when it is one already. UM_EINVAL: a hash that is none, or that is too costly; a password that
 * is too short or too long. */
um_err um_password_take(const char *text, char out[UM_PASSWORD_HASH_SIZE]) UM_CHECK_RESULT;
/* HASH "" or NULL: nobody's. That costs as much as any other, and is false. */
bool um_password_check(const char *hash, const char *text);

#endif
