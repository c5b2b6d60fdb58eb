/* Rows: administration. */
#include "routes.h"

#define CORE "/core/rest/admin"
#define MOMENT_MAX 9007199254740991      /* what a number of JavaScript can be */

static const struct um_api_param archive_params[] = {
    { .name = "dryRun", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "only tells which" },
    { 0 },
};

#define PARAM_MEMBER { .name = "member", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 255, .text = "this member alone" }
#define PARAM_USER   { .name = "user", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 512, .text = "of this user alone" }
#define PARAM_AFTER  { .name = "after", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 1024, .text = "\"next\" of the page before" }

static const struct um_api_param check_params[] = {
    { .name = "wait", .in = UM_API_QUERY, .type = UM_API_DURATION, .min = 100, .max = 20000, .initial = "5s",
      .text = "how long members have to answer" },
    { 0 },
};
static const struct um_api_param documents_params[] = {
    { .name = "contains", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 200,
      .text = "of the name, in any case" },
    PARAM_ANY_SCOPE, PARAM_MEMBER, PARAM_AFTER, PARAM_PAGE_SIZE(1000), { 0 },
};
static const struct um_api_param export_params[] = {
    { .name = "format", .in = UM_API_QUERY, .type = UM_API_ENUM, .values = "html|markdown|text|json|update",
      .initial = "json",
      .text = "html: a fragment; json: Yjs' toJSON; update: a Yjs update, version 1" },
    { .name = "root", .in = UM_API_QUERY, .type = UM_API_STRING,
      .text = "the root type; without it that of Tiptap, default, which need not be there" },
    { 0 },
};
static const struct um_api_param import_params[] = {
    { .name = "replace", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false",
      .text = "false: it is merged; true: the document shows what the update holds, and nothing else" },
    { 0 },
};
static const struct um_api_param connections_params[] = {
    PARAM_USER,
    { .name = "document", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 1024,
      .text = "that have this one open" },
    PARAM_ANY_SCOPE, PARAM_MEMBER, PARAM_AFTER, PARAM_PAGE_SIZE(1000), { 0 },
};
static const struct um_api_param close_params[] = {
    { .name = "reason", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 120,
      .text = "the client is told" },
    PARAM_ANY_SCOPE, { 0 },
};
static const struct um_api_param sessions_params[] = {
    { .name = "user", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 512, .required = true,
      .text = "whose" },
    PARAM_ANY_SCOPE, { 0 },
};
static const struct um_api_param session_params[] = { PARAM_ANY_SCOPE, { 0 } };
static const struct um_api_param member_params[] = { PARAM_MEMBER, { 0 } };
static const struct um_api_param config_params[] = {
    PARAM_MEMBER,
    { .name = "contains", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 200,
      .text = "of the property's name, in any case" },
    { 0 },
};
static const struct um_api_param audit_params[] = {
    PARAM_USER,
    { .name = "action", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 64,
      .text = "this one alone, as \"DRAIN\"" },
    { .name = "objectType", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 64,
      .text = "what it was done to, as \"DOCUMENT\"" },
    { .name = "objectId", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 512, .text = "its id" },
    { .name = "since", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = MOMENT_MAX,
      .text = "milliseconds since 1970, included" },
    { .name = "until", .in = UM_API_QUERY, .type = UM_API_INT, .min = 1, .max = MOMENT_MAX,
      .text = "milliseconds since 1970, excluded" },
    { .name = "before", .in = UM_API_QUERY, .type = UM_API_INT, .min = 1, .max = MOMENT_MAX,
      .text = "\"next\" of the page before" },
    PARAM_ANY_SCOPE, PARAM_PAGE_SIZE(1000), { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "GET", .path = CORE "/collab", .handler = admin_collab_get, .role = ADMIN,
      .id = "admin.collab.get",
      .summary = "figures of the collaboration engine", .replies = { REPLY("CollabFigures", "of this core") } },
    { .method = "POST", .path = CORE "/collab/close", .handler = admin_collab_close, .role = ADMIN,
      .id = "admin.collab.close",
      .summary = "closes the connections of one document or of all; clients come back", .max_body = 8192,
      .body = "CollabClose",
      .replies = { REPLY_NOTHING("they are being closed") } },
    { .method = "GET", .path = CORE "/cluster", .handler = admin_cluster_get, .role = ADMIN,
      .id = "admin.cluster.get",
      .summary = "who works together, and the link to Redis",
      .replies = { REPLY("Cluster", "as this core sees it") } },
    { .method = "POST", .path = CORE "/archive/run", .handler = admin_archive_run, .role = "SYSTEM_ADMIN",
      .id = "admin.archive.run",
      .summary = "moves old versions to the archive now", .params = archive_params,
      .replies = { REPLY("ArchiveRun", "what was, or would be, moved") } },
    { .method = "GET", .path = CORE "/check", .handler = admin_check, .role = ADMIN, .id = "admin.check.get",
      .params = check_params,
      .summary = "has every member try every part, and says what to do",
      .replies = { REPLY("Check", "also when something is wrong") } },

    { .method = "GET", .path = CORE "/documents", .handler = admin_documents_list, .role = ADMIN,
      .id = "admin.documents.list",
      .params = documents_params, .summary = "documents that are open, at every core",
      .replies = { REPLY("OpenDocuments", "by name") } },
    { .method = "GET", .path = CORE "/documents/{name}", .handler = admin_documents_get, .role = ADMIN,
      .id = "admin.documents.get",
      .summary = "one document, wherever it is open, with the figures of its history",
      .replies = { REPLY("OpenDocument", "the document") } },
    { .method = "POST", .path = CORE "/documents/{name}/close", .handler = admin_documents_close, .role = ADMIN,
      .id = "admin.documents.close",
      .summary = "closes its connections at every core; clients come back", .max_body = 8192, .body = "Reason",
      .replies = { REPLY_NOTHING("they are being closed") } },
    { .method = "POST", .path = CORE "/documents/{name}/reload", .handler = admin_documents_reload, .role = ADMIN,
      .id = "admin.documents.reload",
      .summary = "reads it from the store again, at every core, as soon as nothing of it is unstored",
      .replies = { REPLY("MembersDone", "who does it") } },

    { .method = "POST", .path = CORE "/documents/{name}/fork", .handler = admin_documents_fork, .role = ADMIN,
      .id = "admin.documents.fork",
      .summary = "copies it, with its history of edits, under another name", .max_body = 8192, .body = "Fork",
      .replies = { { .status = 201, .schema = "Forked", .text = "the copy is durable" } } },
    { .method = "GET", .path = CORE "/documents/{name}/content", .handler = admin_content_get, .role = ADMIN,
      .id = "admin.documents.export",
      .params = export_params, .summary = "what it holds now, as HTML, Markdown, text, JSON or update",
      .replies = { { 200, "Any", "application/json", "the document" }, { 200, NULL, "text/html", "" },
      { 200, NULL, "text/markdown", "" },
                   { 200, NULL, "text/plain", "" }, { 200, NULL, "application/octet-stream", "" } } },
    { .method = "POST", .path = CORE "/documents/{name}/content", .handler = admin_content_put, .role = ADMIN,
      .id = "admin.documents.import",
      .params = import_params, .max_body = 32 << 20, .body_media = "application/octet-stream",
      .summary = "takes a Yjs update (version 1) in, by a change like any other",
      .replies = { REPLY("Imported", "done and durable") } },

    { .method = "GET", .path = CORE "/connections", .handler = admin_connections_list, .role = ADMIN,
      .id = "admin.connections.list",
      .params = connections_params, .summary = "open collaboration sockets, at every core",
      .replies = { REPLY("OpenConnections", "by id") } },
    { .method = "DELETE", .path = CORE "/connections/{member}/{id}", .handler = admin_connections_close,
      .role = ADMIN,
      .id = "admin.connections.close", .params = close_params, .summary = "closes one; its client comes back",
      .replies = { REPLY_NOTHING("it is being closed, or was") } },

    { .method = "GET", .path = CORE "/sessions", .handler = admin_sessions_list, .role = ADMIN,
      .id = "admin.sessions.list",
      .params = sessions_params, .summary = "a user's sessions, as the gateways know them",
      .replies = { REPLY("Sessions", "by id") } },
    { .method = "DELETE", .path = CORE "/sessions", .handler = admin_sessions_end_all, .role = ADMIN,
      .id = "admin.sessions.endAll",
      .params = sessions_params, .summary = "ends all sessions of a user",
      .replies = { REPLY("SessionsEnded", "how many") } },
    { .method = "DELETE", .path = CORE "/sessions/{id}", .handler = admin_sessions_end, .role = ADMIN,
      .id = "admin.sessions.end",
      .params = session_params, .summary = "ends one session",
      .replies = { REPLY("SessionsEnded", "one, or none") } },
    { .method = "GET", .path = CORE "/locks", .handler = admin_locks_list, .role = ADMIN, .id = "admin.locks.list",
      .summary = "who has to wait for the next login, at every member", .replies = { REPLY("Locks", "by user") } },
    { .method = "POST", .path = "/core/rest/unlock/{username}", .handler = unlock_user, .role = ADMIN,
      .id = "users.unlock",
      .summary = "forgets a user's failed logins, at every member",
      .replies = { REPLY("Unlocked", "from how many addresses") } },
    { .method = "POST", .path = "/core/rest/encrypt", .handler = encrypt_post, .role = "SYSTEM_ADMIN",
      .id = "encrypt.create", .max_body = 8192,
      .body_media = "text/plain", .summary = "a text as ENC(...), for a properties file",
      .replies = { { .status = 200, .media = "text/plain; charset=utf-8", .text = "ENC(...)" } } },

    { .method = "PUT", .path = CORE "/drain", .handler = admin_drain, .role = ADMIN, .id = "admin.drain.set",
      .max_body = 8192, .body = "Drain",
      .summary = "makes a member ready no more, or again; documents are served on",
      .replies = { REPLY("Drained", "as it is now") } },
    { .method = "GET", .path = CORE "/loggers", .handler = admin_loggers_list, .role = ADMIN,
      .id = "admin.loggers.list",
      .params = member_params, .summary = "levels of the log, at every member",
      .replies = { REPLY("MembersLoggers", "by member") } },
    { .method = "PUT", .path = CORE "/loggers/{name}", .handler = admin_loggers_set, .role = ADMIN,
      .id = "admin.loggers.set",
      .max_body = 8192, .body = "LoggerLevel",
      .summary = "sets a level, at one member or at all, until the restart",
      .replies = { REPLY("MembersDone", "who has done it") } },
    { .method = "GET", .path = CORE "/config", .handler = admin_config_list, .role = ADMIN,
      .id = "admin.config.list",
      .params = config_params, .summary = "a member's configuration as it is in force, secrets masked",
      .replies = { REPLY("Config", "by topic") } },
    { .method = "GET", .path = CORE "/audit", .handler = admin_audit_list, .role = ADMIN,
      .id = "admin.audit.list", .params = audit_params,
      .summary = "what administrators did, newest first", .replies = { REPLY("Facts", "a page") } },
};
PLATFORM_GROUP(rest_admin, "admin", "Administration", rows);
