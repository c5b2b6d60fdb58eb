#include "content_rig.h"
#include <stdlib.h>
#include <umbel/util.h>

/* ---- uploads ---- */

struct sent { int calls; um_err err; struct um_content_file file; };

static void uploaded(void *arg, um_err err, const struct um_content_file *file)
{
    struct sent *s = arg;

    s->calls++;
    s->err = err;
    if (err == UM_OK)
        s->file = *file;
}

const char *content_rig_upload(struct content_rig *t, const char *name) { return content_rig_upload_text(t, name, "hello"); }

const char *content_rig_upload_text(struct content_rig *t, const char *name, const char *text)
{
    static struct sent s;
    struct um_upload_spec spec = { "main", t->rig.who.user, name, NULL, NULL, uploaded, &s };
    struct um_upload *u;

    s = (struct sent){ 0 };
    assert_int_equal(um_upload_new(&u, t->content, t->rig.store.loop, &spec), UM_OK);
    um_upload_write(u, UM_SPAN_STR(text));
    um_upload_end(u);
    rig_turn_until(&t->rig.store, &s.calls, 1);
    assert_int_equal(s.err, UM_OK);
    return s.file.id;
}

struct counted { int calls; const char *text; int64_t n; };

static um_err work_count(void *arg, struct um_sql *q)
{
    struct counted *c = arg;
    struct um_sql_row row;
    um_err err = um_sql_one(q, c->text, UM_SQL_NO_ARGS, &row);

    c->n = err == UM_OK ? um_sql_int(&row, 0) : -1;
    return err;
}

static void counted(void *arg, um_err err)
{
    assert_int_equal(err, UM_OK);
    ((struct counted *)arg)->calls++;
}

/* Of the tests before, when they had the same database. */
static um_err work_empty(void *arg, struct um_sql *q)
{
    static const char *const texts[] = { "DELETE FROM content_files", "DELETE FROM contents", "DELETE FROM jobs" };
    um_err err = UM_OK;

    (void)arg;
    for (size_t i = 0; i < UM_COUNT(texts) && err == UM_OK; i++)
        err = um_sql_exec(q, texts[i], UM_SQL_NO_ARGS, NULL);
    return err;
}

static void empty(struct content_rig *t)
{
    struct counted c = { 0 };

    um_store_transact(t->rig.store.st, t->rig.store.loop, work_empty, counted, &c);
    rig_turn_until(&t->rig.store, &c.calls, 1);
}

int64_t content_rig_count(struct content_rig *t, const char *text)
{
    struct counted c = { .text = text };

    um_store_inspect(t->rig.store.st, t->rig.store.loop, work_count, counted, &c);
    rig_turn_until(&t->rig.store, &c.calls, 1);
    return c.n;
}

/* ---- life ---- */

void content_rig_open(struct content_rig *t, const char *url)
{
    static const struct um_content_conf conf = { .dir = "", .max_bytes = 1 << 20, .tmp_ttl_ms = 3600000, .max_transfers = 4 };
    char why[256];

    domain_rig_open(&t->rig, url);
    empty(t);
    assert_int_equal(um_content_open(&t->content, t->rig.store.st, t->rig.store.loop, &conf, why), UM_OK);
}

void content_rig_close(struct content_rig *t)
{
    um_content_stop(t->content);
    um_content_free(t->content);
    domain_rig_close(&t->rig);
}
