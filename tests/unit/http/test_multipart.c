/* Forms: what is in them is the same however the bytes arrive, and what is malformed is refused however it arrives. */
#include <stdio.h>
#include <umbel/multipart.h>
#include <umbel/util.h>
#include "um_test.h"

#define TYPE "multipart/form-data; boundary=XyZ"

/* ---- what a form says, as one text ---- */

struct heard { struct um_buf text; size_t bytes, fed; size_t refuse_at; };

static um_err begin(void *arg, const struct um_multipart_part *part)
{
    struct heard *h = arg;

    um_buf_printf(&h->text, "[%s|%s|%s:", part->name, part->filename != NULL ? part->filename : "-", part->type != NULL ? part->type : "-");
    return UM_OK;
}

static um_err piece(void *arg, struct um_span bytes)
{
    struct heard *h = arg;

    assert_true(bytes.len > 0);
    h->bytes += bytes.len;
    um_buf_put(&h->text, bytes.data, bytes.len);
    return h->refuse_at > 0 && h->bytes >= h->refuse_at ? UM_EBUSY : UM_OK;
}

static um_err end(void *arg)
{
    um_buf_put_u8(&((struct heard *)arg)->text, ']');
    return UM_OK;
}

static const struct um_multipart_sink sink = { begin, piece, end };

/* In pieces: up to FIRST, then of STEP bytes. Each is a block of its own, so that a look beyond its end shows. */
static um_err read_form(struct heard *h, const char *type, struct um_span form, size_t first, size_t step)
{
    struct um_multipart *m;
    um_err err = um_multipart_new(&m, type, &sink, h);

    if (err != UM_OK)
        return err;
    for (size_t at = 0; err == UM_OK && at < form.len;) {
        size_t n = UM_MIN(at == 0 && first > 0 ? first : step, form.len - at);
        uint8_t *copy = um_xmalloc(n);

        memcpy(copy, form.data + at, n);
        h->bytes = 0;
        err = um_multipart_feed(m, UM_SPAN(copy, n));
        assert_true(h->bytes <= n + UM_MULTIPART_HELD_MAX);
        free(copy);
        at += n;
    }
    if (err == UM_OK)
        err = um_multipart_finish(m);
    assert_int_equal(um_multipart_feed(m, UM_SPAN("", 0)), err);
    if (err != UM_OK)
        assert_true(strlen(um_multipart_why(m)) > 10);
    um_multipart_free(m);
    return err;
}

/* WANT: NULL for a form that must be refused with ERR. */
static void check(const char *type, const char *form, size_t len, um_err err, const char *want)
{
    for (size_t cut = 0; cut <= len + 1; cut++) {
        struct heard h = { 0 };
        um_err got = cut == len + 1 ? read_form(&h, type, UM_SPAN(form, len), 1, 1) : read_form(&h, type, UM_SPAN(form, len), cut, len);

        if (got != err || (want != NULL && strcmp(um_buf_cstr(&h.text), want) != 0))
            fail_msg("cut at %zu of \"%s\": %s, \"%s\"", cut, form, um_err_text(got), um_buf_cstr(&h.text));
        um_buf_free(&h.text);
    }
}

static void reads(const char *form, const char *want)
{
    check(TYPE, form, strlen(form), UM_OK, want);
}

static void refuses(const char *form)
{
    check(TYPE, form, strlen(form), UM_EPROTO, NULL);
}

#define FILE_HEAD "--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n"
#define HEAD(disposition) "--XyZ\r\nContent-Disposition: " disposition "\r\n\r\n"

/* ---- the frame ---- */

static void a_form_is_read_alike_wherever_it_is_cut(void **state)
{
    (void)state;
    reads(FILE_HEAD "hello\r\n--XyZ--\r\n", "[file|a.txt|text/plain:hello]");
    reads(FILE_HEAD "hello\r\n--XyZ--", "[file|a.txt|text/plain:hello]");
    reads(FILE_HEAD "\r\n--XyZ--", "[file|a.txt|text/plain:]");
    reads(FILE_HEAD "one\r\n" HEAD("form-data; name=document") "{}\r\n--XyZ--\r\n", "[file|a.txt|text/plain:one][document|-|-:{}]");
    reads("preamble\r\n" FILE_HEAD "x\r\n--XyZ--\r\nepilogue\r\n--XyZ\r\n", "[file|a.txt|text/plain:x]");
    reads("--XyZ \t\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XyZ-- \r\n", "[a|-|-:x]");
    reads("--XyZ--\r\n", "");
}

