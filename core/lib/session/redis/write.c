/* Beginning a session, changing it, noting its use.
 *
 * 1. What is written about a session that exists goes through a script that looks whether it does.
 * 2. In Sentinel mode a new session, and one under a new id, goes by way of protect.c. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/util.h>

#include "store.h"

enum { USES_AT_ONCE = 256 };

/* What both ways of writing have: answered here, or by protect.c. */
static void written(struct op *op, um_err err, const struct um_session *s)
{
    if (op->lane->rs->protect != NULL)
        protect_done(op, err, s);
    else
        op_answer(op, err, s);
}

static void write_protected(struct op *op, void (*send)(struct op *op, struct um_redis_link *link))
{
    struct redis_sessions *rs = op->lane->rs;

    if (UM_FAILPOINT("session.before_save"))
        op_answer(op, UM_EUNAVAIL, NULL);
    else if (rs->protect != NULL)
        protect_run(rs->protect, op, send);
    else
        send(op, op->lane->link);
}

/* ---- a new one ---- */

/* The body of Spring's created event: the fields as JSON. */
static void put_event(struct args *a, const struct op *op)
{
    struct redis_sessions *rs = op->lane->rs;
    struct um_buf channel = {0}, body = {0};
    json_t *json = json_object();
    char *text;

    json_object_set_new(json, ATTR_FIELD PRINCIPAL_INDEX, json_string(op->content->user));
    json_object_set_new(json, "maxInactiveInterval", json_integer(rs->timeout_ms / 1000));
    text = json_dumps(json, JSON_COMPACT);
    um_buf_puts(&body, text != NULL ? text : "{}");
    free(text);
    json_decref(json);
    um_buf_printf(&channel, "%s:event:%lld:created:%s", rs->base.cf.redis_ns, (long long)rs->database, op->id);
    args_adopt(a, &channel);
    args_adopt(a, &body);
}

static const struct um_session *new_picture(struct op *op, int64_t now)
{
    struct um_session *s = op->content;

    op->content = NULL;
    s->created_at_ms = s->last_accessed_at_ms = now;
    s->max_inactive_s = op->lane->rs->timeout_ms / 1000;
    picture_keep(op->lane->rs, s, 0);
    return s;
}

static void created(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    struct redis_sessions *rs = op->lane->rs;

    if (err != UM_OK) {
        if (!op_failed(op, op->link_used, &err, reply))
            written(op, err, NULL);
        return;
    }
    if (reply->kind != UM_REDIS_ARRAY || reply->n < 1) {
        written(op, UM_ELIMIT, NULL);
        return;
    }
    for (size_t i = 1; i < reply->n; i++) {
        const char *evicted = (const char *)um_redis_item(reply, i).data;
        if (evicted != NULL)
            ends_local(rs, evicted, UM_SESSION_EVICTED);
    }
    um_count(&session_rows[SESSION_M_CREATED], 1);
    written(op, UM_OK, new_picture(op, reply->items[0]->integer));
}

static void send_create(struct op *op, struct um_redis_link *link)
{
    struct redis_sessions *rs = op->lane->rs;
    struct args a;
    um_err err;

    op->link_used = link;
    uses_flush(rs, link, op->lane, op->content->user);       /* which of the user's is unused longest? */
    args_begin(&a, rs, op->id);
    args_put_text(&a, op->id);
    args_put_text(&a, op->content->user);
    args_put_int(&a, rs->timeout_ms / 1000);
    args_put_int(&a, rs->base.cf.max_sessions);
    args_put_int(&a, rs->base.cf.max_per_user);
    put_event(&a, op);
    if ((err = args_put_fields(&a, op->content)) == UM_OK) {
        args_send(&a, link, 0, &script_create, created, op);
        return;
    }
    args_send(&a, link, 0, NULL, NULL, NULL);
    written(op, err, NULL);
}

void run_create(struct op *op)
{
    write_protected(op, send_create);
}

/* ---- a new id ---- */

static void renamed(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    struct redis_sessions *rs = op->lane->rs;
    const struct um_session *s = NULL;

    if (err != UM_OK) {
        if (!op_failed(op, op->link_used, &err, reply))
            written(op, err, NULL);
        return;
    }
    if ((err = picture_take(rs, reply, op->new_id, &s)) == UM_OK)
        ends_local(rs, op->id, UM_SESSION_RENAMED);
    written(op, err, s);
}

static void send_rename(struct op *op, struct um_redis_link *link)
{
    struct args a;

    op->link_used = link;
    args_begin(&a, op->lane->rs, op->id);
    args_put_text(&a, op->id);
    args_put_text(&a, op->new_id);
    args_send(&a, link, 0, &script_rename, renamed, op);
}

