/* What the files of this folder share. A load goes through them in this order:
 *
 *   known    the rows, by every name they answer to
 *   source   one ordered place of entries: defaults, a document of a file, environment, JSON, command line
 *   files    which documents are read, and which are active (locations, imports, profiles)
 *   item     the winner for each name, with placeholders and ENC() resolved
 *   value    an item as the type of its row wants it
 *
 * Names are compared in canonical form (name.h). Strings live in the pool until um_conf_free. */
#ifndef UMBEL_CONF_INT_H
#define UMBEL_CONF_INT_H
#include <stdarg.h>
#include <umbel/conf.h>
#include <umbel/map.h>

#define CONF_MAX_FILES   256u        /* documents, whatever imports them */
#define CONF_MAX_NOTES   1000u
#define CONF_MAX_INDEX   10000u      /* greatest index of a list */
#define CONF_MAX_EXPANDED (16u << 20) /* all values together, after placeholders */
#define CONF_MAX_DEPTH   16u         /* of placeholders, expressions, JSON and configuration trees */

struct pool_block;
struct pool { struct pool_block *blocks; };
void *pool_alloc(struct pool *p, size_t n);                       /* zeroed; aborts when memory is gone */
char *pool_str(struct pool *p, const void *data, size_t len);     /* terminated copy */
char *pool_printf(struct pool *p, const char *fmt, ...) UM_PRINTF(2, 3);
void pool_free(struct pool *p);

struct known {                       /* one name of a row */
    const struct um_conf_key *key;
    const char *spelled;             /* this name */
    const char *canonical;           /* this name */
    const char *row_name;            /* canonical form of the row's first name */
    bool is_alias, is_pattern;
};

enum source_kind { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_TREE, SOURCE_ENV, SOURCE_JSON, SOURCE_ARGS };

struct source {
    enum source_kind kind;
    const char *origin;              /* path as shown */
    const char *dir;                 /* imports are relative to it */
    const char *when;                /* profile expression, or NULL */
    bool active, expanded, of_profile;
    struct entry **entries;
    size_t n, cap;
    struct um_map by_name;           /* canonical name -> entry */
};

struct entry {
    const char *spelled, *name;      /* as written; canonical, an alias replaced by its row's name */
    const char *value, *origin;
    int line, column;
    const struct known *known;       /* NULL: no row knows it */
    const struct source *source;
};

enum item_state { ITEM_RAW, ITEM_BUSY, ITEM_DONE, ITEM_FAILED };

struct item {
    const struct entry *entry;       /* the winner; of a joined list its first element */
    const char *name;                /* canonical */
    const char *text;                /* resolved; NULL unless DONE */
    const char *display;             /* lower case with dashes, for um_conf_next */
    const char *reason;              /* FAILED: why */
    enum item_state state;
    unsigned depth;                  /* of placeholders below it */
    bool secret;
    bool joined;                     /* stands for name[0], name[1], ...; not an entry of its own */
};

struct value {
    const struct um_conf_key *key;
    const struct item *item;         /* NULL: neither set nor a default */
    const char *text;
    int64_t number;
    struct um_conf_list list;
    bool good;
};

struct um_conf {
    struct pool pool;
    const struct um_conf_source *from;        /* valid during the load only */
    const char *dir;
    const char *const *prefixes;
    const struct um_conf_table **tables;
    size_t n_tables;

    struct um_map known;                      /* canonical name -> struct known */
    struct known **patterns;
    size_t n_patterns;
    struct known **all_known;
    size_t n_known;

    struct source *defaults, *env, *json, *args;
    struct source **files;                    /* low to high */
    size_t n_files, cap_files;
    struct um_map env_vars;                   /* variable -> its text */
    struct um_map loaded;                     /* real path -> anything */
    struct um_conf_list profiles;
    bool profiles_known;

    struct um_map items;                      /* canonical name -> struct item */
    struct item **sorted;
    size_t n_items;
    size_t expanded;                          /* bytes spent of CONF_MAX_EXPANDED */
    char *secret;
    bool secret_busy;

    struct um_map values;                     /* address of the row -> struct value */
    struct um_conf_note *notes;
    size_t n_notes, cap_notes, n_errors, n_unknown;
};

