/* unit.outgoing_guard: what may be called, as pure functions of texts and addresses. */
#include <um_test.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <umbel/bytes.h>
#include "address.h"
#include "allow.h"
#include "url.h"

/* ---- addresses ---- */

static void each_address_leads_to_its_kind_of_place(void **state)
{
    static const struct { const char *text; enum address_kind kind; } rows[] = {
        { "1.1.1.1", ADDRESS_PUBLIC }, { "8.8.8.8", ADDRESS_PUBLIC }, { "93.184.216.34", ADDRESS_PUBLIC },
        { "9.255.255.255", ADDRESS_PUBLIC }, { "11.0.0.0", ADDRESS_PUBLIC }, { "100.63.255.255", ADDRESS_PUBLIC },
        { "100.128.0.0", ADDRESS_PUBLIC }, { "126.255.255.255", ADDRESS_PUBLIC }, { "128.0.0.0", ADDRESS_PUBLIC },
        { "169.253.255.255", ADDRESS_PUBLIC }, { "169.255.0.0", ADDRESS_PUBLIC }, { "172.15.255.255", ADDRESS_PUBLIC },
        { "172.32.0.0", ADDRESS_PUBLIC }, { "192.167.255.255", ADDRESS_PUBLIC }, { "192.169.0.0", ADDRESS_PUBLIC },
        { "198.17.255.255", ADDRESS_PUBLIC }, { "198.20.0.0", ADDRESS_PUBLIC }, { "223.255.255.255", ADDRESS_PUBLIC },
        { "192.0.1.0", ADDRESS_PUBLIC }, { "168.63.129.15", ADDRESS_PUBLIC }, { "168.63.129.17", ADDRESS_PUBLIC },
        { "127.0.0.1", ADDRESS_LOOPBACK }, { "127.0.0.0", ADDRESS_LOOPBACK }, { "127.255.255.255", ADDRESS_LOOPBACK },
        { "10.0.0.0", ADDRESS_PRIVATE }, { "10.255.255.255", ADDRESS_PRIVATE }, { "172.16.0.0", ADDRESS_PRIVATE },
        { "172.31.255.255", ADDRESS_PRIVATE }, { "192.168.0.0", ADDRESS_PRIVATE }, { "192.168.255.255", ADDRESS_PRIVATE },
        { "100.64.0.0", ADDRESS_PRIVATE }, { "100.127.255.255", ADDRESS_PRIVATE },
        { "169.254.0.0", ADDRESS_LINK_LOCAL }, { "169.254.255.255", ADDRESS_LINK_LOCAL },
        { "169.254.169.254", ADDRESS_METADATA }, { "169.254.170.2", ADDRESS_METADATA }, { "100.100.100.200", ADDRESS_METADATA },
        { "168.63.129.16", ADDRESS_METADATA }, { "192.0.0.192", ADDRESS_METADATA },
        { "224.0.0.1", ADDRESS_MULTICAST }, { "239.255.255.255", ADDRESS_MULTICAST },
        { "0.0.0.0", ADDRESS_RESERVED }, { "0.255.255.255", ADDRESS_RESERVED }, { "192.0.0.1", ADDRESS_RESERVED },
        { "192.0.2.1", ADDRESS_RESERVED }, { "192.88.99.1", ADDRESS_RESERVED }, { "198.18.0.0", ADDRESS_RESERVED },
        { "198.19.255.255", ADDRESS_RESERVED }, { "198.51.100.7", ADDRESS_RESERVED }, { "203.0.113.9", ADDRESS_RESERVED },
        { "240.0.0.0", ADDRESS_RESERVED }, { "255.255.255.255", ADDRESS_RESERVED },

        { "2606:4700:4700::1111", ADDRESS_PUBLIC }, { "2001:4860:4860::8888", ADDRESS_PUBLIC }, { "2001:200::", ADDRESS_PUBLIC },
        { "2000::", ADDRESS_PUBLIC }, { "3ffe::1", ADDRESS_PUBLIC },
        { "::1", ADDRESS_LOOPBACK }, { "fc00::", ADDRESS_PRIVATE }, { "fdff:ffff::1", ADDRESS_PRIVATE }, { "fec0::1", ADDRESS_PRIVATE },
        { "fe80::1", ADDRESS_LINK_LOCAL }, { "febf:ffff::", ADDRESS_LINK_LOCAL }, { "ff02::1", ADDRESS_MULTICAST },
        { "fd00:ec2::254", ADDRESS_METADATA }, { "fd20:ce::254", ADDRESS_METADATA },
        { "::", ADDRESS_RESERVED }, { "::2", ADDRESS_RESERVED }, { "::7f00:1", ADDRESS_RESERVED }, { "100::1", ADDRESS_RESERVED },
        { "2001::1", ADDRESS_RESERVED }, { "2001:db8::1", ADDRESS_RESERVED }, { "2001:10::1", ADDRESS_RESERVED },
        { "2002:7f00:1::", ADDRESS_RESERVED }, { "2002:808:808::", ADDRESS_RESERVED }, { "3fff::1", ADDRESS_RESERVED },
        { "5f00::1", ADDRESS_RESERVED }, { "4000::1", ADDRESS_RESERVED }, { "64:ff9b:1::a00:1", ADDRESS_RESERVED },

        { "::ffff:127.0.0.1", ADDRESS_LOOPBACK }, { "::ffff:7f00:1", ADDRESS_LOOPBACK }, { "::ffff:10.1.2.3", ADDRESS_PRIVATE },
        { "::ffff:169.254.169.254", ADDRESS_METADATA }, { "::ffff:0.0.0.0", ADDRESS_RESERVED }, { "::ffff:8.8.8.8", ADDRESS_PUBLIC },
        { "::ffff:0:127.0.0.1", ADDRESS_RESERVED },
        { "64:ff9b::8.8.8.8", ADDRESS_PUBLIC }, { "64:ff9b::127.0.0.1", ADDRESS_RESERVED }, { "64:ff9b::10.0.0.1", ADDRESS_RESERVED },
        { "64:ff9b::169.254.169.254", ADDRESS_METADATA }, { "64:ff9b::0.0.0.0", ADDRESS_RESERVED },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct address a;
        if (!address_parse(&a, rows[i].text) || address_kind(&a) != rows[i].kind)
            fail_msg("%s: %s", rows[i].text, address_kind_text(address_kind(&a)));
    }
}

