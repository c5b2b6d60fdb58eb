/* What a database must do to stand behind the store. Everything else (queues, group commit, limits, health, the way
 * home to the loops) is done once, above it. Calls block. */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H
#include "op.h"

#define STORE_READERS_BY_CONF UINT32_MAX

struct um_store_driver {
    const char *name;
    bool is_shared;                                   /* several processes may have it open */
    bool never_waits;                                 /* WRITE touches memory alone: a loop may call it for a small append */
    /* Threads for reading, each with a reader of its own. 0: one reader, used by the writer's thread between transactions;
     * STORE_READERS_BY_CONF: as many as conf.connections. */
    unsigned readers;

    /* LOCATION: the URL without its scheme; PostgreSQL: all of it. Locks, migrates. CF lives as long as the driver. WHY gets a sentence for the
     * operator. */
    um_err (*open)(void **self, const struct um_store_conf *cf, const char *location, char why[256]);
    void (*close)(void *self);                        /* after its readers */

    /* The writer's thread, or with never_waits whoever has the writer's place: all calls of BATCH (may be none: then it proves that a commit works) in one transaction.
     * UM_OK: durable; every op has its own err and answer. Otherwise rolled back, or unknown; the ops' answers mean nothing. */
    um_err (*write)(void *self, struct store_op *batch);
    bool (*has_backlog)(const void *self);            /* wants to be called again soon, be it with an empty batch */

    /* Units of work on a thread and a connection of their own, apart from the writer's. NULL: they are among WRITE's ops. */
    um_err (*units_open)(void *self, void **units);
    void (*units_close)(void *units);
    um_err (*units_write)(void *units, struct store_op *batch);          /* as WRITE, but perhaps in several transactions */

    const char *(*describe)(const void *self);        /* what the log may show; NULL: LOCATION */

    um_err (*reader_open)(void *self, void **reader);
    void (*reader_close)(void *reader);
    void (*read)(void *reader, struct store_op *op);  /* sets err and answer; one consistent view */
};

extern const struct um_store_driver store_sqlite, store_sqlite_memory, store_postgres;

#endif