static void what_looks_like_a_boundary_is_part_of_the_body(void **state)
{
    (void)state;
    reads(FILE_HEAD "\r\n--Xy\r\n--XyZ--", "[file|a.txt|text/plain:\r\n--Xy]");
    reads(FILE_HEAD "\r\r\n\r\n-\r\n--\r\n--X\n--XyZ\r--XyZ \r\n--XyZ--", "[file|a.txt|text/plain:\r\r\n\r\n-\r\n--\r\n--X\n--XyZ\r--XyZ ]");
    reads(FILE_HEAD "--XyZ\r\n--XyZ--", "[file|a.txt|text/plain:--XyZ]");
    reads(FILE_HEAD "\r\r\n--XyZ--", "[file|a.txt|text/plain:\r]");
    reads(FILE_HEAD "\r\n\r\n--XyZ--", "[file|a.txt|text/plain:\r\n]");
}

static void bytes_of_all_kinds_pass_unchanged(void **state)
{
    uint8_t form[1024];
    char *at = (char *)form;
    struct heard h = { 0 };
    size_t n = strlen(FILE_HEAD);

    (void)state;
    memcpy(at, FILE_HEAD, n);
    for (size_t i = 0; i < 512; i++)
        form[n++] = (uint8_t)(i * 7);
    memcpy(at + n, "\r\n--XyZ--", 9);
    n += 9;
    assert_int_equal(read_form(&h, TYPE, UM_SPAN(form, n), 0, 3), UM_OK);
    assert_int_equal(h.text.len, strlen("[file|a.txt|text/plain:]") + 512);
    for (size_t i = 0; i < 512; i++)
        assert_int_equal(h.text.data[strlen("[file|a.txt|text/plain:") + i], (uint8_t)(i * 7));
    um_buf_free(&h.text);
}

static void a_form_that_breaks_off_is_refused(void **state)
{
    static const char form[] = FILE_HEAD "hello\r\n--XyZ--";

    (void)state;
    for (size_t n = 0; n < strlen(form); n++) {
        struct heard h = { 0 };

        assert_int_equal(read_form(&h, TYPE, UM_SPAN(form, n), 0, 5), UM_EPROTO);
        um_buf_free(&h.text);
    }
}

static void a_frame_that_is_malformed_is_refused(void **state)
{
    (void)state;
    refuses("--XyZ\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XyZ--");
    refuses(FILE_HEAD "x\r\n--XyZa\r\n--XyZ--");
    refuses(FILE_HEAD "x\r\n--XyZ-\r\n");
    refuses("--XyZ\r\n\r\nno headers\r\n--XyZ--");
    refuses("no boundary at all");
}

static void the_sink_can_end_it(void **state)
{
    struct heard h = { .refuse_at = 2 };
    struct um_multipart *m;

    (void)state;
    assert_int_equal(um_multipart_new(&m, TYPE, &sink, &h), UM_OK);
    assert_int_equal(um_multipart_feed(m, UM_SPAN_STR(FILE_HEAD "hello")), UM_EBUSY);
    assert_int_equal(um_multipart_feed(m, UM_SPAN_STR("more")), UM_EBUSY);
    assert_int_equal(um_multipart_finish(m), UM_EBUSY);
    um_multipart_free(m);
    um_buf_free(&h.text);
}

/* ---- headers ---- */

