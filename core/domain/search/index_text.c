#include <stdlib.h>
#include <string.h>
#include "search/index_text.h"
#include "search/words.h"

static um_err room_for(struct um_call *c, int64_t num, const char *part, size_t *room)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT CAST(COALESCE(sum(length(text)), 0) AS BIGINT) FROM component_text WHERE num = ?1 AND part <> ?2",
                            UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(part)), &row);
    int64_t others = err == UM_OK ? um_sql_int(&row, 0) : 0;

    *room = others < INDEX_WORDS_MAX ? (size_t)(INDEX_WORDS_MAX - others) : 0;
    return err;
}

/* What is the same is not written: each write makes the words of the whole component anew. */
static um_err write(struct um_call *c, int64_t num, const char *part, const char *words)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT text FROM component_text WHERE num = ?1 AND part = ?2",
                            UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(part)), &row);
    bool is_new = err == UM_ENOTFOUND;

    if (err != UM_OK && !is_new)
        return err;
    if (!is_new && strcmp(um_sql_text(&row, 0), words) == 0)
        return UM_OK;
    return um_sql_exec(c->q, is_new ? "INSERT INTO component_text(num, part, text) VALUES(?1, ?2, ?3)"
                                    : "UPDATE component_text SET text = ?3 WHERE num = ?1 AND part = ?2",
                       UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(part), um_sql_word(words)), NULL);
}

um_err index_text_after(struct um_call *c, int64_t num, const char *part, const char *words, struct um_span text, bool *cut)
{
    struct words w = { .max = 0 };
    um_err err = room_for(c, num, part, &w.max);

    um_buf_puts(&w.text, words);
    words_add(&w, text);
    if (err == UM_OK)
        err = w.text.failed ? UM_ENOMEM : write(c, num, part, um_buf_cstr(&w.text));
    if (cut != NULL)
        *cut = w.cut;
    words_free(&w);
    return err;
}

um_err index_text(struct um_call *c, int64_t num, const char *part, struct um_span text, bool *cut)
{
    return index_text_after(c, num, part, "", text, cut);
}

um_err index_text_remove(struct um_call *c, int64_t num, const char *part)
{
    if (part == NULL)
        return um_sql_exec(c->q, "DELETE FROM component_text WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), NULL);
    return um_sql_exec(c->q, "DELETE FROM component_text WHERE num = ?1 AND part = ?2", UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(part)), NULL);
}
