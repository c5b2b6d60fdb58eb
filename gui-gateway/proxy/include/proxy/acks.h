/* What a client still waits to hear about one document. Pure.
 *
 * A provider counts: Step1 sets its count to 1, each Update adds 1, each SyncStatus 1 takes 1 away; at 0 it says "all is stored". A
 * core answers each Step2 and each Update with one SyncStatus. When a document goes to another core, what the old one has not
 * answered is made up by one Step2, which holds all that the client has: as soon as that is stored, all that the client had said
 * before it is.
 *
 * Invariants: 1. the client is never given more than it waits for; 2. nothing is given before the Step2 or Update that holds it was
 * answered with 1; 3. what a core refuses is left open until a later Step2 that is stored. */
#ifndef PROXY_ACKS_H
#define PROXY_ACKS_H
#include <umbel/base.h>

enum { UM_ACKS_RUNS = 6 };
struct um_acks {                          /* zero-initialise */
    uint32_t waiting;                     /* the provider's count, as we would have it */
    uint32_t granted;                     /* of those: what the messages under way will answer */
    uint8_t n;
    struct um_acks_run { uint32_t n, each; } runs[UM_ACKS_RUNS];     /* N messages under way, in order, each of which answers so many */
};
void um_acks_step1(struct um_acks *a);                    /* the client has said Step1 */
void um_acks_update(struct um_acks *a, bool sent);        /* ... an Update; SENT: and it went to the core */
void um_acks_step2(struct um_acks *a);                    /* a Step2 of the client went to the core */
/* The core has answered; how many SyncStatus 1 the client is to have for it. */
uint32_t um_acks_status(struct um_acks *a, bool stored);
void um_acks_lost(struct um_acks *a);                     /* the core answers no more */

#endif
