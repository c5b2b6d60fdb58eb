/* A transaction of all kinds of ops, in their order.
 *
 * First round trip: documents that are missing are made, in the order of their names; the heads of all documents are locked,
 * in the order of their ids. From then on nobody but a foreign hand can change what an op depends on, so every op can be
 * judged here, and the second round trip carries all their statements with the COMMIT behind them.
 *
 * Consecutive appends are one statement, which is sent before the next op of one of their documents. */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/util.h>
#include "counters.h"
#include "pg_internal.h"
#include "store_internal.h"

struct work {                                /* an op with what the first round trip tells of it */
    struct store_op *op;
    uint32_t crc;                            /* of a state */
    char *list, *author;                     /* fold, keep: contributors, and who made the last change; NULL: not asked for */
};

struct step {                                /* a statement whose answer is waited for */
    enum pg_id id;
    struct store_op *op;                     /* NULL: a run */
    struct pg_doc *d;
    struct pg_run *run;
};

struct batch {
    struct pg_store *st;
    struct pg_conn *c;
    struct work *works;
    size_t n;
    struct pg_docs docs;
    struct step *steps;
    size_t n_steps, cap_steps;
    struct store_op **waiting;               /* appends that are not sent */
    size_t n_waiting;
};

static bool wants_authors(const struct batch *b, const struct store_op *op)
{
    return op->kind == STORE_KEEP || (op->kind == STORE_FOLD && b->st->conf->versions_keep > 0);
}

static bool would_make(const struct store_op *op)
{
    return op->kind == STORE_APPEND || op->kind == STORE_CREATE ||
           (op->kind == STORE_FOLD && op->version == 0 && op->upto_seq == 0);
}

/* ---- the first round trip ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct pg_doc *const *)a)->name, (*(struct pg_doc *const *)b)->name);
}

static bool send_make(struct batch *b)
{
    struct pg_doc **makes = um_xcalloc(b->docs.n, sizeof(struct pg_doc *));
    struct pg_args a = { 0 };
    size_t n = 0;
    int names, titles, users;

    for (size_t i = 0; i < b->docs.n; i++)
        if (b->docs.rows[i].maker != NULL)
            makes[n++] = &b->docs.rows[i];
    qsort(makes, n, sizeof(*makes), by_name);
    names = pg_arg_array(&a, PG_TEXT, n);
    titles = pg_arg_array(&a, PG_TEXT, n);
    users = pg_arg_array(&a, PG_TEXT, n);
    for (size_t i = 0; i < n; i++) {
        const struct store_op *op = makes[i]->maker;

        pg_put_span(&a, names, UM_SPAN_STR(op->name));
        pg_put_span(&a, titles, UM_SPAN_STR(op->kind == STORE_CREATE ? op->title : ""));
        pg_put_span(&a, users, UM_SPAN_STR(op->user));
    }
    free(makes);
    if (n > 0)
        pg_send(b->c, PG_MAKE, &a);
    pg_args_free(&a);
    return n > 0;
}

static void send_lock(struct batch *b)
{
    struct pg_args a = { 0 };
    int names = pg_arg_array(&a, PG_TEXT, b->docs.n);

    for (size_t i = 0; i < b->docs.n; i++)
        pg_put_span(&a, names, UM_SPAN_STR(b->docs.rows[i].name));
    pg_send(b->c, PG_LOCK, &a);
}

static void send_authors(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (wants_authors(b, b->works[i].op)) {
            struct pg_args a = { 0 };

            pg_arg_text(&a, b->works[i].op->name);
            pg_arg_int(&a, (int64_t)b->works[i].op->upto_seq);
            pg_send(b->c, PG_AUTHORS, &a);
        }
}

/* To the server a statement begins with its last byte: until then the transaction is idle. */
static void send_patience(struct batch *b, size_t bytes)
{
    struct pg_args a = { 0 };

    pg_arg_int(&a, PG_IDLE_MS + pg_patience_ms(bytes));
    pg_send(b->c, PG_PATIENCE, &a);
}

static void take_make(struct batch *b)
{
    PGresult *r = pg_take(b->c);

    for (int i = 0; r != NULL && i < PQntuples(r); i++)
        pg_docs_get(&b->docs, pg_text(r, i, 0))->made = true;      /* it is there: the name was ours */
    PQclear(r);
}

