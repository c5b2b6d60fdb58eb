/* Declarative rules: what happens to a component when a filter lets it through, as a list in YAML or JSON. Compiled once; applying is
 * pure: an image comes in, the changed image goes out, with the facts and tasks that are to be made, or a refusal. Who applies them
 * checks and keeps what came out, as anybody's change.
 *
 *   - name: An approved invoice is closed           # for people; not needed
 *     when:                                         # a clause of a search (filter.h); without it: always
 *       criteria:
 *         - {name: classid, operator: EQUALS_TO, values: [Invoice]}
 *         - {name: Status, operator: EQUALS_TO, values: [APPROVED]}
 *     do:                                           # in this order
 *       - setTag: {Approver: '${user.id}', Labels: [paid, closed]}      # instead of their values; [] empties one
 *       - addTag: {Labels: urgent}                  # behind their values, unless they have it
 *       - setClass: ClosedInvoice
 *       - setStatus: CLOSED
 *       - setACL: closed
 *       - createFact: {action: CLOSE, description: 'by ${user.id}'}
 *       - createTask: {classId: Archiving, name: 'Archive ${component.name}', assignee: '${tags.Clerk}', tags: {Due: '${dayDate}'},
 *                      attachTo: invoice}           # also workflow, status, ACL; attachTo: the slot that gets the component
 *       - refuse: 'An invoice needs an amount'      # F00039: the rest of all rules does not count
 *     last: true                                    # rules behind are not tried when this one was done
 *
 * Texts may have ${user.id}, ${dayDate}, ${tags.X}, ${component.id}, ${component.name} and ${component.classid} in them. */
#ifndef DOMAIN_RULES_H
#define DOMAIN_RULES_H
#include "filter.h"

enum {
    RULES_TEXT_MAX = 256 << 10,
    RULES_MAX = 200, RULES_ACTIONS_MAX = 50, /* of a list, of a rule */
    RULES_TAGS_MAX = 50, RULES_VALUES_MAX = 100,         /* of an action, of a tag */
    RULES_TEMPLATE_MAX = 4000,               /* bytes of a text with ${...} in it */
    RULES_VALUE_MAX = 64 << 10,              /* of what it becomes */
    RULES_MADE_MAX = 50,                     /* facts and tasks of one application */
    RULES_WHY_MAX = 400,
};

struct rules;                                /* immutable, any thread */

/* NULL: WHY says what is wrong, and where. */
struct rules *rules_new(const char *text, char why[RULES_WHY_MAX]);
void rules_free(struct rules *r);            /* NULL is fine */
size_t rules_count(const struct rules *r);

enum { RULES_CHANGE = 1, RULES_MAKE = 2, RULES_REFUSE = 4 };
unsigned rules_uses(const struct rules *r);  /* what some of them may do, of these */

struct rules_outcome {
    json_t *component;                       /* the image as it is to be; NULL: as it was */
    json_t *facts;                           /* [{"action", "description"}] of the component; NULL: none */
    json_t *tasks;                           /* bodies, as REST takes them; NULL: none */
    const char *code;                        /* NULL; "F00039": a rule refuses; "T00000": the rules ask for too much */
    char message[500];                       /* of a refusal; nothing else of OUT counts then */
};
/* Rules are tried in their order, each against what those before have made of S->image; a refusal ends it. The caller ends OUT with
 * rules_outcome_done, in any case. */
void rules_apply(const struct rules *r, const struct filter_subject *s, int64_t now_ms, struct rules_outcome *out);
void rules_outcome_done(struct rules_outcome *out);

#endif
