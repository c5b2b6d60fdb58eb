/* What the gateway reads from both sides of a hop. The first byte chooses: a target (writing it again changes nothing, and
 * what was written has no dots and no control characters), the core's handshake, a list of forwarded addresses, or the head of a
 * collaboration message, of either path. */
#include <proxy/client.h>
#include <proxy/handshake.h>
#include <proxy/talk.h>
#include <proxy/target.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *text_of(struct um_span in)
{
    char *s = um_xmalloc(in.len + 1);
    if (in.len > 0)
        memcpy(s, in.data, in.len);
    s[in.len] = '\0';
    return s;
}

static void try_target(struct um_span in)
{
    char *raw = text_of(in);
    struct um_buf once = {0}, twice = {0};

    if (um_target_rewrite(raw, &once) == UM_OK) {
        UM_ASSERT(um_target_rewrite(um_buf_cstr(&once), &twice) == UM_OK);
        UM_ASSERT(um_span_eq(UM_SPAN(once.data, once.len), UM_SPAN(twice.data, twice.len)));
        char *path = text_of(UM_SPAN(once.data, strcspn(um_buf_cstr(&once), "?")));
        UM_ASSERT(path[0] == '/' && strstr(path, "/../") == NULL && strstr(path, "/./") == NULL);
        for (const char *p = path; *p != '\0'; p++)
            UM_ASSERT((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f);
        free(path);
    }
    um_buf_free(&once);
    um_buf_free(&twice);
    free(raw);
}

static void try_handshake(struct um_span in)
{
    const struct um_handshake h = { .target = "/", .host = "h", .key = "dGhlIHNhbXBsZSBub25jZQ==", .protocols = "a, b" };
    struct um_handshake_answer a;

    if (um_handshake_read(in, &h, &a) == UM_HANDSHAKE_OPEN) {
        UM_ASSERT(a.status == 101 && a.len <= in.len && a.len <= UM_HANDSHAKE_MAX_BYTES);
        UM_ASSERT(a.protocol[0] == '\0' || strcmp(a.protocol, "a") == 0 || strcmp(a.protocol, "b") == 0 ||
                  strcasecmp(a.protocol, "a") == 0 || strcasecmp(a.protocol, "b") == 0);
    }
}

static void try_addresses(struct um_span in)
{
    static struct um_trusted *t;
    const char *bad, *const items[] = { "10.0.0.0/8", "::1", "2001:db8::/33" };
    char *list = text_of(in);
    struct um_client c;

    if (t == NULL)
        UM_ASSERT(um_trusted_new(&t, items, 3, &bad) == UM_OK);
    um_client_resolve(t, "10.0.0.1", list, list, &c);
    UM_ASSERT(c.address[0] != '\0' && strlen(c.address) < sizeof(c.address));
    free(list);
}

static bool is_inside(struct um_span part, struct um_span whole)
{
    return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

/* What was read lies in the message, and written again it is the same message up to its payload. */
static void try_head(struct um_span in, bool bare)
{
    struct um_talk t, again;
    struct um_buf b = { 0 };
    struct um_span update;
    uint64_t client;
    bool gone;

    if (um_talk_read(in, bare, &t) != UM_TALK_OK)
        return;
    UM_ASSERT(is_inside(t.address, in) && is_inside(t.body, in) && is_inside(t.payload, in) && t.name.len <= t.address.len);
    um_talk_put(&b, t.address, bare, t.type, t.kind, NULL);
    UM_ASSERT(um_talk_read(UM_SPAN(b.data, b.len), bare, &again) == UM_TALK_OK);
    UM_ASSERT(again.type == t.type && again.kind == t.kind && um_span_eq(again.address, t.address));
    if (um_talk_presence(t.body, &client, &update, &gone))
        UM_ASSERT(is_inside(update, t.body));
    um_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    switch (data[0] % 5) {
    case 0: try_target(UM_SPAN(data + 1, size - 1)); break;
    case 1: try_handshake(UM_SPAN(data + 1, size - 1)); break;
    case 3: try_head(UM_SPAN(data + 1, size - 1), false); break;
    case 4: try_head(UM_SPAN(data + 1, size - 1), true); break;
    default: try_addresses(UM_SPAN(data + 1, size - 1)); break;
    }
    return 0;
}