static void take_lock(struct batch *b)
{
    PGresult *r = pg_take(b->c);

    for (int i = 0; r != NULL && i < PQntuples(r); i++) {
        struct pg_doc *d = &b->docs.rows[UM_MIN((size_t)pg_int(r, i, 0), b->docs.n) - 1];

        d->id = pg_int(r, i, 1);
        d->deleted = pg_int(r, i, 2) != 0;
        d->last_seq = (uint64_t)pg_int(r, i, 3);
        d->version = (uint64_t)pg_int(r, i, 4);
        d->seq = (uint64_t)pg_int(r, i, 5);
        d->contributors = PQgetisnull(r, i, 6) ? NULL : um_xstrdup(pg_text(r, i, 6));
        d->counted = PQgetisnull(r, i, 7) ? d->seq : (uint64_t)pg_int(r, i, 7);
        d->version_seq = (uint64_t)pg_int(r, i, 8);
        d->version_at_ms = pg_int(r, i, 9);
        d->now_ms = pg_int(r, i, 10);
    }
    PQclear(r);
}

static void take_authors(struct batch *b, struct work *w)
{
    PGresult *r = pg_take(b->c);
    const struct pg_doc *d = pg_docs_get(&b->docs, w->op->name);
    int64_t newest = -1;

    if (r == NULL)
        return;
    w->list = um_xstrdup(d->contributors != NULL ? d->contributors : "[]");
    w->author = um_xstrdup("");
    for (int i = 0; i < PQntuples(r); i++) {
        char *more = store_contributors_add(w->list, pg_text(r, i, 0), pg_int(r, i, 1));

        free(w->list);
        w->list = more;
        if (pg_int(r, i, 2) > newest) {
            newest = pg_int(r, i, 2);
            free(w->author);
            w->author = um_xstrdup(pg_text(r, i, 0));
        }
    }
    PQclear(r);
}

static void lock_all(struct batch *b)
{
    size_t bytes = 0;
    bool makes;

    for (size_t i = 0; i < b->n; i++) {
        struct store_op *op = b->works[i].op;
        struct pg_doc *d = pg_docs_get(&b->docs, op->name);

        if (d->maker == NULL && would_make(op))
            d->maker = op;
        bytes += op->bytes != NULL ? op->bytes->len : 0;
        if (op->kind == STORE_FOLD || op->kind == STORE_KEEP)       /* now, while nobody waits for our locks */
            b->works[i].crc = um_crc32c(0, op->bytes->data, op->bytes->len);
    }
    pg_begin(b->c);
    pg_send(b->c, PG_BEGIN, NULL);
    send_patience(b, bytes);
    makes = send_make(b);
    send_lock(b);
    send_authors(b);
    pg_sync(b->c);
    PQclear(pg_take(b->c));
    PQclear(pg_take(b->c));
    if (makes)
        take_make(b);
    take_lock(b);
    for (size_t i = 0; i < b->n; i++)
        if (wants_authors(b, b->works[i].op))
            take_authors(b, &b->works[i]);
    pg_end(b->c);
}

/* ---- the second: sending ---- */

static void add_step(struct batch *b, struct step s)
{
    if (b->n_steps == b->cap_steps) {
        b->cap_steps = b->cap_steps == 0 ? 32 : b->cap_steps * 2;
        b->steps = um_xrealloc(b->steps, b->cap_steps * sizeof(*b->steps));
    }
    b->steps[b->n_steps++] = s;
}

static void send_step(struct batch *b, enum pg_id id, struct store_op *op, struct pg_doc *d, struct pg_args *a)
{
    pg_send(b->c, id, a);
    add_step(b, (struct step){ .id = id, .op = op, .d = d });
}

static void flush_appends(struct batch *b)
{
    struct pg_run *run;

    if (b->n_waiting == 0)
        return;
    run = um_xcalloc(1, sizeof(*run));
    run->n = b->n_waiting;
    run->ops = um_xcalloc(run->n, sizeof(struct store_op *));
    memcpy(run->ops, b->waiting, run->n * sizeof(struct store_op *));
    b->n_waiting = 0;
    pg_run_send(run, b->c, &b->docs);
    for (size_t i = 0; i < b->docs.n; i++)
        b->docs.rows[i].n = 0;
    add_step(b, (struct step){ .id = PG_APPEND, .run = run });
}

