/* s2clr distill: a teacher's opinion of patches in, a smaller model out. */
#include "commands/cmd_list.h"
#include "commands/dataset_rows.h"
#include "commands/edge.h"
#include "commands/labelled_run.h"
#include "commands/training_rows.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"model", "m", S2CLR_TYPE_MODEL, .required = true, .repeat = true, .meta = "TEACHER",
     .group = "Data",
     .help =
         "The model to learn from; of several, the mean of their probabilities. The student "
         "gets the first one's bands, levels, statistics, patch size and classes, unless it is to "
         "see more bands."},
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help = "The class that is label 1, where patches have labels; without it, the teacher's, or "
             "the labels of a store."},
    S2CLR_ROWS_IMAGE_BANDS,
    S2CLR_ROWS_RUN,
    S2CLR_ROWS_NETWORK("dense"),
    S2CLR_ROWS_HEAD,
    {"temperature", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "2", .minimum = 0.01,
     .maximum = 1000, .group = "Training",
     .help = "By which the logits of teacher and student are divided: higher ones show more of how "
             "sure the teacher is."},
    {"share", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "1", .minimum = 0, .maximum = 1,
     .group = "Training",
     .help = "Of the loss that is the teacher's; the labels have the rest, which all patches must "
             "have then."},
    {"hard", NULL, S2CLR_TYPE_FLAG, .group = "Training",
     .help = "Learns the teacher's decisions instead of its probabilities."},
    S2CLR_ROWS_SCHEDULE("20", "0.002", "0.01", ""),
    S2CLR_ROWS_LABELLED("flip,rot90,shift"),
};

static int run(const s2clr_args *args)
{
    s2clr_labelled job = {.args = args,
                          .teacher_share = s2clr_args_real(args, "share"),
                          .teacher_temperature = s2clr_args_real(args, "temperature"),
                          .teacher_hard = s2clr_args_flag(args, "hard")};
    job.teachers = s2clr_args_list(args, "model", &job.teacher_path);
    return s2clr_labelled_run(&job);
}

static const s2clr_result_row results[] = {
    {"trained-model", "model", "The model file", true},
    {"best-epoch", "best_epoch", "Best epoch", false},
    {"validation-auc", "validation_auc", "Validation AUC", false},
};

const s2clr_command s2clr_cmd_distill = {
    .name = "distill",
    .summary = "trains a small model to say what a large one says",
    .description =
        "Asks one or several models about every training patch once, and trains a student of any "
        "architecture to give the same probabilities. Patches need no labels: what is in neither "
        "the test nor the validation part is trained on, and where the validation part has no "
        "labels the student is judged by its agreement with the teacher. The same data, settings, "
        "seed and library version give the same weights, whatever the threads and however often "
        "the run was interrupted and resumed.",
    .example = "s2clr distill -m crop/model.safetensors eurosat_rgb.zip -o small --arch dense",
    .title = "Distil a model into a smaller one",
    .section = "Train",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,threads,device,seed,config",
    .run = run,
};
