#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/cuts.h"
#include "dataset/product_names.h"
#include "sentinel2/bands.h"
#include "sentinel2/gdal_watch.h"

enum { ENTRIES_MAX = 20000, PATH_MAX_BYTES = 4096 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder, sorted; CSLDestroy(). */
static char **list_folder(const char *path)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    char **names = VSIReadDirEx(path, ENTRIES_MAX);
    s2clr_gdal_watch_end(&watch);
    if (names) qsort(names, (size_t)CSLCount(names), sizeof *names, by_text);
    return names;
}

/* "date1", "date_2", "20160504", "2016-05-04". */
static bool is_date_name(const char *name)
{
    char date[11];
    if (strncmp(name, "date", 4) == 0) {
        const char *number = name + 4 + (name[4] == '_' || name[4] == '-');
        return *number && strspn(number, "0123456789") == strlen(number);
    }
    return strspn(name, "0123456789-") == strlen(name) && s2clr_product_date(name, date);
}

static bool join(char out[PATH_MAX_BYTES], const char *folder, const char *name)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') n--;
    return (size_t)snprintf(out, PATH_MAX_BYTES, "%.*s/%s", (int)n, folder, name) < PATH_MAX_BYTES;
}

static bool has_band_files(const char *folder)
{
    char **names = list_folder(folder);
    bool found = false;
    for (int i = 0; i < CSLCount(names) && !found; i++)
        found = s2clr_band_in_filename(names[i]) != NULL;
    CSLDestroy(names);
    return found;
}

/* Folders of dates in a place's folder; CSLDestroy(). */
static char **dates_of(const char *place)
{
    char **names = list_folder(place), **dates = NULL;
    for (int i = 0; i < CSLCount(names); i++) {
        char path[PATH_MAX_BYTES];
        if (is_date_name(names[i]) && join(path, place, names[i]) && has_band_files(path))
            dates = CSLAddString(dates, path);
    }
    CSLDestroy(names);
    return dates;
}

static int count_dates(const char *place)
{
    char **dates = dates_of(place);
    const int count = CSLCount(dates);
    CSLDestroy(dates);
    return count;
}

static bool identify(const char *path)
{
    if (count_dates(path) > 1) return true;
    char **names = list_folder(path);
    bool found = false;
    for (int i = 0; i < CSLCount(names) && !found; i++) {
        char place[PATH_MAX_BYTES];
        found = names[i][0] != '.' && join(place, path, names[i]) && count_dates(place) > 1;
    }
    CSLDestroy(names);
    return found;
}

static s2clr_status add_dates(s2clr_import *self, const char *place, char *const *dates)
{
    for (int i = 0; i < CSLCount((CSLConstList)dates); i++) {
        s2clr_cut *cut;
        const char *input = dates[i];
        S2CLR_TRY(s2clr_cuts_add(self, &input, 1, &cut));
        char name[S2CLR_CUT_TEXT], date[S2CLR_CUT_TEXT];
        if (!s2clr_path_component(place, 0, name, sizeof name) ||
            !s2clr_path_component(input, 0, date, sizeof date) ||
            (size_t)snprintf(cut->stem, sizeof cut->stem, "%.*s_%.*s", S2CLR_CUT_TEXT / 2, name,
                             S2CLR_CUT_TEXT / 2, date) >= sizeof cut->stem)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: name too long; rename the folder",
                                   input);
        snprintf(cut->place, sizeof cut->place, "%s", name);
    }
    return S2CLR_OK;
}

/* A folder with less than two dates has no pairs: left out, and told. */
static s2clr_status add_place(s2clr_import *self, const char *place)
{
    char **dates = dates_of(place);
    const int count = CSLCount(dates);
    s2clr_status status = S2CLR_OK;
    if (count > 1)
        status = add_dates(self, place, dates);
    else
        status = s2clr_import_skip(&self->options, place,
                                   "has %d folders of dates (date1, date2 ... with a file for each "
                                   "band); wanted: at least 2",
                                   count);
    CSLDestroy(dates);
    return status;
}

static bool is_folder(const char *path)
{
    char **names = list_folder(path);
    const bool folder = names != NULL;
    CSLDestroy(names);
    return folder;
}

static s2clr_status add_root(s2clr_import *self, const char *root)
{
    char **names = list_folder(root);
    const size_t before = self->count;
    s2clr_status status = S2CLR_OK;
    for (int i = 0; i < CSLCount(names) && status == S2CLR_OK; i++) {
        char place[PATH_MAX_BYTES];
        if (names[i][0] != '.' && join(place, root, names[i]) && is_folder(place))
            status = add_place(self, place);
    }
    CSLDestroy(names);
    if (status == S2CLR_OK && self->count == before)
        status = s2clr_error_set(S2CLR_ERR_FORMAT,
                                 "%s: no place with two dates in it; wanted: PLACE/date1/B02.tif, "
                                 "PLACE/date2/B02.tif ...",
                                 root);
    return status;
}

static s2clr_status list_places(s2clr_import *self, const char *const *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        S2CLR_TRY(count_dates(inputs[i]) > 1 ? add_place(self, inputs[i])
                                             : add_root(self, inputs[i]));
    return s2clr_cuts_ready(self);
}

static s2clr_status import_open(const char *const *inputs, size_t count,
                                const s2clr_import_options *options, s2clr_import **out)
{
    s2clr_import *self;
    if (options->positive)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%s: pairs have no classes of their own, so that none (\"%.60s\") is "
            "positive",
            count ? inputs[0] : "", options->positive);
    S2CLR_TRY(s2clr_cuts_new(options, &self));
    const s2clr_status status = list_places(self, inputs, count);
    if (status == S2CLR_OK)
        *out = self;
    else
        s2clr_cuts_close(self);
    return status;
}

const s2clr_import_kind s2clr_import_pairs = {
    .name = "pairs",
    .summary = "places seen on two or more dates (PLACE/date1, PLACE/date2): natural positives",
    .identify = identify,
    .open = import_open,
    .next = s2clr_cuts_next,
    .done = s2clr_cuts_done,
    .close = s2clr_cuts_close,
};