static void names_are_read_as_browsers_write_them(void **state)
{
    static const struct { const char *disposition, *want; } rows[] = {
        { "form-data; name=\"file\"; filename=\"\"", "[file||-:]" },
        { "form-data; name=file; filename=a.pdf", "[file|a.pdf|-:]" },
        { "FORM-DATA ; NAME=\"f\" ; FileName=\"x y;z.txt\"", "[f|x y;z.txt|-:]" },
        { "form-data; name=\"f\"; filename=\"\xc3\xbc \xe6\x96\x87.txt\"", "[f|\xc3\xbc \xe6\x96\x87.txt|-:]" },
        { "form-data; name=\"f\"; filename=\"a%22b%41.txt\"", "[f|a\"b%41.txt|-:]" },
        { "form-data; name=\"f\"; filename=\"a\\\"b\\\\c.txt\"", "[f|c.txt|-:]" },
        { "form-data; name=\"f\"; filename=\"C:\\temp\\c.txt\"", "[f|c.txt|-:]" },
        { "form-data; name=\"f\"; filename=\"../../etc/passwd\"", "[f|passwd|-:]" },
        { "form-data; name=\"f\"; filename=\"e.txt\"; filename*=UTF-8''%c3%bc%2fa.txt", "[f|a.txt|-:]" },
        { "form-data; name=\"f\"; filename*=utf-8'de'%e2%82%ac.txt; filename=\"EUR.txt\"", "[f|\xe2\x82\xac.txt|-:]" },
        { "form-data; other=1; name=f", "[f|-|-:]" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        char form[400];

        snprintf(form, sizeof(form), "--XyZ\r\ncontent-disposition:%s\r\nX-Other: 1\r\n\r\n\r\n--XyZ--", rows[i].disposition);
        reads(form, rows[i].want);
    }
}

static void headers_that_are_malformed_are_refused(void **state)
{
    static const char *const rows[] = {
        "Content-Type: text/plain", "Content-Disposition: attachment; name=f", "Content-Disposition: form-data",
        "Content-Disposition: form-data; name=a; name=b", "Content-Disposition: form-data; name=\"a",
        "Content-Disposition: form-data; name=a; filename=", "Content-Disposition: form-data; name=a; filename=\"b",
        "Content-Disposition: form-data; name=a;", "Content-Disposition: form-data; name=a junk",
        "Content-Disposition: form-data; name=a; filename=x; filename=y",
        "Content-Disposition: form-data; name=a; filename*=iso-8859-1''x", "Content-Disposition: form-data; name=a; filename*=UTF-8''%zz",
        "Content-Disposition: form-data; name=a; filename*=UTF-8''a%00b", "Content-Disposition: form-data; name=a; filename*=UTF-8''%ff",
        "Content-Disposition: form-data; name=a; filename*=UTF-8''%0aX:%20y", "Content-Disposition: form-data; name=\"\xff\"",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        "Content-Disposition: form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: c/d",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
        "Content-Disposition: form-data; name=a\r\n folded", "Content-Disposition : form-data; name=a", "no colon", ": nothing",
        "Content-Disposition: form-data; name=a\nX: y", "Content-Disposition: form-data; name=a\x01",
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        char form[400];

        snprintf(form, sizeof(form), "--XyZ\r\n%s\r\n\r\nx\r\n--XyZ--", rows[i]);
        refuses(form);
    }
}

static void a_header_may_not_hold_a_nul(void **state)
{
    static const char form[] = "--XyZ\r\nContent-Disposition: form-data; name=\"a\0b\"\r\n\r\nx\r\n--XyZ--";

    (void)state;
    check(TYPE, form, sizeof(form) - 1, UM_EPROTO, NULL);
}

static void the_boundary_is_checked(void **state)
{
    static const struct { const char *type; bool ok; } rows[] = {
        { "multipart/form-data; boundary=a", true }, { "Multipart/Form-Data; charset=utf-8; boundary=\"a b\"", true },
        { "multipart/form-data;boundary=----WebKitFormBoundaryABC123", true },
        { "multipart/form-data; boundary=\"'()+_,-./:=?\"", true },
        { "multipart/form-data", false }, { "multipart/form-data; boundary=", false }, { "multipart/form-data; boundary=\"\"", false },
        { "multipart/form-data; boundary=a; boundary=b", false }, { "multipart/form-data; boundary=\"a \"", false },
        { "multipart/form-data; boundary=\"a\rb\"", false }, { "multipart/form-data; boundary=\"a", false },
        { "multipart/form-data; boundary=a<b", false }, { "multipart/form-datax; boundary=a", false },
        { "multipart/mixed; boundary=a", false }, { "application/json", false }, { NULL, false },
    };
    char type[200];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_multipart *m;

        if ((um_multipart_new(&m, rows[i].type, &sink, NULL) == UM_OK) != rows[i].ok)
            fail_msg("%s", rows[i].type);
        um_multipart_free(m);
    }
    for (int n = UM_MULTIPART_BOUNDARY_MAX; n <= UM_MULTIPART_BOUNDARY_MAX + 1; n++) {
        struct um_multipart *m;

        snprintf(type, sizeof(type), "multipart/form-data; boundary=%0*d", n, 7);
        assert_int_equal(um_multipart_new(&m, type, &sink, NULL), n == UM_MULTIPART_BOUNDARY_MAX ? UM_OK : UM_EPROTO);
        um_multipart_free(m);
    }
}

