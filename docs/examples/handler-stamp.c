/* An example of a handler as a shared object (docs/handlers.md): it stamps what is written, refuses a name, keeps a list.
 *
 *   BEFORE, at once   the tag `Stamp` becomes "<action> by <user>"; a component with the name "forbidden" is refused
 *   AFTER, as a job   "<key> <action> <name>" is appended to the file that the first line of stamp.conf names, which
 *                     lies beside the library */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include <umbel/handler.h>

struct stamp { char list[1024]; };           /* "": no list is kept */

static int init(const struct umbel_handler_setup *setup, void **state)
{
    struct stamp *s = calloc(1, sizeof(*s));
    char path[1200];
    FILE *conf;

    if (s == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/%s.conf", setup->dir, setup->name);
    conf = fopen(path, "re");
    if (conf != NULL && fgets(s->list, sizeof(s->list), conf) != NULL)
        s->list[strcspn(s->list, "\n")] = '\0';
    if (conf != NULL)
        fclose(conf);
    fprintf(stderr, "%s begins\n", setup->name);         /* into the core's log */
    *state = s;
    return 0;
}

static void end(void *state) { free(state); }

static int refuse(struct umbel_handler_answer *answer)
{
    snprintf(answer->code, sizeof(answer->code), "F00039");
    snprintf(answer->message, sizeof(answer->message), "nothing is called forbidden");
    return UMBEL_REFUSE;
}

/* The component's tags, and ours in place of an earlier one: {"component": {"tags": [...]}}. What is not named
 * stays as it is. */
static char *stamped(const struct umbel_handler_operation *o, const json_t *component)
{
    json_t *tags = json_array(), *all, *tag;
    char *text;
    size_t i;

    json_array_foreach(json_object_get(component, "tags"), i, tag)
        if (strcmp(json_string_value(json_object_get(tag, "name")), "Stamp") != 0)
            json_array_append(tags, tag);
    json_array_append_new(tags, json_pack("{s:s, s:[o]}", "name", "Stamp", "value", json_sprintf("%s by %s", o->action, o->user)));
    all = json_pack("{s:{s:o}}", "component", "tags", tags);
    text = json_dumps(all, JSON_COMPACT);    /* from malloc, as an answer is to be */
    json_decref(all);
    return text;
}

/* One write: a line is there whole or not at all. A job that is told again writes its key again, and who reads the
 * list takes each key once. */
static int note(const struct stamp *s, const struct umbel_handler_operation *o, const char *name)
{
    int fd = open(s->list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char line[1024];
    int n = snprintf(line, sizeof(line), "%s %s %.500s\n", o->idempotence_key, o->action, name);
    int done = fd >= 0 && write(fd, line, (size_t)n) == n && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return done ? UMBEL_GO_ON : UMBEL_LATER;
}

static int handle(void *state, const struct umbel_handler_operation *o, struct umbel_handler_answer *answer)
{
    json_t *all = json_loadb(o->json, o->json_size, 0, NULL);
    const json_t *component = json_object_get(all, "component");
    const char *name = json_string_value(json_object_get(component, "name"));
    int verdict = UMBEL_GO_ON;

    if (*o->job != '\0') {
        verdict = note(state, o, name != NULL ? name : "");
    } else if (name != NULL && strcmp(name, "forbidden") == 0) {
        verdict = refuse(answer);
    } else if (strcmp(o->phase, "BEFORE") == 0) {
        answer->json = stamped(o, component);
        verdict = UMBEL_REPLACE;
    }
    json_decref(all);
    return verdict;
}

const struct umbel_handler umbel_handler = {
    .size = sizeof(struct umbel_handler), .abi = UMBEL_HANDLER_ABI, .name = "stamp 1.0", .init = init, .handle = handle, .end = end,
};
