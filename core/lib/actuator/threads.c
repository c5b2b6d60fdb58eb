/* threaddump: the threads of the process as the kernel knows them: name, state, processor time. There are no stacks in it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/util.h>
#include "internal.h"

struct thread { long id; char name[32], state; long long ticks; };

/* /proc/self/task/<id>/stat: "id (name) state ... utime stime": the name may have anything in it, the last ")" ends it. */
static bool read_thread(const char *id, struct thread *t)
{
    char path[64], line[512], *name, *end;
    long long user, system;
    FILE *f;
    bool ok;

    snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", id);
    f = fopen(path, "re");
    if (f == NULL)
        return false;                         /* it has ended */
    ok = fgets(line, sizeof(line), f) != NULL && (name = strchr(line, '(')) != NULL && (end = strrchr(line, ')')) != NULL &&
         sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &t->state, &user, &system) == 3;
    fclose(f);
    if (!ok)
        return false;
    *end = '\0';
    t->id = strtol(line, NULL, 10);
    t->ticks = user + system;
    snprintf(t->name, sizeof(t->name), "%.31s", name + 1);
    return true;
}

static const char *state_text(char state)
{
    static const struct { char c; const char *text; } states[] = { { 'R', "RUNNABLE" }, { 'S', "WAITING" }, { 'D', "BLOCKED" }, { 'Z', "TERMINATED" } };

    for (size_t i = 0; i < UM_COUNT(states); i++)
        if (states[i].c == state)
            return states[i].text;
    return "TIMED_WAITING";
}

static long long ms_of(const struct thread *t) { return t->ticks * 1000 / sysconf(_SC_CLK_TCK); }

static json_t *thread_json(const struct thread *t)
{
    return json_pack("{s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:i, s:[], s:[], s:[], s:I}", "threadName", t->name, "threadId",
                     (json_int_t)t->id, "threadState", state_text(t->state), "blockedTime", (json_int_t)-1, "blockedCount", (json_int_t)-1,
                     "waitedTime", (json_int_t)-1, "waitedCount", (json_int_t)-1, "lockOwnerId", (json_int_t)-1, "daemon", 0, "inNative", 1,
                     "suspended", t->state == 'T', "priority", 5, "stackTrace", "lockedMonitors", "lockedSynchronizers", "cpuTimeMs",
                     (json_int_t)ms_of(t));
}

void um_actuator_threads(const struct um_actuator *a, struct um_http_req *rq)
{
    const char *accept = um_http_header(rq, "Accept");
    bool plain = accept != NULL && um_token_list_has(accept, "text/plain") && strstr(accept, "json") == NULL;
    struct um_buf text = { 0 };
    const struct dirent *entry;
    json_t *list, *json;
    struct thread t;
    DIR *d;

    if (!um_actuator_exposes(a, rq, "threaddump"))
        return;
    list = json_array();
    d = opendir("/proc/self/task");
    while (d != NULL && (entry = readdir(d)) != NULL) {
        if (entry->d_name[0] == '.' || !read_thread(entry->d_name, &t))
            continue;
        um_buf_printf(&text, "\"%s\" #%ld %s cpu=%lldms\n", t.name, t.id, state_text(t.state), ms_of(&t));
        if ((json = thread_json(&t)) != NULL)
            json_array_append_new(list, json);
    }
    if (d != NULL)
        closedir(d);
    if (plain)
        um_http_reply(rq, 200, "text/plain;charset=UTF-8", UM_SPAN(text.data, text.len));
    else
        um_actuator_reply(a, rq, 200, json_pack("{s:O}", "threads", list));
    json_decref(list);
    um_buf_free(&text);
}
