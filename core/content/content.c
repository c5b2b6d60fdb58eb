/* The store of contents: its life, and the transfers that are under way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include "internal.h"

enum { THREADS = 4 };                        /* that wait for the directory's disk */

um_err um_content_open(struct um_content **out, struct um_store *st, struct um_loop *l, const struct um_content_conf *cf,
                       char why[256])
{
    struct um_content *c = um_xcalloc(1, sizeof(*c));
    um_err err = UM_OK;

    *out = NULL;
    content_counters_register();
    c->store = st;
    c->conf = *cf;
    c->conf.dir = NULL;
    c->dir.fd = -1;
    c->place = &content_database;
    um_list_init(&c->transfers);
    pthread_mutex_init(&c->lock, NULL);
    c->sweep = sweep_new(c, l);
    if (cf->dir != NULL && cf->dir[0] != '\0') {
        err = content_dir_open(&c->dir, cf->dir, why);
        c->place = &content_directory;
        c->pool = um_pool_new(THREADS, (unsigned)cf->max_transfers + 1);
    }
    if (err == UM_OK) {
        *out = c;
        c = NULL;
    }
    um_content_free(c);
    return err;
}

void um_content_start(struct um_content *c) { sweep_start(c->sweep); }
void um_content_sweep_soon(struct um_content *c) { sweep_soon(c->sweep); }

um_err um_content_check_size(const struct um_content *c, int64_t bytes)
{
    if (bytes <= c->conf.max_bytes)
        return UM_OK;
    content_count(M_MAX_SIZE, 1);
    return UM_ELIMIT;
}

void um_content_stop(struct um_content *c)
{
    if (c == NULL)
        return;
    um_pool_free(c->pool);
    c->pool = NULL;
    c->stopped = true;
}

void um_content_free(struct um_content *c)
{
    if (c == NULL)
        return;
    um_content_stop(c);
    UM_LIST_EACH_SAFE(it, &c->transfers) {
        struct transfer *t = UM_CONTAINER(it, struct transfer, link);

        t->free(t);
    }
    sweep_free(c->sweep);
    content_dir_close(&c->dir);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void content_transact(struct um_content *c, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg)
{
    if (!c->stopped)
        um_store_transact(c->store, l, work, done, arg);
}

/* ---- transfers ---- */

bool content_enter(struct um_content *c, struct transfer *t, void (*fn)(struct transfer *t))
{
    bool room;

    t->free = fn;
    pthread_mutex_lock(&c->lock);
    room = c->n_transfers < c->conf.max_transfers;
    if (room) {
        um_list_append(&c->transfers, &t->link);
        c->n_transfers++;
    }
    pthread_mutex_unlock(&c->lock);
    content_count(room ? M_TRANSFERS : M_MAX_TRANSFERS, 1);
    if (!room)
        um_log_limited(UM_WARN, "content", "too many transfers", UM_I("limit", c->conf.max_transfers));
    return room;
}

void content_leave(struct um_content *c, struct transfer *t)
{
    pthread_mutex_lock(&c->lock);
    um_list_remove(&t->link);
    c->n_transfers--;
    pthread_mutex_unlock(&c->lock);
    content_count(M_TRANSFERS, -1);
}

const struct content_place *content_place_of(const struct um_content *c, const char *name)
{
    if (strcmp(name, content_database.name) == 0)
        return &content_database;
    return c->dir.fd >= 0 && strcmp(name, content_directory.name) == 0 ? &content_directory : NULL;
}
