#include "commands/area_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands/number.h"

const s2clr_param_row s2clr_area_rows[] = {
    {"map", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .takes = "layer,file",
     .group = "Map",
     .help = "Map of probabilities, as predict writes it; or of classes, with --classes."},
    {"samples", NULL, S2CLR_TYPE_VECTOR, .positional = true, .group = "Samples",
     .help = "Labelled points of a probability sample: what --draw wrote, with its column label "
             "filled in, or any points or CSV with lon and lat. Without them, --draw or "
             "--standard-error draws some."},
    {"band", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "1", .minimum = 1, .maximum = 65535,
     .group = "Map", .help = "Band of the map."},
    {"threshold", NULL, S2CLR_TYPE_REAL, .meta = "P", .minimum = 0, .maximum = 1, .group = "Map",
     .help = "Probability from which a pixel counts as mapped; without it, that of the model that "
             "made the map, else 0.5."},
    {"classes", NULL, S2CLR_TYPE_FLAG, .group = "Map",
     .help = "The map holds classes, whole numbers from 0 to 255, and so do the labels."},
    {"breaks", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Map",
     .help = "Strata are ranges of the probability that end at these, as \"0.1,0.5,0.9\"; without "
             "it, what is mapped and what is not."},
    {"strata", NULL, S2CLR_TYPE_INPUT, .meta = "RASTER", .takes = "layer,file", .group = "Map",
     .help = "Strata are the whole numbers from 0 to 255 of this raster, on the map's grid."},
    {"layer", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Samples",
     .help = "Layer of the samples, when there are several."},
    {"label-column", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .standard = "label", .group = "Samples",
     .help = "Column that says what is on the ground; empty: not known."},
    {"positive-value", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Samples",
     .help = "Labels of what is mapped, separated by commas; without it, 1 is and 0 is not."},
    {"negative-value", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Samples",
     .help = "Labels of what is not; others then count as not known. Without it, all others are."},
    {"design", NULL, S2CLR_TYPE_CHOICE, .choices = S2CLR_AREA_DESIGNS, .group = "Samples",
     .help = "How chance chose the samples, when they have no column design: within the strata, "
             "over the whole map, or on a grid with a random start."},
    {"draw", NULL, S2CLR_TYPE_INT, .meta = "N", .minimum = 2, .maximum = 10000000, .group = "Draw",
     .help = "Draws a stratified random sample of N pixels into --output instead of estimating."},
    {"standard-error", NULL, S2CLR_TYPE_REAL, .meta = "S", .minimum = 1e-6, .maximum = 0.5,
     .group = "Draw",
     .help = "Draws as many as this standard error of the overall accuracy needs, as 0.01, when "
             "the map is as right as --expected says and samples are given out as --allocation "
             "says."},
    {"allocation", NULL, S2CLR_TYPE_CHOICE, .choices = "proportional,equal,neyman",
     .group = "Draw",
     .help = "Samples of a stratum in proportion to its pixels, the same for all, or in proportion "
             "to pixels times expected standard deviation (least error of the accuracy); without "
             "it, proportional, but neyman with --standard-error."},
    {"minimum", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "50", .minimum = 2,
     .maximum = 10000000, .group = "Draw",
     .help = "At least so many samples per stratum, or an equal share of all when that is less."},
    {"expected", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Draw",
     .help = "Share of each stratum that is expected to be mapped right, lowest stratum first, as "
             "\"0.9,0.7\"; without it, what the map's probabilities say, but 0.95 at most."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .label = "Report, or drawn samples",
     .suffixes = "html,gpkg", .group = "Output",
     .help =
         "With --draw the GeoPackage of samples; else a report as one page of HTML, which needs "
         "no other file and no script."},
    {"overwrite", NULL, S2CLR_TYPE_FLAG, .label = "Replace existing samples", .group = "Output",
     .help = "Replaces existing samples, with the labels in them."},
};

/* ---- lists ---- */

