/* Ids of sessions: 20 characters of A-Za-z0-9_-, base64 of 12 random bytes and 3 that tell whose it is. */
#ifndef SIO_IDS_H
#define SIO_IDS_H
#include <stdint.h>
#include <umbel/base.h>

enum { SIO_ID_LEN = 20 };
struct sio_owner { uint16_t member; uint8_t reactor; };

void sio_id_make(char out[SIO_ID_LEN + 1], struct sio_owner owner);
bool sio_id_owner(const char *id, struct sio_owner *out);      /* false: not of this form */
void sio_id_random(char out[SIO_ID_LEN + 1]);                  /* of sockets: says nothing */
uint16_t sio_id_member(const char *name);                      /* of a gateway's id; the same in every process */

#endif
