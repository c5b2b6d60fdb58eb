/* The link of one socket to one document. When both live on one loop every step is a plain call; otherwise the same steps
 * travel as messages, which keep their order, so that neither end ever sees the other in another order than it acted.
 *
 *   socket's end   join  say*  congested*  leave                    -> document's end
 *   document's end       send*  closed?          gone               -> socket's end, which frees the seat on `gone` */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

enum op { OP_JOIN, OP_SAY, OP_CONGESTED, OP_DRAINED, OP_LEAVE, OP_SEND, OP_CLOSED, OP_GONE };

struct step {
    struct um_msg msg;
    enum op op;
    struct seat *seat;
    struct um_bytes *a, *b;              /* owned */
    uint64_t type;                       /* SAY */
    enum end_how how;                    /* CLOSED */
    unsigned code;
    char reason[64];
};

static void seat_free(struct seat *s)
{
    um_bytes_unref(s->addr);
    um_bytes_unref(s->name);
    um_buf_free(&s->behind_sv);
    identity_drop(&s->who);
    free(s);
}

static void at_document(struct step *m);
static void at_socket(struct step *m);

static void run_step(struct um_msg *msg)
{
    struct step *m = UM_CONTAINER(msg, struct step, msg);

    (m->op <= OP_LEAVE ? at_document : at_socket)(m);
    um_bytes_unref(m->a);
    um_bytes_unref(m->b);
    free(m);
}

static void post(struct um_loop *to, const struct step *step)
{
    struct step *m = um_xmalloc(sizeof(*m));

    *m = *step;
    um_loop_post(to, &m->msg, run_step);
}

static bool is_local(const struct seat *s) { return s->conn_loop == s->doc_loop; }

static void at_document(struct step *m)
{
    struct seat *s = m->seat;

    switch (m->op) {
    case OP_JOIN:
        doc_join(s);
        break;
    case OP_SAY:
        if (s->doc != NULL)
            doc_say(s, m->type, um_bytes_span(m->a));
        break;
    case OP_CONGESTED:
    case OP_DRAINED:
        if (s->doc != NULL)
            doc_congestion(s, m->op == OP_CONGESTED);
        break;
    case OP_LEAVE:
        if (s->doc != NULL)
            doc_leave(s);
        if (is_local(s))
            seat_free(s);
        else
            post(s->conn_loop, &(struct step){ .op = OP_GONE, .seat = s });
        break;
    default:
        UM_ASSERT(false && "a step for the socket's end");
    }
}

static void at_socket(struct step *m)
{
    struct seat *s = m->seat;

    switch (m->op) {
    case OP_SEND:
        if (s->conn != NULL)
            conn_deliver(s->conn, m->a, m->b);
        break;
    case OP_CLOSED:
        if (s->conn != NULL)
            conn_seat_ended(s->conn, s, m->reason, m->how, m->code);
        break;
    case OP_GONE:
        seat_free(s);
        break;
    default:
        UM_ASSERT(false && "a step for the document's end");
    }
}

/* Runs a step here when the other end is on our loop. Its bytes stay the caller's. */
static void step_to_document(struct step m)
{
    if (is_local(m.seat)) {
        at_document(&m);
        return;
    }
    if (m.a != NULL)
        um_bytes_ref(m.a);
    post(m.seat->doc_loop, &m);
}

struct um_span seat_address(const struct seat *s)
{
    struct um_reader r = um_reader(um_bytes_span(s->addr));

    return um_read_varbytes(&r);
}

static struct um_bytes *encode_address(struct um_span address)
{
    struct um_buf b = { 0 };
    struct um_bytes *out;

    um_buf_put_varbytes(&b, address);
    out = um_buf_to_bytes(&b);
    um_buf_free(&b);
    return out;
}

struct seat *seat_open(struct conn *c, const struct wire_frame *f, const struct um_collab_identity *who, bool speaks_4x,
                       enum um_collab_right right, bool held_back)
{
    struct seat *s = um_xcalloc(1, sizeof(*s));
    struct hub *home = hub_of_document(c->hub->engine, f->name);

    s->conn = c;
    s->conn_loop = c->hub->loop;
    s->doc_loop = home->loop;
    s->doc_hub = home;
    identity_copy(&s->who, who);
    s->right = right;
    s->bare = c->bare;
    s->is_leg = c->is_leg;
    s->speaks_4x = speaks_4x;
    s->held_back = held_back;
    s->has_session = !c->bare && f->address.len != f->name.len;
    s->addr = c->bare ? um_bytes_new(0) : encode_address(f->address);
    s->name = um_bytes_dup(f->name.data, f->name.len);
    if (s->addr == NULL || s->name == NULL) {
        seat_free(s);
        return NULL;
    }
    um_list_init(&s->in_doc);
    um_list_init(&s->held);
    um_list_append(&c->seats, &s->in_conn);
    c->n_seats++;
    step_to_document((struct step){ .op = OP_JOIN, .seat = s });
    return s;
}

void seat_say(struct seat *s, uint64_t type, struct um_span body)
{
    if (is_local(s)) {
        if (s->doc != NULL)
            doc_say(s, type, body);
        return;
    }
    struct um_bytes *copy = um_bytes_dup(body.data, body.len);
    if (copy == NULL)
        return;                          /* not acknowledged: the client still has it */
    post(s->doc_loop, &(struct step){ .op = OP_SAY, .seat = s, .a = copy, .type = type });
}

void seat_leave(struct seat *s)
{
    s->conn->n_seats--;
    um_list_remove(&s->in_conn);
    s->conn = NULL;
    step_to_document((struct step){ .op = OP_LEAVE, .seat = s });
}

void seat_tell_congestion(struct seat *s, bool congested)
{
    step_to_document((struct step){ .op = congested ? OP_CONGESTED : OP_DRAINED, .seat = s });
}

void seat_send_two(struct seat *s, struct um_bytes *head, struct um_bytes *rest)
{
    if (head == NULL)
        return;                          /* memory is gone; the client's watchdog brings it back */
    count(C_RELAYED, 1);
    if (is_local(s)) {
        if (s->conn != NULL)
            conn_deliver(s->conn, head, rest);
        return;
    }
    um_bytes_ref(head);
    if (rest != NULL)
        um_bytes_ref(rest);
    post(s->conn_loop, &(struct step){ .op = OP_SEND, .seat = s, .a = head, .b = rest });
}

void seat_send(struct seat *s, struct um_bytes *bytes)
{
    seat_send_two(s, bytes, NULL);
}

void seat_send_frame(struct seat *s, enum wire_type type, int kind, struct um_span payload)
{
    struct um_bytes *frame = msg_make(seat_addr(s), type, kind, payload);

    seat_send(s, frame);
    um_bytes_unref(frame);
}

void seat_send_bare(struct seat *s, enum wire_type type, int kind)
{
    struct um_bytes *frame = msg_make_empty(seat_addr(s), type, kind);

    seat_send(s, frame);
    um_bytes_unref(frame);
}

void seat_end(struct seat *s, const char *reason, enum end_how how, unsigned code)
{
    struct step m = { .op = OP_CLOSED, .seat = s, .how = how, .code = code };

    doc_leave(s);
    strncpy(m.reason, reason, sizeof(m.reason) - 1);
    if (is_local(s))
        at_socket(&m);                   /* S is freed in it */
    else
        post(s->conn_loop, &m);
}
