/* Units of work: sequential code of the core's modules, run by the store on one of its threads, in a transaction.
 *
 * What a module decides (may this user do this, is the version the expected one) and what it writes is one step: a unit sees
 * the database as if it were alone in it, on PostgreSQL too, where several cores write (SERIALIZABLE). WORK may therefore run
 * more than once: when others were in the way, and with units that are run again because a neighbour failed. It has no effects
 * but through Q and what ARG points to, and sets all of that in each run.
 *
 * Units that arrive together share one transaction and one wait for the disk; each is rolled back alone. Another thread runs
 * WORK: ARG is the store's until DONE, or, when DONE never comes because the store is closed, until um_store_close returns.
 *
 * What it costs: SQLite has one writer, so while a unit runs no edit is acknowledged; a unit is some statements, well below 10 ms,
 * and never waits for anything but Q. PostgreSQL has a thread and a connection for units, so that edits do not wait for their
 * locks; every statement is a round trip. What only reads is an inspection. */
#ifndef UMBEL_STORE_WORK_H
#define UMBEL_STORE_WORK_H
#include <umbel/sql.h>
#include <umbel/store.h>

enum {
    UM_STORE_UNIT_MS = 2000,          /* one run of a unit; beyond it UM_ETIMEOUT, noticed by its next statement at the latest */
    UM_STORE_VIEW_MS = 10000,         /* the same of an inspection */
    UM_STORE_UNIT_RUNS = 10,          /* of a unit whom others are in the way of, all within UM_STORE_UNIT_MS of the first */
    UM_STORE_UNITS_TOGETHER = 32,     /* in one transaction */
    UM_STORE_UNIT_COST = 16 << 10,    /* bytes that a waiting unit counts for (store.h, max_waiting_bytes); for an inspection: */
    UM_STORE_VIEWS_MAX = 4096,        /* that wait; beyond both UM_EUNAVAIL at once */
};

/* UM_OK: what it wrote is to stay. Anything else rolls this unit back, and DONE hears it. */
typedef um_err um_store_work(void *arg, struct um_sql *q);
/* Once, on the loop that was given, never inside the call. UM_OK: durable. Otherwise nothing of the unit stays: what WORK
 * returned; an error of a statement (sql.h); UM_EBUSY: others were in the way UM_STORE_UNIT_RUNS times. But of UM_EUNAVAIL
 * and UM_EIO nobody knows whether the commit happened. */
typedef void um_store_done_cb(void *arg, um_err err);

/* Units of a store run in the order of the calls. So do other changes on SQLite; on PostgreSQL who needs an order between a
 * unit and another call waits for the former's answer. WORK changes tables of modules only (and sql_shared.h). */
void um_store_transact(struct um_store *st, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg);
/* For queues, whose rows several cores want at the same time: on PostgreSQL each statement of WORK sees what is committed when
 * it begins (READ COMMITTED), so that FOR UPDATE SKIP LOCKED works, and nobody is run again for having looked at the same page of an
 * index. WORK guards itself: it locks the rows that it decides by, or compares again in what changes them. On SQLite, where a unit is
 * alone anyway, it is um_store_transact. */
void um_store_transact_loosely(struct um_store *st, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg);
/* On a reader: all that WORK reads is of one moment, and everything that was answered before is in it. UM_EDENIED: it wants to
 * change something. */
void um_store_inspect(struct um_store *st, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg);

#endif
