/* s2clr sweep augment: a short pretraining per pair of augmentations. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/pretrain_data.h"
#include "commands/sweep_trials.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_SWEEP,
    {"augment", NULL, S2CLR_TYPE_TEXT, .meta = "WORDS", .standard = "simclr-s2",
     .group = "Training",
     .help = "The augmentations that are paired, separated by commas, or a preset (\"s2clr info\" "
             "lists them)."},
    {"batch", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "128", .minimum = 2, .maximum = 65536,
     .group = "Training", .help = "Patches per step, two views of each."},
    {"rate", NULL, S2CLR_TYPE_REAL, .meta = "RATE", .standard = "0.001", .minimum = 0,
     .maximum = 100, .group = "Training", .help = "Highest learning rate."},
    {"temperature", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.1", .minimum = 0.0001,
     .maximum = 100, .group = "Training", .help = "Of the loss."},
    {"optimiser", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "adamw", .group = "Training",
     .help = "Optimiser; \"s2clr info\" lists them."},
};

typedef struct pairing {
    const s2clr_augment_entry *table;
    int line[S2CLR_AUGMENT_MAX];
    const char *name[S2CLR_AUGMENT_MAX];
    size_t count;
} pairing;

static size_t pairs_of(size_t count)
{
    return count * (count - 1) / 2;
}

static s2clr_status choose(const s2clr_args *args, pairing *p)
{
    s2clr_augment_recipe recipe;
    const size_t lines = s2clr_augment_list(&p->table);
    S2CLR_TRY(s2clr_augment_parse(s2clr_args_text(args, "augment"), &recipe));
    p->count = 0;
    for (size_t i = 0; i < lines; i++) {
        if (!(recipe.flags & p->table[i].flag)) continue;
        p->line[p->count] = (int)i;
        p->name[p->count++] = p->table[i].name;
    }
    if (p->count >= 2) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--augment %s: pairs need at least two augmentations",
                           s2clr_args_text(args, "augment"));
}

/* Both in either order, as the study drew them; a == b: one alone. */
static void plan_trial(const pairing *p, size_t a, size_t b, s2clr_sweep_result *result,
                       s2clr_pretrain_settings *trial)
{
    const bool pair = a != b;
    trial->common.augment = (s2clr_augment_recipe){
        .flags = p->table[p->line[a]].flag | p->table[p->line[b]].flag, .draw = pair ? 2 : 1};
    snprintf(result->name, sizeof result->name, "%s%s%s", p->name[a], pair ? "+" : "",
             pair ? p->name[b] : "");
}

static s2clr_status settings_of(const s2clr_args *args, const pairing *p, json_t **out)
{
    json_t *names = json_array();
    for (size_t i = 0; i < p->count; i++) json_array_append_new(names, json_string(p->name[i]));
    *out = json_pack("{s:s, s:o, s:I, s:f, s:f, s:s}", "sweep", "augment", "augmentations", names,
                     "batch", (json_int_t)s2clr_args_int(args, "batch"), "rate",
                     s2clr_args_real(args, "rate"), "temperature",
                     s2clr_args_real(args, "temperature"), "optimiser",
                     s2clr_args_text(args, "optimiser"));
    return *out ? S2CLR_OK
                : s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the sweep's settings");
}

static s2clr_status plan_trials(const s2clr_args *args, const void *context, s2clr_sweep_plan *plan)
{
    const pairing *p = context;
    s2clr_pretrain_settings base;
    size_t next = p->count;
    s2clr_sweep_base(args, &base);
    base.common.batch = (int)s2clr_args_int(args, "batch");
    base.common.rate = s2clr_args_real(args, "rate");
    base.common.optimiser = s2clr_args_text(args, "optimiser");
    base.temperature = s2clr_args_real(args, "temperature");
    s2clr_pretrain_fit(&base, 0, 0);
    for (size_t i = 0; i < plan->sweep->count; i++) plan->trial[i] = base;
    for (size_t a = 0; a < p->count; a++) {
        plan_trial(p, a, a, &plan->sweep->result[a], &plan->trial[a]);
        for (size_t b = a + 1; b < p->count; b++, next++)
            plan_trial(p, a, b, &plan->sweep->result[next], &plan->trial[next]);
    }
    return settings_of(args, p, &plan->settings);
}

/* All of them, two per view, without the worst quarter of the pairs; *words: NULL when that leaves
 * none. Free with s2clr_free(). */
static s2clr_status best_words(const s2clr_sweep *sweep, const pairing *p, char **words)
{
    size_t worst[S2CLR_AUGMENT_MAX * S2CLR_AUGMENT_MAX];
    s2clr_augment_recipe recipe = {.draw = 2};
    const size_t out = s2clr_sweep_worst(sweep, p->count, pairs_of(p->count) / 4, worst);
    size_t number = p->count;
    for (size_t a = 0; a < p->count; a++) {
        recipe.flags |= p->table[p->line[a]].flag;
        for (size_t b = a + 1; b < p->count; b++, number++)
            for (size_t k = 0; k < out; k++) {
                if (worst[k] != number) continue;
                recipe.banned[p->line[a]] |= p->table[p->line[b]].flag;
                recipe.banned[p->line[b]] |= p->table[p->line[a]].flag;
            }
    }
    return s2clr_augment_format(&recipe, words);
}

static s2clr_status write_words(const s2clr_sweep *sweep, const char *words)
{
    char path[S2CLR_SWEEP_PATH], part[S2CLR_SWEEP_PATH + 8];
    if ((size_t)snprintf(path, sizeof path, "%s/augment.txt", sweep->folder) >= sizeof path)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: the path is too long", sweep->folder);
    snprintf(part, sizeof part, "%s.part", path);
    FILE *to = fopen(part, "we");
    int failed = !to || fprintf(to, "%s\n", words) < 0;
    if (to) failed |= fclose(to) != 0;
    if (!failed && rename(part, path) == 0) return S2CLR_OK;
    const int error = errno;
    unlink(part);
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", path, strerror(error));
}

static s2clr_status report(s2clr_sweep *sweep, const void *context)
{
    const pairing *p = context;
    char *words = NULL;
    if (s2clr_sweep_done(sweep) == sweep->count) S2CLR_TRY(best_words(sweep, p, &words));
    s2clr_status status = s2clr_sweep_pairs_page(sweep, p->name, p->count, words);
    if (status == S2CLR_OK && words) status = write_words(sweep, words);
    s2clr_free(words);
    return status;
}

static s2clr_status sweep(const s2clr_args *args)
{
    pairing p;
    S2CLR_TRY(choose(args, &p));
    const s2clr_sweep_kind kind = {.trials = p.count + pairs_of(p.count),
                                   .plan = plan_trials,
                                   .report = report,
                                   .context = &p};
    return s2clr_sweep_run(args, &kind);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = sweep(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_sweep_augment = {
    .name = "sweep augment",
    .summary = "which pairs of augmentations make good encoders",
    .description =
        "Pretrains a small encoder for each augmentation and each pair of them, scores it by the "
        "nearest neighbours of labelled patches, and writes a heat map and the words with which "
        "\"s2clr pretrain --augment\" leaves the worst quarter of the pairs out. It can be stopped "
        "at any moment and goes on with --resume.",
    .example = "s2clr sweep augment eurosat.store -o pairs --budget 120",
    .title = "Compare augmentations",
    .section = "Train",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,device,seed,config",
    .run = run,
};
