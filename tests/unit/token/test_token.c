/* Tokens: what we sign is accepted, and nothing else is. */
#include "um_test.h"
#include <umbel/token.h>
#include <umbel/util.h>

#include "token_mac.h"

#define KEY      "0123456789abcdef0123456789abcdef"
#define KEY_OLD  "fedcba9876543210fedcba9876543210"
#define NOW      INT64_C(1767322445)

static struct um_token_ring ring_of(const char *current, const char *previous)
{
    struct um_token_ring ring;
    assert_int_equal(um_token_ring_init(&ring, current, previous), UM_OK);
    return ring;
}

static void sign(struct um_buf *out, const char *key, const struct um_token_claims *c)
{
    struct um_token_ring ring = ring_of(key, NULL);
    assert_int_equal(um_token_sign(&ring, c, out), UM_OK);
}

static struct um_token_claims user_claims(void)
{
    return (struct um_token_claims){ .sub = "ann", .use = UM_TOKEN_USER, .iat = NOW, .exp = NOW + 60 };
}

static um_err verify(struct um_span text, const char *use, int64_t now)
{
    struct um_token_ring ring = ring_of(KEY, NULL);
    struct um_token_claims c;
    um_err err = um_token_verify(&ring, text, use, now, &c);
    um_token_claims_free(&c);
    return err;
}

/* header and payload as given, signed rightly with KEY. */
static um_err verify_made_of(const char *header, const char *payload)
{
    struct um_buf text = {0};
    struct um_token_ring ring = ring_of(KEY, NULL);
    struct um_token_claims c;
    uint8_t mac[TOKEN_MAC_BYTES];
    um_err err;

    um_base64url_encode(&text, UM_SPAN_STR(header));
    um_buf_put_u8(&text, '.');
    um_base64url_encode(&text, UM_SPAN_STR(payload));
    assert_int_equal(token_mac(ring.current, UM_SPAN(text.data, text.len), mac), UM_OK);
    um_buf_put_u8(&text, '.');
    um_base64url_encode(&text, UM_SPAN(mac, sizeof(mac)));
    err = um_token_verify(&ring, UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW, &c);
    um_token_claims_free(&c);
    um_buf_free(&text);
    return err;
}

static void every_claim_comes_back(void **state)
{
    const char *profiles[] = { "ADMIN", "DOCUMENT_CREATOR" }, *groups[] = { "g\"1" };
    struct um_token_claims c = {
        .sub = "ann", .name = "Ann Ö", .scope = "main", .use = UM_TOKEN_USER, .addr = "10.0.0.1", .access = "readonly",
        .sid = "aabb", .profiles = { profiles, 2 }, .groups = { groups, 1 }, .iat = NOW, .exp = NOW + 60, .nbf = NOW,
    };
    struct um_token_ring ring = ring_of(KEY, NULL);
    struct um_token_claims got;
    struct um_buf text = {0};

    (void)state;
    sign(&text, KEY, &c);
    assert_int_equal(um_token_verify(&ring, UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW, &got), UM_OK);
    assert_string_equal(got.sub, "ann");
    assert_string_equal(got.name, "Ann Ö");
    assert_string_equal(got.scope, "main");
    assert_string_equal(got.addr, "10.0.0.1");
    assert_string_equal(got.access, "readonly");
    assert_string_equal(got.sid, "aabb");
    assert_int_equal(strlen(got.jti), 22);
    assert_true(um_token_list_contains(&got.profiles, "DOCUMENT_CREATOR"));
    assert_false(um_token_list_contains(&got.profiles, "SYSTEM_ADMIN"));
    assert_string_equal(got.groups.items[0], "g\"1");
    assert_int_equal(got.exp, NOW + 60);
    um_token_claims_free(&got);
    um_buf_free(&text);
}

