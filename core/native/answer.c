/* What a library answers, as far as it can be an answer. It was written by code that we do not trust to be right. */
#include <stdio.h>
#include <string.h>
#include <umbel/handler.h>
#include <umbel/util.h>
#include "native_int.h"

/* F or T and digits. */
static bool is_code(const char *s)
{
    size_t n = strlen(s);

    return n >= 2 && n <= UM_NATIVE_CODE_MAX && (s[0] == 'F' || s[0] == 'T') && strspn(s + 1, "0123456789") == n - 1;
}

static void refuse(struct call *c, const char *code, const char *message)
{
    c->again = code[0] != 'F';
    snprintf(c->code, sizeof(c->code), "%s", code);
    snprintf(c->message, sizeof(c->message), "%s", message);
}

static const char *message_of(const struct frame *f, const char *otherwise)
{
    const char *text = f->texts[ANSWER_MESSAGE].text;
    size_t n = strlen(text);                 /* there may be zeros in it */

    return n > 0 && n <= UM_NATIVE_MESSAGE_MAX && um_utf8_is_valid(text, n) ? text : otherwise;
}

static void go_on(struct call *c, const struct frame *f)
{
    (void)f;
    c->is_done = true;
}

static void replace(struct call *c, const struct frame *f)
{
    const struct frame_text *t = &f->texts[ANSWER_JSON];

    c->reply = json_loadb(t->text, t->len, JSON_REJECT_DUPLICATES, NULL);
    c->is_done = json_is_object(c->reply);
    if (!c->is_done)
        refuse(c, UM_NATIVE_ENDED, "the handler's answer is no JSON object");
}

static void say_no(struct call *c, const struct frame *f)
{
    const char *code = f->texts[ANSWER_CODE].text;

    refuse(c, is_code(code) ? code : "T00000", message_of(f, "the handler refuses"));
}

static void later(struct call *c, const struct frame *f)
{
    refuse(c, UM_NATIVE_LATER, message_of(f, "the handler asks for another time"));
}

void answer_read(struct call *c, const struct frame *f)
{
    static void (*const verdicts[])(struct call *c, const struct frame *f) = {
        [UMBEL_GO_ON] = go_on, [UMBEL_REPLACE] = replace, [UMBEL_REFUSE] = say_no, [UMBEL_LATER] = later,
    };
    const char *word = f->n >= ANSWER_N ? f->texts[ANSWER_VERDICT].text : "";

    if (word[0] >= '0' && word[0] <= '3' && word[1] == '\0')
        verdicts[word[0] - '0'](c, f);
    else
        refuse(c, UM_NATIVE_ENDED, "the handler's verdict is none");
}
