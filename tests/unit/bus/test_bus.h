#ifndef TEST_BUS_H
#define TEST_BUS_H
#include "world.h"

int story_group(void);
int sim_group(void);

#endif
