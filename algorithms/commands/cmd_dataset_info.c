/* s2clr dataset info: what a store is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "dataset/store.h"
#include "file/safetensors.h"
#include "report/json_words.h"

static const s2clr_param_row rows[] = {
    {"store", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .takes = "folder",
     .group = "Input", .help = "A store, as \"s2clr dataset import\" and \"create\" make them."},
};

static const char *const parts[] = {"train", "validation", "test", ""};
enum { PARTS = 4, LEVELS_MAX = 8 };

typedef struct summary {
    size_t label[3];           /* unknown, negative, positive */
    size_t part[PARTS];        /* in the order of `parts` */
    size_t placed, classified; /* with footprint, with class names */
    const char *first, *last;  /* dates, "" when none is known */
    double extent[4];          /* west, south, east, north */
    const char *level[LEVELS_MAX];
    int levels;
    int smallest, largest; /* side of the finest band */
} summary;

static void look_at_place(summary *s, const s2clr_store_row *row)
{
    if (!row->has_footprint) return;
    s->placed++;
    for (int i = 0; i < 4; i++) {
        s->extent[0] = fmin(s->extent[0], row->longitude[i]);
        s->extent[1] = fmin(s->extent[1], row->latitude[i]);
        s->extent[2] = fmax(s->extent[2], row->longitude[i]);
        s->extent[3] = fmax(s->extent[3], row->latitude[i]);
    }
}

static void look_at_level(summary *s, const char *level)
{
    for (int i = 0; i < s->levels; i++)
        if (strcmp(s->level[i], level) == 0) return;
    if (s->levels < LEVELS_MAX) s->level[s->levels++] = level;
}

static void look(const s2clr_store *store, summary *s)
{
    *s = (summary){.first = "", .last = "", .extent = {INFINITY, INFINITY, -INFINITY, -INFINITY}};
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        s->label[row->label + 1]++;
        for (int p = 0; p < PARTS; p++) s->part[p] += strcmp(row->split, parts[p]) == 0;
        s->classified += row->labels[0] != '\0';
        if (*row->date && (!*s->first || strcmp(row->date, s->first) < 0)) s->first = row->date;
        if (*row->date && strcmp(row->date, s->last) > 0) s->last = row->date;
        if (i == 0 || row->width < s->smallest) s->smallest = row->width;
        if (row->width > s->largest) s->largest = row->width;
        look_at_place(s, row);
        look_at_level(s, row->level);
    }
}

/* "U16" or "U8,U16". */
static void types_of(unsigned bits, char *out, size_t size)
{
    static const struct {
        s2clr_dtype type;
        const char *name;
    } names[] = {{S2CLR_DTYPE_U8, "U8"},
                 {S2CLR_DTYPE_U16, "U16"},
                 {S2CLR_DTYPE_I16, "I16"},
                 {S2CLR_DTYPE_F32, "F32"}};
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bits >> names[i].type & 1 && at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? "," : "", names[i].name);
}

/* ---- people ---- */

static void print_bands(const s2clr_store_about *about)
{
    for (int b = 0; b < about->bands; b++) {
        const s2clr_store_band *band = &about->band[b];
        char types[40], larger[40] = "";
        types_of(band->dtypes, types, sizeof types);
        if (memcmp(band->smallest, band->largest, sizeof band->smallest) != 0)
            snprintf(larger, sizeof larger, " to %d x %d", band->largest[1], band->largest[0]);
        printf("%-12s%-5s %d x %d%s pixels, %s\n", b ? "" : "bands", band->name, band->smallest[1],
               band->smallest[0], larger, types);
    }
}

