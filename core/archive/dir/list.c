/* Lists the objects of a directory in the order of their keys' bytes.
 *
 * A folder's names are read, those that cannot matter are dropped, the rest is sorted; a folder counts as its name with a
 * slash. So a walk down, name by name, meets the keys in order: no name is the beginning of another one except `x` of `x/`,
 * and that comes first. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/log.h>
#include "dir_int.h"

enum { NAMES_MAX = 1000000 };          /* objects and folders in one folder */

struct walk {
    const char *prefix, *after;
    struct archive_page *pg;
    int depth;                         /* folders that we are in */
    size_t len;                        /* of key: the folder we are in, with its slash */
    char key[ARCHIVE_KEY_MAX + ARCHIVE_SEGMENT_MAX + 2];
};
struct names { char **all; size_t n, cap; };

/* ---- which names matter ---- */

/* Is there, below the folder or at the object KEY, a key of this prefix behind `after`? */
static bool matters(const struct walk *w, const char *key)
{
    size_t n = strlen(key), prefix = strlen(w->prefix);
    bool is_folder = key[n - 1] == '/';

    if (strncmp(key, w->prefix, is_folder ? UM_MIN(n, prefix) : prefix) != 0)
        return false;
    return strcmp(key, w->after) > 0 || (is_folder && strncmp(key, w->after, n) == 0);
}

/* "x" of x.o, "x/" of x.d, NULL of anything else. The caller frees it. */
static char *key_part(const char *file)
{
    size_t n = strlen(file);
    char *part;

    if (n < 3 || (strcmp(file + n - 2, ".o") != 0 && strcmp(file + n - 2, ".d") != 0))
        return NULL;
    part = um_xstrndup(file, n - 2);
    if (!archive_key_is_valid(part)) {
        free(part);
        return NULL;
    }
    if (file[n - 1] == 'd') {
        part = um_xrealloc(part, n);
        part[n - 2] = '/';
        part[n - 1] = '\0';
    }
    return part;
}

static bool enter(struct walk *w, const char *part)
{
    size_t n = strlen(part);

    if (w->len + n > ARCHIVE_KEY_MAX)
        return false;
    memcpy(w->key + w->len, part, n + 1);
    return true;
}

/* ---- one folder's names ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(struct names *ns)
{
    for (size_t i = 0; i < ns->n; i++)
        free(ns->all[i]);
    free(ns->all);
}

static um_err add_name(struct names *ns, char *part)
{
    if (ns->n == NAMES_MAX) {
        um_log_limited(UM_WARN, "archive", "too many names in one folder", UM_I("max", NAMES_MAX));
        free(part);
        return UM_ELIMIT;
    }
    if (ns->n == ns->cap) {
        ns->cap = ns->cap > 0 ? 2 * ns->cap : 64;
        ns->all = um_xrealloc(ns->all, ns->cap * sizeof(*ns->all));
    }
    ns->all[ns->n++] = part;
    return UM_OK;
}

static um_err read_names(struct walk *w, DIR *d, struct names *ns)
{
    struct dirent *e;
    um_err err = UM_OK;

    rewinddir(d);
    while (err == UM_OK && (errno = 0, e = readdir(d)) != NULL) {
        char *part = key_part(e->d_name);

        if (part == NULL)
            continue;
        if (enter(w, part) && matters(w, w->key) && !archive_key_is_own(w->key))
            err = add_name(ns, part);
        else
            free(part);
    }
    if (err == UM_OK && errno != 0)
        err = dir_errno("list");
    if (ns->n > 0)
        qsort(ns->all, ns->n, sizeof(*ns->all), by_bytes);
    return err;
}

/* ---- the walk ---- */

static um_err walk_folder(struct walk *w, int fd);

static um_err walk_below(struct walk *w, int fd, const char *part)
{
    size_t before = w->len, n = strlen(part);
    char name[DIR_NAME_SIZE];
    um_err err;
    int below;

    if (w->depth + 1 == ARCHIVE_SEGMENTS_MAX)
        return UM_OK;                  /* no key of ours is so deep */
    memcpy(name, part, n - 1);
    memcpy(name + n - 1, ".d", 3);
    below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)                     /* removed meanwhile, or not a folder of ours: no object can be below it */
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? UM_OK : dir_errno("list");
    w->len += n;
    w->depth++;
    err = walk_folder(w, below);
    w->depth--;
    w->len = before;
    return err;
}

static void note_object(struct walk *w, int fd, const char *part)
{
    size_t n = strlen(part);
    char name[DIR_NAME_SIZE];
    struct stat st;

    memcpy(name, part, n);
    memcpy(name + n, ".o", 3);
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return;
    if (archive_page_is_full(w->pg))
        archive_page_set_after(w->pg, w->pg->rows[w->pg->page.n - 1].key);
    else
        archive_page_add(w->pg, w->key, UM_MAX((int64_t)st.st_size - DIR_HEAD_BYTES, 0),
                         (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
}

/* Owns FD. */
static um_err walk_folder(struct walk *w, int fd)
{
    struct names ns = { 0 };
    DIR *d = fdopendir(fd);
    um_err err;

    if (d == NULL) {
        close(fd);
        return UM_EIO;
    }
    err = read_names(w, d, &ns);
    for (size_t i = 0; i < ns.n && err == UM_OK && w->pg->after == NULL; i++) {
        const char *part = ns.all[i];

        if (!enter(w, part))
            continue;
        if (part[strlen(part) - 1] == '/')
            err = walk_below(w, fd, part);
        else
            note_object(w, fd, part);
    }
    free_names(&ns);
    closedir(d);
    return err;
}

um_err dir_list(int root, const char *prefix, const char *after, struct archive_page *pg)
{
    struct walk w = { .prefix = prefix, .after = after, .pg = pg };
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 ? walk_folder(&w, fd) : dir_errno("list");
}
