/* What is told of whom, member by member in the stock extension's order. Its requestHeaders are always {}: a Headers object has no
 * members of its own. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

static json_t *object_of(const struct um_bytes *text)
{
    json_t *o = text != NULL ? json_loadb((const char *)text->data, text->len, 0, NULL) : NULL;

    return o != NULL ? o : json_object();
}

/* What the service itself answered to connect; without that, whom we know it to be. */
static json_t *context_of(const struct um_collab_identity *who)
{
    json_t *context = object_of(who->context);

    if (who->user[0] != '\0' && json_object_get(context, "user") == NULL)
        json_object_set_new(context, "user", json_string(who->user));
    return context;
}

json_t *note_payload(enum webhook_event event, const char *document, const struct um_collab_identity *who)
{
    json_t *payload = json_object();

    json_object_set_new(payload, "documentName", json_string(document));
    if (event == EVENT_CHANGE)
        json_object_set_new(payload, "context", context_of(who));
    json_object_set_new(payload, "requestHeaders", json_object());
    json_object_set_new(payload, "requestParameters", object_of(who->parameters));
    if (event == EVENT_DISCONNECT)
        json_object_set_new(payload, "context", context_of(who));
    return payload;
}

char *note_body(enum webhook_event event, const json_t *payload, struct um_span document)
{
    char *rest = json_dumps(payload, JSON_COMPACT), *body = NULL;
    struct um_buf b = { 0 };

    if (rest == NULL)
        return NULL;
    um_buf_printf(&b, "{\"event\":\"%s\",\"payload\":{", webhook_events[event]);
    if (document.len > 0) {
        um_buf_puts(&b, "\"document\":");
        um_buf_put(&b, document.data, document.len);
        um_buf_puts(&b, ",");
    }
    um_buf_puts(&b, rest + 1);
    um_buf_puts(&b, "}");
    if (!b.failed)
        body = um_xstrndup((const char *)b.data, b.len);
    um_buf_free(&b);
    free(rest);
    return body;
}
