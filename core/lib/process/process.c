/* See umbel/process.h. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/process.h>
#include <umbel/util.h>

static void stop_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void um_process_init(void)
{
    struct rlimit files;
    sigset_t stop;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);                 /* there is nothing to reload yet; a closed terminal ends nobody's work */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    stop_signals(&stop);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
}

int64_t um_process_max_files(void)
{
    struct rlimit files;

    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? (int64_t)files.rlim_cur : 0;
}

um_err um_process_make_dir(const char *dir)
{
    char *path = um_xstrdup(dir);
    int rc = 0;

    for (char *p = path + 1; *p != '\0' && rc == 0; p++)
        if (*p == '/') {
            *p = '\0';
            rc = mkdir(path, 0750) == 0 || errno == EEXIST ? 0 : -1;
            *p = '/';
        }
    if (rc == 0)
        rc = mkdir(path, 0750) == 0 || errno == EEXIST ? 0 : -1;
    free(path);
    return rc == 0 ? UM_OK : UM_EIO;
}

um_err um_process_write_port(const char *dir, const char *name, int port)
{
    char *path = um_xasprintf("%s/%s.port", dir, name), *part = um_xasprintf("%s/.%s.port.new", dir, name);
    FILE *f = fopen(part, "we");
    bool ok = f != NULL && fprintf(f, "%d\n", port) > 0;

    if (f != NULL)
        ok = fclose(f) == 0 && ok;
    ok = ok && !UM_FAILPOINT("file.before_rename") && rename(part, path) == 0;
    free(path);
    free(part);
    return ok ? UM_OK : UM_EIO;
}

void um_process_remove_port(const char *dir, const char *name)
{
    char *path = um_xasprintf("%s/%s.port", dir, name);

    unlink(path);
    free(path);
}

static void *end_at_once(void *arg)
{
    sigset_t stop;
    int sig;

    (void)arg;
    stop_signals(&stop);
    while (sigwait(&stop, &sig) != 0)
        ;
    _exit(1);
}

void um_process_impatient(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
        pthread_detach(thread);
}

bool um_process_wait_flag(_Atomic bool *flag, int64_t ms)
{
    int64_t until = um_now_ms() + ms;

    while (!atomic_load(flag) && um_now_ms() < until)
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    return atomic_load(flag);
}

unsigned um_process_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)UM_MAX(CPU_COUNT(&set), 1) : 1;
}
