/* See umbel/model_files.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/model_files.h>

struct reading {
    struct um_model_list *list;
    struct um_model_error *error;
    size_t files, bytes;
};

UM_PRINTF(4, 5) static um_err refuse(struct reading *r, um_err err, const char *path, const char *fmt, ...)
{
    va_list args;

    *r->error = (struct um_model_error){ 0 };
    (void)snprintf(r->error->file, sizeof(r->error->file), "%s", path);
    va_start(args, fmt);
    (void)vsnprintf(r->error->what, sizeof(r->error->what), fmt, args);
    va_end(args);
    return err;
}

static um_err refuse_errno(struct reading *r, const char *path)
{
    return refuse(r, errno == ENOENT ? UM_ENOTFOUND : errno == ENOMEM ? UM_ENOMEM : UM_EIO, path, "%s", strerror(errno));
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

static um_err read_bytes(struct reading *r, int fd, const char *path, struct um_buf *out)
{
    ssize_t n;

    for (;;) {
        uint8_t *room = um_buf_room(out, 65536);

        if (room == NULL)
            return refuse(r, UM_ENOMEM, path, "%s", um_err_text(UM_ENOMEM));
        n = read(fd, room, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return refuse_errno(r, path);
        if (n == 0)
            return UM_OK;
        um_buf_advance(out, (size_t)n);
        if (out->len > YAML_STREAM_BYTES)
            return refuse(r, UM_ELIMIT, path, "a file of more than %u MiB", YAML_STREAM_BYTES >> 20);
        if (r->bytes + out->len > MODEL_FILE_BYTES)
            return refuse(r, UM_ELIMIT, path, "files of more than %u MiB", MODEL_FILE_BYTES >> 20);
    }
}

static um_err read_file(struct reading *r, int fd, const char *path)
{
    struct um_buf text = { 0 };
    um_err err;

    if (++r->files > MODEL_FILES)
        return refuse(r, UM_ELIMIT, path, "more than %u files", MODEL_FILES);
    err = read_bytes(r, fd, path, &text);
    r->bytes += text.len;
    if (err == UM_OK)
        err = ends_in(path, ".xml") ? um_model_list_read_xml(r->list, UM_SPAN(text.data, text.len), path, r->error)
                                    : um_model_list_read_yaml(r->list, UM_SPAN(text.data, text.len), path, r->error);
    um_buf_free(&text);
    return err;
}

static bool is_model(const char *name) { return ends_in(name, ".yaml") || ends_in(name, ".yml") || ends_in(name, ".xml"); }

static int is_wanted(const struct dirent *e) { return e->d_name[0] != '.'; }

/* By bytes, whatever the locale is. */
static int name_order(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static um_err read_folder(struct reading *r, int fd, const char *path, unsigned depth);

static um_err read_entry(struct reading *r, int folder, const char *path, const char *name, unsigned depth)
{
    char *whole = um_xasprintf("%s/%s", path, name);
    struct stat st;
    um_err err = UM_OK;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0)
        err = fd < 0 && (errno == ELOOP || !is_model(name)) ? UM_OK : refuse_errno(r, whole);
    else if (S_ISDIR(st.st_mode))
        err = depth == MODEL_FILE_DEPTH ? refuse(r, UM_ELIMIT, whole, "more than %u folders within one another", MODEL_FILE_DEPTH)
                                        : read_folder(r, fd, whole, depth + 1);
    else if (S_ISREG(st.st_mode) && is_model(name))
        err = read_file(r, fd, whole);
    if (fd >= 0)
        close(fd);
    free(whole);
    return err;
}

static um_err read_folder(struct reading *r, int fd, const char *path, unsigned depth)
{
    struct dirent **names = NULL;
    um_err err = UM_OK;
    int n = scandirat(fd, ".", &names, is_wanted, name_order), i;

    if (n < 0)
        return refuse_errno(r, path);
    for (i = 0; i < n; i++) {
        if (err == UM_OK)
            err = read_entry(r, fd, path, names[i]->d_name, depth);
        free(names[i]);
    }
    free(names);
    return err;
}

um_err um_model_files_read(struct um_model_list *l, const char *path, struct um_model_error *error)
{
    struct reading r = { l, error, 0, 0 };
    char *clean = um_xstrdup(path);
    struct stat st;
    um_err err;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    size_t n = strlen(clean);

    *error = (struct um_model_error){ 0 };
    while (n > 1 && clean[n - 1] == '/')
        clean[--n] = '\0';
    if (fd < 0 || fstat(fd, &st) != 0)
        err = refuse_errno(&r, path);
    else if (S_ISDIR(st.st_mode))
        err = read_folder(&r, fd, clean, 1);
    else
        err = read_file(&r, fd, path);
    if (err == UM_OK && r.files == 0)
        err = refuse(&r, UM_ENOTFOUND, path, "no .yaml, .yml or .xml file is in it");
    if (fd >= 0)
        close(fd);
    free(clean);
    return err;
}
