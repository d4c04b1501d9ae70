/*
 * From a reader into a store: what "dataset import" and "dataset create" share.
 *
 *     s2clr_fill fill = {.args = args, .kind = kind, .options = &options, ...};
 *     S2CLR_TRY(s2clr_fill_run(&fill));
 *
 * The store is made when the first patch is there: an input that holds none leaves nothing.
 */
#ifndef S2CLR_COMMANDS_DATASET_FILL_H
#define S2CLR_COMMANDS_DATASET_FILL_H

#include "commands/params.h"
#include "commands/skip_list.h"
#include "dataset/chips.h"
#include "dataset/import.h"

#define S2CLR_ROWS_FILL                                                                            \
    {"append", NULL, S2CLR_TYPE_FLAG, .group = "Output",                                           \
     .help = "The store may exist: patches it has already are left alone. An interrupted run is "  \
             "taken up so: the store becomes the same as without the interruption."},              \
        {"title",           NULL,                                                                  \
         S2CLR_TYPE_TEXT,   .meta = "TEXT",                                                        \
         .group = "Output", .help = "One line for people, kept in the store."},                    \
        S2CLR_ROW_STRICT, S2CLR_ROW_SKIPS

/* The patches of rasters, for both commands. */
#define S2CLR_ROWS_CUT                                                                             \
    {"patch",                                                                                      \
     NULL,                                                                                         \
     S2CLR_TYPE_INT,                                                                               \
     .meta = "PX",                                                                                 \
     .standard = "120",                                                                            \
     .minimum = 1,                                                                                 \
     .maximum = 8192,                                                                              \
     .group = "Patches of rasters",                                                                \
     .help = "Side of a patch, in pixels of the finest band."},                                    \
        {"stride",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_INT,                                                                           \
         .meta = "PX",                                                                             \
         .minimum = 1,                                                                             \
         .maximum = 8192,                                                                          \
         .group = "Patches of rasters",                                                            \
         .help = "From one patch to the next; without it, the side of a patch."},                  \
        {"scl",                                                                                    \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "FILE",                                                                           \
         .standard = "auto",                                                                       \
         .label = "Cloud mask (scene classification)",                                             \
         .takes = "list,file",                                                                     \
         .words = "auto,none",                                                                     \
         .group = "Patches of rasters",                                                            \
         .help = "Scene classification for the two rules below: a raster file, auto for the "      \
                 "product's own where there is one, or none."},                                    \
        {"min-valid",                                                                              \
         NULL,                                                                                     \
         S2CLR_TYPE_REAL,                                                                          \
         .meta = "SHARE",                                                                          \
         .standard = "1",                                                                          \
         .minimum = 0,                                                                             \
         .maximum = 1,                                                                             \
         .group = "Patches of rasters",                                                            \
         .help = "Patches with a smaller share of valid pixels (no nodata, no cloud, shadow or "   \
                 "snow) are left out."},                                                           \
        {"max-water",                                                                              \
         NULL,                                                                                     \
         S2CLR_TYPE_REAL,                                                                          \
         .meta = "SHARE",                                                                          \
         .standard = "1",                                                                          \
         .minimum = 0,                                                                             \
         .maximum = 1,                                                                             \
         .group = "Patches of rasters",                                                            \
         .help = "Patches with a larger share of water are left out; needs a scene "               \
                 "classification."},                                                               \
    {                                                                                              \
        "drop-negative", NULL, S2CLR_TYPE_FLAG,                                                    \
            .group = "Patches of rasters",                                                         \
            .help = "Leaves out patches with any negative reflectance, as the published set of "   \
                    "California did."                                                              \
    }

typedef struct s2clr_fill {
    const s2clr_args *args;
    const s2clr_import_kind *kind;
    const char *const *inputs; // (count)
    size_t count;
    const char *store;
    s2clr_import_options *options; /* `skipped` is set here */
    const s2clr_labels *chips;     /* points to cut patches around; NULL: what `kind` opens */
    /* May be NULL: changes a record before it is stored; *keep = false leaves it out without a
     * word. The reason of a failure is a skip unless --strict. */
    s2clr_status (*judge)(void *context, s2clr_patch_record *record, bool *keep);
    void *context;
    size_t added, present, skipped, label[3]; /* results; label: unknown, negative, positive */
} s2clr_fill;

/* Options of the rows above; borrowed from args. */
void s2clr_fill_options(const s2clr_args *args, s2clr_import_options *out);
s2clr_status s2clr_fill_run(s2clr_fill *fill);
/* What was done, as text or JSON; takes `more` over (NULL: nothing to add). */
s2clr_status s2clr_fill_report(const s2clr_fill *fill, json_t *more);

#endif
