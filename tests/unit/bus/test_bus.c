/* unit.collab_bus: several cores, one after the other story, then the simulation. */
#include "test_bus.h"

int main(void) { return story_group() + sim_group(); }
