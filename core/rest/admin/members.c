/* What this core answers when an administrator asks all members, and how their answers become one reply. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/domain.h>
#include <umbel/util.h>
#include "admin.h"

/* ---- asking ---- */

struct asking { struct later *later; struct um_rest *rest; admin_answered *reply; void *arg; };

static void answered(void *arg, const struct um_ask_answer *answers, size_t n)
{
    struct asking a = *(struct asking *)arg;
    struct um_http_req *rq = later_take(a.later);

    free(arg);
    if (rq != NULL)
        a.reply(a.arg, a.rest, rq, answers, n);
}

void admin_ask(struct um_http_req *rq, struct um_rest *r, struct um_ask_question q, json_t *body, admin_answered *reply, void *arg)
{
    struct asking *a = um_xcalloc(1, sizeof(*a));

    *a = (struct asking){ later_new(rq, r, NULL), r, reply, arg };
    q.body = body;
    um_ask(um_node_ask(r->deps.node), um_http_loop(rq), &q, answered, a);
    json_decref(body);
}

static const char *why_not(const struct um_ask_answer *a)
{
    static const char *const texts[] = { [UM_ASK_ANSWERED] = NULL, [UM_ASK_FAILED] = "it failed", [UM_ASK_SILENT] = "no answer in time",
                                         [UM_ASK_STRANGER] = "it has another token.key" };

    return a->state == UM_ASK_FAILED && a->error != NULL ? a->error : texts[a->state];
}

json_t *admin_members_json(const struct um_ask_answer *answers, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:s?}", "id", answers[i].member, "ok", answers[i].state == UM_ASK_ANSWERED,
                                              "error", why_not(&answers[i])));
    return list;
}

struct keyed { const char *key; json_t *row; };

static int by_key(const void *a, const void *b) { return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key); }

json_t *admin_rows_json(const struct um_ask_answer *answers, size_t n, const char *key, size_t max)
{
    struct keyed *all = NULL;
    json_t *results = json_array(), *copy;
    size_t count = 0, shown, k;
    json_int_t found = 0;
    const json_t *rows;

    for (size_t i = 0; i < n; i++) {
        rows = json_object_get(answers[i].body, "rows");
        found += json_integer_value(json_object_get(answers[i].body, "found"));
        all = um_xrealloc(all, (count + json_array_size(rows) + 1) * sizeof(*all));
        for (k = 0; k < json_array_size(rows); k++) {
            const char *value = json_string_value(json_object_get(json_array_get(rows, k), key));
            if (value == NULL)
                continue;
            copy = json_deep_copy(json_array_get(rows, k));
            json_object_set_new(copy, "member", json_string(answers[i].member));
            all[count++] = (struct keyed){ value, copy };
        }
    }
    if (count > 0)
        qsort(all, count, sizeof(*all), by_key);
    shown = UM_MIN(count, max);
    while (shown > 0 && shown < count && strcmp(all[shown].key, all[shown - 1].key) == 0)
        shown++;                             /* rows of one key stay together: the next page begins behind it */
    for (k = 0; k < count; k++) {
        if (k < shown)
            json_array_append_new(results, all[k].row);
        else
            json_decref(all[k].row);
    }
    copy = json_pack("{s:I, s:o, s:s?, s:o}", "found", UM_MAX(found, (json_int_t)count), "results", results, "next",
                     shown > 0 && found > (json_int_t)shown ? all[shown - 1].key : NULL, "members", admin_members_json(answers, n));
    free(all);
    return copy;
}

/* ---- what a core answers ---- */

static void have_rows(void *arg, json_t *rows, size_t found)
{
    um_ask_answer(arg, json_pack("{s:o, s:I}", "rows", rows, "found", (json_int_t)found));
}

/* "scope" of the question: documents of that scope; without it all. UNDER is the filter's. */
static struct um_collab_filter filter_of(const struct um_rest *r, const json_t *body, struct um_buf *under)
{
    json_int_t max = json_integer_value(json_object_get(body, "max"));
    const char *scope = json_string_value(json_object_get(body, "scope"));