/* ---- limits ---- */

static um_err read_buf(struct um_buf *form)
{
    struct heard h = { 0 };
    um_err err = read_form(&h, TYPE, UM_SPAN(form->data, form->len), 0, 4096);

    um_buf_free(&h.text);
    um_buf_free(form);
    return err;
}

static um_err with_parts(int n)
{
    struct um_buf form = { 0 };

    for (int i = 0; i < n; i++)
        um_buf_puts(&form, HEAD("form-data; name=a") "x\r\n");
    um_buf_puts(&form, "--XyZ--");
    return read_buf(&form);
}

static um_err with_headers(size_t n)
{
    struct um_buf form = { 0 };
    static const char head[] = "Content-Disposition: form-data; name=a\r\nX: ";

    um_buf_printf(&form, "--XyZ\r\n%s", head);
    for (size_t i = strlen(head) + 4; i < n; i++)
        um_buf_put_u8(&form, 'x');
    um_buf_puts(&form, "\r\n\r\n\r\n--XyZ--");
    return read_buf(&form);
}

static um_err with_preamble(size_t n)
{
    struct um_buf form = { 0 };

    for (size_t i = 0; i + 4 < n; i++)
        um_buf_put_u8(&form, 'x');
    um_buf_puts(&form, "\r\n--XyZ--");
    return read_buf(&form);
}

static void sizes_have_limits(void **state)
{
    (void)state;
    assert_int_equal(with_parts(UM_MULTIPART_PARTS_MAX), UM_OK);
    assert_int_equal(with_parts(UM_MULTIPART_PARTS_MAX + 1), UM_ELIMIT);
    assert_int_equal(with_headers(UM_MULTIPART_HEADERS_MAX), UM_OK);
    assert_int_equal(with_headers(UM_MULTIPART_HEADERS_MAX + 1), UM_ELIMIT);
    assert_int_equal(with_headers(10 * UM_MULTIPART_HEADERS_MAX), UM_ELIMIT);
    assert_int_equal(with_preamble(UM_MULTIPART_HEADERS_MAX), UM_OK);
    assert_int_equal(with_preamble(UM_MULTIPART_HEADERS_MAX * 2), UM_ELIMIT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_read_alike_wherever_it_is_cut),
        cmocka_unit_test(what_looks_like_a_boundary_is_part_of_the_body),
        cmocka_unit_test(bytes_of_all_kinds_pass_unchanged),
        cmocka_unit_test(a_form_that_breaks_off_is_refused),
        cmocka_unit_test(a_frame_that_is_malformed_is_refused),
        cmocka_unit_test(the_sink_can_end_it),
        cmocka_unit_test(names_are_read_as_browsers_write_them),
        cmocka_unit_test(headers_that_are_malformed_are_refused),
        cmocka_unit_test(a_header_may_not_hold_a_nul),
        cmocka_unit_test(the_boundary_is_checked),
        cmocka_unit_test(sizes_have_limits),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
