/* What loading the plug-in does to a process: nothing but loading it. And what opening and closing
 * leaves behind: nothing at all. */
#define _GNU_SOURCE
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <dirent.h>
#include <dlfcn.h>
#include <gdal.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver_rig.h"
#include "harness.h"
#include "predict_rig.h"

enum { NAMES_MAX = 4096, NAME_MAX_BYTES = 400 };

typedef struct names {
    size_t count;
    char name[NAMES_MAX][NAME_MAX_BYTES];
} names;

static bool has(const names *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->name[i], name) == 0) return true;
    return false;
}

static void add(names *list, const char *name)
{
    if (list->count < NAMES_MAX && !has(list, name))
        snprintf(list->name[list->count++], NAME_MAX_BYTES, "%s", name);
}

/* Files mapped into this process. */
static void mapped_files(names *out)
{
    char line[1024];
    FILE *file = fopen("/proc/self/maps", "r");
    out->count = 0;
    while (file && fgets(line, sizeof line, file)) {
        char *slash = strchr(line, '/');
        line[strcspn(line, "\n")] = '\0';
        if (slash) add(out, slash);
    }
    if (file) fclose(file);
}

static int count_entries(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    while (dir && readdir(dir)) count++;
    if (dir) closedir(dir);
    return count;
}

/* Adds the libraries that one file, loaded already, was linked with. */
static void add_needed(const char *file, names *out)
{
    struct link_map *map = NULL;
    void *handle = dlopen(file, RTLD_LAZY | RTLD_NOLOAD);
    if (!handle) return;
    const char *text = NULL;
    const ElfW(Dyn) *first = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 ? map->l_ld : NULL;
    for (const ElfW(Dyn) *entry = first; entry && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_STRTAB) text = (const char *)entry->d_un.d_ptr;
    for (const ElfW(Dyn) *entry = first; text && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_NEEDED) add(out, text + entry->d_un.d_val);
    dlclose(handle);
}

/* The libraries the plug-in was linked with, those that they were linked with, and so on. */
static void needed(const char *plugin, names *out)
{
    out->count = 0;
    add_needed(plugin, out);
    for (size_t i = 0; i < out->count; i++) add_needed(out->name[i], out);
}

static bool is_needed(const names *libraries, const char *file)
{
    const char *base = strrchr(file, '/') + 1;
    for (size_t i = 0; i < libraries->count; i++)
        if (strncmp(base, libraries->name[i], strcspn(libraries->name[i], ".")) == 0) return true;
    return false;
}

/* In a process of its own: 0 when registration changed nothing else, 1 (with a line) when it did.
 */
static int probe(const char *folder)
{
    static names before, after, libraries;
    char plugin[PATH_MAX], real[PATH_MAX] = "";
    snprintf(plugin, sizeof plugin, "%s/gdal_S2CLR.so", folder);
    if (!realpath(plugin, real)) return 1;
    CPLSetConfigOption("GDAL_DRIVER_PATH", "disable");
    GDALAllRegister();
    CPLSetConfigOption("GDAL_DRIVER_PATH", folder);
    mapped_files(&before);
    const int drivers = GDALGetDriverCount(), files = count_entries("/proc/self/fd"),
              threads = count_entries("/proc/self/task");
    GDALAllRegister();
    mapped_files(&after);
    needed(plugin, &libraries);
    int bad = 0;
    for (size_t i = 0; i < after.count; i++) {
        const char *file = after.name[i];
        if (has(&before, file) || strcmp(file, real) == 0 || is_needed(&libraries, file)) continue;
        printf("mapped by registration: %s\n", file);
        bad = 1;
    }
    if (!has(&after, real)) bad = printf("%s was not loaded\n", real) > 0;
    if (count_entries("/proc/self/fd") != files) bad = printf("a file was left open\n") > 0;
    if (count_entries("/proc/self/task") != threads) bad = printf("a thread was started\n") > 0;
    GDALAllRegister();
    if (GDALGetDriverCount() != drivers + 1)
        bad = printf("%d drivers more, 1 wanted\n", GDALGetDriverCount() - drivers) > 0;
    return bad;
}

static void registration_only_registers(void)
{
    const char *folder = driver_rig_folder();
    CU_ASSERT_PTR_NOT_NULL(folder);
    if (!folder) return;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "probe", "--probe", folder, (char *)NULL);
        _exit(99);
    }
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- opening ---- */

static GDALDatasetH open_quietly(const char *name)
{
    CPLPushErrorHandler(CPLQuietErrorHandler);
    GDALDatasetH dataset = GDALOpenEx(name, GDAL_OF_RASTER, NULL, NULL, NULL);
    CPLPopErrorHandler();
    return dataset;
}

