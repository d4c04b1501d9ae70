/* The index as a table of text, for spreadsheets and scripts. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataset/csv_text.h"
#include "dataset/pexport.h"

static const char heading[] =
    "name,label,cover,labels,split,country,tile,date,place,source,level,dn_offset,metres,width,"
    "height,longitude,latitude,crs,transform,sha256\n";

static void put_text(FILE *file, const char *text, char end)
{
    s2clr_csv_text(file, text);
    fputc(end, file);
}

/* The centre, back between -180 and 180. */
static void put_centre(FILE *file, const s2clr_store_row *row)
{
    double longitude = 0, latitude = 0;
    for (int i = 0; i < 4; i++) {
        longitude += row->longitude[i] / 4;
        latitude += row->latitude[i] / 4;
    }
    if (longitude > 180) longitude -= 360;
    if (longitude < -180) longitude += 360;
    if (row->has_footprint)
        fprintf(file, "%.8f,%.8f,", longitude, latitude);
    else
        fputs(",,", file);
}

static s2clr_status put(void *self, const s2clr_store_row *row, const s2clr_store_patch *patch)
{
    FILE *file = self;
    (void)patch;
    put_text(file, row->name, ',');
    if (row->label != S2CLR_LABEL_UNKNOWN) fprintf(file, "%d", (int)row->label);
    fputc(',', file);
    if (row->cover >= 0) fprintf(file, "%.10g", row->cover);
    fputc(',', file);
    const char *const texts[] = {row->labels, row->split, row->country, row->tile,
                                 row->date,   row->place, row->source,  row->level};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) put_text(file, texts[i], ',');
    fprintf(file, "%.10g,%.10g,%d,%d,", row->dn_offset, row->metres, row->width, row->height);
    put_centre(file, row);
    put_text(file, row->crs, ',');
    for (int i = 0; row->has_footprint && i < 6; i++)
        fprintf(file, "%s%.17g", i ? " " : "", row->transform[i]);
    fputc(',', file);
    put_text(file, row->sha256, '\n');
    return S2CLR_OK;
}

static s2clr_status write_all(const s2clr_store *store, const s2clr_export_place *place,
                              const s2clr_export_options *options, s2clr_export_report *report)
{
    FILE *file = fopen(place->part, "wbe");
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: %s", place->part,
                               strerror(errno));
    fputs(heading, file);
    s2clr_status status = s2clr_export_each(store, options, false, put, file, report);
    bool good = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
    const int error = errno;
    good = fclose(file) == 0 && good;
    if (status == S2CLR_OK && !good)
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", place->part,
                                 strerror(error));
    return status;
}

static s2clr_status run(const s2clr_store *store, const char *path,
                        const s2clr_export_options *options, s2clr_export_report *out)
{
    s2clr_export_report report = {.files = 1};
    s2clr_export_place place;
    S2CLR_TRY(s2clr_export_place_begin(path, false, &place));
    const s2clr_status status = write_all(store, &place, options, &report);
    S2CLR_TRY(s2clr_export_place_end(&place, status));
    *out = report;
    return S2CLR_OK;
}

const s2clr_export_kind s2clr_export_csv = {
    "csv", "the index as a table of text, one line per patch, without pixels", false, run};
