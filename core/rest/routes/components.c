/* Rows: components of the four categories. What all of them have in common; what only one has is in the file of its name. */
#include "routes.h"

static const struct um_api_param read_params[] = { PARAM_IDS("ids"), { 0 } };
static const struct um_api_param change_params[] = { PARAM_IDS("ids"), PARAM_IF_MATCH, PARAM_RESERVATION, { 0 } };

static const struct um_api_param delete_params[] = {
    PARAM_IDS("ids"), PARAM_IF_MATCH, PARAM_RESERVATION,
    { .name = "force", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "also what its class retains; needs role ADMIN, and leaves a fact" },
    { 0 },
};

static const struct um_api_param one_params[] = { PARAM_ONE("ids"), { 0 } };
static const struct um_api_param content_params[] = { PARAM_ONE("ids"), PARAM_IF_MATCH, PARAM_RESERVATION, { 0 } };
static const struct um_api_param view_params[] = {
    PARAM_ONE("ids"),
    { .name = "search", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "the id of one of its searches; without it all, 20 at most" },
    { .name = "start", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = 9900, .initial = "0", .text = "how many results of each to pass over" },
    { .name = "max", .in = UM_API_QUERY, .type = UM_API_INT, .min = 1, .max = 100, .initial = "100", .text = "results of each" },
    { .name = "after", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 16384, .text = "of one search, as an earlier page had it" },
    { 0 },
};
static const struct um_api_param assign_params[] = {
    PARAM_IDS("ids"),
    { .name = "user", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "a user, group or team" },
    PARAM_IF_MATCH, PARAM_RESERVATION, { 0 },
};

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
      .call = CALL_OF(um_components_delete, "category", category_), .id = word ".delete", .summary = "deletes " what ", all or none; 409 U00411 while their class retains them", \
      .params = delete_params, .replies = { REPLY_NOTHING("they are gone") } }

#define CHILDREN(method_, call_, verb, summary_) \
    { .method = method_, .path = "/core/rest/folders/{ids}/children", .handler = platform_call, .call = CALL(call_), \
      .id = "folders.children." verb, .summary = summary_, .max_body = UM_DOMAIN_BODY_MAX, .body = "ComponentReferences", \
      .params = content_params, .replies = { REPLY("Folders", "the folder") } }

static const struct um_api_row rows[] = {
    COMPONENTS("documents", "DOCUMENT", "Documents", "documents"),
    COMPONENTS("folders", "FOLDER", "Folders", "folders"),
    COMPONENTS("tasks", "TASK", "Tasks", "tasks"),
    COMPONENTS("virtualFolder", "VIRTUAL_FOLDER", "VirtualFolders", "virtual folders"),
    CHILDREN("PUT", um_folders_add, "add", "puts components into a folder; who is in it already stays where it is"),
    CHILDREN("POST", um_folders_set, "set", "makes these the components in a folder, as far as the caller may see them"),
    CHILDREN("DELETE", um_folders_remove, "remove", "takes components out of a folder"),
    { .method = "PUT", .path = "/core/rest/tasks/{ids}/answer", .handler = platform_call, .call = CALL(um_tasks_answer), .id = "tasks.answer",
      .summary = "answers tasks, each once", .max_body = UM_DOMAIN_BODY_MAX, .body = "TaskAnswer", .params = change_params,
      .replies = { REPLY("Tasks", "as they are kept") } },
    { .method = "PUT", .path = "/core/rest/tasks/{ids}/assignee/{user}", .handler = platform_call, .call = CALL(um_tasks_assign),
      .id = "tasks.assign", .summary = "says who is to do tasks", .params = assign_params, .replies = { REPLY("Tasks", "as they are kept") } },
    { .method = "DELETE", .path = "/core/rest/tasks/{ids}/assignee", .handler = platform_call, .call = CALL(um_tasks_assign),
      .id = "tasks.unassign", .summary = "nobody in particular is to do tasks", .params = change_params,
      .replies = { REPLY("Tasks", "as they are kept") } },
    { .method = "GET", .path = "/core/rest/virtualFolder/{ids}/searches", .handler = platform_call, .call = CALL(um_virtual_folders_searches),
      .id = "virtualFolder.searches", .summary = "the searches whose results are in a virtual folder, with its tags and the caller filled in",
      .params = one_params, .replies = { REPLY("VirtualFolderSearches", "as its class has them") } },
    { .method = "GET", .path = "/core/rest/virtualFolder/{ids}/contents", .handler = platform_call, .call = CALL(um_virtual_folders_contents),
      .id = "virtualFolder.contents", .summary = "what lies in a virtual folder: a page of what each of its searches finds for the caller",
      .params = view_params, .replies = { REPLY("VirtualFolderContents", "search by search") } },
};
PLATFORM_GROUP(rest_components, "components", "Documents, folders, tasks and virtual folders", rows);
