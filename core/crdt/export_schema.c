/* The nodes and marks that we know, in both spellings: names are compared without separators and case. */
#include "export.h"

static const struct node_row nodes[] = {
    { "paragraph",      NODE_PARAGRAPH, "p",          true,  false },
    { "heading",        NODE_HEADING,   "h1",         true,  false },
    { "bulletlist",     NODE_BULLETS,   "ul",         false, false },
    { "orderedlist",    NODE_ORDERED,   "ol",         false, false },
    { "listitem",       NODE_ITEM,      "li",         false, false },
    { "tasklist",       NODE_TASKS,     "ul",         false, false },
    { "taskitem",       NODE_TASK,      "li",         false, false },
    { "blockquote",     NODE_QUOTE,     "blockquote", false, false },
    { "codeblock",      NODE_CODE,      "pre",        true,  false },
    { "horizontalrule", NODE_RULE,      "hr",         false, true },
    { "hardbreak",      NODE_BREAK,     "br",         false, true },
    { "image",          NODE_IMAGE,     "img",        false, true },
    { "table",          NODE_TABLE,     "table",      false, false },
    { "tablerow",       NODE_ROW,       "tr",         false, false },
    { "tablecell",      NODE_CELL,      "td",         false, false },
    { "tableheader",    NODE_HEAD_CELL, "th",         false, false },
    { "mention",        NODE_MENTION,   "span",       false, true },
};
static const struct node_row unknown_node = { "", NODE_UNKNOWN, "div", false, false };

static const struct mark_row marks[] = {
    { "link",        MARK_LINK,      "a" },
    { "textstyle",   MARK_STYLE,     "span" },
    { "highlight",   MARK_HIGHLIGHT, "mark" },
    { "bold",        MARK_BOLD,      "strong" },
    { "strong",      MARK_BOLD,      "strong" },
    { "italic",      MARK_ITALIC,    "em" },
    { "em",          MARK_ITALIC,    "em" },
    { "underline",   MARK_UNDERLINE, "u" },
    { "strike",      MARK_STRIKE,    "s" },
    { "strikethrough", MARK_STRIKE,  "s" },
    { "subscript",   MARK_SUB,       "sub" },
    { "superscript", MARK_SUPER,     "sup" },
    { "code",        MARK_CODE,      "code" },
    { "ychange",     MARK_NONE,      NULL },      /* the binding's own, of its view of versions */
};
static const struct mark_row unknown_mark = { "", MARK_UNKNOWN, "span" };

static bool same_name(struct um_span s, const char *name)
{
    size_t i = 0;

    for (; i < s.len; i++) {
        uint8_t c = s.data[i];

        if (c == '_' || c == '-')
            continue;
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        if (c == '\0' || c != (uint8_t)*name)
            return false;
        name++;
    }
    return *name == '\0';
}

const struct node_row *node_row_of(struct um_span name)
{
    for (size_t i = 0; i < UM_COUNT(nodes); i++)
        if (same_name(name, nodes[i].name))
            return &nodes[i];
    return &unknown_node;
}

const struct mark_row *mark_row_of(struct um_span name)
{
    for (size_t i = 0; i < UM_COUNT(marks); i++)
        if (same_name(name, marks[i].name))
            return &marks[i];
    return &unknown_mark;
}

/* ---- addresses ----------------------------------------------------------------------------------------- */

static const char *const schemes[] = { "http", "https", "mailto", "tel", "ftp" };
static const char *const bitmaps[] = { "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp" };

static bool is_bitmap(const char *text)
{
    for (size_t i = 0; i < UM_COUNT(bitmaps); i++) {
        size_t n = strlen(bitmaps[i]);

        if (strncmp(text, bitmaps[i], n) == 0 && (text[n] == ';' || text[n] == ','))
            return true;
    }
    return false;
}

/* As browsers read it: control characters and blanks do not count, and an address without a scheme is relative. */
bool url_is_safe(struct um_span url, bool image)
{
    char text[32];                    /* the scheme, and for data: the media type behind it */
    size_t n = 0, colon = 0;

    for (size_t i = 0; i < url.len && n < sizeof(text) - 1; i++) {
        uint8_t c = url.data[i];

        if (c <= ' ' || c == 0x7f)
            continue;
        if (colon == 0 && (c == '/' || c == '?' || c == '#' || c == '\\'))
            return true;
        if (c == ':' && colon == 0)
            colon = n + 1;
        text[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    text[n] = '\0';
    if (colon == 0)                   /* no scheme is as long as the buffer */
        return n < sizeof(text) - 1 || memchr(url.data, ':', url.len) == NULL;
    text[colon - 1] = '\0';
    for (size_t i = 0; i < UM_COUNT(schemes); i++)
        if (strcmp(text, schemes[i]) == 0)
            return true;
    return image && strcmp(text, "data") == 0 && is_bitmap(text + colon);
}
