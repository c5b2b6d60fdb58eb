/* POST /core/rest/admin/archive/run: old versions go to the archive now, or are only told. */
#include <umbel/log.h>
#include <umbel/util.h>
#include "admin/admin.h"

#define RUN_DEADLINE_MS 120000

static json_t *items_json(const struct um_versions_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->n; i++) {
        const struct um_versions_item *it = &report->items[i];
        char at[32];

        um_wall_iso(it->at_ms, at);
        json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:I}", "document", it->document, "seq", (json_int_t)it->seq,
                                              "at", at, "bytes", (json_int_t)it->bytes));
    }
    return list;
}

static void ran(void *arg, um_err err, const struct um_versions_report *report)
{
    struct um_http_req *rq = later_take(arg);
    char before[32];

    if (rq == NULL)
        return;
    if (err == UM_ECLOSED) {
        um_http_reply_error(rq, 503, "U00503", "no archive is configured (archive.url)");
        return;
    }
    if (err != UM_OK) {
        reply_store_error(rq, err);
        return;
    }
    um_wall_iso(report->before_ms, before);
    um_http_reply_json(rq, 200, json_pack("{s:b, s:s, s:o, s:b, s:I, s:I, s:I}", "dryRun", report->dry, "before", before,
                                          "versions", items_json(report), "more", report->more, "archived",
                                          (json_int_t)report->moved, "archivedBytes", (json_int_t)report->moved_bytes, "failed",
                                          (json_int_t)report->failed));
}

void admin_archive_run(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    bool dry = um_api_int(r->api, rq, "dryRun") != 0;

    if (!dry)
        act_fact(rq, r, SCOPE_ALL, "ARCHIVE", "VERSIONS", "*");
    um_http_deadline(rq, RUN_DEADLINE_MS);
    um_versions_run(r->deps.versions, um_http_loop(rq), dry, ran, later_new(rq, r, NULL));
}
