/* S3's answers, read by Expat: small flat documents. A document type, and with it any entity of its own, is refused. */
#include <expat.h>
#include <string.h>
#include "s3_int.h"

enum { DEPTH_MAX = 8, PATH_SIZE = 512, TEXT_MAX = 8192 };

struct reading {
    XML_Parser parser;
    s3_xml_cb *cb;
    void *arg;
    int depth;
    bool failed;
    char path[PATH_SIZE];
    size_t path_len, text_len;
    char text[TEXT_MAX + 1];
};

static void give_up(struct reading *rd)
{
    rd->failed = true;
    XML_StopParser(rd->parser, XML_FALSE);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *rd = arg;
    size_t n = strlen(name);

    (void)attributes;
    if (++rd->depth > DEPTH_MAX || rd->path_len + n + 2 > PATH_SIZE) {
        give_up(rd);
        return;
    }
    rd->path[rd->path_len] = '/';
    memcpy(rd->path + rd->path_len + 1, name, n + 1);
    rd->path_len += n + 1;
    rd->text_len = 0;
}

static void on_end(void *arg, const XML_Char *name)
{
    struct reading *rd = arg;

    if (rd->failed)
        return;
    rd->text[rd->text_len] = '\0';
    if (!rd->cb(rd->arg, rd->path, rd->text)) {
        give_up(rd);
        return;
    }
    rd->depth--;
    rd->path_len -= strlen(name) + 1;
    rd->path[rd->path_len] = '\0';
    rd->text_len = 0;
}

static void on_text(void *arg, const XML_Char *s, int n)
{
    struct reading *rd = arg;

    if (rd->text_len + (size_t)n > TEXT_MAX) {
        give_up(rd);
        return;
    }
    memcpy(rd->text + rd->text_len, s, (size_t)n);
    rd->text_len += (size_t)n;
}

static void on_document_type(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    give_up(arg);
}

um_err s3_xml_read(struct um_span xml, s3_xml_cb *cb, void *arg)
{
    struct reading rd = { .cb = cb, .arg = arg };
    bool ok;

    if (xml.len > S3_TEXT_MAX)
        return UM_EPROTO;
    rd.parser = XML_ParserCreate("UTF-8");
    if (rd.parser == NULL)
        return UM_ENOMEM;
    XML_SetUserData(rd.parser, &rd);
    XML_SetElementHandler(rd.parser, on_start, on_end);
    XML_SetCharacterDataHandler(rd.parser, on_text);
    XML_SetStartDoctypeDeclHandler(rd.parser, on_document_type);
    ok = XML_Parse(rd.parser, (const char *)xml.data, (int)xml.len, 1) == XML_STATUS_OK && !rd.failed;
    XML_ParserFree(rd.parser);
    return ok ? UM_OK : UM_EPROTO;
}
