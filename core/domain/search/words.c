#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "fold.h"
#include "words.h"

/* ---- one after the other ---- */

struct scan { const char *p, *end; };
struct word { char text[WORD_MAX + 1]; size_t len; struct um_span raw; };

static void put(struct word *w, uint32_t c)
{
    struct um_buf b = { 0 };

    if (c == 0)
        return;
    fold_put(&b, c);
    if (!b.failed && w->len + b.len <= WORD_MAX) {
        memcpy(w->text + w->len, b.data, b.len);
        w->len += b.len;
    }
    um_buf_free(&b);
}

/* False: no more. */
static bool next_word(struct scan *s, struct word *w)
{
    const char *begin = s->p;

    w->len = 0;
    while (s->p < s->end) {
        const char *before = s->p;
        uint32_t c = fold_next(&s->p, s->end);
        bool is_word = fold_is_word(c), is_alone = is_word && fold_is_alone(c);

        if (is_word && !is_alone) {
            if (w->len == 0)
                begin = before;
            put(w, fold_base(c));
            continue;
        }
        if (w->len > 0 || is_alone) {
            if (w->len > 0)
                s->p = before;               /* it ends the word before; it is looked at again */
            else
                begin = before, put(w, c);
            break;
        }
    }
    w->text[w->len] = '\0';
    w->raw = UM_SPAN(begin, (size_t)(s->p - begin));
    return w->len > 0;
}

/* ---- of a text ---- */

void words_add(struct words *w, struct um_span text)
{
    struct scan s = { (const char *)text.data, (const char *)text.data + text.len };
    struct word word;

    while (next_word(&s, &word)) {
        struct um_span key = UM_SPAN(word.text, word.len);

        if (um_map_get(&w->known, key) != NULL)
            continue;
        if (w->text.len + 1 + word.len > w->max) {
            w->cut = true;
            return;
        }
        um_map_put(&w->known, key, w);
        if (w->text.len > 0)
            um_buf_put_u8(&w->text, ' ');
        um_buf_put(&w->text, word.text, word.len);
    }
}

void words_free(struct words *w)
{
    um_buf_free(&w->text);
    um_map_free(&w->known);
}

/* ---- of a question ---- */

static bool is(const struct word *w, const char *text) { return um_span_eq(w->raw, UM_SPAN_STR(text)); }

bool words_ask(struct words_asked *a, struct um_span text)
{
    struct scan s = { (const char *)text.data, (const char *)text.data + text.len };
    bool is_not = false, begins = true;
    struct word word;

    *a = (struct words_asked){ um_xcalloc(WORDS_ASKED_MAX, sizeof(*a->words)), 0 };
    while (next_word(&s, &word)) {
        if (is(&word, "AND"))
            continue;
        if (is(&word, "OR") || is(&word, "NOT")) {
            begins |= is(&word, "OR");
            is_not = is(&word, "NOT");
            continue;
        }
        if (a->n == WORDS_ASKED_MAX)
            return false;
        memcpy(a->words[a->n].word, word.text, sizeof(word.text));
        a->words[a->n].is_not = is_not;
        a->words[a->n++].begins = begins;
        is_not = begins = false;
    }
    return true;
}

void words_asked_free(struct words_asked *a)
{
    free(a->words);
    *a = (struct words_asked){ 0 };
}

/* Where the alternative that begins at I ends; IS_OPEN: it only excludes. */
static size_t end_of(const struct words_asked *a, size_t i, bool *is_open)
{
    *is_open = true;
    do
        *is_open &= a->words[i++].is_not;
    while (i < a->n && !a->words[i].begins);
    return i;
}

void words_as_fts5(const struct words_asked *a, const char *mark, struct um_buf *out)
{
    bool is_open;

    for (size_t i = 0, end; i < a->n; i = end) {
        const char *before = i > 0 ? " OR (" : "(";

        end = end_of(a, i, &is_open);
        if (is_open)
            um_buf_printf(out, "%s\"%s\"", before, mark);
        for (size_t k = i; k < end; k++) {
            if (a->words[k].is_not)
                continue;
            um_buf_printf(out, "%s\"%s\"", before, a->words[k].word);
            before = " AND ";
        }
        for (size_t k = i; k < end; k++)
            if (a->words[k].is_not)
                um_buf_printf(out, " NOT \"%s\"", a->words[k].word);
        um_buf_puts(out, ")");
    }
}

void words_as_tsquery(const struct words_asked *a, const char *mark, struct um_buf *out)
{
    bool is_open;

    for (size_t i = 0, end; i < a->n; i = end) {
        const char *before = i > 0 ? " | (" : "(";

        end = end_of(a, i, &is_open);
        if (is_open) {
            um_buf_printf(out, "%s'%s'", before, mark);
            before = " & ";
        }
        for (size_t k = i; k < end; k++, before = " & ")
            um_buf_printf(out, "%s%s'%s'", before, a->words[k].is_not ? "!" : "", a->words[k].word);
        um_buf_puts(out, ")");
    }
}
