/*
 * The options that training commands share, and what they mean for a run.
 *
 *     static const s2clr_param_row rows[] = {
 *         S2CLR_ROWS_DATASET, S2CLR_ROWS_IMAGE_BANDS, S2CLR_ROWS_RUN,
 *         S2CLR_ROWS_NETWORK("resnet18"), S2CLR_ROWS_SCHEDULE("20", "0.002", "0.01", ""),
 *     };
 *     S2CLR_TRY(s2clr_training_read(args, &settings.common));
 */
#ifndef S2CLR_COMMANDS_TRAINING_ROWS_H
#define S2CLR_COMMANDS_TRAINING_ROWS_H

#include "commands/params.h"
#include "train/supervised.h"

/* clang-format off */
#define S2CLR_ROWS_IMAGE_BANDS                                                                     \
    {"bands-names", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .advanced = true,                       \
     .label = "Names of the bands of images", .group = "Data",                                     \
     .help = "Names of the images' bands in their order; without it, those of the model that is "  \
             "gone on from, or B04,B03,B02 for three bands."},                                     \
    {"level", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .advanced = true,                             \
     .label = "Processing level", .group = "Data",                                                 \
     .help = "Level of the card that the images' numbers are in; without it, the level that the "  \
             "model gone on from was trained on, or the card's first."}

#define S2CLR_ROWS_RUN                                                                             \
    {"output", "o", S2CLR_TYPE_OUTPUT_FOLDER, .required = true, .meta = "RUN_DIR",                 \
     .label = "Folder of the run", .group = "Output",                                              \
     .help = "Folder of the run: model.safetensors, run.txt, settings.json, curves.svg, "          \
             "log.jsonl and checkpoint.safetensors."},                                             \
    {"resume", NULL, S2CLR_TYPE_FLAG, .label = "Go on from the checkpoint of the folder",          \
     .group = "Output",                                                                            \
     .help = "Goes on from the folder's checkpoint: the weights become the same as without the "   \
             "interruption."},                                                                     \
    {"dry-run", NULL, S2CLR_TYPE_FLAG, .label = "Only tell what it would take", .group = "Output", \
     .help = "Prints what would be trained, the memory it needs and the time it takes here, from " \
             "one step, and stops."},                                                              \
    {"card", NULL, S2CLR_TYPE_INPUT, .meta = "JSON", .label = "Card to start from",                \
     .takes = "file", .suffixes = "json", .group = "Output",                                       \
     .help = "A partial card to fill the model's with: id, title, warning, levels, texts."}

#define S2CLR_ROWS_NETWORK(architecture)                                                           \
    {"arch", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = architecture,                      \
     .label = "Architecture", .group = "Network",                                                  \
     .help = "Architecture, such as dense or resnet18; \"s2clr info\" lists them."},               \
    {"width", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 1024,                    \
     .advanced = true, .group = "Network",                                                         \
     .help = "Channels of the first stage; without it, the architecture's."},                      \
    {"depth", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 1, .maximum = 64, .advanced = true,    \
     .group = "Network",                                                                           \
     .help = "Number of layers, where the architecture lets it be chosen (dense)."}

