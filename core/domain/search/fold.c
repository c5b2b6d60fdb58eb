#include "fold.h"

/* ---- case ---- */

enum step { BY = 0, EVEN, ODD };             /* + distance; upper case is even and the next one is lower; it is odd */
static const struct { uint32_t from, to; enum step step; uint32_t distance; } cases[] = {
    { 0x41, 0x5a, BY, 32 },       { 0xc0, 0xd6, BY, 32 },       { 0xd8, 0xde, BY, 32 },       { 0x100, 0x12f, EVEN, 1 },
    { 0x132, 0x137, EVEN, 1 },    { 0x139, 0x148, ODD, 1 },     { 0x14a, 0x177, EVEN, 1 },    { 0x179, 0x17e, ODD, 1 },
    { 0x1a0, 0x1a5, EVEN, 1 },    { 0x1af, 0x1af, BY, 1 },      { 0x1cd, 0x1dc, ODD, 1 },     { 0x1de, 0x1ef, EVEN, 1 },
    { 0x1f8, 0x21f, EVEN, 1 },    { 0x222, 0x233, EVEN, 1 },
    { 0x246, 0x24f, EVEN, 1 },    { 0x386, 0x386, BY, 38 },     { 0x388, 0x38a, BY, 37 },     { 0x38c, 0x38c, BY, 64 },
    { 0x38e, 0x38f, BY, 63 },     { 0x391, 0x3a1, BY, 32 },     { 0x3a3, 0x3ab, BY, 32 },     { 0x3d8, 0x3ef, EVEN, 1 },
    { 0x400, 0x40f, BY, 80 },     { 0x410, 0x42f, BY, 32 },     { 0x460, 0x481, EVEN, 1 },    { 0x48a, 0x4bf, EVEN, 1 },
    { 0x4c1, 0x4ce, ODD, 1 },     { 0x4d0, 0x52f, EVEN, 1 },    { 0x531, 0x556, BY, 48 },     { 0x1e00, 0x1e95, EVEN, 1 },
    { 0x1ea0, 0x1eff, EVEN, 1 },  { 0xff21, 0xff3a, BY, 32 },
};

static bool is_upper_of(size_t row, uint32_t c)
{
    return c >= cases[row].from && c <= cases[row].to && (cases[row].step == BY || (c & 1) == (cases[row].step == ODD));
}

uint32_t fold_lower(uint32_t c)
{
    for (size_t i = 0; i < UM_COUNT(cases); i++)
        if (is_upper_of(i, c))
            return c + cases[i].distance;
    return c;
}

uint32_t fold_upper(uint32_t c)
{
    for (size_t i = 0; i < UM_COUNT(cases); i++)
        if (c > cases[i].distance && is_upper_of(i, c - cases[i].distance))
            return c - cases[i].distance;
    return c;
}

/* ---- accents ---- */

/* The letter of each character, '.': none. */
static const char latin[] =                  /* U+00C0 to U+024F */
    "aaaaaa.ceeeeiiii.nooooo.ouuuuy..aaaaaa.ceeeeiiii.nooooo.ouuuuy.yaaaaaaccccccccddddeeeeeeeeeegggg"
    "gggghhhhiiiiiiiiii..jjkk.llllllllllnnnnnnn..oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    "b......................i........oo.............uu............................aaiioouuuuuuuuuu.aa"
    "aa....ggkkoooo..j...gg..nnaa....aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............"
    "...b............";
static const char latin_additional[] =       /* U+1E00 to U+1EFF */
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrr"
    "ssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy......aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";
