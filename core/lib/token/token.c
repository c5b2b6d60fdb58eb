/* JSON Web Tokens, compact form, HS256: base64url(header) "." base64url(claims) "." base64url(HMAC-SHA-256).
 *
 * Invariants:
 * 1. The algorithm is ours to choose: the signature is computed with HS256 before the header is parsed, and a header that
 *    then names anything else is refused all the same.
 * 2. No byte of an unsigned token reaches the JSON parser.
 * 3. A header has `alg`, `typ` and `kid` at most; whatever else it holds (jku, jwk, x5u, crit ...) refuses the token. */
#include <umbel/token.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "token_mac.h"

#define HEADER_TEXT "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define TIME_MAX INT64_C(253402300799)         /* the end of the year 9999: sums stay far from overflow */

static const struct claim_row {                /* the string claims */
    const char *name;
    size_t at;
} string_claims[] = {
    { "sub",    offsetof(struct um_token_claims, sub) },
    { "name",   offsetof(struct um_token_claims, name) },
    { "scope",  offsetof(struct um_token_claims, scope) },
    { "use",    offsetof(struct um_token_claims, use) },
    { "addr",   offsetof(struct um_token_claims, addr) },
    { "access", offsetof(struct um_token_claims, access) },
    { "sid",    offsetof(struct um_token_claims, sid) },
    { "account", offsetof(struct um_token_claims, account) },
    { "jti",    offsetof(struct um_token_claims, jti) },
};
static const struct claim_row list_claims[] = {
    { "profiles", offsetof(struct um_token_claims, profiles) },
    { "groups",   offsetof(struct um_token_claims, groups) },
};
static const struct claim_row number_claims[] = {
    { "iat", offsetof(struct um_token_claims, iat) },
    { "exp", offsetof(struct um_token_claims, exp) },
    { "nbf", offsetof(struct um_token_claims, nbf) },
    { "depth", offsetof(struct um_token_claims, depth) },
};
#define FIELD(claims, row, type) ((type *)(void *)((char *)(claims) + (row)->at))
#define CONST_FIELD(claims, row, type) ((const type *)(const void *)((const char *)(claims) + (row)->at))

/* What a verified claim set owns: the parsed JSON, whose strings it lends, and the arrays of its lists. */
struct claims_own {
    json_t *json;
    const char **items[UM_COUNT(list_claims)];
};

um_err um_token_ring_init(struct um_token_ring *ring, const char *current, const char *previous)
{
    struct um_span now = UM_SPAN_STR(current), before = previous != NULL ? UM_SPAN_STR(previous) : UM_SPAN(NULL, 0);

    if (now.len < UM_TOKEN_KEY_MIN_BYTES || (before.len > 0 && before.len < UM_TOKEN_KEY_MIN_BYTES))
        return UM_EINVAL;
    *ring = (struct um_token_ring){ now, before };
    return UM_OK;
}

bool um_token_list_contains(const struct um_token_list *list, const char *item)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

/* ---- signing ---- */

static void put_json_string(struct um_buf *b, const char *s)
{
    um_buf_put_u8(b, '"');
    um_json_escape(b, UM_SPAN_STR(s));
    um_buf_put_u8(b, '"');
}

static void put_claims(struct um_buf *b, const struct um_token_claims *c)
{
    um_buf_printf(b, "{\"iat\":%lld,\"exp\":%lld", (long long)c->iat, (long long)c->exp);
    if (c->nbf != 0)
        um_buf_printf(b, ",\"nbf\":%lld", (long long)c->nbf);
    if (c->depth != 0)
        um_buf_printf(b, ",\"depth\":%lld", (long long)c->depth);
    for (size_t i = 0; i < UM_COUNT(string_claims); i++) {
        const char *value = *CONST_FIELD(c, &string_claims[i], char *);
        if (value == NULL)
            continue;
        um_buf_printf(b, ",\"%s\":", string_claims[i].name);
        put_json_string(b, value);
    }
    for (size_t i = 0; i < UM_COUNT(list_claims); i++) {
        const struct um_token_list *list = CONST_FIELD(c, &list_claims[i], struct um_token_list);
        um_buf_printf(b, ",\"%s\":[", list_claims[i].name);
        for (size_t k = 0; k < list->n; k++) {
            if (k > 0)
                um_buf_put_u8(b, ',');
            put_json_string(b, list->items[k]);
        }
        um_buf_put_u8(b, ']');
    }
    um_buf_put_u8(b, '}');
}

