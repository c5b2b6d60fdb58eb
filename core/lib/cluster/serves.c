/* What a member does for the others: a list of words, read where it is needed. */
#include <string.h>
#include <umbel/cluster.h>

bool um_member_serves(const struct um_member *m, const char *what)
{
    const char *serves = m->serves != NULL ? m->serves : "";
    size_t len = strlen(what);

    for (const char *at = serves; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == len && strncmp(at, what, len) == 0)
            return true;
    return *serves == '\0';
}
