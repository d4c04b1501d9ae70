/* Layer styles as QGIS 3.22 and later read them. */
#define _GNU_SOURCE /* open_memstream */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "predict/colour_ramp.h"
#include "predict/pmap_style.h"

enum { AREA_STEPS = 4, LABEL = 200 };

/* remark: NULL or a comment. */
static void begin(FILE *to, const char *remark, const char *categories)
{
    fputs("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n", to);
    if (remark) fprintf(to, "<!-- %s -->\n", remark);
    fprintf(to, "<qgis version=\"3.22\" styleCategories=\"%s\">\n", categories);
}

static s2clr_status no_memory(void)
{
    return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for a layer style");
}

/* Closes the text and hands it out. */
static s2clr_status end(FILE *to, char **text, char **out)
{
    fputs("</qgis>\n", to);
    s2clr_status status = fclose(to) == 0 ? S2CLR_OK : no_memory();
    if (status == S2CLR_OK) status = s2clr_strdup(*text, out);
    free(*text);
    return status;
}

static void put_attribute(FILE *to, const char *name, const char *value)
{
    char *escaped = CPLEscapeString(value, -1, CPLES_XML);
    fprintf(to, " %s=\"%s\"", name, escaped);
    CPLFree(escaped);
}

/* Numbers without the host's decimal comma. */
static void put_number(FILE *to, const char *name, double value)
{
    char text[40];
    CPLsnprintf(text, sizeof text, "%.10g", value);
    put_attribute(to, name, text);
}

static void put_option(FILE *to, const char *name, const char *value)
{
    fputs("<Option type=\"QString\"", to);
    put_attribute(to, "name", name);
    put_attribute(to, "value", value);
    fputs("/>", to);
}

/* ---- a band ---- */

typedef struct span {
    double low, high;
} span;

static span span_of(const s2clr_ramp *ramp, const s2clr_writer_band *band)
{
    if (ramp->reach > 0) return (span){-ramp->reach, ramp->reach};
    return (span){0, band->maximum > 0 ? band->maximum : 1};
}

static void label_of(const s2clr_ramp *ramp, const char *words, double value, const char *name,
                     char out[LABEL])
{
    CPLsnprintf(out, LABEL, "%.3g: %s%.120s", value, words, ramp->named ? name : "");
}

/* The ramp as QGIS edits it: two ends, and the stops between them. */
static void put_gradient(FILE *to, const s2clr_ramp *ramp)
{
    const int last = S2CLR_RAMP_STOPS - 1;
    char ends[2][32], stops[S2CLR_RAMP_STOPS * 40] = "";
    size_t used = 0;
    for (int i = 0; i < 2; i++) {
        const uint8_t *c = ramp->stop[i ? last : 0];
        snprintf(ends[i], sizeof ends[i], "%d,%d,%d,255", c[0], c[1], c[2]);
    }
    for (int i = 1; i < last; i++)
        used += (size_t)CPLsnprintf(stops + used, sizeof stops - used, "%s%.4g;%d,%d,%d,255",
                                    i > 1 ? ":" : "", (double)i / last, ramp->stop[i][0],
                                    ramp->stop[i][1], ramp->stop[i][2]);
    fputs("<colorramp type=\"gradient\" name=\"[source]\"><Option type=\"Map\">", to);
    put_option(to, "color1", ends[0]);
    put_option(to, "color2", ends[1]);
    put_option(to, "discrete", "0");
    put_option(to, "rampType", "gradient");
    put_option(to, "stops", stops);
    fputs("</Option></colorramp>\n", to);
}

static void put_legend(FILE *to, const s2clr_ramp *ramp, span s, const char *name)
{
    char low[LABEL], high[LABEL];
    label_of(ramp, ramp->low, s.low, name, low);
    label_of(ramp, ramp->high, s.high, name, high);
    for (int i = 0; i < S2CLR_RAMP_STOPS; i++) {
        const uint8_t *c = ramp->stop[i];
        const double value = s.low + (s.high - s.low) * i / (S2CLR_RAMP_STOPS - 1);
        char text[LABEL];
        CPLsnprintf(text, sizeof text, "%.3g", value);
        fprintf(to, "<item color=\"#%02x%02x%02x\" alpha=\"255\"", c[0], c[1], c[2]);
        put_number(to, "value", value);
        put_attribute(to, "label", i == 0 ? low : i == S2CLR_RAMP_STOPS - 1 ? high : text);
        fputs("/>\n", to);
    }
    fputs("<rampLegendSettings useContinuousLegend=\"1\" direction=\"0\" orientation=\"2\" "
          "prefix=\"\" suffix=\"\"",
          to);
    put_attribute(to, "minimumLabel", low);
    put_attribute(to, "maximumLabel", high);
    fputs("/>\n", to);
}