#define S2CLR_ROWS_SCHEDULE(rounds, highest, decay, hint)                                          \
    {"epochs", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = rounds, .minimum = 1,                \
     .maximum = 100000, .group = "Training", .help = "Rounds through the training patches."},      \
    {"rate", NULL, S2CLR_TYPE_REAL, .meta = "RATE", .standard = highest, .minimum = 0,             \
     .maximum = 100, .group = "Training",                                                          \
     .help = "Highest learning rate, after the warm-up; then it falls along half a cosine." hint}, \
    {"optimiser", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "adamw",                      \
     .advanced = true, .group = "Training", .help = "Optimiser; \"s2clr info\" lists them."},      \
    {"weight-decay", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = decay, .minimum = 0,          \
     .maximum = 100, .advanced = true, .group = "Training", .help = "Weight decay."},              \
    {"warmup", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.1", .minimum = 0,            \
     .maximum = 1, .advanced = true, .group = "Training",                                          \
     .help = "Share of all steps in which the rate rises from 0."},                                \
    {"precision", NULL, S2CLR_TYPE_CHOICE, .standard = "f32", .choices = "f32,bf16,tf32",          \
     .advanced = true, .group = "Training",                                                        \
     .help = "Of the arithmetic; weights, sums and moments are always f32. tf32 needs a CUDA "      \
             "device."}

/* What learning from labels has, whoever gives them. */
#define S2CLR_ROWS_LABELLED(changes)                                                               \
    {"batch", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "64", .minimum = 1,                   \
     .maximum = 65536, .group = "Training", .help = "Samples per step."},                          \
    {"augment", NULL, S2CLR_TYPE_TEXT, .meta = "WORDS", .standard = changes,                       \
     .label = "Augmentations", .group = "Training",                                                \
     .help = "Random changes of each patch: words separated by commas, a preset (multispectral, "  \
             "simclr-s2), or none; \"s2clr info\" lists them, and 2:WORD,WORD,WORD draws two."},   \
    {"balance", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.5", .minimum = 0, .maximum = 1, \
     .group = "Training",                                                                          \
     .help = "Share of the labels in a batch: 0 as they come, 1 equal, between: mixed."},          \
    {"class-weights", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .advanced = true,                     \
     .group = "Training",                                                                          \
     .help = "Factors of the labels' losses, W0,W1 or one per class in the order of their names; " \
             "auto: inverse to how often they come in the training part; without it, 1."},         \
    {"label-smoothing", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0", .minimum = 0,         \
     .maximum = 1, .advanced = true, .group = "Training",                                          \
     .help = "Moves the targets of the labels towards all of them alike by this share."},          \
    {"patience", NULL, S2CLR_TYPE_INT, .meta = "EPOCHS", .standard = "6", .minimum = 0,            \
     .maximum = 100000, .group = "Training",                                                       \
     .help = "Stops after so many epochs without a better validation AUC; 0: never."},             \
    {"micro", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "16", .minimum = 1,                   \
     .maximum = 65536, .advanced = true, .group = "Training",                                      \
     .help = "Samples computed at once by one thread; the batch is a multiple of it."}

#define S2CLR_ROWS_FRACTION                                                                        \
    {"labels-fraction", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "1", .minimum = 0,     \
     .maximum = 1, .group = "Data",                                                                \
     .help = "Share of the training part to use, of every label, more than 0."},                   \
    {"labels-choice", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "0", .minimum = 0,            \
     .maximum = 2147483647, .advanced = true, .group = "Data",                                     \
     .help = "Another number takes that share of other patches."}

#define S2CLR_ROWS_HEAD                                                                            \
    {"hidden", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .advanced = true,                            \
     .label = "Widths of hidden layers", .group = "Network",                                       \
     .help = "Widths of new layers before the last one, such as 256,256; without it, none."}
/* clang-format on */

/* Folder, optimiser, rate, decay, warm-up, epochs, batch, seed, resume and augmentations: what the
 * rows above say. */
s2clr_status s2clr_training_read(const s2clr_args *args, s2clr_training *out);

/* Refuses a run folder inside the folder of the images or the store: the next run, or --resume,
 * would take it for a class. */
s2clr_status s2clr_run_folder_outside(const s2clr_args *args);

/* The rest of S2CLR_ROWS_LABELLED but the class weights, which need the data. */
s2clr_status s2clr_supervised_read(const s2clr_args *args, s2clr_supervised_settings *out);

/* --class-weights for `labels` labels with count[i] training samples each; *given is false without
 * the option. */
s2clr_status s2clr_class_weights_read(const s2clr_args *args, size_t labels, const size_t *count,
                                      double *out, bool *given);

/* "256,256" of an option to numbers; *count is 0 without it. */
s2clr_status s2clr_widths_read(const s2clr_args *args, const char *option, int out[S2CLR_HEAD_MAX],
                               int *count);

#endif
