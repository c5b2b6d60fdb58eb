/* A registration, compiled: which handler, when, for what. Made of a document of the class OperationHandlerRegistration; those of
 * a scope are part of its model, so every unit works with those that were answered before it began. */
#ifndef OPERATIONS_REGISTRATION_H
#define OPERATIONS_REGISTRATION_H
#include <umbel/domain_handlers.h>
#include "operations/object.h"
#include "rules.h"

struct registrations;

enum operation_phase { OPERATION_BEFORE, OPERATION_AFTER, OPERATION_PHASES_N };

struct registration {
    char *id, *handler, *authorization;      /* AUTHORIZATION: NULL, none */
    const struct um_handler_kind *kind;
    enum operation_phase phase;
    enum um_action action;
    unsigned object;                         /* object.h */
    int64_t order;
    bool enabled, asynchronous, stop, inject_token, reserves;
    struct filter *filter;                   /* NULL: whatever it is */
    struct rules *rules;                     /* of the handler `rules`, else NULL */
};

/* What files of the document say, apart from their names: kept beside it (registrations.c). */
enum registration_text { REGISTRATION_REQUEST, REGISTRATION_RULES, REGISTRATION_TEXTS_N };

/* BODY: the document; TEXTS: those of its files, NULL: it has none. False: it cannot be one; WHERE is the JSON pointer in the
 * document and WHY a sentence. */
bool registration_new(const struct um_domain *d, const json_t *body, const char *const texts[REGISTRATION_TEXTS_N],
                      struct registration **out, char where[64], char why[RULES_WHY_MAX]);
bool registration_has_rules(const json_t *body);     /* its handler is `rules` */
void registration_free(struct registration *r);      /* NULL is fine */
const char *operation_phase_word(enum operation_phase p);

/* ---- of a scope ---- */

enum { REGISTRATIONS_MAX = 1000 };
/* Those that are enabled, in the order in which they run. One that cannot be read any more (of a handler that this process does
 * not have) is left out and logged. */
UM_CHECK_RESULT um_err registrations_load(const struct um_domain *d, struct um_sql *q, const char *scope, struct registrations **out);
void registrations_free(struct registrations *all);      /* NULL is fine */
size_t registrations_count(const struct registrations *all);                     /* NULL: 0 */
const struct registration *registrations_at(const struct registrations *all, size_t i);

/* ---- documents that are registrations ---- */

bool registration_is_one(unsigned object, const json_t *body);
/* M, one of them, has just been written: checked, or refused. */
UM_CHECK_RESULT um_err registration_follow(struct um_call *c, const struct component *m);
UM_CHECK_RESULT um_err registration_forget(struct um_call *c, const struct component *m);      /* it goes, or is none any more */
/* After either: the model of the scope is another one. */
UM_CHECK_RESULT um_err registrations_changed(struct um_call *c);

#endif