static void texts_that_others_read_as_addresses_are_none(void **state)
{
    static const char *const texts[] = { "", "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "127.0.0.01", "127.0.0.1 ", " 127.0.0.1", "127.0.0.256",
                                         "1.2.3.4.5", "fe80::1%lo", "[::1]", "::1/128", "::g", "localhost" };
    struct address a;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(texts); i++)
        if (address_parse(&a, texts[i]))
            fail_msg("%s was taken for an address", texts[i]);
}

static void a_socket_address_is_judged_as_its_text(void **state)
{
    struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
    struct sockaddr other = { .sa_family = AF_UNIX };
    struct address a;

    (void)state;
    inet_pton(AF_INET6, "::ffff:10.0.0.1", &sa.sin6_addr);
    assert_true(address_of_sockaddr(&a, (struct sockaddr *)&sa, sizeof(sa)));
    assert_false(a.v6);
    assert_int_equal(address_kind(&a), ADDRESS_PRIVATE);
    assert_false(address_of_sockaddr(&a, (struct sockaddr *)&sa, 8));
    assert_false(address_of_sockaddr(&a, &other, sizeof(other)));
}

static void a_network_holds_its_edges_and_nothing_more(void **state)
{
    static const struct { const char *network, *first, *last, *before, *after; } rows[] = {
        { "10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0" },
        { "172.16.0.0/12", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0" },
        { "192.168.4.1", "192.168.4.1", "192.168.4.1", "192.168.4.0", "192.168.4.2" },
        { "10.9.8.7/31", "10.9.8.6", "10.9.8.7", "10.9.8.5", "10.9.8.8" },
        { "fd00::/9", "fd00::", "fd7f:ffff::", "fcff::", "fd80::" },
        { "::1", "::1", "::1", "::", "::2" },
        { "0.0.0.0/0", "0.0.0.0", "255.255.255.255", "::", "::1" },
    };
    static const char *const wrong[] = { "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8x", "10.0.0/8", "/8", "10.0.0.0/-1", "10.0.0.0/+8",
                                         "10.0.0.0/0008", "::ffff:10.0.0.0/104" };
    struct network net;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct address first, last, before, after;
        assert_true(network_parse(&net, rows[i].network));
        assert_true(address_parse(&first, rows[i].first) && address_parse(&last, rows[i].last));
        assert_true(address_parse(&before, rows[i].before) && address_parse(&after, rows[i].after));
        if (!network_has(&net, &first) || !network_has(&net, &last) || network_has(&net, &before) || network_has(&net, &after))
            fail_msg("%s", rows[i].network);
    }
    for (size_t i = 0; i < UM_COUNT(wrong); i++)
        if (network_parse(&net, wrong[i]))
            fail_msg("%s was taken for a network", wrong[i]);
}

/* ---- URLs ---- */

