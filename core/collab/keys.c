/* Properties of the engine. Names and defaults of stock Hocuspocus where it has them. */
#include <umbel/collab.h>
#include <umbel/conf.h>

#define AT(f) .at = offsetof(struct um_collab_conf, f)
static const char *const ack_words[] = { "durable", "memory", NULL };
static const char *const auth_words[] = { "required", "anonymous", NULL };

static const struct um_conf_key keys[] = {
    { "collab.ack", NULL, "durable", "when an update is acknowledged: durable = committed in the store, memory = applied (as stock does)",
      UM_CONF_ENUM, 0, AT(ack), .words = ack_words },
    { "collab.authentication", NULL, "required", "required = every client needs a token or a session, anonymous = nobody does",
      UM_CONF_ENUM, 0, AT(authentication), .words = auth_words },
    { "collab.echo", NULL, "false", "send a writer its own update back, as stock does; no client needs it", UM_CONF_BOOL, 0, AT(echo) },
    { "collab.presence.bind", NULL, "true", "a presence id may be changed only by the user who introduced it", UM_CONF_BOOL, 0, AT(presence_bind) },
    { "collab.debounce", NULL, "2s", "a changed document is folded into its row after so long without a change",
      UM_CONF_DURATION_MS, 0, AT(debounce_ms), .min = 1, .max = 3600000 },
    { "collab.max-debounce", NULL, "10s", "a changed document is folded after so long at the latest, when its log is worth it",
      UM_CONF_DURATION_MS, 0, AT(max_debounce_ms), .min = 1, .max = 3600000 },
    { "collab.unload-delay", NULL, "5s", "how long a document stays in memory after its last reader left",
      UM_CONF_DURATION_MS, 0, AT(unload_delay_ms), .min = 0, .max = 3600000 },
    { "collab.fold.max-age", NULL, "5m", "a log is folded after so long even when it is short beside its document",
      UM_CONF_DURATION_MS, 0, AT(fold_max_age_ms), .min = 1000, .max = 86400000 },
    { "collab.fold.rows", NULL, "500", "so many rows of a log are worth folding", UM_CONF_INT, 0, AT(fold_rows), .min = 1, .max = 1000000 },
    { "collab.piece-size", NULL, "1MB", "a larger document is sent to a joiner in pieces of about this size",
      UM_CONF_SIZE, 0, AT(piece_bytes), .min = 4096, .max = 1 << 30 },
    { "collab.auth-timeout", NULL, "30s", "a socket that was not admitted to a document by then is closed",
      UM_CONF_DURATION_MS, 0, AT(auth_timeout_ms), .min = 100, .max = 3600000 },
    { "collab.keep-alive", NULL, "20s", "a socket that heard nothing for so long gets a one-byte frame, so that its client does not reconnect",
      UM_CONF_DURATION_MS, 0, AT(keep_alive_ms), .min = 100, .max = 3600000 },
    { "collab.max-unauthenticated-queue-size", NULL, "5MB", "bytes that a socket may send before it is admitted",
      UM_CONF_SIZE, 0, AT(max_queued_bytes), .min = 1, .max = 1 << 30 },
    { "collab.max-unauthenticated-queue-messages", NULL, "1000", "frames that a socket may send before it is admitted",
      UM_CONF_INT, 0, AT(max_queued_frames), .min = 1, .max = 1000000 },
    { "collab.max-pending-documents", NULL, "100", "documents that one socket may ask for without having been admitted",
      UM_CONF_INT, 0, AT(max_pending_documents), .min = 1, .max = 100000 },
    { "collab.max-documents", NULL, "1000", "documents of one socket", UM_CONF_INT, 0, AT(max_documents), .min = 1, .max = 1000000 },
    { "collab.max-name", NULL, "512B", "length of a document name", UM_CONF_SIZE, 0, AT(max_name_bytes), .min = 1, .max = 4096 },
    { "collab.max-token", NULL, "16KB", "length of a token", UM_CONF_SIZE, 0, AT(max_token_bytes), .min = 1, .max = 1 << 20 },
    { "collab.max-update", NULL, "16MB", "length of one update", UM_CONF_SIZE, 0, AT(max_update_bytes), .min = 1, .max = 1 << 30 },
    { "collab.max-document", NULL, "64MB", "encoded size at which a document turns read-only",
      UM_CONF_SIZE, 0, AT(max_document_bytes), .min = 1, .max = INT64_C(1) << 40 },
    { "collab.unsaved.max", NULL, "16MB", "unstored changes of one document, while the store is away, before it turns read-only",
      UM_CONF_SIZE, 0, AT(unsaved_document_bytes), .min = 1, .max = INT64_C(1) << 40 },
    { "collab.unsaved.max-total", NULL, "256MB", "unstored changes of all documents before they turn read-only",
      UM_CONF_SIZE, 0, AT(unsaved_process_bytes), .min = 1, .max = INT64_C(1) << 40 },
    { "collab.rate.updates", NULL, "500", "updates per second of one socket; beyond the burst its reading is delayed",
      UM_CONF_INT, 0, AT(rate_updates), .min = 1, .max = 100000000 },
    { "collab.rate.updates-burst", NULL, "5000", "updates that one socket may send at once", UM_CONF_INT, 0, AT(rate_updates_burst), .min = 1, .max = 100000000 },
    { "collab.rate.bytes", NULL, "4MB", "bytes per second of one socket; beyond the burst its reading is delayed",
      UM_CONF_SIZE, 0, AT(rate_bytes), .min = 1, .max = INT64_C(1) << 40 },
    { "collab.rate.bytes-burst", NULL, "32MB", "bytes that one socket may send at once", UM_CONF_SIZE, 0, AT(rate_bytes_burst), .min = 1, .max = INT64_C(1) << 40 },
    { "collab.presence.max-state", NULL, "64KB", "length of one presence state", UM_CONF_SIZE, 0, AT(max_presence_state), .min = 1, .max = 1 << 24 },
    { "collab.presence.max-frame", NULL, "1MB", "length of one presence frame", UM_CONF_SIZE, 0, AT(max_presence_frame), .min = 1, .max = 1 << 26 },
    { "collab.presence.max-ids", NULL, "5000", "presence ids in one frame", UM_CONF_INT, 0, AT(max_presence_ids), .min = 1, .max = 1000000 },
    { "collab.presence.max-ids-document", NULL, "5000", "presence ids of one document", UM_CONF_INT, 0, AT(max_presence_ids_document), .min = 1, .max = 1000000 },
    { "collab.stateless.max", NULL, "1MB", "length of one stateless message", UM_CONF_SIZE, 0, AT(max_stateless), .min = 1, .max = 1 << 26 },
};
const struct um_conf_table um_collab_conf_table = UM_CONF_TABLE("Collaboration", keys);
