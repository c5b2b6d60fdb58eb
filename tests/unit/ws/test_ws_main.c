#include "ws_bench.h"

int main(void)
{
    return ws_group() + ws_queue_group();
}
