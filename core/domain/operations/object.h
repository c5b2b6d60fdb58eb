/* What operations are done with: components of the four categories, and objects of a scope's model (classes, tags, ACLs …), each
 * under a number and the word that registrations have for it. */
#ifndef OPERATIONS_OBJECT_H
#define OPERATIONS_OBJECT_H
#include "component.h"

enum { OPERATION_OBJECTS_N = UM_CATEGORIES_N + UM_KINDS_N };       /* categories, then kinds */
static inline unsigned operation_object_of(enum um_kind k) { return (unsigned)UM_CATEGORIES_N + (unsigned)k; }
static inline bool operation_is_component(unsigned object) { return object < UM_CATEGORIES_N; }

extern const char *const operation_object_words[OPERATION_OBJECTS_N];      /* "FOLDER", "TASK_CLASS" */
extern const char *const operation_action_words[UM_ALL_ACTIONS_N];
/* Is A ever done with such an object? */
bool operation_happens(enum um_action a, unsigned object);
/* May an answer of a BEFORE handler take the place of what is done? Of SEARCH: of the request. */
bool operation_is_replaceable(enum um_action a, unsigned object);
/* A is done in units that read; what handlers need written makes them others. */
bool operation_only_reads(enum um_action a);

#endif
