/* See umbel/content_sql.h. A temporary file that has been used up stays as a row without a content until it would have expired, so
 * that the second who tries to use it hears the truth. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

#define FILES "SELECT f.id, f.name, f.format, f.content, c.place, c.sha256, c.size, c.chunk, f.expires_ms FROM content_files f" \
              " LEFT JOIN contents c ON c.id = f.content WHERE f.owner = ?1"
enum { ID, NAME, FORMAT, CONTENT, PLACE, SHA, SIZE, CHUNK, EXPIRES };

/* ---- names ---- */

static bool is_text(const char *s, size_t max)
{
    size_t n = s != NULL ? strlen(s) : 0;

    return n >= 1 && n <= max && um_utf8_is_valid(s, n);
}

static bool is_owner(const char *s) { return is_text(s, UM_CONTENT_OWNER_MAX); }
static bool is_file(const char *s) { return is_text(s, UM_CONTENT_FILE_MAX); }

bool content_is_name(const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if ((uint8_t)*p < 32 || *p == 127)
            return false;
    return is_text(name, UM_CONTENT_NAME_MAX);
}

bool um_content_is_tmp(const char *id)
{
    return strncmp(id, "tmp_", 4) == 0 && strlen(id) == UM_CONTENT_ID_SIZE - 1;
}

um_err um_content_tmp_owner(const char *scope, const char *user, char out[UM_CONTENT_OWNER_MAX + 1])
{
    struct um_buf b = { 0 };
    um_err err = UM_EINVAL;

    um_buf_puts(&b, "~tmp/");
    um_percent_encode(&b, UM_SPAN_STR(scope));
    um_buf_puts(&b, "/");
    um_percent_encode(&b, UM_SPAN_STR(user));
    if (!b.failed && b.len <= UM_CONTENT_OWNER_MAX && user[0] != '\0') {
        memcpy(out, um_buf_cstr(&b), b.len + 1);
        err = UM_OK;
    }
    um_buf_free(&b);
    return err;
}

/* ---- reading ---- */

static void copy(char *out, size_t size, const struct um_sql_row *row, size_t column)
{
    snprintf(out, size, "%s", um_sql_text(row, column));
}

static void read_file(struct um_content_file *f, const struct um_sql_row *row)
{
    copy(f->id, sizeof(f->id), row, ID);
    copy(f->name, sizeof(f->name), row, NAME);
    copy(f->format, sizeof(f->format), row, FORMAT);
    copy(f->content, sizeof(f->content), row, CONTENT);
    copy(f->place, sizeof(f->place), row, PLACE);
    copy(f->sha256, sizeof(f->sha256), row, SHA);
    f->size = um_sql_int(row, SIZE);
    f->chunk = um_sql_int(row, CHUNK);
}

um_err um_content_get(struct um_sql *q, const char *owner, const char *file, struct um_content_file *out)
{
    struct um_sql_row row;
    int64_t expires;
    bool used_up;
    um_err err = um_sql_one(q, FILES " AND f.id = ?2", UM_SQL_ARGS(um_sql_word(owner), um_sql_word(file)), &row);

    if (err != UM_OK)
        return err;
    read_file(out, &row);
    used_up = um_sql_is_null(&row, CONTENT);
    expires = um_sql_is_null(&row, EXPIRES) ? INT64_MAX : um_sql_int(&row, EXPIRES);
    if (expires <= um_sql_now_ms(q))
        return UM_ENOTFOUND;                 /* swept or not */
    return used_up ? UM_ECLOSED : UM_OK;
}

um_err um_content_peek(struct um_content *c, struct um_sql *q, const char *owner, const char *file, size_t max, struct um_buf *out)
{
    struct um_content_file f = { 0 };
    const struct content_place *place;
    um_err err = um_content_get(q, owner, file, &f);

    if (err != UM_OK)
        return err;
    if (f.size > (int64_t)UM_MIN(max, UM_CONTENT_CHUNK))
        return UM_ELIMIT;
    place = c != NULL ? content_place_of(c, f.place) : &content_database;
    return place == NULL || strcmp(place->name, f.place) != 0 ? UM_EUNAVAIL : place->peek(c, q, f.content, (size_t)f.size, out);
}

struct each { um_content_each_cb *cb; void *arg; };

static um_err each_row(void *arg, const struct um_sql_row *row)
{
    struct each *e = arg;
    struct um_content_file f = { 0 };

    read_file(&f, row);
    return um_sql_is_null(row, CONTENT) ? UM_OK : e->cb(e->arg, &f);
}

um_err um_content_each(struct um_sql *q, const char *owner, um_content_each_cb *cb, void *arg)
{
    struct each e = { cb, arg };

    return um_sql_each(q, FILES " ORDER BY f.id", UM_SQL_ARGS(um_sql_word(owner)), each_row, &e);
}

/* ---- writing ---- */

