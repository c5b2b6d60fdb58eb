/* Rows: WebSockets. A provider may be given any path below /collab; they all mean the same. */
#include "routes.h"

#define SOCKET (UM_HTTP_WEBSOCKET | UM_HTTP_PUBLIC)

static const struct um_api_param room_params[] = {
    { .name = "*", .in = UM_API_PATH, .type = UM_API_STRING, .min = 0, .max = 4096, .text = "the room" },
    { .name = "token", .in = UM_API_QUERY, .type = UM_API_STRING, .max = 8192, .text = "for clients that cannot send headers" },
    { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "GET", .path = "/collab", .handler = socket_collab, .flags = SOCKET, .id = "sockets.collab",
      .summary = "Hocuspocus providers connect here",
      .replies = { { 101, NULL, NULL, "a WebSocket: docs/collaboration.md" },
                   { 200, NULL, "text/plain", "without an upgrade: what is here, as stock says it" } } },
    { .method = "GET", .path = "/collab/*", .handler = socket_collab, .flags = SOCKET, .summary = "the same, whatever path a provider was given" },
    { .method = "GET", .path = "/y/*", .handler = socket_room, .flags = SOCKET, .id = "sockets.room", .params = room_params,
      .summary = "y-websocket clients connect here; the rest of the path is the room",
      .replies = { { 101, NULL, NULL, "a WebSocket: docs/collaboration.md" } } },
    { .method = "GET", .path = "/echo", .handler = socket_echo, .flags = SOCKET, .id = "sockets.echo",
      .summary = "echoes messages when ws.echo.enabled is true", .replies = { { 101, NULL, NULL, "a WebSocket" } } },
    { .method = "GET", .path = "/collab", .handler = socket_welcome, .flags = UM_HTTP_PUBLIC, .any_query = true,
      .summary = "says what is here, as stock does" },
    { .method = "GET", .path = "/collab/*", .handler = socket_welcome, .flags = UM_HTTP_PUBLIC, .any_query = true,
      .summary = "says what is here, as stock does" },
};
GROUP(rest_sockets, "sockets", "WebSockets of editors", rows);
