/* What lies in folders: rows of a table, in the order in which it was put there. A child that the caller may not read is not
 * there for him; he neither sees it nor takes it out. Folders never lie in themselves, over any number of others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "body.h"
#include "parts.h"

enum { CHILDREN_MAX = 10000, SHOWN_MAX = 50000 };      /* of a folder; of all folders that a call answers */

/* ---- reading ---- */

struct child { int64_t num; enum um_category category; char *id, *acl, *class_id; bool hidden; };
struct children { struct child *rows; size_t n, cap; };

static void children_free(struct children *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->rows[i].id);
        free(l->rows[i].acl);
        free(l->rows[i].class_id);
    }
    free(l->rows);
    *l = (struct children){ 0 };
}

static um_err add_row(void *arg, const struct um_sql_row *row)
{
    struct children *l = arg;
    enum um_category k;

    if (!um_category_of(um_sql_text(row, 1), &k))
        return UM_ECORRUPT;
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 16 : 2 * l->cap;
        l->rows = um_xrealloc(l->rows, l->cap * sizeof(l->rows[0]));
    }
    l->rows[l->n++] = (struct child){ .num = um_sql_int(row, 0), .category = k, .id = um_xstrdup(um_sql_text(row, 2)),
                                      .acl = um_xstrdup(um_sql_text(row, 3)), .class_id = um_xstrdup(um_sql_text(row, 4)) };
    return UM_OK;
}

/* An ACL with rules looks at the component itself. */
static um_err judge(struct um_call *c, struct child *it)
{
    const struct acl *acl = um_model_acl(c->model, it->acl);
    struct component m = { 0 };
    bool may = false;
    um_err err;

    if (acl == NULL || !acl_has_rules(acl)) {
        err = um_may(c, it->acl, NULL, UM_MAY_READ, &may);
    } else {
        err = component_fetch(c, it->category, it->id, &m);
        if (err == UM_OK)
            err = component_may(c, &m, UM_MAY_READ, &may);
        component_done(&m);
    }
    it->hidden = !may;
    return err;
}

static um_err read_children(struct um_call *c, int64_t folder, struct children *out)
{
    um_err err = um_sql_each(c->q, "SELECT f.child, c.category, c.id, c.acl, c.class_id FROM folder_children f"
                                   " JOIN components c ON c.num = f.child WHERE f.folder = ?1 ORDER BY f.position, f.child LIMIT ?2",
                             UM_SQL_ARGS(UM_SQL_INT(folder), UM_SQL_INT(CHILDREN_MAX)), add_row, out);

    for (size_t i = 0; i < out->n && err == UM_OK; i++)
        err = judge(c, &out->rows[i]);
    return err;
}

um_err folder_show(struct um_call *c, const struct component *m, json_t *body)
{
    struct children l = { 0 };
    json_t *shown = json_array();
    um_err err = read_children(c, m->num, &l);

    c->children += (unsigned)l.n;
    if (err == UM_OK && c->children > SHOWN_MAX)
        err = um_fail(c, UM_U00413, "the folders of one call have at most %d children", SHOWN_MAX);
    for (size_t i = 0; i < l.n && err == UM_OK; i++)
        if (!l.rows[i].hidden)
            json_array_append_new(shown, json_pack("{s:s, s:s}", "category", um_category_word(l.rows[i].category),
                                                   "id", l.rows[i].id));
    json_object_set_new(body, "children", shown);
    children_free(&l);
    return err;
}

/* ---- changing ---- */

enum how { ADD, REPLACE, REMOVE };
struct change {
    struct um_call *c;
    struct component *folder;
    struct children now;                     /* what lies there, by place */
    struct um_map by_num;                    /* of NOW */
    int64_t next;                            /* place behind the last */
    size_t n_added, n_removed, n;
};

static struct um_span key_of(const int64_t *num) { return UM_SPAN((const uint8_t *)num, sizeof(*num)); }

/* The folder itself, or one that it lies in. */
static um_err is_above(struct change *ch, int64_t num, bool *above)
{
    struct um_sql_row row;
    um_err err;

    *above = num == ch->folder->num;
    if (*above)
        return UM_OK;
    err = um_sql_one(ch->c->q, "WITH RECURSIVE up(n) AS (SELECT folder FROM folder_children WHERE child = ?1 UNION"
                               " SELECT f.folder FROM folder_children f JOIN up ON f.child = up.n) SELECT n FROM up WHERE n = ?2",
                     UM_SQL_ARGS(UM_SQL_INT(ch->folder->num), UM_SQL_INT(num)), &row);
    *above = err == UM_OK;
    return err == UM_ENOTFOUND ? UM_OK : err;
}

