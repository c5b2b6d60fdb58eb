#include <stdio.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "search/fields.h"

static const struct { const char *name, *column; enum field_kind kind; } members[] = {
    { "id", "id", FIELD_TEXT },
    { "name", "name", FIELD_TEXT },
    { "classid", "class_id", FIELD_TEXT },
    { "category", "category", FIELD_TEXT },
    { "status", "status", FIELD_TEXT },
    { "owner", "owner", FIELD_TEXT },
    { "assignee", "assignee", FIELD_TEXT },
    { "acl", "acl", FIELD_TEXT },
    { "creationDate", "created_ms", FIELD_MOMENT },
    { "lastUpdateDate", "updated_ms", FIELD_MOMENT },
    { "Content", NULL, FIELD_WORDS },
};

static bool find_member(const char *name, bool exactly, struct field *out)
{
    for (size_t i = 0; i < UM_COUNT(members); i++)
        if (exactly ? strcmp(members[i].name, name) == 0 : um_ascii_ieq(members[i].name, name)) {
            *out = (struct field){ .name = name, .column = members[i].column, .kind = members[i].kind };
            return true;
        }
    return false;
}

void field_find(const struct um_model *m, const char *name, struct field *out)
{
    const json_t *class = m != NULL ? um_model_find(m, UM_KIND_TAG_CLASS, name) : NULL;

    if (find_member(name, true, out) || (class == NULL && find_member(name, false, out)))
        return;
    *out = (struct field){ .name = name, .type = um_tag_type(class) };
    out->kind = um_tag_is_number(out->type) ? FIELD_NUMBER : FIELD_TEXT;
}

void field_of(const struct um_call *c, enum um_category category, const char *name, struct field *out)
{
    field_find(c->model, name, out);
    if (out->column == NULL && out->kind != FIELD_WORDS)
        out->tag = field_number(c->scope, category, name);
}

static uint64_t hash(const char *scope, enum um_category category, const char *tag)
{
    struct um_buf b = { 0 };
    uint64_t h;

    um_buf_printf(&b, "%s/%s/%s", scope, um_category_word(category), tag);
    UM_ASSERT(!b.failed);
    h = um_hash_stable(UM_SPAN(b.data, b.len)) >> 16;
    um_buf_free(&b);
    return h;
}

int64_t field_number(const char *scope, enum um_category category, const char *tag) { return (int64_t)hash(scope, category, tag); }

void field_mark(const char *scope, enum um_category category, char out[FIELD_MARK_MAX])
{
    snprintf(out, FIELD_MARK_MAX, "\u00a7%llx", (unsigned long long)hash(scope, category, ""));
}

size_t field_cut(const char *value)
{
    size_t n = strnlen(value, FIELD_VALUE_MAX + 1);

    if (n <= FIELD_VALUE_MAX)
        return n;
    for (n = FIELD_VALUE_MAX; ((unsigned char)value[n] & 0xc0) == 0x80;)
        n--;
    return n;
}
