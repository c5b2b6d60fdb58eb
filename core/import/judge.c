/* Models by the schemas of the REST interface, so that what comes in as text is what would come in as JSON. */
#include <umbel/api.h>
#include <umbel/import.h>
#include <umbel/password.h>

/* Kinds that a scope keeps. Others have calls of their own. */
static const char *const schemas[UM_MODEL_KINDS_N] = {
    [UM_MODEL_SCOPE] = "Scope", [UM_MODEL_TAG_CLASS] = "TagClass", [UM_MODEL_TAG_CATEGORY] = "TagCategory", [UM_MODEL_ACL] = "Acl",
    [UM_MODEL_DOCUMENT_CLASS] = "DocumentClass", [UM_MODEL_FOLDER_CLASS] = "FolderClass", [UM_MODEL_TASK_CLASS] = "TaskClass",
    [UM_MODEL_VIRTUAL_FOLDER_CLASS] = "VirtualFolderClass", [UM_MODEL_WORKFLOW] = "Workflow",
    [UM_MODEL_GROUP] = "Group", [UM_MODEL_USER] = "User",
};

struct judging {
    const struct um_model_item *item;
    um_import_fault_fn *fn;
    void *arg;
};

static void on_fault(void *arg, const char *pointer, const char *message)
{
    struct judging *j = arg;

    j->fn(j->arg, j->item, pointer, message);
}

/* What the schemas do not know: who is in a group is said by the group, and a password can be used. */
static void judge_people(struct judging *j)
{
    const char *password = json_string_value(json_object_get(j->item->json, "password"));
    const char *fault = password != NULL && *password != '\0' ? um_password_fault(password) : NULL;

    if (json_array_size(json_object_get(j->item->json, "groups")) > 0)
        on_fault(j, "/groups", "say it in the members of the groups");
    if (j->item->kind == UM_MODEL_USER && fault != NULL)
        on_fault(j, "/password", fault);
}

void um_import_judge(const struct um_api *api, const struct um_model_list *l, um_import_fault_fn *fn, void *arg)
{
    for (size_t i = 0; i < um_model_list_count(l); i++) {
        struct judging j = { um_model_list_at(l, i), fn, arg };

        if (schemas[j.item->kind] == NULL)
            on_fault(&j, "", "objects of this kind are not imported with a model");
        else
            (void)um_api_fits(api, schemas[j.item->kind], j.item->json, on_fault, &j);
        if (j.item->kind == UM_MODEL_USER || j.item->kind == UM_MODEL_GROUP)
            judge_people(&j);
    }
}

const struct um_model_item *um_import_scope(const struct um_model_list *l)
{
    const struct um_model_item *first = um_model_list_count(l) > 0 ? um_model_list_at(l, 0) : NULL;

    return first != NULL && first->kind == UM_MODEL_SCOPE ? first : NULL;
}
