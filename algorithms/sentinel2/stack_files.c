#define _GNU_SOURCE
#include "sentinel2/stack_files.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "sentinel2/pstack.h"

#define FILES_MAX 1024 /* more are not worth looking at again and again */
#define DEPTH_MAX 8    /* VRT of VRT of ... */

/* Formats whose pixels all stand in the files of their file list. */
static const char *const flat[] = {"GTiff",    "COG",       "JP2OpenJPEG", "JP2KAK", "JP2ECW",
                                   "JP2MrSID", "PNG",       "JPEG",        "HFA",    "ENVI",
                                   "EHdr",     "SENTINEL2", "VRT",         NULL};

typedef struct list {
    char **item; // (count + 1)
    size_t count;
} list;

typedef struct walk {
    list name, local;
    bool complete;
    char *missing;
} walk;

/* false when there are too many. */
static bool add(list *to, const char *text)
{
    for (size_t i = 0; i < to->count; i++)
        if (strcmp(to->item[i], text) == 0) return true;
    if (to->count == FILES_MAX) return false;
    if (s2clr_strdup(text, &to->item[to->count]) != S2CLR_OK) return false;
    to->count++;
    return true;
}

/* Steps over /vsizip/ and the like, which read a file of another file system; NULL for those that
 * have no file on disk. */
static const char *beneath(const char *name)
{
    static const char *const containers[] = {"/vsizip/", "/vsitar/", "/vsigzip/",
                                             "/vsi7z/",  "/vsirar/", "/vsisubfile/"};
    const size_t count = sizeof containers / sizeof containers[0];
    while (strncmp(name, "/vsi", 4) == 0) {
        size_t i = 0;
        while (i < count && !STARTS_WITH(name, containers[i])) i++;
        if (i == count) return NULL;
        name += strlen(containers[i]);
        if (i == count - 1) { /* offset_size,file */
            name = strchr(name, ',');
            if (!name) return NULL;
            name++;
        }
        while (*name == '{') name++;
    }
    return name;
}

/* The file on disk that holds `name`: its longest leading part that is a file. */
static bool find_local(const char *name, char path[PATH_MAX])
{
    struct stat info;
    const char *text = beneath(name);
    if (!text || strlen(text) >= PATH_MAX) return false;
    strcpy(path, text);
    path[strcspn(path, "}")] = '\0';
    while (path[0]) {
        if (stat(path, &info) == 0) return S_ISREG(info.st_mode);
        char *slash = strrchr(path, '/');
        if (!slash) return false;
        *slash = '\0';
    }
    return false;
}

static void add_file(walk *w, const char *name)
{
    char path[PATH_MAX], *real;
    if (!add(&w->name, name)) w->complete = false;
    real = find_local(name, path) ? realpath(path, NULL) : NULL;
    if (!real || !add(&w->local, real)) w->complete = false;
    free(real);
}

/* ---- datasets ---- */

static void walk_dataset(walk *w, GDALDatasetH dataset, int depth);

/* A path, and nothing there. */
static bool is_missing(const char *name)
{
    VSIStatBufL info;
    return !strchr(name, ':') && name[0] != '<' &&
           VSIStatExL(name, &info, VSI_STAT_EXISTS_FLAG) != 0;
}

static void walk_source(walk *w, const char *name, int depth)
{
    GDALDatasetH dataset = GDALOpenEx(name, GDAL_OF_RASTER | GDAL_OF_READONLY, flat, NULL, NULL);
    if (!dataset) {
        w->complete = false;
        if (!w->missing && is_missing(name)) (void)s2clr_strdup(name, &w->missing);
        return;
    }
    walk_dataset(w, dataset, depth + 1);
    GDALClose(dataset);
}

/* A pixel function may read what it likes. */
static bool is_function(const CPLXMLNode *node)
{
    return EQUAL(node->pszValue, "PixelFunctionType") ||
           EQUAL(node->pszValue, "PixelFunctionLanguage") || EQUAL(node->pszValue, "Algorithm");
}

