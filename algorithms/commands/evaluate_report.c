#include "commands/evaluate_report.h"

#include "base/memory.h"

/* Samples of a group and how many of them the model calls positive. */
static void count_group(const s2clr_evaluation *e, int group, size_t *n, size_t *called)
{
    *n = *called = 0;
    for (size_t i = 0; i < e->samples->count; i++) {
        if (e->samples->groups[i] != group) continue;
        ++*n;
        *called += e->p[i] >= e->metrics[0].threshold;
    }
}

static json_t *groups_json(const s2clr_evaluation *e)
{
    json_t *out = json_array();
    for (int g = 0; e->samples->groups && g < e->samples->group_count; g++) {
        size_t n, called;
        count_group(e, g, &n, &called);
        json_array_append_new(out, json_pack("{s:s, s:I, s:I}", "class", e->samples->group_names[g],
                                             "samples", (json_int_t)n, "called_positive",
                                             (json_int_t)called));
    }
    return out;
}

static json_t *metrics_json(const s2clr_metrics *metrics)
{
    char *text;
    if (s2clr_metrics_format(metrics, &text) != S2CLR_OK) return NULL;
    json_t *out = json_loads(text, 0, NULL);
    s2clr_free(text);
    return out;
}

json_t *s2clr_evaluation_json(const s2clr_evaluation *e)
{
    const s2clr_card *card = s2clr_model_card(e->model);
    json_t *rows = json_array();
    for (int i = 0; i < e->rows; i++)
        json_array_append_new(rows, json_pack("{s:s, s:o}", "name", e->name[i], "metrics",
                                              metrics_json(&e->metrics[i])));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:i, s:b, s:f}, s:o, s:o, s:s}", "model",
                     s2clr_model_path(e->model), "id", card->id, "sha256",
                     s2clr_model_sha256(e->model), "positive", card->positive, "level", e->level,
                     "part", e->part, "disturbance", "shift", e->perturb.shift, "blur",
                     e->perturb.blur, "gain", e->perturb.gain, "rows", rows, "classes",
                     groups_json(e), "no_baseline", e->no_baseline);
}

static void print_table(FILE *to, const s2clr_evaluation *e)
{
    static const char *const heads[S2CLR_EVALUATION_ROWS] = {"model", "baseline"};
    fprintf(to, "\n%-14s", "");
    for (int i = 0; i < e->rows; i++) fprintf(to, "  %-26s", heads[i]);
    fputc('\n', to);
    for (int m = 0; m < S2CLR_METRICS; m++) {
        fprintf(to, "%-14s", s2clr_metric_name((s2clr_metric)m));
        for (int i = 0; i < e->rows; i++) {
            const s2clr_metrics *x = &e->metrics[i];
            if (x->resamples)
                fprintf(to, "  %.4f [%.4f, %.4f]    ", x->value[m], x->low[m], x->high[m]);
            else
                fprintf(to, "  %-26.4f", x->value[m]);
        }
        fputc('\n', to);
    }
    fprintf(to, "%-14s", "threshold");
    for (int i = 0; i < e->rows; i++) fprintf(to, "  %-26.4f", e->metrics[i].threshold);
    fprintf(to, "\n%-14s", "tp fp fn tn");
    for (int i = 0; i < e->rows; i++) {
        const s2clr_metrics *x = &e->metrics[i];
        char text[90];
        snprintf(text, sizeof text, "%zu %zu %zu %zu", x->tp, x->fp, x->fn, x->tn);
        fprintf(to, "  %-26s", text);
    }
    fputs("\n\n", to);
}

void s2clr_evaluation_print(FILE *to, const s2clr_evaluation *e)
{
    const s2clr_card *card = s2clr_model_card(e->model);
    const s2clr_metrics *m = &e->metrics[0];
    fprintf(to, "model       %s (%s)\n", card->id, s2clr_model_path(e->model));
    fprintf(to, "samples     %zu of part %s, %zu of them %s (%.2f %%), level %s\n", m->n, e->part,
            m->positives, card->positive, m->n ? 100 * (double)m->positives / (double)m->n : 0.0,
            e->level);
    if (e->perturb.shift || e->perturb.blur || e->perturb.gain != 1)
        fprintf(to, "disturbance shift %d px, %s, gain %g\n", e->perturb.shift,
                e->perturb.blur ? "blurred" : "not blurred", e->perturb.gain);
    if (m->resamples)
        fprintf(to, "intervals   95 %%, %d bootstrap resamples of the samples\n", m->resamples);
    if (e->rows > 1) fprintf(to, "baseline    %s\n", e->name[1]);
    if (e->no_baseline[0]) fprintf(to, "no baseline %s\n", e->no_baseline);
    print_table(to, e);
    for (int g = 0; e->samples->groups && g < e->samples->group_count; g++) {
        size_t n, called;
        count_group(e, g, &n, &called);
        fprintf(to, "%-12s%-24.24s %6zu of %6zu called %s\n", g ? "" : "classes",
                e->samples->group_names[g], called, n, card->positive);
    }
    if (card->text[S2CLR_CARD_WARNING][0])
        fprintf(to, "mind        %s\n", card->text[S2CLR_CARD_WARNING]);
}
