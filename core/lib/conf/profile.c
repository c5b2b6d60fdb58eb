/* Profile expressions: `prod & (eu | us)`, `!test`; a list holds when one of its elements does. As in Spring, & and |
 * are mixed only with parentheses. */
#include <string.h>
#include "conf_int.h"
#include "convert.h"

struct parser {
    const struct um_conf_list *profiles;
    const char *p, *end;
    unsigned depth;
    bool bad;
};

static char peek(struct parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
        s->p++;
    return s->p < s->end ? *s->p : '\0';
}

static bool is_active(const struct um_conf_list *profiles, const char *name, size_t len)
{
    for (size_t i = 0; i < profiles->n; i++)
        if (strlen(profiles->items[i]) == len && memcmp(profiles->items[i], name, len) == 0)
            return true;
    return false;
}

static bool parse_any(struct parser *s);

static bool parse_name(struct parser *s)
{
    const char *from = s->p;

    while (s->p < s->end && strchr("()&|! \t", *s->p) == NULL)
        s->p++;
    if (s->p == from)
        s->bad = true;
    return is_active(s->profiles, from, (size_t)(s->p - from));
}

static bool parse_term(struct parser *s)
{
    bool negate = false, holds;

    for (; peek(s) == '!'; s->p++)
        negate = !negate;
    if (peek(s) == '(') {
        s->p++;
        if (++s->depth > CONF_MAX_DEPTH) {       /* the recursion's bound */
            s->bad = true;
            return false;
        }
        holds = parse_any(s);
        s->depth--;
        if (peek(s) == ')')
            s->p++;
        else
            s->bad = true;
    } else {
        holds = parse_name(s);
    }
    return holds != negate;
}

static bool parse_any(struct parser *s)
{
    bool holds = parse_term(s);
    char sign = peek(s);

    while (!s->bad && (peek(s) == '&' || peek(s) == '|')) {
        if (peek(s) != sign) {
            s->bad = true;
            break;
        }
        s->p++;
        bool right = parse_term(s);
        holds = sign == '&' ? holds && right : holds || right;
    }
    return holds;
}

struct any { const struct um_conf_list *profiles; bool holds, good; };

static void eval_element(void *arg, const char *text, size_t len)
{
    struct any *a = arg;
    struct parser s = { .profiles = a->profiles, .p = text, .end = text + len };
    bool holds = parse_any(&s);

    if (s.bad || peek(&s) != '\0')
        a->good = false;
    else
        a->holds = a->holds || holds;
}

bool profile_holds(const struct um_conf_list *profiles, const char *expression, bool *good)
{
    struct any a = { .profiles = profiles, .good = true };

    convert_elements(expression, eval_element, &a);
    *good = a.good;
    return a.good && a.holds;
}
