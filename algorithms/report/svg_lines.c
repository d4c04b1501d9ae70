#include <math.h>
#include <stdbool.h>

#include "report/html_page.h"
#include "report/psvg.h"

enum { WIDTH = 860, LEFT = 60, RIGHT = 500, TOP = 10, BOTTOM = 250, LEGEND = 22 };

typedef struct frame {
    double low, high; /* of the values */
    size_t most;      /* points of the longest line */
} frame;

static double value_of(const s2clr_line *line, size_t i)
{
    return line->value[i * line->stride];
}

static frame frame_of(const s2clr_line *line, size_t count)
{
    frame f = {INFINITY, -INFINITY, 1};
    for (size_t l = 0; l < count; l++) {
        if (line[l].count > f.most) f.most = line[l].count;
        for (size_t i = 0; i < line[l].count; i++) {
            const double v = value_of(&line[l], i);
            if (!isfinite(v)) continue;
            f.low = fmin(f.low, v);
            f.high = fmax(f.high, v);
        }
    }
    if (!(f.high >= f.low)) f.low = 0, f.high = 1;
    if (!(f.high > f.low)) f.low -= 0.5, f.high += 0.5;
    return f;
}

static double x_of(const frame *f, size_t i)
{
    return f->most > 1 ? LEFT + (double)i / (double)(f->most - 1) * (RIGHT - LEFT) : LEFT;
}

static double y_of(const frame *f, double v)
{
    return BOTTOM - (v - f->low) / (f->high - f->low) * (BOTTOM - TOP);
}

static void axes(FILE *to, const frame *f, const char *unit)
{
    for (int k = 0; k <= 4; k++) {
        const double v = f->low + k * (f->high - f->low) / 4, y = y_of(f, v);
        fprintf(to,
                "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"var(--line)\"/>"
                "<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n",
                LEFT, y, RIGHT, y, LEFT - 6, y + 4, v);
    }
    fprintf(to,
            "<text class=\"soft\" x=\"%d\" y=\"%d\">1</text><text class=\"soft\" x=\"%d\" "
            "y=\"%d\" text-anchor=\"end\">",
            LEFT, BOTTOM + 18, RIGHT, BOTTOM + 18);
    s2clr_html_text(to, unit);
    fprintf(to, " %zu</text>\n", f->most);
}

/* Three colours times four dashes. */
static void put_style(FILE *to, size_t number)
{
    static const char *const dashes[] = {"none", "6 3", "2 3", "8 3 2 3"};
    fprintf(to, "fill=\"none\" stroke=\"var(--c%zu)\" stroke-width=\"2\" stroke-dasharray=\"%s\"",
            number % 3, dashes[number / 3 % 4]);
}

static void put_line(FILE *to, const frame *f, const s2clr_line *line, size_t number)
{
    bool drawing = false;
    fputs("<path ", to);
    put_style(to, number);
    fputs(" d=\"", to);
    for (size_t i = 0; i < line->count; i++) {
        const double v = value_of(line, i);
        if (isfinite(v)) fprintf(to, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(f, i), y_of(f, v));
        drawing = isfinite(v);
    }
    if (line->count == 1) fputs("h4", to); /* a point alone would not be seen */
    fputs("\"/>\n<path ", to);
    put_style(to, number);
    const double y = TOP + 8 + (double)number * LEGEND;
    fprintf(to, " d=\"M%d %.1fh30\"/><text x=\"%d\" y=\"%.1f\">", RIGHT + 16, y, RIGHT + 52, y + 4);
    s2clr_html_text(to, line->name);
    fputs("</text>\n", to);
}

void s2clr_svg_lines(FILE *to, const s2clr_chart *about, const s2clr_line *line, size_t count,
                     const char *unit)
{
    const frame f = frame_of(line, count);
    const int legend = TOP + (int)count * LEGEND + 8;
    s2clr_svg_begin(to, about, WIDTH, legend > BOTTOM + 28 ? legend : BOTTOM + 28);
    axes(to, &f, unit);
    for (size_t l = 0; l < count; l++) put_line(to, &f, &line[l], l);
    s2clr_svg_end(to);
}
