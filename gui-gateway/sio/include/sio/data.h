/* A value of an application: JSON text and the binary values that stand in it. Immutable, counted, made once for all its readers;
 * any thread. In the text a binary value is {"_placeholder":true,"num":k}, k being its place in `att`. */
#ifndef SIO_DATA_H
#define SIO_DATA_H
#include <umbel/bytes.h>

enum { UM_SIO_ATTACHMENTS_MAX = 10 };     /* of one packet: more makes a stock client leave */

struct um_sio_data {
    _Atomic uint32_t refs;
    uint32_t n_att;
    struct um_bytes *json;                /* one value, no blanks around it; of an event: an array, its name first */
    struct um_bytes *att[];
};

/* Takes over the caller's references, also when it fails. NULL: out of memory, or a part is NULL. */
struct um_sio_data *um_sio_data_new(struct um_bytes *json, struct um_bytes *const *att, size_t n_att);
struct um_sio_data *um_sio_data_text(const char *json);       /* a copy, without binary values */
struct um_sio_data *um_sio_data_ref(struct um_sio_data *d);   /* returns d */
void um_sio_data_unref(struct um_sio_data *d);                /* NULL is fine */

/* What JSON text from outside is good for: one value, strict, UTF-8, at most 64 deep, every placeholder below N_ATT. */
um_err um_sio_data_check(struct um_span json, size_t n_att) UM_CHECK_RESULT;

/* Walks the elements of the array JSON, which is known to be right. Start with *pos = 0; false at the end. */
bool um_sio_each(struct um_span json, size_t *pos, struct um_span *element);
/* Is ELEMENT a binary value? Then *NUM is its place. */
bool um_sio_is_binary(struct um_span element, size_t *num);
/* Decodes the string ELEMENT into OUT (terminated). False: no string, has a NUL, or longer than SIZE - 1 bytes. */
bool um_sio_string(struct um_span element, char *out, size_t size);

#endif
