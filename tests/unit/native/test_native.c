/* unit.native: libraries in their processes, with one that misbehaves as it is told (moods.c). */
#include <um_test.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/native.h>
#include <umbel/util.h>

enum { TURNS = 3000, TURN_MS = 10 };
#define MEMORY (256LL << 20)

static struct rig {
    struct um_loop *loop;
    struct um_native *n;
    struct um_native_conf cf;
    char dir[64];
} rig;

struct got { int calls; bool is_done, again; char code[UM_NATIVE_CODE_MAX + 1], message[UM_NATIVE_MESSAGE_MAX + 1]; json_t *reply; };

/* ---- rig ---- */

static void path_of(char out[256], const char *name) { snprintf(out, 256, "%s/%s", rig.dir, name); }

static void copy(const char *from, const char *name, mode_t mode)
{
    char path[256], fresh[256], bytes[4096];
    int in = open(from, O_RDONLY | O_CLOEXEC), out;
    ssize_t n;

    path_of(path, name);
    path_of(fresh, ".fresh");
    out = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(in >= 0 && out >= 0);
    while ((n = read(in, bytes, sizeof(bytes))) > 0)
        assert_int_equal(write(out, bytes, (size_t)n), n);
    assert_int_equal(fchmod(out, mode), 0);
    close(in);
    close(out);
    assert_int_equal(rename(fresh, path), 0);
}

static void open_native(void)
{
    char why[UM_NATIVE_WHY_MAX] = "";

    if (um_native_new(&rig.n, &rig.cf, why) != UM_OK)
        fail_msg("%s", why);
}

static void reopen(void)
{
    um_native_free(rig.n);
    open_native();
}

static int set_up(void **state)
{
    (void)state;
    um_log_set_level(NULL, UM_OFF);
    snprintf(rig.dir, sizeof(rig.dir), "/tmp/umbel-native-XXXXXX");
    assert_non_null(mkdtemp(rig.dir));
    copy(UM_MOODS, "moods.so", 0755);
    rig.loop = um_loop_new(0);
    rig.cf = (struct um_native_conf){ .dir = rig.dir, .program = UM_PROGRAM, .timeout_ms = 60000, .memory = MEMORY, .files = 32,
                                      .max_answer = 1 << 20, .max_waiting = 1000, .max_waiting_bytes = 64 << 20 };
    open_native();
    return 0;
}

static int tear_down(void **state)
{
    char *args = um_xasprintf("rm -r '%s'", rig.dir);

    (void)state;
    um_native_free(rig.n);
    um_loop_free(rig.loop);
    assert_int_equal(system(args), 0);
    free(args);
    return 0;
}

static void note(void *arg, const struct um_native_answer *a)
{
    struct got *g = arg;

    g->calls++;
    g->is_done = a->is_done;
    g->again = a->again;
    snprintf(g->code, sizeof(g->code), "%s", a->code);
    snprintf(g->message, sizeof(g->message), "%s", a->message);
    json_decref(g->reply);
    g->reply = a->reply != NULL ? json_deep_copy(a->reply) : NULL;
}

static void turn_until(const int *value, int n)
{
    for (int i = 0; i < TURNS && *value < n; i++)
        um_loop_turn(rig.loop, TURN_MS);
    if (*value < n)
        fail_msg("only %d of %d came", *value, n);
}

static void begin_as(struct got *g, const char *library, const char *json, const char *job)
{
    const struct um_native_call call = { .library = library, .action = "CREATE", .job = job, .attempt = 2, .json = UM_SPAN_STR(json) };

    um_native_ask(rig.n, rig.loop, &call, note, g);
}

static void begin(struct got *g, const char *library, const char *json) { begin_as(g, library, json, NULL); }

static void tell(struct got *g, const char *library, const char *json)
{
    json_decref(g->reply);
    *g = (struct got){ 0 };
    begin(g, library, json);
    assert_int_equal(g->calls, 0);
    turn_until(&g->calls, 1);
}

