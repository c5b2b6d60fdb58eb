/* A store with a loop, and its calls made to look synchronous: the loop turns until the callback came, at most RIG_TURNS
 * times. Answers are copied, so that a test can look at them afterwards. */
#ifndef STORE_RIG_H
#define STORE_RIG_H
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <umbel/store.h>

struct rig {
    char dir[64];                    /* of its own; removed at the end */
    char url[256];
    struct um_store_conf conf;
    struct um_loop *loop;
    struct um_store *st;
};

/* URL: NULL for a file in a folder of the rig's own. */
void rig_init(struct rig *r, const char *url);
void rig_open(struct rig *r);
void rig_close(struct rig *r);
void rig_free(struct rig *r);                    /* and removes the folder */
void rig_turn_until(struct rig *r, const int *calls, int n);

struct got {                         /* of any call */
    int calls;
    um_err err;
    uint64_t number;
    /* load */
    bool exists, deleted;
    uint64_t version, folded_seq, last_seq, first_seq;
    size_t n_updates;
    char state[64], updates[4096];   /* as text; the updates joined */
    /* entry: the only one or the first; page: n, found, after */
    char name[128], title[128], created_by[64], updated_by[64];
    int64_t created_at_ms, updated_at_ms, bytes;
    size_t n;
    int64_t found;
    char after[128];
    char names[4096];                /* of a page, each with a blank behind it */
    /* versions: as "seq:label " each; the first or only one in the fields below; clients as "client:user " */
    char versions[2048], contributors[512], label[64], author[64], archive_key[64];
    uint64_t seq;
    bool has_state, more;
    /* heads */
    struct um_store_head heads[16];
};
um_store_append_cb got_number;       /* arg: struct got */
um_store_load_cb got_load;
um_store_entry_cb got_entry;
um_store_page_cb got_page;
um_store_heads_cb got_heads;
um_store_versions_cb got_versions;
um_store_version_cb got_version;
um_store_clients_cb got_clients;

struct um_bytes *text_bytes(const char *text);

um_err rig_append(struct rig *r, const char *name, const char *text, struct got *got);     /* got may be NULL */
um_err rig_fold(struct rig *r, const char *name, const char *state, uint64_t upto, uint64_t version, struct got *got);
um_err rig_load(struct rig *r, const char *name, struct got *got);
um_err rig_create(struct rig *r, const char *name, const char *title, const char *user, struct got *got);
um_err rig_get(struct rig *r, const char *name, struct got *got);
um_err rig_set_title(struct rig *r, const char *name, const char *title, const char *user, struct got *got);
um_err rig_delete(struct rig *r, const char *name, struct got *got);
um_err rig_since(struct rig *r, const char *name, uint64_t seq, struct got *got);
um_err rig_heads(struct rig *r, const char *const *names, size_t n, struct got *got);
um_err rig_versions(struct rig *r, const char *name, uint64_t before, int64_t max, struct got *got);
um_err rig_versions_before(struct rig *r, int64_t before_ms, int64_t max, struct got *got);
um_err rig_version(struct rig *r, const char *name, uint64_t seq, struct got *got);
um_err rig_keep(struct rig *r, const char *name, const char *state, uint64_t seq, const char *label, struct got *got);
um_err rig_label(struct rig *r, const char *name, uint64_t seq, const char *label, struct got *got);
um_err rig_archive(struct rig *r, const char *name, uint64_t seq, const char *key, struct got *got);
um_err rig_drop(struct rig *r, const char *name, uint64_t seq, struct got *got);
um_err rig_clients(struct rig *r, const char *name, struct got *got);
um_err rig_list(struct rig *r, const char *search, int64_t max, const char *after, struct got *got);

#endif
