/* Runs the groups with one reactor and with three, then the one that needs real threads. */
#include "test_engine.h"

unsigned engine_reactors;

int main(void)
{
    int failed = 0;

    for (engine_reactors = 1; engine_reactors <= 3; engine_reactors += 2)
        failed += admission_group() + editing_group() + storing_group() + ending_group() + work_group() + listing_group() + rights_group();
    return failed + thread_group();
}
