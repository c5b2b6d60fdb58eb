/* Rows: components of the four categories. What all of them have in common; what only one has is in the file of its name. */
#include "routes.h"

static const struct um_api_param read_params[] = { PARAM_IDS("ids"), { 0 } };
static const struct um_api_param change_params[] = { PARAM_IDS("ids"), PARAM_IF_MATCH, PARAM_RESERVATION, { 0 } };

/* WORD: as in paths; CATEGORY: as in core/domain/model.h; MANY: the schema of a list of them. */
#define COMPONENTS(word, category_, many, what) \
    { .method = "GET", .path = "/core/rest/" word "/{ids}", .handler = platform_call, \
      .call = CALL_OF(um_components_get, "category", category_), .id = word ".get", .summary = what " by id", \
      .params = read_params, .replies = { REPLY(many, "in the order asked for") } }, \
    { .method = "POST", .path = "/core/rest/" word, .handler = platform_call, \
      .call = CALL_OF(um_components_create, "category", category_), .id = word ".create", \
      .summary = "creates " what ", all or none; the class's ACL must let the caller CREATE", .max_body = UM_DOMAIN_BODY_MAX, \
      .body = many, .replies = { REPLY(many, "as they are kept") } }, \
    { .method = "POST", .path = "/core/rest/" word "/{ids}", .handler = platform_call, \
      .call = CALL_OF(um_components_update, "category", category_), .id = word ".update", \
      .summary = "replaces " what ", all or none; all is sent, what is absent is gone", .max_body = UM_DOMAIN_BODY_MAX, \
      .body = many, .params = change_params, .replies = { REPLY(many, "as they are kept") } }, \
    { .method = "DELETE", .path = "/core/rest/" word "/{ids}", .handler = platform_call, \
      .call = CALL_OF(um_components_delete, "category", category_), .id = word ".delete", .summary = "deletes " what ", all or none", \
      .params = change_params, .replies = { REPLY_NOTHING("they are gone") } }

static const struct um_api_row rows[] = {
    COMPONENTS("documents", "DOCUMENT", "Documents", "documents"),
    COMPONENTS("folders", "FOLDER", "Folders", "folders"),
    COMPONENTS("tasks", "TASK", "Tasks", "tasks"),
    COMPONENTS("virtualFolder", "VIRTUAL_FOLDER", "VirtualFolders", "virtual folders"),
};
GROUP(rest_components, "components", "Documents, folders, tasks and virtual folders", rows);