static void ask(struct got *g, const char *mood)
{
    char json[256];

    snprintf(json, sizeof(json), "{\"mood\":\"%s\"}", mood);
    tell(g, "moods", json);
}

static void must_fail(struct got *g, const char *code, const char *words)
{
    if (g->is_done || strcmp(g->code, code) != 0 || strstr(g->message, words) == NULL)
        fail_msg("%d %s %s instead of %s %s", g->is_done, g->code, g->message, code, words);
}

static void must_work(void)
{
    struct got g = { 0 };

    ask(&g, "");
    assert_true(g.is_done && g.reply == NULL);
}

static int64_t counter(const char *name) { return um_metric_value(um_metrics_find(name)); }
static json_int_t number(const struct got *g, const char *member) { return json_integer_value(json_object_get(g->reply, member)); }

/* ---- what is told, what is answered ---- */

static void a_library_hears_all_that_was_told(void **state)
{
    static const char *const want[] = { "UPDATE", "BEFORE", "DOCUMENT", "Office", "ann", "o1", "r1", "q1", "", "o1/r1" };
    const struct um_native_call call = { .library = "moods", .action = "UPDATE", .phase = "BEFORE", .object_type = "DOCUMENT", .scope = "Office",
                                         .user = "ann", .operation = "o1", .registration = "r1", .request = "q1", .attempt = 1,
                                         .json = UM_SPAN_STR("{\"mood\":\"echo\",\"x\":\"\xc3\xa4\"}") };
    struct got g = { 0 };

    (void)state;
    um_native_ask(rig.n, rig.loop, &call, note, &g);
    turn_until(&g.calls, 1);
    assert_true(g.is_done);
    for (size_t i = 0; i < UM_COUNT(want); i++)
        assert_string_equal(json_string_value(json_array_get(json_object_get(g.reply, "texts"), i)), want[i]);
    assert_int_equal(number(&g, "attempt"), 1);
    assert_string_equal(json_string_value(json_object_get(json_object_get(g.reply, "json"), "x")), "\xc3\xa4");
    begin_as(&g, "moods", "{\"mood\":\"echo\"}", "j1");
    turn_until(&g.calls, 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(g.reply, "texts"), 9)), "j1");
    assert_int_equal(number(&g, "calls"), 2);            /* in the same process */
    json_decref(g.reply);
}

static void refusals_keep_their_code_and_their_words(void **state)
{
    struct got g = { 0 };

    (void)state;
    ask(&g, "refuse");
    must_fail(&g, "F00039", "not on a Sunday");
    assert_false(g.again);
    ask(&g, "refuse badly");
    must_fail(&g, "T00000", "the handler refuses");
    ask(&g, "later");
    must_fail(&g, UM_NATIVE_LATER, "too early");
    assert_true(g.again);
    ask(&g, "strange");
    must_fail(&g, UM_NATIVE_ENDED, "verdict");
    ask(&g, "nonsense");
    must_fail(&g, UM_NATIVE_ENDED, "JSON");
    assert_int_equal(counter("operation.handlers.processes"), 1);
}

static void an_answer_has_its_limit_and_not_a_byte_more(void **state)
{
    struct got g = { 0 };
    char *large;

    (void)state;
    tell(&g, "moods", "{\"mood\":\"big\",\"size\":1048576}");
    assert_true(g.is_done);
    tell(&g, "moods", "{\"mood\":\"big\",\"size\":1048577}");
    must_fail(&g, UM_NATIVE_ENDED, "max-answer");
    large = um_xcalloc(1, UM_NATIVE_JSON_MAX + 2);
    memset(large, ' ', UM_NATIVE_JSON_MAX);
    tell(&g, "moods", large);
    assert_true(g.is_done);
    large[UM_NATIVE_JSON_MAX] = ' ';
    tell(&g, "moods", large);
    must_fail(&g, UM_NATIVE_BUSY, "too large");
    free(large);
    json_decref(g.reply);
}

