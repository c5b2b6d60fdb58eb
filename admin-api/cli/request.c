/* 0 done; 1 refused; 2 the command cannot be understood; 3 nobody answers; 4 the server failed. */
#include "request.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "operations.h"
#include "show.h"

enum { HEADERS_MAX = 16, BODY_MAX = 256 << 20 };

struct request {
    const struct operation *o;
    struct um_buf path, query, body;
    char *headers[HEADERS_MAX + 1];
    size_t n_headers;
    bool has_body;
};

static void request_free(struct request *r)
{
    um_buf_free(&r->path);
    um_buf_free(&r->query);
    um_buf_free(&r->body);
    for (size_t i = 0; i < r->n_headers; i++)
        free(r->headers[i]);
}

static int misused(const struct request *r, const char *what, const char *which)
{
    fprintf(stderr, "umbelctl: %s%s\n\n", what, which);
    operation_help(r->o, stderr);
    return 2;
}

/* ---- the body ---- */

/* "-": standard input. */
static bool read_file(const char *name, struct um_buf *out)
{
    FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
    size_t n = 1;

    while (f != NULL && n > 0 && out->len < BODY_MAX) {
        uint8_t *room = um_buf_room(out, 65536);

        n = room != NULL ? fread(room, 1, 65536, f) : 0;
        um_buf_advance(out, n);
    }
    if (f == NULL || ferror(f) || out->failed || out->len >= BODY_MAX) {
        fprintf(stderr, "umbelctl: %s cannot be read\n", name);
        return false;
    }
    if (f != stdin)
        fclose(f);
    return true;
}

/* ---- words into a request ---- */

static void put_query(struct request *r, const char *name, const char *value)
{
    um_buf_puts(&r->query, r->query.len == 0 ? "?" : "&");
    um_percent_encode(&r->query, UM_SPAN_STR(name));
    um_buf_puts(&r->query, "=");
    um_percent_encode(&r->query, UM_SPAN_STR(value));
}

static bool put_header(struct request *r, const char *name, const char *value)
{
    struct um_buf b = { 0 };

    if (r->n_headers == HEADERS_MAX || strpbrk(value, "\r\n") != NULL)
        return false;
    um_buf_printf(&b, "%s: %s", name, value);
    r->headers[r->n_headers++] = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return true;
}

/* --name value, --name=value; of a truth alone. */
static int take_option(struct request *r, int argc, char **argv, int *i)
{
    char *name = um_xstrdup(argv[*i] + 2), *equals = strchr(name, '=');
    const char *value = NULL, *own, *in;
    const json_t *p;
    int status = 0;

    if (equals != NULL)
        *equals = '\0';
    p = operation_option(r->o, name);
    if (p == NULL) {
        status = misused(r, "it has no option --", name);
        free(name);
        return status;
    }
    own = json_string_value(json_object_get(p, "name"));
    in = json_string_value(json_object_get(p, "in"));
    if (equals != NULL)
        value = strchr(argv[*i], '=') + 1;
    else if (*i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0)
        value = argv[++*i];
    else if (strcmp(json_string_value(json_object_get(json_object_get(p, "schema"), "type")), "boolean") == 0)
        value = "true";
    if (value == NULL)
        status = misused(r, "a value is missing behind --", own);
    else if (strcmp(in, "query") == 0)
        put_query(r, own, value);
    else if (!put_header(r, own, value))
        status = misused(r, "that is no value for --", own);
    free(name);
    return status;
}

static int take_body(struct request *r, const char *option, const char *value)
{
    if (r->o->body == NULL)
        return misused(r, "it takes no body", "");
    if (value == NULL)
        return misused(r, "a value is missing behind ", option);
    r->has_body = true;
    if (strcmp(option, "--body") == 0)
        um_buf_puts(&r->body, value);
    else if (!read_file(value, &r->body))
        return 2;
    return 0;
}

/* The next {…} of the path, from *AT on, becomes VALUE: an id, or ids with commas between them, which are the caller's to encode
 * when one of theirs has a comma. */
static bool put_position(struct request *r, const char **at, const char *value)
{
    const char *open = strchr(*at, '{'), *close = open != NULL ? strchr(open, '}') : NULL;
    bool is_list;

    if (close == NULL)
        return false;
    is_list = operation_takes_list(r->o, open + 1, (size_t)(close - open - 1));
    um_buf_put(&r->path, *at, (size_t)(open - *at));
    for (const char *end; *value != '\0'; value = *end != '\0' ? end + 1 : end) {
        end = value + (is_list ? strcspn(value, ",") : strlen(value));
        um_percent_encode(&r->path, UM_SPAN(value, (size_t)(end - value)));
        if (*end != '\0')
            um_buf_puts(&r->path, ",");
    }
    *at = close + 1;
    return true;
}