static void a_good_url_is_taken_apart(void **state)
{
    static const struct { const char *text, *host; bool tls, is_address; unsigned port; } rows[] = {
        { "http://a", "a", false, false, 80 },
        { "https://a", "a", true, false, 443 },
        { "HTTPS://Handlers.Example:8443/x?y=z", "handlers.example", true, false, 8443 },
        { "http://handlers.example./x", "handlers.example", false, false, 80 },
        { "http://a_b-c.d?q", "a_b-c.d", false, false, 80 },
        { "http://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example", false, false, 80 },
        { "http://1and1.com/", "1and1.com", false, false, 80 },
        { "http://127.0.0.1:65535/", "127.0.0.1", false, true, 65535 },
        { "http://[::1]:8080/", "::1", false, true, 8080 },
        { "http://[::ffff:127.0.0.1]", "::ffff:127.0.0.1", false, true, 80 },
        { "http://a/%2e%2e/@:[]", "a", false, false, 80 },
        { "http://a:00080/", "a", false, false, 80 },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        const char *why;
        struct url u;
        if (!url_parse(&u, rows[i].text, &why))
            fail_msg("%s: %s", rows[i].text, why);
        assert_string_equal(u.host, rows[i].host);
        assert_int_equal(u.tls, rows[i].tls);
        assert_int_equal(u.is_address, rows[i].is_address);
        assert_int_equal(u.port, rows[i].port);
    }
}

static void a_url_that_can_be_read_in_two_ways_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "a", "//a/", "ftp://a/", "file:///etc/passwd", "gopher://a/", "javascript:1", "http:/a", "http:a", "http//a", " http://a/",
        "http://", "http:///", "http://?", "http://:80/", "http://a:/", "http://a:0/", "http://a:65536/", "http://a:123456/", "http://a:8o/", "http://a:-1/",
        "http://a:+80/", "http://a:80:80/", "http://u@a/", "http://u:p@a/", "http://@a/", "http://public.example@127.0.0.1/", "http://a#b", "http://a/#b",
        "http://a/ b", "http://a/\r\nX: y", "http://a/\tb", "http://a\\@b/", "http://a/\\b", "http://a/{b}", "http://a/\"", "http://a/<b>", "http://a/b|c", "http://a/`",
        "http://m\xc3\xbcnchen.example/", "http://a%2eb/", "http://127.0.0.1%00.example/", "http://a..b/", "http://.a/", "http://a../", "http://./",
        "http://-a/", "http://a-/", "http://a,b/", "http://a b/", "http://a;b/", "http://a/\x7f",
        "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0X7F.1/", "http://0177.0.0.1/",
        "http://127.0.0.1./", "http://127.0.0.0x1/", "http://1.2.3.4.5/", "http://256.0.0.1/", "http://a.0x/", "http://a.1/", "http://0x/",
        "http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/",
        "http://[::1/", "http://::1/", "http://[::1]x/", "http://[]/", "http://[fe80::1%25lo]/", "http://[fe80::1%lo]/", "http://[127.0.0.1]/", "http://[a]/",
        "http://[::1]:/", "http://[v1.a]/", "http://a:22/", "http://a:25/", "http://a:6379/", "http://a:11211/",
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        const char *why;
        struct url u;
        if (url_parse(&u, texts[i], &why))
            fail_msg("%s was accepted as %s:%u", texts[i], u.host, u.port);
        assert_non_null(why);
    }
}

static void lengths_hold_at_their_value_and_break_at_one_more(void **state)
{
    char text[4096] = "http://", label[64 + 1];
    const char *why;
    struct url u;

    (void)state;
    memset(label, 'a', 63);
    label[63] = '\0';
    for (int i = 0; i < 3; i++)
        strcat(strcat(text, label), ".");
    strncat(text, label, 61);            /* 3 * 64 + 61 = 253 */
    assert_true(url_parse(&u, text, &why));
    assert_int_equal(strlen(u.host), 253);
    assert_false(url_parse(&u, strcat(text, "a"), &why));
    snprintf(text, sizeof(text), "http://%sa/", label);
    assert_false(url_parse(&u, text, &why));
    snprintf(text, sizeof(text), "http://a/%02038d", 0);
    assert_false(url_parse(&u, strcat(text, "00"), &why));
    text[2048] = '\0';
    assert_true(url_parse(&u, text, &why));
}

/* ---- outgoing.allow ---- */

static bool lets(const struct allow *al, const char *address, bool name)
{
    struct address a;

    assert_true(address_parse(&a, address));
    return allow_lets(al, &a, name);
}

