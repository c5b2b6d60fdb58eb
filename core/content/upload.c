/* Uploads. Bytes gather until there is a chunk; it is stored while the next one gathers, and then there is no room until it is
 * stored. So an upload holds two chunks at most, whatever its size, and the client is as fast as the store.
 *
 *   OPEN --end--> LAST --stored--> (done, freed)
 *     |            |
 *     +--- error --+--> FAILED --condemned--> (done, freed)
 *     +--- drop ---+--> DROPPED --condemned--> (freed)
 *
 * 1. At most one step is under way (`busy`); the store's thread reads `step` and what does not change, and nothing else.
 * 2. With the first chunk comes the content's row. In the database a chunk and the row are one unit, and the last chunk comes with
 *    the whole rest: a file of one chunk costs one transaction. Elsewhere the row goes first.
 * 3. The row is told in time that somebody still uploads; one that the sweep has condemned meanwhile takes nothing more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { BUSY_TRIES = 3 };                     /* of a unit that others were in the way of */
enum state { OPEN, LAST, FAILED, DROPPED };

struct step {                                /* one chunk on its way */
    int64_t n;
    struct um_bytes *bytes;
    bool first, last;
    int tries;
};

struct um_upload {
    struct transfer transfer;
    struct um_content *content;
    struct um_loop *loop;
    struct um_upload_spec spec;              /* its strings are in `type`, `owner` and `file` */
    char *type;
    char owner[UM_CONTENT_OWNER_MAX + 1];
    struct um_content_file file;             /* size, hash and format when all has been written */
    enum state state;
    um_err err;                              /* FAILED */
    bool busy, has_row;
    EVP_MD_CTX *md;
    struct um_buf waits;
    uint8_t head[CONTENT_HEAD];
    size_t n_head;
    int64_t next, told_at_ms;                /* chunk; the row was told that we are here */
    struct step step;
    struct content_io io;
};

static void pump(struct um_upload *u);

/* ---- units: on the store's thread ---- */

static um_err insert_row(const struct um_upload *u, struct um_sql *q)
{
    const struct um_content *c = u->content;
    int64_t now = um_sql_now_ms(q);

    return um_sql_exec(q, "INSERT INTO contents(id, place, size, sha256, chunk, created_ms, due_ms) VALUES(?1, ?2, 0, ?3, ?4, ?5, ?6)",
                       UM_SQL_ARGS(um_sql_word(u->file.content), um_sql_word(u->file.place), um_sql_word(""),
                                   UM_SQL_INT(UM_CONTENT_CHUNK), UM_SQL_INT(now), UM_SQL_INT(now + c->conf.tmp_ttl_ms)), NULL);
}

/* UM_ECLOSED: it was condemned. */
static um_err keep_row(const struct um_upload *u, struct um_sql *q)
{
    int64_t changed = 0, due = um_sql_now_ms(q) + u->content->conf.tmp_ttl_ms;
    um_err err = um_sql_exec(q, "UPDATE contents SET due_ms = ?2 WHERE id = ?1 AND due_ms > 0",
                             UM_SQL_ARGS(um_sql_word(u->file.content), UM_SQL_INT(due)), &changed);

    return err == UM_OK && changed == 0 ? UM_ECLOSED : err;
}

static um_err complete_row(const struct um_upload *u, struct um_sql *q)
{
    const struct um_content_file *f = &u->file;
    int64_t changed = 0, now = um_sql_now_ms(q);
    um_err err = um_sql_exec(q, "UPDATE contents SET size = ?2, sha256 = ?3, due_ms = ?4 WHERE id = ?1 AND due_ms > 0",
                             UM_SQL_ARGS(um_sql_word(f->content), UM_SQL_INT(f->size), um_sql_word(f->sha256), UM_SQL_NULL(INT)),
                             &changed);

    if (err != UM_OK || changed == 0)
        return err != UM_OK ? err : UM_ECLOSED;
    return um_sql_exec(q, "INSERT INTO content_files(owner, id, content, name, format, created_ms, expires_ms)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                       UM_SQL_ARGS(um_sql_word(u->owner), um_sql_word(f->id), um_sql_word(f->content), um_sql_word(f->name),
                                   um_sql_word(f->format), UM_SQL_INT(now), UM_SQL_INT(now + u->content->conf.tmp_ttl_ms)), NULL);
}

static um_err insert_chunk(const struct um_upload *u, struct um_sql *q)
{
    const struct step *s = &u->step;

    return um_sql_exec(q, "INSERT INTO content_chunks(content, n, bytes) VALUES(?1, ?2, ?3)",
                       UM_SQL_ARGS(um_sql_word(u->file.content), UM_SQL_INT(s->n), UM_SQL_BYTES(um_bytes_span(s->bytes))), NULL);
}

static bool goes_with_row(const struct um_upload *u) { return u->content->place->put == NULL; }

static um_err work_chunk(void *arg, struct um_sql *q)
{
    const struct um_upload *u = arg;
    um_err err = u->step.first ? insert_row(u, q) : keep_row(u, q);

    if (!goes_with_row(u))
        return err;
    if (err == UM_OK && u->step.bytes->len > 0)
        err = insert_chunk(u, q);
    if (err == UM_OK && u->step.last)
        err = complete_row(u, q);
    return err;
}

