/* See library.h. */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
#include "library.h"

/* Old tables end with `end`; newer ones may be longer. */
static bool table_is_good(const struct umbel_handler *t, char *why)
{
    if (t->abi != UMBEL_HANDLER_ABI) {
        snprintf(why, LIBRARY_WHY_MAX, "it is made for ABI %u, this is ABI %d", t->abi, UMBEL_HANDLER_ABI);
        return false;
    }
    if (!UMBEL_HAS(struct umbel_handler, t, end) || t->handle == NULL) {
        snprintf(why, LIBRARY_WHY_MAX, "its table is not whole");
        return false;
    }
    return true;
}

static bool begin(struct library *l, const char *name, const char *dir, char *why)
{
    struct umbel_handler_setup setup = { sizeof(setup), UMBEL_HANDLER_ABI, name, dir };
    int status = l->table->init != NULL ? l->table->init(&setup, &l->state) : 0;

    if (status != 0)
        snprintf(why, LIBRARY_WHY_MAX, "its init answers %d", status);
    return status == 0;
}

bool library_load(struct library *l, int fd, const char *name, const char *dir, char *why)
{
    char path[64];
    void *loaded;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (loaded == NULL) {
        snprintf(why, LIBRARY_WHY_MAX, "%s", dlerror());
        return false;
    }
    close(fd);
    l->table = dlsym(loaded, "umbel_handler");
    if (l->table == NULL) {
        snprintf(why, LIBRARY_WHY_MAX, "it has no symbol umbel_handler");
        return false;
    }
    return table_is_good(l->table, why) && begin(l, name, dir, why);
}