static um_err add(struct um_sql *q, const char *owner, const char *file, const struct um_content_file *like)
{
    int64_t changed = 0;
    um_err err;

    if (!is_owner(owner) || owner[0] == '~' || !is_file(file))
        return UM_EINVAL;
    err = um_sql_exec(q, "INSERT INTO content_files(owner, id, content, name, format, created_ms, expires_ms)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                      UM_SQL_ARGS(um_sql_word(owner), um_sql_word(file), um_sql_word(like->content), um_sql_word(like->name),
                                  um_sql_word(like->format), UM_SQL_INT(um_sql_now_ms(q)), UM_SQL_NULL(INT)), &changed);
    return err == UM_OK && changed == 0 ? UM_EEXIST : err;
}

um_err um_content_bind(struct um_sql *q, const char *scope, const char *user, const char *tmp, const char *owner, const char *file,
                       struct um_content_file *out)
{
    char from[UM_CONTENT_OWNER_MAX + 1];
    struct um_content_file f = { 0 };
    um_err err = um_content_tmp_owner(scope, user, from);

    if (err != UM_OK || !um_content_is_tmp(tmp))
        return UM_ENOTFOUND;
    if ((err = um_content_get(q, from, tmp, &f)) != UM_OK || (err = add(q, owner, file, &f)) != UM_OK)
        return err;
    err = um_sql_exec(q, "UPDATE content_files SET content = ?3 WHERE owner = ?1 AND id = ?2",
                      UM_SQL_ARGS(um_sql_word(from), um_sql_word(tmp), UM_SQL_NULL(TEXT)), NULL);
    if (err != UM_OK || out == NULL)
        return err;
    *out = f;
    snprintf(out->id, sizeof(out->id), "%s", file);
    return UM_OK;
}

um_err um_content_share(struct um_sql *q, const char *owner, const char *file, const char *to_owner, const char *to_file)
{
    struct um_content_file f = { 0 };
    um_err err = um_content_get(q, owner, file, &f);

    return err == UM_OK ? add(q, to_owner, to_file, &f) : err == UM_ECLOSED ? UM_ENOTFOUND : err;
}

um_err um_content_share_all(struct um_sql *q, const char *owner, const char *to_owner)
{
    if (!is_owner(to_owner) || to_owner[0] == '~')
        return UM_EINVAL;
    return um_sql_exec(q, "INSERT INTO content_files(owner, id, content, name, format, created_ms)"
                       " SELECT ?2, id, content, name, format, ?3 FROM content_files WHERE owner = ?1 AND content IS NOT NULL"
                       " ON CONFLICT DO NOTHING",
                       UM_SQL_ARGS(um_sql_word(owner), um_sql_word(to_owner), UM_SQL_INT(um_sql_now_ms(q))), NULL);
}

um_err content_release(struct um_sql *q, const char *id)
{
    return um_sql_exec(q, "UPDATE contents SET due_ms = 0 WHERE id = ?1 AND NOT EXISTS"
                       " (SELECT 1 FROM content_files WHERE content = ?1)", UM_SQL_ARGS(um_sql_word(id)), NULL);
}

um_err um_content_unbind(struct um_sql *q, const char *owner, const char *file)
{
    struct um_content_file f = { 0 };
    um_err err = um_content_get(q, owner, file, &f), gone;

    if (err == UM_ECLOSED)
        return UM_OK;                        /* the row stays, for whoever tries to use it again */
    if (err != UM_OK)
        return err;
    gone = um_sql_exec(q, "DELETE FROM content_files WHERE owner = ?1 AND id = ?2",
                       UM_SQL_ARGS(um_sql_word(owner), um_sql_word(file)), NULL);
    return gone == UM_OK ? content_release(q, f.content) : gone;
}

/* All that the owner has, and those named after it, in two statements, however many they are. Owners are compared by bytes: A is
 * the sign behind @. */
#define OF_OWNER(o) "(" o ".owner = ?1 OR (" o ".owner >= ?2 AND " o ".owner < ?3))"

um_err um_content_unbind_all(struct um_sql *q, const char *owner)
{
    char *from = um_xasprintf("%s@", owner), *below = um_xasprintf("%sA", owner);
    um_err err = um_sql_exec(q, "UPDATE contents SET due_ms = 0 WHERE id IN (SELECT f.content FROM content_files f WHERE " OF_OWNER("f") ")"
                             " AND NOT EXISTS (SELECT 1 FROM content_files o WHERE o.content = contents.id AND NOT " OF_OWNER("o") ")",
                             UM_SQL_ARGS(um_sql_word(owner), um_sql_word(from), um_sql_word(below)), NULL);

    if (err == UM_OK)
        err = um_sql_exec(q, "DELETE FROM content_files WHERE " OF_OWNER("content_files"),
                          UM_SQL_ARGS(um_sql_word(owner), um_sql_word(from), um_sql_word(below)), NULL);
    free(from);
    free(below);
    return err;
}

um_err um_content_rename(struct um_sql *q, const char *owner, const char *file, const char *name)
{
    int64_t changed = 0;
    um_err err;

    if (!content_is_name(name))
        return UM_EINVAL;
    err = um_sql_exec(q, "UPDATE content_files SET name = ?3 WHERE owner = ?1 AND id = ?2",
                      UM_SQL_ARGS(um_sql_word(owner), um_sql_word(file), um_sql_word(name)), &changed);
    return err == UM_OK && changed == 0 ? UM_ENOTFOUND : err;
}
