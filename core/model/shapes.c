/* The tables. The order of a table is the order of its keys in YAML. */
#include <umbel/base.h>
#include "shape.h"

#define SHAPE(id, text, bare_name, ...)                                    \
    static const struct field id##_fields[] = { __VA_ARGS__ };             \
    static const struct shape id##_shape = { text, bare_name, id##_fields, UM_COUNT(id##_fields) }
#define TEXT(n, ...)         { .name = n, .type = FIELD_TEXT, __VA_ARGS__ }
#define BOOL(n, ...)         { .name = n, .type = FIELD_BOOL, __VA_ARGS__ }
#define INT(n, ...)          { .name = n, .type = FIELD_INT, __VA_ARGS__ }
#define WORDS(n, ...)        { .name = n, .type = FIELD_WORDS, __VA_ARGS__ }
#define TEXTS(n, ...)        { .name = n, .type = FIELD_TEXTS, __VA_ARGS__ }
#define LIST(n, of, ...)     { .name = n, .type = FIELD_LIST, .shape = &of##_shape, __VA_ARGS__ }
#define OBJECT(n, of, ...)   { .name = n, .type = FIELD_OBJECT, .shape = &of##_shape, __VA_ARGS__ }
#define LABELS(n)            { .name = n, .type = FIELD_LABELS, .shape = &label_shape }
#define JSON(n)              { .name = n, .type = FIELD_JSON }
#define SERVERS(n)           { .name = n, .type = FIELD_JSON, .in = "data", .flags = FIELD_DROPPED }

#define CATEGORY_WORDS "DOCUMENT|FOLDER|VIRTUAL_FOLDER|TASK"
#define PERMISSION_WORDS \
    "CREATE|READ|UPDATE|DELETE|READ_HISTORY|READ_TASK_HISTORY|READ_CONTENT|UPDATE_CONTENT|DELETE_CONTENT|DOWNLOAD_CONTENT|" \
    "PRINT|CREATE_ANNOTATION|READ_ANNOTATION|BUILD_NEW_DOCUMENT|OBFUSCATE|ATTACH|DETACH|APPROPRIATE|" \
    "APPROPRIATE_ALREADY_ASSIGNED|ASSIGN|APPLY_ANSWER"
#define ID                  TEXT("id", .flags = FIELD_NEEDED)
#define CATEGORY(c)         TEXT("category", .initial = "\"" c "\"", .words = c, .flags = FIELD_FIXED)
#define STAMPS              SERVERS("creationDate"), SERVERS("lastUpdateDate"), SERVERS("version")
#define NAMES               LABELS("displayNames"), LABELS("descriptions")
#define ACL                 TEXT("ACL", .as = "acl", .in = "data")
#define SWITCHES            BOOL("active", .initial = "true"), BOOL("technical", .initial = "false")

SHAPE(label, "a label", NULL, TEXT("language", .flags = FIELD_NEEDED), TEXT("value", .flags = FIELD_NEEDED));
SHAPE(pair, "a property", NULL, TEXT("name", .flags = FIELD_NEEDED), WORDS("value"));

/* ---- searches ---- */

SHAPE(criterion, "a criterion", NULL, TEXT("name", .flags = FIELD_NEEDED),
      TEXT("operator", .words = "EQUALS_TO|DIFFERENT|CONTAINS|STARTS_WITH|ENDS_WITH|GREATER_THAN|LESS_THAN|BETWEEN"),
      TEXT("type"), TEXTS("values"));
#define CLAUSE_PREFIX "com.flower.docs.domain.search."
static const struct shape clause_shape;
static const struct field clause_fields[] = {
    TEXT("type", .prefix = CLAUSE_PREFIX), TEXT("@class", .prefix = CLAUSE_PREFIX), LIST("criteria", criterion),
    LIST("clauses", clause), LIST("filterClauses", clause),
};
static const struct shape clause_shape = { "a clause", NULL, clause_fields, UM_COUNT(clause_fields) };
SHAPE(order, "an order clause", "name", TEXT("name", .flags = FIELD_NEEDED), TEXT("type"), BOOL("ascending"));
SHAPE(select, "a select clause", NULL, TEXTS("fields"));
static const struct shape aggregation_shape;
static const struct field aggregation_fields[] = { TEXT("field", .flags = FIELD_NEEDED), LIST("nested", aggregation) };
static const struct shape aggregation_shape = { "an aggregation", "field", aggregation_fields, UM_COUNT(aggregation_fields) };
SHAPE(request, "a search", NULL, OBJECT("selectClause", select), LIST("filterClauses", clause), LIST("orderClauses", order),
      OBJECT("aggregation", aggregation), INT("start"), INT("max"));

