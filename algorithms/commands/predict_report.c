#include "commands/predict_report.h"

#include <string.h>

#include "commands/edge.h"
#include "commands/stack_rows.h"
#include "report/json_words.h"

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

json_t *s2clr_predict_json(const s2clr_predict_settings *settings, const s2clr_predict_result *r)
{
    json_t *histogram = json_array();
    for (int i = 0; i < 10; i++)
        json_array_append_new(histogram, json_integer((json_int_t)r->histogram[i]));
    json_t *out = json_pack(
        "{s:o, s:o, s:s, s:i, s:[i,i], s:I, s:I, s:I, s:o, s:o, s:o}", "output",
        s2clr_json_words(r->output), "model", s2clr_json_words(settings->model_path), "device",
        r->device, "threads", r->threads, "size", r->columns, r->rows, "pixels",
        (json_int_t)r->pixels, "valid_pixels", (json_int_t)r->valid_pixels, "skipped_pixels",
        (json_int_t)r->skipped_pixels, "histogram", histogram, "model_warning",
        s2clr_json_words(r->warning), "input", s2clr_stack_json(&r->stack));
    json_t *numbers = json_null();
    if (r->valid_pixels)
        numbers = json_pack("{s:f, s:f, s:f}", "mean", r->mean, "minimum", r->minimum, "maximum",
                            r->maximum);
    json_object_set_new(out, r->quantity, numbers);
    json_object_set_new(out, "bands", json_integer(r->bands));
    json_object_set_new(out, "style", s2clr_style_json(&r->style));
    json_object_set_new(out, "report",
                        settings->report ? s2clr_json_words(settings->report) : json_null());
    json_object_set_new(out, "polygons", s2clr_polygons_json(settings->polygons, &r->polygons));
    json_object_set_new(out, "resumed_rows", json_integer(r->resumed_rows));
    json_object_set_new(out, "seconds",
                        json_pack("{s:f, s:f, s:f, s:f}", "total", r->seconds, "read",
                                  r->read_seconds, "compute", r->compute_seconds, "write",
                                  r->write_seconds));
    json_object_set_new(out, "megapixels_per_second", json_real(r->megapixels_per_second));
    return out;
}

json_t *s2clr_style_json(const s2clr_style_told *style)
{
    return style->file[0] && !style->kept ? s2clr_json_words(style->file) : json_null();
}

json_t *s2clr_polygons_json(const char *polygons, const s2clr_polygons_told *told)
{
    if (!polygons) return json_null();
    return json_pack("{s:o, s:I, s:I, s:f, s:f}", "output", s2clr_json_words(polygons), "areas",
                     (json_int_t)told->areas, "pixels", (json_int_t)told->pixels, "area_m2",
                     told->area, "threshold", told->threshold);
}

void s2clr_sides_print(FILE *to, const s2clr_style_told *style, const char *polygons,
                       const s2clr_polygons_told *told)
{
    if (style->file[0])
        fprintf(to, "style       %s%s\n", style->file,
                style->kept ? " is not of s2clr's making and stays as it is" : "");
    if (polygons)
        fprintf(to, "areas       %s, %llu of %.1f ha together, probability %.4g or more\n",
                polygons, (unsigned long long)told->areas, told->area / 1e4, told->threshold);
}

static void print_histogram(FILE *to, const s2clr_predict_result *r)
{
    uint64_t most = 1;
    for (int i = 0; i < 10; i++) most = r->histogram[i] > most ? r->histogram[i] : most;
    for (int i = 0; i < 10; i++) {
        const int bar = (int)(40 * share(r->histogram[i], most) + 0.5);
        fprintf(to, "%-12s%.1f-%.1f %5.1f %% %.*s\n", i ? "" : "histogram", i / 10.0,
                (i + 1) / 10.0, 100 * share(r->histogram[i], r->valid_pixels), bar,
                "########################################");
    }
}

void s2clr_predict_print(FILE *to, const s2clr_predict_settings *settings,
                         const s2clr_predict_result *r)
{
    s2clr_stack_print(to, &r->stack);
    fprintf(to, "model       %s\ndevice      %s, %d thread%s\n", settings->model_path, r->device,
            r->threads, r->threads == 1 ? "" : "s");
    fprintf(to, "map         %s, %d x %d pixels, %.1f %% valid, %.1f %% skipped unread\n",
            r->output, r->columns, r->rows, 100 * share(r->valid_pixels, r->pixels),
            100 * share(r->skipped_pixels, r->pixels));
    if (r->bands > 1) fprintf(to, "bands       %d, the first is %s\n", r->bands, r->band);
    s2clr_sides_print(to, &r->style, settings->polygons, &r->polygons);
    if (settings->report) fprintf(to, "report      %s\n", settings->report);
    if (r->resumed_rows)
        fprintf(to, "resumed     %d rows of patches came from the journal\n", r->resumed_rows);
    if (r->valid_pixels) {
        fprintf(to, "%-11s mean %.4f, from %.4f to %.4f\n", r->quantity, r->mean, r->minimum,
                r->maximum);
        if (r->from_0_to_1) print_histogram(to, r);
    }
    fprintf(to, "time        %.2f s (read %.2f, compute %.2f, write %.2f), %.2f Mpix/s\n",
            r->seconds, r->read_seconds, r->compute_seconds, r->write_seconds,
            r->megapixels_per_second);
    if (r->warning[0]) fprintf(to, "mind        %s\n", r->warning);
}

bool s2clr_predict_oddity(const s2clr_predict_result *r, char *text, size_t size)
{
    if (!r->valid_pixels && r->pixels) {
        snprintf(text, size,
                 "the map holds no valid pixel; \"s2clr info\" shows nodata and mask of the input, "
                 "--min-valid what a patch needs");
        return true;
    }
    if (!(r->valid_pixels > 1) || r->minimum < r->maximum ||
        strcmp(r->quantity, "probability") != 0)
        return false;
    snprintf(text, size,
             "every valid pixel of the map is %.6g; compare the offset and the level that \"s2clr "
             "info\" shows with what the model wants",
             r->minimum);
    return true;
}

void s2clr_predict_warn(const s2clr_args *args, const s2clr_predict_result *r)
{
    char text[300];
    s2clr_stack_warn(args, &r->stack);
    if (s2clr_predict_oddity(r, text, sizeof text)) s2clr_edge_warn(args, text);
}
