#include "ws_bench.h"

int main(void)
{
    return ws_group() + ws_queue_group() + ws_move_group();
}