/* ---- scope ---- */

SHAPE(team, "a team", NULL, ID, TEXT("name"), LABELS("displayNames"), TEXTS("principals"),
      { .name = "properties", .type = FIELD_PAIRS, .shape = &pair_shape });
SHAPE(scope, "a scope", NULL, ID, TEXT("description"), NAMES, TEXTS("languages"), ACL,
      LIST("profiles", team, .as = "teams", .in = "people"), SERVERS("owner"), STAMPS);

/* ---- tags ---- */

static const struct shape value_shape;
static const struct field value_fields[] = {
    TEXT("symbolicName", .flags = FIELD_NEEDED), LABELS("displayNames"), TEXTS("conditions"), LIST("allowedValues", value),
};
static const struct shape value_shape = { "a value", "symbolicName", value_fields, UM_COUNT(value_fields) };
SHAPE(tag_class, "a tag class", NULL, ID, NAMES,
      TEXT("type", .words = "STRING|TEXT|CHOICELIST|ICON|FREELIST|CONDITIONAL|FLOAT|INT|CURRENCY|DATE|BOOLEAN|USER"),
      TEXT("pattern"), BOOL("searchable"), SWITCHES, ACL, LIST("allowedValues", value), SERVERS("owner"), STAMPS);
SHAPE(tag_category, "a tag category", NULL, ID, NAMES, TEXT("icon"), INT("order"), BOOL("visible"), BOOL("inline"),
      BOOL("reduced"), TEXTS("tags"), ACL, SERVERS("owner"), STAMPS);
SHAPE(tag_reference, "a tag reference", "tagName", TEXT("tagName", .flags = FIELD_NEEDED),
      BOOL("mandatory", .initial = "false"), BOOL("multivalued", .initial = "false"), BOOL("technical", .initial = "false"),
      BOOL("readonly", .initial = "false"), INT("order"), TEXT("pattern"), WORDS("defaultValue"),
      LABELS("descriptions"));

/* ---- security ---- */

SHAPE(entry, "an entry", NULL, TEXT("principal", .flags = FIELD_NEEDED), 
      WORDS("permission", .words = PERMISSION_WORDS, .flags = FIELD_NEEDED),
      TEXT("grant", .words = "ALLOW|DENY", .flags = FIELD_NEEDED));
SHAPE(rule, "a rule", NULL, TEXTS("conditions"), TEXT("aclId", .flags = FIELD_NEEDED));
SHAPE(acl, "an ACL", NULL, ID, TEXT("name"), { .name = "entries", .type = FIELD_ENTRIES, .shape = &entry_shape }, LIST("rules", rule),
      SERVERS("owner"), STAMPS);
SHAPE(user, "a user", NULL, ID, TEXT("displayName"), TEXT("firstname"), TEXT("lastname"), TEXT("mail"), TEXT("password"),
      TEXTS("groups"), TEXTS("profiles"), BOOL("enabled", .initial = "true"), BOOL("credentialsExpired", .initial = "false"),
      JSON("attributes"), STAMPS);
SHAPE(group, "a group", NULL, ID, TEXT("displayName"), TEXT("mail"), TEXTS("groups"), TEXTS("profiles"), TEXTS("members"),
      JSON("attributes"), SERVERS("owner"), STAMPS);

/* ---- classes of components ---- */

SHAPE(retention, "a retention", NULL, INT("value"), TEXT("unit"));
SHAPE(child, "a child", NULL, TEXT("category", .words = CATEGORY_WORDS), TEXT("id"));
SHAPE(search, "a search", NULL, ID, TEXT("category", .words = CATEGORY_WORDS), LABELS("displayNames"), OBJECT("request", request));
SHAPE(answer, "an answer", "id", ID, TEXT("type", .prefix = "com.flower.docs.domain.taskclass."), LABELS("displayNames"),
      LABELS("confirmationMessages"), TEXT("targetStatus"), LIST("reasons", tag_reference));
SHAPE(slot, "an attachment", NULL, ID, TEXT("classId"), TEXT("category", .words = CATEGORY_WORDS), NAMES,
      BOOL("multivalued"), BOOL("readonly"), JSON("required"), BOOL("technical", .initial = "false"), INT("order"));

