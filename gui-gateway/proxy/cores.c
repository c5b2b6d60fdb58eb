/* See proxy/cores.h.
 *
 * The membership is asked at every choice: its view is one shared, immutable block, and the same block means that nothing has
 * changed. A core that has left the view stays until nobody holds it. */
#include <proxy/cores.h>

#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/map.h>

struct um_core {
    struct um_list link;
    struct um_cores *of;
    char *node;
    unsigned holds;
    unsigned asked;                       /* attempts that are under way */
    bool down, unready;                   /* what the last check said */
    bool listed, was_listed, draining;
    bool lacks_rest, lacks_collab;        /* core.roles; of a static list nobody knows */
    int64_t rest_ms, rests_until_ms;      /* 0: it has not failed since it last answered */
    uint64_t chosen;                      /* number of the choice: least is longest ago */
};

struct um_cores {
    const struct um_conf_list *list;
    um_cores_members *members;
    void *arg;
    struct um_members *seen;              /* the view that `all` was made of; ours */
    bool made;
    struct um_list all;
    uint64_t choices;
    uint64_t version;                     /* of who is there and who answers */
};

/* ---- who is there ---- */

bool um_core_is_node(const char *node)
{
    const char *host = node + 7;
    size_t n;

    if (strncmp(node, "http://", 7) != 0)
        return false;
    n = strcspn(host, "/?#@ \t\r\n");
    return n > 0 && host[n] == '\0';
}

static void drop(struct um_core *c)
{
    um_list_remove(&c->link);
    free(c->node);
    free(c);
}

static struct um_core *find(struct um_cores *cs, const char *node)
{
    UM_LIST_EACH(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        if (strcmp(c->node, node) == 0)
            return c;
    }
    return NULL;
}

static struct um_core *put(struct um_cores *cs, const char *node, bool draining)
{
    struct um_core *c = find(cs, node);

    if (c == NULL) {
        c = um_xcalloc(1, sizeof(*c));
        c->of = cs;
        c->node = um_xstrdup(node);
        um_list_append(&cs->all, &c->link);
    }
    if (!c->was_listed)
        c->rest_ms = c->rests_until_ms = 0;   /* it has come anew: what was before says nothing */
    if (!c->was_listed)
        c->down = c->unready = false;
    c->listed = true;
    c->draining = draining;
    c->lacks_rest = c->lacks_collab = false;
    return c;
}

static size_t put_members(struct um_cores *cs, const struct um_members *m)
{
    size_t n = 0;

    for (size_t i = 0; m != NULL && i < m->n; i++) {
        char *node = um_xasprintf("http://%s", m->list[i].address);
        if (strcmp(m->list[i].role, "core") == 0 && um_core_is_node(node)) {
            struct um_core *c = put(cs, node, m->list[i].draining);
            c->lacks_rest = !um_member_serves(&m->list[i], "rest");
            c->lacks_collab = !um_member_serves(&m->list[i], "collab");
            n++;
        }
        free(node);
    }
    return n;
}

static void refresh(struct um_cores *cs)
{
    struct um_members *now = cs->members != NULL ? cs->members(cs->arg) : NULL;

    if (cs->made && now == cs->seen) {
        um_members_unref(now);
        return;
    }
    um_members_unref(cs->seen);
    cs->seen = now;                       /* held: so no later view can have its address */
    cs->made = true;
    cs->version++;
    UM_LIST_EACH(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        c->was_listed = c->listed;
        c->listed = false;
    }
    if (put_members(cs, now) == 0)
        for (size_t i = 0; i < cs->list->n; i++)
            put(cs, cs->list->items[i], false);
    UM_LIST_EACH_SAFE(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        if (!c->listed && c->holds == 0)
            drop(c);
    }
}

/* ---- choosing ---- */

/* Better first: a lower class, then within one the lower `order`, the fewer that are under way, the higher `weight`, and the one
 * that was chosen longest ago. */
struct rank { int class; uint64_t order, asked, weight, chosen; };

static uint64_t weight_of(const struct um_core *c, struct um_span key)
{
    struct um_buf both = { 0 };
    uint64_t weight;

    um_buf_put(&both, key.data, key.len);
    um_buf_put_u8(&both, '\0');
    um_buf_puts(&both, c->node);
    weight = um_hash_stable(UM_SPAN(both.data, both.len));
    um_buf_free(&both);
    return weight;
}

static struct rank rank_of(const struct um_core *c, struct um_span key, int64_t now_ms)
{
    struct rank r = { .chosen = c->chosen };

    if (c->draining || c->unready) {
        r.class = 2;
    } else if (c->down || c->rests_until_ms > now_ms) {
        r.class = 1;
        r.order = (uint64_t)c->rests_until_ms;
    } else if (key.len > 0) {
        r.weight = weight_of(c, key);
    } else {
        r.asked = c->asked;
    }
    return r;
}

static bool is_better(struct rank a, struct rank b)
{
    if (a.class != b.class)
        return a.class < b.class;
    if (a.order != b.order)
        return a.order < b.order;
    if (a.asked != b.asked)
        return a.asked < b.asked;
    return a.weight != b.weight ? a.weight > b.weight : a.chosen < b.chosen;
}

static bool is_meant(const struct um_tries *tries, const struct um_core *c)
{
    if (!c->listed || tries->needs == NULL)
        return c->listed;
    return strcmp(tries->needs, "collab") == 0 ? !c->lacks_collab : !c->lacks_rest;
}

static bool was_tried(const struct um_tries *tries, const struct um_core *c)
{
    for (size_t i = 0; i < tries->n; i++)
        if (tries->cores[i] == c)
            return true;
    return false;
}

