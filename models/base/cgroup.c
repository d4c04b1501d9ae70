#include "base/pcgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 4096

/* The files of one version's controllers. Page cache that can be dropped is counted as used by
 * the kernel, so it is taken off again. */
typedef struct layout {
    const char *cpu_folder, *memory_folder; /* below the mount */
    const char *memory_limit, *memory_used, *inactive_key;
} layout;

static const layout v1 = {"cpu", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                          "total_inactive_file"};
static const layout v2 = {"", "", "memory.max", "memory.current", "inactive_file"};

/* First bytes of folder/name as text; false when there is no such file. */
static bool read_text(const char *folder, const char *name, char *text, size_t room)
{
    char path[PATH_ROOM + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    const size_t length = fread(text, 1, room - 1, file);
    fclose(file);
    text[length] = '\0';
    return length > 0;
}

/* False for "max", a negative number or an absent file. */
static bool read_number(const char *folder, const char *name, uint64_t *out)
{
    char text[64], *end;
    if (!read_text(folder, name, text, sizeof text) || text[0] < '0' || text[0] > '9') return false;
    *out = strtoull(text, &end, 10);
    return end != text;
}

static void limit_cpus(const char *folder, bool second, s2clr_cgroup_limits *limits)
{
    double quota = 0, period = 0;
    char text[128];
    if (second) {
        if (!read_text(folder, "cpu.max", text, sizeof text)) return;
        if (sscanf(text, "%lf %lf", &quota, &period) != 2) return;
    } else {
        uint64_t q, p;
        if (!read_number(folder, "cpu.cfs_quota_us", &q)) return;
        if (!read_number(folder, "cpu.cfs_period_us", &p)) return;
        quota = (double)q, period = (double)p;
    }
    if (!(quota > 0) || !(period > 0)) return;
    const double cpus = quota / period;
    if (limits->cpus == 0 || cpus < limits->cpus) limits->cpus = cpus;
}

static uint64_t inactive_bytes(const char *folder, const char *key)
{
    char text[16384];
    if (!read_text(folder, "memory.stat", text, sizeof text)) return 0;
    const size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length + 1, NULL, 10);
    }
    return 0;
}

static void limit_memory(const char *folder, const layout *files, s2clr_cgroup_limits *limits)
{
    uint64_t most, used;
    if (!read_number(folder, files->memory_limit, &most)) return;
    if (!read_number(folder, files->memory_used, &used)) return;
    const uint64_t inactive = inactive_bytes(folder, files->inactive_key);
    used -= inactive < used ? inactive : used;
    const uint64_t left = most > used ? most - used : 0;
    if (left < limits->memory_left) limits->memory_left = left;
}

/* Every group from the process's own up to the mount counts: the tightest wins. */
static void walk_up(const char *mount, const char *controller, const char *group, bool cpu,
                    const layout *files, s2clr_cgroup_limits *limits)
{
    char folder[PATH_ROOM];
    const int root =
        snprintf(folder, sizeof folder, "%s%s%s", mount, *controller ? "/" : "", controller);
    if (root < 0 || (size_t)root + strlen(group) >= sizeof folder) return;
    strcpy(folder + root, group);
    for (;;) {
        if (cpu)
            limit_cpus(folder, files == &v2, limits);
        else
            limit_memory(folder, files, limits);
        char *slash = strrchr(folder + root, '/');
        if (!slash) break;
        *slash = '\0';
    }
}

/* True when `word` is one of the comma-separated words. */
static bool has_word(const char *words, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = words; at; at = strchr(at, ',')) {
        if (*at == ',') at++;
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* One line is "number:controllers:/group"; version 2 has the number 0 and no controllers. */
static void read_line(char *line, const char *mount, s2clr_cgroup_limits *limits)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) return;
    controllers++;
    *group++ = '\0';
    if (strcmp(group, "/") == 0) group++;
    if (*controllers == '\0') {
        walk_up(mount, v2.cpu_folder, group, true, &v2, limits);
        walk_up(mount, v2.memory_folder, group, false, &v2, limits);
    }
    if (has_word(controllers, "cpu")) walk_up(mount, v1.cpu_folder, group, true, &v1, limits);
    if (has_word(controllers, "memory"))
        walk_up(mount, v1.memory_folder, group, false, &v1, limits);
}

void s2clr_cgroup_read(const char *membership, const char *mount, s2clr_cgroup_limits *limits)
{
    *limits = (s2clr_cgroup_limits){.cpus = 0, .memory_left = UINT64_MAX};
    FILE *file = fopen(membership, "re");
    if (!file) return;
    char line[PATH_ROOM];
    while (fgets(line, sizeof line, file)) read_line(line, mount, limits);
    fclose(file);
}
