/* Documentation made from the rows: sample file, manual, --help. */
#include <inttypes.h>
#include <string.h>
#include "conf_int.h"
#include "convert.h"
#include "properties.h"

/* "duration (ms), 1ms to 10m, live" */
static void put_type(struct um_buf *b, const struct um_conf_key *key)
{
    um_buf_puts(b, convert_type_text(key->type));
    for (size_t i = 0; key->type == UM_CONF_ENUM && key->words[i] != NULL; i++)
        um_buf_printf(b, "%s %s", i > 0 ? "," : "", key->words[i]);
    bool counted = key->type == UM_CONF_STR || key->type == UM_CONF_LIST;
    if (key->type == UM_CONF_BOOL || key->type == UM_CONF_ENUM || (key->min == 0 && key->max == 0))
        return;
    um_buf_puts(b, key->max != 0 ? ", " : ", at least ");
    convert_show(b, key->type, key->min);
    if (key->max != 0) {
        um_buf_puts(b, " to ");
        convert_show(b, key->type, key->max);
    }
    if (counted)
        um_buf_puts(b, key->type == UM_CONF_STR ? " bytes" : " elements");
}

static void put_traits(struct um_buf *b, const struct um_conf_key *key)
{
    put_type(b, key);
    if (key->flags & UM_CONF_LIVE)
        um_buf_puts(b, "; live");
    if (key->flags & UM_CONF_SECRET)
        um_buf_puts(b, "; secret");
    if (key->flags & UM_CONF_RUNTIME_EXPR)
        um_buf_puts(b, "; ${...} resolved at use");
}

static void sample_key(const struct um_conf_key *key, FILE *f)
{
    struct um_buf b = { 0 };

    um_buf_printf(&b, "# %s\n# ", key->sentence);
    put_traits(&b, key);
    if (key->alias != NULL)
        um_buf_printf(&b, "; also: %s", key->alias);
    um_buf_puts(&b, "\n#");
    properties_write_key(&b, key->name);
    um_buf_puts(&b, "=");
    properties_write_value(&b, key->def != NULL ? key->def : "");
    fprintf(f, "%s\n\n", um_buf_cstr(&b));
    um_buf_free(&b);
}

void um_conf_sample(const struct um_conf_table *const *tables, size_t n, FILE *f)
{
    for (size_t t = 0; t < n; t++) {
        fprintf(f, "# ---- %s ----\n\n", tables[t]->title);
        for (size_t i = 0; i < tables[t]->n; i++)
            sample_key(&tables[t]->keys[i], f);
    }
}

static void put_cell(FILE *f, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', f);
        fputc(*text, f);
    }
}

static void manual_key(const struct um_conf_key *key, FILE *f)
{
    struct um_buf b = { 0 };

    put_traits(&b, key);
    fprintf(f, "| `%s` | ", key->name);
    if (key->def != NULL && *key->def != '\0') {
        fputc('`', f);
        put_cell(f, key->def);
        fputs("` | ", f);
    } else {
        fputs("| ", f);
    }
    put_cell(f, um_buf_cstr(&b));
    fputs(" | ", f);
    put_cell(f, key->sentence);
    if (key->alias != NULL) {
        fputs("; also ", f);
        put_cell(f, key->alias);
    }
    fputs(" |\n", f);
    um_buf_free(&b);
}

void um_conf_manual(const struct um_conf_table *const *tables, size_t n, FILE *f)
{
    for (size_t t = 0; t < n; t++) {
        fprintf(f, "%s## %s\n\n| key | default | type | meaning |\n|---|---|---|---|\n", t > 0 ? "\n" : "", tables[t]->title);
        for (size_t i = 0; i < tables[t]->n; i++)
            manual_key(&tables[t]->keys[i], f);
    }
}

void um_conf_usage(const struct um_conf_flag *flags, size_t n, FILE *f)
{
    static const char *const values[] = {
        [UM_CONF_FLAG_VALUE] = " VALUE", [UM_CONF_FLAG_OPTIONAL] = " [VALUE]", [UM_CONF_FLAG_SWITCH] = "",
    };

    for (size_t i = 0; i < n; i++) {
        struct um_buf b = { 0 };
        if (flags[i].shorthand != NULL)
            um_buf_printf(&b, "%s, ", flags[i].shorthand);
        um_buf_printf(&b, "%s%s", flags[i].flag, values[flags[i].kind]);
        fprintf(f, "  %-28s %s\n", um_buf_cstr(&b), flags[i].sentence != NULL ? flags[i].sentence : flags[i].key);
        um_buf_free(&b);
    }
}
