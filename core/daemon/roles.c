/* See roles.h. */
#include "roles.h"

#include <stdio.h>
#include <string.h>
#include <umbel/util.h>

bool roles_read(struct roles *out, const struct um_conf_list *words, char why[256])
{
    const struct { const char *word; bool *has; } known[] = { { "rest", &out->rest }, { "collab", &out->collab }, { "worker", &out->worker } };
    size_t len = 0;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < words->n; i++) {
        size_t k = 0;
        while (k < UM_COUNT(known) && !um_ascii_ieq(words->items[i], known[k].word))
            k++;
        if (k == UM_COUNT(known)) {
            snprintf(why, 256, "\"%.64s\" is no role: rest, collab and worker are", words->items[i]);
            return false;
        }
        *known[k].has = true;
    }
    snprintf(why, 256, "a core has one role at least: rest, collab, worker");
    for (size_t k = 0; k < UM_COUNT(known); k++)
        if (*known[k].has)
            len += (size_t)snprintf(out->text + len, sizeof(out->text) - len, "%s%s", len > 0 ? "," : "", known[k].word);
    return len > 0;
}
