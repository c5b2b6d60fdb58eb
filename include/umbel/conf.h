/* Configuration: `.properties` files, environment and command line, read with Spring's rules.
 *
 * A module describes its keys in a table of rows and gets a filled struct back:
 *
 *   #define AT(f) .at = offsetof(struct um_redis_conf, f)
 *   static const struct um_conf_key keys[] = {
 *       { "spring.data.redis.timeout", "spring.redis.timeout", "2s", "longest wait for an answer",
 *         UM_CONF_DURATION_MS, UM_CONF_LIVE, AT(timeout_ms), .min = 1, .max = 600000 },
 *   };
 *   const struct um_conf_table um_redis_conf_table = UM_CONF_TABLE("Redis", keys);
 *
 * The program loads once, prints the report and leaves with status 2 when there is an error, and binds:
 *
 *   err = um_conf_load(&conf, &source);
 *   if (err != UM_OK) { um_conf_report(conf, stderr); um_conf_free(conf); return 2; }
 *   err = um_conf_bind(conf, um_redis_conf_table.keys, um_redis_conf_table.n, &redis_conf);
 *
 * Nothing is logged from here, for the log is not open yet: warnings stand in the report too.
 * A loaded um_conf never changes: any thread may read it. */
#ifndef UMBEL_CONF_H
#define UMBEL_CONF_H
#include <stdio.h>
#include <umbel/base.h>
#include <umbel/bytes.h>

/* ---- rows ---- */

enum um_conf_type {           /* what stands at the row's place in the module's struct */
    UM_CONF_STR,              /* const char *; "" when empty, never NULL */
    UM_CONF_BOOL,             /* bool */
    UM_CONF_INT,              /* int64_t */
    UM_CONF_DURATION_MS,      /* int64_t, milliseconds; a bare number is milliseconds */
    UM_CONF_DURATION_S,       /* int64_t, seconds; a bare number is seconds */
    UM_CONF_SIZE,             /* int64_t, bytes */
    UM_CONF_ENUM,             /* int, index into the row's words; -1 when empty by default and not set */
    UM_CONF_LIST,             /* struct um_conf_list */
};

enum {
    UM_CONF_LIVE         = 1u << 0,   /* a reload takes effect without a restart */
    UM_CONF_SECRET       = 1u << 1,   /* masked wherever it is shown */
    UM_CONF_RUNTIME_EXPR = 1u << 2,   /* ${user.id} and the like stay in the value: it is resolved at use */
    UM_CONF_UNBOUND      = 1u << 3,   /* has no place in the struct: known, documented and checked only */
};

struct um_conf_list {
    size_t n;
    const char *const *items;
};

/* A name with [N] in it or with .* at its end is a pattern (`internal.realm.users[N].id`,
 * `logging.level.*`): known, documented and checked, never bound; read it with um_conf_get and
 * um_conf_next. A pattern's aliases are known but not translated: it should have none.
 * Strings of a row are borrowed and must live as long as the um_conf: literals. */
struct um_conf_key {
    const char *name;         /* preferred spelling: lower case, dashes */
    const char *alias;        /* stock and deprecated names, comma separated, or NULL; in one source the name wins */
    const char *def;          /* default as text, placeholders allowed; NULL is "" */
    const char *sentence;     /* for the sample and the manual */
    enum um_conf_type type;
    unsigned flags;
    size_t at;                /* offsetof in the module's struct */
    int64_t min, max;         /* bounds of the value in the unit of its type, of the bytes of a string, of the elements
                               * of a list; max 0: none. A default is held to them too, unless it is empty: an empty
                               * default of a number, duration or size is stored as 0 and means "not set". */
    const char *const *words; /* UM_CONF_ENUM: NULL-terminated, compared relaxed (on-save = ON_SAVE = onSave) */
};

struct um_conf_table {
    const char *title;        /* heading in the sample and the manual */
    const struct um_conf_key *keys;
    size_t n;
};
#define UM_CONF_TABLE(heading, rows) { .title = (heading), .keys = (rows), .n = UM_COUNT(rows) }

/* Our own rows: spring.config.*, spring.profiles.active, secret, secret.file. Known without being listed. */
extern const struct um_conf_table um_conf_own_table;

/* A stock command-line flag that stands for a key: --sqlite FILE, --sqlite=FILE, -s FILE. */
enum um_conf_flag_kind {
    UM_CONF_FLAG_VALUE,       /* takes a value */
    UM_CONF_FLAG_OPTIONAL,    /* takes the next argument unless that begins with a dash */
    UM_CONF_FLAG_SWITCH,      /* takes none */
};
struct um_conf_flag {
    const char *flag;         /* "--sqlite" */
    const char *shorthand;    /* "-s", or NULL */
    const char *key;          /* "store.url" */
    enum um_conf_flag_kind kind;
    const char *none;         /* the value when none is given (OPTIONAL, SWITCH): ":memory:" */
    const char *format;       /* "sqlite:%": the first % becomes the value; NULL: the value as it is */
    const char *env;          /* environment variable of the same meaning ("REDIS_HOST"), or NULL; a key's own variable wins */
    const char *sentence;     /* for --help */
};

/* ---- loading ---- */

struct um_conf_source {                  /* everything is borrowed during the call; tables stay borrowed */
    const char *app;                     /* "core": core.properties, core-<profile>.properties */
    const char *dir;                     /* working directory; NULL: the process' own */
    int argc; char *const *argv;         /* argv[0] is skipped; NULL: none */
    char *const *environ;                /* NULL: none */
    const struct um_conf_table *const *tables; size_t n_tables;
    const struct um_conf_flag *flags; size_t n_flags;
    const char *const *prefixes;         /* NULL-terminated: "collab", "ws": an unknown key below one of ours is a warning */
};

