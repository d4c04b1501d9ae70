#include "report/map_report.h"

#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_page.h"
#include "report/pmap_report.h"
#include "report/svg_chart.h"

enum { SENTENCE = 1600, LEGEND_WIDTH = 360 };

#define HECTARE 1e4

/* Two pictures side by side where there is room. */
static const char layout[] =
    "<style>\n.pictures{display:flex;flex-wrap:wrap;gap:1rem}\n"
    ".pictures figure{flex:1 1 18rem;margin:0;min-width:0}\n"
    ".pictures img{display:block;width:100%;height:auto;border:1px solid var(--line);"
    "background:repeating-linear-gradient(45deg,#aaa 0 3px,#ddd 3px 6px);"
    "print-color-adjust:exact}\n"
    ".pictures .coarse{image-rendering:pixelated}\n"
    ".legend svg{min-width:0;width:100%;max-width:26rem}\n</style>\n";

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* ---- head ---- */

static void put_lead(FILE *to, const s2clr_map_page *p)
{
    const s2clr_predict_result *r = p->report->result;
    char text[SENTENCE];
    int used = CPLsnprintf(text, sizeof text, "%.400s holds %d x %d pixels", r->output, r->columns,
                           r->rows);
    if (p->map.crs && !p->map.geographic)
        used += CPLsnprintf(
            text + used, sizeof text - (size_t)used, " of %.6g x %.6g m",
            hypot(p->map.transform[1], p->map.transform[4]) * OSRGetLinearUnits(p->map.crs, NULL),
            hypot(p->map.transform[2], p->map.transform[5]) * OSRGetLinearUnits(p->map.crs, NULL));
    used += CPLsnprintf(text + used, sizeof text - (size_t)used, ", %.1f %% of them with a value",
                        100 * share(p->summary.valid.pixels, p->summary.all.pixels));
    if (r->valid_pixels)
        CPLsnprintf(text + used, sizeof text - (size_t)used,
                    ": %s %.4f on average, from %.4f to %.4f.", r->quantity, r->mean, r->minimum,
                    r->maximum);
    else
        CPLsnprintf(text + used, sizeof text - (size_t)used, ".");
    s2clr_html_paragraph(to, text);
    s2clr_html_mind(to, r->warning);
}

static void put_warnings(FILE *to, const s2clr_map_report *report)
{
    if (!report->warnings) return;
    s2clr_html_section(to, "Warnings of the run");
    fputs("<ul>\n", to);
    for (size_t i = 0; i < report->warnings; i++) {
        fputs("<li>", to);
        s2clr_html_text(to, report->warning[i]);
        fputs("</li>\n", to);
    }
    fputs("</ul>\n", to);
}

/* ---- pictures ---- */

static void put_picture(FILE *to, const s2clr_quicklook *picture, const char *name,
                        const char *about)
{
    const bool coarse = picture->width < S2CLR_QUICKLOOK_SIDE / 2;
    fprintf(to, "<figure><img%s width=\"%d\" height=\"%d\" alt=\"",
            coarse ? " class=\"coarse\"" : "", picture->width, picture->height);
    s2clr_html_text(to, about);
    fprintf(to, "\" src=\"%s\">\n<figcaption>", picture->uri);
    s2clr_html_text(to, name);
    fputs("</figcaption></figure>\n", to);
}

/* The ramp, its ends in words, and the threshold. */
static void put_legend(FILE *to, const s2clr_map_page *p)
{
    const s2clr_map_summary *s = &p->summary;
    const double mark = (s->threshold - s->low) / (s->high - s->low) * LEGEND_WIDTH;
    fprintf(
        to,
        "<figure class=\"legend\">\n<svg viewBox=\"0 0 %d 64\" width=\"%d\" height=\"64\" "
        "role=\"img\" aria-labelledby=\"legend-t\">\n<title id=\"legend-t\">Colours of the map: ",
        LEGEND_WIDTH + 40, LEGEND_WIDTH + 40);
    s2clr_html_text(to, p->band);
    fputs("</title>\n<defs><linearGradient id=\"ramp\">", to);
    for (int i = 0; i < S2CLR_RAMP_STOPS; i++) {
        const uint8_t *c = p->ramp->stop[i];
        char at[16];
        CPLsnprintf(at, sizeof at, "%.4g", (double)i / (S2CLR_RAMP_STOPS - 1));
        fprintf(to, "<stop offset=\"%s\" stop-color=\"#%02x%02x%02x\"/>", at, c[0], c[1], c[2]);
    }
    fprintf(to,
            "</linearGradient></defs>\n<rect x=\"20\" y=\"18\" width=\"%d\" height=\"18\" "
            "fill=\"url(#ramp)\" stroke=\"var(--line)\"/>\n",
            LEGEND_WIDTH);
    for (int i = 0; i < 5; i++) {
        char text[24];
        CPLsnprintf(text, sizeof text, "%.3g", s->low + (s->high - s->low) * i / 4);
        fprintf(to, "<text x=\"%d\" y=\"52\" text-anchor=\"middle\">%s</text>\n",
                20 + LEGEND_WIDTH * i / 4, text);
    }
    if (p->probability)
        fprintf(to,
                "<path stroke=\"var(--text)\" stroke-width=\"2\" d=\"M%.1f 14V40\"/>"
                "<text x=\"%.1f\" y=\"11\" text-anchor=\"middle\">threshold</text>\n",
                20 + mark, fmin(fmax(20 + mark, 32), LEGEND_WIDTH + 6));
    fputs("</svg>\n<figcaption>", to);
    s2clr_html_text(to, p->band);
    fputs("; hatched: no value</figcaption>\n</figure>\n", to);
}

