/* Components by what they have in common: may a class, an ACL or a scope go? */
#include <stdlib.h>
#include <umbel/util.h>
#include "facts.h"

enum { REMOVED_TOGETHER = 100 };             /* components of a scope, in one unit */

static um_err is_any(struct um_call *c, const char *text, const struct um_sql_value *args, size_t n, bool *any)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, text, args, n, &row);

    *any = err == UM_OK;
    return err == UM_ENOTFOUND ? UM_OK : err;
}

um_err component_check_none(struct um_call *c, enum um_kind k, const char *id)
{
    bool any = false;
    um_err err = UM_OK;

    if (k <= UM_KIND_VIRTUAL_FOLDER_CLASS)
        err = is_any(c, "SELECT num FROM components WHERE scope = ?1 AND category = ?2 AND class_id = ?3 LIMIT 1",
                     UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_category_word((enum um_category)k)), um_sql_word(id)), &any);
    else if (k == UM_KIND_ACL)
        err = is_any(c, "SELECT num FROM components WHERE scope = ?1 AND acl = ?2 LIMIT 1",
                     UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id)), &any);
    return err == UM_OK && any ? um_fail(c, UM_U00409, "there are components with %s %s", um_kind_word(k), id) : err;
}

um_err component_any(struct um_call *c, const char *scope, bool *any)
{
    return is_any(c, "SELECT num FROM components WHERE scope = ?1 LIMIT 1", UM_SQL_ARGS(um_sql_word(scope)), any);
}

/* ---- a whole scope ---- */

struct few { size_t n; struct { int64_t num; enum um_category category; json_t *about; } rows[REMOVED_TOGETHER]; };

static um_err add(void *arg, const struct um_sql_row *row)
{
    struct few *f = arg;
    size_t i = f->n++;

    f->rows[i].num = um_sql_int(row, 0);
    f->rows[i].about = json_pack("{s:s, s:{s:s}}", "id", um_sql_text(row, 2), "data", "classId", um_sql_text(row, 3));
    return um_category_of(um_sql_text(row, 1), &f->rows[i].category) ? UM_OK : UM_ECORRUPT;
}

um_err component_remove_some(struct um_call *c, const char *scope, bool *left)
{
    struct few few = { 0 };
    struct um_call of = *c;
    um_err err = um_sql_each(c->q, "SELECT num, category, id, class_id FROM components WHERE scope = ?1 LIMIT ?2",
                             UM_SQL_ARGS(um_sql_word(scope), UM_SQL_INT(REMOVED_TOGETHER)), add, &few);

    of.scope = scope;
    for (size_t i = 0; i < few.n; i++) {
        struct component m = { .category = few.rows[i].category, .num = few.rows[i].num, .body = few.rows[i].about };

        if (err == UM_OK)
            err = component_remove_untold(&of, &m);
        component_done(&m);
    }
    *left = few.n == REMOVED_TOGETHER;
    if (err == UM_OK && !*left)
        err = facts_remove_some(c, scope, left);
    return err;
}
