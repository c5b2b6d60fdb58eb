/* Rows: what the caller may do, told before he tries. */
#include "routes.h"

static const struct um_api_param read_params[] = { PARAM_IDS("ids"), { 0 } };

#define RIGHTS(word, category_, what) \
    { .method = "GET", .path = "/core/rest/" word "/{ids}/rights", .handler = platform_call, .call = CALL_OF(um_rights_of_components, "category", category_), \
      .id = word ".rights", .summary = "what the caller may do with " what, .params = read_params, \
      .replies = { REPLY("ComponentRights", "in the order asked for") } }

static const struct um_api_row rows[] = {
    { .method = "GET", .path = "/core/rest/rights", .handler = platform_call, .call = CALL(um_rights_of_classes), .id = "rights.classes",
      .summary = "what the caller may do with new components of each class: CREATE them, and what their class's ACL gives",
      .replies = { REPLY("ClassRights", "all classes of the scope") } },
    RIGHTS("documents", "DOCUMENT", "documents"),
    RIGHTS("folders", "FOLDER", "folders"),
    RIGHTS("tasks", "TASK", "tasks"),
    RIGHTS("virtualFolder", "VIRTUAL_FOLDER", "virtual folders"),
};
PLATFORM_GROUP(rest_rights, "rights", "What the caller may do", rows);
