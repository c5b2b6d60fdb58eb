/* A library that misbehaves as it is told: by its name, or in a call by the JSON's `mood`. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <umbel/handler.h>

#ifndef ABI
#define ABI UMBEL_HANDLER_ABI
#endif

static int calls;
static char name[65];

/* All that it was told, and how often in this process. */
static int echo(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    int n = asprintf(&a->json, "{\"calls\":%d,\"texts\":[\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",\"%s\"],"
                     "\"attempt\":%u,\"json\":%s,\"pid\":%d}",
                     calls, o->action, o->phase, o->object_type, o->scope, o->user, o->operation, o->registration, o->request, o->job,
                     o->idempotence_key, o->attempt, o->json, (int)getpid());

    return n > 0 && o->json_size == strlen(o->json) && UMBEL_HAS(struct umbel_handler_operation, o, json_size) ? UMBEL_REPLACE : UMBEL_LATER;
}

static unsigned long limit(int which)
{
    struct rlimit r;

    getrlimit(which, &r);
    return (unsigned long)r.rlim_cur;
}

/* How it is held. */
static int surroundings(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    char cwd[4096];
    int open_ones = 0, n;

    (void)o;
    for (int fd = 0; fd < 64; fd++)
        open_ones += fcntl(fd, F_GETFD) >= 0;
    n = asprintf(&a->json, "{\"memory\":%lu,\"files\":%lu,\"core\":%lu,\"open\":%d,\"secret\":%d,\"cwd\":\"%s\",\"nonewprivs\":%d}",
                 limit(RLIMIT_AS), limit(RLIMIT_NOFILE), limit(RLIMIT_CORE), open_ones, getenv("UMBEL_SECRET") != NULL,
                 getcwd(cwd, sizeof(cwd)), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    return n > 0 ? UMBEL_REPLACE : UMBEL_LATER;
}

static int refuse(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    strcpy(a->code, "F00039");
    strcpy(a->message, "not on a Sunday");
    return UMBEL_REFUSE;
}

static int refuse_badly(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    memset(a->code, 'F', sizeof(a->code));               /* no zero, and no code */
    memset(a->message, 0xff, sizeof(a->message));        /* no UTF-8 */
    return UMBEL_REFUSE;
}

static int later(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    strcpy(a->message, "too early");
    return UMBEL_LATER;
}

static int strange(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    (void)a;
    return 77;
}

static int replace_by_nonsense(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    a->json = strdup("[1,");
    return UMBEL_REPLACE;
}

static int crash(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    (void)a;
    return raise(SIGSEGV);
}

static int leave(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    (void)a;
    exit(3);
}

static int hang(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    (void)a;
    for (;;)
        pause();
}

static int eat(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    (void)a;
    for (;;) {
        char *p = malloc(1 << 20);

        if (p == NULL)
            abort();
        memset(p, 1, 1 << 20);
    }
}

static int garbage(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    (void)a;
    return write(3, "HTTP/1.1 200 OK\r\n\r\n", 19) == 19 ? hang(o, a) : 0;
}

static int big(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    size_t n = strtoul(strstr(o->json, "\"size\":") + 7, NULL, 10);

    a->json = malloc(n + 1);
    memset(a->json, ' ', n);
    memcpy(a->json, "{}", 2);
    a->json[n] = '\0';
    return UMBEL_REPLACE;
}

static int loud(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    (void)o;
    (void)a;
    for (int i = 0; i < 20000; i++)
        printf("line %d of far too many\n", i);
    fprintf(stderr, "%0600d\n", 1);
    return UMBEL_GO_ON;
}

/* Is busy after its answer: what is left behind is no call's. */
static void *burn(void *arg)
{
    for (volatile int i = 0;; i++)
        ;
    return arg;
}
static int leave_burning(const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    pthread_t t;

    (void)o;
    (void)a;
    return pthread_create(&t, NULL, burn, NULL) == 0 ? UMBEL_GO_ON : UMBEL_LATER;
}

static int handle(void *state, const struct umbel_handler_operation *o, struct umbel_handler_answer *a)
{
    static const struct {
        const char *mood;
        int (*fn)(const struct umbel_handler_operation *o, struct umbel_handler_answer *a);
    } rows[] = {
        { "echo", echo }, { "surroundings", surroundings }, { "refuse", refuse }, { "refuse badly", refuse_badly }, { "later", later },
        { "strange", strange }, { "nonsense", replace_by_nonsense }, { "crash", crash }, { "leave", leave }, { "hang", hang }, { "eat", eat },
        { "garbage", garbage }, { "big", big }, { "loud", loud }, { "burn", leave_burning },
    };
    char mood[64];

    (void)state;
    calls++;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(mood, sizeof(mood), "\"mood\":\"%s\"", rows[i].mood);
        if (strcmp(name, rows[i].mood) == 0 || strstr(o->json, mood) != NULL)
            return rows[i].fn(o, a);
    }
    return UMBEL_GO_ON;
}

static int init(const struct umbel_handler_setup *setup, void **state)
{
    (void)state;
    snprintf(name, sizeof(name), "%s", setup->name);
    if (strcmp(setup->name, "init-leaves") == 0)
        exit(0);
    if (strcmp(setup->name, "init-crashes") == 0)
        abort();
    if (strcmp(setup->name, "init-hangs") == 0)
        for (;;)
            pause();
    return strcmp(setup->name, "init-refuses") == 0 ? 7 : 0;
}

static void end(void *state)
{
    (void)state;
    fprintf(stderr, "the end\n");
}

const struct umbel_handler umbel_handler = {
    .size = sizeof(struct umbel_handler), .abi = ABI, .name = "moods", .init = init, .handle = handle, .end = end,
};