/* Made with another implementation (Python's hmac), so that signing and verifying cannot agree on a common mistake. */
static void token_of_another_implementation_is_accepted(void **state)
{
    (void)state;
    static const char text[] = 
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJzdWIiOiAiYW5uIiwgInVzZSI6ICJ1c2VyIiwgImlhdCI6IDE3NjczMjI0NDUsICJleHAiOiAxNzY3MzIyNTA1fQ."
        "YXCPSVD0w1DrOVUeqGzNt-lpUVusGf-rC4BhbSKjAGw";
    assert_int_equal(verify(UM_SPAN_STR(text), UM_TOKEN_USER, NOW), UM_OK);
}

static void previous_key_verifies_and_never_signs(void **state)
{
    struct um_token_ring ring = ring_of(KEY, KEY_OLD);
    struct um_token_claims c = user_claims(), got;
    struct um_buf before = {0}, now = {0};

    (void)state;
    sign(&before, KEY_OLD, &c);
    assert_int_equal(um_token_verify(&ring, UM_SPAN(before.data, before.len), UM_TOKEN_USER, NOW, &got), UM_OK);
    um_token_claims_free(&got);
    assert_int_equal(um_token_sign(&ring, &c, &now), UM_OK);
    assert_int_equal(verify(UM_SPAN(now.data, now.len), UM_TOKEN_USER, NOW), UM_OK);
    um_buf_free(&before);
    um_buf_free(&now);
}

static void foreign_signature_and_other_purpose_are_denied(void **state)
{
    struct um_token_claims c = user_claims();
    struct um_buf text = {0};

    (void)state;
    sign(&text, KEY_OLD, &c);
    assert_int_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW), UM_EDENIED);
    um_buf_clear(&text);
    sign(&text, KEY, &c);
    assert_int_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_GATEWAY, NOW), UM_EDENIED);
    um_buf_free(&text);
}

static void times_count_with_thirty_seconds_of_slack(void **state)
{
    struct um_token_claims c = user_claims();
    struct um_buf text = {0};

    (void)state;
    c.nbf = NOW + 10;
    sign(&text, KEY, &c);
    assert_int_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW + 89), UM_OK);
    assert_int_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW + 90), UM_ETIMEOUT);
    assert_int_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW - 20), UM_OK);
    assert_int_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW - 21), UM_ETIMEOUT);   /* nbf */
    assert_int_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW - 31), UM_ETIMEOUT);   /* iat */
    um_buf_free(&text);
}

static void every_changed_or_missing_byte_is_refused(void **state)
{
    struct um_token_claims c = user_claims();
    struct um_buf text = {0};

    (void)state;
    sign(&text, KEY, &c);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t was = text.data[i];
        text.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_not_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW), UM_OK);
        text.data[i] = was;
        assert_int_not_equal(verify(UM_SPAN(text.data, i), UM_TOKEN_USER, NOW), UM_OK);
    }
    um_buf_put_u8(&text, 'A');
    assert_int_not_equal(verify(UM_SPAN(text.data, text.len), UM_TOKEN_USER, NOW), UM_OK);
    um_buf_free(&text);
}

