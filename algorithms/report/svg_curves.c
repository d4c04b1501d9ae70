#include "report/svg_curves.h"

#include <math.h>

#include "report/html_page.h"
#include "report/psvg.h"

enum { WIDTH = 470, LEFT = 58, RIGHT = 454, TOP = 10, BOTTOM = 406, LEGEND = 22, BELOW = 54 };

static double x_of(double x)
{
    return LEFT + x * (RIGHT - LEFT);
}

static double y_of(double y)
{
    return BOTTOM - y * (BOTTOM - TOP);
}

static void put_axes(FILE *to, const s2clr_axes *axes)
{
    for (int k = 0; k <= 5; k++) {
        const double v = k / 5.0, x = x_of(v), y = y_of(v);
        fprintf(to,
                "<path stroke=\"var(--line)\" d=\"M%d %.1fH%dM%.1f %dV%d\"/>"
                "<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>"
                "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f</text>\n",
                LEFT, y, RIGHT, x, TOP, BOTTOM, LEFT - 7, y + 4, v, x, BOTTOM + 17, v);
    }
    if (axes->diagonal)
        fprintf(to, "<path stroke=\"var(--soft)\" stroke-dasharray=\"2 4\" d=\"M%d %dL%d %d\"/>\n",
                LEFT, BOTTOM, RIGHT, TOP);
    fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + RIGHT) / 2, BOTTOM + 36);
    s2clr_html_text(to, axes->x);
    fprintf(to, "</text><text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">",
            (TOP + BOTTOM) / 2);
    s2clr_html_text(to, axes->y);
    fputs("</text>\n", to);
}

static void put_style(FILE *to, int style)
{
    static const struct {
        const char *colour, *dashes;
    } styles[S2CLR_XY_STYLES] = {{"c0", "none"}, {"c1", "none"}, {"c0", "7 3"},  {"c1", "7 3"},
                                 {"c0", "2 3"},  {"c1", "2 3"},  {"c2", "none"}, {"c2", "5 3"}};
    const int n = style % S2CLR_XY_STYLES;
    fprintf(to, "fill=\"none\" stroke=\"var(--%s)\" stroke-width=\"2\" stroke-dasharray=\"%s\"",
            styles[n].colour, styles[n].dashes);
}

static const char *colour_of(int style)
{
    const int n = style % S2CLR_XY_STYLES;
    return n >= S2CLR_XY_QUIET ? "c2" : n % 2 ? "c1" : "c0";
}

static void put_path(FILE *to, const s2clr_xy *line)
{
    bool drawing = false;
    fputs("<path ", to);
    put_style(to, line->style);
    fputs(" d=\"", to);
    for (size_t i = 0; i < line->count; i++) {
        const bool there = isfinite(line->x[i]) && isfinite(line->y[i]);
        if (there)
            fprintf(to, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(line->x[i]), y_of(line->y[i]));
        drawing = there;
    }
    fputs("\"/>\n", to);
}

static void put_points(FILE *to, const s2clr_xy *line)
{
    const char *colour = colour_of(line->style);
    for (size_t i = 0; i < line->count; i++) {
        if (!isfinite(line->x[i]) || !isfinite(line->y[i])) continue;
        const double x = x_of(line->x[i]);
        if (line->low && isfinite(line->low[i]) && isfinite(line->high[i]))
            fprintf(to, "<path stroke=\"var(--%s)\" d=\"M%.1f %.1fV%.1f\"/>", colour, x,
                    y_of(line->low[i]), y_of(line->high[i]));
        if (line->points)
            fprintf(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"var(--%s)\"/>\n", x,
                    y_of(line->y[i]), colour);
    }
    if (line->mark && isfinite(line->mark[0]) && isfinite(line->mark[1]))
        fprintf(to,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"var(--back)\" "
                "stroke=\"var(--%s)\" stroke-width=\"2\"/>\n",
                x_of(line->mark[0]), y_of(line->mark[1]), colour);
}

static void put_name(FILE *to, const s2clr_xy *line, size_t row)
{
    const double y = BOTTOM + BELOW + (double)row * LEGEND;
    fputs("<path ", to);
    put_style(to, line->style);
    fprintf(to, " d=\"M%d %.1fh32\"/><text x=\"%d\" y=\"%.1f\">", LEFT, y, LEFT + 42, y + 4);
    s2clr_html_text(to, line->name);
    fputs("</text>\n", to);
}

void s2clr_svg_xy(FILE *to, const s2clr_chart *about, const s2clr_axes *axes, const s2clr_xy *line,
                  size_t count)
{
    s2clr_svg_begin(to, about, WIDTH, BOTTOM + BELOW + (int)count * LEGEND);
    put_axes(to, axes);
    for (size_t l = count; l-- > 0;) put_path(to, &line[l]); /* the first one on top */
    for (size_t l = count; l-- > 0;) put_points(to, &line[l]);
    for (size_t l = 0; l < count; l++) put_name(to, &line[l], l);
    s2clr_svg_end(to);
}

void s2clr_svg_row_begin(FILE *to)
{
    fputs("<div style=\"display:flex;flex-wrap:wrap;gap:0 1.5rem\">\n", to);
}

void s2clr_svg_row_end(FILE *to)
{
    fputs("</div>\n", to);
}
