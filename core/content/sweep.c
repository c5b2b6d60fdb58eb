/* The sweep: temporary files that have expired, then contents that are condemned or whose upload has ended without a word.
 *
 *   IDLE --time, or something to do--> LOOK --nothing--> IDLE
 *                                       ^ |
 *                                       | some, each: bytes, then the row
 *
 * One on each core. They may meet at the same content: each step finds what is there (internal.h, 3). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { EXPIRED_AT_ONCE = 32, VICTIMS = 16, EVERY_MAX_MS = 60000 };

struct victim { char id[UM_CONTENT_ID_SIZE], place[16]; };
struct sweep {
    struct um_content *content;
    struct um_loop *loop;
    struct um_timer timer;
    bool started, busy, again;               /* again: something came up while it was busy */
    bool more;                               /* than was looked at */
    char after[UM_CONTENT_ID_SIZE];          /* the last that could not be removed: others are not kept waiting by it */
    struct victim victims[VICTIMS];
    size_t n, at;
    struct content_io io;
};

static void look(struct sweep *s);
static void next_victim(struct sweep *s);

/* ---- expired files ---- */

struct expired { char owner[UM_CONTENT_OWNER_MAX + 1], id[UM_CONTENT_FILE_MAX + 1], content[UM_CONTENT_ID_SIZE]; };
struct expired_list { struct expired *rows; size_t n; };

static um_err note_expired(void *arg, const struct um_sql_row *row)
{
    struct expired_list *list = arg;
    struct expired *e = &list->rows[list->n++];

    snprintf(e->owner, sizeof(e->owner), "%s", um_sql_text(row, 0));
    snprintf(e->id, sizeof(e->id), "%s", um_sql_text(row, 1));
    snprintf(e->content, sizeof(e->content), "%s", um_sql_text(row, 2));
    return UM_OK;
}

static um_err remove_expired(struct um_sql *q, const struct expired *e)
{
    um_err err = um_sql_exec(q, "DELETE FROM content_files WHERE owner = ?1 AND id = ?2",
                             UM_SQL_ARGS(um_sql_word(e->owner), um_sql_word(e->id)), NULL);

    return err == UM_OK && e->content[0] != '\0' ? content_release(q, e->content) : err;
}

static um_err expire(struct um_sql *q, bool *more)
{
    struct expired_list list = { um_xcalloc(EXPIRED_AT_ONCE, sizeof(*list.rows)), 0 };
    um_err err = um_sql_each(q, "SELECT owner, id, content FROM content_files WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2",
                             UM_SQL_ARGS(UM_SQL_INT(um_sql_now_ms(q)), UM_SQL_INT(EXPIRED_AT_ONCE)), note_expired, &list);

    for (size_t i = 0; i < list.n && err == UM_OK; i++)
        err = remove_expired(q, &list.rows[i]);
    *more |= list.n == EXPIRED_AT_ONCE;
    free(list.rows);
    return err;
}

/* ---- what is due ---- */

static um_err note_victim(void *arg, const struct um_sql_row *row)
{
    struct sweep *s = arg;
    struct victim *v = &s->victims[s->n++];

    snprintf(v->id, sizeof(v->id), "%s", um_sql_text(row, 0));
    snprintf(v->place, sizeof(v->place), "%s", um_sql_text(row, 1));
    return UM_OK;
}

static um_err work_look(void *arg, struct um_sql *q)
{
    struct sweep *s = arg;
    um_err err;

    s->n = s->at = 0;
    s->more = false;
    if ((err = expire(q, &s->more)) != UM_OK)
        return err;
    err = um_sql_each(q, "SELECT id, place FROM contents WHERE due_ms <= ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                      UM_SQL_ARGS(UM_SQL_INT(um_sql_now_ms(q)), um_sql_word(s->after), UM_SQL_INT(VICTIMS)), note_victim, s);
    for (size_t i = 0; i < s->n && err == UM_OK; i++)        /* no upload goes on with it from now on */
        err = um_sql_exec(q, "UPDATE contents SET due_ms = 0 WHERE id = ?1", UM_SQL_ARGS(um_sql_word(s->victims[i].id)), NULL);
    s->more |= s->n == VICTIMS;
    return err;
}

/* ---- one of them ---- */

static um_err work_remove_row(void *arg, struct um_sql *q)
{
    const struct sweep *s = arg;

    return um_sql_exec(q, "DELETE FROM contents WHERE id = ?1 AND due_ms = 0", UM_SQL_ARGS(um_sql_word(s->victims[s->at].id)), NULL);
}

static void went_on(struct sweep *s, um_err err)
{
    if (err != UM_OK)
        um_log_limited(UM_WARN, "content", "not swept", UM_S("content", s->victims[s->at].id), UM_S("place", s->victims[s->at].place),
                       UM_S("error", um_err_text(err)));
    else
        content_count(M_SWEPT, 1);
    s->at++;
    next_victim(s);
}

static void row_removed(void *arg, um_err err)
{
    went_on(arg, err);
}

static void bytes_removed(struct content_io *io)
{
    struct sweep *s = UM_CONTAINER(io, struct sweep, io);

    if (io->err == UM_OK)
        content_transact(s->content, s->loop, work_remove_row, row_removed, s);
    else
        went_on(s, io->err);
}

/* ---- the round ---- */

static void begin(void *arg)
{
    struct sweep *s = arg;

    s->again = s->busy;
    if (s->busy || !s->started)
        return;
    s->busy = true;
    s->after[0] = '\0';
    look(s);
}

static void rest(struct sweep *s)
{
    const struct um_content_conf *cf = &s->content->conf;
    int64_t every = cf->sweep_ms > 0 ? cf->sweep_ms : UM_MIN(cf->tmp_ttl_ms / 4, (int64_t)EVERY_MAX_MS);

    s->busy = false;
    if (s->again)
        begin(s);
    else                                     /* apart from other cores that were started together with us */
        um_timer_set(s->loop, &s->timer, every / 2 + (int64_t)um_random_below((uint64_t)every + 1), begin, s);
}

static void next_victim(struct sweep *s)
{
    const struct victim *v = &s->victims[s->at];

    if (s->at < s->n) {
        s->io = (struct content_io){ .content = s->content, .loop = s->loop, .place = content_place_of(s->content, v->place),
                                     .id = v->id, .done = bytes_removed };
        if (s->io.place != NULL)
            s->io.place->remove(&s->io);
        else
            went_on(s, UM_EINVAL);           /* lies where our configuration knows of no place */
        return;
    }
    if (!s->more) {
        rest(s);
        return;
    }
    snprintf(s->after, sizeof(s->after), "%s", s->n == VICTIMS ? s->victims[VICTIMS - 1].id : "");
    look(s);
}

static void looked(void *arg, um_err err)
{
    struct sweep *s = arg;

    if (err == UM_OK)
        next_victim(s);
    else
        rest(s);
}

static void look(struct sweep *s)
{
    content_transact(s->content, s->loop, work_look, looked, s);
}

/* ---- public ---- */

struct sweep *sweep_new(struct um_content *c, struct um_loop *l)
{
    struct sweep *s = um_xcalloc(1, sizeof(*s));

    s->content = c;
    s->loop = l;
    return s;
}

void sweep_free(struct sweep *s)
{
    um_timer_stop(s->loop, &s->timer);
    free(s);
}

void sweep_start(struct sweep *s)
{
    s->started = true;
    rest(s);
}

void sweep_soon(struct sweep *s)
{
    um_loop_call(s->loop, begin, s);
}
