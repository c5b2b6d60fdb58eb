#include "http_bench.h"

int main(void)
{
    return guard_group() + flow_group() + upgrade_group();
}
