/* See object.h. */
#include "operations/object.h"

const char *const operation_object_words[OPERATION_OBJECTS_N] = {
#define X(id) [UM_CATEGORY_##id] = #id,
    UM_CATEGORIES(X)
#undef X
#define X(id, word, cache, missing, exists) [UM_CATEGORIES_N + UM_KIND_##id] = #id,
    UM_KINDS(X)
#undef X
};

const char *const operation_action_words[UM_ALL_ACTIONS_N] = {
#define X(id, change) [UM_ACTION_##id] = #id,
    UM_ACTIONS(X)
#undef X
#define X(id) [UM_ACTION_##id] = #id,
    UM_QUIET_ACTIONS(X)
#undef X
};

enum { DOCUMENT = 1 << UM_CATEGORY_DOCUMENT, FOLDER = 1 << UM_CATEGORY_FOLDER, TASK = 1 << UM_CATEGORY_TASK,
       COMPONENT = (1 << UM_CATEGORIES_N) - 1, MODEL = (1 << OPERATION_OBJECTS_N) - 1 - COMPONENT };

static const struct { unsigned with, replaceable; bool only_reads; } actions[UM_ALL_ACTIONS_N] = {
    [UM_ACTION_CREATE] = { COMPONENT | MODEL, COMPONENT, false },
    [UM_ACTION_UPDATE] = { COMPONENT | MODEL, COMPONENT, false },
    [UM_ACTION_DELETE] = { COMPONENT | MODEL, 0, false },
    [UM_ACTION_ADD_CONTENT] = { FOLDER, FOLDER, false },
    [UM_ACTION_DELETE_CONTENT] = { FOLDER, FOLDER, false },
    [UM_ACTION_UPDATE_CONTENT] = { DOCUMENT, DOCUMENT, false },
    [UM_ACTION_ANSWER] = { TASK, TASK, false },
    [UM_ACTION_ASSIGN] = { TASK, TASK, false },
    [UM_ACTION_VERSION] = { DOCUMENT, DOCUMENT, false },
    [UM_ACTION_REVERT] = { DOCUMENT, DOCUMENT, false },
    [UM_ACTION_READ] = { COMPONENT | MODEL, COMPONENT, true },
    [UM_ACTION_SEARCH] = { COMPONENT, COMPONENT, true },
    [UM_ACTION_GET_CONTENT] = { DOCUMENT, 0, true },
    [UM_ACTION_LOCK] = { COMPONENT, 0, true },
    [UM_ACTION_UNLOCK] = { COMPONENT, 0, true },
};

bool operation_happens(enum um_action a, unsigned object) { return (actions[a].with >> object & 1) != 0; }
bool operation_is_replaceable(enum um_action a, unsigned object) { return (actions[a].replaceable >> object & 1) != 0; }
bool operation_only_reads(enum um_action a) { return actions[a].only_reads; }
