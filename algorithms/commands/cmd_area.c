/* s2clr area: how much there is of what a map shows, from samples that chance chose. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "commands/area_rows.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "predict/output_file.h"
#include "predict/output_guard.h"
#include "report/area_design.h"
#include "report/area_report.h"

#define RIGHT_AT_MOST 0.95 /* what a map is believed to say of itself */

typedef struct job {
    const s2clr_args *args;
    s2clr_area_settings settings;
    const s2clr_progress *progress;
    s2clr_terminal terminal;
    s2clr_area_census *census;
} job;

/* ---- drawing ---- */

/* Without the option: in proportion to pixels, but the one that needs the fewest samples where
 * these are to be counted. */
static s2clr_area_allocation allocation(const s2clr_args *args)
{
    const char *word = s2clr_args_text(args, "allocation");
    if (!word) word = s2clr_args_given(args, "standard-error") ? "neyman" : "proportional";
    return *word == 'n'   ? S2CLR_AREA_NEYMAN
           : *word == 'e' ? S2CLR_AREA_EQUAL
                          : S2CLR_AREA_PROPORTIONAL;
}

/* How right each stratum is; *known: the map or the user says. */
static s2clr_status expect(const job *j, s2clr_area_expected *out, bool *known)
{
    const s2clr_area_census *c = j->census;
    const int given = j->settings.expected_count;
    const bool needed =
        s2clr_args_given(j->args, "standard-error") || allocation(j->args) == S2CLR_AREA_NEYMAN;
    if (given && given != c->strata)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--expected: %d shares for %d strata; wanted: one for each, lowest "
                               "stratum first",
                               given, c->strata);
    if (!given && needed && c->rule.classes)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--expected: a map of classes does not say how right it is; wanted: "
                               "the share of each of its %d strata that you expect to be right",
                               c->strata);
    *known = given || !c->rule.classes;
    for (int h = 0; h < c->strata; h++) {
        const double own = c->rule.classes ? 0 : fmin(c->stratum[h].right, RIGHT_AT_MOST);
        out[h] = (s2clr_area_expected){c->stratum[h].pixels, given ? j->settings.expected[h] : own};
    }
    return S2CLR_OK;
}

/* *error: to be expected of the overall accuracy, NaN when nobody says how right the map is. */
static s2clr_status allocate(const job *j, s2clr_area_expected *expected, size_t *taken,
                             double *error)
{
    const s2clr_area_allocation rule = allocation(j->args);
    const size_t strata = (size_t)j->census->strata;
    const size_t least = (size_t)s2clr_args_int(j->args, "minimum");
    bool known;
    S2CLR_TRY(expect(j, expected, &known));
    if (s2clr_args_given(j->args, "standard-error"))
        S2CLR_TRY(s2clr_area_plan(rule, s2clr_args_real(j->args, "standard-error"), least, expected,
                                  strata, taken));
    else
        S2CLR_TRY(s2clr_area_allocate(rule, (size_t)s2clr_args_int(j->args, "draw"), least,
                                      expected, strata, taken));
    *error = known ? s2clr_area_expected_error(expected, strata, taken) : NAN;
    return S2CLR_OK;
}

static s2clr_status write_drawn(job *j, const size_t *taken, double error)
{
    const char *path = s2clr_args_text(j->args, "output");
    s2clr_area_drawn *drawn;
    S2CLR_TRY(s2clr_area_draw(j->census, taken, (uint64_t)s2clr_args_int(j->args, "seed"),
                              j->progress, &drawn));
    const s2clr_status status = s2clr_area_drawn_write(
        drawn, j->census, path, s2clr_args_flag(j->args, "overwrite"), s2clr_args_line(j->args));
    s2clr_area_drawn_free(drawn);
    S2CLR_TRY(status);
    s2clr_terminal_end(&j->terminal);
    if (s2clr_edge_wants_json(j->args))
        S2CLR_TRY(s2clr_edge_result(j->args, s2clr_area_drawn_json(j->census, taken, error, path)));
    if (s2clr_args_flag(j->args, "json")) return S2CLR_OK;
    if (!s2clr_args_flag(j->args, "quiet"))
        s2clr_area_drawn_print(stdout, j->census, taken, error, path);
    return s2clr_edge_flush();
}

static s2clr_status draw(job *j)
{
    const size_t strata = (size_t)j->census->strata;
    s2clr_area_expected *expected;
    size_t *taken;
    S2CLR_TRY(s2clr_alloc(strata, sizeof *expected, "strata", (void **)&expected));
    s2clr_status status = s2clr_alloc(strata, sizeof *taken, "strata", (void **)&taken);
    if (status == S2CLR_OK) {
        double error;
        status = allocate(j, expected, taken, &error);
        if (status == S2CLR_OK) status = write_drawn(j, taken, error);
        s2clr_free(taken);
    }
    s2clr_free(expected);
    return status;
}

/* ---- estimating ---- */

