/* The words of bodies that are edited together, for the search: taken from each state that is stored whole, by a worker, and kept
 * with the component. When there is no worker free, the next state brings them. */
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_export.h>
#include <umbel/crdt_inspect.h>
#include <umbel/domain.h>
#include <umbel/domain_calls.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "bodies.h"

#define ROOT "default"                       /* of Tiptap */
enum { TEXT_MAX = 2 << 20 };                 /* bytes; what is behind is not found */

struct reading {
    struct um_work work;
    struct um_rest *rest;
    struct um_bytes *state;
    char *scope, *id;
    struct um_buf text;
    um_err err;
};

static void reading_free(struct reading *r)
{
    um_bytes_unref(r->state);
    um_buf_free(&r->text);
    free(r->scope);
    free(r->id);
    free(r);
}

static um_err read_text(struct reading *r, struct um_crdt *crdt)
{
    struct um_span root = UM_SPAN_STR(ROOT);
    enum um_crdt_kind kind;
    um_err err = um_crdt_load(crdt, um_bytes_span(r->state), NULL);

    if (err == UM_OK)
        err = um_crdt_guess_root(crdt, root, &kind);
    if (err == UM_OK)
        err = um_crdt_declare_root(crdt, root, kind);
    if (err == UM_OK)
        err = um_crdt_read_plain(crdt, root, &r->text);
    return err == UM_ENOTFOUND ? UM_OK : err;            /* nobody has written yet */
}

/* On a worker. */
static void compute(struct um_work *w)
{
    struct reading *r = UM_CONTAINER(w, struct reading, work);
    struct um_crdt *crdt;

    r->err = um_crdt_new(NULL, &crdt);
    if (r->err != UM_OK)
        return;
    r->err = read_text(r, crdt);
    um_crdt_free(crdt);
}

/* The cut stands between two characters. */
static size_t length_of(const struct um_buf *text)
{
    size_t n = UM_MIN(text->len, (size_t)TEXT_MAX);

    while (n < text->len && n > 0 && (text->data[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void was_kept(void *arg, const struct um_domain_answer *a)
{
    struct reading *r = arg;

    if (a->err != UM_OK)
        um_log_limited(UM_INFO, "rest", "a text was not indexed", UM_S("component", r->id), UM_S("reason", a->problem->message));
    reading_free(r);
}

static void drop(void *arg) { reading_free(arg); }

static void computed(struct um_work *w)
{
    struct reading *r = UM_CONTAINER(w, struct reading, work);
    struct um_who who = { .user = "system", .scope = r->scope };
    json_t *text = r->err == UM_OK ? json_stringn((const char *)r->text.data, length_of(&r->text)) : NULL;

    if (text == NULL) {
        reading_free(r);
        return;
    }
    um_domain_run_or(r->rest->deps.domain, w->loop, &um_components_body_text, &who, json_pack("{s:s, s:o}", "id", r->id, "text", text), NULL,
                     was_kept, drop, r);
}

void body_folded(void *ctx, struct um_loop *l, const char *document, struct um_bytes *state)
{
    const char *scope = document + strlen(BODY_PREFIX), *slash;
    struct reading *r;

    if (!body_is_name(document) || state->len > REST_STATE_MAX || (slash = strchr(scope, '/')) == NULL)
        return;
    r = um_xcalloc(1, sizeof(*r));
    r->rest = ctx;
    r->state = um_bytes_ref(state);
    r->scope = um_xstrndup(scope, (size_t)(slash - scope));
    r->id = um_xstrdup(slash + 1);
    r->work = (struct um_work){ .loop = l, .fn = compute, .done = computed };
    if (r->rest->readers == NULL || um_work_submit(r->rest->readers, &r->work) != UM_OK)
        reading_free(r);
}
