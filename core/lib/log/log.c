/* Where lines go: standard error, or a file. One write(2) a line, so lines of several threads never mix. Levels and the
 * limiter are the process' (the log is the one thing that everybody reaches). */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <umbel/util.h>
#include "format.h"
#include "rotate.h"

#define MAX_CATEGORIES 128
#define LIMIT_SLOTS    256
#define LIMIT_PER_SECOND 10

static struct {
    char service[32];
    enum um_log_format format;
    int fd;
    _Atomic int root;
    pthread_mutex_t lock;                       /* over the two tables below */
    struct { char name[32]; _Atomic int level; } category[MAX_CATEGORIES];      /* level UM_LEVEL_NONE: it has logged, no more */
    _Atomic size_t n_categories;
    struct { uint64_t hash; int64_t second; unsigned passed; uint64_t held; } limit[LIMIT_SLOTS];
} the_log = { .service = "umbel", .fd = STDERR_FILENO, .root = UM_INFO, .lock = PTHREAD_MUTEX_INITIALIZER };

static _Thread_local uint64_t held_before_next;

um_err um_log_open(const struct um_log_conf *cf)
{
    um_err err;
    int fd;

    if ((err = rotate_open(cf, &fd)) != UM_OK)
        return err;
    strncpy(the_log.service, cf->service, sizeof(the_log.service) - 1);
    the_log.format = cf->format;
    the_log.fd = fd;
    return UM_OK;
}

/* An exact category wins, then its parents by dots, then the root. */
static enum um_level level_of(const char *category)
{
    size_t n = atomic_load_explicit(&the_log.n_categories, memory_order_acquire);
    size_t best_len = 0;
    int level = atomic_load_explicit(&the_log.root, memory_order_relaxed);

    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(the_log.category[i].name);
        if (len > best_len && the_log.category[i].level != UM_LEVEL_NONE && strncasecmp(category, the_log.category[i].name, len) == 0 &&
            (category[len] == '\0' || category[len] == '.')) {
            best_len = len;
            level = the_log.category[i].level;
        }
    }
    return (enum um_level)level;
}

bool um_log_is_on(enum um_level level, const char *category)
{
    return level >= level_of(category);
}

/* Adds CATEGORY when there is room; a level of UM_LEVEL_NONE does not touch one that is there. */
static void put_category(const char *category, int level, bool is_set)
{
    size_t i = 0, n;

    pthread_mutex_lock(&the_log.lock);
    n = the_log.n_categories;
    while (i < n && strcasecmp(the_log.category[i].name, category) != 0)
        i++;
    if (i < MAX_CATEGORIES) {
        if (i == n)
            strncpy(the_log.category[i].name, category, sizeof(the_log.category[i].name) - 1);
        if (i == n || is_set)
            the_log.category[i].level = level;
        if (i == n)
            atomic_store_explicit(&the_log.n_categories, n + 1, memory_order_release);
    }
    pthread_mutex_unlock(&the_log.lock);
}

void um_log_set_level(const char *category, enum um_level level)
{
    if (category == NULL)
        atomic_store(&the_log.root, (int)level);
    else
        put_category(category, (int)level, true);
}

void um_log_clear_level(const char *category)
{
    if (category == NULL)
        atomic_store(&the_log.root, UM_INFO);
    else
        put_category(category, UM_LEVEL_NONE, true);
}

/* For the list of categories: those that log are noted at their first line. */
static void note_category(const char *category)
{
    size_t n = atomic_load_explicit(&the_log.n_categories, memory_order_acquire);

    for (size_t i = 0; i < n; i++)
        if (strcasecmp(the_log.category[i].name, category) == 0)
            return;
    if (n < MAX_CATEGORIES)
        put_category(category, UM_LEVEL_NONE, false);
}

enum um_level um_log_level_of(const char *category)
{
    return category != NULL ? level_of(category) : (enum um_level)atomic_load(&the_log.root);
}

const char *um_log_level_text(enum um_level level) { return um_level_name(level); }

void um_log_each(void (*cb)(void *arg, const char *category, int own), void *arg)
{
    size_t n = atomic_load_explicit(&the_log.n_categories, memory_order_acquire);

    for (size_t i = 0; i < n; i++)
        cb(arg, the_log.category[i].name, the_log.category[i].level);
}

bool um_log_parse_level(const char *text, enum um_level *out)
{
    for (int l = UM_TRACE; l <= UM_OFF; l++)
        if (strcasecmp(text, um_level_name((enum um_level)l)) == 0) {
            *out = (enum um_level)l;
            return true;
        }
    return false;
}

/* Events are string constants: their text's hash (FNV-1a) is a good enough name for a limiter. */
static uint64_t hash_on(uint64_t h, const char *text)
{
    for (; *text != '\0'; text++)
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t event_hash(const char *category, const char *event)
{
    return hash_on(hash_on(UINT64_C(0xcbf29ce484222325), category), event);
}

bool um_log_may(const char *category, const char *event)
{
    uint64_t hash = event_hash(category, event);
    int64_t second = um_now_ms() / 1000;
    bool may;

    pthread_mutex_lock(&the_log.lock);
    size_t slot = hash % LIMIT_SLOTS;
    if (the_log.limit[slot].hash != hash || the_log.limit[slot].second != second) {
        uint64_t held = the_log.limit[slot].hash == hash ? the_log.limit[slot].held : 0;
        the_log.limit[slot].hash = hash;
        the_log.limit[slot].second = second;
        the_log.limit[slot].passed = 0;
        the_log.limit[slot].held = held;
    }
    may = the_log.limit[slot].passed < LIMIT_PER_SECOND;
    if (may) {
        the_log.limit[slot].passed++;
        held_before_next = the_log.limit[slot].held;
        the_log.limit[slot].held = 0;
    } else {
        the_log.limit[slot].held++;
    }
    pthread_mutex_unlock(&the_log.lock);
    return may;
}

void um_log_fields(enum um_level level, const char *category, const char *event, const struct um_field *fields)
{
    struct um_buf line = { 0 };
    struct um_log_event e = { um_wall_ms(), level, the_log.service, category, event, fields, held_before_next };
    size_t done = 0;

    held_before_next = 0;
    note_category(category);
    um_log_format(&line, the_log.format, &e);
    while (!line.failed && done < line.len) {
        ssize_t n = write(the_log.fd, line.data + done, line.len - done);
        if (n <= 0 && errno != EINTR)
            break;                              /* a full disk or a dead pipe must not stop the service */
        done += n > 0 ? (size_t)n : 0;
    }
    rotate_wrote(the_log.fd, done);
    um_buf_free(&line);
}
