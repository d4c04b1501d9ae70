/*
 * The table of backends, filled in once per process on first use.
 *
 * Modules are dlopen'ed, so that a host which never asks for a pixel never maps oneDNN or CUDA.
 * Each is loaded when it is first needed: half a gigabyte of cuBLAS is nothing to load for "cpu",
 * nor for `auto` on a machine without the driver that it needs. Who asks for it by name is told
 * what the module itself has to say.
 * The first file of a module's name along the search path decides: a broken one is reported, not
 * passed over, or a stale copy elsewhere would hide the fault.
 */
#define _GNU_SOURCE /* dladdr */
#include "backend/backend.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/portable.h"
#include "base/fork_lock.h"
#include "base/suggest.h"

enum { PATH_TEXT_MAX = 4 * PATH_MAX, WHY_MAX = 1024 };

typedef struct table_line {
    const char *name;
    const s2clr_backend *builtin; /* NULL: a module */
    const char *module;           /* file name */
    const char *driver;           /* library of the machine, without which the module is only loaded
                                   * by name; NULL: it computes on the CPU */
    bool built;                   /* by the build that made this */
} table_line;

static const table_line lines[] = {
    {"cuda", NULL, "s2clr_cuda.so", "libcuda.so.1", S2CLR_CUDA_BUILT},
    {"onednn", NULL, "s2clr_onednn.so", NULL, S2CLR_ONEDNN_BUILT},
    {"portable", &s2clr_backend_portable, NULL, NULL, true},
};

enum { LINES = sizeof lines / sizeof lines[0] };

typedef struct slot {
    bool loaded; /* all but the entry is there */
    bool filled;
    bool refused; /* the driver is there, but the module does not load or its device not open */
    int score;
    const s2clr_backend *backend; /* NULL: none that is of any use */
    char why[WHY_MAX];
    s2clr_backend_entry entry;
} slot;

/* The registry: each slot is written once, under the lock. A line that was passed over for want of
 * its driver has one for that, and one of its own when it is asked for by name. */
static slot offered[LINES], named[LINES];
static s2clr_backend_entry entries[LINES]; /* of `offered`, once all are filled */
static bool listed;

/* What `auto` did not take although it comes first, for who can tell the user; once is enough. */
static char passed_over[S2CLR_BACKEND_TEXT];
static bool told;

/* The devices that a parent used do not work in its child: that looks for itself. */
static void start_anew(void)
{
    for (size_t i = 0; i < LINES; i++)
        if (lines[i].driver) offered[i] = named[i] = (slot){.loaded = false};
    listed = told = false;
}

static s2clr_fork_lock lock = {.mutex = PTHREAD_MUTEX_INITIALIZER, .start_anew = start_anew};

/* ---- search path: folders separated by ':' ---- */

static void path_add(char path[PATH_TEXT_MAX], const char *folder)
{
    const size_t used = strlen(path), room = PATH_TEXT_MAX - used;
    if (strlen(folder) + 2 <= room) snprintf(path + used, room, "%s%s", used ? ":" : "", folder);
}

/* The folder of `file`, links resolved, and its .libs/, where libtool keeps what it built. */
static void path_add_folder_of(char path[PATH_TEXT_MAX], const char *file)
{
    char folder[PATH_MAX], libs[PATH_MAX + 8];
    if (!realpath(file, folder)) return;
    char *const slash = strrchr(folder, '/');
    *slash = '\0';
    snprintf(libs, sizeof libs, "%s/.libs", folder);
    path_add(path, folder);
    path_add(path, libs);
}

static void search_path(char path[PATH_TEXT_MAX])
{
    path[0] = '\0';
    const char *const given = getenv("S2CLR_BACKEND_PATH");
    if (given && given[0]) {
        path_add(path, given);
        return;
    }
    char executable[PATH_MAX] = "", self[PATH_MAX] = "";
    Dl_info here;
    if (realpath("/proc/self/exe", executable)) path_add_folder_of(path, executable);
    /* In a plug-in the code lies elsewhere than the executable. */
    if (dladdr(lines, &here) && here.dli_fname && realpath(here.dli_fname, self) &&
        strcmp(self, executable) != 0)
        path_add_folder_of(path, self);
    path_add(path, S2CLR_MODULE_DIR);
}

