/* umbel-handler: the process that a library of handlers runs in. Started by umbel-core alone (core/native/spawn.c),
 * with these open descriptors: 1 and 2 a pipe into the core's log, 3 the socket (core/native/frame.h), 4 the library.
 *
 *   umbel-handler <name> <its folder> <pid of the core> <bytes of memory> <open files> <seconds of a call>
 *                 <bytes of an answer>
 *
 * A program without sanitizers and without anything else of ours: what a library breaks here is this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "limits.h"
#include "library.h"
#include "wire.h"

enum { FD_SOCKET = 3, FD_LIBRARY = 4, ARGS_N = 8 };

static void copy_text(char *out, size_t size, const char *in) { snprintf(out, size, "%s", in); }

/* A library that forgets the end of a text does not take us along. */
static void end_texts(struct umbel_handler_answer *a)
{
    a->code[sizeof(a->code) - 1] = '\0';
    a->message[sizeof(a->message) - 1] = '\0';
}

static void refuse(struct umbel_handler_answer *a, const char *code, const char *why)
{
    copy_text(a->code, sizeof(a->code), code);
    copy_text(a->message, sizeof(a->message), why);
}

static int handle(const struct library *l, const struct umbel_handler_operation *o, size_t max_answer,
                  struct umbel_handler_answer *a)
{
    int verdict = l->table->handle(l->state, o, a);

    end_texts(a);
    if (verdict == UMBEL_REPLACE && a->json != NULL && strlen(a->json) > max_answer) {
        refuse(a, "T00751", "the handler's answer is larger than operation.handlers.max-answer");
        return UMBEL_REFUSE;
    }
    return verdict;
}

static void serve(const struct library *l, const struct limits *limits, size_t max_answer)
{
    struct umbel_handler_operation o;
    uint32_t call;

    while (wire_next(FD_SOCKET, &o, &call)) {
        struct umbel_handler_answer a = { .size = sizeof(a) };
        int verdict;
        bool sent;

        limits_begin_call(limits);
        verdict = handle(l, &o, max_answer, &a);
        fflush(stdout);
        sent = wire_answer(FD_SOCKET, call, verdict, &a);
        free(a.json);
        wire_forget();
        if (!sent)
            return;
    }
}

int main(int argc, char **argv)
{
    struct library l = { 0 };
    struct limits limits;
    char why[LIBRARY_WHY_MAX];

    if (argc != ARGS_N) {
        fprintf(stderr, "umbel-handler is started by umbel-core\n");
        return 2;
    }
    limits = (struct limits){ .parent = atoi(argv[3]), .memory = strtoull(argv[4], NULL, 10),
                              .files = strtoull(argv[5], NULL, 10), .call_s = strtoull(argv[6], NULL, 10) };
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!limits_set(&limits, why, sizeof(why)) || !library_load(&l, FD_LIBRARY, argv[1], argv[2], why)) {
        wire_failed(FD_SOCKET, why);
        return 1;
    }
    if (wire_ready(FD_SOCKET, l.table->name != NULL ? l.table->name : ""))
        serve(&l, &limits, strtoull(argv[7], NULL, 10));
    if (l.table->end != NULL)
        l.table->end(l.state);
    return 0;
}
