/* SPDX-License-Identifier: MIT
 * metrics_process: see metrics_process.h.  Loop thread. */
#include "bot/metrics_process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Fields of /proc/self/stat behind the command's name, whose parentheses may hold anything; true = read. */
static bool read_stat(long *threads, unsigned long long *start_ticks, unsigned long *virtual_bytes,
                      long *resident_pages)
{
    char line[1024];
    FILE *f = fopen("/proc/self/stat", "re");
    if (!f)
        return false;
    size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = '\0';
    const char *rest = strrchr(line, ')');
    return rest &&
           sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu %lu %ld",
                  threads, start_ticks, virtual_bytes, resident_pages) == 4;
}

/* Seconds since 1970 when the machine was started; 0 = not known. */
static double boot_seconds(void)
{
    char line[256];
    long long seconds = 0;
    FILE *f = fopen("/proc/stat", "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f) && sscanf(line, "btime %lld", &seconds) != 1)
        ;
    fclose(f);
    return (double)seconds;
}

static int open_descriptors(void)
{
    int count = -1; /* the one that counts */
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return 0;
    for (struct dirent *entry; (entry = readdir(d));)
        count += entry->d_name[0] != '.';
    closedir(d);
    return count;
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void put_stat(struct metrics_page *p)
{
    long threads, resident_pages;
    unsigned long long start_ticks;
    unsigned long virtual_bytes;
    if (!read_stat(&threads, &start_ticks, &virtual_bytes, &resident_pages))
        return;
    metrics_gauge(p, "process_resident_memory_bytes", "Resident memory size in bytes", NULL,
                  (double)resident_pages * (double)sysconf(_SC_PAGESIZE));
    metrics_gauge(p, "process_virtual_memory_bytes", "Virtual memory size in bytes", NULL, (double)virtual_bytes);
    metrics_gauge(p, "process_threads", "Threads", NULL, (double)threads);
    double boot = boot_seconds();
    if (boot > 0)
        metrics_gauge(p, "process_start_time_seconds", "Start time since the unix epoch in seconds", NULL,
                      boot + (double)start_ticks / (double)sysconf(_SC_CLK_TCK));
}

void metrics_process(struct metrics_page *p)
{
    struct rusage usage;
    struct rlimit files;
    char labels[METRICS_LABELS_BYTES];
    metrics_gauge(p, "steward_build_info", "The program that runs; always 1",
                  metrics_labels(labels, "version", STEWARD_VERSION, "compiler", __VERSION__), 1);
    put_stat(p);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        metrics_counter(p, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds", NULL,
                        seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
    metrics_gauge(p, "process_open_fds", "Number of open file descriptors", NULL, open_descriptors());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        metrics_gauge(p, "process_max_fds", "Maximum number of open file descriptors", NULL, (double)files.rlim_cur);
}