static s2clr_status read_list(const char *option, const char *text, bool ascending, double *out,
                              int *count)
{
    *count = 0;
    for (const char *at = text; at && *at;) {
        const size_t length = strcspn(at, ",");
        char word[64];
        double value = NAN;
        snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), at);
        const char *bare = word + strspn(word, " ");
        const bool good = s2clr_number_real(bare, &value) && value >= 0 && value <= 1;
        const bool after = !ascending || (value > (*count ? out[*count - 1] : 0) && value < 1);
        if (!good || !after || *count == S2CLR_AREA_LIST_MAX)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "--%s: '%s' stands in the list; wanted: at most %d numbers %s, "
                                   "separated by commas",
                                   option, word, S2CLR_AREA_LIST_MAX,
                                   ascending ? "between 0 and 1, each larger than the one before"
                                             : "from 0 to 1");
        out[(*count)++] = value;
        at += length + (at[length] == ',');
    }
    return S2CLR_OK;
}

/* ---- what goes together ---- */

static s2clr_status refuse_any(const s2clr_args *args, const char *const *names, const char *why)
{
    for (; *names; names++)
        if (s2clr_args_given(args, *names))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--%s: %s", *names, why);
    return S2CLR_OK;
}

static s2clr_status check_together(const s2clr_args *args, bool drawing)
{
    static const char *const of_drawing[] = {"allocation", "minimum", "expected", "overwrite",
                                             NULL};
    static const char *const of_samples[] = {"layer",          "label-column", "positive-value",
                                             "negative-value", "design",       NULL};
    static const char *const of_probabilities[] = {"threshold", "breaks", NULL};
    if (s2clr_args_given(args, "draw") && s2clr_args_given(args, "standard-error"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--draw and --standard-error both say how many samples to draw; "
                               "wanted: one of them");
    if (s2clr_args_flag(args, "classes"))
        S2CLR_TRY(refuse_any(args, of_probabilities, "a map of classes has no probabilities"));
    if (s2clr_args_given(args, "breaks") && s2clr_args_given(args, "strata"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--breaks and --strata both say what the strata are; wanted: one of "
                               "them");
    if (drawing && s2clr_args_given(args, "samples"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: samples to estimate from, and --draw to draw others; wanted: "
                               "one of them",
                               s2clr_args_text(args, "samples"));
    if (drawing) {
        S2CLR_TRY(refuse_any(args, of_samples, "is about labelled samples, and --draw makes new"));
        if (!s2clr_args_given(args, "output"))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "--draw: needs a file for the samples: -o samples.gpkg");
        return S2CLR_OK;
    }
    if (!s2clr_args_given(args, "samples"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "no samples are given; wanted: labelled points, or --draw N -o "
                               "samples.gpkg to draw some");
    return refuse_any(args, of_drawing, "is about drawing samples; --draw N is missing");
}

s2clr_status s2clr_area_settings_make(const s2clr_args *args, s2clr_area_settings *out)
{
    int breaks;
    out->drawing = s2clr_args_given(args, "draw") || s2clr_args_given(args, "standard-error");
    S2CLR_TRY(check_together(args, out->drawing));
    S2CLR_TRY(read_list("breaks", s2clr_args_text(args, "breaks"), true, out->breaks, &breaks));
    S2CLR_TRY(read_list("expected", s2clr_args_text(args, "expected"), false, out->expected,
                        &out->expected_count));
    out->rule = (s2clr_area_rule){
        .map = s2clr_args_text(args, "map"),
        .band = (int)s2clr_args_int(args, "band"),
        .classes = s2clr_args_flag(args, "classes"),
        .threshold = s2clr_args_given(args, "threshold") ? s2clr_args_real(args, "threshold") : NAN,
        .breaks = out->breaks,
        .break_count = breaks,
        .strata = s2clr_args_text(args, "strata"),
    };
    out->ask = (s2clr_area_ask){
        .path = s2clr_args_text(args, "samples"),
        .layer = s2clr_args_text(args, "layer"),
        .label_column = s2clr_args_text(args, "label-column"),
        .positive = s2clr_args_text(args, "positive-value"),
        .negative = s2clr_args_text(args, "negative-value"),
        .design = s2clr_args_text(args, "design"),
    };
    return S2CLR_OK;
}