static um_err work_complete(void *arg, struct um_sql *q)
{
    return complete_row(arg, q);
}

/* Complete or not: nobody has been told of it. */
static um_err work_condemn(void *arg, struct um_sql *q)
{
    const struct um_upload *u = arg;
    um_err err = um_sql_exec(q, "DELETE FROM content_files WHERE owner = ?1 AND id = ?2",
                             UM_SQL_ARGS(um_sql_word(u->owner), um_sql_word(u->file.id)), NULL);

    if (err != UM_OK)
        return err;
    return um_sql_exec(q, "UPDATE contents SET due_ms = 0 WHERE id = ?1", UM_SQL_ARGS(um_sql_word(u->file.content)), NULL);
}

/* ---- the end ---- */

static void free_upload(struct um_upload *u)
{
    content_leave(u->content, &u->transfer);
    um_bytes_unref(u->step.bytes);
    um_buf_free(&u->waits);
    EVP_MD_CTX_free(u->md);
    free(u->type);
    free(u);
}

static void free_transfer(struct transfer *t) { free_upload(UM_CONTAINER(t, struct um_upload, transfer)); }

static void tell(struct um_upload *u)
{
    struct um_upload_spec spec = u->spec;
    struct um_content_file file = u->file;
    bool told = u->state != DROPPED;
    um_err err = u->state == FAILED ? u->err : UM_OK;

    content_count(err == UM_OK && told ? M_UPLOADS : M_BROKEN_OFF, 1);
    if (err == UM_OK && told)
        content_count(M_UPLOAD_BYTES, file.size);
    free_upload(u);
    if (told)
        spec.done(spec.arg, err, err == UM_OK ? &file : NULL);
}

static void condemned(void *arg, um_err err)
{
    struct um_upload *u = arg;

    if (err == UM_OK)
        um_content_sweep_soon(u->content);
    tell(u);                                 /* if it was not to be: it is due one day */
}

static void give_up(struct um_upload *u)
{
    u->busy = true;
    if (u->has_row)
        content_transact(u->content, u->loop, work_condemn, condemned, u);
    else
        tell(u);
}

static void fail(struct um_upload *u, um_err err)
{
    if (u->state == DROPPED)
        return;
    u->state = FAILED;
    u->err = err;
    um_buf_free(&u->waits);
}

/* ---- a step ---- */

static void step_done(struct um_upload *u, um_err err)
{
    bool last = u->step.last;

    um_bytes_unref(u->step.bytes);
    u->step.bytes = NULL;
    if (err == UM_OK && last && u->state == LAST) {
        tell(u);
        return;
    }
    u->busy = false;
    if (err != UM_OK)
        fail(u, err == UM_EBUSY || err == UM_ETIMEOUT ? UM_EUNAVAIL : err);
    pump(u);
}

static void completed(void *arg, um_err err)
{
    struct um_upload *u = arg;

    if (err == UM_EBUSY && u->step.tries++ < BUSY_TRIES)
        content_transact(u->content, u->loop, work_complete, completed, u);
    else
        step_done(u, err);
}

static void flushed(struct content_io *io)
{
    struct um_upload *u = UM_CONTAINER(io, struct um_upload, io);

    if (io->err == UM_OK)
        content_transact(u->content, u->loop, work_complete, completed, u);
    else
        step_done(u, io->err);
}

static void have_put(struct content_io *io)
{
    struct um_upload *u = UM_CONTAINER(io, struct um_upload, io);

    if (io->err != UM_OK || !u->step.last) {
        step_done(u, io->err);
        return;
    }
    io->done = flushed;
    u->content->place->finish(io);
}

static void put_elsewhere(struct um_upload *u)
{
    u->io = (struct content_io){ .content = u->content, .loop = u->loop, .place = u->content->place, .id = u->file.content,
                                 .n = u->step.n, .chunk = UM_CONTENT_CHUNK, .bytes = u->step.bytes, .done = have_put };
    u->content->place->put(&u->io);
}

static void have_row(void *arg, um_err err)
{
    struct um_upload *u = arg;

    if (err == UM_EBUSY && u->step.tries++ < BUSY_TRIES) {
        content_transact(u->content, u->loop, work_chunk, have_row, u);
        return;
    }
    u->has_row = u->has_row || err == UM_OK || err == UM_EUNAVAIL || err == UM_EIO;      /* the latter: perhaps */
    u->told_at_ms = um_loop_now_ms(u->loop);
    if (err != UM_OK || goes_with_row(u))
        step_done(u, err);
    else
        put_elsewhere(u);
}

static bool must_tell_row(const struct um_upload *u)
{
    return u->step.first || goes_with_row(u) || um_loop_now_ms(u->loop) - u->told_at_ms > u->content->conf.tmp_ttl_ms / 4;
}

