/* See conditions.h. */
#include <string.h>
#include "conditions.h"
#include "principals.h"

static bool tag_has(const json_t *tags, struct um_span name, const char *value)
{
    size_t i, k;
    json_t *tag, *v;

    json_array_foreach(tags, i, tag) {
        const char *n = json_string_value(json_object_get(tag, "name"));

        if (n == NULL || strlen(n) != name.len || memcmp(n, name.data, name.len) != 0)
            continue;
        json_array_foreach(json_object_get(tag, "value"), k, v)
            if (json_is_string(v) && strcmp(json_string_value(v), value) == 0)
                return true;
    }
    return false;
}

static bool starts(const char **p, const char *with)
{
    size_t n = strlen(with);

    if (strncmp(*p, with, n) != 0)
        return false;
    *p += n;
    return true;
}

/* ${user.authorities}.contains("G") */
static bool has_authority(const char *p, const struct principals *who)
{
    char name[UM_DOMAIN_ID_MAX + 1];
    size_t n = strcspn(p, "\"");

    if (n >= sizeof(name) || strcmp(p + n, "\")") != 0)
        return false;
    memcpy(name, p, n);
    name[n] = '\0';
    return who != NULL && principals_have(who, name);
}

/* A condition taken apart. TAG without data: the class, or with AUTHORITY what the caller belongs to. */
struct parts { bool negated, equal; struct um_span tag; const char *authority, *value; };

static bool read_parts(const char *text, struct parts *out)
{
    const char *p = text, *end;

    *out = (struct parts){ .negated = starts(&p, "!") };
    if (starts(&p, "${user.authorities}.contains(\"")) {
        out->authority = p;
        return true;
    }
    if (starts(&p, "${tags.")) {
        if ((end = strchr(p, '}')) == NULL)
            return false;
        out->tag = UM_SPAN((const uint8_t *)p, (size_t)(end - p));
        p = end + 1;
    } else if (!starts(&p, "${data.classid}")) {
        return false;
    }
    out->equal = starts(&p, "==");
    if (!out->equal && !starts(&p, "!="))
        return false;
    out->value = p;
    return true;
}

bool condition_read(const char *text, struct um_span *tag)
{
    struct parts of;
    bool is_one = read_parts(text, &of);

    *tag = of.tag;
    return is_one;
}

bool condition_holds(const char *text, const struct principals *who, const struct acl_about *about)
{
    struct parts of;
    bool is;

    if (!read_parts(text, &of))
        return false;
    if (of.authority != NULL)
        return has_authority(of.authority, who) != of.negated;
    is = of.tag.data != NULL ? about != NULL && tag_has(about->tags, of.tag, of.value)
                             : about != NULL && about->class_id != NULL && strcmp(about->class_id, of.value) == 0;
    return (is == of.equal) != of.negated;
}