static void walk_vrt(walk *w, const CPLXMLNode *node, const char *folder, int depth)
{
    const char *last = "";
    for (; node && w->complete; node = node->psNext) {
        if (node->eType != CXT_Element) continue;
        walk_vrt(w, node->psChild, folder, depth);
        if (is_function(node)) w->complete = false;
        if (!EQUAL(node->pszValue, "SourceFilename") && !EQUAL(node->pszValue, "SourceDataset"))
            continue;
        const char *text = CPLGetXMLValue(node, NULL, "");
        if (strcmp(text, last) == 0) continue;
        last = text;
        const bool relative = atoi(CPLGetXMLValue(node, "relativeToVRT", "0")) != 0;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s%s%s", relative ? folder : "", relative ? "/" : "", text);
        walk_source(w, path, depth);
    }
}

static void walk_sources_of(walk *w, GDALDatasetH dataset, int depth)
{
    CSLConstList text = (CSLConstList)GDALGetMetadata(dataset, "xml:VRT");
    CPLXMLNode *xml = text && text[0] && depth < DEPTH_MAX ? CPLParseXMLString(text[0]) : NULL;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", CPLGetDirname(GDALGetDescription(dataset)));
    if (xml)
        walk_vrt(w, xml, folder, depth);
    else
        w->complete = false;
    CPLDestroyXMLNode(xml);
}

static void walk_dataset(walk *w, GDALDatasetH dataset, int depth)
{
    GDALDriverH driver = GDALGetDatasetDriver(dataset);
    const char *kind = driver ? GDALGetDriverShortName(driver) : "";
    char **files = GDALGetFileList(dataset);
    if (CSLFindString((CSLConstList)flat, kind) < 0 || !files || !files[0]) w->complete = false;
    for (char **file = files; file && *file; file++) add_file(w, *file);
    CSLDestroy(files);
    if (EQUAL(kind, "VRT") && w->complete) walk_sources_of(w, dataset, depth);
}

/* ---- the stack ---- */

s2clr_status s2clr_stack_files_list(const s2clr_stack *stack, s2clr_stack_files *out)
{
    walk w = {.complete = true};
    s2clr_gdal_watch watch;
    S2CLR_TRY(s2clr_alloc(FILES_MAX + 1, sizeof *w.name.item, "file names", (void **)&w.name.item));
    const s2clr_status status =
        s2clr_alloc(FILES_MAX + 1, sizeof *w.local.item, "file names", (void **)&w.local.item);
    if (status != S2CLR_OK) {
        s2clr_free(w.name.item);
        return status;
    }
    s2clr_gdal_watch_begin(&watch);
    for (int i = 0; i < stack->opened; i++) walk_dataset(&w, stack->open[i].handle, 0);
    s2clr_gdal_watch_end(&watch);
    *out = (s2clr_stack_files){w.name.item, w.local.item, w.complete, w.missing};
    return S2CLR_OK;
}

s2clr_status s2clr_stack_files_check(const s2clr_stack_files *files, const char *name)
{
    if (files->missing)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: its source %s is not there; bring it back", name,
                               files->missing);
    for (char **file = files->local; files->complete && *file; file++) {
        struct stat info;
        if (stat(*file, &info) != 0)
            return s2clr_error_set(S2CLR_ERR_IO,
                                   "%s: vanished while it was being read through %s; bring it back "
                                   "or open another raster",
                                   *file, name);
    }
    return S2CLR_OK;
}

void s2clr_stack_files_free(s2clr_stack_files *files)
{
    for (char **item = files->name; item && *item; item++) s2clr_free(*item);
    for (char **item = files->local; item && *item; item++) s2clr_free(*item);
    s2clr_free(files->name);
    s2clr_free(files->local);
    s2clr_free(files->missing);
    *files = (s2clr_stack_files){0};
}