static void send_trim(struct batch *b, struct store_op *op, struct pg_doc *d)
{
    struct pg_args a = { 0 };

    if (UM_FAILPOINT("trim.before"))
        pg_fail(b->c, UM_EIO, "trim.before");
    pg_arg_int(&a, d->id);
    pg_arg_int(&a, PG_TRIM_ROWS);
    send_step(b, PG_TRIM, op, d, &a);
}

static void send_entry(struct batch *b, struct store_op *op, struct pg_doc *d)
{
    struct pg_args a = { 0 };

    pg_arg_int(&a, d->id);
    send_step(b, PG_ENTRY_BY_ID, op, d, &a);
}

static void append(struct batch *b, struct work *w, struct pg_doc *d)
{
    if (d->deleted) {
        w->op->err = UM_EDENIED;
        return;
    }
    b->waiting[b->n_waiting++] = w->op;
    d->n++;
    d->last_seq++;
}

static void send_prunes(struct batch *b, struct store_op *op, struct pg_doc *d)
{
    const struct um_store_conf *cf = b->st->conf;
    struct pg_args many = { 0 }, old = { 0 };

    pg_arg_int(&many, d->id);
    pg_arg_int(&many, cf->versions_keep);
    send_step(b, PG_PRUNE_MANY, op, d, &many);
    if (cf->versions_max_age_ms <= 0)
        return;
    pg_arg_int(&old, d->id);
    pg_arg_int(&old, cf->versions_max_age_ms);
    send_step(b, PG_PRUNE_OLD, op, d, &old);
}

/* Why the state may not replace the one that is there. Of two folds in one transaction the second is too late. */
static um_err judge_fold(const struct store_op *op, const struct pg_doc *d)
{
    if (d->deleted)
        return UM_EDENIED;
    if (d->folded || op->version != d->version || op->upto_seq < d->seq)
        return UM_ECONFLICT;
    return op->upto_seq > d->last_seq ? UM_EINVAL : UM_OK;
}

static void fold(struct batch *b, struct work *w, struct pg_doc *d)
{
    struct store_op *op = w->op;
    bool due = store_version_is_due(b->st->conf, d->version_seq, d->version_at_ms, op->upto_seq, d->now_ms);
    struct pg_args a = { 0 };

    if ((op->err = judge_fold(op, d)) != UM_OK) {
        store_count(M_CONFLICTS, op->err == UM_ECONFLICT);
        return;
    }
    if (UM_FAILPOINT("snapshot.before_write"))
        pg_fail(b->c, UM_EIO, "snapshot.before_write");
    d->folded = true;
    pg_arg_int(&a, d->id);
    pg_arg_int(&a, (int64_t)op->version);
    pg_arg_bytes(&a, um_bytes_span(op->bytes));
    pg_arg_int(&a, w->crc);
    pg_arg_int(&a, (int64_t)op->upto_seq);
    if (due || w->list == NULL)
        pg_arg_null(&a);                     /* a new list begins */
    else
        pg_arg_text(&a, w->list);
    pg_arg_int(&a, due);
    pg_arg_text(&a, due ? w->author : "");
    pg_arg_text(&a, due ? w->list : "");
    send_step(b, PG_FOLD, op, d, &a);
    if (due)
        send_prunes(b, op, d);
    send_trim(b, op, d);
}

static void create(struct batch *b, struct work *w, struct pg_doc *d)
{
    if (d->made && d->maker == w->op)
        send_entry(b, w->op, d);
    else
        w->op->err = UM_EEXIST;              /* a tombstone too: a late editor of the old one is still about */
}

static void set_title(struct batch *b, struct work *w, struct pg_doc *d)
{
    struct pg_args a = { 0 };

    pg_arg_int(&a, d->id);
    pg_arg_text(&a, w->op->title);
    pg_arg_text(&a, w->op->user);
    send_step(b, PG_TITLE, w->op, d, &a);
    send_entry(b, w->op, d);
}