static int build(struct request *r, int argc, char **argv)
{
    const char *at = r->o->path;
    int status = 0;

    for (int i = 0; i < argc && status == 0; i++) {
        if (strcmp(argv[i], "--body") == 0 || strcmp(argv[i], "-f") == 0) {
            status = take_body(r, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
            i++;
        } else if (strncmp(argv[i], "--", 2) == 0) {
            status = take_option(r, argc, argv, &i);
        } else if (!put_position(r, &at, argv[i])) {
            status = misused(r, "what is meant by ", argv[i]);
        }
    }
    if (status == 0 && strchr(at, '{') != NULL)
        status = misused(r, "it needs to know which one", "");
    if (status == 0 && r->o->body != NULL && !r->has_body && json_is_true(json_object_get(r->o->body, "required")))
        status = misused(r, "it needs a body: -f FILE, or --body JSON", "");
    um_buf_puts(&r->path, at);
    um_buf_put(&r->path, r->query.data, r->query.len);
    return status;
}

/* ---- the answer ---- */

static int write_bytes(const struct um_buf *b, const char *name)
{
    FILE *f = name != NULL ? fopen(name, "wb") : stdout;
    bool ok = f != NULL && (b->len == 0 || fwrite(b->data, 1, b->len, f) == b->len);

    if (f != NULL && f != stdout)
        ok = fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "umbelctl: %s cannot be written\n", name != NULL ? name : "standard output");
    return ok ? 0 : 1;
}

static int tell(const struct answer *a, const struct looks *how)
{
    int width = show_width();
    json_t *v;
    char *text;

    if (how->to_file != NULL || strstr(a->type, "json") == NULL)
        return write_bytes(&a->body, how->to_file);
    v = json_loadb((const char *)a->body.data, a->body.len, JSON_DECODE_ANY, NULL);
    if (v == NULL)
        return write_bytes(&a->body, NULL);
    if (how->json) {
        text = json_dumps(v, JSON_ENCODE_ANY | (width > 0 ? JSON_INDENT(2) : JSON_COMPACT));
        puts(text);
        free(text);
    } else {
        show(v, width, stdout);
    }
    json_decref(v);
    return 0;
}

static const char *body_media(const struct request *r)
{
    const char *media = NULL, *key;
    json_t *v;

    if (!r->has_body)
        return NULL;
    json_object_foreach(json_object_get(r->o->body, "content"), key, v)
        media = media == NULL ? key : media;
    return media != NULL ? media : "application/json";
}

/* `--scope '*'` is a word of calls that take it; no scope is called so. */
static bool means_all_scopes(const struct request *r, const struct server *s)
{
    const json_t *p = operation_option(r->o, "scope");

    return s->scope != NULL && strcmp(s->scope, "*") == 0 && p != NULL && strcmp(json_string_value(json_object_get(p, "in")), "query") == 0;
}

int request_run(const struct server *s, int argc, char **argv, const struct looks *how)
{
    struct request r = { 0 };
    struct server here;
    struct answer a;
    int used, status;

    r.o = operations_find(argc, argv, &used);
    if (r.o == NULL) {
        fputs("umbelctl: no such command; umbelctl --help lists them\n", stderr);
        return 2;
    }
    if (means_all_scopes(&r, s)) {
        put_query(&r, "scope", s->scope);
        here = *s;
        here.scope = NULL;
        s = &here;
    }
    status = build(&r, argc - used, argv + used);
    if (status == 0 && !server_ask(s, r.o->method, um_buf_cstr(&r.path), (const char *const *)r.headers, body_media(&r),
                                   UM_SPAN(r.body.data, r.body.len), &a)) {
        status = 3;
    } else if (status == 0) {
        status = answer_status(&a);
        if (status == 0)
            status = tell(&a, how);
        answer_free(&a);
    }
    request_free(&r);
    return status;
}

json_t *request_get(const struct server *s, const char *path, int *status)
{
    json_t *v = NULL;
    struct answer a;

    *status = 3;
    if (!server_ask(s, "GET", path, NULL, NULL, UM_SPAN(NULL, 0), &a))
        return NULL;
    *status = answer_status(&a);
    if (*status == 0)
        v = json_loadb((const char *)a.body.data, a.body.len, JSON_DECODE_ANY, NULL);
    answer_free(&a);
    return v;
}