static const uint32_t others[][2] = {        /* Greek, Cyrillic */
    { 0x390, 0x3b9 }, { 0x3ac, 0x3b1 }, { 0x3ad, 0x3b5 }, { 0x3ae, 0x3b7 }, { 0x3af, 0x3b9 }, { 0x3b0, 0x3c5 }, { 0x3c2, 0x3c3 },
    { 0x3ca, 0x3b9 }, { 0x3cb, 0x3c5 }, { 0x3cc, 0x3bf }, { 0x3cd, 0x3c5 }, { 0x3ce, 0x3c9 }, { 0x439, 0x438 }, { 0x450, 0x435 },
    { 0x451, 0x435 }, { 0x453, 0x433 }, { 0x457, 0x456 }, { 0x45c, 0x43a }, { 0x45d, 0x438 }, { 0x45e, 0x443 },
};

static bool is_mark(uint32_t c) { return (c >= 0x300 && c <= 0x36f) || (c >= 0x483 && c <= 0x487) || (c >= 0x64b && c <= 0x65f); }

uint32_t fold_base(uint32_t c)
{
    char letter = '.';

    if (is_mark(c))
        return 0;
    if (c >= 0xc0 && c <= 0x24f)
        letter = latin[c - 0xc0];
    else if (c >= 0x1e00 && c <= 0x1eff)
        letter = latin_additional[c - 0x1e00];
    if (letter != '.')
        return (uint32_t)letter;
    c = fold_lower(c);
    for (size_t i = 0; i < UM_COUNT(others); i++)
        if (others[i][0] == c)
            return others[i][1];
    return c;
}

/* ---- kinds ---- */

static const uint32_t signs[][2] = {         /* controls, blanks, punctuation, symbols, private use */
    { 0x0, 0x2f }, { 0x3a, 0x40 }, { 0x5b, 0x60 }, { 0x7b, 0xa9 }, { 0xab, 0xb1 }, { 0xb4, 0xb4 }, { 0xb6, 0xb8 }, { 0xbb, 0xbb },
    { 0xbf, 0xbf }, { 0xd7, 0xd7 }, { 0xf7, 0xf7 }, { 0x2b0, 0x2ff }, { 0x37e, 0x37e }, { 0x387, 0x387 }, { 0x589, 0x58a }, { 0x60c, 0x60c },
    { 0x61b, 0x61f }, { 0x66a, 0x66d }, { 0x6d4, 0x6d4 }, { 0x964, 0x965 }, { 0x2000, 0x206f }, { 0x2190, 0x245f }, { 0x2500, 0x2bff },
    { 0x2e00, 0x2e7f }, { 0x3000, 0x3004 }, { 0x3008, 0x3020 }, { 0x3030, 0x3030 }, { 0xe000, 0xf8ff }, { 0xfe00, 0xfe6f },
    { 0xff00, 0xff0f }, { 0xff1a, 0xff20 }, { 0xff3b, 0xff40 }, { 0xff5b, 0xff65 }, { 0xfff0, 0xffff }, { 0x1f000, 0x1faff },
    { 0xe0000, 0x10ffff },
};
static const uint32_t alone[][2] = { { 0x3040, 0x30ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xf900, 0xfaff }, { 0x20000, 0x3ffff } };

static bool is_in(const uint32_t (*ranges)[2], size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

bool fold_is_word(uint32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return !is_in(signs, UM_COUNT(signs), c);
}

bool fold_is_alone(uint32_t c) { return c >= 0x3040 && is_in(alone, UM_COUNT(alone), c); }

/* ---- UTF-8 ---- */

uint32_t fold_next(const char **p, const char *end)
{
    const uint8_t *s = (const uint8_t *)*p;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

    if (n > (size_t)(end - *p))
        n = (size_t)(end - *p);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (s[i] & 0x3f);
    *p += n;
    return c;
}

void fold_put(struct um_buf *b, uint32_t c)
{
    if (c < 0x80) {
        um_buf_put_u8(b, (uint8_t)c);
        return;
    }
    if (c < 0x800) {
        um_buf_put_u8(b, (uint8_t)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            um_buf_put_u8(b, (uint8_t)(0xe0 | c >> 12));
        } else {
            um_buf_put_u8(b, (uint8_t)(0xf0 | c >> 18));
            um_buf_put_u8(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        }
        um_buf_put_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
    }
    um_buf_put_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
}