static um_err check_child(struct change *ch, const struct component *m, const char *path)
{
    const json_t *rules = json_object_get(component_class(ch->c, ch->folder), "children");
    bool admitted = false, above = false;
    um_err err = UM_OK;
    size_t i;
    json_t *rule;

    json_array_foreach(rules, i, rule)
        admitted = admitted || rule_admits(rule, "id", m);
    if (!admitted)
        return um_fail_at(ch->c, UM_U00400, path, "the folder's class does not let a %s of class %s lie in it",
                          um_category_word(m->category), component_class_id(m));
    if (m->category == UM_CATEGORY_FOLDER)
        err = is_above(ch, m->num, &above);
    if (err == UM_OK && above)
        return um_fail_at(ch->c, UM_U00400, path, "a folder does not lie in itself");
    return err == UM_OK && m->category != UM_CATEGORY_TASK ? component_need(ch->c, m, UM_MAY_ATTACH) : err;
}

static void note(struct change *ch, const char *what, enum um_category k, const char *id, const char *class_id)
{
    char value[UM_DOMAIN_ID_MAX + 20];

    if (ch->folder->told == NULL)
        ch->folder->told = json_array();
    if (ch->folder->moved == NULL)
        ch->folder->moved = json_array();
    json_array_append_new(ch->folder->moved, json_pack("{s:s, s:s, s:s, s:s}", "change", what, "category", um_category_word(k), "id", id,
                                                       "classId", class_id));
    snprintf(value, sizeof(value), "%s/%s", um_category_word(k), id);
    json_array_append_new(ch->folder->told, json_pack("{s:s, s:s}", "name", what, "value", value));
}

static um_err insert(struct change *ch, const struct component *m, const char *path)
{
    um_err err = check_child(ch, m, path);

    if (err != UM_OK)
        return err;
    if (++ch->n > CHILDREN_MAX)
        return um_fail_at(ch->c, UM_U00413, path, "a folder has at most %d children", CHILDREN_MAX);
    ch->n_added++;
    note(ch, "added", m->category, component_id(m), component_class_id(m));
    return um_sql_exec(ch->c->q, "INSERT INTO folder_children(folder, child, position) VALUES(?1, ?2, ?3)",
                       UM_SQL_ARGS(UM_SQL_INT(ch->folder->num), UM_SQL_INT(m->num), UM_SQL_INT(ch->next++)), NULL);
}

static um_err take_out(struct change *ch, int64_t num, enum um_category k, const char *id, const char *class_id)
{
    note(ch, "removed", k, id, class_id);
    ch->n_removed++;
    ch->n--;
    return um_sql_exec(ch->c->q, "DELETE FROM folder_children WHERE folder = ?1 AND child = ?2",
                       UM_SQL_ARGS(UM_SQL_INT(ch->folder->num), UM_SQL_INT(num)), NULL);
}

/* One that is named: put in, or taken out, unless that is so already. */
static um_err apply(struct change *ch, enum how how, const json_t *reference, const char *path, struct um_map *named)
{
    struct component m = { 0 };
    um_err err = reference_find(ch->c, reference, path, &m);
    bool there = err == UM_OK && um_map_get(&ch->by_num, key_of(&m.num)) != NULL;
    bool first = err == UM_OK && um_map_put(named, key_of(&m.num), ch) == NULL;

    if (err == UM_OK && first && how == REMOVE && there)
        err = take_out(ch, m.num, m.category, component_id(&m), component_class_id(&m));
    else if (err == UM_OK && first && how != REMOVE && !there)
        err = insert(ch, &m, path);
    component_done(&m);
    return err;
}

static um_err apply_all(struct change *ch, enum how how, const json_t *references, const char *path)
{
    struct um_map named = { 0 };
    um_err err = UM_OK;

    for (size_t i = 0; i < json_array_size(references) && err == UM_OK; i++) {
        char at[64];

        snprintf(at, sizeof(at), "%s/%zu", path, i);
        err = apply(ch, how, json_array_get(references, i), at, &named);
    }
    for (size_t i = 0; i < ch->now.n && how == REPLACE && err == UM_OK; i++)
        if (!ch->now.rows[i].hidden && um_map_get(&named, key_of(&ch->now.rows[i].num)) == NULL)
            err = take_out(ch, ch->now.rows[i].num, ch->now.rows[i].category, ch->now.rows[i].id, ch->now.rows[i].class_id);
    um_map_free(&named);
    return err;
}

static um_err next_place(struct change *ch)
{
    struct um_sql_row row;
    um_err err = um_sql_one(ch->c->q, "SELECT CAST(coalesce(max(position), 0) AS BIGINT) FROM folder_children WHERE folder = ?1",
                            UM_SQL_ARGS(UM_SQL_INT(ch->folder->num)), &row);

    ch->next = err == UM_OK ? um_sql_int(&row, 0) + 1 : 0;
    return err;
}