struct um_core *um_cores_next(struct um_cores *cs, struct um_tries *tries, struct um_span key, int64_t now_ms)
{
    struct um_core *best = NULL;
    struct rank best_rank = { 0 };

    refresh(cs);
    if (tries->n == UM_CORE_TRIES_MAX)
        return NULL;
    UM_LIST_EACH(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        struct rank r = rank_of(c, key, now_ms);
        if (!is_meant(tries, c) || was_tried(tries, c) || (best != NULL && !is_better(r, best_rank)))
            continue;
        best = c;
        best_rank = r;
    }
    if (best != NULL) {
        best->chosen = ++cs->choices;
        best->holds++;
        best->asked++;
        tries->cores[tries->n++] = best;
    }
    return best;
}

bool um_cores_has_next(struct um_cores *cs, const struct um_tries *tries)
{
    refresh(cs);
    UM_LIST_EACH(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        if (is_meant(tries, c) && !was_tried(tries, c))
            return tries->n < UM_CORE_TRIES_MAX;
    }
    return false;
}

void um_core_hold(struct um_core *c)
{
    c->holds++;
}

void um_core_release(struct um_core *c)
{
    if (--c->holds == 0 && !c->listed)
        drop(c);
}

void um_tries_end(struct um_tries *tries)
{
    while (tries->n > 0) {
        struct um_core *c = tries->cores[--tries->n];
        c->asked--;
        um_core_release(c);
    }
}

/* ---- moving ---- */

struct um_core *um_cores_better(struct um_cores *cs, const struct um_core *core, struct um_span key, int64_t now_ms)
{
    struct um_core *best = NULL;
    struct rank best_rank = { 0 };
    const struct um_tries collab = { .needs = "collab" };

    refresh(cs);
    if (core->listed && !core->draining && !core->lacks_collab)
        best_rank = (struct rank){ .weight = weight_of(core, key) };     /* that it rests is no reason: something is there */
    UM_LIST_EACH(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        struct rank r = rank_of(c, key, now_ms);
        if (c == core || !is_meant(&collab, c) || r.class != 0 || c->rest_ms != 0 || (best_rank.weight != 0 && !is_better(r, best_rank)))
            continue;
        best = c;
        best_rank = r;
    }
    return best;
}

uint64_t um_cores_version(struct um_cores *cs)
{
    refresh(cs);
    return cs->version;
}

bool um_core_is_draining(const struct um_core *c) { return c->draining || !c->listed; }

/* ---- how they do ---- */

const char *um_core_node(const struct um_core *c) { return c->node; }
const char *um_core_host(const struct um_core *c) { return c->node + sizeof("http://") - 1; }

/* Many attempts fail together when a core dies: while it rests, a further failure says nothing new. */
void um_core_note(struct um_core *c, bool reached, int64_t now_ms)
{
    bool was_away = c->rest_ms != 0;

    if (reached) {
        c->rest_ms = c->rests_until_ms = 0;
        c->down = false;
    } else if (now_ms >= c->rests_until_ms) {
        c->rest_ms = was_away ? UM_MIN(c->rest_ms * 2, UM_CORE_REST_MAX_MS) : UM_CORE_REST_MIN_MS;
        c->rests_until_ms = now_ms + c->rest_ms;
    }
    if (was_away == reached) {
        c->of->version++;
        um_log(reached ? UM_INFO : UM_WARN, "gateway.upstream", reached ? "core-reached" : "core-away", UM_S("node", c->node));
    }
}

void um_core_checked(struct um_core *c, enum um_core_check verdict, int64_t now_ms)
{
    bool unready = verdict == UM_CORE_NOT_READY;

    c->down = verdict == UM_CORE_SILENT;
    if (c->unready != unready)
        um_log(unready ? UM_WARN : UM_INFO, "gateway.upstream", unready ? "core-not-ready" : "core-ready", UM_S("node", c->node));
    c->unready = unready;
    um_core_note(c, !c->down, now_ms);
}

bool um_cores_is_up(struct um_cores *cs)
{
    refresh(cs);
    UM_LIST_EACH(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        if (c->listed && c->rest_ms == 0)
            return true;
    }
    return false;
}

void um_cores_each(struct um_cores *cs, void (*fn)(void *arg, const char *host, const char *state), void *arg)
{
    refresh(cs);
    UM_LIST_EACH(it, &cs->all) {
        struct um_core *c = UM_CONTAINER(it, struct um_core, link);
        if (c->listed)
            fn(arg, um_core_host(c), c->draining ? "DRAINING" : c->down || c->rest_ms != 0 ? "AWAY" : c->unready ? "NOT_READY" : "UP");
    }
}

void um_cores_each_core(struct um_cores *cs, void (*fn)(void *arg, struct um_core *c), void *arg)
{
    refresh(cs);
    UM_LIST_EACH_SAFE(it, &cs->all)
        if (UM_CONTAINER(it, struct um_core, link)->listed)
            fn(arg, UM_CONTAINER(it, struct um_core, link));
}

/* ---- life ---- */

struct um_cores *um_cores_new(const struct um_conf_list *list, um_cores_members *members, void *arg)
{
    struct um_cores *cs = um_xcalloc(1, sizeof(*cs));

    cs->list = list;
    cs->members = members;
    cs->arg = arg;
    um_list_init(&cs->all);
    return cs;
}

void um_cores_free(struct um_cores *cs)
{
    if (cs == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &cs->all)
        drop(UM_CONTAINER(it, struct um_core, link));
    um_members_unref(cs->seen);
    free(cs);
}
