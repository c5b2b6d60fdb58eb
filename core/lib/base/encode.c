/* Text encodings: base64 in two alphabets, hex, percent, JSON strings. */
#include <string.h>
#include <umbel/util.h>

static const char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex_digits[] = "0123456789abcdef";

static void encode64(struct um_buf *out, struct um_span in, const char *alphabet, bool pad)
{
    for (size_t i = 0; i < in.len; i += 3) {
        size_t n = UM_MIN(in.len - i, (size_t)3);
        uint32_t v = (uint32_t)in.data[i] << 16 | (n > 1 ? (uint32_t)in.data[i + 1] << 8 : 0) | (n > 2 ? in.data[i + 2] : 0);
        for (size_t k = 0; k < n + 1; k++)
            um_buf_put_u8(out, (uint8_t)alphabet[(v >> (18 - 6 * k)) & 63]);
        for (size_t k = n; pad && k < 3; k++)
            um_buf_put_u8(out, '=');
    }
}

static int digit64(uint8_t c, const char *alphabet)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == (uint8_t)alphabet[62]) return 62;
    if (c == (uint8_t)alphabet[63]) return 63;
    return -1;
}

/* Digits without padding; unused low bits of the last digit must be zero, so that each text has one spelling. */
static bool decode64(struct um_buf *out, struct um_span in, const char *alphabet)
{
    uint32_t v = 0;
    size_t have = 0;

    if (in.len % 4 == 1)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        int d = digit64(in.data[i], alphabet);
        if (d < 0)
            return false;
        v = v << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            um_buf_put_u8(out, (uint8_t)(v >> have));
        }
    }
    return (v & ((1u << have) - 1)) == 0 && !out->failed;
}

void um_base64_encode(struct um_buf *out, struct um_span in) { encode64(out, in, std_alphabet, true); }
void um_base64url_encode(struct um_buf *out, struct um_span in) { encode64(out, in, url_alphabet, false); }
bool um_base64url_decode(struct um_buf *out, struct um_span in) { return decode64(out, in, url_alphabet); }

bool um_base64_decode(struct um_buf *out, struct um_span in)
{
    if (in.len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && in.len > 0 && in.data[in.len - 1] == '='; i++)
        in.len--;
    return decode64(out, in, std_alphabet);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

void um_hex_encode(struct um_buf *out, struct um_span in)
{
    for (size_t i = 0; i < in.len; i++) {
        um_buf_put_u8(out, (uint8_t)hex_digits[in.data[i] >> 4]);
        um_buf_put_u8(out, (uint8_t)hex_digits[in.data[i] & 15]);
    }
}

bool um_hex_decode(struct um_buf *out, struct um_span in)
{
    if (in.len % 2 != 0)
        return false;
    for (size_t i = 0; i < in.len; i += 2) {
        int hi = hex_value(in.data[i]), lo = hex_value(in.data[i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        um_buf_put_u8(out, (uint8_t)(hi << 4 | lo));
    }
    return !out->failed;
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != 0 && strchr("-._~", c));
}

void um_percent_encode(struct um_buf *out, struct um_span in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (is_unreserved(in.data[i]))
            um_buf_put_u8(out, in.data[i]);
        else
            um_buf_printf(out, "%%%02X", in.data[i]);
    }
}

bool um_percent_decode(struct um_buf *out, struct um_span in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (in.data[i] != '%') {
            um_buf_put_u8(out, in.data[i]);
            continue;
        }
        if (in.len - i < 3 || hex_value(in.data[i + 1]) < 0 || hex_value(in.data[i + 2]) < 0)
            return false;
        um_buf_put_u8(out, (uint8_t)(hex_value(in.data[i + 1]) << 4 | hex_value(in.data[i + 2])));
        i += 2;
    }
    return !out->failed;
}

/* Bytes of the UTF-8 character that starts at P, or 0 when it is malformed. */
static size_t char_len(const uint8_t *p, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (um_utf8_is_valid(p, n))
            return n;
    return 0;
}

void um_json_escape(struct um_buf *out, struct um_span in)
{
    for (size_t i = 0; i < in.len;) {
        uint8_t c = in.data[i];
        size_t n = c < 0x80 ? 1 : char_len(in.data + i, in.len - i);

        if (n == 0) {
            um_buf_puts(out, "\xef\xbf\xbd");
            i++;
            continue;
        }
        if (c == '"' || c == '\\') {
            um_buf_put_u8(out, '\\');
            um_buf_put_u8(out, c);
        } else if (c < 0x20 || c == 0x7f) {
            um_buf_printf(out, "\\u%04x", c);
        } else {
            um_buf_put(out, in.data + i, n);
        }
        i += n;
    }
}