void run_change_id(struct op *op)
{
    if (um_revoked_has(op->lane->rs->revoked, op->hash))
        op_answer(op, UM_ENOTFOUND, NULL);
    else
        write_protected(op, send_rename);
}

/* ---- one attribute ---- */

static void attr_set(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    const struct um_session *s = NULL;

    if (err != UM_OK) {
        if (!op_failed(op, op->lane->link, &err, reply))
            op_answer(op, err, NULL);
        return;
    }
    err = picture_take(op->lane->rs, reply, op->id, &s);
    if (UM_FAILPOINT("session.after_save")) {
        um_session_unref(s);
        s = NULL;
        err = UM_EUNAVAIL;
    }
    op_answer(op, err, s);
}

/* UM_ELIMIT: S with the attribute would be too much. */
static um_err check_attr(const struct op *op, const struct um_session *s)
{
    struct um_session_attr *attrs = calloc(s->n_attrs + 1, sizeof(*attrs));
    size_t n = 0;
    um_err err;

    if (attrs == NULL)
        return UM_ENOMEM;
    for (size_t i = 0; i < s->n_attrs; i++)
        if (strcmp(s->attrs[i].name, op->text) != 0)
            attrs[n++] = s->attrs[i];
    if (op->value.len > 0)
        attrs[n++] = (struct um_session_attr){ op->text, UM_SPAN(op->value.data, op->value.len) };
    err = session_check_limits(&op->lane->rs->base.cf, s->user, attrs, n);
    free(attrs);
    return err;
}

static um_err send_attr(struct op *op)
{
    struct args a;
    um_err err;

    args_begin(&a, op->lane->rs, op->id);
    args_put_text(&a, op->id);
    err = args_put_field(&a, op->text, UM_SPAN(op->value.data, op->value.len));
    args_send(&a, op->lane->link, 0, err == UM_OK ? &script_set : NULL, attr_set, op);
    return err;
}

/* The limits are judged by what the session held a moment ago: two at a time may exceed them a little. */
static void looked(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    const struct um_session *s = NULL;

    if (err != UM_OK) {
        if (!op_failed(op, op->lane->link, &err, reply))
            op_answer(op, err, NULL);
        return;
    }
    if ((err = picture_take(op->lane->rs, reply, op->id, &s)) == UM_OK && (err = check_attr(op, s)) == UM_OK)
        err = send_attr(op);
    um_session_unref(s);
    if (err != UM_OK)
        op_answer(op, err, NULL);
}

void run_set(struct op *op)
{
    struct args a;

    if (um_revoked_has(op->lane->rs->revoked, op->hash) || op->value.failed || UM_FAILPOINT("session.before_save")) {
        op_answer(op, op->value.failed ? UM_ENOMEM : um_revoked_has(op->lane->rs->revoked, op->hash) ? UM_ENOTFOUND : UM_EUNAVAIL, NULL);
        return;
    }
    args_begin(&a, op->lane->rs, op->id);
    args_put_text(&a, op->id);
    args_send(&a, op->lane->link, UM_REDIS_IDEMPOTENT, &script_get, looked, op);
}

/* ---- uses ---- */

static void touched(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    struct copies *copies = op->lane->rs->copies;

    if (err != UM_OK) {
        if (!op_failed(op, op->link_used, &err, reply)) {
            copies_retouch(copies, op->id, op->age_ms);
            op_answer(op, err, NULL);
        }
        return;
    }
    op_answer(op, UM_OK, NULL);
}

static void send_touch(struct op *op, struct um_redis_link *link)
{
    struct args a;

    op->link_used = link;
    args_begin(&a, op->lane->rs, op->id);
    args_put_text(&a, op->id);
    args_put_int(&a, op->age_ms);
    args_send(&a, link, 0, &script_touch, touched, op);
}

void run_touch(struct op *op)
{
    if (um_revoked_has(op->lane->rs->revoked, op->hash))
        op_answer(op, UM_ENOTFOUND, NULL);
    else
        send_touch(op, op->lane->link);
}

void uses_flush(struct redis_sessions *rs, struct um_redis_link *link, struct lane *lane, const char *user)
{
    struct copies_use uses[USES_AT_ONCE];
    size_t n;

    if (user == NULL && !um_redis_link_is_ready(link))
        return;                               /* later: they would only come back */
    do {
        n = copies_take(rs->copies, user, uses, USES_AT_ONCE);
        for (size_t i = 0; i < n; i++) {
            struct op *op = op_new(rs, NULL, uses[i].id, run_touch);
            op->lane = lane;
            op->age_ms = uses[i].age_ms;
            if (um_revoked_has(rs->revoked, op->hash))
                op_answer(op, UM_ENOTFOUND, NULL);
            else
                send_touch(op, link);
        }
    } while (n == USES_AT_ONCE);
}