static void put_pictures(FILE *to, const s2clr_map_page *p)
{
    char name[500], about[700];
    s2clr_html_section(to, "Scene and map");
    fputs("<div class=\"pictures\">\n", to);
    if (p->scene.uri) {
        snprintf(name, sizeof name, "%s: %s", p->scene.name, p->scene.rule);
        snprintf(about, sizeof about, "%s of the part of the scene that was mapped", p->scene.name);
        put_picture(to, &p->scene, name, about);
    }
    snprintf(name, sizeof name, "%s%s%s", p->band, p->picture.rule[0] ? "; " : "", p->picture.rule);
    CPLsnprintf(about, sizeof about, "Map: %.300s, on average %.4f", p->band,
                p->report->result->mean);
    put_picture(to, &p->picture, name, about);
    fputs("</div>\n", to);
    put_legend(to, p);
    if (p->no_scene[0]) s2clr_html_paragraph(to, p->no_scene);
}

/* ---- values ---- */

static void put_histogram(FILE *to, const s2clr_map_page *p)
{
    const s2clr_map_summary *s = &p->summary;
    char title[300], about[400];
    s2clr_html_section(to, "Histogram");
    CPLsnprintf(title, sizeof title, "%.100s: pixels in %d equal steps%s", p->band, S2CLR_MAP_STEPS,
                p->probability ? "; dashed: the threshold" : "");
    int used =
        CPLsnprintf(about, sizeof about, "Histogram of %.0f pixels. Mean %.4f, from %.4f to %.4f",
                    s->valid.pixels, p->report->result->mean, p->report->result->minimum,
                    p->report->result->maximum);
    if (p->probability)
        used +=
            CPLsnprintf(about + used, sizeof about - (size_t)used, "; %.1f %% reach the threshold",
                        100 * share(s->above.pixels, s->valid.pixels));
    snprintf(about + used, sizeof about - (size_t)used, ".");
    s2clr_svg_area(to, &(s2clr_chart){"histogram", title, about}, s->step, S2CLR_MAP_STEPS, s->low,
                   (s->high - s->low) / S2CLR_MAP_STEPS, p->probability ? s->threshold : NAN);
}

/* of: what the share is taken of, 0: it has none. */
static void put_area(FILE *to, const char *name, double pixels, double area, double of)
{
    char part[40] = "", hectares[40] = "unknown";
    if (of > 0) CPLsnprintf(part, sizeof part, "%.2f %%", 100 * pixels / of);
    if (!isnan(area)) CPLsnprintf(hectares, sizeof hectares, "%.2f", area / HECTARE);
    s2clr_html_row_begin(to, name);
    s2clr_html_cell(to, "%.0f", pixels);
    s2clr_html_cell(to, "%s", part);
    s2clr_html_cell(to, "%s", hectares);
    s2clr_html_row_end(to);
}

/* How areas are measured, and what they are not. */
static void put_caveat(FILE *to, const s2clr_map_page *p)
{
    const s2clr_map_summary *s = &p->summary;
    char text[SENTENCE];
    s2clr_html_mind(to, "these are pixels counted on the map, not an estimate of the area on the "
                        "ground: what the map takes for the class by mistake and what it misses do "
                        "not cancel out. \"s2clr area\" estimates the area with its interval, from "
                        "a sample of labelled points.");
    if (!p->map.crs)
        snprintf(text, sizeof text,
                 "The map does not say where it lies, so its pixels have no "
                 "size.");
    else if (p->map.geographic)
        snprintf(text, sizeof text, "Each pixel counts with its area on the ellipsoid.");
    else if (isnan(s->true_area))
        snprintf(text, sizeof text, "Areas are those in the plane of the map's projection.");
    else
        CPLsnprintf(text, sizeof text,
                    "Areas are those in the plane of the map's projection; on the ellipsoid they "
                    "are %.5f times that in the middle of the map.",
                    s->true_area);
    s2clr_html_paragraph(to, text);
}