um_err um_token_sign(const struct um_token_ring *ring, const struct um_token_claims *claims, struct um_buf *out)
{
    struct um_token_claims c = *claims;
    struct um_buf json = {0};
    size_t start = out->len;
    uint8_t mac[TOKEN_MAC_BYTES];
    char jti[23];
    um_err err = UM_ENOMEM;

    if (c.sub == NULL || c.use == NULL || c.exp <= c.iat || c.exp > TIME_MAX)
        return UM_EINVAL;
    if (c.jti == NULL) {
        um_random_id(jti, sizeof(jti) - 1);
        c.jti = jti;
    }
    put_claims(&json, &c);
    um_base64url_encode(out, UM_SPAN(HEADER_TEXT, sizeof(HEADER_TEXT) - 1));
    um_buf_put_u8(out, '.');
    um_base64url_encode(out, UM_SPAN(json.data, json.len));
    if (json.failed || out->failed || (err = token_mac(ring->current, UM_SPAN(out->data + start, out->len - start), mac)) != UM_OK)
        goto out;
    um_buf_put_u8(out, '.');
    um_base64url_encode(out, UM_SPAN(mac, sizeof(mac)));
    err = out->failed ? UM_ENOMEM : out->len - start > UM_TOKEN_MAX_BYTES ? UM_EINVAL : UM_OK;
out:
    um_buf_free(&json);
    return err;
}

/* ---- verifying ---- */

/* The three parts of TEXT; false unless there are exactly two dots and no part is empty. */
static bool split_token(struct um_span text, struct um_span part[3])
{
    const uint8_t *p = text.data, *end = text.data + text.len;

    for (int i = 0; i < 3; i++) {
        const uint8_t *dot = p < end ? memchr(p, '.', (size_t)(end - p)) : NULL;
        const uint8_t *stop = dot != NULL ? dot : end;
        if (stop == p || (dot == NULL) != (i == 2))
            return false;
        part[i] = UM_SPAN(p, stop - p);
        p = stop + 1;
    }
    return true;
}

static um_err check_signature(const struct um_token_ring *ring, struct um_span signed_text, struct um_span given)
{
    const struct um_span keys[] = { ring->current, ring->previous };
    struct um_buf sig = {0};
    bool decoded = um_base64url_decode(&sig, given);
    um_err err = sig.failed ? UM_ENOMEM : !decoded ? UM_EPROTO : UM_EDENIED;

    if (decoded && sig.len != TOKEN_MAC_BYTES)
        err = UM_EPROTO;
    for (size_t i = 0; i < UM_COUNT(keys) && err == UM_EDENIED; i++) {
        uint8_t mac[TOKEN_MAC_BYTES];
        if (keys[i].len < UM_TOKEN_KEY_MIN_BYTES)
            continue;
        if (token_mac(keys[i], signed_text, mac) != UM_OK)
            err = UM_ENOMEM;
        else if (um_const_time_eq(mac, sig.data, sizeof(mac)))
            err = UM_OK;
    }
    um_buf_free(&sig);
    return err;
}

static um_err parse_part(struct um_span part, json_t **out)
{
    struct um_buf text = {0};
    um_err err = UM_EPROTO;

    *out = NULL;
    if (um_base64url_decode(&text, part) && !text.failed)
        *out = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(*out))
        err = UM_OK;
    else if (text.failed)
        err = UM_ENOMEM;
    um_buf_free(&text);
    return err;
}

static bool string_is(const json_t *v, const char *a, const char *b)
{
    const char *s = json_string_value(v);
    return s != NULL && (um_ascii_ieq(s, a) || (b != NULL && um_ascii_ieq(s, b)));
}

static um_err check_header(struct um_span part)
{
    json_t *header, *v;
    const char *name;
    um_err err = parse_part(part, &header);

    if (err == UM_OK && json_object_get(header, "alg") == NULL)
        err = UM_EPROTO;
    if (err == UM_OK)
        json_object_foreach(header, name, v) {
            if (strcmp(name, "alg") == 0 ? json_string_value(v) != NULL && strcmp(json_string_value(v), "HS256") == 0
                : strcmp(name, "typ") == 0 ? string_is(v, "JWT", NULL)
                : strcmp(name, "kid") == 0 && string_is(v, "current", "previous"))
                continue;
            err = UM_EPROTO;
        }
    json_decref(header);
    return err;
}

