#include <math.h>
#include <string.h>

#include "report/area_report.h"
#include "report/text_cell.h"

enum { NAME = 28, COUNT = 18 };

static double hectares(double m2)
{
    return m2 / 1e4;
}

static void put_name(FILE *to, const char *name)
{
    fputs("  ", to);
    s2clr_text_cell(to, name, NAME);
}

static void put_share(FILE *to, const s2clr_area_number *x)
{
    char text[64] = "unknown";
    if (!isnan(x->error))
        snprintf(text, sizeof text, "%.4f [%.4f, %.4f] %.4f", x->value, x->low, x->high, x->error);
    else if (!isnan(x->value))
        snprintf(text, sizeof text, "%.4f [unknown]", x->value);
    fprintf(to, "  %-31s", text);
}

static void put_head(FILE *to, const s2clr_area_report *r)
{
    char text[300];
    const s2clr_area_census *c = r->census;
    s2clr_area_map_text(c, text, sizeof text);
    fprintf(to, "map         %s, %s\n", c->rule.map, text);
    s2clr_area_where_text(c, text, sizeof text);
    fprintf(to, "mapped      %.1f ha (%.4g km2), %.0f pixels, %s\n", hectares(c->area),
            c->area / 1e6, c->pixels, text);
    fprintf(to, "samples     %s: %zu used, %s\n", r->path, r->estimate->samples,
            r->samples->design);
    const s2clr_area_number *all = &r->estimate->overall;
    if (isnan(all->error))
        fprintf(to, "overall     %.4f right, interval unknown\n", all->value);
    else
        fprintf(to, "overall     %.4f right, 95 %% interval %.4f to %.4f, standard error %.4f\n",
                all->value, all->low, all->high, all->error);
}

static void put_areas(FILE *to, const s2clr_area_report *r)
{
    fprintf(to, "\n%-*s  %12s  %12s  %-27s  %10s  %7s\n", NAME + 2, "area in ha", "mapped",
            "estimated", "95 % interval", "std error", "share");
    for (int k = 0; k < r->estimate->classes; k++) {
        const s2clr_area_class *x = &r->estimate->of[k];
        char range[64] = "unknown", error[32] = "unknown";
        put_name(to, r->samples->class_[k].name);
        if (!isnan(x->area.error)) {
            snprintf(range, sizeof range, "%.1f to %.1f", hectares(x->area.low),
                     hectares(x->area.high));
            snprintf(error, sizeof error, "%.1f", hectares(x->area.error));
        }
        fprintf(to, "  %12.1f  %12.1f  %-27s  %10s  %7.4f\n", hectares(x->mapped),
                hectares(x->area.value), range, error, x->share.value);
    }
}

static void put_accuracies(FILE *to, const s2clr_area_report *r)
{
    fprintf(to, "\n%-*s  %-31s  %s\n", NAME + 2, "accuracy [95 %] std error",
            "user's (what is mapped, is it)", "producer's (what is, is it mapped)");
    for (int k = 0; k < r->estimate->classes; k++) {
        put_name(to, r->samples->class_[k].name);
        put_share(to, &r->estimate->of[k].user);
        put_share(to, &r->estimate->of[k].producer);
        fputc('\n', to);
    }
}

static void put_matrix(FILE *to, const s2clr_area_report *r)
{
    const int n = r->estimate->classes;
    fprintf(to, "\n%-*s", NAME + 2, "samples: map down, truth across");
    for (int j = 0; j < n; j++) {
        fputs("  ", to);
        s2clr_text_cell(to, r->samples->class_[j].name, COUNT);
    }
    fputc('\n', to);
    for (int i = 0; i < n; i++) {
        put_name(to, r->samples->class_[i].name);
        for (int j = 0; j < n; j++) fprintf(to, "  %-*zu", COUNT, r->estimate->count[i * n + j]);
        fputc('\n', to);
    }
}

static void put_strata(FILE *to, const s2clr_area_report *r)
{
    fprintf(to, "\n%-*s  %12s  %12s  %8s  %8s\n", NAME + 2, "strata", "pixels", "ha", "samples",
            "right");
    for (int h = 0; h < r->census->strata; h++) {
        const s2clr_area_kind *s = &r->census->stratum[h];
        put_name(to, s->name);
        fprintf(to, "  %12.0f  %12.1f  %8zu  %8zu\n", s->pixels, hectares(s->area),
                r->estimate->within[h].samples, r->estimate->within[h].right);
    }
}

static void put_note(void *to, const char *text)
{
    fprintf(to, "note        %s\n", text);
}

void s2clr_area_print(FILE *to, const s2clr_area_report *report)
{
    put_head(to, report);
    put_areas(to, report);
    put_accuracies(to, report);
    put_matrix(to, report);
    put_strata(to, report);
    fputc('\n', to);
    s2clr_area_notes(report, put_note, to);
}

/* With the options that strata and classes hang on. */
static void put_command(FILE *to, const s2clr_area_rule *rule, const char *threshold_from,
                        const char *path)
{
    fprintf(to, "s2clr area %s %s", rule->map, path);
    if (rule->band != 1) fprintf(to, " --band %d", rule->band);
    if (rule->classes) fputs(" --classes", to);
    if (!rule->classes && strcmp(threshold_from, "given") == 0)
        fprintf(to, " --threshold %.15g", rule->threshold);
    for (int i = 0; i < rule->break_count; i++)
        fprintf(to, "%s%.15g", i ? "," : " --breaks ", rule->breaks[i]);
    if (rule->strata) fprintf(to, " --strata %s", rule->strata);
    fputc('\n', to);
}

void s2clr_area_drawn_print(FILE *to, const s2clr_area_census *census, const size_t *taken,
                            double error, const char *path)
{
    char text[300];
    size_t all = 0;
    for (int h = 0; h < census->strata; h++) all += taken[h];
    s2clr_area_map_text(census, text, sizeof text);
    fprintf(to, "map         %s, %s\n", census->rule.map, text);
    s2clr_area_where_text(census, text, sizeof text);
    fprintf(to, "mapped      %.1f ha (%.4g km2), %.0f pixels, %s\n", hectares(census->area),
            census->area / 1e6, census->pixels, text);
    fprintf(to, "samples     %s: %zu drawn\n", path, all);
    if (!isnan(error))
        fprintf(to,
                "expected    standard error %.5f of the overall accuracy, if the strata are as "
                "right as expected\n",
                error);
    fprintf(to, "\n%-*s  %12s  %12s  %8s\n", NAME + 2, "strata", "pixels", "ha", "samples");
    for (int h = 0; h < census->strata; h++) {
        const s2clr_area_kind *s = &census->stratum[h];
        put_name(to, s->name);
        fprintf(to, "  %12.0f  %12.1f  %8zu\n", s->pixels, hectares(s->area), taken[h]);
    }
    fputs("\nFill the column 'label' with what is on the ground, whatever the map says, then:\n",
          to);
    put_command(to, &census->rule, census->threshold_from, path);
}