/* ---- known.c ---- */
void known_build(struct um_conf *c);
const struct known *known_find(const struct um_conf *c, const char *canonical);
/* The canonical name under which K's alias counts; an index behind it stays. CANONICAL itself, or in the pool. */
const char *known_row_name(struct um_conf *c, const struct known *k, const char *canonical);
const char *known_nearest(const struct um_conf *c, const char *canonical, size_t limit);   /* NULL: none within LIMIT */
bool known_is_ours(const struct um_conf *c, const char *canonical);                        /* below one of the prefixes */

/* ---- source.c ---- */
struct source *source_new(enum source_kind kind, const char *origin);
void source_free(struct source *s);
struct entry *source_get(const struct source *s, const char *canonical);
/* Texts are copied, ORIGIN is not. Duplicates and clashes of aliases become notes. */
void source_add(struct um_conf *c, struct source *s, const char *spelled, const char *value,
                const char *origin, int line, int column);

/* ---- env.c, args.c, json.c ---- */
void env_read(struct um_conf *c);
void env_take(struct um_conf *c, const char *name);      /* looks whether a variable sets NAME */
const char *env_raw(const struct um_conf *c, const char *variable);
void args_read(struct um_conf *c);
char *args_flag_value(struct um_conf *c, const struct um_conf_flag *f, const char *value);
void json_read(struct um_conf *c);

/* ---- files.c: which places are read; document.c: one file; tree.c: configtree; slurp.c; profile.c ---- */
void files_load(struct um_conf *c);
/* Inserts S at index *AT, which moves on. false: too many, noted; S is freed. */
bool files_insert(struct um_conf *c, size_t *at, struct source *s) UM_CHECK_RESULT;

struct file_want {                   /* why a file is read */
    const char *path;                /* as shown; relative to the working directory */
    const struct entry *by;          /* the entry that names it, for messages; or NULL */
    bool optional, of_profile;
};
void document_load(struct um_conf *c, size_t *at, const struct file_want *want);
void tree_load(struct um_conf *c, size_t *at, const struct file_want *want);

char *path_full(struct um_conf *c, const char *path);    /* in the pool */
/* At most MAX bytes of a file. UM_ENOTFOUND, UM_ELIMIT, UM_ENOMEM, or UM_EIO with errno set. */
um_err slurp(const char *path, size_t max, struct um_buf *out) UM_CHECK_RESULT;
/* Is EXPRESSION (list of `a & (b | !c)`) true for the active profiles? false in *GOOD: malformed. */
bool profile_holds(const struct um_conf_list *profiles, const char *expression, bool *good);

/* ---- item.c ---- */
void items_build(struct um_conf *c, bool final);         /* FINAL: clashes become notes */
void items_clear(struct um_conf *c);
struct item *items_get(const struct um_conf *c, const char *canonical);
void items_find_secret(struct um_conf *c);               /* the master secret, whether anything needs it or not */
bool item_resolve(struct um_conf *c, struct item *it);   /* false: it->reason says why */
/* Before the last build, from what has been read so far: E's text resolved, or the value of NAME (canonical) and
 * its entry. In the pool; NULL: absent, or failed and noted. */
const char *items_early_text(struct um_conf *c, const struct entry *e);
const char *items_early_value(struct um_conf *c, const char *name, const struct entry **entry);

/* ---- value.c ---- */
void values_build(struct um_conf *c);
const struct value *value_of(const struct um_conf *c, const struct um_conf_key *key);   /* NULL: a pattern, or not loaded */

/* ---- report.c ---- */
bool entry_is_secret(const struct entry *e);
void note(struct um_conf *c, enum um_conf_level level, const struct entry *e, const char *fmt, ...) UM_PRINTF(4, 5);
void note_at(struct um_conf *c, enum um_conf_level level, const char *origin, int line, int column,
             const char *fmt, ...) UM_PRINTF(6, 7);
void report_unknown(struct um_conf *c);
/* VALUE as it may be shown: ****** when SECRET, passwords in URLs masked, control characters escaped, cut. */
void show_value(struct um_buf *out, const char *value, bool secret, size_t max);

#endif
