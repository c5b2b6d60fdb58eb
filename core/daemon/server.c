/* See server.h. */
#include <stdlib.h>
#include "server.h"

struct servers {
    struct um_reactors *reactors;
    struct um_http **http;
    unsigned n;
};

um_err servers_open(struct servers **out, struct um_reactors *reactors, struct um_http_conf *cf, struct um_rest *rest)
{
    struct servers *s = um_xcalloc(1, sizeof(*s));
    um_err err;

    s->reactors = reactors;
    s->http = um_xcalloc(um_reactors_count(reactors), sizeof(struct um_http *));
    err = um_http_check_port(cf);
    while (err == UM_OK && s->n < um_reactors_count(reactors)) {
        err = um_http_new(&s->http[s->n], um_reactors_loop(reactors, s->n), cf, um_rest_routes, um_rest_routes_n, &um_rest_hooks, rest);
        if (err == UM_OK && s->n++ == 0)
            cf->port = um_http_port(s->http[0]);
    }
    if (err != UM_OK) {
        servers_free(s);
        s = NULL;
    }
    *out = s;
    return err;
}

int servers_port(const struct servers *s) { return um_http_port(s->http[0]); }

static void quiesce(void *http) { um_http_quiesce(http); }

void servers_quiesce(struct servers *s)
{
    for (unsigned i = 0; i < s->n; i++)
        um_loop_call(um_reactors_loop(s->reactors, i), quiesce, s->http[i]);
}

void servers_free(struct servers *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < s->n; i++)
        um_http_free(s->http[i]);
    free(s->http);
    free(s);
}
