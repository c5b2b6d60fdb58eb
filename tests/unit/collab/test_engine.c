/* Runs the groups with one reactor, or, called with "three", with three, and then the one that needs real threads: two tests that
 * mostly wait for timers, and may do so side by side. */
#include "test_engine.h"
#include <string.h>

unsigned engine_reactors;

int main(int argc, char **argv)
{
    int failed;

    engine_reactors = argc > 1 && strcmp(argv[1], "three") == 0 ? 3 : 1;
    failed = admission_group() + editing_group() + storing_group() + ending_group() + work_group() + listing_group() + rights_group();
    return engine_reactors == 3 ? failed + thread_group() : failed;
}