    if (scope != NULL)
        um_buf_printf(under, UM_STORE_UNLISTED "%s/", scope);
    return (struct um_collab_filter){
        .under = scope != NULL ? um_buf_cstr(under) : NULL,
        .or_free = scope != NULL && strcmp(scope, um_domain_default_scope(r->deps.domain)) == 0,
        .document = json_string_value(json_object_get(body, "document")), .user = json_string_value(json_object_get(body, "user")),
        .contains = json_string_value(json_object_get(body, "contains")), .after = json_string_value(json_object_get(body, "after")),
        .max = max > 0 && max <= ADMIN_ROWS_MAX ? (size_t)max : ADMIN_ROWS_MAX,
    };
}

static void documents(void *arg, struct um_asked *q, const json_t *body)
{
    struct um_rest *r = arg;
    struct um_buf under = { 0 };
    struct um_collab_filter f = filter_of(r, body, &under);

    um_collab_list_documents(r->collab, r->deps.loop, &f, have_rows, q);
    um_buf_free(&under);
}

static void connections(void *arg, struct um_asked *q, const json_t *body)
{
    struct um_rest *r = arg;
    struct um_buf under = { 0 };
    struct um_collab_filter f = filter_of(r, body, &under);

    um_collab_list_sockets(r->collab, r->deps.loop, &f, have_rows, q);
    um_buf_free(&under);
}

static void have_closed(void *arg, json_t *rows, size_t found)
{
    json_decref(rows);
    um_ask_answer(arg, json_pack("{s:b}", "closed", found > 0));
}

static void close_one(void *arg, struct um_asked *q, const json_t *body)
{
    const char *id = json_string_value(json_object_get(body, "id")), *reason = json_string_value(json_object_get(body, "reason"));
    struct um_rest *r = arg;
    struct um_buf under = { 0 };
    struct um_collab_filter f = filter_of(r, body, &under);
    char *end = NULL;
    uint64_t number = id != NULL ? strtoull(id, &end, 10) : 0;

    if (number == 0 || *end != '\0' || reason == NULL)
        um_ask_fail(q, "a connection has a number and a reason");
    else
        um_collab_close_socket(r->collab, r->deps.loop, number, &f, reason, have_closed, q);
    um_buf_free(&under);
}

static void reload(void *arg, struct um_asked *q, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "document"));
    struct um_rest *r = arg;

    if (name == NULL) {
        um_ask_fail(q, "there is no name");
        return;
    }
    um_collab_reload(r->collab, name);
    um_ask_answer(q, json_object());
}

/* ---- logins that have to wait ---- */

static void add_lock(void *arg, const char *user, const char *address, int64_t failures, int64_t wait_ms)
{
    json_t *row = json_pack("{s:s, s:s, s:I, s:I}", "user", user, "address", address, "failures", (json_int_t)failures, "waitMs",
                            (json_int_t)wait_ms);

    if (row != NULL && json_array_size(arg) < ADMIN_ROWS_MAX)
        json_array_append(arg, row);
    json_decref(row);
}

static void locks(void *arg, struct um_asked *q, const json_t *body)
{
    struct um_rest *r = arg;
    json_t *rows = json_array();

    (void)body;
    um_throttle_each(r->throttle, um_now_ms(), add_lock, rows);
    um_ask_answer(q, json_pack("{s:o}", "rows", rows));
}

static void unlock(void *arg, struct um_asked *q, const json_t *body)
{
    const char *user = json_string_value(json_object_get(body, "user"));
    struct um_rest *r = arg;

    if (user == NULL)
        um_ask_fail(q, "there is no user");
    else
        um_ask_answer(q, json_pack("{s:I}", "forgotten", (json_int_t)um_throttle_forget(r->throttle, user)));
}

void admin_serve(struct um_rest *r)
{
    static const struct { const char *topic; um_ask_fn *fn; } topics[] = {
        { ASK_DOCUMENTS, documents }, { ASK_CONNECTIONS, connections }, { ASK_CLOSE, close_one }, { ASK_RELOAD, reload },
        { UM_NODE_LOCKS, locks }, { UM_NODE_UNLOCK, unlock },
    };

    for (size_t i = 0; i < UM_COUNT(topics); i++)
        um_ask_serve(um_node_ask(r->deps.node), topics[i].topic, topics[i].fn, r);
}
