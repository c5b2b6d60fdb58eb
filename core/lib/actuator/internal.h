/* What the files of this module share. */
#ifndef ACTUATOR_INTERNAL_H
#define ACTUATOR_INTERNAL_H
#include <umbel/actuator.h>

struct um_actuator { struct um_actuator_setup s; };

bool actuator_shows(const struct um_actuator *a, const struct um_http_req *rq, int show);
void actuator_not_there(struct um_http_req *rq, const char *what);

/* system.c: figures of the process and the machine, brought up to date for who is about to read them. */
void system_register(void);
void system_refresh(int64_t started_wall_ms);

#endif
