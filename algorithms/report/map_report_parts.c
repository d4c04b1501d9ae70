/* How a map came about: times, input, model, settings. */
#include <cpl_string.h>
#include <math.h>
#include <string.h>

#include "report/html_card.h"
#include "report/html_page.h"
#include "report/pmap_report.h"
#include "report/svg_chart.h"

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static void put_time(FILE *to, const char *name, double seconds, double whole)
{
    char text[40];
    s2clr_html_row_begin(to, name);
    CPLsnprintf(text, sizeof text, "%.2f", seconds);
    s2clr_html_cell(to, "%s", text);
    CPLsnprintf(text, sizeof text, "%.0f %%", 100 * share(seconds, whole));
    s2clr_html_cell(to, "%s", text);
    s2clr_html_row_end(to);
}

void s2clr_map_report_times(FILE *to, const s2clr_map_report *report)
{
    static const char *const names[] = {"reading", "computing", "writing"};
    static const char *const columns[] = {"", "seconds", "share", NULL};
    const s2clr_predict_result *r = report->result;
    const double seconds[] = {r->read_seconds, r->compute_seconds, r->write_seconds};
    const double sum = seconds[0] + seconds[1] + seconds[2];
    char text[700];
    s2clr_html_section(to, "Time");
    CPLsnprintf(text, sizeof text,
                "%.2f s for the whole, %.2f million input pixels a second, on %.250s with %d "
                "thread%s. Reading, computing and writing go on at the same time, so that they may "
                "add up to more than the whole.",
                r->seconds, r->megapixels_per_second, r->device, r->threads,
                r->threads == 1 ? "" : "s");
    s2clr_html_paragraph(to, text);
    s2clr_html_table_begin(to, "Where the time went", columns);
    for (int i = 0; i < 3; i++) put_time(to, names[i], seconds[i], sum);
    s2clr_html_table_end(to);
    if (r->resumed_rows) {
        snprintf(text, sizeof text, "%d rows of patches came from the journal of an earlier run.",
                 r->resumed_rows);
        s2clr_html_paragraph(to, text);
    }
}

static void put_band(FILE *to, const s2clr_stack_band *band)
{
    char text[64];
    s2clr_html_row_begin(to, band->band);
    CPLsnprintf(text, sizeof text, "%.6g", band->metres);
    s2clr_html_cell(to, "%s", text);
    CPLsnprintf(text, sizeof text, "%.6g", band->offset);
    s2clr_html_cell(to, "%s", text);
    CPLsnprintf(text, sizeof text, "%.6g", band->nodata);
    s2clr_html_cell(to, "%s", band->has_nodata ? text : "none");
    s2clr_html_cell(to, "%d", band->number);
    fputs("<td style=\"text-align:left;overflow-wrap:anywhere;min-width:14rem\">", to);
    s2clr_html_text(to, band->source);
    fputs("</td>", to);
    s2clr_html_row_end(to);
}

void s2clr_map_report_input(FILE *to, const s2clr_map_report *report)
{
    static const char *const columns[] = {"band",   "pixel, CRS units", "offset, DN", "nodata",
                                          "number", "dataset",          NULL};
    const s2clr_stack_info *stack = &report->result->stack;
    s2clr_html_section(to, "Input");
    s2clr_html_facts_begin(to, "The scene");
    for (size_t i = 0; i < report->settings->input_count; i++)
        s2clr_html_fact(to, "file", "%s", report->settings->inputs[i]);
    s2clr_html_fact(to, "opened as", "%s", stack->opened_as);
    s2clr_html_fact(to, "acquired", "%s", stack->acquired);
    s2clr_html_fact(to, "size", "%d x %d pixels", stack->width, stack->height);
    s2clr_html_fact(to, "processing level", "%s (%s)", stack->level, stack->level_from);
    s2clr_html_fact(to, "processing baseline", "%s", stack->baseline);
    s2clr_html_fact(to, "offset", "%s", stack->offset_from);
    s2clr_html_fact(to, "mask", "%s",
                    stack->has_scl ? "scene classification (SCL)" : "nodata only");
    s2clr_html_table_end(to);
    s2clr_html_table_begin(to, "Bands, as the model takes them", columns);
    for (int i = 0; i < stack->bands; i++) put_band(to, &stack->band[i]);
    s2clr_html_table_end(to);
}

void s2clr_map_report_model(FILE *to, const s2clr_map_report *report)
{
    const s2clr_card *card = s2clr_model_card(report->model);
    s2clr_html_section(to, "Model");
    s2clr_html_facts_begin(to, "The model's card");
    s2clr_html_fact(to, "name", "%s", card->id);
    s2clr_html_fact(to, "file", "%s", s2clr_model_path(report->model));
    s2clr_html_fact(to, "SHA-256", "%s", s2clr_model_sha256(report->model));
    s2clr_html_fact(to, "maps", "%s", card->positive);
    s2clr_html_fact(to, "patch", "%d x %d pixels of %g m", card->patch, card->patch, card->metres);
    s2clr_html_card(to, card);
    s2clr_html_fact(to, "must not be used for", "%s", card->text[S2CLR_CARD_WARNING]);
    s2clr_html_table_end(to);
}

void s2clr_map_report_settings(FILE *to, const s2clr_map_report *report)
{
    static const char *const columns[] = {"option", "value", "", NULL};
    s2clr_html_section(to, "Settings");
    if (report->settings->command_line) {
        fputs("<p>The command, without what cannot change the map:</p>\n<pre><code>", to);
        s2clr_html_text(to, report->settings->command_line);
        fputs("</code></pre>\n", to);
    }
    s2clr_html_table_begin(to, "Every option", columns);
    for (size_t i = 0; i < report->setting_count; i++) {
        const s2clr_report_setting *setting = &report->setting[i];
        s2clr_html_row_begin(to, setting->name);
        fputs("<td style=\"text-align:left;overflow-wrap:anywhere;min-width:14rem\">", to);
        s2clr_html_text(to, setting->value);
        fputs("</td>", to);
        s2clr_html_cell(to, "%s", setting->given ? "given" : "default");
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}