s2clr_status s2clr_style_band(const s2clr_writer_band *band, int number, char **out)
{
    const s2clr_ramp *ramp = s2clr_ramp_of(band->quantity);
    const span s = span_of(ramp, band);
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to) return no_memory();
    begin(to,
          S2CLR_STYLE_MARK " It goes when the map is made again; a style that QGIS saves over it "
                           "stays.",
          "Symbology");
    fprintf(to,
            "<pipe>\n<rasterrenderer type=\"singlebandpseudocolor\" band=\"%d\" alphaBand=\"-1\" "
            "opacity=\"1\" nodataColor=\"\"",
            number);
    put_number(to, "classificationMin", s.low);
    put_number(to, "classificationMax", s.high);
    fputs(">\n<minMaxOrigin><limits>None</limits><extent>WholeRaster</extent>"
          "<statAccuracy>Estimated</statAccuracy></minMaxOrigin>\n<rastershader>\n"
          "<colorrampshader colorRampType=\"INTERPOLATED\" classificationMode=\"1\" clip=\"0\" "
          "labelPrecision=\"3\"",
          to);
    put_number(to, "minimumValue", s.low);
    put_number(to, "maximumValue", s.high);
    fputs(">\n", to);
    put_gradient(to, ramp);
    put_legend(to, ramp, s, band->name);
    fputs("</colorrampshader>\n</rastershader>\n</rasterrenderer>\n</pipe>\n"
          "<blendMode>0</blendMode>\n",
          to);
    return end(to, &text, out);
}

/* ---- areas ---- */

static void put_symbol(FILE *to, int index, double share)
{
    uint8_t c[3];
    char fill[32];
    s2clr_ramp_colour(s2clr_ramp_of("probability"), share, c);
    snprintf(fill, sizeof fill, "%d,%d,%d,255", c[0], c[1], c[2]);
    fprintf(to,
            "<symbol type=\"fill\" name=\"%d\" alpha=\"1\" clip_to_extent=\"1\" force_rhr=\"0\">"
            "<layer class=\"SimpleFill\" enabled=\"1\" locked=\"0\" pass=\"0\"><Option "
            "type=\"Map\">",
            index);
    put_option(to, "color", fill);
    put_option(to, "style", "solid");
    put_option(to, "outline_color", "35,35,35,255");
    put_option(to, "outline_style", "solid");
    put_option(to, "outline_width", "0.2");
    put_option(to, "outline_width_unit", "MM");
    put_option(to, "joinstyle", "miter");
    fputs("</Option></layer></symbol>\n", to);
}

static void put_titles(FILE *to, const s2clr_style_title *title, int titles)
{
    fputs("<aliases>\n", to);
    for (int i = 0; i < titles; i++) {
        fprintf(to, "<alias index=\"%d\"", i + 1); /* 0 is the number of the feature */
        put_attribute(to, "field", title[i].field);
        put_attribute(to, "name", title[i].title);
        fputs("/>\n", to);
    }
    fputs("</aliases>\n", to);
}

static void put_ranges(FILE *to, double low)
{
    const double step = (1 - low) / AREA_STEPS;
    fputs("<ranges>\n", to);
    for (int i = 0; i < AREA_STEPS; i++) {
        char label[64];
        const double from = low + i * step, end_value = i + 1 < AREA_STEPS ? from + step : 1;
        CPLsnprintf(label, sizeof label, "%.3g to %.3g", from, end_value);
        fprintf(to, "<range render=\"true\" symbol=\"%d\"", i);
        put_number(to, "lower", from);
        put_number(to, "upper", end_value);
        put_attribute(to, "label", label);
        fputs("/>\n", to);
    }
    fputs("</ranges>\n<symbols>\n", to);
    for (int i = 0; i < AREA_STEPS; i++) put_symbol(to, i, low + (i + 0.5) * step);
    fputs("</symbols>\n", to);
}

s2clr_status s2clr_style_areas(const char *field, double low, const s2clr_style_title *title,
                               int titles, char **out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to) return no_memory();
    begin(to, NULL, "Symbology|Fields");
    fputs("<renderer-v2 type=\"graduatedSymbol\" graduatedMethod=\"GraduatedColor\" "
          "symbollevels=\"0\" forceraster=\"0\" enableorderby=\"0\"",
          to);
    put_attribute(to, "attr", field);
    fputs(">\n", to);
    put_ranges(to, low);
    fputs("</renderer-v2>\n<blendMode>0</blendMode>\n<featureBlendMode>0</featureBlendMode>\n", to);
    put_titles(to, title, titles);
    fputs("<layerGeometryType>2</layerGeometryType>\n", to);
    return end(to, &text, out);
}
