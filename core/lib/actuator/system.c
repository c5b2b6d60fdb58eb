/* Figures of the process and the machine, under Spring Boot's names. They are looked up when somebody asks for figures. */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <umbel/metrics.h>
#include <umbel/process.h>
#include <umbel/util.h>
#include "internal.h"

enum { USAGE_MS = 1000 };                     /* between two looks at it at least: less says nothing */

enum { S_CPUS, S_CPU_TIME, S_CPU_USAGE, S_SYSTEM_USAGE, S_FILES_MAX, S_FILES_OPEN, S_MEMORY, S_START, S_UPTIME, S_LOAD, S_N };
static struct um_metric rows[S_N] = {
    [S_CPUS]       = { "system.cpu.count", "", "processors of the machine", UM_GAUGE, 0 },
    [S_CPU_TIME]   = { "process.cpu.time.ms", "milliseconds", "processor time that the process has used", UM_COUNTER, 0 },
    [S_CPU_USAGE]  = { "process.cpu.usage", "", "part of the machine's processors that the process used lately, 0 to 1", UM_GAUGE_PARTS, 0 },
    [S_SYSTEM_USAGE] = { "system.cpu.usage", "", "part of them that was used at all, 0 to 1", UM_GAUGE_PARTS, 0 },
    [S_FILES_MAX]  = { "process.files.max", "files", "descriptors that the process may have", UM_GAUGE, 0 },
    [S_FILES_OPEN] = { "process.files.open", "files", "descriptors that it has", UM_GAUGE, 0 },
    [S_MEMORY]     = { "process.memory.resident", "bytes", "memory of the machine that it occupies", UM_GAUGE, 0 },
    [S_START]      = { "process.start.time", "seconds", "its start, since 1970", UM_GAUGE, 0 },
    [S_UPTIME]     = { "process.uptime", "seconds", "since its start", UM_GAUGE, 0 },
    [S_LOAD]       = { "system.load.average.1m", "", "load of the machine over a minute", UM_GAUGE_PARTS, 0 },
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

/* Ticks of the machine since its start. */
static bool machine_ticks(long long *busy, long long *all)
{
    long long user, nice, system, idle, wait, irq, soft, steal;
    FILE *f = fopen("/proc/stat", "re");
    bool ok;

    if (f == NULL)
        return false;
    ok = fscanf(f, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &user, &nice, &system, &idle, &wait, &irq, &soft, &steal) == 8;
    fclose(f);
    *busy = ok ? user + nice + system + irq + soft + steal : 0;
    *all = ok ? *busy + idle + wait : 0;
    return ok;
}

static void set(int row, int64_t value) { atomic_store_explicit(&rows[row].value, value, memory_order_relaxed); }

/* Since the last look, or since the start. */
static void refresh_usage(int64_t started_wall_ms)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int64_t last_wall_ms, last_cpu_ms;
    static long long last_busy, last_all;
    int64_t now = um_wall_ms(), cpu = cpu_ms(), since;
    long long busy, all;

    pthread_mutex_lock(&lock);
    since = now - (last_wall_ms != 0 ? last_wall_ms : started_wall_ms);
    if (since >= USAGE_MS || last_wall_ms == 0) {
        set(S_CPU_USAGE, UM_MIN((cpu - last_cpu_ms) * UM_METRIC_PARTS / UM_MAX(since * sysconf(_SC_NPROCESSORS_ONLN), 1), UM_METRIC_PARTS));
        if (machine_ticks(&busy, &all) && all > last_all)
            set(S_SYSTEM_USAGE, (busy - last_busy) * UM_METRIC_PARTS / (all - last_all));
        last_wall_ms = now;
        last_cpu_ms = cpu;
        last_busy = busy;
        last_all = all;
    }
    pthread_mutex_unlock(&lock);
}

void system_refresh(int64_t started_wall_ms)
{
    double load = 0;

    set(S_CPUS, sysconf(_SC_NPROCESSORS_ONLN));
    set(S_CPU_TIME, cpu_ms());
    refresh_usage(started_wall_ms);
    set(S_FILES_MAX, um_process_max_files());
    set(S_FILES_OPEN, open_files());
    set(S_MEMORY, resident_bytes());
    set(S_START, started_wall_ms / 1000);
    set(S_UPTIME, (um_wall_ms() - started_wall_ms) / 1000);
    if (getloadavg(&load, 1) == 1)
        set(S_LOAD, (int64_t)(load * UM_METRIC_PARTS));
}
