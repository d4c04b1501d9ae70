/* What a reader of an estimate has to know beside its numbers. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report/area_report.h"
#include "train/proportion.h"

#define PLANE_SLACK 0.01 /* of the area */

enum { FEW_SAMPLES = 20, ROWS_SHOWN = 8 };

void s2clr_area_map_text(const s2clr_area_census *census, char *out, size_t size)
{
    const s2clr_area_rule *r = &census->rule;
    if (r->classes)
        snprintf(out, size, "band %d, %d classes", r->band, census->classes);
    else
        snprintf(out, size, "band %d, '%s' from %.6g on (%s)", r->band, census->positive,
                 r->threshold, census->threshold_from);
}

void s2clr_area_where_text(const s2clr_area_census *census, char *out, size_t size)
{
    const char *name = OSRGetName(census->map.crs);
    if (census->map.geographic)
        snprintf(out, size, "on the ellipsoid of %s", name ? name : "the CRS");
    else
        snprintf(out, size, "in the plane of %s", name ? name : "the CRS");
}

typedef struct speech {
    const s2clr_area_report *report;
    s2clr_area_note each;
    void *context;
} speech;

static void say(const speech *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const speech *s, const char *format, ...)
{
    char text[1200];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    s->each(s->context, text);
}

/* ---- the sample ---- */

static void tell_design(const speech *s)
{
    const s2clr_area_samples *samples = s->report->samples;
    if (!samples->design_in_file)
        say(s,
            "That this is a probability sample (%s) was said on the command line; nothing in the "
            "samples shows it, and the estimates hang on it.",
            samples->design);
    if (strcmp(samples->design, "stratified") != 0)
        say(s, "The sample was drawn without strata; those named here are applied afterwards.");
    if (strcmp(samples->design, "systematic") == 0)
        say(s, "The intervals take a systematic sample for a random one, and are rather too wide.");
}

static void tell_left_out(const speech *s)
{
    const s2clr_area_samples *samples = s->report->samples;
    char list[600] = "", rows[200] = "";
    size_t left = 0, shown = 0;
    for (int f = S2CLR_AREA_UNLABELLED; f < S2CLR_AREA_FATES; f++) {
        const size_t used = strlen(list), n = samples->fate[f];
        if (n == 0) continue;
        snprintf(list + used, sizeof list - used, "%s%zu %s", left ? ", " : "", n,
                 s2clr_area_fate_text((s2clr_area_fate)f));
        left += n;
    }
    if (left == 0) return;
    for (size_t i = 0; i < samples->left && shown < ROWS_SHOWN; i++) {
        const size_t used = strlen(rows);
        if (samples->left_out[i].fate == S2CLR_AREA_UNLABELLED) continue;
        snprintf(rows + used, sizeof rows - used, "%s%lld", shown++ ? ", " : " (rows ",
                 samples->left_out[i].row);
    }
    say(s, "%zu of %zu samples are left out: %s%s%s.", left, left + samples->units, list, rows,
        shown == 0           ? ""
        : shown < ROWS_SHOWN ? ")"
                             : " ...)");
}

static void tell_missing(const speech *s, const size_t *missing, const char *what)
{
    const s2clr_area_census *c = s->report->census;
    char list[700] = "";
    int told = 0;
    for (int h = 0; h < c->strata; h++) {
        const char *name = c->stratum[h].name;
        const size_t used = strlen(list);
        if (!missing[h]) continue;
        if (used + strlen(name) + 60 < sizeof list)
            snprintf(list + used, sizeof list - used, "%s%zu of '%s'", told++ ? ", " : "",
                     missing[h], name);
        else if (list[used - 1] != '.')
            snprintf(list + used, sizeof list - used, " ...");
    }
    if (told)
        say(s, "%s: %s. They are taken to be like the labelled ones of their stratum.", what, list);
}

static void tell_samples(const speech *s)
{
    const s2clr_area_samples *samples = s->report->samples;
    tell_design(s);
    tell_left_out(s);
    tell_missing(s, samples->unlabelled, "Samples without a label");
    tell_missing(s, samples->removed, "Samples that were drawn and are not in the file any more");
    if (samples->shared)
        say(s,
            "%zu samples lie on a pixel that another sample lies on too, and all count; in their "
            "strata errors are not made smaller for the share of pixels that was sampled.",
            samples->shared);
}

/* ---- what the numbers do not know ---- */

static void tell_strata(const speech *s)
{
    const s2clr_area_census *c = s->report->census;
    const s2clr_area_estimate *e = s->report->estimate;
    for (int h = 0; h < e->strata; h++) {
        const s2clr_area_sampled *in = &e->within[h];
        const char *name = c->stratum[h].name;
        if (in->same >= 0)
            say(s,
                "All %zu samples of stratum '%s' (%.3g %% of the map) are truly '%s': "
                "nothing "
                "is known of the exceptions, and the standard errors leave this stratum out. Up to "
                "%.3g %% of it may be something else (95 %%, Wilson).",
                in->samples, name, 100 * c->stratum[h].area / c->area,
                s->report->samples->class_[in->same].name,
                100 * s2clr_proportion_wilson(0, in->samples).high);
        else if (in->samples < FEW_SAMPLES)
            say(s,
                "Stratum '%s' has only %zu samples; intervals of so few are rough, and mostly "
                "too narrow.",
                name, in->samples);
    }
}

static void tell_classes(const speech *s)
{
    const s2clr_area_estimate *e = s->report->estimate;
    for (int k = 0; k < e->classes; k++) {
        const char *name = s->report->samples->class_[k].name;
        if (isnan(e->of[k].user.value))
            say(s, "No sample lies where the map says '%s': its user's accuracy is unknown.", name);
        if (isnan(e->of[k].producer.value))
            say(s,
                "No sample is truly '%s': its producer's accuracy and the interval of its area "
                "are unknown.",
                name);
    }
}

static void tell_map(const speech *s)
{
    const s2clr_area_census *c = s->report->census;
    const double off = 1 / c->true_area - 1;
    if (c->warning[0]) say(s, "The map's model says of itself: %s", c->warning);
    if (c->nodata > 0)
        say(s, "%.3g %% of the raster have no value and are no part of any area here.",
            100 * c->nodata / (c->pixels + c->nodata + c->unstratified));
    if (c->unstratified > 0)
        say(s, "%.0f pixels have a value and no stratum; they are no part of any area here.",
            c->unstratified);
    if (isnan(c->true_area))
        say(s, "How far areas in the map's plane are from those on the Earth cannot be told from "
               "its CRS.");
    else if (fabs(off) > PLANE_SLACK)
        say(s,
            "Areas are those in the map's plane, %.1f %% %s than on the Earth in the middle of the "
            "map; for true ones bring the map to an equal-area CRS first (gdalwarp -r near -t_srs "
            "EPSG:6933).",
            100 * fabs(off), off > 0 ? "larger" : "smaller");
}

void s2clr_area_notes(const s2clr_area_report *report, s2clr_area_note each, void *context)
{
    const speech s = {report, each, context};
    tell_samples(&s);
    tell_strata(&s);
    tell_classes(&s);
    tell_map(&s);
}
