/* s2clr sweep settings: a short pretraining per combination of optimiser, rate, temperature and
 * batch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/pretrain_data.h"
#include "commands/sweep_trials.h"
#include "train/optimiser.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_SWEEP,
    {"augment", NULL, S2CLR_TYPE_TEXT, .meta = "WORDS", .standard = "multispectral",
     .group = "Training", .help = "What makes two views of a patch differ, as for pretrain."},
    {"optimisers", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .standard = "adamw,lars",
     .group = "Training", .help = "Optimisers to try; \"s2clr info\" lists them."},
    {"rates", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .standard = "0.0005,0.002",
     .group = "Training", .help = "Highest learning rates to try; lars takes them times 300."},
    {"temperatures", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .standard = "0.1,0.5",
     .group = "Training", .help = "Temperatures of the loss to try."},
    {"batches", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .standard = "64,256", .group = "Training",
     .help = "Patches per step to try."},
};

enum { VALUES_MAX = 32, WORD_MAX = 32 };

typedef struct grid {
    char optimiser[VALUES_MAX][WORD_MAX];
    double rate[VALUES_MAX], temperature[VALUES_MAX], batch[VALUES_MAX];
    size_t optimisers, rates, temperatures, batches;
} grid;

/* The next of "a,b,c" into word; false at the end. */
static bool next_word(const char **list, char word[WORD_MAX])
{
    const size_t length = strcspn(*list, ",");
    if (!**list) return false;
    snprintf(word, WORD_MAX, "%.*s", (int)(length < WORD_MAX ? length : WORD_MAX - 1), *list);
    *list += length + ((*list)[length] == ',');
    return true;
}

static s2clr_status bad_value(const char *option, const char *word, double low, double high)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--%s: \"%s\" is no number of %g to %g; wanted: at most %d numbers, "
                           "separated by commas",
                           option, word, low, high, VALUES_MAX);
}

static s2clr_status read_numbers(const s2clr_args *args, const char *option, double low,
                                 double high, double out[VALUES_MAX], size_t *count)
{
    const char *list = s2clr_args_text(args, option);
    char word[WORD_MAX] = "";
    *count = 0;
    while (next_word(&list, word)) {
        char *end;
        const double value = strtod(word, &end);
        if (end == word || *end || !(value >= low && value <= high) || *count == VALUES_MAX)
            return bad_value(option, word, low, high);
        out[(*count)++] = value;
    }
    return *count > 0 ? S2CLR_OK : bad_value(option, word, low, high);
}

static s2clr_status read_optimisers(const s2clr_args *args, grid *g)
{
    const char *list = s2clr_args_text(args, "optimisers");
    const s2clr_optimiser *found;
    char word[WORD_MAX];
    g->optimisers = 0;
    while (g->optimisers < VALUES_MAX && next_word(&list, word)) {
        S2CLR_TRY(s2clr_optimiser_find(word, &found));
        memcpy(g->optimiser[g->optimisers++], word, sizeof word);
    }
    return *list || g->optimisers == 0
               ? s2clr_error_set(S2CLR_ERR_ARGUMENT, "--optimisers: 1 to %d names are wanted",
                                 VALUES_MAX)
               : S2CLR_OK;
}

static s2clr_status read_grid(const s2clr_args *args, grid *g)
{
    S2CLR_TRY(read_optimisers(args, g));
    S2CLR_TRY(read_numbers(args, "rates", 0, 100, g->rate, &g->rates));
    S2CLR_TRY(read_numbers(args, "temperatures", 0.0001, 100, g->temperature, &g->temperatures));
    S2CLR_TRY(read_numbers(args, "batches", 2, 65536, g->batch, &g->batches));
    for (size_t i = 0; i < g->batches; i++) g->batch[i] = (double)(int)g->batch[i];
    return S2CLR_OK;
}

/* Trial `number` of the grid. */
static void plan_trial(const grid *g, size_t number, s2clr_sweep_result *result,
                       s2clr_pretrain_settings *trial)
{
    const size_t batch = number % g->batches, rest = number / g->batches;
    const size_t temperature = rest % g->temperatures, more = rest / g->temperatures;
    const size_t rate = more % g->rates, optimiser = more / g->rates;
    const bool lars = strcmp(g->optimiser[optimiser], "lars") == 0;
    trial->common.optimiser = g->optimiser[optimiser];
    trial->common.rate = g->rate[rate] * (lars ? 300 : 1);
    trial->common.batch = (int)g->batch[batch];
    trial->temperature = g->temperature[temperature];
    s2clr_pretrain_fit(trial, 0, 0);
    snprintf(result->name, sizeof result->name, "%s, rate %g, temperature %g, batch %d",
             trial->common.optimiser, trial->common.rate, trial->temperature, trial->common.batch);
}

static s2clr_status report(s2clr_sweep *sweep, const void *context)
{
    (void)context;
    return s2clr_sweep_curves_page(sweep);
}

static s2clr_status plan_trials(const s2clr_args *args, const void *context, s2clr_sweep_plan *plan)
{
    const grid *g = context;
    s2clr_pretrain_settings base;
    char *words;
    s2clr_sweep_base(args, &base);
    S2CLR_TRY(s2clr_augment_parse(s2clr_args_text(args, "augment"), &base.common.augment));
    S2CLR_TRY(s2clr_augment_format(&base.common.augment, &words));
    json_t *names = json_array();
    for (size_t i = 0; i < plan->sweep->count; i++) {
        plan->trial[i] = base;
        plan_trial(g, i, &plan->sweep->result[i], &plan->trial[i]);
        json_array_append_new(names, json_string(plan->sweep->result[i].name));
    }
    plan->settings =
        json_pack("{s:s, s:s, s:o}", "sweep", "settings", "augment", words, "trials", names);
    s2clr_free(words);
    return plan->settings ? S2CLR_OK
                          : s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the sweep's settings");
}

static s2clr_status sweep(const s2clr_args *args)
{
    grid g;
    S2CLR_TRY(read_grid(args, &g));
    const s2clr_sweep_kind kind = {
        .trials = g.optimisers * g.rates * g.temperatures * g.batches,
        .plan = plan_trials,
        .report = report,
        .context = &g,
    };
    return s2clr_sweep_run(args, &kind);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = sweep(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_sweep_settings = {
    .name = "sweep settings",
    .summary = "which optimiser, rate, temperature and batch make good encoders",
    .description =
        "Pretrains a small encoder for every combination of the listed optimisers, rates, "
        "temperatures and batches, scores it by the nearest neighbours of labelled patches, and "
        "writes the curves of all on one page. It can be stopped at any moment and goes on with "
        "--resume.",
    .example = "s2clr sweep settings eurosat.store -o settings --budget 120",
    .title = "Compare settings of pretraining",
    .section = "Train",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,device,seed,config",
    .run = run,
};