static void opening_computes_nothing(void)
{
    if (!driver_rig_load()) return;
    static names before, after;
    const char *name = driver_rig_name(rig_model_make("open.safetensors", &rig_dense),
                                       rig_scene_make("open.tif", &rig_scene_small));
    mapped_files(&before);
    const int threads = count_entries("/proc/self/task");
    GDALDatasetH dataset = open_quietly(name);
    CU_ASSERT_PTR_NOT_NULL(dataset);
    if (!dataset) return;
    CU_ASSERT_EQUAL(GDALGetRasterXSize(dataset), 153);
    CU_ASSERT_EQUAL(GDALGetRasterYSize(dataset), 88);
    mapped_files(&after);
    for (size_t i = 0; i < after.count; i++)
        CU_ASSERT_TRUE(has(&before, after.name[i]) || strstr(after.name[i], "proj"));
    CU_ASSERT_EQUAL(count_entries("/proc/self/task"), threads);
    GDALClose(dataset);
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void open_and_close(const char *name, int times)
{
    int opened = 0;
    for (int i = 0; i < times; i++) {
        GDALDatasetH dataset = open_quietly(name);
        if (!dataset) break;
        opened++;
        GDALClose(dataset);
    }
    CU_ASSERT_EQUAL(opened, times);
}

/* The sanitizers keep what was freed for a while, and are slow. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { TIMES = 300, GROWTH_KB = 1 << 20 };
#else
enum { TIMES = 4500, GROWTH_KB = 2048 };
#endif

static void ten_thousand_datasets_leave_nothing(void)
{
    if (!driver_rig_load()) return;
    /* Most without a coordinate system, because GDAL takes a millisecond for one. */
    rig_scene plain = rig_scene_small;
    plain.crs = "";
    const char *model = rig_model_make("many.safetensors", &rig_dense);
    const char *name = driver_rig_name(model, rig_scene_make("plain.tif", &plain));
    const char *placed = driver_rig_name(model, rig_scene_make("placed.tif", &rig_scene_small));
    open_and_close(name, TIMES / 9);
    open_and_close(placed, TIMES / 9);
    const int files = count_entries("/proc/self/fd"), threads = count_entries("/proc/self/task");
    malloc_trim(0);
    const long before = resident_kb();
    open_and_close(name, TIMES / 9);
    open_and_close(placed, TIMES / 9);
    GDALDatasetH kept = open_quietly(name); /* from here on the model stays open */
    open_and_close(name, 2 * TIMES);
    open_and_close(placed, TIMES / 9);
    GDALClose(kept);
    malloc_trim(0);
    const long after = resident_kb();
    CU_ASSERT_TRUE(after - before < GROWTH_KB);
    if (after - before >= GROWTH_KB) printf("resident: %ld, then %ld KB\n", before, after);
    CU_ASSERT_EQUAL(count_entries("/proc/self/fd"), files);
    CU_ASSERT_EQUAL(count_entries("/proc/self/task"), threads);
}

/* ---- hostile names ---- */

static int messages;

static void CPL_STDCALL count_message(CPLErr class, CPLErrorNum number, const char *text)
{
    (void)number;
    CU_ASSERT_TRUE(strlen(text) < 4000);
    if (class == CE_Failure) messages++;
}

static void refused(const char *name)
{
    messages = 0;
    CPLPushErrorHandler(count_message);
    GDALDatasetH dataset =
        GDALOpenEx(name, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, NULL, NULL, NULL);
    CPLPopErrorHandler();
    CU_ASSERT_PTR_NULL(dataset);
    CU_ASSERT_EQUAL(messages, 1);
    if (dataset) GDALClose(dataset);
    if (messages != 1) printf("%d messages for %.60s\n", messages, name);
}

static void hostile_names_are_refused_once(void)
{
    if (!driver_rig_load()) return;
    enum { LONG = 1 << 20 };
    char *text = malloc(LONG + 64);
    if (!text) return;
    static const char fillers[] = {'x', ':', '"', '\\', '\1', '\xff', '/'};
    for (size_t i = 0; i < sizeof fillers; i++) {
        memcpy(text, "S2CLR:", 6);
        memset(text + 6, fillers[i], LONG);
        text[6 + LONG] = '\0';
        refused(text);
        memcpy(text + 6, "\"m\":\"", 5);
        refused(text);
    }
    for (int i = 0; i < LONG / 4; i++) memcpy(text + 6 + 4 * i, "\"a\":", 4);
    text[6 + LONG - 1] = '\0';
    refused(text);
    free(text);
    static const char *const broken[] = {
        "S2CLR:",           "S2CLR::",          "S2CLR:\"",        "S2CLR:\"\"",
        "S2CLR:\"\":\"\"",  "S2CLR:a:b\"c\":d", "S2CLR:\"a\"b:c",  "S2CLR:%s%n%s:%d",
        "S2CLR_GRID:",      "S2CLR_GRID:1",     "S2CLR_GRID:-1:5", "S2CLR_GRID: 1:5",
        "S2CLR_GRID:5:5:5", "S2CLR_GRID:0x5:5",
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) refused(broken[i]);
}

static void nothing_can_be_changed(void)
{
    if (!driver_rig_load()) return;
    const char *name = driver_rig_name(rig_model_make("update.safetensors", &rig_dense),
                                       rig_scene_make("update.tif", &rig_scene_small));
    messages = 0;
    CPLPushErrorHandler(count_message);
    GDALDatasetH dataset =
        GDALOpenEx(name, GDAL_OF_RASTER | GDAL_OF_UPDATE | GDAL_OF_VERBOSE_ERROR, NULL, NULL, NULL);
    CPLPopErrorHandler();
    CU_ASSERT_PTR_NULL(dataset);
    CU_ASSERT_EQUAL(messages, 1);
}

static const test_case cases[] = {
    {"registration only registers", registration_only_registers},
    {"opening computes nothing", opening_computes_nothing},
    {"ten thousand datasets leave nothing", ten_thousand_datasets_leave_nothing},
    {"hostile names are refused once", hostile_names_are_refused_once},
    {"nothing can be changed", nothing_can_be_changed},
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--probe") == 0) return probe(argv[2]);
    return TEST_MAIN("driver_registration", cases, argc, argv);
}
