/* Drives the archive from a test: commands on standard input, one a line, fields with tabs between; each is answered by
 * a line that begins with its number, in order of completion. Configuration by --key=value.
 *
 *   N put KEY FILE | N get KEY MAX FILE | N delete KEY | N list PREFIX AFTER MAX | N probe | N counter NAME
 *   N <error's text> [more]                                       the end of the input ends it */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/archive.h>
#include <umbel/metrics.h>

enum { FIELDS = 5, LINE_MAX_BYTES = 8192, CALLS = 256 };

static struct um_archive *archive;
static struct um_loop *loop;
static char line[LINE_MAX_BYTES];
static size_t line_len;

struct call { char number[16], file[1024]; };

/* Not allocated: what is closed while it runs never answers. */
static struct call *note(const char *number, const char *file)
{
    static struct call calls[CALLS];
    static unsigned next;
    struct call *c = &calls[next++ % CALLS];

    snprintf(c->number, sizeof(c->number), "%s", number);
    snprintf(c->file, sizeof(c->file), "%s", file);
    return c;
}

static void done(void *arg, um_err err)
{
    printf("%s\t%s\n", ((struct call *)arg)->number, um_err_text(err));
    fflush(stdout);
}

static void got(void *arg, um_err err, struct um_bytes *bytes)
{
    struct call *c = arg;
    FILE *f = bytes != NULL ? fopen(c->file, "w") : NULL;

    if (f != NULL) {
        UM_ASSERT(fwrite(bytes->data, 1, bytes->len, f) == bytes->len);
        fclose(f);
    }
    done(arg, err);
}

static void listed(void *arg, um_err err, const struct um_archive_page *page)
{
    struct call *c = arg;

    printf("%s\t%s", c->number, um_err_text(err));
    if (page != NULL) {
        printf("\t%s", page->after != NULL ? page->after : "");
        for (size_t i = 0; i < page->n; i++)
            printf("\t%s\t%lld\t%lld", page->entries[i].key, (long long)page->entries[i].bytes,
                   (long long)page->entries[i].modified_at_ms);
    }
    printf("\n");
    fflush(stdout);
}

static struct um_bytes *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct um_bytes *b;

    UM_ASSERT(f != NULL && fseek(f, 0, SEEK_END) == 0);
    b = um_bytes_new((size_t)ftell(f));
    rewind(f);
    UM_ASSERT(b != NULL && fread(b->data, 1, b->len, f) == b->len);
    fclose(f);
    return b;
}

static void run(char *text)
{
    char *f[FIELDS] = { "", "", "", "", "" };

    for (int i = 0; i < FIELDS && text != NULL; i++)
        f[i] = strsep(&text, "\t");
    if (strcmp(f[1], "put") == 0) {
        struct um_bytes *b = read_file(f[3]);

        um_archive_put(archive, loop, f[2], b, done, note(f[0], ""));
        um_bytes_unref(b);
    } else if (strcmp(f[1], "get") == 0) {
        um_archive_get(archive, loop, f[2], strtoul(f[3], NULL, 10), got, note(f[0], f[4]));
    } else if (strcmp(f[1], "delete") == 0) {
        um_archive_delete(archive, loop, f[2], done, note(f[0], ""));
    } else if (strcmp(f[1], "list") == 0) {
        um_archive_list(archive, loop, f[2], f[3], strtoul(f[4], NULL, 10), listed, note(f[0], ""));
    } else if (strcmp(f[1], "probe") == 0) {
        um_archive_probe(archive, loop, done, note(f[0], ""));
    } else {
        printf("%s\t%lld\n", f[0], (long long)um_metric_value(um_metrics_find(f[2])));
        fflush(stdout);
    }
}

static void on_input(void *arg, unsigned events)
{
    ssize_t n = read(0, line + line_len, sizeof(line) - line_len);
    char *end;

    (void)arg;
    (void)events;
    if (n <= 0) {
        um_loop_stop(loop);
        return;
    }
    line_len += (size_t)n;
    while ((end = memchr(line, '\n', line_len)) != NULL) {
        size_t used = (size_t)(end + 1 - line);

        *end = '\0';
        run(line);
        line_len -= used;
        memmove(line, line + used, line_len);
    }
    UM_ASSERT(line_len < sizeof(line));
}

int main(int argc, char **argv)
{
    static char *const env[] = { NULL };
    const struct um_conf_table *tables[] = { &um_archive_conf_table };
    struct um_conf_source source = { .app = "core", .dir = "/nonexistent", .argc = argc, .argv = argv, .environ = env,
                                     .tables = tables, .n_tables = 1 };
    struct um_archive_conf cf;
    struct um_io input = { 0 };
    struct um_conf *conf;
    char why[256];

    if (um_conf_load(&conf, &source) != UM_OK || um_conf_bind(conf, tables[0]->keys, tables[0]->n, &cf) != UM_OK) {
        um_conf_report(conf, stderr);
        return 2;
    }
    if (um_archive_open(&archive, &cf, why) != UM_OK) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    um_conf_free(conf);
    loop = um_loop_new(0);
    fcntl(0, F_SETFL, O_NONBLOCK);
    if (um_io_start(loop, &input, 0, UM_READ, on_input, NULL) != UM_OK)
        return 2;
    um_loop_run(loop);
    um_archive_close(archive);
    um_loop_turn(loop, 0);
    um_loop_free(loop);
    return 0;
}
