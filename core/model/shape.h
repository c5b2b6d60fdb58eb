/* What the objects of a model look like, as tables: for reading, writing, XML and the order of keys. */
#ifndef MODEL_SHAPE_H
#define MODEL_SHAPE_H
#include <umbel/model.h>

enum field_type {
    FIELD_TEXT,
    FIELD_BOOL,
    FIELD_INT,
    FIELD_TEXTS,         /* a list of texts; one alone may stand without the list */
    FIELD_WORDS,         /* the same; in REST's form one alone is a text, too */
    FIELD_OBJECT,        /* of SHAPE */
    FIELD_LIST,          /* of objects of SHAPE */
    FIELD_LABELS,        /* {EN: Invoice} for [{"language": "EN", "value": "Invoice"}] */
    FIELD_PAIRS,         /* {name: value} for [{"name", "value"}] */
    FIELD_TAGS,          /* {name: value or [values]} for [{"name", "value": [values]}] */
    FIELD_ENTRIES,       /* {allow|deny: permissions, to: principals} for {"principal", "permission", "grant"} */
    FIELD_JSON,          /* anything */
};
enum { FIELD_NEEDED = 1, FIELD_FIXED = 2, FIELD_DROPPED = 4 };

struct shape;
struct field {
    const char *name;            /* REST's */
    enum field_type type;
    const char *as;              /* its name in YAML; NULL: the same */
    const char *in;              /* the object that has it in REST's form: "data"; NULL: the object itself */
    const struct shape *shape;   /* OBJECT, LIST, and of what LABELS, PAIRS, TAGS are lists */
    const char *words;           /* the texts that it may be: "A|B"; NULL: any */
    const char *initial;         /* JSON: what it is when it is not said, and then not kept (FIXED: always kept, never written) */
    const char *prefix;          /* a text without a dot stands for this and the text */
    unsigned flags;              /* DROPPED: the server's own, read and forgotten */
};
struct shape {
    const char *name;            /* of one, for messages: "a tag reference" */
    const char *bare;            /* a text alone is this member; NULL: it is refused */
    const struct field *fields;
    size_t n;
};

extern const struct shape *const model_shapes[UM_MODEL_KINDS_N];
/* Keys whose maps stand on one line (umbel/yaml.h). */
extern const char *const model_one_line_keys[];

static inline const char *yaml_name(const struct field *f) { return f->as != NULL ? f->as : f->name; }

/* Keys that every object may have in YAML: members that no table knows, as they are. */
#define EXTRA_KEY "extra"

/* The known name nearest to WORD among N names; NULL when none is near. */
const char *model_nearest(const char *word, size_t len, const char *const *names, size_t n);

#endif
