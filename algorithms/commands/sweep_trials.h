/*
 * What both sweeps share: their common options, the data and the device, and the loop over trials.
 */
#ifndef S2CLR_COMMANDS_SWEEP_TRIALS_H
#define S2CLR_COMMANDS_SWEEP_TRIALS_H

#include <jansson.h>

#include "commands/dataset_rows.h"
#include "report/sweep.h"
#include "train/pretrain.h"

#define S2CLR_ROWS_SWEEP                                                                           \
    S2CLR_ROWS_DATASET,                                                                            \
        {"probe",                                                                                  \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "CLASS",                                                                          \
         .group = "Data",                                                                          \
         .help =                                                                                   \
             "Class that nearest neighbours in the validation part are to tell from the "          \
             "others, or several, separated by commas; without it, images go by their classes "    \
             "and stores by their labels."},                                                       \
        {"patches",                                                                                \
         NULL,                                                                                     \
         S2CLR_TYPE_INT,                                                                           \
         .meta = "N",                                                                              \
         .standard = "4096",                                                                       \
         .minimum = 2,                                                                             \
         .maximum = 1e9,                                                                           \
         .group = "Data",                                                                          \
         .help = "Training patches of each trial, spread evenly over the training part."},         \
        {"bands-names",                                                                            \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "LIST",                                                                           \
         .advanced = true,                                                                         \
         .label = "Names of the bands of images",                                                  \
         .group = "Data",                                                                          \
         .help = "Names of the images' bands in their order; B04,B03,B02 for three bands without " \
                 "it."},                                                                           \
        {"level",                                                                                  \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "NAME",                                                                           \
         .advanced = true,                                                                         \
         .label = "Processing level",                                                              \
         .group = "Data",                                                                          \
         .help = "Level of the card that the images' numbers are in; without it, the card's "      \
                 "first."},                                                                        \
        {"output",                                                                                 \
         "o",                                                                                      \
         S2CLR_TYPE_OUTPUT_FOLDER,                                                                 \
         .required = true,                                                                         \
         .meta = "DIR",                                                                            \
         .label = "Folder of the sweep",                                                           \
         .group = "Output",                                                                        \
         .help = "Folder of the sweep: results.jsonl, report.html and the trials' logs."},         \
        {"resume",          NULL,                                                                  \
         S2CLR_TYPE_FLAG,   .label = "Go on with what is missing",                                 \
         .group = "Output", .help = "Goes on with the trials that the folder has no result of."},  \
        {"budget",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_REAL,                                                                          \
         .meta = "MINUTES",                                                                        \
         .standard = "0",                                                                          \
         .minimum = 0,                                                                             \
         .maximum = 1e6,                                                                           \
         .group = "Output",                                                                        \
         .help = "Begins no trial that would end after so many minutes; 0: all trials. The rest "  \
                 "follows with --resume."},                                                        \
        {"dry-run",         NULL,                                                                  \
         S2CLR_TYPE_FLAG,   .label = "Only list the trials",                                       \
         .group = "Output", .help = "Prints the trials and stops."},                               \
        {"card",                                                                                   \
         NULL,                                                                                     \
         S2CLR_TYPE_INPUT,                                                                         \
         .meta = "JSON",                                                                           \
         .label = "Card to start from",                                                            \
         .takes = "file",                                                                          \
         .suffixes = "json",                                                                       \
         .group = "Data",                                                                          \
         .help = "A partial card: bands, levels."},                                                \
        {"arch",                                                                                   \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "NAME",                                                                           \
         .standard = "resnet18",                                                                   \
         .label = "Architecture",                                                                  \
         .group = "Network",                                                                       \
         .help = "Architecture of the encoder; \"s2clr info\" lists them."},                       \
        {"width",                                                                                  \
         NULL,                                                                                     \
         S2CLR_TYPE_INT,                                                                           \
         .meta = "N",                                                                              \
         .minimum = 1,                                                                             \
         .maximum = 1024,                                                                          \
         .advanced = true,                                                                         \
         .group = "Network",                                                                       \
         .help = "Channels of the first stage; without it, the "                                   \
                 "architecture's."},                                                               \
        {"depth",                                                                                  \
         NULL,                                                                                     \
         S2CLR_TYPE_INT,                                                                           \
         .meta = "N",                                                                              \
         .minimum = 1,                                                                             \
         .maximum = 64,                                                                            \
         .advanced = true,                                                                         \
         .group = "Network",                                                                       \
         .help = "Number of layers, where the architecture lets it be chosen (dense)."},           \
        {"projection",                                                                             \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "LIST",                                                                           \
         .standard = "1024,512,128",                                                               \
         .group = "Network",                                                                       \
         .help = "Widths of the layers behind the encoder whose output is compared."},             \
        {"epochs",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_INT,                                                                           \
         .meta = "N",                                                                              \
         .standard = "5",                                                                          \
         .minimum = 1,                                                                             \
         .maximum = 100000,                                                                        \
         .group = "Training",                                                                      \
         .help = "Rounds of each trial."},                                                         \
        {"neighbours",        NULL,                                                                \
         S2CLR_TYPE_INT,      .meta = "N",                                                         \
         .standard = "20",    .minimum = 1,                                                        \
         .maximum = 100000,   .advanced = true,                                                    \
         .group = "Training", .help = "Of the probe."},                                            \
    {                                                                                              \
        "precision", NULL, S2CLR_TYPE_CHOICE,                                                      \
            .standard = "f32", .choices = "f32,bf16,tf32", .advanced = true, .group = "Training",  \
            .help = "Of the arithmetic; weights, sums and moments are always f32. tf32 needs a "   \
                    "CUDA device."                                                                 \
    }

typedef struct s2clr_sweep_plan {
    s2clr_sweep *sweep;             /* names filled in */
    s2clr_pretrain_settings *trial; // (sweep->count) what differs; the rest is filled in
    json_t *settings;               /* what all trials share; the loop adds data and network */
} s2clr_sweep_plan;

/* One of the two sweeps. */
typedef struct s2clr_sweep_kind {
    size_t trials;
    /* names the trials, fills in what differs, and what they share */
    s2clr_status (*plan)(const s2clr_args *args, const void *context, s2clr_sweep_plan *plan);
    s2clr_status (*report)(s2clr_sweep *sweep,
                           const void *context); /* after each, and at the end */
    const void *context;
} s2clr_sweep_kind;

/* settings of one trial before its own are put in; --epochs, --seed, --neighbours. */
void s2clr_sweep_base(const s2clr_args *args, s2clr_pretrain_settings *out);

/* The whole sweep: plans, runs the trials that are not done as far as the budget goes, reports. */
s2clr_status s2clr_sweep_run(const s2clr_args *args, const s2clr_sweep_kind *kind);

#endif
