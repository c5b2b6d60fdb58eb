/* What the CRDT's tests share: vectors, JSON comparison, a soft check that counts. */
#ifndef CRDT_TEST_SUPPORT_H
#define CRDT_TEST_SUPPORT_H
#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <umbel/crdt.h>
#include <umbel/util.h>

struct tally {                        /* of one test: what was compared, what the vectors hold beyond it */
    const char *file;
    unsigned checked, failed, left_out;
};
bool check(struct tally *t, bool ok, const char *fmt, ...) UM_PRINTF(3, 4);
bool check_bytes(struct tally *t, struct um_span got, struct um_span want, const char *fmt, ...) UM_PRINTF(4, 5);

/* Calls FN for every vector file of the tree, and of the further folder that UMBEL_VECTORS names. */
typedef void vector_fn(struct tally *t, const json_t *vector);
void vectors_walk(struct tally *t, vector_fn *fn);
void vectors_walk_in(const char *dir, struct tally *t, vector_fn *fn);      /* of this folder alone */
json_t *vector_load(const char *name);          /* of the tree */

struct um_buf b64(const json_t *text);          /* decoded; free it */
static inline struct um_span buf_span(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }
bool json_same(const json_t *a, const json_t *b);    /* numbers as doubles, key order ignored */
enum um_crdt_kind kind_of(const char *name);
struct um_crdt *doc_new(bool gc);
void declare_roots(struct um_crdt *doc, const json_t *vector);
/* GOT as JSON; cleared afterwards. */
void check_json(struct tally *t, um_err err, struct um_buf *got, const json_t *want, const char *what);
#endif