/* The first existing file called `module` along the path; false when there is none. */
static bool find_module(const char *path, const char *module, char file[PATH_MAX])
{
    while (*path) {
        const int length = (int)strcspn(path, ":");
        const int wanted = snprintf(file, PATH_MAX, "%.*s/%s", length, path, module);
        if (length > 0 && wanted > 0 && wanted < PATH_MAX && access(file, F_OK) == 0) return true;
        path += length;
        if (*path) path++;
    }
    return false;
}

/* ---- one table line ---- */

__attribute__((format(printf, 2, 3))) static void why_set(char why[WHY_MAX], const char *format,
                                                          ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, WHY_MAX, format, arguments);
    va_end(arguments);
}

/* Whether a device opens; fills `why` when not. */
static bool usable(const s2clr_backend *backend, char why[WHY_MAX])
{
    s2clr_device *device;
    s2clr_error_clear();
    if (backend->device_open("", S2CLR_F32, &device) != S2CLR_OK) {
        why_set(why, "%s", s2clr_error_text());
        return false;
    }
    backend->device_close(device);
    return true;
}

/* The table of a loaded module, or NULL and `why`. */
static const s2clr_backend *module_backend(void *handle, const char *file, char why[WHY_MAX])
{
    const s2clr_backend_module_fn module =
        (s2clr_backend_module_fn)dlsym(handle, S2CLR_BACKEND_SYMBOL);
    const s2clr_backend_module_host_fn host =
        (s2clr_backend_module_host_fn)dlsym(handle, S2CLR_BACKEND_HOST_SYMBOL);
    if (!module) {
        why_set(why, "%s does not export " S2CLR_BACKEND_SYMBOL, file);
        return NULL;
    }
    const s2clr_backend *const backend = module();
    if (!backend || backend->abi != S2CLR_BACKEND_ABI) {
        why_set(why,
                "%s has backend interface version %u, this program wants %u: install the module "
                "of the same release",
                file, backend ? backend->abi : 0u, S2CLR_BACKEND_ABI);
        return NULL;
    }
    if (!host) {
        why_set(why, "%s does not export " S2CLR_BACKEND_HOST_SYMBOL, file);
        return NULL;
    }
    host(s2clr_error_set);
    return backend;
}

/* *there: such a file was found. */
static const s2clr_backend *load(const char *path, const char *module, char why[WHY_MAX],
                                 bool *there)
{
    char file[PATH_MAX];
    *there = find_module(path, module, file);
    if (!*there) {
        why_set(why, "%s was not found in %s (S2CLR_BACKEND_PATH names other folders)", module,
                path);
        return NULL;
    }
    void *const handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *const text = dlerror();
        why_set(why, "cannot load %s: %s", file, text ? text : "unknown reason");
        return NULL;
    }
    const s2clr_backend *const backend = module_backend(handle, file, why);
    /* A module that got as far as running stays mapped: its libraries may have left threads. */
    if (!backend) dlclose(handle);
    return backend;
}

static bool driver_is_there(const char *driver)
{
    /* Kept open: what needs it comes next. */
    return !driver || dlopen(driver, RTLD_LAZY | RTLD_LOCAL);
}

/* What there is, loaded and not opened. With the lock held. */
static slot *offer(size_t i, bool by_name)
{
    slot *const s = by_name && lines[i].driver ? &named[i] : &offered[i];
    char path[PATH_TEXT_MAX];
    bool there = false;
    if (s->loaded) return s;
    s->backend = lines[i].builtin;
    search_path(path);
    if (!by_name && !driver_is_there(lines[i].driver))
        why_set(s->why, "this machine has no driver for it (%s was not found)", lines[i].driver);
    else if (!s->backend)
        s->backend = load(path, lines[i].module, s->why, &there);
    s->refused = there && !s->backend && lines[i].driver;
    s->score = s->backend ? s->backend->score : INT_MAX;
    s->loaded = true;
    return s;
}

