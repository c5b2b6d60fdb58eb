/* See packet.h. What stock servers accept by accident of JavaScript (a blank as an id, an empty text, an event without arguments) is
 * refused. */
#include "packet.h"

#include <stdio.h>
#include <string.h>
#include <umbel/util.h>

#include "json.h"

enum { ID_DIGITS_MAX = 16 };              /* 2^53 - 1 has 16 */

static um_err fail(const char **why, const char *text)
{
    *why = text;
    return UM_EPROTO;
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* Reads decimal digits at *P; false when there are too many. */
static bool read_number(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    const uint8_t *from = *p;

    *out = 0;
    for (; *p < end && is_digit(**p); (*p)++) {
        if (*p - from == ID_DIGITS_MAX)
            return false;
        *out = *out * 10 + (uint64_t)(**p - '0');
    }
    return true;
}

static um_err read_count(const uint8_t **p, const uint8_t *end, struct sio_packet *out, const char **why)
{
    uint64_t n;

    if (!read_number(p, end, &n) || n == 0 || *p == end || **p != '-')
        return fail(why, "illegal attachments");
    if (n > UM_SIO_ATTACHMENTS_MAX)
        return fail(why, "too many attachments");
    (*p)++;
    out->n_att = (unsigned)n;
    return UM_OK;
}

static void read_namespace(const uint8_t **p, const uint8_t *end, struct sio_packet *out)
{
    const uint8_t *comma;

    out->nsp = UM_SPAN("/", 1);
    if (*p == end || **p != '/')
        return;
    comma = memchr(*p, ',', (size_t)(end - *p));
    out->nsp = UM_SPAN(*p, (size_t)((comma != NULL ? comma : end) - *p));
    *p = comma != NULL ? comma + 1 : end;
}

/* The names that the parties say to themselves. */
static bool is_reserved(struct um_span name)
{
    static const char *const names[] = { "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener" };
    char text[16];

    for (size_t i = 0; um_sio_string(name, text, sizeof(text)) && i < UM_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}

static bool has_event_name(struct um_span data)
{
    struct um_span name;
    size_t pos = 0;

    if (!um_sio_each(data, &pos, &name))
        return false;
    return name.data[0] == '"' ? !is_reserved(name) : is_digit(name.data[0]) || name.data[0] == '-';
}

static bool data_fits(const struct sio_packet *p, char kind)
{
    switch (p->type) {
    case SIO_CONNECT:       return kind == 0 || kind == '{';
    case SIO_DISCONNECT:    return kind == 0;
    case SIO_CONNECT_ERROR: return kind == 0 || kind == '{' || kind == '"';
    case SIO_EVENT:         return kind == '[' && has_event_name(p->data);
    default:                return kind == '[' || (kind == 0 && p->n_att == 0);
    }
}

static um_err read_data(struct um_span text, struct sio_packet *out, const char **why)
{
    struct sio_json look = { 0 };
    enum sio_json_err err = SIO_JSON_OK;

    if (text.len > 0)
        err = sio_json_look(text, out->n_att > 0 ? (int)out->n_att : -1, &look);
    out->data = look.value;
    if (err == SIO_JSON_ATTACHMENT)
        return fail(why, "illegal attachments");
    if (err != SIO_JSON_OK || !data_fits(out, look.kind))
        return fail(why, "invalid payload");
    return UM_OK;
}

um_err sio_packet_decode(struct um_span text, struct sio_packet *out, const char **why)
{
    const uint8_t *p = text.data, *end = text.data + text.len, *id;
    um_err err;

    memset(out, 0, sizeof(*out));
    if (text.len == 0 || *p < '0' || *p > '6')
        return fail(why, "unknown packet type");
    out->type = (enum sio_type)(*p++ - '0');
    if (out->type >= SIO_BINARY_EVENT) {
        if ((err = read_count(&p, end, out, why)) != UM_OK)
            return err;
        out->type = out->type == SIO_BINARY_EVENT ? SIO_EVENT : SIO_ACK;
    }
    read_namespace(&p, end, out);
    id = p;
    if (!read_number(&p, end, &out->id))
        return fail(why, "invalid id");
    out->has_id = p > id;
    return read_data(UM_SPAN(p, (size_t)(end - p)), out, why);
}

size_t sio_packet_head(char *out, size_t size, const struct sio_head *head, size_t n_att)
{
    bool named = strcmp(head->nsp, "/") != 0;
    enum sio_type type = head->type;
    char count[24] = "", id[24] = "";
    int n;

    if (n_att > 0 && (type == SIO_EVENT || type == SIO_ACK))
        type = type == SIO_EVENT ? SIO_BINARY_EVENT : SIO_BINARY_ACK;
    if (n_att > 0)
        snprintf(count, sizeof(count), "%zu-", n_att);
    if (head->has_id)
        snprintf(id, sizeof(id), "%llu", (unsigned long long)head->id);
    n = snprintf(out, size, "%d%s%s%s%s", (int)type, count, named ? head->nsp : "", named ? "," : "", id);
    UM_ASSERT(n > 0 && (size_t)n < size);
    return (size_t)n;
}

void sio_packet_put(struct um_buf *out, const struct sio_head *head, struct um_span data, size_t n_att)
{
    size_t size = strlen(head->nsp) + SIO_HEAD_MAX;
    uint8_t *room = um_buf_room(out, size);

    if (room == NULL)
        return;
    um_buf_advance(out, sio_packet_head((char *)room, size, head, n_att));
    um_buf_put(out, data.data, data.len);
}