static void it_has_nothing_of_ours(void **state)
{
    struct got g = { 0 };
    int leak = open("/dev/null", O_RDONLY);              /* without O_CLOEXEC */

    (void)state;
    setenv("UMBEL_SECRET", "1", 1);
    ask(&g, "surroundings");
    assert_int_equal(number(&g, "memory"), MEMORY);
    assert_int_equal(number(&g, "files"), 32);
    assert_int_equal(number(&g, "core"), 0);
    assert_int_equal(number(&g, "open"), 4);             /* none, two ends of a pipe, the socket */
    assert_int_equal(number(&g, "secret"), 0);
    assert_int_equal(number(&g, "nonewprivs"), 1);
    assert_string_equal(json_string_value(json_object_get(g.reply, "cwd")), "/");
    close(leak);
    json_decref(g.reply);
}

/* ---- what goes wrong ---- */

static void what_breaks_costs_its_call_and_no_other(void **state)
{
    static const struct { const char *mood, *words; } rows[] = {
        { "crash", "signal 11" }, { "leave", "status 3" }, { "eat", "signal 6" }, { "garbage", "no answer" },
    };
    int64_t before = counter("operation.handlers.ended");
    struct got g = { 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        ask(&g, rows[i].mood);
        must_fail(&g, UM_NATIVE_ENDED, rows[i].words);
        assert_true(g.again);
        must_work();
    }
    assert_int_equal(counter("operation.handlers.ended") - before, UM_COUNT(rows));
}

static void what_hangs_is_ended(void **state)
{
    int64_t before = counter("operation.handlers.late");
    struct got g = { 0 };

    (void)state;
    rig.cf.timeout_ms = 300;
    reopen();
    ask(&g, "hang");
    must_fail(&g, UM_NATIVE_LATE, "within 300 ms");
    assert_int_equal(counter("operation.handlers.late") - before, 1);
    must_work();
}

static void those_that_wait_are_served_after_a_crash(void **state)
{
    struct got first = { 0 }, rest[20] = { 0 };

    (void)state;
    begin(&first, "moods", "{\"mood\":\"crash\"}");
    for (size_t i = 0; i < UM_COUNT(rest); i++)
        begin(&rest[i], "moods", "{}");
    turn_until(&first.calls, 1);
    assert_false(first.is_done);
    for (size_t i = 0; i < UM_COUNT(rest); i++) {
        turn_until(&rest[i].calls, 1);
        assert_true(rest[i].is_done);
    }
}

static void who_waits_goes_before_jobs_and_jobs_wait_as_long_as_it_takes(void **state)
{
    struct got hangs[2] = { 0 }, job = { 0 }, waits = { 0 };

    (void)state;
    rig.cf.timeout_ms = 300;
    reopen();
    begin_as(&hangs[0], "moods", "{\"mood\":\"hang\"}", "j1");
    begin_as(&hangs[1], "moods", "{\"mood\":\"hang\"}", "j2");
    begin_as(&job, "moods", "{}", "j3");     /* 600 ms and more from its turn */
    turn_until(&hangs[0].calls, 1);
    begin(&waits, "moods", "{}");
    turn_until(&job.calls, 1);
    must_fail(&hangs[1], UM_NATIVE_LATE, "");
    assert_true(job.is_done && waits.calls == 1);
}

static void a_library_that_hangs_does_not_hold_up_another(void **state)
{
    struct got hangs = { 0 }, g = { 0 };

    (void)state;
    copy(UM_MOODS, "other.so", 0755);
    begin(&hangs, "other", "{\"mood\":\"hang\"}");
    must_work();
    ask(&g, "refuse");
    assert_int_equal(hangs.calls, 0);
    um_native_stop(rig.n);
    turn_until(&hangs.calls, 1);
    must_fail(&hangs, UM_NATIVE_ENDED, "the core ends");
    begin(&g, "moods", "{}");
    turn_until(&g.calls, 2);
    must_fail(&g, UM_NATIVE_ENDED, "the core ends");
}

