/* model.import: scopes that an installation begins with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/import.h>
#include <umbel/log.h>
#include <umbel/loop.h>
#include <umbel/model_files.h>
#include <umbel/util.h>

static const struct um_conf_key keys[] = {
    { "model.import", NULL, "", "models (docs/admin/model.md) of scopes that are made at the start when they do not exist: files or folders, "
      "relative ones in the data directory", UM_CONF_LIST, 0, .at = offsetof(struct um_import_conf, paths) },
    { "model.variables.*", NULL, NULL, "value of a variable of these models; names in lower case", UM_CONF_STR,
      UM_CONF_UNBOUND | UM_CONF_SECRET, .max = 4096 },
};
const struct um_conf_table um_import_conf_table = UM_CONF_TABLE("Models", keys);

struct starting {                            /* one model */
    struct um_loop *loop;
    const struct um_conf *conf;
    const char *path;
    char *why;
    bool failed;
};

enum { WHY_MAX = 1024 };

static void on_fault(void *arg, const struct um_model_item *item, const char *pointer, const char *message)
{
    struct starting *s = arg;

    if (!s->failed)
        (void)snprintf(s->why, WHY_MAX, "%s:%u: %s %s%s: %s", item->file, item->at.line, um_model_kind_word(item->kind), item->id, pointer, message);
    s->failed = true;
}

static um_err offer_variables(struct um_model_list *l, const struct um_conf *conf, struct um_model_error *error)
{
    const char *name, *value;
    um_err err = UM_OK;
    size_t pos = 0;

    while (err == UM_OK && conf != NULL && um_conf_next(conf, "model.variables", &pos, &name, &value))
        err = um_model_list_offer(l, name, value, error);
    return err;
}

static struct um_model_list *read_model(struct starting *s, const struct um_api *api)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error error;
    struct um_buf text = { 0 };
    um_err err = um_model_files_read(l, s->path, &error);

    if (err == UM_OK)
        err = offer_variables(l, s->conf, &error);
    if (err == UM_OK)
        err = um_model_list_finish(l, &error);
    if (err != UM_OK) {
        um_model_error_text(&error, &text);
        (void)snprintf(s->why, WHY_MAX, "%s", um_buf_cstr(&text));
        um_buf_free(&text);
        s->failed = true;
        return l;
    }
    um_import_judge(api, l, on_fault, s);
    if (!s->failed && um_import_scope(l) == NULL) {
        (void)snprintf(s->why, WHY_MAX, "%s: no scope is in it", s->path);
        s->failed = true;
    }
    return l;
}

static void imported(void *arg, const struct um_import_report *report)
{
    struct starting *s = arg;
    const json_t *detail = report->problem != NULL ? json_array_get(report->problem->details, 0) : NULL;

    /* Another core may have made the same scope at the same moment: then it is there. */
    if (report->problem != NULL && report->problem->status == 409) {
        um_log(UM_INFO, "core", "model not imported: somebody else made its scope", UM_S("model", s->path));
    } else if (report->problem != NULL) {
        (void)snprintf(s->why, WHY_MAX, "%s: %s %s", s->path, json_is_object(detail) ? json_string_value(json_object_get(detail, "path")) : "",
                       report->problem->message);
        s->failed = true;
    } else if (!report->existed) {
        um_log(UM_INFO, "core", "model imported", UM_S("model", s->path), UM_I("objects", report->applied));
    }
    um_loop_stop(s->loop);
}

static bool import_one(struct starting *s, struct um_domain *d, const struct um_api *api)
{
    static const char *const roles[] = { "SYSTEM_ADMIN" };
    struct um_model_list *l = read_model(s, api);
    struct um_who who = { .user = "system", .scope = "", .session = "", .request = "", .address = "", .profiles = { roles, 1 } };
    struct um_import what = { .domain = d, .loop = s->loop, .who = &who, .list = l, .mode = UM_IMPORT_NEW, .may_create = true };

    if (s->failed) {
        um_model_list_free(l);
        return false;
    }
    who.scope = um_import_scope(l)->id;
    um_import_run(&what, imported, s);
    um_loop_run(s->loop);
    return !s->failed;
}

bool um_import_at_start(const struct um_import_conf *cf, const struct um_conf *conf, const char *folder, struct um_domain *d, const struct um_api *api, char why[WHY_MAX])
{
    bool ok = true;

    for (size_t i = 0; i < cf->paths.n && ok; i++) {
        const char *path = cf->paths.items[i];
        char *whole = *path == '/' ? um_xstrdup(path) : um_xasprintf("%s/%s", folder, path);
        struct starting s = { .loop = um_loop_new(0), .conf = conf, .path = whole, .why = why };

        ok = import_one(&s, d, api);
        um_loop_free(s.loop);
        free(whole);
    }
    return ok;
}
