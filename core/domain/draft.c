/* See draft.h. In the order of the checks: class, rights, dates, tags, and what the category adds. */
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "dates.h"
#include "draft.h"
#include "parts.h"
#include "retention.h"
#include "tags.h"

enum { AHEAD_MAX_MS = 5 * 60 * 1000, NAME_MAX = 1000, STATUS_MAX = 200 };

um_err draft_fail(struct um_call *c, const struct draft *d, enum um_code code, const char *member, const char *why)
{
    char at[128];

    snprintf(at, sizeof(at), "%s/%s", d->path, member);
    return um_fail_at(c, code, at, "%s", why);
}

static void set(json_t *o, const char *member, const char *text)
{
    json_object_set_new(o, member, json_string(text));
}

static const char *class_id(const struct draft *d)
{
    const char *asked = um_body_data(d->asked, "classId");

    return asked != NULL || d->before == NULL ? asked : component_class_id(d->before);
}

static um_err find_class(struct um_call *c, struct draft *d)
{
    const char *id = class_id(d), *category = json_string_value(json_object_get(d->asked, "category"));
    char why[300];

    if (category != NULL && strcmp(category, um_category_word(d->category)) != 0)
        return draft_fail(c, d, UM_U00400, "category", "this is another category");
    snprintf(why, sizeof(why), id != NULL ? "there is no class %s" : "a component has a class%s", id != NULL ? id : "");
    d->class = um_model_find(c->model, um_class_kind(d->category), id);
    if (d->class == NULL)
        return draft_fail(c, d, UM_F00206, "data/classId", why);
    if (d->before == NULL && json_is_false(json_object_get(d->class, "active")))
        return draft_fail(c, d, UM_U00400, "data/classId", "the class is not active");
    return UM_OK;
}

/* Who makes an instance, or makes another one an instance of this class, may CREATE under the class's ACL. */
static um_err check_class(struct um_call *c, struct draft *d)
{
    const char *id = um_body_id(d->class), *was = d->before != NULL ? component_class_id(d->before) : NULL;
    struct acl_about about = { id, json_object_get(d->asked, "tags") };
    char what[300];

    if (was != NULL && strcmp(was, id) == 0)
        return UM_OK;
    snprintf(what, sizeof(what), "a %s of class %s", um_category_word(d->category), id);
    return um_need(c, um_body_data(d->class, "ACL"), &about, UM_MAY_CREATE, what);
}

/* An ACL other than the class's or the present one is one under which the caller could do what he does: nobody puts a
 * component under rules that he has no part in. */
static um_err choose_acl(struct um_call *c, struct draft *d, json_t *data)
{
    const char *asked = um_body_data(d->asked, "ACL");
    const char *own = d->before != NULL ? um_body_data(d->before->body, "ACL") : um_body_data(d->class, "ACL");
    struct acl_about about = { um_body_id(d->class), json_object_get(d->asked, "tags") };
    char what[300];

    if (asked == NULL || (own != NULL && strcmp(asked, own) == 0)) {
        set(data, "ACL", own != NULL ? own : "");
        return UM_OK;
    }
    snprintf(what, sizeof(what), "there is no ACL %s", asked);
    if (um_model_acl(c->model, asked) == NULL)
        return draft_fail(c, d, UM_T01002, "data/ACL", what);
    snprintf(what, sizeof(what), "the ACL %s", asked);
    return um_need(c, asked, &about, d->before != NULL ? UM_MAY_UPDATE : UM_MAY_CREATE, what);
}

/* A clock that is a little ahead of ours is forgiven: then it is now. */
static um_err check_date(struct um_call *c, struct draft *d, json_t *data)
{
    const char *asked = um_body_data(d->asked, "creationDate");
    int64_t ms;

    if (asked == NULL || d->before != NULL)
        return UM_OK;
    if (!um_date_read(asked, &ms))
        return draft_fail(c, d, UM_U00400, "data/creationDate", "a date is written as 2024-03-07 13:59:54.854 +0100");
    if (ms > c->now_ms + AHEAD_MAX_MS)
        return draft_fail(c, d, UM_F00013, "data/creationDate", "it is in the future");
    if (ms > c->now_ms)
        json_object_del(data, "creationDate");
    return UM_OK;
}

static um_err check_text(struct um_call *c, const struct draft *d, const json_t *v, const char *member, size_t max)
{
    char why[80];

    if (v == NULL || (json_is_string(v) && json_string_length(v) <= max))
        return UM_OK;
    snprintf(why, sizeof(why), "a text of at most %zu bytes", max);
    return draft_fail(c, d, UM_U00400, member, why);
}

static um_err check_texts(struct um_call *c, const struct draft *d)
{
    static const struct { const char *path, *member; size_t max; } rows[] = {
        { "data/status", "status", STATUS_MAX }, { "data/owner", "owner", UM_DOMAIN_ID_MAX },
    };
    um_err err = check_text(c, d, json_object_get(d->asked, "name"), "name", NAME_MAX);

    for (size_t i = 0; i < UM_COUNT(rows) && err == UM_OK; i++)
        err = check_text(c, d, json_object_get(json_object_get(d->asked, "data"), rows[i].member), rows[i].path, rows[i].max);
    return err;
}

static um_err check_tags(struct um_call *c, struct draft *d)
{
    const json_t *tags = json_object_get(d->asked, "tags");
    char at[48];
    struct tags_ask ask = { .path = at, .references = json_object_get(d->class, "tagReferences"), .asked = tags,
                            .before = d->before != NULL ? json_object_get(d->before->body, "tags") : NULL };
    json_t *kept;
    um_err err;

    if (tags != NULL && !json_is_array(tags) && !json_is_null(tags))
        return draft_fail(c, d, UM_U00400, "tags", "a list of tags");
    snprintf(at, sizeof(at), "%s/tags", d->path);
    err = tags_make(c, &ask, &kept);
    if (err == UM_OK)
        json_object_set_new(d->body, "tags", kept);
    return err;
}

/* What a category has beside what all have. */
static um_err (*const complete[UM_CATEGORIES_N])(struct um_call *c, struct draft *d) = {
    [UM_CATEGORY_DOCUMENT] = document_complete, [UM_CATEGORY_FOLDER] = folder_complete, [UM_CATEGORY_TASK] = task_complete,
};

um_err draft_make(struct um_call *c, struct draft *d)
{
    json_t *data = json_copy(json_object_get(d->asked, "data"));
    um_err err;

    if (data == NULL)
        data = json_object();
    d->body = json_copy((json_t *)d->asked);
    json_object_set_new(d->body, "data", data);
    json_object_del(d->body, "reservationToken");
    set(d->body, "id", d->id);
    set(d->body, "category", um_category_word(d->category));
    err = find_class(c, d);
    if (err == UM_OK)
        err = check_class(c, d);
    if (err == UM_OK)
        err = retention_may_change(c, d);
    if (err != UM_OK)
        return err;
    set(data, "classId", um_body_id(d->class));
    if ((err = choose_acl(c, d, data)) != UM_OK || (err = check_date(c, d, data)) != UM_OK)
        return err;
    err = check_texts(c, d);
    if (err == UM_OK)
        err = check_tags(c, d);
    return err == UM_OK && complete[d->category] != NULL ? complete[d->category](c, d) : err;
}
