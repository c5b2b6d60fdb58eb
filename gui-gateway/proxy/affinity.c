/* See proxy/affinity.h. */
#include <proxy/affinity.h>

#include <string.h>

struct um_span um_affinity_document(const char *path)
{
    static const struct { const char *prefix, *end; } rows[] = {      /* END: what a name cannot hold */
        { "/y/", "" },
        { "/core/rest/collab/documents/", "/" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        size_t n = strlen(rows[i].prefix);
        if (strncmp(path, rows[i].prefix, n) == 0)
            return UM_SPAN(path + n, strcspn(path + n, rows[i].end));
    }
    return UM_SPAN(NULL, 0);
}