static void print_all(const char *path, const s2clr_store *store, const summary *s)
{
    const s2clr_store_about *about = s2clr_store_describe(store);
    printf("store       %s%s\n", path, about->complete ? "" : ": not complete; see --append");
    if (*about->title) printf("title       %s\n", about->title);
    printf("patches     %zu, %zu with place, %zu with class names\n", s2clr_store_count(store),
           s->placed, s->classified);
    printf("labels      %zu positive, %zu negative, %zu unknown\n", s->label[2], s->label[1],
           s->label[0]);
    printf("parts       %zu train, %zu validation, %zu test, %zu none\n", s->part[0], s->part[1],
           s->part[2], s->part[3]);
    for (int i = 0; i < s->levels; i++)
        printf("%-12s%s\n", i ? "" : "level", *s->level[i] ? s->level[i] : "unknown");
    if (*s->first) printf("dates       %s to %s\n", s->first, s->last);
    if (s->placed)
        printf("extent      %.4f %.4f %.4f %.4f (west, south, east, north)\n", s->extent[0],
               s->extent[1], s->extent[2], s->extent[3]);
    print_bands(about);
    for (size_t i = 0; i < about->commands; i++)
        printf("%-12s%s\n", i ? "" : "made by", about->command[i]);
}

/* ---- programs ---- */

static json_t *bands_json(const s2clr_store_about *about)
{
    json_t *out = json_array();
    for (int b = 0; b < about->bands; b++) {
        const s2clr_store_band *band = &about->band[b];
        char types[40];
        types_of(band->dtypes, types, sizeof types);
        json_array_append_new(out, json_pack("{s:o, s:s, s:[i, i], s:[i, i]}", "name",
                                             s2clr_json_words(band->name), "types", types,
                                             "smallest", band->smallest[0], band->smallest[1],
                                             "largest", band->largest[0], band->largest[1]));
    }
    return out;
}

static json_t *all_json(const char *path, const s2clr_store *store, const summary *s)
{
    const s2clr_store_about *about = s2clr_store_describe(store);
    json_t *levels = json_array(), *commands = json_array();
    for (int i = 0; i < s->levels; i++)
        json_array_append_new(levels, s2clr_json_words(s->level[i]));
    for (size_t i = 0; i < about->commands; i++)
        json_array_append_new(commands, s2clr_json_words(about->command[i]));
    json_t *out = json_pack(
        "{s:o, s:o, s:b, s:I, s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:o, s:o, s:o}", "store",
        s2clr_json_words(path), "title", s2clr_json_words(about->title), "complete",
        about->complete, "patches", (json_int_t)s2clr_store_count(store), "labels", "positive",
        (json_int_t)s->label[2], "negative", (json_int_t)s->label[1], "unknown",
        (json_int_t)s->label[0], "parts", "train", (json_int_t)s->part[0], "validation",
        (json_int_t)s->part[1], "test", (json_int_t)s->part[2], "none", (json_int_t)s->part[3],
        "levels", levels, "bands", bands_json(about), "commands", commands);
    if (out && *s->first)
        json_object_set_new(
            out, "dates",
            json_pack("[o, o]", s2clr_json_words(s->first), s2clr_json_words(s->last)));
    if (out && s->placed)
        json_object_set_new(
            out, "extent",
            json_pack("[f, f, f, f]", s->extent[0], s->extent[1], s->extent[2], s->extent[3]));
    return out;
}

static s2clr_status info(const s2clr_args *args)
{
    const char *path = s2clr_args_text(args, "store");
    s2clr_store *store;
    summary s;
    S2CLR_TRY(s2clr_store_open(path, &store));
    look(store, &s);
    s2clr_status status;
    if (s2clr_args_flag(args, "json")) {
        status = s2clr_edge_json(all_json(path, store, &s));
    } else {
        print_all(path, store, &s);
        status = s2clr_edge_flush();
    }
    s2clr_store_close(store);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = info(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_dataset_info = {
    .name = "dataset info",
    .summary = "what a store holds and how it was made",
    .description =
        "Prints how many patches a store has, their labels, parts, dates, levels, extent and "
        "bands, and the commands that made it. Reads the index only, not the pixels.",
    .example = "s2clr dataset info eurosat.store",
    .title = "What a data set holds",
    .section = "Labels and data sets",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "json,config,quiet",
    .run = run,
};
