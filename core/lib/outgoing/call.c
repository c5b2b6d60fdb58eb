/* A call as it was asked: checked, copied, signed. What it holds of secrets is wiped when it is freed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <umbel/util.h>
#include "outgoing_int.h"

enum { READ_MAX_MS = 24 * 3600 * 1000 };

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };

/* Those that frame the message or belong to the hop, and one that would make answers unreadable. */
static const char *const ours[] = {
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect", "accept-encoding",
    "proxy-authorization", "proxy-connection",
};

static um_err refuse(struct call *c, um_err err, const char *why)
{
    if (c->err == UM_OK) {
        c->err = err;
        snprintf(c->why, sizeof(c->why), "%s", why);
    }
    return err;
}

static bool is_token(const char *s)
{
    size_t n = strspn(s, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    return n > 0 && s[n] == '\0';
}

static bool is_value(const char *s)
{
    for (; *s != '\0'; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < UM_COUNT(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return false;
}

static um_err add_line(struct call *c, const char *line)
{
    struct curl_slist *longer = curl_slist_append(c->headers, line);

    if (longer == NULL)
        return refuse(c, UM_ENOMEM, "out of memory");
    c->headers = longer;
    return UM_OK;
}

static um_err add_header(struct call *c, const char *name, const char *value)
{
    struct um_buf line = { 0 };
    um_err err;

    if (name == NULL || value == NULL || !is_token(name) || !is_value(value))
        return refuse(c, UM_EINVAL, "a header of it has characters that no header may have");
    if (is_ours(name))
        return refuse(c, UM_EINVAL, "a header of it is one that is not the caller's to set");
    if (strlen(name) + strlen(value) > UM_OUTGOING_HEADER_BYTES_MAX)
        return refuse(c, UM_EINVAL, "a header of it is too long");
    um_buf_printf(&line, value[0] != '\0' ? "%s: %s" : "%s;", name, value);     /* a semicolon is curl's way to say empty */
    err = line.failed ? refuse(c, UM_ENOMEM, "out of memory") : add_line(c, um_buf_cstr(&line));
    if (line.data != NULL)
        OPENSSL_cleanse(line.data, line.len);
    um_buf_free(&line);
    return err;
}

static um_err sign(struct call *c, const struct um_outgoing_call *asked)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    char value[7 + 64 + 1] = "sha256=";
    unsigned n = 0;

    if (asked->sign_header == NULL || asked->sign_secret[0] == '\0')
        return refuse(c, UM_EINVAL, "it is to be signed without a secret or a header");
    if (HMAC(EVP_sha256(), asked->sign_secret, (int)strlen(asked->sign_secret), c->body, c->body_len, mac, &n) == NULL || n != 32)
        return refuse(c, UM_ENOMEM, "out of memory");
    for (unsigned i = 0; i < n; i++)
        snprintf(value + 7 + 2 * i, 3, "%02x", mac[i]);
    return add_header(c, asked->sign_header, value);
}

/* Those that curl would add by itself are empty here unless the caller has set them. */
static um_err add_defaults(struct call *c, const struct um_outgoing_call *asked)
{
    static const char *const defaults[][2] = { { "Content-Type", "Content-Type:" }, { "Accept", "Accept: */*" },
                                               { "User-Agent", "User-Agent: umbel" }, { "Expect", "Expect:" } };

    for (size_t i = 0; i < UM_COUNT(defaults); i++) {
        bool set = false;
        for (size_t h = 0; h < asked->n_headers; h++)
            set = set || strcasecmp(asked->headers[h].name, defaults[i][0]) == 0;
        if (!set && add_line(c, defaults[i][1]) != UM_OK)
            return UM_ENOMEM;
    }
    return UM_OK;
}

static um_err take_headers(struct call *c, const struct um_outgoing_call *asked)
{
    um_err err = UM_OK;

    if (asked->n_headers > UM_OUTGOING_HEADERS_MAX)
        return refuse(c, UM_EINVAL, "it has too many headers");
    for (size_t i = 0; err == UM_OK && i < asked->n_headers; i++)
        err = add_header(c, asked->headers[i].name, asked->headers[i].value);
    return err == UM_OK ? add_defaults(c, asked) : err;
}

static um_err take_body(struct call *c, struct um_span body)
{
    if (body.len > UM_OUTGOING_BODY_MAX)
        return refuse(c, UM_EINVAL, "its body is too large");
    if (body.len > 0 && strcmp(c->method, "HEAD") == 0)
        return refuse(c, UM_EINVAL, "HEAD has no body");
    if ((c->body = malloc(body.len + 1)) == NULL)
        return refuse(c, UM_ENOMEM, "out of memory");
    if (body.len > 0)
        memcpy(c->body, body.data, body.len);
    c->body_len = body.len;
    return UM_OK;
}

static um_err take_url(struct call *c, const char *text)
{
    const char *why;

    if (text == NULL || !url_parse(&c->url, text, &why))
        return refuse(c, UM_EDENIED, text == NULL ? "it has no URL" : why);
    if (!allow_lets_url(&c->o->allow, &c->url, c->why, sizeof(c->why)))
        return c->err = UM_EDENIED;
    c->url_text = um_xstrdup(text);
    c->name_allowed = !c->url.is_address && allow_has_name(&c->o->allow, c->url.host);
    return UM_OK;
}

static um_err take_method(struct call *c, const char *method)
{
    for (size_t i = 0; method != NULL && i < UM_COUNT(methods); i++)
        if (strcmp(method, methods[i]) == 0) {
            c->method = methods[i];
            return UM_OK;
        }
    return refuse(c, UM_EINVAL, "its method is none of ours");
}

struct call *call_new(struct um_outgoing *o, const struct um_outgoing_call *asked)
{
    struct call *c = um_xcalloc(1, sizeof(*c));
    int64_t read_ms = asked->read_ms > 0 ? asked->read_ms : o->cf.read_ms;

    c->o = o;
    c->method = "none";
    um_list_init(&c->link);
    c->begun_us = um_now_us();
    c->deadline_ms = um_now_ms() + UM_MIN(read_ms, READ_MAX_MS);
    if (take_method(c, asked->method) == UM_OK && take_url(c, asked->url) == UM_OK && take_headers(c, asked) == UM_OK &&
        take_body(c, asked->body) == UM_OK && asked->sign_secret != NULL)
        (void)sign(c, asked);            /* its error is the call's */
    return c;
}

void call_free(struct call *c)
{
    for (struct curl_slist *h = c->headers; h != NULL; h = h->next)
        OPENSSL_cleanse(h->data, strlen(h->data));
    curl_slist_free_all(c->headers);
    free(c->url_text);
    free(c->body);
    um_buf_free(&c->answer);
    um_buf_free(&c->fields);
    free(c);
}
