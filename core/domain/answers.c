/* See answers.h. A key belongs to a user of a scope. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "answers.h"

enum { FORGOTTEN_TOGETHER = 20, PRINT_BYTES = 16 };

static void add(crypto_generichash_state *h, const json_t *v)
{
    char *text = v != NULL ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;

    if (text != NULL)
        crypto_generichash_update(h, (const uint8_t *)text, strlen(text) + 1);
    free(text);
}

/* What was asked, in a few bytes. */
static void print_of(const struct um_call *c, char out[2 * PRINT_BYTES + 1])
{
    crypto_generichash_state h;
    uint8_t bytes[PRINT_BYTES];

    crypto_generichash_init(&h, NULL, 0, sizeof(bytes));
    crypto_generichash_update(&h, (const uint8_t *)c->call->name, strlen(c->call->name) + 1);
    add(&h, c->args);
    add(&h, c->body);
    crypto_generichash_final(&h, bytes, sizeof(bytes));
    sodium_bin2hex(out, 2 * PRINT_BYTES + 1, bytes, sizeof(bytes));
}

um_err answers_find(struct um_call *c, bool *known)
{
    char print[2 * PRINT_BYTES + 1];
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT print, reply, version FROM answers WHERE scope = ?1 AND user_id = ?2 AND key = ?3 AND created_ms > ?4",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user), um_sql_word(c->who->idempotency_key),
                                        UM_SQL_INT(c->now_ms - ANSWERS_KEPT_MS)), &row);

    *known = err == UM_OK;
    if (err != UM_OK)
        return err == UM_ENOTFOUND ? UM_OK : err;
    print_of(c, print);
    if (strcmp(um_sql_text(&row, 0), print) != 0)
        return um_fail(c, UM_U00409, "this Idempotency-Key was used for another request");
    if (!um_sql_is_null(&row, 1)) {
        c->reply = json_loadb((const char *)um_sql_span(&row, 1).data, um_sql_span(&row, 1).len, JSON_DECODE_ANY, NULL);
        if (c->reply == NULL)
            return UM_ECORRUPT;
    }
    c->version = um_sql_int(&row, 2);
    return UM_OK;
}

/* Some of those whose time is over, of anybody. */
static um_err forget_some(struct um_call *c)
{
    return um_sql_exec(c->q, "DELETE FROM answers WHERE num IN (SELECT num FROM answers WHERE created_ms <= ?1 ORDER BY created_ms LIMIT ?2)",
                       UM_SQL_ARGS(UM_SQL_INT(c->now_ms - ANSWERS_KEPT_MS), UM_SQL_INT(FORGOTTEN_TOGETHER)), NULL);
}

um_err answers_keep(struct um_call *c)
{
    char *reply = c->reply != NULL ? json_dumps(c->reply, JSON_COMPACT | JSON_ENCODE_ANY) : NULL, print[2 * PRINT_BYTES + 1];
    um_err err = forget_some(c);

    print_of(c, print);
    if (err == UM_OK)
        err = um_sql_exec(c->q, "INSERT INTO answers(scope, user_id, key, print, reply, version, created_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                " ON CONFLICT (scope, user_id, key) DO UPDATE SET print = ?4, reply = ?5, version = ?6, created_ms = ?7",
                          UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user), um_sql_word(c->who->idempotency_key), um_sql_word(print),
                                      um_sql_word(reply), UM_SQL_INT(c->version), UM_SQL_INT(c->now_ms)), NULL);
    free(reply);
    return err;
}
