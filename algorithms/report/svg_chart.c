#include "report/svg_chart.h"

#include <math.h>
#include <string.h>

#include "report/html_page.h"
#include "report/psvg.h"

enum { WIDTH = 760, ROW = 22, LABELS = 240, NAME_MAX = 34, CELL = 46 };

void s2clr_svg_begin(FILE *to, const s2clr_chart *about, int width, int height)
{
    fputs("<figure>\n<figcaption>", to);
    s2clr_html_text(to, about->title);
    fprintf(to,
            "</figcaption>\n<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
            "aria-labelledby=\"%s-t %s-d\">\n<title id=\"%s-t\">",
            width, height, width, height, about->id, about->id, about->id);
    s2clr_html_text(to, about->title);
    fprintf(to, "</title>\n<desc id=\"%s-d\">", about->id);
    s2clr_html_text(to, about->text);
    fputs("</desc>\n", to);
}

void s2clr_svg_end(FILE *to)
{
    fputs("</svg>\n</figure>\n", to);
}

/* A name of at most NAME_MAX bytes, cut between characters; the whole of it as a tooltip. */
static void put_name(FILE *to, const char *name)
{
    char brief[NAME_MAX + 8];
    size_t length = strlen(name);
    const int cut = length > NAME_MAX;
    if (cut) {
        length = NAME_MAX - 1;
        while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80) length--;
    }
    snprintf(brief, sizeof brief, "%.*s%s", (int)length, name, cut ? "\xE2\x80\xA6" : "");
    fputs("<title>", to);
    s2clr_html_text(to, name);
    fputs("</title>", to);
    s2clr_html_text(to, brief);
}

static void label(FILE *to, double y, const char *name)
{
    fprintf(to, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LABELS - 8, y);
    put_name(to, name);
    fputs("</text>\n", to);
}

void s2clr_svg_bars(FILE *to, const s2clr_chart *about, const char *const *name,
                    const double *value, size_t count)
{
    double most = 0;
    const double room = WIDTH - LABELS - 90;
    for (size_t i = 0; i < count; i++)
        if (value[i] > most) most = value[i];
    s2clr_svg_begin(to, about, WIDTH, (int)count * ROW + 8);
    for (size_t i = 0; i < count; i++) {
        const double y = (double)i * ROW + 4, length = most > 0 ? value[i] / most * room : 0;
        label(to, y + 15, name[i]);
        fprintf(to,
                "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"var(--c0)\"/>\n"
                "<text x=\"%.1f\" y=\"%.1f\">%.10g</text>\n",
                LABELS, y + 3, length > 0.5 ? length : 0.5, ROW - 6, LABELS + length + 6, y + 15,
                value[i]);
    }
    s2clr_svg_end(to);
}

/* ---- matrices ---- */

static void heat_names(FILE *to, const char *const *name, size_t count, int top)
{
    for (size_t i = 0; i < count; i++) {
        const double at = LABELS + ((double)i + 0.5) * CELL;
        label(to, top + ((double)i + 0.5) * CELL + 4, name[i]);
        fprintf(to, "<text transform=\"translate(%.1f %d) rotate(-60)\">", at, top - 8);
        put_name(to, name[i]);
        fputs("</text>\n", to);
    }
}

/* Strong cells take the page's background as ink: the marks' colours stand out from it. */
static void heat_cell(FILE *to, double x, double y, double value, double most, const char *hue,
                      const char *format)
{
    const double share = most > 0 ? fabs(value) / most : 0;
    char text[32];
    if (isnan(value)) return;
    snprintf(text, sizeof text, format, value);
    fprintf(to,
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" fill=\"var(--mid)\"/>"
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" fill=\"var(--%s)\" "
            "fill-opacity=\"%.3f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" "
            "style=\"fill:var(--%s)\">",
            x, y, CELL - 1, CELL - 1, x, y, CELL - 1, CELL - 1, hue, share > 0.5 ? 1 : share * 0.7,
            x + CELL / 2.0, y + CELL / 2.0 + 4, share > 0.5 ? "back" : "ink");
    s2clr_html_text(to, text);
    fputs("</text>\n", to);
}