static void no_more_wait_than_may(void **state)
{
    struct got hangs = { 0 }, waits = { 0 }, g = { 0 };

    (void)state;
    rig.cf.max_waiting = 2;
    rig.cf.timeout_ms = 400;
    reopen();
    begin(&hangs, "moods", "{\"mood\":\"hang\"}");
    begin(&waits, "moods", "{\"mood\":\"hang\"}");
    tell(&g, "moods", "{}");
    must_fail(&g, UM_NATIVE_BUSY, "too many");
    turn_until(&hangs.calls, 1);
    turn_until(&waits.calls, 1);
    must_fail(&hangs, UM_NATIVE_LATE, "");
    assert_true(!waits.is_done);             /* its turn did not come, or came at the last moment */
    must_work();
}

static void what_is_said_beside_answers_is_bounded(void **state)
{
    struct got g = { 0 };

    (void)state;
    ask(&g, "loud");
    assert_true(g.is_done);
    must_work();
}

static void work_that_is_left_behind_is_ended(void **state)
{
    int64_t before = counter("operation.handlers.ended");
    struct got g = { 0 };

    (void)state;
    rig.cf.timeout_ms = 900;                 /* of processor time a call has as much, in whole seconds */
    reopen();
    ask(&g, "burn");
    assert_true(g.is_done);
    for (int i = 0; i < TURNS && counter("operation.handlers.ended") == before; i++)
        um_loop_turn(rig.loop, TURN_MS);
    assert_int_equal(counter("operation.handlers.ended") - before, 1);
    must_work();
}

/* ---- what may be loaded ---- */

static void what_cannot_begin_fails_all_that_ask(void **state)
{
    static const struct { const char *name, *words; } rows[] = {
        { "init-refuses", "its init answers 7" }, { "init-leaves", "status 0" }, { "init-crashes", "signal 6" },
        { "init-hangs", "does not begin in time" },
    };
    struct got g = { 0 }, more[3] = { 0 };

    (void)state;
    rig.cf.timeout_ms = 400;
    reopen();
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        char file[64];

        snprintf(file, sizeof(file), "%s.so", rows[i].name);
        copy(UM_MOODS, file, 0755);
        for (size_t k = 0; k < UM_COUNT(more); k++)
            begin(&more[k], rows[i].name, "{}");
        tell(&g, rows[i].name, "{}");
        must_fail(&g, UM_NATIVE_UNLOADABLE, rows[i].words);
        for (size_t k = 0; k < UM_COUNT(more); k++) {
            turn_until(&more[k].calls, (int)i + 1);
            must_fail(&more[k], UM_NATIVE_UNLOADABLE, rows[i].words);
        }
    }
    copy(UM_OTHER_ABI, "abi.so", 0755);
    tell(&g, "abi", "{}");
    must_fail(&g, UM_NATIVE_UNLOADABLE, "ABI 99");
    copy("/proc/self/status", "text.so", 0755);
    tell(&g, "text", "{}");
    must_fail(&g, UM_NATIVE_UNLOADABLE, "");
    must_work();
}

static void another_file_is_loaded_in_place_of_the_old_one(void **state)
{
    struct got g = { 0 };
    json_int_t pid;

    (void)state;
    ask(&g, "echo");
    pid = number(&g, "pid");
    copy(UM_MOODS, "moods.so", 0755);
    ask(&g, "echo");
    assert_true(number(&g, "pid") != pid && number(&g, "calls") == 1);
    copy(UM_OTHER_ABI, "moods.so", 0755);
    ask(&g, "echo");
    must_fail(&g, UM_NATIVE_UNLOADABLE, "ABI 99");
    copy(UM_MOODS, "moods.so", 0755);        /* it is not waited for: this is another file */
    must_work();
    json_decref(g.reply);
}

