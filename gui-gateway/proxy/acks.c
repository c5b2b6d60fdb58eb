/* See proxy/acks.h.
 *
 * Answers come in the order of the messages, but a refusal may overtake those that wait for the store. Which message it was for
 * cannot be told then: it is taken to be the one that would have answered most, so that too little is given rather than too much;
 * a later Step2 makes up for it. */
#include <proxy/acks.h>

#include <string.h>

static void drop_one(struct um_acks *a, size_t i)
{
    if (--a->runs[i].n > 0)
        return;
    memmove(&a->runs[i], &a->runs[i + 1], (a->n - i - 1) * sizeof(a->runs[0]));
    a->n--;
}

/* What is under way answers nothing any more. */
static void void_all(struct um_acks *a)
{
    uint32_t n = 0;

    for (size_t i = 0; i < a->n; i++)
        n += a->runs[i].n;
    a->granted = 0;
    a->n = n > 0;
    a->runs[0] = (struct um_acks_run){ n, 0 };
}

static void send(struct um_acks *a, uint32_t each)
{
    struct um_acks_run *last = a->n > 0 ? &a->runs[a->n - 1] : NULL;

    a->granted += each;
    if (last != NULL && last->each == each)
        last->n++;
    else
        a->runs[a->n++] = (struct um_acks_run){ 1, each };
}

/* More kinds under way than we can keep apart: a later Step2 answers for all of it. */
static void make_room(struct um_acks *a)
{
    if (a->n == UM_ACKS_RUNS)
        void_all(a);
}

void um_acks_step1(struct um_acks *a)
{
    a->waiting = 1;
    void_all(a);                          /* the Step2 that follows answers for what was said before */
}

void um_acks_update(struct um_acks *a, bool sent)
{
    if (a->waiting < UINT32_MAX)
        a->waiting++;
    make_room(a);
    if (sent)
        send(a, 1);
}

void um_acks_step2(struct um_acks *a)
{
    make_room(a);
    send(a, a->waiting > a->granted ? a->waiting - a->granted : 0);
}

static size_t heaviest(const struct um_acks *a)
{
    size_t at = 0;

    for (size_t i = 1; i < a->n; i++)
        if (a->runs[i].each > a->runs[at].each)
            at = i;
    return at;
}

uint32_t um_acks_status(struct um_acks *a, bool stored)
{
    size_t at = stored || a->n == 0 ? 0 : heaviest(a);
    uint32_t n;

    if (a->n == 0)
        return 0;                         /* said of the core's own accord */
    n = a->runs[at].each;
    a->granted -= n;
    drop_one(a, at);
    if (!stored)
        return 0;
    n = UM_MIN(n, a->waiting);
    a->waiting -= n;
    return n;
}

void um_acks_lost(struct um_acks *a)
{
    a->n = 0;
    a->granted = 0;
}