void s2clr_svg_heat(FILE *to, const s2clr_chart *about, const char *const *name,
                    const double *value, size_t count, const char *format)
{
    const int top = 190;
    double most = 0;
    for (size_t i = 0; i < count * count; i++)
        if (fabs(value[i]) > most) most = fabs(value[i]);
    const int width = LABELS + (int)count * CELL + 130;
    s2clr_svg_begin(to, about, width > WIDTH ? width : WIDTH, top + (int)count * CELL + 8);
    heat_names(to, name, count, top);
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < count; c++) {
            const double one = value[r * count + c];
            heat_cell(to, LABELS + (double)c * CELL, top + (double)r * CELL, one, most,
                      one < 0 ? "low" : "high", format);
        }
    s2clr_svg_end(to);
}

/* ---- axes ---- */

double s2clr_svg_nice_step(double range)
{
    const double raw = range / 6, power = pow(10, floor(log10(raw)));
    const double lead = raw / power;
    return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

static void axis(FILE *to, double low, double high, int left, int right, int top, int bottom)
{
    const double step = s2clr_svg_nice_step(high - low);
    if (!(high > low)) return;
    for (double at = ceil(low / step) * step; at <= high + step * 1e-9; at += step) {
        const double x = left + (at - low) / (high - low) * (right - left);
        fprintf(to,
                "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"var(--line)\"/>"
                "<text class=\"soft\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g</text>\n",
                x, top, x, bottom, x, bottom + 16, fabs(at) < step * 1e-9 ? 0 : at);
    }
}

void s2clr_svg_boxes(FILE *to, const s2clr_chart *about, const char *const *name,
                     const double (*quantile)[5], size_t count, double low, double high)
{
    const int right = WIDTH - 20, bottom = (int)count * ROW + 8;
    const double scale = (right - LABELS) / (high - low);
    s2clr_svg_begin(to, about, WIDTH, bottom + 24);
    axis(to, low, high, LABELS, right, 4, bottom);
    for (size_t i = 0; i < count; i++) {
        const double *q = quantile[i], y = (double)i * ROW + 4 + ROW / 2.0;
        double x[5];
        label(to, y + 4, name[i]);
        if (isnan(q[2])) continue;
        for (int k = 0; k < 5; k++) x[k] = LABELS + (q[k] - low) * scale;
        fprintf(to,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"var(--c0)\"/>"
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\" fill=\"var(--fill)\" "
                "stroke=\"var(--c0)\"/><line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
                "stroke=\"var(--c1)\" stroke-width=\"3\"/>\n",
                x[0], y, x[4], y, x[1], y - 6, x[3] - x[1], x[2], y - 7, x[2], y + 7);
    }
    s2clr_svg_end(to);
}

void s2clr_svg_area(FILE *to, const s2clr_chart *about, const double *value, size_t count,
                    double low, double step, double mark)
{
    const int left = 20, right = WIDTH - 20, top = 8, bottom = 130;
    double most = 0;
    for (size_t i = 0; i < count; i++)
        if (value[i] > most) most = value[i];
    s2clr_svg_begin(to, about, WIDTH, bottom + 24);
    axis(to, low, low + step * (double)count, left, right, top, bottom);
    fprintf(to, "<path fill=\"var(--fill)\" stroke=\"var(--c0)\" d=\"M%d %d", left, bottom);
    for (size_t i = 0; i < count; i++) {
        const double y = bottom - (most > 0 ? value[i] / most * (bottom - top) : 0);
        const double width = (double)(right - left) / (double)count;
        fprintf(to, "L%.1f %.1fL%.1f %.1f", left + (double)i * width, y,
                left + (double)(i + 1) * width, y);
    }
    fprintf(to, "L%d %dZ\"/>\n", right, bottom);
    if (!isnan(mark))
        fprintf(to,
                "<path stroke=\"var(--c1)\" stroke-width=\"2\" stroke-dasharray=\"6 4\" "
                "d=\"M%.1f %dV%d\"/>\n",
                left + (mark - low) / (step * (double)count) * (right - left), top, bottom);
    s2clr_svg_end(to);
}