struct um_conf;

/* Reads and checks everything. *OUT is set whenever memory sufficed, also with an error, so that the report can be
 * shown: the caller frees it in any case.
 *   UM_EINVAL  at least one error stands in the report
 *   UM_ENOMEM  *OUT is NULL */
um_err um_conf_load(struct um_conf **out, const struct um_conf_source *source) UM_CHECK_RESULT;
void um_conf_free(struct um_conf *conf);                        /* NULL is fine */

/* Fills the struct at BASE from the rows. Strings and lists belong to CONF and live as long as it.
 * UM_EINVAL: a value of KEYS is wrong; cannot happen for a table that a successful load has checked. */
um_err um_conf_bind(const struct um_conf *conf, const struct um_conf_key *keys, size_t n, void *base) UM_CHECK_RESULT;

/* The resolved text of NAME (any spelling) or of its row's default; NULL when neither exists. Borrowed from CONF.
 * A list in indexed form answers to NAME too, joined with commas. */
const char *um_conf_get(const struct um_conf *conf, const char *name);
const char *um_conf_getf(const struct um_conf *conf, const char *fmt, ...) UM_PRINTF(2, 3);   /* "users[%zu].id", i */
/* Length of the indexed list NAME ("internal.realm.users"): its greatest index + 1, 0 when absent. */
size_t um_conf_count(const struct um_conf *conf, const char *name);
/* Walks the keys that are set below PREFIX ("logging.level"), in order of name. Start with *pos = 0; false at the end.
 * *rest is what follows the prefix ("com.foo"): lower case, except inside brackets, which are dropped. */
bool um_conf_next(const struct um_conf *conf, const char *prefix, size_t *pos, const char **rest, const char **value);
/* Is any value for NAME set, other than the default? */
bool um_conf_is_set(const struct um_conf *conf, const char *name);

/* The active profiles, in order; {"default"} when none is named. */
struct um_conf_list um_conf_profiles(const struct um_conf *conf);

/* ---- report ---- */

enum um_conf_level { UM_CONF_NOTE_INFO, UM_CONF_NOTE_WARN, UM_CONF_NOTE_ERROR };
struct um_conf_note {                    /* borrowed from the um_conf; every string may be NULL */
    enum um_conf_level level;
    const char *key;
    const char *value;                   /* masked when secret, cut when long */
    const char *origin;                  /* file, or "environment variable \"X\"", or "command line" */
    int line, column;                    /* 0: none */
    const char *reason;
};
size_t um_conf_notes(const struct um_conf *conf, const struct um_conf_note **notes);
void um_conf_report(const struct um_conf *conf, FILE *f);       /* one line per note */

/* --print-config: every known key and every other key that is set, with its origin; secrets are ******. */
void um_conf_print(const struct um_conf *conf, FILE *f);

/* The same while the program runs: secrets are ******, passwords in URLs too. All borrowed during the callback. */
struct um_conf_seen {
    const char *source;                  /* of each_source: as Spring Boot calls it; of each_row: the heading of the table */
    const char *name;                    /* as it is spelled there; of each_row the row's */
    const char *value;                   /* resolved when it is the one in force */
    const char *origin;                  /* "\"core.properties\" - 12:19", "environment variable \"X\"", "default" */
    bool wins;                           /* no other source overrules it */
};
typedef void um_conf_seen_fn(void *arg, const struct um_conf_seen *s);
void um_conf_each_source(const struct um_conf *conf, um_conf_seen_fn *cb, void *arg);    /* all that is set; the strongest source first */
void um_conf_each_row(const struct um_conf *conf, um_conf_seen_fn *cb, void *arg);       /* all rows but patterns, with what is in force */

/* ---- documentation ---- */

/* A commented sample .properties: every key with sentence, type, bounds and default. */
void um_conf_sample(const struct um_conf_table *const *tables, size_t n, FILE *f);
/* The same as Markdown tables, for docs/admin/properties.md. */
void um_conf_manual(const struct um_conf_table *const *tables, size_t n, FILE *f);
/* The flags, for --help. */
void um_conf_usage(const struct um_conf_flag *flags, size_t n, FILE *f);

/* ---- values ---- */

/* TYPE is UM_CONF_INT, _DURATION_MS, _DURATION_S, _SIZE or _BOOL. *WHY (may be NULL) is a literal that says what is
 * wrong. A duration that is not a whole number of its unit is rounded away from zero, so that it never becomes 0. */
bool um_conf_parse(const char *text, enum um_conf_type type, int64_t *out, const char **why);

/* ENC(...): base64 of version 1, 16 bytes of salt, 12 of nonce, AES-256-GCM ciphertext, tag; the key is
 * PBKDF2-HMAC-SHA-256(secret, salt, 310000 rounds). Appends to OUT. Slow on purpose (about 0.1 s). */
um_err um_conf_encrypt(const char *secret, struct um_span plain, struct um_buf *out) UM_CHECK_RESULT;
/* The same under the master secret that CONF was loaded with. UM_ENOTFOUND: there is none. */
um_err um_conf_encrypt_own(const struct um_conf *conf, struct um_span plain, struct um_buf *out) UM_CHECK_RESULT;
/* TEXT with its ENC( and ). UM_EPROTO: not of this form; UM_EDENIED: wrong secret or changed text. */
um_err um_conf_decrypt(const char *secret, struct um_span text, struct um_buf *out) UM_CHECK_RESULT;

#endif
