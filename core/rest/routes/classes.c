/* Rows: configuration objects of a scope. Five calls each, all alike. */
#include "routes.h"

static const struct um_api_param read_params[] = { PARAM_IDS("ids"), { 0 } };
static const struct um_api_param change_params[] = { PARAM_IDS("ids"), PARAM_IF_MATCH, { 0 } };
static const struct um_api_param delete_params[] = { PARAM_IDS("ids"), PARAM_FORCE, { 0 } };

#define BY_FUNCTION "ADMIN|FUNCTIONAL_ADMIN"
#define BY_SECURITY "ADMIN|SECURITY_ADMIN"

/* KIND: as in paths and core/domain/model.h. MANY: the schema of a list of them. */
#define OBJECTS(kind_, many, what, role_) \
    { .method = "GET", .path = "/core/rest/" kind_, .handler = platform_call, .call = CALL_OF(um_objects_list, "kind", kind_), \
      .id = kind_ ".list", .summary = "all " what " of the scope", .replies = { REPLY(many, "in the order of their ids") } }, \
    { .method = "GET", .path = "/core/rest/" kind_ "/{ids}", .handler = platform_call, .call = CALL_OF(um_objects_get, "kind", kind_), \
      .id = kind_ ".get", .summary = what " by id", .params = read_params, .replies = { REPLY(many, "in the order asked for") } }, \
    { .method = "POST", .path = "/core/rest/" kind_, .handler = platform_call, .call = CALL_OF(um_objects_create, "kind", kind_), \
      .role = role_, .id = kind_ ".create", .summary = "creates " what, .max_body = UM_DOMAIN_BODY_MAX, .body = many, \
      .replies = { REPLY(many, "as they are kept") } }, \
    { .method = "POST", .path = "/core/rest/" kind_ "/{ids}", .handler = platform_call, .call = CALL_OF(um_objects_update, "kind", kind_), \
      .role = role_, .id = kind_ ".update", .summary = "replaces " what "; all is sent, what is absent is gone", \
      .max_body = UM_DOMAIN_BODY_MAX, .body = many, .params = change_params, .replies = { REPLY(many, "as they are kept") } }, \
    { .method = "DELETE", .path = "/core/rest/" kind_ "/{ids}", .handler = platform_call, .call = CALL_OF(um_objects_delete, "kind", kind_), \
      .role = role_, .id = kind_ ".delete", .summary = "deletes " what, .params = delete_params, .replies = { REPLY_NOTHING("they are gone") } }

static const struct um_api_row rows[] = {
    OBJECTS("documentclass", "DocumentClasses", "document classes", BY_FUNCTION),
    OBJECTS("folderclass", "FolderClasses", "folder classes", BY_FUNCTION),
    OBJECTS("taskclass", "TaskClasses", "task classes", BY_FUNCTION),
    OBJECTS("virtualfolderclass", "VirtualFolderClasses", "virtual folder classes", BY_FUNCTION),
    OBJECTS("tagclass", "TagClasses", "tag classes", BY_FUNCTION),
    OBJECTS("tagcategory", "TagCategories", "tag categories", BY_FUNCTION),
    OBJECTS("workflow", "Workflows", "workflows", BY_FUNCTION),
    OBJECTS("acl", "Acls", "ACLs", BY_SECURITY),
};
PLATFORM_GROUP(rest_classes, "classes", "Classes, tags and ACLs of a scope", rows);
