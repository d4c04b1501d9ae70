#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_page.h"
#include "report/svg_chart.h"
#include "report/sweep.h"

static s2clr_status page_path(const s2clr_sweep *sweep, char out[S2CLR_SWEEP_PATH])
{
    if ((size_t)snprintf(out, S2CLR_SWEEP_PATH, "%s/report.html", sweep->folder) < S2CLR_SWEEP_PATH)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "folder %.200s...: the path is too long",
                           sweep->folder);
}

static void cell(FILE *to, double value, const char *format)
{
    char text[32] = "";
    if (isfinite(value)) snprintf(text, sizeof text, format, value);
    s2clr_html_cell(to, "%s", text);
}

/* From the best on. */
static s2clr_status table(FILE *to, const s2clr_sweep *sweep)
{
    static const char *const columns[] = {"trial",  "AUC",     "accuracy", "loss",
                                          "epochs", "seconds", "remark",   NULL};
    size_t *order;
    S2CLR_TRY(s2clr_alloc(sweep->count, sizeof *order, "trials in order", (void **)&order));
    size_t left = s2clr_sweep_worst(sweep, 0, sweep->count, order);
    s2clr_html_table_begin(to, "All trials that are done, the best first", columns);
    while (left-- > 0) {
        const s2clr_sweep_result *r = &sweep->result[order[left]];
        s2clr_html_row_begin(to, r->name);
        cell(to, r->score, "%.4f");
        cell(to, r->accuracy, "%.4f");
        cell(to, r->loss, "%.4f");
        s2clr_html_cell(to, "%zu", r->epochs);
        cell(to, r->seconds, "%.0f");
        s2clr_html_cell(to, "%s", r->trouble[0] ? r->trouble : r->collapsed ? "collapsed" : "");
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
    s2clr_free(order);
    return S2CLR_OK;
}

/* What all trials share; lists are the trials themselves. */
static void settings_table(FILE *to, const char *settings)
{
    const char *key;
    json_t *root = json_loads(settings, 0, NULL), *value;
    s2clr_html_facts_begin(to, "What all trials share");
    json_object_foreach(root, key, value)
    {
        if (json_is_array(value)) continue;
        if (json_is_string(value))
            s2clr_html_fact(to, key, "%s", json_string_value(value));
        else
            s2clr_html_fact(to, key, "%.6g", json_number_value(value));
    }
    s2clr_html_table_end(to);
    json_decref(root);
}

static void introduce(FILE *to, const s2clr_sweep *sweep)
{
    char text[200];
    snprintf(
        text, sizeof text,
        "%zu of %zu trials are done. The score is the AUC of nearest neighbours among labelled "
        "patches that were not trained on; labels are not trained on either.",
        s2clr_sweep_done(sweep), sweep->count);
    s2clr_html_paragraph(to, text);
    settings_table(to, sweep->settings);
}

/* ---- pairs ---- */

typedef struct pairs {
    const s2clr_sweep *sweep;
    const char *const *names;
    size_t count;
    const char *words;
} pairs;

/* Mean of the scores that are there, NaN for none. */
static double mean_score(const s2clr_sweep *sweep)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < sweep->count; i++) {
        if (isnan(sweep->result[i].score)) continue;
        sum += sweep->result[i].score;
        count++;
    }
    return count ? sum / (double)count : NAN;
}

static s2clr_status heat(FILE *to, const pairs *p)
{
    const size_t n = p->count;
    const double mean = mean_score(p->sweep);
    const s2clr_sweep_result *pair = p->sweep->result + n;
    char text[200];
    double *value;
    S2CLR_TRY(s2clr_alloc(n * n, sizeof *value, "heat map", (void **)&value));
    for (size_t a = 0; a < n; a++) {
        value[a * n + a] = 100 * (p->sweep->result[a].score - mean);
        for (size_t b = a + 1; b < n; b++, pair++)
            value[a * n + b] = value[b * n + a] = 100 * (pair->score - mean);
    }
    snprintf(text, sizeof text,
             "A matrix of %zu augmentations: AUC in hundredths above or below the mean of %.4f.", n,
             mean);
    const s2clr_chart about = {
        .id = "pairs",
        .title = "AUC of pairs, and of single ones on the diagonal, in hundredths above the mean",
        .text = text};
    s2clr_svg_heat(to, &about, p->names, value, n, "%+.1f");
    s2clr_free(value);
    return S2CLR_OK;
}

static s2clr_status pairs_body(FILE *to, void *context)
{
    const pairs *p = context;
    introduce(to, p->sweep);
    s2clr_html_section(to, "Which go together");
    S2CLR_TRY(heat(to, p));
    if (p->words) {
        s2clr_html_section(to, "Without the worst quarter of the pairs");
        s2clr_html_paragraph(to, p->words);
        s2clr_html_paragraph(to, "These words are what pretraining takes as --augment; they also "
                                 "stand in augment.txt.");
    }
    s2clr_html_section(to, "Trials");
    return table(to, p->sweep);
}

s2clr_status s2clr_sweep_pairs_page(const s2clr_sweep *sweep, const char *const *names,
                                    size_t count, const char *words)
{
    char path[S2CLR_SWEEP_PATH];
    pairs context = {.sweep = sweep, .names = names, .count = count, .words = words};
    S2CLR_TRY(page_path(sweep, path));
    return s2clr_html_write(path, "Pairs of augmentations", pairs_body, &context);
}

/* ---- curves ---- */

/* Of the best trials, as many as can be told apart. */
enum { SHOWN = 8 };

static void curves(FILE *to, const s2clr_sweep *sweep, const size_t *order, size_t done,
                   size_t column, const s2clr_chart *about)
{
    s2clr_line line[SHOWN];
    const size_t shown = done < SHOWN ? done : SHOWN;
    for (size_t i = 0; i < shown; i++) {
        const s2clr_sweep_result *r = &sweep->result[order[done - 1 - i]];
        line[i] = (s2clr_line){.name = r->name, .count = r->epochs, .stride = 2};
        line[i].value = r->epochs ? r->curve + column : NULL;
    }
    s2clr_svg_lines(to, about, line, shown, "epoch");
}

static s2clr_status curves_body(FILE *to, void *context)
{
    const s2clr_sweep *sweep = context;
    static const s2clr_chart score = {.id = "score",
                                      .title = "AUC of the probe by epoch, the best trials",
                                      .text = "One line per trial; the table has the numbers."};
    static const s2clr_chart loss = {.id = "loss",
                                     .title = "Loss by epoch, the same trials",
                                     .text = "Losses of different batches and temperatures are not "
                                             "comparable; the table has the last ones."};
    size_t *order;
    introduce(to, sweep);
    S2CLR_TRY(s2clr_alloc(sweep->count, sizeof *order, "trials in order", (void **)&order));
    const size_t done = s2clr_sweep_worst(sweep, 0, sweep->count, order);
    s2clr_html_section(to, "Curves");
    curves(to, sweep, order, done, 1, &score);
    curves(to, sweep, order, done, 0, &loss);
    s2clr_free(order);
    s2clr_html_section(to, "Trials");
    return table(to, sweep);
}

s2clr_status s2clr_sweep_curves_page(const s2clr_sweep *sweep)
{
    char path[S2CLR_SWEEP_PATH];
    S2CLR_TRY(page_path(sweep, path));
    return s2clr_html_write(path, "Settings of pretraining", curves_body, (void *)(uintptr_t)sweep);
}
