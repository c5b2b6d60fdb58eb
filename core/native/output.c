/* What a library writes to its standard output and error: lines of our log, as many as the log lets through. */
#include <string.h>
#include <unistd.h>
#include <umbel/log.h>
#include "native_int.h"

enum { LINE_MAX_BYTES = 500, PIECE = 4096, LAST_PIECES = 16 };

static void tell(struct worker *w)
{
    if (w->line.len > 0)
        um_log_limited(UM_INFO, "handler", "a library says", UM_S("library", w->name),
                       UM_B("line", UM_SPAN(w->line.data, w->line.len)));
    um_buf_clear(&w->line);
}

/* What is beyond a line's bound is left out. */
static void take(struct worker *w, const char *p, size_t n)
{
    while (n > 0) {
        const char *end = memchr(p, '\n', n);
        size_t len = end != NULL ? (size_t)(end - p) : n;

        um_buf_put(&w->line, p, UM_MIN(len, LINE_MAX_BYTES - w->line.len));
        if (end == NULL)
            return;
        tell(w);
        p += len + 1;
        n -= len + 1;
    }
}

static bool read_piece(struct worker *w)
{
    char piece[PIECE];
    ssize_t n = read(w->process.output, piece, sizeof(piece));

    if (n > 0)
        take(w, piece, (size_t)n);
    else if (n == 0)
        um_io_stop(w->n->loop, &w->output);
    return n > 0;
}

static void on_output(void *arg, unsigned events)
{
    (void)events;
    read_piece(arg);
}

bool output_start(struct worker *w)
{
    return um_io_start(w->n->loop, &w->output, w->process.output, UM_READ, on_output, w) == UM_OK;
}

void output_end(struct worker *w)
{
    for (int i = 0; i < LAST_PIECES && read_piece(w); i++)
        ;
    tell(w);
}
