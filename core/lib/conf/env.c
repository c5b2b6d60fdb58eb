/* The environment: for each known name the first variable among its four spellings. */
#include <string.h>
#include "conf_int.h"
#include "name.h"

const char *env_raw(const struct um_conf *c, const char *variable)
{
    return um_map_get(&c->env_vars, UM_SPAN_STR(variable));
}

static void add_from(struct um_conf *c, const char *name, const char *variable, const char *value)
{
    source_add(c, c->env, name, value, pool_printf(&c->pool, "environment variable \"%s\"", variable), 0, 0);
}

void env_take(struct um_conf *c, const char *name)
{
    for (int form = 0; form < NAME_ENV_FORMS; form++) {
        struct um_buf b = { 0 };
        name_env_form(&b, name, form);
        const char *value = env_raw(c, um_buf_cstr(&b));
        if (value != NULL)
            add_from(c, name, um_buf_cstr(&b), value);
        um_buf_free(&b);
        if (value != NULL)
            return;
    }
}

/* VARIABLE against the two parts of a pattern: LEFT_<digits>RIGHT. */
static void take_index(struct um_conf *c, const char *left, const char *right, const char *variable, const char *value)
{
    for (int form = 0; form < NAME_ENV_FORMS; form++) {
        struct um_buf l = { 0 }, r = { 0 };
        name_env_form(&l, left, form);
        um_buf_put_u8(&l, '_');
        name_env_form(&r, right, form);
        const char *p = variable;
        size_t digits = 0;
        if (strncmp(p, um_buf_cstr(&l), l.len) == 0) {
            p += l.len;
            digits = strspn(p, "0123456789");
        }
        bool match = digits > 0 && digits < 6 && strcmp(p + digits, um_buf_cstr(&r)) == 0;
        if (match) {
            char *name = pool_printf(&c->pool, "%s[%.*s]%s", left, (int)digits, p, right);
            add_from(c, name, variable, value);
        }
        um_buf_free(&l);
        um_buf_free(&r);
        if (match)
            return;
    }
}

/* LOGGING_LEVEL_COM_FOO -> logging.level.com.foo */
static void take_rest(struct um_conf *c, const char *left, const char *variable, const char *value)
{
    for (int form = 0; form < NAME_ENV_FORMS; form++) {
        struct um_buf l = { 0 }, name = { 0 };
        name_env_form(&l, left, form);
        um_buf_put_u8(&l, '_');
        bool match = strncmp(variable, um_buf_cstr(&l), l.len) == 0 && variable[l.len] != '\0';
        if (match) {
            um_buf_printf(&name, "%s.%s", left, variable + l.len);
            for (size_t i = strlen(left) + 1; i < name.len; i++)
                if (name.data[i] == '_')
                    name.data[i] = '.';
            add_from(c, um_buf_cstr(&name), variable, value);
        }
        um_buf_free(&l);
        um_buf_free(&name);
        if (match)
            return;
    }
}

static void take_pattern(struct um_conf *c, const struct known *k, const char *variable, const char *value)
{
    const char *index = strstr(k->spelled, "[N]");
    size_t n = strlen(k->spelled);

    if (index != NULL)
        take_index(c, pool_str(&c->pool, k->spelled, (size_t)(index - k->spelled)), index + 3, variable, value);
    else if (k->is_pattern)
        take_rest(c, pool_str(&c->pool, k->spelled, n - 2), variable, value);
    else if (k->key->type == UM_CONF_LIST)
        take_index(c, k->spelled, "", variable, value);
}

static void take_flags(struct um_conf *c)
{
    for (size_t i = 0; i < c->from->n_flags; i++) {
        const struct um_conf_flag *f = &c->from->flags[i];
        const char *value = f->env != NULL ? env_raw(c, f->env) : NULL;
        if (value != NULL && *value != '\0')
            add_from(c, f->key, f->env, args_flag_value(c, f, value));
    }
}

void env_read(struct um_conf *c)
{
    for (char *const *e = c->from->environ; e != NULL && *e != NULL; e++) {
        const char *sign = strchr(*e, '=');
        if (sign != NULL && sign != *e && um_map_get(&c->env_vars, UM_SPAN(*e, (size_t)(sign - *e))) == NULL)
            um_map_put(&c->env_vars, UM_SPAN(*e, (size_t)(sign - *e)), pool_str(&c->pool, sign + 1, strlen(sign + 1)));
    }
    for (size_t i = 0; i < c->n_known; i++)
        if (!c->all_known[i]->is_pattern)
            env_take(c, c->all_known[i]->spelled);
    for (size_t i = 0; i < c->n_known; i++) {
        const struct known *k = c->all_known[i];
        if (!k->is_pattern && k->key->type != UM_CONF_LIST)
            continue;
        size_t pos = 0;
        struct um_span variable;
        void *value;
        while (um_map_next(&c->env_vars, &pos, &variable, &value))
            take_pattern(c, k, pool_str(&c->pool, variable.data, variable.len), value);
    }
    take_flags(c);
}
