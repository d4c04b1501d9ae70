#define _GNU_SOURCE
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/pcgroup.h"
#include "base/pool.h"

#define CPUS_MOST 65536

static const char membership[] = "/proc/self/cgroup";
static const char mount[] = "/sys/fs/cgroup";

/* CPUs in the affinity mask; the kernel refuses masks shorter than its own, so grow. */
static int affinity_count(void)
{
    for (int room = 1024; room <= CPUS_MOST; room *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)room);
        if (!set) break;
        const size_t bytes = CPU_ALLOC_SIZE((size_t)room);
        const int failed = sched_getaffinity(0, bytes, set);
        const int count = failed ? 0 : CPU_COUNT_S(bytes, set);
        CPU_FREE(set);
        if (count > 0) return count;
    }
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online < INT_MAX ? (int)online : 1;
}

int s2clr_cpu_count(void)
{
    s2clr_cgroup_limits limits;
    s2clr_cgroup_read(membership, mount, &limits);
    const int count = affinity_count();
    if (limits.cpus > 0 && ceil(limits.cpus) < count) return (int)ceil(limits.cpus);
    return count;
}

static uint64_t memory_free(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file) return UINT64_MAX;
    char line[256];
    unsigned long long kib = 0;
    uint64_t bytes = UINT64_MAX;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) bytes = (uint64_t)kib * 1024;
    fclose(file);
    return bytes;
}

size_t s2clr_memory_available(void)
{
    s2clr_cgroup_limits limits;
    s2clr_cgroup_read(membership, mount, &limits);
    const uint64_t available = memory_free();
    const uint64_t least = available < limits.memory_left ? available : limits.memory_left;
    if (least == UINT64_MAX) return 0;
    return least < SIZE_MAX ? (size_t)least : SIZE_MAX;
}
