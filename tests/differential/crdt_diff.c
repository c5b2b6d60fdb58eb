/* The library beside real yjs: reads cases that generate.mjs wrote, does what they say, and compares.
 *
 *   crdt_diff [--out DIR] [--most N] <stream       cases behind their length in four bytes, 0 at the end
 *   crdt_diff --replay FILE...                     these cases alone
 *   crdt_diff --tell FILE...                       the same, every command told
 *
 * A difference is told on stderr and its case written to DIR (.) as crdt-diff-SEED-NUMBER; so is the case at which
 * the program dies or takes too long. Ends with 1 after a difference, at once after N (5) cases with one.
 *
 *   case := string seed, uint number, (uint command, operands)*         as lib0 writes them; see case.mjs */
#include "diff.h"
#include "doc.h"                      /* what is missing has no public view */
#include <umbel/crdt_snapshot.h>
#include <umbel/crdt_v2.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CASE_MAX (64u << 20)
#define CASE_SECONDS 30

/* The case at work, for the handlers of the program's death. */
static struct {
    const char *dir;                  /* NULL: PATH is where it came from */
    struct um_span bytes;
    char path[512];
} at_work;

/* ---- telling ------------------------------------------------------------------------------------------- */

static void case_save(void)
{
    ssize_t n = 0;
    int fd = at_work.dir == NULL ? -1 : open(at_work.path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0)
        return;
    for (size_t at = 0; at < at_work.bytes.len && n >= 0; at += (size_t)n)
        n = write(fd, at_work.bytes.data + at, at_work.bytes.len - at);
    close(fd);
}

