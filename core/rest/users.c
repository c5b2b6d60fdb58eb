/* The internal realm: users from the properties. A plain password is hashed at start, so that no text of it stays here. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/* The cost of umbelctl hash-password too: a password costs the same time whoever asks and whether the user exists. */
#define OPS crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEM crypto_pwhash_MEMLIMIT_INTERACTIVE

struct users {
    struct user *row;
    size_t n;
    char dummy[crypto_pwhash_STRBYTES];
};

static um_err hash_password(const char *text, char **out)
{
    char hash[crypto_pwhash_STRBYTES];

    if (strncmp(text, "$argon2", 7) == 0) {
        *out = um_xstrdup(text);
        return UM_OK;
    }
    if (crypto_pwhash_str_alg(hash, text, strlen(text), OPS, MEM, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return UM_ENOMEM;
    *out = um_xstrdup(hash);
    return UM_OK;
}

static void split_profiles(struct user *u, const char *list)
{
    while (*list != '\0') {
        size_t skip = strspn(list, ", \t"), n = strcspn(list + skip, ",");
        list += skip;
        size_t end = n;
        while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
            end--;
        if (end > 0) {
            u->profiles = um_xrealloc(u->profiles, (u->n_profiles + 1) * sizeof(char *));
            u->profiles[u->n_profiles++] = um_xstrndup(list, end);
        }
        list += n;
    }
}

static um_err add(struct users *us, const char *id, const char *password, const char *profiles, char why[256])
{
    struct user u = { .id = id, .display_name = id };

    if (id == NULL || *id == '\0' || password == NULL || *password == '\0') {
        snprintf(why, 256, "user %s has no %s", id && *id ? id : "(without id)", id && *id ? "password" : "id");
        return UM_EINVAL;
    }
    if (users_find(us, id) != NULL) {
        snprintf(why, 256, "user %.100s is there twice", id);
        return UM_EINVAL;
    }
    if (hash_password(password, &u.hash) != UM_OK) {
        snprintf(why, 256, "the password of user %.100s cannot be hashed: out of memory", id);
        return UM_ENOMEM;
    }
    split_profiles(&u, profiles ? profiles : "");
    us->row = um_xrealloc(us->row, (us->n + 1) * sizeof(*us->row));
    us->row[us->n++] = u;
    return UM_OK;
}

um_err users_load(struct users **out, const struct um_rest_deps *deps, char why[256])
{
    struct users *us = um_xcalloc(1, sizeof(*us));
    size_t n = um_conf_count(deps->conf, "internal.realm.users");
    um_err err = UM_OK;

    *out = us;
    if (sodium_init() < 0 ||
        crypto_pwhash_str_alg(us->dummy, "nobody has this password", 24, OPS, MEM, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        snprintf(why, 256, "libsodium does not start");
        return UM_ENOMEM;
    }
    if (*deps->own->admin_user != '\0')
        err = add(us, deps->own->admin_user, deps->own->admin_password, "SYSTEM_ADMIN,ADMIN", why);
    for (size_t i = 0; i < n && err == UM_OK; i++)
        err = add(us, um_conf_getf(deps->conf, "internal.realm.users[%zu].id", i),
                  um_conf_getf(deps->conf, "internal.realm.users[%zu].password", i),
                  um_conf_getf(deps->conf, "internal.realm.users[%zu].profiles", i), why);
    return err;
}

const struct user *users_find(const struct users *us, const char *id)
{
    for (size_t i = 0; i < us->n; i++)
        if (strcmp(us->row[i].id, id) == 0)
            return &us->row[i];
    return NULL;
}

const char *users_dummy_hash(const struct users *us) { return us->dummy; }

void users_free(struct users *us)
{
    if (us == NULL)
        return;
    for (size_t i = 0; i < us->n; i++) {
        for (size_t p = 0; p < us->row[i].n_profiles; p++)
            free(us->row[i].profiles[p]);
        free(us->row[i].profiles);
        free(us->row[i].hash);
    }
    free(us->row);
    free(us);
}
