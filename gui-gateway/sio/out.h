/* Packets on their way to clients, encoded once for all of them: as WebSocket frames, and, when a polling client first needs it, as a
 * piece of a payload. Immutable, counted; any thread. */
#ifndef SIO_OUT_H
#define SIO_OUT_H
#include <umbel/bytes.h>

struct eio_out {
    _Atomic uint32_t refs;
    struct um_bytes *frames;              /* whole server frames, one packet or several */
    _Atomic(struct um_bytes *) polling;   /* see eio_out_polling */
};
struct eio_out *eio_out_adopt(struct um_bytes *frames);       /* NULL: out of memory, or FRAMES is; the reference is taken over in any case */
struct eio_out *eio_out_text(const char *packet);             /* one text packet */
struct eio_out *eio_out_ref(struct eio_out *o);
void eio_out_unref(struct eio_out *o);                        /* NULL is fine */
struct um_bytes *eio_out_polling(struct eio_out *o);          /* borrowed; NULL: out of memory */

#endif
