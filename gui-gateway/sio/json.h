/* A look at JSON text without building anything from it: is it one right value, and do its placeholders of binary values have their
 * attachments? Strict (RFC 8259), but for lone surrogates in escapes, which JavaScript writes. The text is valid UTF-8. */
#ifndef SIO_JSON_H
#define SIO_JSON_H
#include <umbel/bytes.h>

enum { SIO_JSON_DEPTH = 64 };
enum sio_json_err { SIO_JSON_OK, SIO_JSON_BAD, SIO_JSON_ATTACHMENT };

struct sio_json {
    char kind;                            /* first character of the value; '0' for numbers */
    struct um_span value;                 /* without the blanks around it */
};
/* TEXT is one value and blanks. N_ATT < 0: placeholders are plain data. */
enum sio_json_err sio_json_look(struct um_span text, int n_att, struct sio_json *out);

#endif
