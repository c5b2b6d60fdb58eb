/* One call of the archive on its way: from the caller's thread to a worker, with its result back to the caller's loop. One
 * allocation; the strings stand behind the struct. Exactly one thread has it at any time. */
#ifndef ARCHIVE_OP_H
#define ARCHIVE_OP_H
#include <umbel/archive.h>

enum archive_kind { ARCHIVE_PUT, ARCHIVE_GET, ARCHIVE_DELETE, ARCHIVE_LIST, ARCHIVE_PROBE };

/* Lets what is on its way to a loop know that the archive has been closed: no callbacks any more. */
struct archive_gate;
struct archive_gate *archive_gate_new(void);
void archive_gate_close(struct archive_gate *g);   /* and drops the maker's reference */

/* A page of a list, with the memory behind it. */
struct archive_page { struct um_archive_page page; struct um_archive_entry *rows; size_t max; char *after; };
struct archive_page *archive_page_new(size_t max);
bool archive_page_is_full(const struct archive_page *pg);
/* Copies KEY; the page must not be full. */
void archive_page_add(struct archive_page *pg, const char *key, int64_t bytes, int64_t modified_at_ms);
void archive_page_set_after(struct archive_page *pg, const char *key);    /* more follows behind KEY */
void archive_page_free(struct archive_page *pg);

struct archive_op {
    struct um_msg msg;
    struct archive_op *next;
    struct um_loop *loop;
    struct archive_gate *gate;       /* borrowed until delivery */
    enum archive_kind kind;
    union { um_archive_done_cb *done; um_archive_get_cb *get; um_archive_page_cb *page; } cb;
    void *arg;
    const char *key, *after;         /* never NULL; of ARCHIVE_LIST, key is the prefix */
    struct um_bytes *bytes;          /* put: the object; get: the answer. A reference of ours */
    size_t max;                      /* get: bytes; list: entries */
    um_err err;                      /* the answer */
    struct archive_page *page;
    char text[];
};

/* A call with its strings copied (NULL is ""). BYTES is given a reference. */
struct archive_op *archive_op_new(enum archive_kind kind, struct um_loop *l, void *arg, const char *key,
                                  const char *after, struct um_bytes *bytes);
void archive_op_free_all(struct archive_op *first);
void archive_deliver(struct archive_op *op);       /* sends a finished call home */

#endif
