/* Figures of the process and the machine, under Spring Boot's names. They are looked up when somebody asks for figures. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <umbel/metrics.h>
#include <umbel/process.h>
#include <umbel/util.h>
#include "internal.h"

enum { S_CPUS, S_CPU_TIME, S_FILES_MAX, S_FILES_OPEN, S_MEMORY, S_START, S_UPTIME, S_LOAD, S_N };
static struct um_metric rows[S_N] = {
    [S_CPUS]       = { "system.cpu.count", "cpus", "processors of the machine", UM_GAUGE, 0 },
    [S_CPU_TIME]   = { "process.cpu.time.ms", "milliseconds", "processor time that the process has used", UM_COUNTER, 0 },
    [S_FILES_MAX]  = { "process.files.max", "files", "descriptors that the process may have", UM_GAUGE, 0 },
    [S_FILES_OPEN] = { "process.files.open", "files", "descriptors that it has", UM_GAUGE, 0 },
    [S_MEMORY]     = { "process.memory.resident", "bytes", "memory of the machine that it occupies", UM_GAUGE, 0 },
    [S_START]      = { "process.start.time", "seconds", "its start, since 1970", UM_GAUGE, 0 },
    [S_UPTIME]     = { "process.uptime", "seconds", "since its start", UM_GAUGE, 0 },
    [S_LOAD]       = { "system.load.average.1m.percent", "percent", "load of the machine over a minute, for one processor", UM_GAUGE, 0 },
};

void system_register(void) { um_metrics_register(rows, UM_COUNT(rows)); }

static int64_t open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int64_t n = 0;

    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 3;                             /* itself, and the two dots */
}

static int64_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long long size, resident = 0;

    if (f == NULL)
        return 0;
    if (fscanf(f, "%lld %lld", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

static int64_t cpu_ms(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static void set(int row, int64_t value) { atomic_store_explicit(&rows[row].value, value, memory_order_relaxed); }

void system_refresh(int64_t started_wall_ms)
{
    double load = 0;

    set(S_CPUS, sysconf(_SC_NPROCESSORS_ONLN));
    set(S_CPU_TIME, cpu_ms());
    set(S_FILES_MAX, um_process_max_files());
    set(S_FILES_OPEN, open_files());
    set(S_MEMORY, resident_bytes());
    set(S_START, started_wall_ms / 1000);
    set(S_UPTIME, (um_wall_ms() - started_wall_ms) / 1000);
    if (getloadavg(&load, 1) == 1)
        set(S_LOAD, (int64_t)(load * 100));
}
