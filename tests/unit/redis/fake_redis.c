#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fake_redis.h"

void fake_say(struct fake_conn *c, const char *text)
{
    if (c->silent == 0)
        UM_ASSERT(send(c->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

bool fake_is(const struct um_redis_reply *command, const char *name)
{
    return um_span_eq(um_redis_item(command, 0), UM_SPAN_STR(name));
}

static void say_bulk(struct fake_conn *c, const char *text)
{
    struct um_buf b = { 0 };

    resp_put_arg(&b, UM_SPAN_STR(text));
    fake_say(c, um_buf_cstr(&b));
    um_buf_free(&b);
}

static void say_info(struct fake_conn *c)
{
    struct um_buf b = { 0 };

    um_buf_printf(&b, "run_id:%s\r\nmaster_replid:%s\r\nrole:master\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n",
                  c->server->run_id, c->server->repl_id);
    say_bulk(c, um_buf_cstr(&b));
    um_buf_free(&b);
}

static void say_array(struct fake_conn *c, const struct um_span *items, size_t n, const char *tail)
{
    struct um_buf b = { 0 };

    resp_put_head(&b, n + (*tail != '\0'));
    for (size_t i = 0; i < n; i++)
        resp_put_arg(&b, items[i]);
    um_buf_puts(&b, tail);
    fake_say(c, um_buf_cstr(&b));
    um_buf_free(&b);
}

static void say_sentinel(struct fake_conn *c, const struct um_redis_reply *command)
{
    struct fake_redis *f = c->server;
    struct um_buf number = { 0 };

    if (f->master_host == NULL) {
        fake_say(c, um_span_eq(um_redis_item(command, 1), UM_SPAN("MASTER", 6)) ? "-ERR No such master with that name\r\n" : "*-1\r\n");
        return;
    }
    bool all = um_span_eq(um_redis_item(command, 1), UM_SPAN("MASTER", 6));
    um_buf_printf(&number, "%d", all ? f->config_epoch : f->master_port);
    struct um_span value = UM_SPAN(number.data, number.len);
    if (all)
        say_array(c, (struct um_span[]){ UM_SPAN_STR("name"), UM_SPAN_STR("m"), UM_SPAN_STR("config-epoch"), value }, 4, "");
    else
        say_array(c, (struct um_span[]){ UM_SPAN_STR(f->master_host), value }, 2, "");
    um_buf_free(&number);
}

static void usual_answer(struct fake_conn *c, const struct um_redis_reply *command)
{
    if (fake_is(command, "ROLE")) {
        say_array(c, (struct um_span[]){ UM_SPAN_STR(c->server->role) }, 1, ":0\r\n");
    } else if (fake_is(command, "INFO")) {
        say_info(c);
    } else if (fake_is(command, "SENTINEL")) {
        say_sentinel(c, command);
    } else if (fake_is(command, "SUBSCRIBE")) {
        c->is_sub = true;
        say_array(c, (struct um_span[]){ UM_SPAN_STR("subscribe"), um_redis_item(command, 1) }, 2, ":1\r\n");
    } else if (fake_is(command, "CLIENT") && um_span_eq(um_redis_item(command, 2), UM_SPAN_STR("SKIP"))) {
        c->silent = 2;                        /* this one and the next */
    } else {
        fake_say(c, "+OK\r\n");
    }
}

static void take(struct fake_conn *c, const struct um_redis_reply *command)
{
    struct fake_redis *f = c->server;

    for (size_t i = 0; i < command->n; i++) {
        um_buf_puts(&f->log, i > 0 ? " " : "");
        um_buf_put(&f->log, um_redis_item(command, i).data, um_redis_item(command, i).len);
    }
    um_buf_puts(&f->log, "|");
    if (f->answer == NULL || !f->answer(c, command))
        usual_answer(c, command);
    c->silent -= c->silent > 0;
}

void fake_drop(struct fake_conn *c)
{
    if (c->fd < 0)
        return;
    um_io_stop(c->server->loop, &c->io);
    close(c->fd);
    c->fd = -1;
    c->is_sub = false;
}

static void on_bytes(void *arg, unsigned events)
{
    struct fake_conn *c = arg;
    struct um_redis_reply *command;
    char data[16384];
    ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

    (void)events;
    if (n <= 0) {
        fake_drop(c);
        return;
    }
    UM_ASSERT(resp_reader_feed(c->reader, data, (size_t)n) == UM_OK);
    while (c->fd >= 0 && resp_reader_next(c->reader, &command) == UM_OK && command != NULL) {
        take(c, command);
        resp_reply_free(command);
    }
}

static void on_accept(void *arg, unsigned events)
{
    struct fake_redis *f = arg;
    int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);

    (void)events;
    for (size_t i = 0; i < FAKE_CONNS && fd >= 0; i++) {
        struct fake_conn *c = &f->conn[i];
        if (c->fd >= 0)
            continue;
        resp_reader_free(c->reader);
        *c = (struct fake_conn){ .server = f, .fd = fd, .reader = resp_reader_new() };
        f->accepted++;
        UM_ASSERT(um_io_start(f->loop, &c->io, fd, UM_READ, on_bytes, c) == UM_OK);
        return;
    }
    UM_ASSERT(fd < 0);
}

void fake_open(struct fake_redis *f, struct um_loop *loop)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);

    *f = (struct fake_redis){ .loop = loop, .role = "master", .run_id = "run1", .repl_id = "repl1" };
    for (size_t i = 0; i < FAKE_CONNS; i++)
        f->conn[i].fd = -1;
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    UM_ASSERT(bind(f->fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(f->fd, 64) == 0 &&
              getsockname(f->fd, (struct sockaddr *)&a, &len) == 0);
    f->port = ntohs(a.sin_port);
    UM_ASSERT(um_io_start(loop, &f->io, f->fd, UM_READ, on_accept, f) == UM_OK);
}

void fake_drop_all(struct fake_redis *f)
{
    for (size_t i = 0; i < FAKE_CONNS; i++)
        fake_drop(&f->conn[i]);
}

void fake_close(struct fake_redis *f)
{
    fake_drop_all(f);
    for (size_t i = 0; i < FAKE_CONNS; i++)
        resp_reader_free(f->conn[i].reader);
    um_io_stop(f->loop, &f->io);
    close(f->fd);
    um_buf_free(&f->log);
}

void fake_publish(struct fake_redis *f, const char *channel, const char *text)
{
    for (size_t i = 0; i < FAKE_CONNS; i++)
        if (f->conn[i].fd >= 0 && f->conn[i].is_sub)
            say_array(&f->conn[i], (struct um_span[]){ UM_SPAN_STR("message"), UM_SPAN_STR(channel), UM_SPAN_STR(text) }, 3, "");
}

unsigned fake_count(struct fake_redis *f, const char *entry)
{
    const char *log = um_buf_cstr(&f->log);
    size_t len = strlen(entry);
    unsigned n = 0;

    for (const char *p = log; p != NULL && *p != '\0'; p = strchr(p, '|'), p = p != NULL ? p + 1 : NULL)
        n += strncmp(p, entry, len) == 0 && p[len] == '|';
    return n;
}
