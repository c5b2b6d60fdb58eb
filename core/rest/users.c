/* The internal realm: users from the properties. A plain password is hashed when somebody tries it for the first time: a
 * hash costs more than all the rest of a start. Every attempt costs one hash, whether the user exists, whether the
 * password was plain, and whether it is right. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/password.h>
#include "internal.h"

struct users {
    struct user *row;
    size_t n;
};

/* Compares without a hash to compare with, makes one for the next time, and costs as much. Any thread. */
static bool check_plain(struct user *u, const char *password)
{
    size_t n = strlen(u->text), n_password = strlen(password);
    char *hash = um_xmalloc(UM_PASSWORD_HASH_SIZE), *none = NULL;
    bool right = n == n_password && sodium_memcmp(u->text, password, n) == 0;

    if (!um_password_hash(u->text, hash)) {
        free(hash);                              /* out of memory: whom one cannot check is not let in */
        return false;
    }
    if (!atomic_compare_exchange_strong(&u->hash, &none, hash))
        free(hash);                              /* somebody else was faster */
    return right;
}

bool users_check(struct user *u, const char *password)
{
    const char *hash = u != NULL ? atomic_load(&u->hash) : NULL;

    return u != NULL && hash == NULL ? check_plain(u, password) : um_password_check(hash, password);
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
    struct user u = { .id = id, .display_name = id, .text = password };

    if (id == NULL || *id == '\0' || password == NULL || *password == '\0') {
        snprintf(why, 256, "user %s has no %s", id && *id ? id : "(without id)", id && *id ? "password" : "id");
        return UM_EINVAL;
    }
    if (users_find(us, id) != NULL) {
        snprintf(why, 256, "user %.100s is there twice", id);
        return UM_EINVAL;
    }
    if (um_password_is_hash(password))
        atomic_init(&u.hash, um_xstrdup(password));
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
    if (sodium_init() < 0) {
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

struct user *users_find(const struct users *us, const char *id)
{
    for (size_t i = 0; i < us->n; i++)
        if (strcmp(us->row[i].id, id) == 0)
            return &us->row[i];
    return NULL;
}

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
