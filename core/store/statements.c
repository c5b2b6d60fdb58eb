/* The statements of units: which texts are taken, and which are kept prepared. */
#include <stdlib.h>
#include <strings.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "modules.h"
#include "unit.h"

/* ---- texts ---- */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool begins_well(const char *text)
{
    static const char *const words[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "WITH" };

    for (size_t i = 0; i < UM_COUNT(words); i++) {
        size_t n = strlen(words[i]);

        if (strncmp(text, words[i], n) == 0 && (text[n] == ' ' || text[n] == '('))
            return true;
    }
    return false;
}

/* Reads ?N at *AT, N without a zero before it; 0: it is none. */
static size_t read_placeholder(const char **at)
{
    size_t n = 0;
    const char *p = *at + 1;

    if (*p == '0')
        return 0;
    for (; is_digit(*p) && n <= UM_SQL_ARGS_MAX; p++)
        n = n * 10 + (size_t)(*p - '0');
    *at = p;
    return n <= UM_SQL_ARGS_MAX && !is_letter(*p) && *p != '_' ? n : 0;
}

/* Signs that begin something else: a quote, a comment, a second statement, another kind of placeholder. */
static bool is_harmless(const char *p)
{
    if ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'))
        return false;
    if (p[0] == '@')                             /* PostgreSQL's @@, of full text */
        return p[1] == '@' ? p[2] == ' ' : p[-1] == '@';
    return is_letter(*p) || is_digit(*p) || strchr(" \n_.,()*+-/%=<>|&!:", *p) != NULL;
}

bool store_sql_is_sound(const char *text, size_t n)
{
    size_t highest = 0;

    if (!begins_well(text))
        return false;
    for (const char *p = text; *p != '\0';) {
        if (*p == '?') {
            size_t place = read_placeholder(&p);

            if (place == 0)
                return false;
            highest = UM_MAX(highest, place);
        } else if (is_harmless(p)) {
            p++;
        } else {
            return false;
        }
    }
    return highest == n;
}

/* ---- whose tables ---- */

enum { WORD_MAX = 64 };                      /* bytes of a table's name */

/* The next run of letters, digits, _ and . behind *AT, cut to its beginning; "" at the end. */
static void next_word(const char **at, char out[WORD_MAX])
{
    size_t n = 0;
    const char *p = *at;

    while (*p != '\0' && !is_letter(*p) && *p != '_')
        p++;
    for (; is_letter(*p) || is_digit(*p) || *p == '_' || *p == '.'; p++)
        if (n + 1 < WORD_MAX)
            out[n++] = *p;
    out[n] = '\0';
    *at = p;
}

static bool is_word(const char *word, const char *is) { return strcasecmp(word, is) == 0; }

/* Is the word behind WORD a table that is changed? INSERT INTO t, UPDATE t, DELETE FROM t, but not DO UPDATE SET, FOR UPDATE. */
static bool names_target(const char *before, const char *word)
{
    if (is_word(word, "UPDATE"))
        return !is_word(before, "DO") && !is_word(before, "FOR") && !is_word(before, "KEY");
    return is_word(word, "INTO") || (is_word(word, "FROM") && is_word(before, "DELETE"));
}

bool store_sql_is_ours_to_change(const char *text)
{
    char before[WORD_MAX] = "", word[WORD_MAX];

    for (next_word(&text, word); word[0] != '\0'; next_word(&text, word)) {
        bool is_target = names_target(before, word);

        memcpy(before, word, WORD_MAX);
        if (!is_target)
            continue;
        next_word(&text, word);
        if (!store_is_module_table(word))
            return false;
        memcpy(before, word, WORD_MAX);
    }
    return true;
}

/* ---- kept ones ---- */

void store_statements_init(struct store_statements *ss)
{
    *ss = (struct store_statements){ 0 };
    um_list_init(&ss->by_use);
}

static void put_key(struct um_buf *b, const struct store_sql_call *call)
{
    static const char letters[] = { [UM_SQL_TYPE_INT] = 'i', [UM_SQL_TYPE_REAL] = 'r', [UM_SQL_TYPE_TEXT] = 't',
                                    [UM_SQL_TYPE_BYTES] = 'b' };

    for (size_t i = 0; i < call->n_args; i++)
        um_buf_put_u8(b, (uint8_t)letters[call->args[i].type]);
    um_buf_put_u8(b, 0);
    um_buf_put(b, call->text, strlen(call->text) + 1);
    UM_ASSERT(!b->failed);
}

static struct store_statement *make(struct store_statements *ss, struct um_span key)
{
    struct store_statement *s = um_xcalloc(1, sizeof(*s) + key.len);

    memcpy(s->key, key.data, key.len);
    s->key_len = key.len;
    s->number = ++ss->last;
    um_map_put(&ss->by_key, key, s);
    um_list_init(&s->by_use);
    ss->n++;
    return s;
}

static um_err judge(const struct store_sql_call *call)
{
    um_err err = UM_OK;

    if (!store_sql_is_sound(call->text, call->n_args))
        err = UM_EINVAL;
    else if (!call->ours && !store_sql_is_ours_to_change(call->text))
        err = UM_EDENIED;
    if (err != UM_OK)
        um_log_limited(UM_ERROR, "store", "statement_refused", UM_S("error", um_err_text(err)), UM_S("statement", call->text));
    return err;
}

struct store_statement *store_statements_get(struct store_statements *ss, const struct store_sql_call *call, um_err *err)
{
    struct um_buf b = { 0 };
    struct store_statement *s;

    put_key(&b, call);
    s = um_map_get(&ss->by_key, UM_SPAN(b.data, b.len));
    *err = s != NULL ? UM_OK : judge(call);
    if (s == NULL && *err == UM_OK)
        s = make(ss, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
    if (s != NULL) {
        um_list_remove(&s->by_use);
        um_list_append(&ss->by_use, &s->by_use);
    }
    return s;
}

struct store_statement *store_statements_surplus(struct store_statements *ss)
{
    return ss->n > STORE_STATEMENTS_MAX ? UM_CONTAINER(ss->by_use.next, struct store_statement, by_use) : NULL;
}

void store_statements_drop(struct store_statements *ss, struct store_statement *s)
{
    um_map_remove(&ss->by_key, UM_SPAN(s->key, s->key_len));
    um_list_remove(&s->by_use);
    ss->n--;
    free(s);
}
