/* Rows: a scope's model as text. */
#include <umbel/model.h>
#include "models.h"
#include "routes.h"

#define MODEL "/core/rest/admin/model/{scope}"
#define PARAM_SCOPE { .name = "scope", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_SCOPE_MAX, .text = "whose model" }
#define IMPORT_PARAMS(mode_) \
    PARAM_SCOPE, \
    { .name = "dryRun", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "only tells what would change" }, \
    { .name = "mode", .in = UM_API_QUERY, .type = UM_API_ENUM, .values = "merge|replace", .initial = mode_, \
      .text = "merge adds and changes; replace also deletes what the text does not have" }, \
    { .name = "rename", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "the text's scope becomes the path's" }, \
    { .name = "variables", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 2, .max = 8192, \
      .text = "values of ${name} in the text: an object of texts, as JSON" }, \
    { .name = "format", .in = UM_API_QUERY, .type = UM_API_ENUM, .values = "json|text", .initial = "json", .text = "of the reply" }

static const struct um_api_param export_params[] = {
    PARAM_SCOPE,
    { .name = "format", .in = UM_API_QUERY, .type = UM_API_ENUM, .values = "yaml|json", .initial = "yaml", .text = "of the reply" },
    { 0 },
};
static const struct um_api_param post_params[] = { IMPORT_PARAMS("merge"), { 0 } };
static const struct um_api_param put_params[] = { IMPORT_PARAMS("replace"), { 0 } };

#define IMPORT(method_, id_, what_, params_) \
    { .method = method_, .path = MODEL, .handler = model_import, .role = ADMIN, .id = id_, .summary = what_, \
      .max_body = YAML_STREAM_BYTES, .body_media = "application/yaml", .params = params_, \
      .replies = { REPLY("ModelImport", "what was, or would be, changed"), { 200, NULL, "text/plain", "the same for people" } } }

static const struct um_api_row rows[] = {
    { .method = "GET", .path = MODEL, .handler = model_export, .role = ADMIN, .id = "model.export",
      .summary = "a scope's classes, tags, ACLs and teams as one text, always the same for the same model", .params = export_params,
      .replies = { { 200, NULL, "application/yaml", "docs/admin/model.md" }, REPLY("Model", "the same as JSON") } },
    IMPORT("POST", "model.import", "brings a model into a scope, all or nothing up to 500 changes; SYSTEM_ADMIN creates scopes with it", post_params),
    IMPORT("PUT", "model.replace", "makes a scope's model what the text says", put_params),
};
PLATFORM_GROUP(rest_models, "models", "Models of scopes as text", rows);
