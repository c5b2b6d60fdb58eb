/* bench_awake: keeps every processor from sleeping until its standard input ends, by a thread for each at SCHED_IDLE. Who has
 * work takes the processor from it at once. Prints a line when all are at it.
 *
 * A processor of a virtual machine that has nothing to do is given back to the host. Waking it is work of whoever wakes it and of
 * whoever runs there first, with cold caches: a server that is woken a hundred times a second pays for that, one among others does not. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic unsigned spinning;

/* Not "pause": a host may take a processor away from who says that again and again. */
static void *spin(void *arg)
{
    volatile unsigned long turns = 0;

    (void)arg;
    atomic_fetch_add(&spinning, 1);
    for (;;)
        turns = turns + 1;
    return NULL;
}

static int start_at(int cpu)
{
    struct sched_param lowest = { 0 };
    pthread_t thread;
    cpu_set_t here;
    int err = pthread_create(&thread, NULL, spin, NULL);

    CPU_ZERO(&here);
    CPU_SET((unsigned)cpu, &here);
    err = err != 0 ? err : pthread_setaffinity_np(thread, sizeof here, &here);
    return err != 0 ? err : pthread_setschedparam(thread, SCHED_IDLE, &lowest);
}

int main(void)
{
    cpu_set_t ours;
    unsigned n = 0;
    char byte;

    if (sched_getaffinity(0, sizeof ours, &ours) != 0)
        return 1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((unsigned)cpu, &ours))
            continue;
        int err = start_at(cpu);
        if (err != 0) {
            fprintf(stderr, "bench_awake: processor %d: %s\n", cpu, strerror(err));
            return 1;
        }
        n++;
    }
    while (atomic_load(&spinning) < n)
        sched_yield();
    puts("awake");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    return 0;
}