/* How many were put in and taken out, for which the caller had the rights. */
static um_err change(struct um_call *c, struct component *folder, enum how how, const json_t *references, const char *path,
                     size_t *added, size_t *removed)
{
    struct change ch = { .c = c, .folder = folder };
    um_err err = read_children(c, folder->num, &ch.now);

    for (size_t i = 0; i < ch.now.n; i++)
        um_map_put(&ch.by_num, key_of(&ch.now.rows[i].num), &ch.now.rows[i]);
    ch.n = ch.now.n;
    if (err == UM_OK)
        err = next_place(&ch);
    if (err == UM_OK)
        err = apply_all(&ch, how, references, path);
    if (err == UM_OK && ch.n_added > 0)
        err = component_need(c, folder, UM_MAY_ATTACH);
    if (err == UM_OK && ch.n_removed > 0)
        err = component_need(c, folder, UM_MAY_DETACH);
    *added = ch.n_added;
    *removed = ch.n_removed;
    um_map_free(&ch.by_num);
    children_free(&ch.now);
    return err;
}

/* ---- with the whole folder ---- */

um_err folder_complete(struct um_call *c, struct draft *d)
{
    const json_t *children = json_object_get(d->asked, "children");

    json_object_del(d->body, "children");
    return children == NULL || json_is_null(children) || json_is_array(children)
         ? UM_OK : draft_fail(c, d, UM_U00400, "children", "a list of references");
}

um_err folder_kept(struct um_call *c, struct component *m, const struct draft *d)
{
    const json_t *children = json_object_get(d->asked, "children");
    size_t added, removed;
    char path[48];

    snprintf(path, sizeof(path), "%s/children", d->path);
    return json_is_array(children) ? change(c, m, REPLACE, children, path, &added, &removed) : UM_OK;
}

/* ---- calls ---- */

/* Those of LIST (may be NULL) whose MEMBER is WHAT, and LIST without them. */
static json_t *take_those(json_t *list, const char *member, const char *what)
{
    json_t *those = list != NULL ? json_array() : NULL;

    for (size_t i = 0; i < json_array_size(list);) {
        json_t *one = json_array_get(list, i);

        if (strcmp(json_string_value(json_object_get(one, member)), what) == 0) {
            json_array_append(those, one);
            json_array_remove(list, i);
        } else {
            i++;
        }
    }
    return those;
}

/* Putting in and taking out at once are two changes: handlers of either hear of their own, and may refuse it. */
static um_err keep(struct um_call *c, struct component *m, size_t added, size_t removed)
{
    json_t *told = NULL, *moved = NULL;
    um_err err = UM_OK;

    if (added > 0 && removed > 0) {
        told = take_those(m->told, "name", "removed");
        moved = take_those(m->moved, "change", "removed");
    }
    if (added > 0)
        err = component_save_as(c, m, json_incref(m->body), UM_ACTION_ADD_CONTENT);
    if (told != NULL) {
        json_decref(m->told);
        json_decref(m->moved);
        m->told = told;
        m->moved = moved;
    }
    return err == UM_OK && removed > 0 ? component_save_as(c, m, json_incref(m->body), UM_ACTION_DELETE_CONTENT) : err;
}

static um_err work(struct um_call *c, enum how how)
{
    struct component m = { 0 };
    size_t added = 0, removed = 0;
    um_err err = component_check_one_free(c, UM_CATEGORY_FOLDER, um_arg_id(c, "ids", 0));

    if (err == UM_OK)
        err = component_find(c, UM_CATEGORY_FOLDER, um_arg_id(c, "ids", 0), &m);
    if (err == UM_OK)
        err = um_body_check_version(c, NULL, m.body, "");
    if (err == UM_OK && how == REPLACE)
        err = component_need(c, &m, UM_MAY_UPDATE_CONTENT);
    if (err == UM_OK)
        err = change(c, &m, how, c->body, "", &added, &removed);
    if (err == UM_OK)
        err = keep(c, &m, added, removed);
    c->reply = json_array();
    if (err == UM_OK)
        err = component_show(c, &m);
    component_done(&m);
    return err;
}

static um_err add(struct um_call *c) { return work(c, ADD); }
static um_err replace(struct um_call *c) { return work(c, REPLACE); }
static um_err take(struct um_call *c) { return work(c, REMOVE); }

const struct um_domain_call um_folders_add = { "folders.children.add", add, UM_CALL_WRITES };
const struct um_domain_call um_folders_set = { "folders.children.set", replace, UM_CALL_WRITES };
const struct um_domain_call um_folders_remove = { "folders.children.remove", take, UM_CALL_WRITES };
