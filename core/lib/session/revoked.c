/* The set of revoked sessions: a map under a lock, renewed as a whole when it is read from the database again, and when it has
 * doubled. What is over is dropped then, and not counted in between. */
#include <umbel/revoked.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/session.h>
#include <umbel/util.h>

enum { RENEW_LEAST = 1024 };              /* a smaller set is not worth it */

struct row { int64_t ends_at_ms, added_at_ms; };
struct um_revoked {
    pthread_mutex_t lock;
    struct um_map rows;                   /* hash -> struct row */
    size_t renew_at;                      /* with so many it is looked which are over */
};

struct um_revoked *um_revoked_new(void)
{
    struct um_revoked *r = um_xcalloc(1, sizeof(*r));

    pthread_mutex_init(&r->lock, NULL);
    r->renew_at = RENEW_LEAST;
    return r;
}

static void free_rows(struct um_map *rows)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(rows, &pos, &key, &value))
        free(value);
    um_map_free(rows);
}

void um_revoked_free(struct um_revoked *r)
{
    if (r == NULL)
        return;
    free_rows(&r->rows);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

bool um_revoked_has(struct um_revoked *r, const char *hash)
{
    const struct row *row;
    bool has;

    pthread_mutex_lock(&r->lock);
    row = um_map_get(&r->rows, UM_SPAN_STR(hash));
    has = row != NULL && row->ends_at_ms > um_now_ms();
    pthread_mutex_unlock(&r->lock);
    return has;
}

static bool are_hashes(const struct um_revocation *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].hash == NULL || strlen(rows[i].hash) != UM_SESSION_HASH_LEN)
            return false;
    return true;
}

static void put(struct um_map *to, struct um_span hash, struct row row)
{
    struct row *mine = um_map_get(to, hash);

    if (mine == NULL) {
        mine = um_xcalloc(1, sizeof(*mine));
        um_map_put(to, hash, mine);
    }
    mine->ends_at_ms = UM_MAX(mine->ends_at_ms, row.ends_at_ms);
    mine->added_at_ms = UM_MAX(mine->added_at_ms, row.added_at_ms);
}

static void put_all(struct um_map *to, const struct um_revocation *rows, size_t n, int64_t now)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].left_ms > 0)
            put(to, UM_SPAN_STR(rows[i].hash),
                (struct row){ rows[i].left_ms < INT64_MAX - now ? now + rows[i].left_ms : INT64_MAX, now });
}

/* The rows that live and were added at SINCE or later, in a map of their own. */
static struct um_map live_rows(const struct um_map *rows, int64_t since, int64_t now)
{
    struct um_map live = {0};
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(rows, &pos, &key, &value)) {
        const struct row *row = value;
        if (row->ends_at_ms > now && row->added_at_ms >= since)
            put(&live, key, *row);
    }
    return live;
}

static um_err renew(struct um_revoked *r, const struct um_revocation *rows, size_t n, int64_t since)
{
    int64_t now = um_now_ms();
    um_err err = UM_ELIMIT;
    struct um_map live;

    if (!are_hashes(rows, n))
        return UM_EINVAL;
    if (n > UM_REVOKED_MAX)
        return UM_ELIMIT;
    pthread_mutex_lock(&r->lock);
    live = live_rows(&r->rows, since, now);
    if (live.n + n <= UM_REVOKED_MAX) {
        put_all(&live, rows, n, now);
        free_rows(&r->rows);
        r->rows = live;
        r->renew_at = UM_MAX((size_t)RENEW_LEAST, 2 * live.n);
        err = UM_OK;
    }
    pthread_mutex_unlock(&r->lock);
    if (err != UM_OK)
        free_rows(&live);
    return err;
}

um_err um_revoked_replace(struct um_revoked *r, const struct um_revocation *rows, size_t n, int64_t since_ms)
{
    return renew(r, rows, n, since_ms);
}

um_err um_revoked_add(struct um_revoked *r, const struct um_revocation *rows, size_t n)
{
    bool fits;

    if (!are_hashes(rows, n))
        return UM_EINVAL;
    pthread_mutex_lock(&r->lock);
    fits = r->rows.n + n <= UM_MIN(r->renew_at, (size_t)UM_REVOKED_MAX);
    if (fits)
        put_all(&r->rows, rows, n, um_now_ms());
    pthread_mutex_unlock(&r->lock);
    return fits ? UM_OK : renew(r, rows, n, INT64_MIN);
}

size_t um_revoked_count(struct um_revoked *r)
{
    size_t n;

    pthread_mutex_lock(&r->lock);
    n = r->rows.n;
    pthread_mutex_unlock(&r->lock);
    return n;
}

/* ---- news ---- */

void um_revoked_write_news(char out[UM_REVOKED_NEWS_MAX], const struct um_revocation *row)
{
    snprintf(out, UM_REVOKED_NEWS_MAX, "%s %" PRId64, row->hash, row->left_ms);
}

bool um_revoked_read_news(struct um_span news, char hash[UM_REVOKED_HASH_LEN + 1], struct um_revocation *row)
{
    size_t digits = 0;
    int64_t ms = 0;

    if (news.len <= UM_REVOKED_HASH_LEN + 1 || news.len >= UM_REVOKED_NEWS_MAX || news.data[UM_REVOKED_HASH_LEN] != ' ')
        return false;
    for (size_t i = UM_REVOKED_HASH_LEN + 1; i < news.len; i++, digits++)
        if (news.data[i] < '0' || news.data[i] > '9' || __builtin_mul_overflow(ms, 10, &ms) ||
            __builtin_add_overflow(ms, news.data[i] - '0', &ms))
            return false;
    memcpy(hash, news.data, UM_REVOKED_HASH_LEN);
    hash[UM_REVOKED_HASH_LEN] = '\0';
    *row = (struct um_revocation){ hash, ms };
    return strlen(hash) == UM_REVOKED_HASH_LEN;
}
