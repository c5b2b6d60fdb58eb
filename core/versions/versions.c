/* Keys of configuration and of the archive, counters, and the clock that looks for old versions. */
#include "versions_int.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/util.h>

#define DAY_MS ((int64_t)86400000)
#define AT(f) .at = offsetof(struct um_versions_conf, f)
static const struct um_conf_key keys[] = {
    { "archive.after", NULL, "30d", "versions of documents that are older go to the archive, when there is one; 0: never",
      UM_CONF_DURATION_MS, 0, AT(archive_after_ms), .min = 0, .max = 36600 * DAY_MS },
    { "archive.every", NULL, "10m", "how often old versions are looked for",
      UM_CONF_DURATION_MS, 0, AT(archive_every_ms), .min = 100, .max = 7 * DAY_MS },
};
const struct um_conf_table um_versions_conf_table = UM_CONF_TABLE("Versions", keys);

/* ---- counters ---- */

#define COUNTER(n, u, h) { .name = (n), .unit = (u), .help = (h), .kind = UM_COUNTER }
static struct um_metric rows[VERSIONS_C_N] = {
    [VERSIONS_C_MOVED] = COUNTER("versions.archived", "versions", "versions that were moved to the archive"),
    [VERSIONS_C_BYTES] = COUNTER("versions.archived.bytes", "bytes", "bytes of versions that were moved to the archive"),
    [VERSIONS_C_FAILED] = COUNTER("versions.archive.failed", "versions", "versions that could not be moved"),
    [VERSIONS_C_READ] = COUNTER("versions.archive.reads", "versions", "versions that were read back from the archive"),
    [VERSIONS_C_REMOVED] = COUNTER("versions.archive.removed", "objects", "objects removed with their documents"),
};

void versions_count(int which, int64_t n) { um_count(&rows[which], n); }

/* ---- keys ---- */

void versions_prefix(const char *document, char out[VERSIONS_KEY_MAX])
{
    unsigned char hash[crypto_generichash_BYTES];
    char hex[2 * crypto_generichash_BYTES + 1];

    crypto_generichash(hash, sizeof(hash), (const unsigned char *)document, strlen(document), NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    snprintf(out, VERSIONS_KEY_MAX, "versions/%s/", hex);
}

void versions_key(const char *document, uint64_t seq, char out[VERSIONS_KEY_MAX])
{
    size_t n;

    versions_prefix(document, out);
    n = strlen(out);
    snprintf(out + n, VERSIONS_KEY_MAX - n, "%" PRIu64, seq);
}

void versions_nobody(void *arg, um_err err)
{
    (void)arg;
    if (err != UM_OK)
        um_log_limited(UM_WARN, "versions", "an object is left in the archive", UM_S("reason", um_err_text(err)));
}

/* ---- life ---- */

struct um_versions *um_versions_new(struct um_store *store, struct um_archive *archive, const struct um_versions_conf *cf)
{
    static _Atomic bool known;
    struct um_versions *v = um_xcalloc(1, sizeof(*v));

    if (!atomic_exchange(&known, true))
        um_metrics_register(rows, VERSIONS_C_N);
    if (sodium_init() < 0)
        abort();                             /* no source of randomness: nothing of ours would run */
    v->store = store;
    v->archive = archive;
    v->cf = cf;
    return v;
}

void um_versions_free(struct um_versions *v)
{
    if (v == NULL)
        return;
    if (v->loop != NULL)
        um_timer_stop(v->loop, &v->timer);
    versions_run_free(v->run);
    free(v);
}

bool um_versions_has_archive(const struct um_versions *v) { return v->archive != NULL; }

bool um_versions_archive_is_healthy(const struct um_versions *v)
{
    return v->archive != NULL && um_archive_is_healthy(v->archive);
}

/* ---- the clock ---- */

static void look(void *arg);

/* What is left over is done soon, in pieces, so that the store has air between them. */
static void looked(void *arg, um_err err, const struct um_versions_report *report)
{
    struct um_versions *v = arg;
    bool go_on = err == UM_OK && report->more && report->moved > 0 && report->failed == 0;

    v->run = NULL;
    if (err != UM_OK)
        um_log_limited(UM_WARN, "versions", "old versions cannot be listed", UM_S("reason", um_err_text(err)));
    else if (report->n > 0)
        um_log(UM_INFO, "versions", "archived", UM_I("versions", report->moved), UM_I("bytes", report->moved_bytes),
               UM_I("failed", report->failed));
    um_timer_set(v->loop, &v->timer, go_on ? UM_MIN(v->cf->archive_every_ms, 1000) : v->cf->archive_every_ms, look, v);
}

static void look(void *arg)
{
    struct um_versions *v = arg;

    v->run = versions_run_begin(v, v->loop, false, looked, v);
}

void um_versions_start(struct um_versions *v, struct um_loop *l)
{
    if (v->archive == NULL || v->cf->archive_after_ms == 0)
        return;
    v->loop = l;
    um_timer_set(l, &v->timer, UM_MIN(v->cf->archive_every_ms, 60000), look, v);
}
