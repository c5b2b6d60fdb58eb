/* Configuration of the webhook: names and defaults of the stock extension where it has them. */
#include <umbel/webhook.h>

#define AT(f) .at = offsetof(struct um_webhook_conf, f)
static const struct um_conf_key keys[] = {
    { "collab.webhook.url", NULL, "", "service that is told of documents and connections, as the stock webhook extension tells it; empty: none",
      UM_CONF_STR, UM_CONF_SECRET, AT(url), .max = 2048 },
    { "collab.webhook.secret", NULL, "", "key of the signature in X-Hocuspocus-Signature-256; empty: no signature",
      UM_CONF_STR, UM_CONF_SECRET, AT(secret), .max = 512 },
    { "collab.webhook.events", NULL, "change", "which ones: change, connect, create, disconnect", UM_CONF_LIST, 0, AT(events), .max = 64 },
    { "collab.webhook.debounce", NULL, "2s", "a change is told after so long without another one; 0: as soon as it is stored",
      UM_CONF_DURATION_MS, 0, AT(debounce_ms), .min = 0, .max = 3600000 },
    { "collab.webhook.debounce-max-wait", NULL, "10s", "but so long after the first one at the latest",
      UM_CONF_DURATION_MS, 0, AT(max_wait_ms), .min = 0, .max = 3600000 },
    { "collab.webhook.timeout", NULL, "10s", "how long a connection (connect) or a document without content (create) waits for the answer",
      UM_CONF_DURATION_MS, 0, AT(timeout_ms), .min = 100, .max = 600000 },
};
const struct um_conf_table um_webhook_conf_table = UM_CONF_TABLE("Webhook", keys);
