/* The worker's end of the socket (../frame.h): it waits as long as it has to. */
#ifndef HANDLER_WIRE_H
#define HANDLER_WIRE_H
#include <stdbool.h>
#include <stdint.h>
#include <umbel/handler.h>

bool wire_ready(int fd, const char *name);
bool wire_failed(int fd, const char *why);
/* The next call; its texts are good until wire_forget. False: the core wants no more, or is gone. */
bool wire_next(int fd, struct umbel_handler_operation *o, uint32_t *call);
void wire_forget(void);
bool wire_answer(int fd, uint32_t call, int verdict, const struct umbel_handler_answer *a);

#endif