static void other_algorithms_and_key_references_are_refused(void **state)
{
    static const char payload[] = "{\"sub\":\"ann\",\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505}";
    static const struct { const char *header; um_err err; } rows[] = {
        { "{\"alg\":\"HS256\"}", UM_OK },
        { "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"current\"}", UM_OK },
        { "{\"alg\":\"none\"}", UM_EPROTO },
        { "{\"alg\":\"hs256\"}", UM_EPROTO },
        { "{\"alg\":\"HS512\"}", UM_EPROTO },
        { "{\"alg\":\"RS256\",\"typ\":\"JWT\"}", UM_EPROTO },
        { "{\"typ\":\"JWT\"}", UM_EPROTO },
        { "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", UM_EPROTO },
        { "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", UM_EPROTO },
        { "{\"alg\":\"HS256\",\"jku\":\"https://x\"}", UM_EPROTO },
        { "{\"alg\":\"HS256\",\"jwk\":{}}", UM_EPROTO },
        { "{\"alg\":\"HS256\",\"x5u\":\"https://x\"}", UM_EPROTO },
        { "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", UM_EPROTO },
        { "{\"alg\":\"HS256\",\"alg\":\"none\"}", UM_EPROTO },
        { "[\"HS256\"]", UM_EPROTO },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        assert_int_equal(verify_made_of(rows[i].header, payload), rows[i].err);
}

static void claims_of_wrong_type_are_refused(void **state)
{
    static const char *const rows[] = {
        "", "null", "[]", "{}", "{\"sub\":\"ann\"}",
        "{\"sub\":\"ann\",\"iat\":1767322445,\"exp\":1767322505}",                                   /* no purpose */
        "{\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505}",                                  /* no subject */
        "{\"sub\":\"ann\",\"use\":\"user\",\"iat\":1767322445}",                                     /* no end */
        "{\"sub\":\"ann\",\"use\":\"user\",\"exp\":1767322505}",                                     /* no beginning */
        "{\"sub\":\"ann\",\"use\":\"user\",\"iat\":1767322445,\"exp\":\"1767322505\"}",
        "{\"sub\":\"ann\",\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505.5}",
        "{\"sub\":\"ann\",\"use\":\"user\",\"iat\":1767322445,\"exp\":9223372036854775807}",
        "{\"sub\":\"ann\",\"use\":\"user\",\"iat\":-1,\"exp\":1767322505}",
        "{\"sub\":\"ann\",\"sub\":\"bob\",\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505}",
        "{\"sub\":7,\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505}",
        "{\"sub\":\"\",\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505}",
        "{\"sub\":\"a\\nb\",\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505}",
        "{\"sub\":\"a\\u0000b\",\"use\":\"user\",\"iat\":1767322445,\"exp\":1767322505}",
        "{\"sub\":\"ann\",\"use\":\"user\",\"access\":\"all\",\"iat\":1767322445,\"exp\":1767322505}",
        "{\"sub\":\"ann\",\"use\":\"user\",\"profiles\":\"ADMIN\",\"iat\":1767322445,\"exp\":1767322505}",
        "{\"sub\":\"ann\",\"use\":\"user\",\"profiles\":[1],\"iat\":1767322445,\"exp\":1767322505}",
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        assert_int_equal(verify_made_of("{\"alg\":\"HS256\"}", rows[i]), UM_EPROTO);
}

static void malformed_texts_are_refused(void **state)
{
    static const char *const rows[] = { "", ".", "..", "...", "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "a.b.c", "a b.c.d" };
    struct um_buf big = {0};

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        assert_int_equal(verify(UM_SPAN_STR(rows[i]), UM_TOKEN_USER, NOW), UM_EPROTO);
    for (size_t i = 0; i <= UM_TOKEN_MAX_BYTES; i++)
        um_buf_put_u8(&big, 'a');
    assert_int_equal(verify(UM_SPAN(big.data, big.len), UM_TOKEN_USER, NOW), UM_EPROTO);
    um_buf_free(&big);
}

static void short_keys_are_refused(void **state)
{
    struct um_token_ring ring;

    (void)state;
    assert_int_equal(um_token_ring_init(&ring, "", ""), UM_EINVAL);
    assert_int_equal(um_token_ring_init(&ring, "0123456789abcdef0123456789abcde", ""), UM_EINVAL);
    assert_int_equal(um_token_ring_init(&ring, KEY, "short"), UM_EINVAL);
    assert_int_equal(um_token_ring_init(&ring, KEY, ""), UM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_claim_comes_back),
        cmocka_unit_test(token_of_another_implementation_is_accepted),
        cmocka_unit_test(previous_key_verifies_and_never_signs),
        cmocka_unit_test(foreign_signature_and_other_purpose_are_denied),
        cmocka_unit_test(times_count_with_thirty_seconds_of_slack),
        cmocka_unit_test(every_changed_or_missing_byte_is_refused),
        cmocka_unit_test(other_algorithms_and_key_references_are_refused),
        cmocka_unit_test(claims_of_wrong_type_are_refused),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(short_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
