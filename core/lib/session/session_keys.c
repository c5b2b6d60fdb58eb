/* Configuration rows of sessions. */
#include <umbel/conf.h>
#include <umbel/session.h>

static const char *const store_words[] = { "redis", "none", NULL };
static const char *const flush_words[] = { "on-save", "immediate", NULL };
static const char *const save_words[] = { "on-set-attribute", "on-get-attribute", "always", NULL };
static const char *const configure_words[] = { "notify-keyspace-events", "none", NULL };
static const char *const repository_words[] = { "default", "indexed", NULL };

#define AT(f) .at = offsetof(struct um_sessions_conf, f)
static const struct um_conf_key keys[] = {
    { "spring.session.timeout", "server.servlet.session.timeout", "30m", "a session ends when it was not used for this long",
      UM_CONF_DURATION_S, 0, AT(timeout_s), .min = 1, .max = 365 * 86400 },
    { "gui.session.timeout", NULL, "", "the same under its older name, in seconds; wins when set",
      UM_CONF_DURATION_S, 0, AT(gui_timeout_s), .min = 1, .max = 365 * 86400 },
    { "session.max-age", NULL, "12h", "a session ends this long after the login, used or not; 0: never",
      UM_CONF_DURATION_S, 0, AT(max_age_s), .max = 365 * 86400 },
    { "session.max", NULL, "100000", "sessions at once; further logins are refused",
      UM_CONF_INT, 0, AT(max_sessions), .min = 1, .max = 10000000 },
    { "session.max-per-user", NULL, "20", "sessions of one user; the one unused longest ends when another begins",
      UM_CONF_INT, 0, AT(max_per_user), .min = 1, .max = 1000 },
    { "session.max-attributes", NULL, "64", "attributes of one session",
      UM_CONF_INT, 0, AT(max_attributes), .min = 16, .max = 10000 },
    { "session.max-value", NULL, "64KB", "bytes of one attribute",
      UM_CONF_SIZE, 0, AT(max_value_bytes), .min = 4096, .max = 16 << 20 },
    { "session.max-total", NULL, "256KB", "bytes of all attributes of one session",
      UM_CONF_SIZE, 0, AT(max_total_bytes), .min = 4096, .max = 16 << 20 },
    { "spring.session.store-type", NULL, "", "where sessions are: redis, or none for this process' memory; empty: redis when redis.enabled",
      UM_CONF_ENUM, 0, AT(store_type), .words = store_words },
    { "spring.session.redis.namespace", "spring.session.data.redis.namespace", "spring:session", "first part of the keys of sessions in Redis",
      UM_CONF_STR, 0, AT(redis_ns), .min = 1, .max = 128 },
    { "spring.session.redis.quote-members", "spring.session.data.redis.quote-members", "false",
      "ids in Redis' sets as JSON strings, for Java programs with a JSON serializer", UM_CONF_BOOL, 0, AT(redis_quote) },
    { "spring.session.redis.flush-mode", "spring.session.data.redis.flush-mode", "", "accepted: every change is written at once",
      UM_CONF_ENUM, 0, AT(redis_flush), .words = flush_words },
    { "spring.session.redis.save-mode", "spring.session.data.redis.save-mode", "", "accepted: what was set is written, attribute by attribute",
      UM_CONF_ENUM, 0, AT(redis_save), .words = save_words },
    { "spring.session.redis.configure-action", "spring.session.data.redis.configure-action", "",
      "accepted: the configuration of Redis is left alone", UM_CONF_ENUM, 0, AT(redis_configure), .words = configure_words },
    { "spring.session.redis.cleanup-cron", "spring.session.data.redis.cleanup-cron", "", "accepted: expired sessions are looked for every 5 s",
      UM_CONF_STR, UM_CONF_UNBOUND, .max = 128 },
    { "spring.session.redis.repository-type", "spring.session.data.redis.repository-type", "", "accepted: the indexed layout is written",
      UM_CONF_ENUM, 0, AT(redis_repository), .words = repository_words },
    { "session.grace", NULL, "60s", "while Redis is away, sessions verified within this time are served from local copies, for reading",
      UM_CONF_DURATION_MS, 0, AT(grace_ms), .max = 3600000 },
    { "session.wait", NULL, "200ms", "a login waits so long for a replica to have the session (Sentinel)",
      UM_CONF_DURATION_MS, 0, AT(wait_ms), .min = 1, .max = 10000 },
    { "session.copies", NULL, "10000", "local copies of sessions; the one used least recently goes",
      UM_CONF_INT, 0, AT(max_copies), .min = 1, .max = 1000000 },
};
const struct um_conf_table um_session_conf_table = UM_CONF_TABLE("Sessions", keys);
