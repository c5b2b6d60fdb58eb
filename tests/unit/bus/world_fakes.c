/* What the engine asks of its surroundings, in place of the libraries' own. All of an object file's functions stand here, so that the
 * linker has no reason to take the real one. */
#include <stdio.h>
#include <umbel/cluster.h>
#include <umbel/util.h>
#include "world_internal.h"

struct world *the_world;

/* ---- core/lib/base/clock.c ---- */

int64_t um_now_us(void) { return um_now_ms() * 1000; }
int64_t um_now_ms(void) { return the_world != NULL ? the_world->now_ms : 1; }
int64_t um_wall_ms(void) { return um_now_ms(); }
void um_wall_iso(int64_t wall_ms, char out[32]) { snprintf(out, 32, "%lld", (long long)wall_ms); }

/* ---- core/lib/base/random.c: the same in every run, whatever ran before ---- */

static uint64_t noise;

void fakes_reset(void) { noise = 0; }
void um_random_bytes(void *out, size_t len) { memset(out, 0x5a, len); }
uint64_t um_random_u64(void) { return (++noise * UINT64_C(0x9e3779b97f4a7c15)) ^ 0x1234567; }
uint64_t um_random_below(uint64_t n) { return n > 0 ? um_random_u64() % n : 0; }
void um_random_id(char *out, size_t n_chars)
{
    memset(out, 'x', n_chars);
    out[n_chars] = '\0';
}
void um_random_uuid(char out[37]) { um_random_id(out, 36); }

/* ---- core/lib/cluster ---- */

void um_members_unref(struct um_members *m)
{
    if (m == NULL || atomic_fetch_sub(&m->refs, 1) != 1)
        return;
    for (size_t i = 0; i < m->n; i++)
        free((char *)m->list[i].id);
    free((void *)m->list);
    free(m);
}

static bool is_listed(const struct world *w, const struct core *c)
{
    bool was_here_just_now = w->now_ms - c->left_ms < MEMBER_MS;

    if (c->is_dead)
        return was_here_just_now && w->cores[c->index] == NULL;
    return c->lives && (!c->cut || was_here_just_now);
}

static struct um_members *look(struct world *w)
{
    struct um_members *m = um_xcalloc(1, sizeof(*m));
    struct um_member *list = um_xcalloc(STARTS_MAX, sizeof(*list));

    atomic_init(&m->refs, 1);
    for (unsigned i = 0; i < w->starts; i++)
        if (is_listed(w, w->every[i]))
            list[m->n++] = (struct um_member){ .id = um_xstrdup(w->every[i]->member), .role = "core", .started_at_ms = w->every[i]->started_ms };
    m->list = list;
    return m;
}

/* A core that is cut off keeps its last view. */
struct um_members *um_cluster_members(struct um_cluster *cluster)
{
    struct core *c = (struct core *)cluster;

    if (c->is_dead)
        return NULL;
    if (!c->cut || c->seen == NULL) {
        um_members_unref(c->seen);
        c->seen = look(c->world);
    }
    atomic_fetch_add(&c->seen->refs, 1);
    return c->seen;
}

const char *um_cluster_self(const struct um_cluster *cluster, int64_t *started_at_ms)
{
    const struct core *c = (const struct core *)cluster;

    *started_at_ms = c->started_ms;
    return c->member;
}
