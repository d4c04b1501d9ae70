#define _GNU_SOURCE /* GDAL's VSIStatBufL is struct stat64 */
#include "dataset/pimages.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "base/memory.h"

enum { DEPTH_MAX = 3 /* folders below the top: one common folder, the class, one too many */ };

static bool ends_with(const char *text, size_t length, const char *end)
{
    const size_t n = strlen(end);
    return length >= n && EQUALN(text + length - n, end, n);
}

static bool is_image(const char *path)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".tif", ".tiff"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(path, strlen(path), endings[i])) return true;
    return false;
}

/* Files that only other programs made and nobody means: ".DS_Store", "__MACOSX/...". */
static bool is_hidden(const char *path)
{
    const char *part = path;
    while (part) {
        if (part[0] == '.' || STARTS_WITH(part, "__MACOSX")) return true;
        part = strchr(part, '/');
        if (part) part++;
    }
    return false;
}

static bool is_product(const char *path, size_t length)
{
    return strstr(path, ".SAFE/") || ends_with(path, length, ".SAFE") ||
           ends_with(path, length, "_labels_metadata.json");
}

static s2clr_status list_grow(s2clr_image_list *list)
{
    s2clr_image_entry *entries;
    size_t room;
    S2CLR_TRY(s2clr_size_mul(list->room ? list->room : 256, 2, &room));
    S2CLR_TRY(s2clr_alloc(room, sizeof *entries, "list of images", (void **)&entries));
    if (list->count) memcpy(entries, list->entries, list->count * sizeof *entries);
    s2clr_free(list->entries);
    list->entries = entries;
    list->room = room;
    return S2CLR_OK;
}

static s2clr_status list_add(s2clr_image_list *list, const char *path, uint64_t index, bool folder)
{
    const size_t length = strlen(path);
    if (length == 0 || is_hidden(path)) return S2CLR_OK;
    if (is_product(path, length)) list->product = true;
    if (!folder && !is_image(path)) return S2CLR_OK;
    if (list->count == list->room) S2CLR_TRY(list_grow(list));
    s2clr_image_entry *entry = &list->entries[list->count];
    S2CLR_TRY(s2clr_strdup(path, &entry->path));
    if (folder && entry->path[length - 1] == '/') entry->path[length - 1] = '\0';
    entry->index = index;
    entry->folder = folder;
    list->count++;
    return S2CLR_OK;
}

static s2clr_status read_folder(const char *path, s2clr_image_list *list)
{
    VSIDIR *dir = VSIOpenDir(path, DEPTH_MAX, NULL);
    if (!dir) return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot list this folder", path);
    s2clr_status status = S2CLR_OK;
    const VSIDIREntry *entry;
    while (status == S2CLR_OK && (entry = VSIGetNextDirEntry(dir)))
        status = list_add(list, entry->pszName, 0, VSI_ISDIR(entry->nMode));
    VSICloseDir(dir);
    return status;
}

static s2clr_status read_zip(const char *path, s2clr_image_list *list)
{
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_RDONLY, &code);
    if (!archive) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        s2clr_error_set(S2CLR_ERR_FORMAT, "%s: not a readable zip (%s)", path,
                        zip_error_strerror(&error));
        zip_error_fini(&error);
        return S2CLR_ERR_FORMAT;
    }
    s2clr_status status = S2CLR_OK;
    const zip_int64_t count = zip_get_num_entries(archive, 0);
    for (zip_int64_t i = 0; status == S2CLR_OK && i < count; i++) {
        const char *name = zip_get_name(archive, (zip_uint64_t)i, 0);
        if (!name)
            status = s2clr_error_set(S2CLR_ERR_FORMAT, "%s: member %lld has no readable name", path,
                                     (long long)i);
        else
            status = list_add(list, name, (uint64_t)i, ends_with(name, strlen(name), "/"));
    }
    zip_discard(archive);
    return status;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const s2clr_image_entry *)a)->path, ((const s2clr_image_entry *)b)->path);
}

s2clr_status s2clr_image_list_read(const char *path, s2clr_image_list *list)
{
    VSIStatBufL info;
    *list = (s2clr_image_list){0};
    if (VSIStatL(path, &info) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: no such folder or zip", path);
    list->zip = !VSI_ISDIR(info.st_mode);
    const s2clr_status status = list->zip ? read_zip(path, list) : read_folder(path, list);
    if (status != S2CLR_OK) {
        s2clr_image_list_free(list);
        return status;
    }
    if (list->count) qsort(list->entries, list->count, sizeof *list->entries, by_path);
    return S2CLR_OK;
}

void s2clr_image_list_free(s2clr_image_list *list)
{
    for (size_t i = 0; i < list->count; i++) s2clr_free(list->entries[i].path);
    s2clr_free(list->entries);
    *list = (s2clr_image_list){0};
}
