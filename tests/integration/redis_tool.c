/* Drives a link from a test: commands on standard input, one a line, fields with tabs between and %xx inside; answers and
 * events are JSON lines on standard output. Configuration by --key=value and the environment.
 *
 *   N do FLAGS ARG...      {"id":N,"err":"ok","reply":...}        FLAGS: -, i (idempotent), n (no wait), a number of ms
 *   N eval FLAGS KEY       increments KEY by a script
 *   N burst COUNT KEY      COUNT commands in one turn: {"id":N,"ok":..,"failed":..} when all are answered
 *   N sub NAME | psub NAME | unsub NAME | quarantine KEY | stats
 *   {"event":"ready"|"away"|"epoch"|"live"|"message", ...}         the end of the input ends it */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/process.h>
#include <umbel/redis.h>
#include <umbel/util.h>

enum { FIELDS = 64, LINE_MAX_BYTES = 1 << 20 };
extern char **environ;

static struct um_loop *loop;
static struct um_redis *redis;
static struct um_redis_link *the_link;
static char line[LINE_MAX_BYTES];
static size_t line_len;
static struct um_buf out;

static struct um_redis_script count_up = UM_REDIS_SCRIPT("return redis.call('INCR', KEYS[1])");

struct call { int id; };
struct burst { int id; long left, ok, failed; };
struct named_sub { struct um_redis_sub *sub; char *name; };
static struct named_sub subs[4096];
static size_t n_subs;

static void say(void)
{
    um_buf_put_u8(&out, '\n');
    UM_ASSERT(!out.failed && write(1, out.data, out.len) == (ssize_t)out.len);
    um_buf_clear(&out);
}

static void put_text(struct um_span text)
{
    um_buf_put_u8(&out, '"');
    um_json_escape(&out, text);
    um_buf_put_u8(&out, '"');
}

static void put_reply(const struct um_redis_reply *r)
{
    if (r == NULL || r->kind == UM_REDIS_NIL) {
        um_buf_puts(&out, "null");
    } else if (r->kind == UM_REDIS_INTEGER) {
        um_buf_printf(&out, "%" PRId64, r->integer);
    } else if (r->kind == UM_REDIS_ARRAY) {
        um_buf_put_u8(&out, '[');
        for (size_t i = 0; i < r->n; i++) {
            um_buf_puts(&out, i > 0 ? "," : "");
            put_reply(r->items[i]);
        }
        um_buf_put_u8(&out, ']');
    } else {
        put_text(r->text);
    }
}

static void answered(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct call *c = arg;

    um_buf_printf(&out, "{\"id\":%d,\"epoch\":%" PRIu64 ",\"err\":\"%s\",\"reply\":", c->id, the_link ? um_redis_link_epoch(the_link) : 0,
                  um_err_text(err));
    put_reply(reply);
    um_buf_put_u8(&out, '}');
    say();
    free(c);
}

static void burst_answered(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct burst *b = arg;

    (void)reply;
    b->ok += err == UM_OK;
    b->failed += err != UM_OK;
    if (--b->left > 0)
        return;
    um_buf_printf(&out, "{\"id\":%d,\"ok\":%ld,\"failed\":%ld}", b->id, b->ok, b->failed);
    say();
    free(b);
}

static void on_message(void *arg, struct um_span channel, struct um_span payload)
{
    um_buf_puts(&out, "{\"event\":\"message\",\"of\":");
    put_text(UM_SPAN_STR((const char *)arg));
    um_buf_puts(&out, ",\"channel\":");
    put_text(channel);
    um_buf_puts(&out, ",\"text\":");
    put_text(payload);
    um_buf_put_u8(&out, '}');
    say();
}

static void on_live(void *arg, bool again)
{
    um_buf_puts(&out, "{\"event\":\"live\",\"of\":");
    put_text(UM_SPAN_STR((const char *)arg));
    um_buf_printf(&out, ",\"again\":%s}", again ? "true" : "false");
    say();
}

static const struct um_redis_sub_handler sub_handler = { on_message, on_live };

static void on_epoch(void *arg, uint64_t epoch)
{
    (void)arg;
    um_buf_printf(&out, "{\"event\":\"epoch\",\"epoch\":%" PRIu64 "}", epoch);
    say();
}

static void on_ready(void *arg, bool ready)
{
    (void)arg;
    um_buf_printf(&out, "{\"event\":\"%s\"}", ready ? "ready" : "away");
    say();
}

static const struct um_redis_link_handler link_handler = { on_epoch, on_ready };

static struct um_redis_opts options(const char *flags)
{
    struct um_redis_opts o = { 0 };

    o.flags = (strchr(flags, 'i') != NULL ? UM_REDIS_IDEMPOTENT : 0u) | (strchr(flags, 'n') != NULL ? UM_REDIS_NO_WAIT : 0u);
    o.deadline_ms = strtol(flags + strspn(flags, "-in"), NULL, 10);
    return o;
}

static void *new_call(int id)
{
    struct call *c = um_xcalloc(1, sizeof(*c));

    c->id = id;
    return c;
}

static void start_burst(int id, long count, struct um_span key)
{
    struct burst *b = um_xcalloc(1, sizeof(*b));

    *b = (struct burst){ .id = id, .left = count };
    for (long i = 0; i < count; i++)
        um_redis_command(the_link, NULL, (struct um_span[]){ UM_SPAN("INCR", 4), key }, 2, burst_answered, b);
}

