/* The store's parts, as they see one another. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H
#include <pthread.h>
#include "driver.h"

enum {
    STORE_NAME_MAX = 512,             /* bytes of a document's name */
    STORE_TITLE_MAX = 1200,           /* bytes of a title: 300 characters */
    STORE_USER_MAX = 512,             /* bytes of a user's name */
    STORE_SEARCH_MAX = 256,           /* bytes of a search */
    STORE_PAGE_MAX = 1000,            /* entries of a page */
    STORE_UPDATE_MAX = 64 << 20,      /* bytes of one update */
    STORE_STATE_MAX = 512 << 20,      /* bytes of a folded state */
    STORE_READS_MAX = 16384,          /* loads and lists that wait; inspections: UM_STORE_VIEWS_MAX */
    STORE_HEADS_MAX = 10000,          /* documents of one question for heads */
    STORE_CLIENTS_MAX = 100000,       /* clients that are told of a document */
    STORE_AT_ONCE_BYTES = 16 << 10,   /* an append into memory that its caller makes itself */
    STORE_BATCH_BYTES = 32 << 20,     /* a transaction closes when it holds so much */
    STORE_PROBE_MS = 1000,            /* after a failure, how often a commit is tried with nobody asking */
    STORE_IDLE_PROBE_MS = 500,        /* the same of a healthy store that other machines may hold */
    STORE_SILENT_MS = 1300,           /* so long without an answer it counts as away; both: within 2 s */
};

struct store_writer;
struct store_readers;

struct um_store {
    const struct um_store_driver *driver;
    void *self;                       /* the driver's */
    struct um_store_conf conf;        /* without url */
    struct store_gate *gate;
    struct store_writer *writer;
    struct store_writer *units;       /* NULL: the writer makes them */
    struct store_readers *readers;    /* NULL: the writer reads */
    _Atomic bool healthy;
    _Atomic int64_t asked_at_ms;      /* when the transaction began that is under way; 0: none is */
};

/* versions.c */
/* Shall the state of a fold up to SEQ be kept, with the newest version at LAST_SEQ and LAST_MS (0: none)? */
bool store_version_is_due(const struct um_store_conf *cf, uint64_t last_seq, int64_t last_ms, uint64_t seq, int64_t now_ms);
/* Adds N changes of USER to the list in JSON ("": none yet). The caller frees it. */
char *store_contributors_add(const char *json, const char *user, int64_t n);

/* store.c: to the writer or the readers, or home when its err is set. Texts of MIN..MAX bytes of UTF-8; NULL is "". */
void store_pass_on(struct um_store *st, struct store_op *op);
bool store_is_text(const char *s, size_t min, size_t max);

um_err store_writer_start(struct um_store *st);
um_err store_units_start(struct um_store *st);                        /* a second one, if the driver has a thread for units */
void store_writer_put(struct store_writer *w, struct store_op *op);   /* any thread; refuses what is too much */
void store_writer_stop(struct store_writer *w);                       /* finishes what waits, joins, frees; NULL is fine */

um_err store_readers_start(struct um_store *st);
void store_readers_put(struct store_readers *r, struct store_op *op); /* any thread; refuses what is too much */
void store_readers_stop(struct store_readers *r);                     /* drops what waits; NULL is fine */

/* A thread of the store: named, deaf to signals. */
um_err store_thread(pthread_t *out, const char *name, void *(*fn)(void *arg), void *arg);

#endif
