/* The `.properties` syntax of Java, as `Properties.load(Reader)` reads it: a pure function over UTF-8 bytes. */
#ifndef UMBEL_CONF_PROPERTIES_H
#define UMBEL_CONF_PROPERTIES_H
#include <umbel/base.h>

#define PROPERTIES_MAX_FILE (1024u * 1024u)   /* checked by whoever reads the file */
#define PROPERTIES_MAX_LINE (64u * 1024u)     /* one logical line, continuations and escapes included */

struct properties_entry {         /* borrowed: valid during the call only; NUL may be among the bytes */
    struct um_span key, value;
    int key_line;
    int line, column;             /* of the value's first character, from 1; columns count characters */
};

struct properties_sink {
    um_err (*entry)(void *arg, const struct properties_entry *e);   /* anything but UM_OK ends the reading */
    um_err (*separator)(void *arg, int line);                       /* #--- or !---; NULL: a comment as in Java */
    void *arg;
    bool lists;                   /* Spring: key[]=a,b is key[0]=a and key[1]=b; a comma after a backslash does not split */
};

struct properties_error { int line, column; const char *reason; };

/* Entries arrive in order, duplicates included.
 *   UM_EPROTO  malformed escape; *ERROR says where and why
 *   UM_ELIMIT  a line is longer than PROPERTIES_MAX_LINE; likewise
 *   UM_ENOMEM
 *   or what the sink returned */
um_err properties_read(struct um_span text, const struct properties_sink *sink,
                       struct properties_error *error) UM_CHECK_RESULT;

/* Appends TEXT so that the reader gives it back: for keys and for values. */
struct um_buf;
void properties_write_key(struct um_buf *out, const char *text);
void properties_write_value(struct um_buf *out, const char *text);

#endif
