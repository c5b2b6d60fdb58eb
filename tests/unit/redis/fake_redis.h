/* A scripted server on the loop of the test: it answers as a master in good health, unless the test says otherwise. */
#ifndef FAKE_REDIS_H
#define FAKE_REDIS_H
#include <umbel/redis.h>
#include "resp.h"

enum { FAKE_CONNS = 32 };

struct fake_redis;
struct fake_conn {
    struct fake_redis *server;
    struct um_io io;
    int fd;                                   /* -1: free */
    struct resp_reader *reader;
    bool is_sub;
    unsigned silent;                          /* so many commands more are not answered: CLIENT REPLY SKIP */
};

/* Says what happens with COMMAND (an array): true when it was answered, or deliberately not. */
typedef bool fake_answer(struct fake_conn *c, const struct um_redis_reply *command);

struct fake_redis {
    struct um_loop *loop;
    struct um_io io;
    int fd, port;
    fake_answer *answer;                      /* NULL: only the usual answers */
    const char *role, *run_id, *repl_id;
    const char *master_host;                  /* as a sentinel */
    int master_port, config_epoch;
    struct fake_conn conn[FAKE_CONNS];
    struct um_buf log;                        /* "AUTH u p|SELECT 3|..." */
    unsigned accepted;
};

void fake_open(struct fake_redis *f, struct um_loop *loop);
void fake_close(struct fake_redis *f);
void fake_say(struct fake_conn *c, const char *text);             /* nothing, when C asked for silence */
void fake_drop(struct fake_conn *c);
void fake_drop_all(struct fake_redis *f);
/* To who subscribed anything. */
void fake_publish(struct fake_redis *f, const char *channel, const char *text);
unsigned fake_count(struct fake_redis *f, const char *entry);     /* how often `entry|` stands in the log */
bool fake_is(const struct um_redis_reply *command, const char *name);

#endif
