#include "search_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "call.h"
#include "dates.h"
#include "index.h"
#include "search/index_text.h"
#include "search/search.h"

enum { PORTION = 50 };

static const char *text_of(const json_t *o, const char *member)
{
    const char *s = json_string_value(json_object_get(o, member));

    return s != NULL ? s : "";
}

static int64_t moment(const json_t *data, const char *member, int64_t without)
{
    int64_t ms;

    return um_date_read(text_of(data, member), &ms) ? ms : without;
}

static um_err put_one(struct um_call *c, json_t *body)
{
    const json_t *data = json_object_get(body, "data");
    char *text = json_dumps(body, JSON_COMPACT);
    struct um_sql_row row;
    int64_t num = 0;
    um_err err = um_sql_one(c->q, "SELECT num FROM components WHERE scope = ?1 AND category = ?2 AND id = ?3",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word("DOCUMENT"), um_sql_word(text_of(body, "id"))), &row);

    if (err == UM_OK) {
        num = um_sql_int(&row, 0);
        err = um_sql_exec(c->q, "DELETE FROM components WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), NULL);
    }
    if (err == UM_OK || err == UM_ENOTFOUND)
        err = um_sql_one(c->q, "INSERT INTO components(scope, category, id, class_id, name, acl, owner, status, assignee, version,"
                               " created_ms, updated_ms, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?11, ?12) RETURNING num",
                         UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word("DOCUMENT"), um_sql_word(text_of(body, "id")),
                                     um_sql_word(text_of(data, "classId")), um_sql_word(text_of(body, "name")), um_sql_word(text_of(data, "ACL")),
                                     um_sql_word(text_of(data, "owner")), um_sql_word(text_of(data, "status")), um_sql_word(""),
                                     UM_SQL_INT(moment(data, "creationDate", 1000)), UM_SQL_INT(moment(data, "lastUpdateDate", 1000)),
                                     um_sql_word(text)), &row);
    free(text);
    if (err != UM_OK)
        return err;
    if (num != 0)
        err = index_remove(c, num);
    return err == UM_OK ? index_put(c, um_sql_int(&row, 0), UM_CATEGORY_DOCUMENT, body) : err;
}

static um_err put_all(struct um_call *c)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = put_one(c, json_array_get(c->body, i));
    return err;
}
static const struct um_domain_call put_call = { "test.put", put_all, UM_CALL_WRITES };

static um_err put_text(struct um_call *c)
{
    struct um_sql_row row;
    const char *text = um_arg(c, "text");
    um_err err = um_sql_one(c->q, "SELECT num FROM components WHERE scope = ?1 AND id = ?2",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_arg(c, "id"))), &row);
    int64_t num = err == UM_OK ? um_sql_int(&row, 0) : 0;

    if (err != UM_OK)
        return err;
    return *text != '\0' ? index_text(c, num, um_arg(c, "part"), UM_SPAN_STR(text), NULL) : index_text_remove(c, num, um_arg(c, "part"));
}
static const struct um_domain_call text_call = { "test.text", put_text, UM_CALL_WRITES };

static um_err clear(struct um_call *c)
{
    static const char *const texts[] = { "DELETE FROM search_jobs", "DELETE FROM component_text", "DELETE FROM component_tags", "DELETE FROM components" };
    um_err err = UM_OK;

    for (size_t i = 0; i < UM_COUNT(texts) && err == UM_OK; i++)
        err = um_sql_exec(c->q, texts[i], UM_SQL_NO_ARGS, NULL);
    return err;
}
static const struct um_domain_call clear_call = { "test.clear", clear, UM_CALL_WRITES };

void search_rig_clear(struct domain_rig *r) { assert_done(r, &clear_call, NULL, NULL); }

/* In portions: a unit of work has two seconds, on a busy machine too. */
void search_rig_put_json(struct domain_rig *r, json_t *bodies)
{
    json_t *part = json_array();

    for (size_t i = 0; i < json_array_size(bodies); i++) {
        json_array_append(part, json_array_get(bodies, i));
        if (json_array_size(part) == PORTION || i + 1 == json_array_size(bodies)) {
            char *text = json_dumps(part, JSON_COMPACT);

            assert_done(r, &put_call, NULL, text);
            free(text);
            json_array_clear(part);
        }
    }
    json_decref(part);
    json_decref(bodies);
}

void search_rig_put(struct domain_rig *r, const char *body)
{
    json_t *one = domain_rig_json(body);

    search_rig_put_json(r, json_pack("[o]", one));
}

void search_rig_text(struct domain_rig *r, const char *id, const char *part, const char *text)
{
    json_t *args = json_pack("{s:s, s:s, s:s}", "id", id, "part", part, "text", text);
    char *as_text = json_dumps(args, JSON_COMPACT);

    assert_done(r, &text_call, as_text, NULL);
    free(as_text);
    json_decref(args);
}

void search_rig_model(struct domain_rig *r)
{
    assert_done(r, &um_objects_create, "{'kind':'tagclass'}", "[{'id':'T','type':'STRING'},{'id':'N','type':'INT'},{'id':'D','type':'DATE'}]");
    assert_done(r, &um_objects_create, "{'kind':'acl'}", "[{'id':'ruled','rules':[{'conditions':['${tags.T}==yes'],'aclId':'read'}]}]");
}

const char *search_rig_ids(struct domain_rig *r)
{
    static char ids[1 << 16];
    size_t i;
    json_t *row;

    ids[0] = '\0';
    json_array_foreach(json_object_get(r->reply, "results"), i, row)
        snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s ", text_of(row, "id"));
    return ids;
}

const char *search_rig_search(struct domain_rig *r, const char *request)
{
    const char *code = domain_rig_ask(r, &um_search, "{'category':'DOCUMENT'}", request);

    return *code != '\0' ? code : search_rig_ids(r);
}

static um_err search_many(struct um_call *c)
{
    um_err err = UM_OK;
    json_t *reply;

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++) {
        err = search_run(c, UM_CATEGORY_DOCUMENT, json_array_get(c->body, i), "", true, &reply);
        if (err == UM_OK)
            json_array_append_new(c->reply, reply);
    }
    return err;
}
const struct um_domain_call search_rig_many = { "test.search", search_many, 0 };