static void subscribe(const char *name, bool is_pattern)
{
    char *copy = um_xstrdup(name);

    UM_ASSERT(n_subs < UM_COUNT(subs));
    subs[n_subs++] = (struct named_sub){ um_redis_subscribe(the_link, UM_SPAN_STR(name), is_pattern, &sub_handler, copy), copy };
}

static void unsubscribe(const char *name)
{
    for (size_t i = 0; i < n_subs; i++)
        if (subs[i].sub != NULL && strcmp(subs[i].name, name) == 0) {
            um_redis_unsubscribe(subs[i].sub);
            subs[i].sub = NULL;
            return;
        }
}

static void tell_counter(void *arg, const struct um_metric *m)
{
    (void)arg;
    um_buf_printf(&out, ",\"%s\":%" PRId64, m->name, um_metric_value(m));
}

static void tell_stats(int id)
{
    struct um_redis_link_stats st = um_redis_link_get_stats(the_link);
    struct um_redis_health h = um_redis_get_health(redis);

    um_buf_printf(&out, "{\"id\":%d,\"state\":\"%s\",\"address\":\"%s\",\"waiting\":%zu,\"inFlight\":%zu,\"bytes\":%zu,\"epoch\":%" PRIu64
                  ",\"reconnects\":%" PRIu64 ",\"switches\":%" PRIu64 ",\"links\":%d,\"ready\":%d,\"lastLoss\":", id, st.state, st.address,
                  st.waiting, st.in_flight, st.bytes, st.epoch, st.reconnects, st.switches, h.links, h.ready);
    put_text(UM_SPAN_STR(st.last_loss));
    um_metrics_each(tell_counter, NULL);
    um_buf_put_u8(&out, '}');
    say();
}

static void run(char *text)
{
    struct um_buf field[FIELDS] = { 0 };
    struct um_span argv[FIELDS];
    const char *word[FIELDS];
    size_t n = 0;

    for (char *p; (p = strsep(&text, "\t")) != NULL && n < FIELDS; n++) {
        UM_ASSERT(um_percent_decode(&field[n], UM_SPAN_STR(p)));
        word[n] = um_buf_cstr(&field[n]);
        argv[n] = UM_SPAN(field[n].data, field[n].len);
    }
    UM_ASSERT(n >= 2);
    int id = atoi(word[0]);
    struct um_redis_opts opts = n > 2 ? options(word[2]) : (struct um_redis_opts){ 0 };
    if (strcmp(word[1], "do") == 0)
        um_redis_command(the_link, &opts, argv + 3, n - 3, answered, new_call(id));
    else if (strcmp(word[1], "eval") == 0)
        um_redis_eval(the_link, &opts, &count_up, argv + 3, 1, 1, answered, new_call(id));
    else if (strcmp(word[1], "burst") == 0)
        start_burst(id, atol(word[2]), argv[3]);
    else if (strcmp(word[1], "sub") == 0 || strcmp(word[1], "psub") == 0)
        subscribe(word[2], word[1][0] == 'p');
    else if (strcmp(word[1], "unsub") == 0)
        unsubscribe(word[2]);
    else if (strcmp(word[1], "quarantine") == 0)
        um_redis_quarantine(the_link, argv[2]);
    else if (strcmp(word[1], "stats") == 0)
        tell_stats(id);
    for (size_t i = 0; i < n; i++)
        um_buf_free(&field[i]);
}

static void on_input(void *arg, unsigned events)
{
    ssize_t n = read(0, line + line_len, sizeof(line) - line_len);
    char *end;

    (void)arg;
    (void)events;
    if (n <= 0) {
        um_loop_stop(loop);
        return;
    }
    line_len += (size_t)n;
    char *begin = line;
    while ((end = memchr(begin, '\n', (size_t)(line + line_len - begin))) != NULL) {
        *end = '\0';
        run(begin);
        begin = end + 1;
    }
    line_len -= (size_t)(begin - line);
    memmove(line, begin, line_len);
    UM_ASSERT(line_len < sizeof(line));
}

static void take_down(void)
{
    struct um_redis_link *l = the_link;

    the_link = NULL;
    um_redis_link_free(l);
    for (size_t i = 0; i < n_subs; i++)
        free(subs[i].name);
    um_buf_free(&out);
    um_redis_close(redis);
    um_loop_free(loop);
}

int main(int argc, char **argv)
{
    const struct um_conf_table *tables[] = { &um_redis_conf_table };
    struct um_conf_source source = { .app = "core", .dir = "/nonexistent", .argc = argc, .argv = argv, .environ = environ,
                                     .tables = tables, .n_tables = 1 };
    struct um_redis_conf cf;
    struct um_io input = { 0 };
    struct um_conf *conf;
    char why[256];

    um_process_init();
    if (um_conf_load(&conf, &source) != UM_OK || um_conf_bind(conf, tables[0]->keys, tables[0]->n, &cf) != UM_OK) {
        um_conf_report(conf, stderr);
        um_conf_free(conf);
        return 2;
    }
    um_conf_report(conf, stderr);
    um_log_set_level("redis", UM_DEBUG);
    if (um_redis_open(&redis, &cf, why) != UM_OK) {
        fprintf(stderr, "%s\n", why);
        um_conf_free(conf);
        return 2;
    }
    loop = um_loop_new(0);
    the_link = um_redis_link_new(redis, loop, "test", &link_handler, NULL);
    if (um_io_start(loop, &input, 0, UM_READ, on_input, NULL) != UM_OK)
        return 2;
    um_loop_run(loop);
    um_io_stop(loop, &input);
    take_down();
    um_conf_free(conf);
    return 0;
}
