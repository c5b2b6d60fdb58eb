/* The command line: --key=value for every key, and the stock flags that stand for keys. */
#include <string.h>
#include "conf_int.h"
#include "name.h"

static const char origin[] = "command line";

char *args_flag_value(struct um_conf *c, const struct um_conf_flag *f, const char *value)
{
    const char *hole = f->format != NULL ? strchr(f->format, '%') : NULL;

    if (f->format == NULL)
        return pool_str(&c->pool, value, strlen(value));
    if (hole == NULL)
        return pool_str(&c->pool, f->format, strlen(f->format));
    return pool_printf(&c->pool, "%.*s%s%s", (int)(hole - f->format), f->format, value, hole + 1);
}

static const struct um_conf_flag *find_flag(const struct um_conf *c, const char *arg, const char **value)
{
    for (size_t i = 0; i < c->from->n_flags; i++) {
        const struct um_conf_flag *f = &c->from->flags[i];
        size_t n = strlen(f->flag);
        *value = NULL;
        if (strcmp(arg, f->flag) == 0 || (f->shorthand != NULL && strcmp(arg, f->shorthand) == 0))
            return f;
        if (strncmp(arg, f->flag, n) == 0 && arg[n] == '=') {
            *value = arg + n + 1;
            return f;
        }
    }
    return NULL;
}

/* Returns how many further arguments it used. */
static int take_flag(struct um_conf *c, const struct um_conf_flag *f, const char *value, const char *next)
{
    int used = 0;

    if (value == NULL && next != NULL &&
        (f->kind == UM_CONF_FLAG_VALUE || (f->kind == UM_CONF_FLAG_OPTIONAL && *next != '-'))) {
        value = next;
        used = 1;
    }
    if (value == NULL && f->kind == UM_CONF_FLAG_VALUE) {
        note_at(c, UM_CONF_NOTE_ERROR, origin, 0, 0, "%s needs a value", f->flag);
        return 0;
    }
    if (value == NULL)
        value = f->none != NULL ? f->none : "true";
    source_add(c, c->args, f->key, args_flag_value(c, f, value), origin, 0, 0);
    return used;
}

static void take_key(struct um_conf *c, const char *arg)
{
    const char *sign = strchr(arg, '='), *value = sign != NULL ? sign + 1 : "true";
    char *key = pool_str(&c->pool, arg, sign != NULL ? (size_t)(sign - arg) : strlen(arg));

    if (sign == NULL) {
        struct um_buf b = { 0 };
        name_canonical(&b, key);
        const struct known *k = strlen(key) <= NAME_MAX_BYTES ? known_find(c, um_buf_cstr(&b)) : NULL;
        um_buf_free(&b);
        if (k == NULL || k->key->type != UM_CONF_BOOL) {
            note_at(c, UM_CONF_NOTE_ERROR, origin, 0, 0, "--%s needs a value: --%s=...", key, key);
            return;
        }
    }
    source_add(c, c->args, key, value, origin, 0, 0);
}

void args_read(struct um_conf *c)
{
    for (int i = 1; i < c->from->argc; i++) {
        const char *arg = c->from->argv[i], *value;
        const char *next = i + 1 < c->from->argc ? c->from->argv[i + 1] : NULL;
        const struct um_conf_flag *f = find_flag(c, arg, &value);
        if (f != NULL)
            i += take_flag(c, f, value, next);
        else if (strncmp(arg, "--", 2) == 0 && arg[2] != '\0')
            take_key(c, arg + 2);
        else
            note_at(c, UM_CONF_NOTE_ERROR, origin, 0, 0, "unexpected argument \"%s\": --key=value expected", arg);
    }
}
