/* Tokens that the gateway makes for the core. A user's token lives a minute and is used again for twenty seconds, so a
 * burst of requests signs once; it is forgotten with its session. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "auth_int.h"

enum { TOKEN_LIFE_S = 60, REUSE_MS = 20000, MINTED_MAX = 4096 };

struct minted {
    int64_t at_ms;
    char text[];
};

void auth_free_minted(struct um_auth *a)
{
    size_t pos = 0;
    struct um_span key;
    void *value;

    while (um_map_next(&a->minted, &pos, &key, &value))
        free(value);
    um_map_free(&a->minted);
    a->minted = (struct um_map){0};
}

void auth_forget_minted(struct um_auth *a, const char *session_id)
{
    free(um_map_remove(&a->minted, UM_SPAN_STR(session_id)));
}

/* A list attribute of S; ITEMS is the caller's to free, JSON to decref. */
static struct um_token_list read_list(const struct um_session *s, const char *attr, json_t **json, const char ***items)
{
    struct um_span text = um_session_attr(s, attr);
    size_t n;

    *items = NULL;
    *json = text.len > 0 ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;
    n = UM_MIN(json_array_size(*json), (size_t)UM_TOKEN_MAX_LIST);
    if (n == 0)
        return (struct um_token_list){ NULL, 0 };
    *items = um_xcalloc(n, sizeof(**items));
    for (size_t i = 0; i < n; i++) {
        const char *item = json_string_value(json_array_get(*json, i));
        (*items)[i] = item != NULL ? item : "";
    }
    return (struct um_token_list){ *items, n };
}

/* Without the claim who has an account would be taken for a user of every scope. */
static const char *account_of(const struct um_session *s)
{
    const char *account = um_session_attr_str(s, ATTR_ACCOUNT);

    return account != NULL && *account != '\0' ? account : NULL;
}

static um_err sign_user(struct um_auth *a, const struct um_session *s, struct um_buf *out)
{
    int64_t now = um_wall_ms() / 1000;
    char sid[UM_SESSION_HASH_LEN + 1];
    const char **profiles, **groups;
    json_t *profiles_json, *groups_json;
    struct um_token_claims c = {
        .sub = s->user, .name = um_session_attr_str(s, ATTR_NAME), .scope = um_session_attr_str(s, ATTR_SCOPE),
        .use = UM_TOKEN_USER, .sid = sid, .account = account_of(s), .iat = now, .exp = now + TOKEN_LIFE_S,
        .profiles = read_list(s, ATTR_PROFILES, &profiles_json, &profiles),
        .groups = read_list(s, ATTR_GROUPS, &groups_json, &groups),
    };
    um_err err;

    um_session_hash(s->id, sid);
    err = um_token_sign(a->env.ring, &c, out);
    free(profiles);
    free(groups);
    json_decref(profiles_json);
    json_decref(groups_json);
    return err;
}

const char *auth_mint_user(struct um_auth *a, const struct um_session *s)
{
    struct um_span key = UM_SPAN(s->id, UM_SESSION_ID_LEN);
    struct minted *m = um_map_get(&a->minted, key);
    int64_t now = um_loop_now_ms(a->env.loop);
    struct um_buf text = {0};

    if (m != NULL && now - m->at_ms < REUSE_MS)
        return m->text;
    if (sign_user(a, s, &text) != UM_OK) {
        um_buf_free(&text);
        return NULL;
    }
    if (a->minted.n >= MINTED_MAX)
        auth_free_minted(a);
    m = um_xcalloc(1, sizeof(*m) + text.len + 1);
    m->at_ms = now;
    memcpy(m->text, text.data, text.len);
    um_buf_free(&text);
    free(um_map_put(&a->minted, key, m));
    return m->text;
}

um_err um_auth_gateway_token(const struct um_token_ring *ring, const char *client_address, struct um_buf *out)
{
    int64_t now = um_wall_ms() / 1000;
    struct um_token_claims c = {
        .sub = "umbel-gateway", .use = UM_TOKEN_GATEWAY, .addr = client_address, .iat = now, .exp = now + TOKEN_LIFE_S,
    };
    return um_token_sign(ring, &c, out);
}

um_err auth_mint_gateway(struct um_auth *a, const char *client_address, struct um_buf *out)
{
    return um_auth_gateway_token(a->env.ring, client_address, out);
}
