/* Shared by the parts of the world. */
#ifndef BUS_WORLD_INTERNAL_H
#define BUS_WORLD_INTERNAL_H
#include "world.h"

extern struct world *the_world;              /* whose clock it is */
void fakes_reset(void);

#endif
