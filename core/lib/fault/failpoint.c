/* Failure points: a small table of orders under a mutex. Test builds only, so speed does not matter. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/util.h>
#include "names.h"

enum action { OFF, KILL, ABORT, ERROR, SLEEP };
struct order {
    enum action action;
    unsigned sleep_ms;
    unsigned percent;             /* 100: always */
    int left;                     /* -1: for ever */
};

static const char *const names[] = {
#define X(name) #name,
    UM_FAILPOINT_NAMES(X)
#undef X
};
static struct order orders[UM_COUNT(names)];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int index_of(const char *name, size_t len)
{
    for (size_t i = 0; i < UM_COUNT(names); i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return (int)i;
    return -1;
}

static bool parse_action(const char *text, struct order *out)
{
    static const struct { const char *word; enum action action; } words[] = {
        { "off", OFF }, { "kill", KILL }, { "abort", ABORT }, { "error", ERROR }, { "sleep(", SLEEP },
    };
    struct order o = { .percent = 100, .left = -1 };
    size_t i = 0;

    while (i < UM_COUNT(words) && strncmp(text, words[i].word, strlen(words[i].word)) != 0)
        i++;
    if (i == UM_COUNT(words))
        return false;
    o.action = words[i].action;
    text += strlen(words[i].word);
    if (o.action == SLEEP) {
        char *end;
        o.sleep_ms = (unsigned)strtoul(text, &end, 10);
        if (end == text || *end != ')')
            return false;
        text = end + 1;
    }
    while (*text != '\0') {
        char kind = *text++, *end;
        unsigned long v = strtoul(text, &end, 10);
        if (end == text || (kind != '%' && kind != '*'))
            return false;
        if (kind == '%')
            o.percent = (unsigned)v;
        else
            o.left = (int)v;
        text = end;
    }
    *out = o;
    return true;
}

um_err um_failpoint_set(const char *name, const char *action)
{
    struct order o;
    int i = index_of(name, strlen(name));

    if (i < 0)
        return UM_ENOTFOUND;
    if (!parse_action(action, &o))
        return UM_EINVAL;
    pthread_mutex_lock(&lock);
    orders[i] = o;
    pthread_mutex_unlock(&lock);
    return UM_OK;
}

um_err um_failpoint_init_from_env(const char **bad)
{
    static char copy[4096];
    const char *env = getenv("UMBEL_FAIL");
    char *save = NULL;

    if (env == NULL)
        return UM_OK;
    snprintf(copy, sizeof(copy), "%s", env);
    for (char *one = strtok_r(copy, ";", &save); one != NULL; one = strtok_r(NULL, ";", &save)) {
        char *eq = strchr(one, '=');
        *bad = one;
        if (eq == NULL)
            return UM_EINVAL;
        *eq = '\0';
        if (um_failpoint_set(one, eq + 1) != UM_OK)
            return UM_EINVAL;
    }
    return UM_OK;
}

bool um_failpoint_hit(const char *name)
{
    int i = index_of(name, strlen(name));
    struct order o;

    UM_ASSERT(i >= 0);
    pthread_mutex_lock(&lock);
    o = orders[i];
    if (o.action == OFF || o.left == 0 || um_random_below(100) >= o.percent) {
        pthread_mutex_unlock(&lock);
        return false;
    }
    if (orders[i].left > 0)
        orders[i].left--;
    pthread_mutex_unlock(&lock);
    if (o.action == KILL)
        kill(getpid(), SIGKILL);
    if (o.action == ABORT)
        abort();
    if (o.action == SLEEP)
        nanosleep(&(struct timespec){ o.sleep_ms / 1000, (long)(o.sleep_ms % 1000) * 1000000 }, NULL);
    return o.action == ERROR;
}
