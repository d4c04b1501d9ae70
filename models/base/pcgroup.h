/*
 * Private to base/: what the control groups (v1 and v2) of this process allow it.
 */
#ifndef S2CLR_BASE_PCGROUP_H
#define S2CLR_BASE_PCGROUP_H

#include <stdint.h>

typedef struct s2clr_cgroup_limits {
    double cpus;          /* CPU time per time, the tightest on the way to the root; 0: no limit */
    uint64_t memory_left; /* bytes, likewise; UINT64_MAX: no limit */
} s2clr_cgroup_limits;

/* membership: "/proc/self/cgroup"; mount: "/sys/fs/cgroup". What is absent does not limit. */
void s2clr_cgroup_read(const char *membership, const char *mount, s2clr_cgroup_limits *limits);

#endif
