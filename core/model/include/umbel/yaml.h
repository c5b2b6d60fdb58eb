/* YAML 1.2 as JSON values, read under named limits, and written in one form only.
 *
 * Types are those of JSON and nothing else: null, true, false, numbers as JSON spells them (-1, 12.50, 1e3), texts, lists,
 * maps with text keys. What YAML 1.1 reads otherwise is a text here: yes, no, on, off, 007, 0x1F, 1:30, 2024-03-07.
 * Anchors and aliases work; what an alias stands for counts as often as it is named. No merge keys, no tags beside the
 * core schema's. Pure computation, any thread. */
#ifndef UMBEL_YAML_H
#define UMBEL_YAML_H
#include <jansson.h>
#include <umbel/bytes.h>

#define YAML_STREAM_BYTES    (16u << 20)   /* all documents of one text */
#define YAML_DOCUMENT_BYTES  (4u << 20)
#define YAML_DOCUMENTS       1000u
#define YAML_NODES           200000u       /* values in one text, aliases expanded */
#define YAML_TEXT_BYTES      (16u << 20)   /* of keys and texts in one text, aliases expanded */
#define YAML_DEPTH           32u           /* maps and lists within one another */
#define YAML_KEY_BYTES       200u
#define YAML_NUMBER_BYTES    40u           /* integers must fit 64 bits, other numbers a double */
#define YAML_ANCHORS         256u

struct um_yaml;                    /* what was read; one owner */

struct um_place {                  /* where something was written; counted from 1, 0 is unknown */
    uint32_t line, column;
};

/* Why a text was refused, for people. */
struct um_model_error {
    char file[256];
    struct um_place at;
    char path[512];                /* documentClasses[0].tagReferences[2].tagName; "" is the top */
    char what[512];
};
/* "file:line:column: path: what", without the parts that are not known. */
void um_model_error_text(const struct um_model_error *e, struct um_buf *out);

/* Reads every document of TEXT. NAME is the file of error messages. UM_EPROTO: no YAML, or something refused;
 * UM_ELIMIT: a limit; UM_ENOMEM. ERROR is filled unless all is well. */
UM_CHECK_RESULT um_err um_yaml_read(struct um_span text, const char *name, struct um_yaml **out, struct um_model_error *error);
size_t um_yaml_documents(const struct um_yaml *y);
json_t *um_yaml_peek(const struct um_yaml *y, size_t document);        /* borrowed */
/* Where the child INDEX of CONTAINER was written: of a list its element, of a map its key, counted as they stand. The
 * containers of two names for one anchor are two. */
struct um_place um_yaml_place(const struct um_yaml *y, const json_t *container, size_t index);
void um_yaml_free(struct um_yaml *y);                                  /* NULL is fine */

/* Writes VALUE as one document, without "---": block style, texts with line breaks as literal blocks, quotes where they
 * are needed, maps in the order that they have. ONE_LINE, ended by NULL, names the keys whose map, or whose list's maps,
 * stand on one line when they are short; lists of short texts always do. What is written is read again as the same
 * value. UM_ELIMIT: deeper than YAML_DEPTH, or a key that is too long; UM_EINVAL: a text with a NUL; UM_ENOMEM. */
UM_CHECK_RESULT um_err um_yaml_write(const json_t *value, const char *const *one_line, struct um_buf *out);

#endif
