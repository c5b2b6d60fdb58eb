/* The store of all cores: what core/store promises (umbel/store.h), done when the test steps. Each core's wishes are done in order.
 * Beside the log and the folded state each document has a mirror: a document that has everything that was ever committed. */
#include "world_internal.h"

enum wish { LOAD, SINCE, APPEND, FOLD };

struct store_op {
    struct um_list link;
    struct core *core;
    struct um_loop *loop;
    enum wish wish;
    char *name;
    struct um_bytes *bytes;
    uint64_t seq, version;                   /* asked for */
    union {
        um_store_load_cb *load;
        um_store_append_cb *append;
    } cb;
    void *arg;
    /* the answer */
    um_err err;
    uint64_t number;
    struct um_store_loaded doc;
    struct um_bytes **rows;
};

struct stored {
    char *name;
    bool exists, deleted;
    struct um_bytes *state;
    uint64_t folded_seq, last_seq, version;
    struct um_bytes **rows;                  /* folded_seq + 1 .. last_seq */
    size_t n_rows;
    unsigned appended;
    struct um_crdt *mirror;
};

/* ---- documents ---- */

static struct um_crdt *new_crdt(void)
{
    struct um_crdt_conf conf;
    struct um_crdt *c;

    um_crdt_conf_init(&conf);
    conf.eager_pending = true;
    assert_int_equal(um_crdt_new(&conf, &c), UM_OK);
    assert_int_equal(um_crdt_declare_root(c, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    return c;
}

static struct stored *find(struct world *w, const char *name)
{
    struct stored *s = um_map_get(&w->documents, UM_SPAN_STR(name));

    if (s == NULL) {
        s = um_xcalloc(1, sizeof(*s));
        s->name = um_xstrdup(name);
        s->mirror = new_crdt();
        um_map_put(&w->documents, UM_SPAN_STR(name), s);
    }
    return s;
}

struct um_crdt *store_mirror(struct world *w, const char *document) { return find(w, document)->mirror; }
unsigned store_rows(struct world *w, const char *document) { return find(w, document)->appended; }

static void drop_rows(struct stored *s, size_t n)
{
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        um_bytes_unref(s->rows[i]);
    memmove(s->rows, s->rows + n, (s->n_rows - n) * sizeof(*s->rows));
    s->n_rows -= n;
}

/* What somebody who loads it now would have; all that was committed must be in it. */
static void check_nothing_is_lost(struct stored *s)
{
    struct um_crdt *c = new_crdt();
    struct um_buf had = { 0 }, has = { 0 }, sv = { 0 };
    bool whole = false;

    if (s->state != NULL)
        assert_int_equal(um_crdt_load(c, um_bytes_span(s->state), NULL), UM_OK);
    for (size_t i = 0; i < s->n_rows; i++)
        assert_int_equal(um_crdt_load(c, um_bytes_span(s->rows[i]), NULL), UM_OK);
    assert_int_equal(um_crdt_encode(s->mirror, UM_SPAN(NULL, 0), &had), UM_OK);
    assert_int_equal(um_crdt_contains(c, UM_SPAN(had.data, had.len), &whole), UM_OK);
    if (!whole) {                            /* parked, perhaps: what it brings then is nothing */
        assert_int_equal(um_crdt_load(c, UM_SPAN(had.data, had.len), NULL), UM_OK);
        assert_int_equal(um_crdt_state_vector(c, &sv), UM_OK);
        assert_int_equal(um_crdt_state_vector(s->mirror, &has), UM_OK);
        assert_true(sv.len >= has.len);
    }
    um_crdt_free(s->mirror);
    s->mirror = c;
    um_buf_free(&had);
    um_buf_free(&has);
    um_buf_free(&sv);
}

/* ---- what is done ---- */

static um_err append_row(struct stored *s, struct um_bytes *bytes, uint64_t *seq)
{
    if (s->deleted)
        return UM_EDENIED;
    s->exists = true;
    s->rows = um_xrealloc(s->rows, (s->n_rows + 1) * sizeof(*s->rows));
    s->rows[s->n_rows++] = um_bytes_ref(bytes);
    *seq = ++s->last_seq;
    s->appended++;
    assert_int_equal(um_crdt_load(s->mirror, um_bytes_span(bytes), NULL), UM_OK);     /* what is stored can be loaded */
    return UM_OK;
}

static um_err fold(struct stored *s, const struct store_op *op, uint64_t *version)
{
    if (s->deleted)
        return UM_EDENIED;
    if (op->version != s->version || op->seq < s->folded_seq)
        return UM_ECONFLICT;
    assert_true(op->seq <= s->last_seq);
    um_bytes_unref(s->state);
    s->state = um_bytes_ref(op->bytes);
    drop_rows(s, (size_t)(op->seq - s->folded_seq));
    s->folded_seq = op->seq;
    s->exists = true;
    *version = ++s->version;
    check_nothing_is_lost(s);
    return UM_OK;
}

static void read_rows(struct stored *s, struct store_op *op, uint64_t above)
{
    bool with_state = op->wish == LOAD || above < s->folded_seq;
    uint64_t from = UM_MAX(above, s->folded_seq);
    struct um_store_update *updates;
    size_t n = 0;

    op->doc = (struct um_store_loaded){ .exists = s->exists, .deleted = s->deleted, .version = s->version,
                                        .folded_seq = s->folded_seq, .last_seq = s->last_seq };
    if (with_state && s->state != NULL)
        op->doc.state = um_bytes_ref(s->state);
    updates = um_xcalloc(s->n_rows + 1, sizeof(*updates));
    op->rows = um_xcalloc(s->n_rows + 1, sizeof(*op->rows));
    for (uint64_t seq = from + 1; seq <= s->last_seq; seq++) {
        op->rows[n] = um_bytes_ref(s->rows[seq - s->folded_seq - 1]);
        updates[n] = (struct um_store_update){ seq, um_bytes_span(op->rows[n]) };
        n++;
    }
    op->doc.updates = updates;
    op->doc.n_updates = n;
}

static void do_it(struct world *w, struct store_op *op)
{
    struct stored *s = find(w, op->name);

    switch (op->wish) {
    case LOAD:
    case SINCE:
        read_rows(s, op, op->wish == LOAD ? s->folded_seq : op->seq);
        break;
    case APPEND:
        op->err = append_row(s, op->bytes, &op->number);
        break;
    case FOLD:
        op->err = fold(s, op, &op->number);
        break;
    }
}

/* ---- answers ---- */

static void op_free(struct store_op *op)
{
    for (size_t i = 0; op->rows != NULL && op->rows[i] != NULL; i++)
        um_bytes_unref(op->rows[i]);
    free(op->rows);
    free((void *)op->doc.updates);
    um_bytes_unref(op->doc.state);
    um_bytes_unref(op->bytes);
    free(op->name);
    free(op);
}

static void come_home(void *arg)
{
    struct store_op *op = arg;

    if (op->wish == LOAD || op->wish == SINCE)
        op->cb.load(op->arg, op->err, op->err == UM_OK ? &op->doc : NULL);
    else
        op->cb.append(op->arg, op->err, op->number);
    op_free(op);
}

/* A dead core is told whatever lets it come to its end. */
static void answer_in_limbo(struct core *c, struct store_op *op)
{
    op->err = UM_OK;
    op->number = ++c->limbo_seq;
    op->doc.last_seq = c->limbo_seq;
}

static void do_next(struct core *c)
{
    struct world *w = c->world;
    struct store_op *op = UM_CONTAINER(c->asked.next, struct store_op, link);
    bool fails;

    um_list_remove(&op->link);
    if (c->is_dead) {
        answer_in_limbo(c, op);
    } else {
        fails = world_chance(w, w->fail_percent);
        if (!fails || world_chance(w, w->lie_percent))
            do_it(w, op);
        if (fails && op->err == UM_OK)
            op->err = UM_EIO;
    }
    um_loop_call(op->loop, come_home, op);
}

static void serve(struct core *c)
{
    while (c != NULL && !c->store_holds && !um_list_is_empty(&c->asked) && !world_chance(c->world, c->world->slow_percent))
        do_next(c);
}

void store_step(struct world *w)
{
    unsigned first = (unsigned)world_random(w, STARTS_MAX);

    for (unsigned i = 0; i < STARTS_MAX; i++)
        serve(w->every[(first + i) % STARTS_MAX]);
}

/* Some of what was under way was done, and nobody heard of it. */
void store_bury(struct core *c)
{
    struct world *w = c->world;
    bool goes_on = !c->store_holds;

    c->store_holds = false;
    UM_LIST_EACH(it, &c->asked) {
        struct store_op *op = UM_CONTAINER(it, struct store_op, link);
        goes_on = goes_on && world_chance(w, 50);
        if (goes_on && (op->wish == APPEND || op->wish == FOLD))
            do_it(w, op);
    }
    c->limbo_seq = 1u << 30;
}

/* ---- the interface ---- */

static struct store_op *ask(struct um_loop *l, enum wish wish, const char *name, void *arg)
{
    struct store_op *op = um_xcalloc(1, sizeof(*op));

    op->core = core_of_loop(the_world, l);
    op->loop = l;
    op->wish = wish;
    op->name = um_xstrdup(name);
    op->arg = arg;
    um_list_append(&op->core->asked, &op->link);
    return op;
}

void um_store_load(struct um_store *st, struct um_loop *l, const char *name, um_store_load_cb *cb, void *arg)
{
    (void)st;
    ask(l, LOAD, name, arg)->cb.load = cb;
}

void um_store_load_since(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, um_store_load_cb *cb, void *arg)
{
    struct store_op *op = ask(l, SINCE, name, arg);

    (void)st;
    op->cb.load = cb;
    op->seq = seq;
}

void um_store_append(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *update, const char *user,
                     um_store_append_cb *cb, void *arg)
{
    struct store_op *op = ask(l, APPEND, name, arg);

    (void)st;
    (void)user;
    op->cb.append = cb;
    op->bytes = um_bytes_ref(update);
}

void um_store_fold(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *state, uint64_t upto_seq,
                   uint64_t expected_version, um_store_append_cb *cb, void *arg)
{
    struct store_op *op = ask(l, FOLD, name, arg);

    (void)st;
    op->cb.append = cb;
    op->bytes = um_bytes_ref(state);
    op->seq = upto_seq;
    op->version = expected_version;
}

bool um_store_is_shared(const struct um_store *st)
{
    (void)st;
    return false;
}

void um_store_note_client(struct um_store *st, const char *name, uint64_t client, const char *user)
{
    (void)st;
    (void)name;
    (void)client;
    (void)user;
}

void um_store_heads(struct um_store *st, struct um_loop *l, const char *const *names, size_t n, um_store_heads_cb *cb, void *arg)
{
    (void)st;
    (void)l;
    (void)names;
    (void)n;
    (void)cb;
    (void)arg;
    fail_msg("a store that is not shared is not compared with");
}

/* bench.c names these as well. */
um_err um_store_open(struct um_store **out, const struct um_store_conf *cf, char why[256])
{
    (void)cf;
    (void)why;
    *out = (struct um_store *)the_world;
    return UM_OK;
}

void um_store_close(struct um_store *st) { (void)st; }

void um_store_delete(struct um_store *st, struct um_loop *l, const char *name, const char *user, um_store_entry_cb *cb, void *arg)
{
    (void)st;
    (void)l;
    (void)name;
    (void)user;
    (void)cb;
    (void)arg;
    fail_msg("see store_delete");
}

void store_delete(struct world *w, const char *document)
{
    struct stored *s = find(w, document);

    s->deleted = true;
    drop_rows(s, s->n_rows);
    um_bytes_unref(s->state);
    s->state = NULL;
    s->folded_seq = s->last_seq;
}

/* ---- looked at ---- */

/* Would UPDATE bring anything, be it something that has to wait? */
static bool brings_nothing(const struct stored *s, struct um_span update)
{
    struct um_crdt *c = new_crdt();
    struct um_buf had = { 0 }, has = { 0 };
    bool same;

    assert_int_equal(um_crdt_encode(s->mirror, UM_SPAN(NULL, 0), &had), UM_OK);
    assert_int_equal(um_crdt_load(c, UM_SPAN(had.data, had.len), NULL), UM_OK);
    um_buf_clear(&had);
    assert_int_equal(um_crdt_encode(c, UM_SPAN(NULL, 0), &had), UM_OK);
    assert_int_equal(um_crdt_load(c, update, NULL), UM_OK);
    assert_int_equal(um_crdt_encode(c, UM_SPAN(NULL, 0), &has), UM_OK);
    same = um_span_eq(UM_SPAN(had.data, had.len), UM_SPAN(has.data, has.len));
    um_crdt_free(c);
    um_buf_free(&had);
    um_buf_free(&has);
    return same;
}

bool store_has(struct world *w, const char *document, struct um_span update)
{
    struct stored *s = find(w, document);
    bool known = false;

    assert_int_equal(um_crdt_contains(s->mirror, update, &known), UM_OK);
    return known || brings_nothing(s, update);
}

void store_text(struct world *w, const char *document, struct um_buf *out)
{
    um_buf_clear(out);
    (void)!um_crdt_read_text(find(w, document)->mirror, UM_SPAN_STR("t"), out);
}

bool store_text_is(struct world *w, const char *document, const char *text)
{
    struct um_buf has = { 0 };
    bool same;

    store_text(w, document, &has);
    same = um_span_eq(UM_SPAN(has.data, has.len), UM_SPAN_STR(text));
    um_buf_free(&has);
    return same;
}

void store_free(struct world *w)
{
    size_t pos = 0;
    struct um_span key;
    void *value;

    while (um_map_next(&w->documents, &pos, &key, &value)) {
        struct stored *s = value;
        check_nothing_is_lost(s);
        drop_rows(s, s->n_rows);
        um_bytes_unref(s->state);
        um_crdt_free(s->mirror);
        free(s->rows);
        free(s->name);
        free(s);
    }
    um_map_free(&w->documents);
}