/* A text that may go into a log line or a header: not empty, no control characters, not too long. */
static bool is_plain_text(const char *s)
{
    size_t n = strnlen(s, UM_TOKEN_MAX_STRING + 1);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return n > 0 && n <= UM_TOKEN_MAX_STRING;
}

static um_err read_strings(struct um_token_claims *c, const json_t *json)
{
    for (size_t i = 0; i < UM_COUNT(string_claims); i++) {
        const json_t *v = json_object_get(json, string_claims[i].name);
        const char *s = json_string_value(v);
        if (v == NULL)
            continue;
        if (s == NULL || (*s != '\0' && !is_plain_text(s)))
            return UM_EPROTO;
        if (*s == '\0')
            continue;                          /* as if it were not there */
        *FIELD(c, &string_claims[i], const char *) = s;
    }
    if (c->sub == NULL || c->use == NULL ||
        (c->access != NULL && strcmp(c->access, "read-write") != 0 && strcmp(c->access, "readonly") != 0))
        return UM_EPROTO;
    return UM_OK;
}

static um_err read_list(struct um_token_list *list, const char ***items, const json_t *v)
{
    size_t n = json_array_size(v);

    if (v == NULL)
        return UM_OK;
    if (!json_is_array(v) || n > UM_TOKEN_MAX_LIST)
        return UM_EPROTO;
    if (n == 0)
        return UM_OK;
    if ((*items = calloc(n, sizeof(**items))) == NULL)
        return UM_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        (*items)[i] = json_string_value(json_array_get(v, i));
        if ((*items)[i] == NULL || !is_plain_text((*items)[i]))
            return UM_EPROTO;
    }
    *list = (struct um_token_list){ *items, n };
    return UM_OK;
}

static um_err read_numbers(struct um_token_claims *c, const json_t *json)
{
    for (size_t i = 0; i < UM_COUNT(number_claims); i++) {
        const json_t *v = json_object_get(json, number_claims[i].name);
        int64_t t = json_integer_value(v);
        if (v == NULL)
            continue;
        if (!json_is_integer(v) || t < 0 || t > TIME_MAX)
            return UM_EPROTO;
        *FIELD(c, &number_claims[i], int64_t) = t;
    }
    return c->iat > 0 && c->exp > c->iat ? UM_OK : UM_EPROTO;
}

static um_err read_claims(struct um_token_claims *c, struct um_span part)
{
    struct claims_own *own = calloc(1, sizeof(*own));
    um_err err;

    if ((c->own = own) == NULL)
        return UM_ENOMEM;
    if ((err = parse_part(part, &own->json)) != UM_OK || (err = read_strings(c, own->json)) != UM_OK ||
        (err = read_numbers(c, own->json)) != UM_OK)
        return err;
    for (size_t i = 0; i < UM_COUNT(list_claims) && err == UM_OK; i++)
        err = read_list(FIELD(c, &list_claims[i], struct um_token_list), &own->items[i],
                        json_object_get(own->json, list_claims[i].name));
    return err;
}

static um_err check_claims(const struct um_token_claims *c, const char *use, int64_t now_s)
{
    if (strcmp(c->use, use) != 0)
        return UM_EDENIED;
    if (now_s >= c->exp + UM_TOKEN_SLACK_S || c->iat > now_s + UM_TOKEN_SLACK_S || c->nbf > now_s + UM_TOKEN_SLACK_S)
        return UM_ETIMEOUT;
    return UM_OK;
}

um_err um_token_verify(const struct um_token_ring *ring, struct um_span text, const char *use, int64_t now_s,
                       struct um_token_claims *claims)
{
    struct um_token_claims c = {0};
    struct um_span part[3];
    um_err err;

    *claims = c;
    if (text.len > UM_TOKEN_MAX_BYTES || !split_token(text, part))
        return UM_EPROTO;
    if ((err = check_signature(ring, UM_SPAN(text.data, part[2].data - 1 - text.data), part[2])) != UM_OK ||
        (err = check_header(part[0])) != UM_OK)
        return err;
    if ((err = read_claims(&c, part[1])) == UM_OK && (err = check_claims(&c, use, now_s)) == UM_OK)
        *claims = c;
    else
        um_token_claims_free(&c);
    return err;
}

void um_token_claims_free(struct um_token_claims *claims)
{
    struct claims_own *own = claims->own;

    if (own != NULL) {
        json_decref(own->json);
        for (size_t i = 0; i < UM_COUNT(own->items); i++)
            free(own->items[i]);
        free(own);
    }
    *claims = (struct um_token_claims){0};
}