static void died(void)
{
    static const char text[] = "crdt_diff: died; the case is in ";

    if (at_work.bytes.len == 0)
        return;
    case_save();
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
        write(STDERR_FILENO, at_work.path, strlen(at_work.path)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        return;
}

static void on_signal(int signal)
{
    died();
    _exit(128 + signal);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void handlers_set(void)
{
    static const int fatal[] = { SIGALRM, SIGABRT };

    for (size_t i = 0; i < UM_COUNT(fatal); i++)
        signal(fatal[i], on_signal);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(died);
    else
        signal(SIGSEGV, on_signal);
}

void differs(struct run *run, const char *fmt, ...)
{
    va_list ap;

    if (run->differences++ == 0) {
        case_save();
        fprintf(stderr, "DIFFERENCE seed=%.*s case=%" PRIu64 " (crdt_diff --replay %s)\n", (int)run->seed.len,
                (const char *)run->seed.data, run->number, at_work.path);
    }
    fprintf(stderr, "  command %u, %s: ", run->commands, run->doing);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static void print_hex(const char *label, struct um_span s, size_t from)
{
    size_t n = UM_MIN(s.len - UM_MIN(from, s.len), 48u);

    fprintf(stderr, "    %s %5zu bytes, from %zu:", label, s.len, from);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, " %02x", s.data[from + i]);
    fprintf(stderr, "\n");
}

static void print_text(const char *label, struct um_span s, size_t from)
{
    size_t n = getenv("CRDT_DIFF_WHOLE") != NULL ? s.len : 300;

    from = n == s.len ? 0 : from;
    fprintf(stderr, "    %s %.*s\n", label, (int)UM_MIN(s.len - from, n), (const char *)s.data + from);
}

bool same_bytes(struct run *run, struct um_span got, struct um_span want, bool text)
{
    size_t at = 0;

    run->checks++;
    if (um_span_eq(got, want))
        return true;
    while (at < got.len && at < want.len && got.data[at] == want.data[at])
        at++;
    differs(run, "other %s at %zu", text ? "text" : "bytes", at);
    at -= UM_MIN(at, 24u);
    (text ? print_text : print_hex)("ours ", got, at);
    (text ? print_text : print_hex)("yjs' ", want, at);
    return false;
}

/* The result of a call that appends to run->got. */
void same_result(struct run *run, um_err err, struct um_span want, bool text)
{
    if (err != UM_OK)
        differs(run, "%s", um_err_text(err));
    else
        same_bytes(run, got_span(run), want, text);
    um_buf_clear(&run->got);
}

void must(struct run *run, um_err err, const char *what)
{
    run->checks++;
    if (err != UM_OK)
        differs(run, "%s: %s", what, um_err_text(err));
}

/* ---- operands ------------------------------------------------------------------------------------------ */

struct um_span read_blob(struct run *run)
{
    uint64_t n = um_read_varuint(&run->r);

    if (n >= run->n_blobs) {
        run->r.failed = true;
        return UM_SPAN("", 0);
    }
    return run->blobs[n];
}

struct place *read_place(struct run *run)
{
    uint64_t n = um_read_varuint(&run->r);

    if (n >= PLACES)
        run->r.failed = true;
    return &run->places[n % PLACES];
}

/* ---- documents ----------------------------------------------------------------------------------------- */

static struct um_crdt *document_new(bool gc, bool cleanup, bool scans)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.gc = gc;
    cf.cleanup = cleanup;
    if (!scans)
        cf.limits.scan_steps = 0;
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    return doc;
}

static void document(struct run *run)
{
    struct place *s = read_place(run);

    um_crdt_free(s->doc);
    um_crdt_free(s->peer);
    s->gc = um_read_varuint(&run->r) != 0;
    s->doc = document_new(s->gc, true, run->number % 2 == 0);
    s->peer = document_new(s->gc, false, true);
    s->n_roots = 0;
}

static void root(struct run *run)
{
    struct place *s = read_place(run);
    enum um_crdt_kind kind = (enum um_crdt_kind)um_read_varuint(&run->r);
    struct um_span name = um_read_varbytes(&run->r);

    must(run, um_crdt_declare_root(s->doc, name, kind), "declaring");
    if (s->n_roots < NAMES_MAX)
        s->roots[s->n_roots++] = (struct declared){ name, kind };
}

/* Events equal those of yjs, but that an update which is entirely new is passed on as it came. */
static void events_check(struct run *run, const struct um_crdt_applied *a, struct um_span update)
{
    uint64_t n = um_read_varuint(&run->r);
    size_t ours = (size_t)a->changed + a->n_more;

    if (n != ours)
        differs(run, "%zu events, with yjs %" PRIu64, ours, n);
    for (size_t i = 0; i < n; i++) {
        struct um_span want = read_blob(run);

        if (i >= ours)
            continue;
        if (i == 0 && a->changed && a->verbatim && !um_span_eq(a->event, want))
            same_bytes(run, a->event, update, false);
        else
            same_bytes(run, i < (size_t)a->changed ? a->event : a->more[i - a->changed], want, false);
    }
}

void told_check(struct run *run, struct place *s, const struct um_crdt_applied *a, struct um_span update)
{
    events_check(run, a, update);
    if (a->changed)
        must(run, um_crdt_apply(s->peer, a->event, NULL), "the peer applies the event");
    for (size_t i = 0; i < a->n_more; i++)
        must(run, um_crdt_apply(s->peer, a->more[i], NULL), "the peer applies the clean-up");
}

/* Half of the documents refuse whatever scans at all. What was refused leaves no trace: the state has the same bytes,
 * and taking the update as one from the store goes on as if nothing had been. */
static um_err apply_or_load(struct run *run, struct um_crdt *doc, struct um_span update, bool v2, struct um_crdt_applied *a)
{
    struct um_buf before = { 0 };
    um_err err;

    must(run, um_crdt_encode(doc, UM_SPAN(NULL, 0), &before), "encoding");
    err = v2 ? um_crdt_apply_v2(doc, update, a) : um_crdt_apply(doc, update, a);
    if (err == UM_ELIMIT) {
        um_buf_clear(&run->got);
        must(run, um_crdt_encode(doc, UM_SPAN(NULL, 0), &run->got), "encoding");
        same_bytes(run, got_span(run), UM_SPAN(before.data, before.len), false);
        um_buf_clear(&run->got);
        err = v2 ? um_crdt_load_v2(doc, update, a) : um_crdt_load(doc, update, a);
    }
    um_buf_free(&before);
    return err;
}

static void apply(struct run *run, bool v2)
{
    struct place *s = read_place(run);
    struct um_span update = read_blob(run);
    struct um_crdt_applied a;
    um_err err = apply_or_load(run, s->doc, update, v2, &a);
    bool known;

    if (err != UM_OK) {
        differs(run, "refused: %s", um_err_text(err));
        memset(&a, 0, sizeof(a));
    }
    told_check(run, s, &a, update);
    if (err == UM_OK && !a.pending && !v2) {
        must(run, um_crdt_contains(s->doc, update, &known), "contains");
        if (!known)
            differs(run, "the update is not contained after it was applied");
    }
}

static void state(struct run *run, bool v2)
{
    const struct place *s = read_place(run);
    struct um_span sv = um_read_varbytes(&run->r), want = um_read_varbytes(&run->r);

    same_result(run, v2 ? um_crdt_encode_v2(s->doc, sv, &run->got) : um_crdt_encode(s->doc, sv, &run->got), want, false);
}

static void state_vector(struct run *run)
{
    const struct place *s = read_place(run);

    same_result(run, um_crdt_state_vector(s->doc, &run->got), um_read_varbytes(&run->r), false);
}

static void pending(struct run *run)
{
    const struct place *s = read_place(run);
    bool deletions = um_read_varuint(&run->r) != 0;
    uint64_t n = um_read_varuint(&run->r);
    const struct pending *p = &s->doc->pending;

    run->checks++;
    if (deletions != (p->ranges.n > 0))
        differs(run, "%u delete ranges wait, with yjs %s", p->ranges.n, deletions ? "some" : "none");
    if (n != p->missing.n)
        differs(run, "%u clients are missing, with yjs %" PRIu64, p->missing.n, n);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t client = um_read_varuint(&run->r), clock = um_read_varuint(&run->r);

        if (i < p->missing.n && (p->missing.v[i].client != client || p->missing.v[i].clock != clock))
            differs(run, "clock %u of %" PRIu64 " is missing, with yjs %" PRIu64 " of %" PRIu64, p->missing.v[i].clock,
                    p->missing.v[i].client, clock, client);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static um_err see(struct um_crdt *doc, enum command what, struct um_span name, struct um_buf *out)
{
    switch (what) {
    case DUMP:  return um_crdt_read_dump(doc, name, out);
    case JSON:  return um_crdt_read_json(doc, name, UM_CRDT_TAGGED, out);
    case PLAIN: return um_crdt_read_json(doc, name, UM_CRDT_PLAIN, out);
    case TEXT:  return um_crdt_read_text(doc, name, out);
    case XML:   return um_crdt_read_xml(doc, name, out);
    default:    return um_crdt_read_delta(doc, name, UM_CRDT_PLAIN, out);
    }
}

static bool json_same(const json_t *a, const json_t *b);

static bool objects_same(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *v;

    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach((json_t *)a, key, v)
        if (!json_same(v, json_object_get(b, key)))
            return false;
    return true;
}

/* Whatever the order of the keys; either may be NULL. */
static bool json_same(const json_t *a, const json_t *b)
{
    if (!json_is_array(a) || !json_is_array(b))
        return json_is_object(a) && json_is_object(b) ? objects_same(a, b) : json_equal(a, b);
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!json_same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

/* An escaped half of a surrogate pair is legal JSON, but jansson will not have it: "\ud800" becomes "\ufffd". */
static json_t *json_read(struct um_span text)
{
    const size_t flags = JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES;
    char *copy = um_xmalloc(text.len + 1);
    json_t *j;

    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    for (size_t i = 0; i + 6 <= text.len; i++) {
        if (copy[i] != '\\')
            continue;
        if (memcmp(copy + i, "\\ud", 3) == 0)
            memcpy(copy + i, "\\ufffd", 6);
        i++;
    }
    j = json_loadb(copy, text.len, flags, NULL);
    free(copy);
    return j;
}

/* The same value, but for the order of keys and for the way to write a character. */
void same_json(struct run *run, struct um_span got, struct um_span want)
{
    json_t *a, *b;

    if (um_span_eq(got, want)) {
        run->checks++;
        return;
    }
    a = json_read(got);
    b = json_read(want);
    if (a == NULL || b == NULL || !json_same(a, b))
        same_bytes(run, got, want, true);
    else
        run->checks++;
    json_decref(a);
    json_decref(b);
}

static void seen(struct run *run, enum command what)
{
    const struct place *s = read_place(run);
    struct um_span name = um_read_varbytes(&run->r), want = um_read_varbytes(&run->r);
    um_err err = see(s->doc, what, name, &run->got);

    if (err != UM_OK || what == TEXT || what == XML) {
        same_result(run, err, want, true);
        return;
    }
    same_json(run, got_span(run), want);
    um_buf_clear(&run->got);
}

/* ---- without a document -------------------------------------------------------------------------------- */

static void meta_note(void *arg, uint64_t client, uint32_t from, uint32_t to)
{
    um_buf_put_varuint(arg, client);
    um_buf_put_varuint(arg, from);
    um_buf_put_varuint(arg, to);
}

/* Two updates that tell the same, one of them with items where the other has collected runs. */
static void same_coverage(struct run *run, struct um_span got, struct um_span want)
{
    struct um_span ds_got = UM_SPAN("", 0), ds_want = ds_got;
    struct um_buf a = { 0 }, b = { 0 };

    must(run, um_crdt_update_meta(NULL, got, meta_note, &a), "meta of what we merged");
    must(run, um_crdt_update_meta(NULL, want, meta_note, &b), "meta of what yjs merged");
    must(run, um_crdt_sv_of_update(NULL, got, &a), "state vector of what we merged");
    must(run, um_crdt_sv_of_update(NULL, want, &b), "state vector of what yjs merged");
    must(run, um_crdt_ds_of_update(NULL, got, &ds_got), "deletions of what we merged");
    must(run, um_crdt_ds_of_update(NULL, want, &ds_want), "deletions of what yjs merged");
    same_bytes(run, UM_SPAN(a.data, a.len), UM_SPAN(b.data, b.len), false);
    same_bytes(run, ds_got, ds_want, false);
    um_buf_free(&a);
    um_buf_free(&b);
}

static void merge(struct run *run, bool undecided, bool v2)
{
    uint64_t n = um_read_varuint(&run->r);
    struct um_span inputs[BLOBS_MAX], want;

    if (n > BLOBS_MAX) {
        run->r.failed = true;
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        inputs[i] = read_blob(run);
    want = read_blob(run);
    if (v2) {
        same_result(run, um_crdt_merge_v2(NULL, inputs, n, &run->got), want, false);
        return;
    }
    if (!undecided) {
        same_result(run, um_crdt_merge(NULL, inputs, n, &run->got), want, false);
        return;
    }
    must(run, um_crdt_merge(NULL, inputs, n, &run->got), "merging");
    same_coverage(run, got_span(run), want);
    um_buf_clear(&run->got);
}

static void diff(struct run *run, bool v2)
{
    struct um_span update = read_blob(run), sv = um_read_varbytes(&run->r);

    same_result(run, v2 ? um_crdt_diff_v2(NULL, update, sv, &run->got) : um_crdt_diff(NULL, update, sv, &run->got),
                um_read_varbytes(&run->r), false);
}

/* CALL makes bytes of an update. */
static void update_call(struct run *run,
                        um_err (*call)(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out))
{
    struct um_span update = read_blob(run);

    same_result(run, call(NULL, update, &run->got), um_read_varbytes(&run->r), false);
}

static void meta(struct run *run, bool v2)
{
    struct um_span update = read_blob(run);
    uint64_t n = um_read_varuint(&run->r);
    const uint8_t *from = run->r.p;

    for (uint64_t i = 0; i < 3 * n; i++)
        um_read_varuint(&run->r);
    same_result(run, v2 ? um_crdt_update_meta_v2(NULL, update, meta_note, &run->got)
                        : um_crdt_update_meta(NULL, update, meta_note, &run->got),
                UM_SPAN(from, (size_t)(run->r.p - from)), false);
}

/* ---- other ways to the same state ---------------------------------------------------------------------- */

static um_err piece_apply(void *arg, struct um_span piece) { return um_crdt_apply(arg, piece, NULL); }

/* Half of a surrogate pair: what cut it need not have been told, as in yjs. */
static bool shows_half(const struct um_buf *b) { return memmem(b->data, b->len, "\xef\xbf\xbd", 3) != NULL; }

/* COPY must show what the document shows. */
static void copy_check(struct run *run, const struct place *s, struct um_crdt *copy, const char *what)
{
    struct um_buf a = { 0 }, b = { 0 };

    run->doing = what;
    must(run, um_crdt_state_vector(s->doc, &a), "state vector");
    must(run, um_crdt_state_vector(copy, &b), "state vector");
    same_bytes(run, UM_SPAN(b.data, b.len), UM_SPAN(a.data, a.len), false);
    for (unsigned i = 0; i < s->n_roots; i++) {
        um_buf_clear(&a);
        um_buf_clear(&b);
        must(run, um_crdt_declare_root(copy, s->roots[i].name, s->roots[i].kind), "declaring");
        must(run, um_crdt_read_dump(s->doc, s->roots[i].name, &a), "dump");
        must(run, um_crdt_read_dump(copy, s->roots[i].name, &b), "dump");
        if (copy != s->peer || !shows_half(&a))
            same_json(run, UM_SPAN(b.data, b.len), UM_SPAN(a.data, a.len));
    }
    um_buf_free(&a);
    um_buf_free(&b);
}

static void parts_apply(struct run *run, struct um_crdt *doc, struct um_crdt *copy)
{
    struct um_bytes *blob, **tail;
    size_t n;

    must(run, um_crdt_state_parts(doc, &blob, &tail, &n), "state parts");
    must(run, um_crdt_load(copy, um_bytes_span(blob), NULL), "loading the blob");
    for (size_t i = 0; i < n; i++)
        must(run, um_crdt_load(copy, um_bytes_span(tail[i]), NULL), "loading the tail");
}

static void enough(struct run *run)
{
    struct place *s = read_place(run);
    struct um_crdt *loaded = document_new(s->gc, false, true), *pieced = document_new(s->gc, false, true),
                   *parted = document_new(s->gc, false, true);
    struct um_crdt_stats stats;
    struct um_bytes *shared = NULL;

    must(run, um_crdt_encode(s->doc, UM_SPAN(NULL, 0), &run->got), "encoding");
    must(run, um_crdt_load(loaded, got_span(run), NULL), "loading");
    must(run, um_crdt_encode_shared(s->doc, &shared), "encoding");
    same_bytes(run, um_bytes_span(shared), got_span(run), false);
    um_bytes_unref(shared);
    um_buf_clear(&run->got);
    must(run, um_crdt_encode_pieces(s->doc, UM_SPAN(NULL, 0), 40, piece_apply, pieced), "pieces");
    parts_apply(run, s->doc, parted);
    um_crdt_get_stats(s->doc, &stats);
    if (stats.pending_structs == 0) {     /* of what waits a copy may take more, being asked for all of it at once */
        copy_check(run, s, s->peer, "the peer that heard the events");
        copy_check(run, s, loaded, "the state, loaded");
        copy_check(run, s, pieced, "the state in pieces");
        copy_check(run, s, parted, "blob and tail");
    }
    um_crdt_free(loaded);
    um_crdt_free(pieced);
    um_crdt_free(parted);
}

/* ---- a case -------------------------------------------------------------------------------------------- */

static void blob(struct run *run)
{
    if (run->n_blobs == BLOBS_MAX)
        run->r.failed = true;
    else
        run->blobs[run->n_blobs++] = um_read_varbytes(&run->r);
}

static const char *const command_name[] = {
    "end", "blob", "document", "root", "apply", "state vector", "state", "pending", "dump", "toJSON", "toJSON, plain",
    "text", "xml", "delta", "mergeUpdates", "mergeUpdates, undecided", "diffUpdate", "state vector of an update", "meta",
    "other ways", "apply, v2", "state, v2", "mergeUpdatesV2", "diffUpdateV2", "state vector of an update, v2",
    "meta, v2", "v1 to v2", "v2 to v1", "begin", "commit", "insert into a list", "push", "delete from a list",
    "set", "delete a key", "clear", "insert text", "embed", "format", "delete text", "apply a delta",
    "snapshot", "restore", "delta at a snapshot", "position", "resolve"
};

static void command_run(struct run *run, enum command c)
{
    switch (c) {
    case BLOB:         blob(run); break;
    case DOCUMENT:     document(run); break;
    case ROOT:         root(run); break;
    case APPLY:        apply(run, false); break;
    case STATE_VECTOR: state_vector(run); break;
    case STATE:        state(run, false); break;
    case PENDING:      pending(run); break;
    case DUMP: case JSON: case PLAIN: case TEXT: case XML: case DELTA: seen(run, c); break;
    case MERGE:        merge(run, false, false); break;
    case MERGE_UNDECIDED: merge(run, true, false); break;
    case DIFF:         diff(run, false); break;
    case SV_OF_UPDATE: update_call(run, um_crdt_sv_of_update); break;
    case META:         meta(run, false); break;
    case ENOUGH:       enough(run); break;
    case APPLY_V2:     apply(run, true); break;
    case STATE_V2:     state(run, true); break;
    case MERGE_V2:     merge(run, false, true); break;
    case DIFF_V2:      diff(run, true); break;
    case SV_OF_UPDATE_V2: update_call(run, um_crdt_sv_of_update_v2); break;
    case META_V2:      meta(run, true); break;
    case V1_TO_V2:     update_call(run, um_crdt_v1_to_v2); break;
    case V2_TO_V1:     update_call(run, um_crdt_v2_to_v1); break;
    case SNAPSHOT: case RESTORE: case DELTA_AT: case POSITION: case RESOLVE: history(run, c); break;
    case BEGIN: case COMMIT: case LIST_INSERT: case LIST_PUSH: case LIST_DELETE: case MAP_SET: case MAP_DELETE:
    case MAP_CLEAR: case TEXT_INSERT: case TEXT_EMBED: case TEXT_FORMAT: case TEXT_DELETE: case TEXT_DELTA:
        edit(run, c);
        break;
    default:           run->r.failed = true;
    }
}

static void run_free(struct run *run)
{
    for (size_t i = 0; i < PLACES; i++) {
        um_crdt_free(run->places[i].doc);
        um_crdt_free(run->places[i].peer);
    }
    um_buf_free(&run->got);
}

/* False after a difference. */
static bool case_run(struct um_span bytes, bool verbose, unsigned *checks)
{
    struct run run = { .r = um_reader(bytes), .verbose = verbose };
    enum command c = END;

    run.seed = um_read_varbytes(&run.r);
    run.number = um_read_varuint(&run.r);
    at_work.bytes = bytes;
    if (at_work.dir != NULL)
        snprintf(at_work.path, sizeof(at_work.path), "%s/crdt-diff-%.*s-%" PRIu64, at_work.dir, (int)run.seed.len,
                 (const char *)run.seed.data, run.number);
    alarm(CASE_SECONDS);
    while (!run.r.failed && run.differences == 0 && (c = (enum command)um_read_varuint(&run.r)) != END) {
        run.doing = c < UM_COUNT(command_name) ? command_name[c] : "unknown";
        run.commands++;
        if (verbose)
            fprintf(stderr, "%u %s\n", run.commands, run.doing);
        command_run(&run, c);
    }
    alarm(0);
    if (run.r.failed)
        differs(&run, "the case is malformed");
    at_work.bytes.len = 0;
    *checks += run.checks;
    run_free(&run);
    return run.differences == 0;
}

/* ---- the stream ---------------------------------------------------------------------------------------- */

struct totals {
    unsigned cases, different, checks;
};

static bool read_fully(uint8_t *to, size_t n) { return fread(to, 1, n, stdin) == n; }

/* False when the stream breaks off: who writes it has died. */
static bool stream_run(unsigned most, struct totals *t)
{
    uint8_t head[4], *bytes;
    bool ok;

    while (read_fully(head, sizeof(head))) {
        uint32_t n = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;

        if (n == 0)
            return true;
        if (n > CASE_MAX)
            return false;
        bytes = um_xmalloc(n);
        if ((ok = read_fully(bytes, n)) && !case_run(UM_SPAN(bytes, n), false, &t->checks))
            t->different++;
        free(bytes);
        t->cases += ok;
        if (!ok || t->different >= most)
            return ok;
    }
    return false;
}

static int replay(const char *path, bool verbose)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = um_xmalloc(CASE_MAX);
    unsigned checks = 0;
    size_t n;
    bool ok;

    if (f == NULL || (n = fread(bytes, 1, CASE_MAX, f)) == 0) {
        perror(path);
        return 2;
    }
    fclose(f);
    ok = case_run(UM_SPAN(bytes, n), verbose, &checks);
    free(bytes);
    return ok ? 0 : 1;
}

static int replay_all(char **paths, bool verbose)
{
    int worst = 0;

    at_work.dir = NULL;
    for (; *paths != NULL; paths++) {
        int status;

        snprintf(at_work.path, sizeof(at_work.path), "%s", *paths);
        status = replay(*paths, verbose);
        worst = UM_MAX(worst, status);
    }
    return worst;
}

int main(int argc, char **argv)
{
    struct totals t = { 0 };
    unsigned most = 5;
    bool whole;

    handlers_set();
    at_work.dir = ".";
    if (argc > 1 && (strcmp(argv[1], "--replay") == 0 || strcmp(argv[1], "--tell") == 0))
        return replay_all(argv + 2, argv[1][2] == 't');
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--out") == 0)
            at_work.dir = argv[i + 1];
        else if (strcmp(argv[i], "--most") == 0)
            most = (unsigned)strtoul(argv[i + 1], NULL, 10);
    }
    whole = stream_run(most, &t);
    fprintf(stderr, "crdt_diff: %u documents, %u comparisons, %u with a difference%s\n", t.cases, t.checks, t.different,
            whole ? "" : "; THE STREAM BROKE OFF");
    return whole && t.different == 0 && t.cases > 0 ? 0 : 1;
}