static s2clr_status tell(job *j, const s2clr_area_report *report)
{
    const char *page = s2clr_args_text(j->args, "output");
    if (page) S2CLR_TRY(s2clr_area_html(page, report));
    s2clr_terminal_end(&j->terminal);
    if (s2clr_edge_wants_json(j->args))
        S2CLR_TRY(s2clr_edge_result(j->args, s2clr_area_json(report)));
    if (s2clr_args_flag(j->args, "json")) return S2CLR_OK;
    if (!s2clr_args_flag(j->args, "quiet")) s2clr_area_print(stdout, report);
    return s2clr_edge_flush();
}

static s2clr_status solve(job *j, const s2clr_area_samples *samples, s2clr_area_stratum *stratum,
                          double *mapped)
{
    const s2clr_area_census *c = j->census;
    s2clr_area_estimate *estimate;
    for (int h = 0; h < c->strata; h++)
        stratum[h] =
            (s2clr_area_stratum){c->stratum[h].name, c->stratum[h].pixels, c->stratum[h].area};
    for (int k = 0; k < samples->classes; k++) mapped[k] = samples->class_[k].area;
    const s2clr_area_problem problem = {.classes = samples->classes,
                                        .strata = c->strata,
                                        .mapped = mapped,
                                        .stratum = stratum,
                                        .unit = samples->unit,
                                        .units = samples->units,
                                        .repeated = samples->repeated};
    S2CLR_TRY(s2clr_area_estimate_make(&problem, &estimate));
    const s2clr_status status =
        tell(j, &(s2clr_area_report){c, samples, estimate, j->settings.ask.path});
    s2clr_area_estimate_free(estimate);
    return status;
}

static s2clr_status estimate(job *j)
{
    s2clr_area_stratum stratum[S2CLR_AREA_STRATA_MAX];
    double mapped[S2CLR_AREA_CLASSES_MAX];
    s2clr_area_samples *samples;
    S2CLR_TRY(s2clr_area_samples_read(&j->settings.ask, j->census, &samples));
    const s2clr_status status = solve(j, samples, stratum, mapped);
    s2clr_area_samples_free(samples);
    return status;
}

/* ---- both ---- */

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcasecmp(text + length - tail, end) == 0;
}

/* Before the map is read, which may take minutes. */
static s2clr_status check_output(const job *j)
{
    const char *output = s2clr_args_text(j->args, "output");
    const char *const inputs[] = {j->settings.rule.map, j->settings.rule.strata,
                                  j->settings.ask.path};
    if (!output) return S2CLR_OK;
    /* A page must not take the place of samples that somebody labelled. */
    if (!j->settings.drawing && !ends_with(output, ".html") && !ends_with(output, ".htm"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: the report is a page of HTML; wanted: a name that ends with "
                               ".html",
                               output);
    S2CLR_TRY(s2clr_output_guard(output, inputs, sizeof inputs / sizeof inputs[0]));
    return s2clr_output_check(output,
                              !j->settings.drawing || s2clr_args_flag(j->args, "overwrite"));
}

static s2clr_status area(const s2clr_args *args)
{
    job j = {.args = args};
    S2CLR_TRY(s2clr_area_settings_make(args, &j.settings));
    S2CLR_TRY(check_output(&j));
    const s2clr_progress progress = s2clr_edge_progress(args, &j.terminal);
    j.progress = &progress;
    s2clr_status status = s2clr_area_census_make(&j.settings.rule, &progress, &j.census);
    if (status == S2CLR_OK) {
        status = j.settings.drawing ? draw(&j) : estimate(&j);
        s2clr_area_census_free(j.census);
    }
    s2clr_terminal_end(&j.terminal);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = area(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

static const s2clr_result_row results[] = {
    {"area-ha", "classes.1.area_ha.value", "Estimated area of the positive class, ha", false},
    {"area-low-ha", "classes.1.area_ha.low", "Its interval from, ha", false},
    {"area-high-ha", "classes.1.area_ha.high", "Its interval to, ha", false},
    {"share", "classes.1.share.value", "Share of the land", false},
    {"accuracy", "overall_accuracy.value", "Overall accuracy", false},
    {"samples-used", "samples_used", "Samples used", false},
    {"expected-standard-error", "expected_standard_error", "Expected standard error of a draw",
     false},
};

const s2clr_command s2clr_cmd_area = {
    .name = "area",
    .summary = "areas with confidence intervals, from a map and a sample of labelled pixels",
    .description =
        "Counting a map's pixels gives an area with the map's mistakes in it. This estimates the "
        "area of each class, and the map's overall, user's and producer's accuracy, with 95 % "
        "confidence intervals from a probability sample of labelled pixels, which --draw draws "
        "first. Samples that do not say how chance chose them are refused.",
    .example = "s2clr area map.tif --draw 300 -o samples.gpkg",
    .title = "Estimate areas",
    .section = "Judge",
    .rows = s2clr_area_rows,
    .row_count = S2CLR_AREA_ROWS,
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,seed,config",
    .run = run,
};