#define CLASS_HEAD(c) ID, CATEGORY(c), NAMES, SWITCHES, ACL
#define CLASS_TAIL    TEXTS("tagCategories"), LIST("tagReferences", tag_reference), OBJECT("RetentionDuration", retention), \
                      SERVERS("owner"), STAMPS
SHAPE(document_class, "a document class", NULL, CLASS_HEAD("DOCUMENT"),
      TEXT("versioningMode", .words = "NONE|MANUAL|AUTO", .initial = "\"NONE\""), BOOL("collaborative", .initial = "false"), CLASS_TAIL);
SHAPE(folder_class, "a folder class", NULL, CLASS_HEAD("FOLDER"), LIST("children", child), CLASS_TAIL);
SHAPE(virtual_folder_class, "a virtual folder class", NULL, CLASS_HEAD("VIRTUAL_FOLDER"), LIST("searches", search), CLASS_TAIL);
SHAPE(task_class, "a task class", NULL, CLASS_HEAD("TASK"), TEXT("icon"), TEXT("workflow"), BOOL("autoAssign", .initial = "false"),
      LIST("answers", answer), LIST("children", slot), CLASS_TAIL);
SHAPE(workflow, "a workflow", NULL, ID, NAMES, TEXT("startTaskClass"), TEXTS("taskClasses"), ACL, SERVERS("owner"), STAMPS);

/* ---- components ---- */

SHAPE(tag, "a tag", NULL, TEXT("name", .flags = FIELD_NEEDED), TEXTS("value"), BOOL("readOnly", .initial = "false"));
SHAPE(file, "a file", NULL, TEXT("id"), TEXT("name"), TEXT("Name"), TEXT("FormatCode"), INT("size"), TEXT("content"), TEXT("base64"));
SHAPE(attachment, "an attachment", NULL, ID, TEXT("category", .words = CATEGORY_WORDS), TEXTS("componentIds"), INT("order"));

#define COMPONENT(c)                                                                                                    \
    ID, TEXT("name"), CATEGORY(c), TEXT("classId", .as = "class", .in = "data", .flags = FIELD_NEEDED), ACL,            \
    TEXT("owner", .in = "data"), TEXT("status", .in = "data"), { .name = "tags", .type = FIELD_TAGS, .shape = &tag_shape }, STAMPS
SHAPE(document, "a document", NULL, COMPONENT("DOCUMENT"), TEXT("versionLabel"), LIST("files", file));
SHAPE(folder, "a folder", NULL, COMPONENT("FOLDER"), LIST("children", child));
SHAPE(virtual_folder, "a virtual folder", NULL, COMPONENT("VIRTUAL_FOLDER"));
SHAPE(task, "a task", NULL, COMPONENT("TASK"), TEXT("workflow"), TEXT("assignee"), TEXTS("participants"), TEXT("answer"),
      LIST("attachments", attachment));

const struct shape *const model_shapes[UM_MODEL_KINDS_N] = {
    [UM_MODEL_SCOPE] = &scope_shape, [UM_MODEL_TAG_CLASS] = &tag_class_shape, [UM_MODEL_TAG_CATEGORY] = &tag_category_shape,
    [UM_MODEL_ACL] = &acl_shape, [UM_MODEL_DOCUMENT_CLASS] = &document_class_shape, [UM_MODEL_FOLDER_CLASS] = &folder_class_shape,
    [UM_MODEL_VIRTUAL_FOLDER_CLASS] = &virtual_folder_class_shape, [UM_MODEL_TASK_CLASS] = &task_class_shape,
    [UM_MODEL_WORKFLOW] = &workflow_shape, [UM_MODEL_GROUP] = &group_shape, [UM_MODEL_USER] = &user_shape,
    [UM_MODEL_DOCUMENT] = &document_shape, [UM_MODEL_FOLDER] = &folder_shape, [UM_MODEL_VIRTUAL_FOLDER] = &virtual_folder_shape,
    [UM_MODEL_TASK] = &task_shape,
};

const char *const model_one_line_keys[] = {
    "displayNames", "descriptions", "confirmationMessages", "entries", "children", "tagReferences", "reasons", "criteria",
    "orderClauses", "properties", "RetentionDuration", "tags", "variables", "selectClause", NULL,
};