static void bury(struct batch *b, struct work *w, struct pg_doc *d)
{
    struct pg_args a = { 0 };

    pg_arg_int(&a, d->id);
    pg_arg_text(&a, w->op->user);
    send_step(b, PG_BURY, w->op, d, &a);
    d->deleted = true;
    send_trim(b, w->op, d);
}

static void note_client(struct batch *b, struct work *w, struct pg_doc *d)
{
    struct pg_args a = { 0 };

    pg_arg_int(&a, d->id);
    pg_arg_int(&a, (int64_t)w->op->client);
    pg_arg_text(&a, w->op->user);
    send_step(b, PG_NOTE_CLIENT, w->op, d, &a);
}

static void send_version(struct batch *b, struct work *w, struct pg_doc *d)
{
    struct pg_args a = { 0 };

    pg_arg_text(&a, w->op->name);
    pg_arg_int(&a, (int64_t)w->op->upto_seq);
    send_step(b, PG_VERSION_INFO, w->op, d, &a);
}

static void keep(struct batch *b, struct work *w, struct pg_doc *d)
{
    struct store_op *op = w->op;
    bool ends_list = op->upto_seq >= d->counted;     /* an older state says nothing about who changed what since */
    struct pg_args a = { 0 };

    if (op->upto_seq > d->last_seq) {
        op->err = UM_EINVAL;
        return;
    }
    pg_arg_int(&a, d->id);
    pg_arg_int(&a, (int64_t)op->upto_seq);
    pg_arg_text(&a, op->title);
    pg_arg_text(&a, op->user);
    pg_arg_text(&a, ends_list ? w->list : "[]");
    pg_arg_int(&a, w->crc);
    pg_arg_bytes(&a, um_bytes_span(op->bytes));
    pg_arg_int(&a, ends_list);
    send_step(b, PG_KEEP, op, d, &a);
    send_version(b, w, d);
}

static void change_version(struct batch *b, struct work *w, struct pg_doc *d)
{
    static const enum pg_id ids[] = { [STORE_LABEL] = PG_LABEL, [STORE_ARCHIVE] = PG_ARCHIVE };
    struct pg_args a = { 0 };

    if (w->op->kind == STORE_ARCHIVE && w->op->title[0] == '\0') {
        w->op->err = UM_EINVAL;              /* bytes that are nowhere */
        return;
    }
    pg_arg_int(&a, d->id);
    pg_arg_int(&a, (int64_t)w->op->upto_seq);
    pg_arg_text(&a, w->op->title);
    send_step(b, ids[w->op->kind], w->op, d, &a);
    send_version(b, w, d);
}

static void drop_version(struct batch *b, struct work *w, struct pg_doc *d)
{
    struct pg_args a = { 0 };

    pg_arg_int(&a, d->id);
    pg_arg_int(&a, (int64_t)w->op->upto_seq);
    send_step(b, PG_DROP, w->op, d, &a);
}

static const struct rule {
    void (*send)(struct batch *b, struct work *w, struct pg_doc *d);
    um_err absent, deleted;                  /* when there is no such document; UM_OK of deleted: SEND judges */
} rules[] = {
    [STORE_APPEND] = { append, UM_EUNAVAIL, UM_OK },     /* removed by a foreign hand just now: comes again */
    [STORE_FOLD] = { fold, UM_ECONFLICT, UM_OK },        /* it has been removed since it was loaded */
    [STORE_CREATE] = { create, UM_EUNAVAIL, UM_OK },
    [STORE_TITLE] = { set_title, UM_ENOTFOUND, UM_ENOTFOUND },
    [STORE_DELETE] = { bury, UM_OK, UM_OK },
    [STORE_CLIENT] = { note_client, UM_ENOTFOUND, UM_ENOTFOUND },
    [STORE_KEEP] = { keep, UM_ENOTFOUND, UM_ENOTFOUND },
    [STORE_LABEL] = { change_version, UM_ENOTFOUND, UM_ENOTFOUND },
    [STORE_ARCHIVE] = { change_version, UM_ENOTFOUND, UM_ENOTFOUND },
    [STORE_DROP] = { drop_version, UM_ENOTFOUND, UM_ENOTFOUND },
};