static void what_others_could_have_written_is_not_loaded(void **state)
{
    char why[UM_NATIVE_WHY_MAX] = "", path[256], target[256];
    struct um_native *none;
    struct got g = { 0 };

    (void)state;
    assert_true(um_native_has(rig.n, "moods", why));
    assert_false(um_native_has(rig.n, "nothing", why));
    assert_false(um_native_has(rig.n, "../moods", why));
    copy(UM_MOODS, "shared.so", 0775);
    assert_false(um_native_has(rig.n, "shared", why));
    assert_non_null(strstr(why, "written by others"));
    tell(&g, "shared", "{}");
    must_fail(&g, UM_NATIVE_UNLOADABLE, "written by others");
    copy(UM_MOODS, "open.so", 0757);
    assert_false(um_native_has(rig.n, "open", why));
    path_of(path, "pipe.so");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(um_native_has(rig.n, "pipe", why));
    path_of(path, "folder.so");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(um_native_has(rig.n, "folder", why));
    path_of(path, "outside.so");
    assert_int_equal(symlink(UM_MOODS, path), 0);
    assert_false(um_native_has(rig.n, "outside", why));
    path_of(path, "around.so");
    snprintf(target, sizeof(target), "../%s/moods.so", strrchr(rig.dir, '/') + 1);
    assert_int_equal(symlink(target, path), 0);
    assert_false(um_native_has(rig.n, "around", why));
    path_of(path, "inside.so");
    assert_int_equal(symlink("moods.so", path), 0);
    assert_true(um_native_has(rig.n, "inside", why));
    if (geteuid() == 0) {
        copy(UM_MOODS, "foreign.so", 0755);
        path_of(path, "foreign.so");
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_false(um_native_has(rig.n, "foreign", why));
    }
    assert_int_equal(chmod(rig.dir, 0777), 0);
    assert_false(um_native_has(rig.n, "moods", why));
    assert_int_equal(um_native_new(&none, &rig.cf, why), UM_EINVAL);
    assert_int_equal(chmod(rig.dir, 0755), 0);
    must_work();
}

static void it_does_not_start_without_its_folder_and_its_program(void **state)
{
    char why[UM_NATIVE_WHY_MAX] = "";
    struct um_native_conf cf = rig.cf;
    struct um_native *none;

    (void)state;
    cf.dir = "/nowhere/at/all";
    assert_int_equal(um_native_new(&none, &cf, why), UM_EINVAL);
    assert_non_null(strstr(why, "operation.handlers.dir"));
    cf = rig.cf;
    cf.program = "/nowhere/umbel-handler";
    assert_int_equal(um_native_new(&none, &cf, why), UM_EINVAL);
    assert_non_null(strstr(why, "operation.handlers.program"));
}

static void processes_end_with_us(void **state)
{
    struct got g = { 0 };
    pid_t pid;

    (void)state;
    ask(&g, "echo");
    pid = (pid_t)number(&g, "pid");
    assert_int_equal(kill(pid, 0), 0);
    um_native_stop(rig.n);
    assert_int_equal(counter("operation.handlers.processes"), 0);
    assert_true(kill(pid, 0) != 0 && errno == ESRCH);
    json_decref(g.reply);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_library_hears_all_that_was_told), T(refusals_keep_their_code_and_their_words), T(an_answer_has_its_limit_and_not_a_byte_more),
        T(it_has_nothing_of_ours), T(what_breaks_costs_its_call_and_no_other), T(what_hangs_is_ended), T(those_that_wait_are_served_after_a_crash),
        T(who_waits_goes_before_jobs_and_jobs_wait_as_long_as_it_takes),
        T(a_library_that_hangs_does_not_hold_up_another), T(no_more_wait_than_may), T(what_is_said_beside_answers_is_bounded),
        T(work_that_is_left_behind_is_ended), T(what_cannot_begin_fails_all_that_ask), T(another_file_is_loaded_in_place_of_the_old_one),
        T(what_others_could_have_written_is_not_loaded), T(it_does_not_start_without_its_folder_and_its_program), T(processes_end_with_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