static void put_areas(FILE *to, const s2clr_map_page *p)
{
    static const char *const columns[] = {"", "pixels", "of those with a value", "ha", NULL};
    const s2clr_map_summary *s = &p->summary;
    const s2clr_predict_settings *settings = p->report->settings;
    char name[120], text[SENTENCE];
    s2clr_html_section(to, "Areas");
    s2clr_html_table_begin(to, "Pixels and areas on the map", columns);
    if (p->probability) {
        CPLsnprintf(name, sizeof name, "probability of %.6g or more", s->threshold);
        put_area(to, name, s->above.pixels, s->above.area, s->valid.pixels);
        CPLsnprintf(name, sizeof name, "probability below %.6g", s->threshold);
        put_area(to, name, s->valid.pixels - s->above.pixels, s->valid.area - s->above.area,
                 s->valid.pixels);
    }
    put_area(to, "with a value", s->valid.pixels, s->valid.area, s->valid.pixels);
    put_area(to, "without a value", s->all.pixels - s->valid.pixels, s->all.area - s->valid.area,
             0);
    s2clr_html_table_end(to);
    if (p->probability) {
        CPLsnprintf(text, sizeof text, "The threshold of %.6g is %s.", s->threshold,
                    strcmp(s->threshold_from, "one half") == 0 ? "one half, the model names none"
                                                               : "the one in the model's card");
        s2clr_html_paragraph(to, text);
        put_caveat(to, p);
    }
    if (!settings->polygons) return;
    CPLsnprintf(text, sizeof text,
                "Connected areas of such pixels, as polygons in %.400s: %.0f, of %.2f ha together.",
                settings->polygons, (double)p->report->result->polygons.areas,
                p->report->result->polygons.area / HECTARE);
    s2clr_html_paragraph(to, text);
}

/* ---- the page ---- */

static s2clr_status body(FILE *to, void *context)
{
    const s2clr_map_page *p = context;
    put_lead(to, p);
    put_pictures(to, p);
    put_histogram(to, p);
    put_areas(to, p);
    put_warnings(to, p->report);
    s2clr_map_report_times(to, p->report);
    s2clr_map_report_input(to, p->report);
    s2clr_map_report_model(to, p->report);
    s2clr_map_report_settings(to, p->report);
    fputs("<footer>Made by s2clr " S2CLR_VERSION ", ", to);
    s2clr_html_text(to, p->report->made);
    fputs("</footer>\n", to);
    return S2CLR_OK;
}

/* Steps over the range of the ramp; where it has none, over what the map holds. */
static void choose_span(s2clr_map_page *p, double *low, double *high)
{
    const s2clr_predict_result *r = p->report->result;
    const char *top = GDALGetMetadataItem(p->map.band, S2CLR_BAND_MAXIMUM, NULL);
    *low = p->ramp->reach > 0 ? -p->ramp->reach : 0;
    *high = p->ramp->reach > 0 ? p->ramp->reach : top ? CPLAtof(top) : 1;
    if (r->valid_pixels && p->ramp->reach > 0) {
        *low = fmin(*low, r->minimum);
        *high = fmax(*high, r->maximum);
    }
}

/* A scene that cannot be shown is no reason to have no report. */
static void look_at_scene(s2clr_map_page *p)
{
    const s2clr_predict_result *r = p->report->result;
    if (s2clr_quicklook_scene(&r->stack, r->input_window, &p->scene) == S2CLR_OK) return;
    snprintf(p->no_scene, sizeof p->no_scene, "There is no picture of the scene: %.500s",
             s2clr_error_text());
    s2clr_error_clear();
}

static s2clr_status prepare(s2clr_map_page *p)
{
    const s2clr_predict_result *r = p->report->result;
    double low, high;
    S2CLR_TRY(s2clr_map_open_anywhere(r->output, 1, &p->map));
    p->ramp = s2clr_ramp_of(r->quantity);
    p->probability = strcmp(r->quantity, "probability") == 0;
    if (!p->ramp)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "--report: a page shows probability, entropy, valid or evidence; "
                               "the first band is %s",
                               r->quantity);
    choose_span(p, &low, &high);
    S2CLR_TRY(s2clr_map_summary_make(&p->map, low, high, &p->summary));
    S2CLR_TRY(s2clr_quicklook_map(&p->map, p->ramp, low, high, &p->picture));
    look_at_scene(p);
    return S2CLR_OK;
}

s2clr_status s2clr_map_report_write(const char *path, const s2clr_map_report *report)
{
    const char *const head[] = {s2clr_html_policy, layout, NULL};
    s2clr_map_page *page;
    char title[400], band[300];
    S2CLR_TRY(s2clr_alloc(1, sizeof *page, "page of a map", (void **)&page));
    page->report = report;
    page->band = band;
    snprintf(band, sizeof band, "%s%s",
             strcmp(report->result->quantity, "probability") ? "" : "Probability of ",
             report->result->band);
    s2clr_status status = prepare(page);
    snprintf(title, sizeof title, "%.150s: %.200s", band, base_name(report->result->output));
    if (status == S2CLR_OK) status = s2clr_html_write_with(path, title, head, body, page);
    s2clr_quicklook_free(&page->scene);
    s2clr_quicklook_free(&page->picture);
    s2clr_map_close(&page->map);
    s2clr_free(page);
    return status;
}