/* With the lock held. */
static const s2clr_backend_entry *fill(size_t i, bool by_name)
{
    slot *const s = offer(i, by_name);
    if (s->filled) return &s->entry;
    if (s->backend && !lines[i].builtin && !usable(s->backend, s->why)) {
        s->refused = true;
        s->backend = NULL;
    }
    s->entry =
        (s2clr_backend_entry){lines[i].name, s->backend, s->why, lines[i].built, !lines[i].driver};
    s->filled = true;
    s2clr_error_clear();
    return &s->entry;
}

/* ---- public ---- */

size_t s2clr_backend_list(const s2clr_backend_entry **out)
{
    s2clr_fork_lock_take(&lock);
    for (size_t i = 0; i < LINES && !listed; i++) entries[i] = *fill(i, false);
    listed = true;
    s2clr_fork_lock_give(&lock);
    *out = entries;
    return LINES;
}

/* With the lock held. */
static void pass_over(const char *name, const char *why, const char *taken)
{
    if (told) return;
    snprintf(passed_over, sizeof passed_over,
             "computing on the CPU (%s), as the device of the backend %s cannot be used: %s", taken,
             name, why);
    told = true;
}

void s2clr_backend_pass_over(const char *name, const char *why, const char *taken)
{
    s2clr_fork_lock_take(&lock);
    pass_over(name, why, taken);
    s2clr_fork_lock_give(&lock);
}

bool s2clr_backend_passed_over(char text[S2CLR_BACKEND_TEXT])
{
    s2clr_fork_lock_take(&lock);
    const bool news = passed_over[0] != '\0';
    if (news) memcpy(text, passed_over, sizeof passed_over);
    passed_over[0] = '\0';
    s2clr_fork_lock_give(&lock);
    return news;
}

/* The line of the highest score that is of any use so far; portable is built in, so there is always
 * one. */
static size_t highest(bool cpu_only)
{
    size_t top = LINES - 1;
    for (size_t i = 0; i < LINES; i++) {
        if (cpu_only && lines[i].driver) continue;
        if (offer(i, false)->backend && offered[i].score > offered[top].score) top = i;
    }
    return top;
}

/* Nothing is opened that comes behind what is taken. */
static const s2clr_backend *best(bool cpu_only)
{
    const s2clr_backend *found = NULL;
    offer(LINES - 1, false);
    while (!found) found = fill(highest(cpu_only), false)->backend;
    for (size_t i = 0; i < LINES && !cpu_only; i++)
        if (offered[i].refused && offered[i].score > found->score)
            pass_over(lines[i].name, offered[i].why, found->name);
    return found;
}

static s2clr_status unknown(const char *name)
{
    const char *names[LINES + 2] = {"auto", "cpu"};
    char known[256] = "auto, cpu";
    for (size_t i = 0; i < LINES; i++) {
        const size_t used = strlen(known);
        names[i + 2] = lines[i].name;
        snprintf(known + used, sizeof known - used, ", %s", lines[i].name);
    }
    const char *near = s2clr_suggest(name, names, LINES + 2);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "there is no backend '%s'%s%s; known are: %s", name,
                           near ? ": did you mean " : "", near ? near : "", known);
}

static s2clr_status find(const char *name, const s2clr_backend **out)
{
    const bool cpu_only = strcmp(name, "cpu") == 0;
    if (cpu_only || strcmp(name, "auto") == 0) {
        *out = best(cpu_only);
        return S2CLR_OK;
    }
    for (size_t i = 0; i < LINES; i++) {
        if (strcmp(name, lines[i].name) != 0) continue;
        const s2clr_backend_entry *const entry = fill(i, true);
        if (!entry->backend)
            return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "backend '%s' cannot be used here: %s",
                                   name, entry->why);
        *out = entry->backend;
        return S2CLR_OK;
    }
    return unknown(name);
}

s2clr_status s2clr_backend_find(const char *name, const s2clr_backend **out)
{
    s2clr_fork_lock_take(&lock);
    const s2clr_status status = find(name, out);
    s2clr_fork_lock_give(&lock);
    return status;
}