static void send_op(struct batch *b, struct work *w)
{
    struct pg_doc *d = pg_docs_get(&b->docs, w->op->name);
    const struct rule *rule = &rules[w->op->kind];

    d->reached |= d->maker == w->op;
    if (w->op->kind != STORE_APPEND && d->n > 0)
        flush_appends(b);
    if (d->id == 0 || (d->made && !d->reached))
        w->op->err = rule->absent;
    else if (d->deleted && (rule->deleted != UM_OK || w->op->kind == STORE_DELETE))
        w->op->err = rule->deleted;          /* deleting what is gone is fine */
    else
        rule->send(b, w, d);
}

/* ---- the second: answers ---- */

static void take_fold(struct batch *b, const struct step *s, const PGresult *r)
{
    if (PQntuples(r) == 0) {                 /* a foreign hand in the last moment */
        s->op->err = UM_ECONFLICT;
        store_count(M_CONFLICTS, 1);
        return;
    }
    s->op->number = (uint64_t)pg_int(r, 0, 0);
    store_count(M_FOLDS, 1);
    if (UM_FAILPOINT("snapshot.after_write"))
        pg_fail(b->c, UM_EIO, "snapshot.after_write");
}

static void take_trim(struct batch *b, const struct step *s, PGresult *r)
{
    int64_t n = strtoll(PQcmdTuples(r), NULL, 10);

    store_count(M_TRIMMED, n);
    if (n >= PG_TRIM_ROWS)
        pg_remember_trim(b->st, s->d->id);
    if (UM_FAILPOINT("trim.after"))
        pg_fail(b->c, UM_EIO, "trim.after");
}

static void take_step(struct batch *b, const struct step *s)
{
    PGresult *r;

    if (s->run != NULL) {
        pg_run_take(s->run, b->c);
        if (b->c->err == UM_OK && UM_FAILPOINT("edit.after_append"))
            pg_fail(b->c, UM_EIO, "edit.after_append");
        return;
    }
    if ((r = pg_take(b->c)) == NULL)
        return;
    if (s->id == PG_FOLD)
        take_fold(b, s, r);
    else if (s->id == PG_TRIM)
        take_trim(b, s, r);
    else if (s->id == PG_DROP)
        s->op->err = strcmp(PQcmdTuples(r), "0") == 0 ? UM_ENOTFOUND : UM_OK;
    else if (s->id == PG_ENTRY_BY_ID)
        pg_take_entries(r, s->op);
    else if (s->id == PG_VERSION_INFO)
        pg_take_versions(r, s->op);
    PQclear(r);
}

static void write_all(struct batch *b)
{
    b->waiting = um_xcalloc(b->n, sizeof(struct store_op *));
    pg_begin(b->c);
    for (size_t i = 0; i < b->docs.n; i++)
        b->docs.rows[i].n = 0;
    for (size_t i = 0; i < b->n; i++)
        send_op(b, &b->works[i]);
    flush_appends(b);
    pg_send_commit(b->c);
    pg_sync(b->c);
    for (size_t i = 0; i < b->n_steps && b->c->err == UM_OK; i++)
        take_step(b, &b->steps[i]);
    pg_finish_commit(b->c);
}

um_err pg_write_mixed(struct pg_store *st, struct store_op **ops, size_t n)
{
    struct batch b = { .st = st, .c = &st->conn, .n = n };
    um_err err;

    b.works = um_xcalloc(n, sizeof(*b.works));
    for (size_t i = 0; i < n; i++)
        b.works[i].op = ops[i];
    lock_all(&b);
    if (b.c->err == UM_OK)
        write_all(&b);
    err = b.c->err;
    for (size_t i = 0; i < b.n_steps; i++)
        if (b.steps[i].run != NULL) {
            free(b.steps[i].run->ops);
            pg_run_free(b.steps[i].run);
            free(b.steps[i].run);
        }
    for (size_t i = 0; i < n; i++) {
        free(b.works[i].list);
        free(b.works[i].author);
    }
    free(b.works);
    free(b.steps);
    free(b.waiting);
    pg_docs_free(&b.docs);
    return err;
}
