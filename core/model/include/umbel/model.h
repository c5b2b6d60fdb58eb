/* A scope's model as a list of objects: read from YAML or from templates in XML, compared, written.
 *
 *     list = um_model_list_new();
 *     err = um_model_list_read_yaml(list, text, "classes.yaml", &why);     as many texts as there are
 *     err = um_model_list_finish(list, &why);
 *     for (i = 0; i < um_model_list_count(list); i++) … um_model_list_at(list, i) …
 *
 * What stands in YAML (docs/admin/model.md) is shorter than what REST says; in a list every object has REST's form, without
 * what is only the default and without what the server says of it (dates, version, the owner of a class). So two lists that
 * mean the same are equal, and what is written from a list gives the same list, and the same bytes, again.
 * No input or output (umbel/model_files.h has it). One thread. */
#ifndef UMBEL_MODEL_H
#define UMBEL_MODEL_H
#include <umbel/yaml.h>

#define MODEL_OBJECTS        20000u
#define MODEL_VARIABLES      1000u
#define MODEL_EXPANDED_BYTES (16u << 20)   /* of the texts that hold variables, when they are filled in */
#define MODEL_XML_BYTES      (4u << 20)
#define MODEL_XML_ELEMENTS   200000u
#define MODEL_XML_DEPTH      32u
#define MODEL_DIFF_PATHS     1000u         /* changed places of one object that are told */

/* Kinds, in the order in which they can be made. Name; word of REST; key in YAML; element in XML. */
#define UM_MODEL_KINDS(X) \
    X(SCOPE,                "scope",              "scope",                "Scope") \
    X(TAG_CLASS,            "tagclass",           "tagClasses",           "TagClass") \
    X(TAG_CATEGORY,         "tagcategory",        "tagCategories",        "TagCategory") \
    X(ACL,                  "acl",                "acls",                 "ACL") \
    X(DOCUMENT_CLASS,       "documentclass",      "documentClasses",      "DocumentClass") \
    X(FOLDER_CLASS,         "folderclass",        "folderClasses",        "FolderClass") \
    X(VIRTUAL_FOLDER_CLASS, "virtualfolderclass", "virtualFolderClasses", "VirtualFolderClass") \
    X(TASK_CLASS,           "taskclass",          "taskClasses",          "TaskClass") \
    X(WORKFLOW,             "workflow",           "workflows",            "Workflow") \
    X(GROUP,                "groups",             "groups",               "Group") \
    X(USER,                 "users",              "users",                "User") \
    X(DOCUMENT,             "documents",          "documents",            "Document") \
    X(FOLDER,               "folders",            "folders",              "Folder") \
    X(VIRTUAL_FOLDER,       "virtualFolder",      "virtualFolders",       "VirtualFolder") \
    X(TASK,                 "tasks",              "tasks",                "Task")
enum um_model_kind {
#define X(id, word, key, element) UM_MODEL_##id,
    UM_MODEL_KINDS(X)
#undef X
    UM_MODEL_KINDS_N
};
const char *um_model_kind_word(enum um_model_kind k);         /* "documentclass" */
const char *um_model_kind_key(enum um_model_kind k);          /* "documentClasses" */

struct um_model_item {
    enum um_model_kind kind;
    const char *id;
    json_t *json;                      /* REST's form; borrowed */
    const char *file;                  /* where it was written; NULL: it was added by um_model_list_add */
    struct um_place at;
};

struct um_model_list;
struct um_model_list *um_model_list_new(void);
void um_model_list_free(struct um_model_list *l);             /* NULL is fine */

/* Adds what TEXT holds. NAME: the file, for messages and origins. All errors of this module fill ERROR: UM_EPROTO for what is
 * wrong, UM_ELIMIT, UM_ENOMEM. */
UM_CHECK_RESULT um_err um_model_list_read_yaml(struct um_model_list *l, struct um_span text, const char *name, struct um_model_error *error);
UM_CHECK_RESULT um_err um_model_list_read_xml(struct um_model_list *l, struct um_span text, const char *name, struct um_model_error *error);
/* The value of ${name}, over what the model says under `variables`. */
UM_CHECK_RESULT um_err um_model_list_set(struct um_model_list *l, const char *name, const char *value, struct um_model_error *error);
/* The same, of one that the model need not use. */
UM_CHECK_RESULT um_err um_model_list_offer(struct um_model_list *l, const char *name, const char *value, struct um_model_error *error);
/* When all is read: fills variables in, gives every object its form, refuses what is unknown or there twice, sorts by kind
 * and id. Nothing is read or set after it. */
UM_CHECK_RESULT um_err um_model_list_finish(struct um_model_list *l, struct um_model_error *error);

/* Adds an object in REST's form, as the store has it; for lists that nothing is read into. Members that no form knows are kept.
 * UM_EEXIST; UM_EINVAL: it has no id. Call um_model_list_sort after the last. */
UM_CHECK_RESULT um_err um_model_list_add(struct um_model_list *l, enum um_model_kind k, const json_t *rest);
void um_model_list_sort(struct um_model_list *l);

size_t um_model_list_count(const struct um_model_list *l);
const struct um_model_item *um_model_list_at(const struct um_model_list *l, size_t i);
const struct um_model_item *um_model_list_find(const struct um_model_list *l, enum um_model_kind k, const char *id);

/* Gives the scope of the list this id; a list without a scope stays as it is. Only after um_model_list_finish. */
UM_CHECK_RESULT um_err um_model_list_rename_scope(struct um_model_list *l, const char *id);

/* The list as people write it, as JSON; the caller decrefs; NULL: no memory. */
json_t *um_model_list_form(const struct um_model_list *l);
/* The same as one YAML document in its canonical form. */
UM_CHECK_RESULT um_err um_model_list_write(const struct um_model_list *l, struct um_buf *out);

/* What leads from OLD to NEW, both sorted; the caller decrefs; NULL: no memory. An array:
 *   {"change": "added" | "removed" | "changed", "kind": "tagclass", "id", "file"?, "line"?,
 *    "paths"?: [{"path": "/tagReferences/0/mandatory", "old"?, "new"?}]}      at most MODEL_DIFF_PATHS, and "more": true */
json_t *um_model_diff(const struct um_model_list *old, const struct um_model_list *new);
/* The same for people: "+ tagclass Amount", "- …", "~ …" with its paths below, and a line that counts. */
void um_model_diff_text(const json_t *diff, struct um_buf *out);

#endif
