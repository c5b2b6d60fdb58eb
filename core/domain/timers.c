/* See timers.h. */
#include <pthread.h>
#include <string.h>
#include <umbel/histogram.h>
#include <umbel/util.h>
#include "timers.h"

/* CATEGORY, HAS: the call's argument `category` is this, an argument is there; NULL: whatever it is. The first row that fits counts. */
struct timer { const struct um_domain_call *call; const char *category, *has; struct um_histograms family; };

static const char *const labels[] = { "scope", "exception", NULL };
#define TIMER(call_, category_, has_, name_, help_) \
    { &(call_), category_, has_, { .name = (name_), .help = (help_), .labels = labels } }
#define COMPONENTS(category_, word, what) \
    TIMER(um_components_create, category_, NULL, "create" word, "creating " what), \
    TIMER(um_components_get, category_, NULL, "get" word, "reading " what), \
    TIMER(um_search, category_, NULL, "search" word, "searching " what), \
    TIMER(um_components_update, category_, NULL, "update" word, "changing " what), \
    TIMER(um_components_delete, category_, NULL, "delete" word, "deleting " what)

static struct timer timers[] = {
    COMPONENTS("DOCUMENT", "Documents", "documents"),
    COMPONENTS("FOLDER", "Folders", "folders"),
    COMPONENTS("VIRTUAL_FOLDER", "VirtualFolders", "virtual folders"),
    COMPONENTS("TASK", "Tasks", "tasks"),
    TIMER(um_document_files_add, NULL, NULL, "addFilesDocuments", "adding files to a document"),
    TIMER(um_document_files_contents, NULL, "fileId", "getFileDocuments", "finding a file of a document; its bytes go out after it"),
    TIMER(um_document_files_list, NULL, NULL, "getFilesDocuments", "listing the files of a document"),
    TIMER(um_versions_create, NULL, NULL, "promoteVersion", "making a version of a document"),
    TIMER(um_versions_list, NULL, NULL, "getVersionsVersion", "listing the versions of a document"),
    TIMER(um_versions_revert, NULL, NULL, "revertVersion", "taking a document back to a version"),
    TIMER(um_folders_add, NULL, NULL, "addChildrenFolders", "putting components into a folder"),
    TIMER(um_folders_remove, NULL, NULL, "deleteChildrenFolders", "taking components out of a folder"),
    TIMER(um_tasks_answer, NULL, NULL, "answerTasks", "answering tasks"),
    TIMER(um_tasks_assign, NULL, NULL, "assignTasks", "assigning tasks"),
};

void timers_start(void)
{
    for (size_t i = 0; i < UM_COUNT(timers); i++)
        um_histograms_register(&timers[i].family);
}

static bool fits(const struct timer *t, const struct um_domain_call *call, const json_t *args)
{
    const char *category = json_string_value(json_object_get(args, "category"));

    return t->call == call && (t->category == NULL || (category != NULL && strcmp(category, t->category) == 0)) &&
           (t->has == NULL || json_object_get(args, t->has) != NULL);
}

/* Scopes come and go with their names: the first ones have a series of their own. */
const char *timers_scope(const char *scope)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char *scopes[TIMERS_SCOPES_MAX];
    static size_t n;
    const char *found = "other";
    size_t i = 0;

    pthread_mutex_lock(&lock);
    while (i < n && strcmp(scopes[i], scope) != 0)
        i++;
    if (i == n && n < TIMERS_SCOPES_MAX)
        scopes[n++] = um_xstrdup(scope);
    if (i < n)
        found = scopes[i];
    pthread_mutex_unlock(&lock);
    return found;
}

void timers_note(const struct um_domain_call *call, const json_t *args, const char *scope, const char *exception, int64_t us)
{
    size_t i = 0;

    while (i < UM_COUNT(timers) && !fits(&timers[i], call, args))
        i++;
    if (i == UM_COUNT(timers))
        return;
    um_histogram_add(um_histogram_of(&timers[i].family, (const char *const[]){ scope != NULL ? timers_scope(scope) : "other",
                                                                               exception != NULL ? exception : "none" }), us);
}