static bool seal(struct um_upload *u)
{
    uint8_t digest[32];
    unsigned n = 0;
    struct um_buf hex = { 0 };
    bool ok = EVP_DigestFinal_ex(u->md, digest, &n) == 1 && n == sizeof(digest);

    um_hex_encode(&hex, UM_SPAN(digest, sizeof(digest)));
    snprintf(u->file.sha256, sizeof(u->file.sha256), "%s", um_buf_cstr(&hex));
    um_buf_free(&hex);
    content_sniff(UM_SPAN(u->head, u->n_head), u->type, u->file.format);
    return ok;
}

/* Takes the next chunk off what waits. */
static bool cut_chunk(struct um_upload *u)
{
    size_t n = UM_MIN(u->waits.len, (size_t)UM_CONTENT_CHUNK);

    u->step = (struct step){ .n = u->next, .first = u->next == 0, .last = u->state == LAST && n == u->waits.len,
                             .bytes = um_bytes_dup(u->waits.data, n) };
    if (u->step.bytes == NULL || (u->step.last && !seal(u)))
        return false;
    um_buf_consume(&u->waits, n);
    u->next++;
    return true;
}

static void refuse_later(void *arg)
{
    struct um_upload *u = arg;

    u->busy = false;
    pump(u);
}

/* Not inside the caller's call: DONE would free what he holds. */
static void refuse(struct um_upload *u, um_err err)
{
    fail(u, err);
    if (u->busy)
        return;
    u->busy = true;
    um_loop_call(u->loop, refuse_later, u);
}

static void begin_step(struct um_upload *u)
{
    if (!cut_chunk(u)) {
        refuse(u, UM_ENOMEM);
        return;
    }
    u->busy = true;
    if (must_tell_row(u))
        content_transact(u->content, u->loop, work_chunk, have_row, u);
    else
        put_elsewhere(u);
}

static void pump(struct um_upload *u)
{
    void (*room)(void *) = u->spec.room;

    if (u->busy)
        return;
    if (u->state == FAILED || u->state == DROPPED) {
        give_up(u);
        return;
    }
    if (u->state == LAST || u->waits.len >= UM_CONTENT_CHUNK)
        begin_step(u);
    if (u->state == OPEN && room != NULL && um_upload_room(u) > 0)
        room(u->spec.arg);
}

/* ---- public ---- */

um_err um_upload_new(struct um_upload **out, struct um_content *c, struct um_loop *l, const struct um_upload_spec *spec)
{
    struct um_upload *u = um_xcalloc(1, sizeof(*u));
    char uuid[37];

    *out = NULL;
    if (!content_is_name(spec->name) || um_content_tmp_owner(spec->scope, spec->user, u->owner) != UM_OK) {
        free(u);
        return UM_EINVAL;
    }
    if (!content_enter(c, &u->transfer, free_transfer)) {
        free(u);
        return UM_EBUSY;
    }
    u->content = c;
    u->loop = l;
    u->spec = *spec;
    u->spec.scope = u->spec.user = u->spec.name = u->spec.type = NULL;
    u->type = spec->type != NULL ? um_xstrdup(spec->type) : NULL;
    um_random_uuid(uuid);
    snprintf(u->file.id, sizeof(u->file.id), "tmp_%s", uuid);
    um_random_uuid(u->file.content);         /* another one: who knows the file's id knows nothing of the directory */
    snprintf(u->file.name, sizeof(u->file.name), "%s", spec->name);
    snprintf(u->file.place, sizeof(u->file.place), "%s", c->place->name);
    u->file.chunk = UM_CONTENT_CHUNK;
    u->md = EVP_MD_CTX_new();
    UM_ASSERT(u->md != NULL && EVP_DigestInit_ex(u->md, EVP_sha256(), NULL) == 1);
    *out = u;
    return UM_OK;
}

size_t um_upload_room(const struct um_upload *u)
{
    if (u->state != OPEN)
        return SIZE_MAX;                     /* it is only thrown away */
    return u->waits.len < UM_CONTENT_CHUNK ? UM_CONTENT_CHUNK - u->waits.len : 0;
}

void um_upload_write(struct um_upload *u, struct um_span bytes)
{
    size_t n = UM_MIN(bytes.len, CONTENT_HEAD - u->n_head);

    if (u->state != OPEN || bytes.len == 0)
        return;
    if (um_content_check_size(u->content, u->file.size + (int64_t)bytes.len) != UM_OK) {
        refuse(u, UM_ELIMIT);
        return;
    }
    memcpy(u->head + u->n_head, bytes.data, n);
    u->n_head += n;
    u->file.size += (int64_t)bytes.len;
    um_buf_put(&u->waits, bytes.data, bytes.len);
    if (u->waits.failed || EVP_DigestUpdate(u->md, bytes.data, bytes.len) != 1)
        refuse(u, UM_ENOMEM);
    else if (!u->busy && u->waits.len >= UM_CONTENT_CHUNK)
        begin_step(u);
}

void um_upload_end(struct um_upload *u)
{
    if (u->state != OPEN)
        return;
    u->state = LAST;
    if (!u->busy)
        begin_step(u);
}

void um_upload_drop(struct um_upload *u)
{
    if (u == NULL)
        return;
    u->state = DROPPED;
    um_buf_free(&u->waits);
    pump(u);
}