static bool lets_url(const struct allow *al, const char *text)
{
    char why[256] = "";
    const char *reason;
    struct url u;
    bool ok = url_parse(&u, text, &reason) && allow_lets_url(al, &u, why, sizeof(why));

    if (!ok)
        assert_int_not_equal(why[0], '\0');
    return ok;
}

static void a_network_opens_what_is_in_it_and_a_name_only_what_is_private(void **state)
{
    struct allow al;
    char why[256];

    (void)state;
    assert_int_equal(allow_parse(&al, " 10.1.0.0/16,handlers.Example.\t169.254.7.7 , fd00:1::/32,", why, sizeof(why)), UM_OK);
    assert_true(lets(&al, "8.8.8.8", false));
    assert_true(lets(&al, "10.1.2.3", false) && lets(&al, "::ffff:10.1.2.3", false) && lets(&al, "fd00:1::9", false));
    assert_true(lets(&al, "169.254.7.7", false));
    assert_false(lets(&al, "10.2.0.1", false) || lets(&al, "127.0.0.1", false) || lets(&al, "fd00:2::1", false));
    assert_true(lets(&al, "10.2.0.1", true) && lets(&al, "127.0.0.1", true) && lets(&al, "::1", true));
    assert_false(lets(&al, "169.254.169.254", true) || lets(&al, "fe80::1", true) || lets(&al, "0.0.0.0", true) || lets(&al, "224.0.0.1", true));
    assert_false(lets(&al, "64:ff9b::10.1.2.3", true));
    assert_true(allow_has_name(&al, "handlers.example"));
    assert_false(allow_has_name(&al, "a.handlers.example") || allow_has_name(&al, "handlers.exampl"));
    allow_free(&al);
}

static void a_url_is_judged_as_far_as_its_text_tells(void **state)
{
    struct allow none, lo, name;
    char why[256];

    (void)state;
    assert_int_equal(allow_parse(&none, "", why, sizeof(why)), UM_OK);
    assert_int_equal(allow_parse(&lo, "127.0.0.0/8", why, sizeof(why)), UM_OK);
    assert_int_equal(allow_parse(&name, "localhost", why, sizeof(why)), UM_OK);
    assert_true(lets_url(&none, "https://handlers.example/") && lets_url(&none, "http://8.8.8.8/"));
    assert_false(lets_url(&none, "http://127.0.0.1/") || lets_url(&none, "http://[::1]/") || lets_url(&none, "http://[::ffff:7f00:1]/"));
    assert_false(lets_url(&none, "http://localhost/") || lets_url(&none, "http://LOCALHOST./") || lets_url(&none, "http://a.localhost/"));
    assert_true(lets_url(&lo, "http://127.0.0.1/") && lets_url(&lo, "http://localhost/"));
    assert_false(lets_url(&lo, "http://[::1]/") || lets_url(&lo, "http://169.254.169.254/latest/meta-data"));
    assert_true(lets_url(&name, "http://localhost/"));
    assert_false(lets_url(&name, "http://127.0.0.1/") || lets_url(&name, "http://b.localhost/"));
    allow_free(&none);
    allow_free(&lo);
    allow_free(&name);
}

static void what_is_no_entry_is_told(void **state)
{
    static const char *const texts[] = { "10.0.0.0/40", "*.example", "http://a/", "a:80", "0x7f.1", "a b c,d/e", "::/x", "127.1" };
    struct um_buf many = { 0 };
    struct allow al;
    char why[256];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        why[0] = '\0';
        assert_int_equal(allow_parse(&al, texts[i], why, sizeof(why)), UM_EINVAL);
        assert_non_null(strstr(why, "neither a network"));
        allow_free(&al);
    }
    for (int i = 0; i < 257; i++)
        um_buf_puts(&many, "a,");
    assert_int_equal(allow_parse(&al, um_buf_cstr(&many), why, sizeof(why)), UM_ELIMIT);
    allow_free(&al);
    um_buf_free(&many);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_leads_to_its_kind_of_place),
        cmocka_unit_test(texts_that_others_read_as_addresses_are_none),
        cmocka_unit_test(a_socket_address_is_judged_as_its_text),
        cmocka_unit_test(a_network_holds_its_edges_and_nothing_more),
        cmocka_unit_test(a_good_url_is_taken_apart),
        cmocka_unit_test(a_url_that_can_be_read_in_two_ways_is_refused),
        cmocka_unit_test(lengths_hold_at_their_value_and_break_at_one_more),
        cmocka_unit_test(a_network_opens_what_is_in_it_and_a_name_only_what_is_private),
        cmocka_unit_test(a_url_is_judged_as_far_as_its_text_tells),
        cmocka_unit_test(what_is_no_entry_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
