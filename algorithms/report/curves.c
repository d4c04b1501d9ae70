#define _GNU_SOURCE /* open_memstream, getline */
#include "report/curves.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/file_replace.h"
#include "report/html_page.h"
#include "report/psvg.h"

typedef struct curve {
    const char *entry; /* of a line of the log; "val.auc": of the object "val" */
    const char *title;
    bool judged; /* the best epoch is chosen by it: marked there */
} curve;

static const curve curves[] = {
    {"loss", "loss", false},
    {"rate", "learning rate", false},
    {"val.auc", "area under ROC, validation", true},
    {"val.accuracy", "accuracy, validation", false},
    {"val.f1", "F1 at 0.5, validation", false},
    {"spread", "spread of the embeddings (0: collapsed)", false},
    {"alignment", "alignment of the two views", false},
    {"uniformity", "uniformity of the embeddings", false},
    {"knn_accuracy", "accuracy of the nearest neighbours", false},
    {"knn_auc", "area under ROC of the nearest neighbours", false},
};

enum {
    CURVES = sizeof curves / sizeof curves[0],
    COLUMNS = 2,
    WIDE = 380,
    HIGH = 200,
    LEFT = 58,
    RIGHT = 14,
    TOP = 64, /* of a panel, its title included */
    BOTTOM = 26,
    HEADING = 8
};

typedef struct history {
    size_t epochs, room;
    double *value; // (room, CURVES) NaN where the log has no number
    int best_epoch;
} history;

/* ---- the log ---- */

static double number_of(const json_t *line, const char *entry)
{
    const char *dot = strchr(entry, '.');
    char outer[16];
    if (dot) {
        snprintf(outer, sizeof outer, "%.*s", (int)(dot - entry), entry);
        line = json_object_get(line, outer);
        entry = dot + 1;
    }
    const json_t *value = json_object_get(line, entry);
    const double number = json_is_number(value) ? json_number_value(value) : NAN;
    return isfinite(number) ? number : NAN;
}

static s2clr_status add(history *h, const json_t *line)
{
    if (h->epochs == h->room) {
        double *more;
        size_t values;
        const size_t room = h->room ? 2 * h->room : 64;
        S2CLR_TRY(s2clr_size_mul(room, CURVES, &values));
        S2CLR_TRY(s2clr_alloc(values, sizeof *more, "curves", (void **)&more));
        if (h->epochs) memcpy(more, h->value, h->epochs * CURVES * sizeof *more);
        s2clr_free(h->value);
        h->value = more;
        h->room = room;
    }
    for (int c = 0; c < CURVES; c++)
        h->value[h->epochs * CURVES + (size_t)c] = number_of(line, curves[c].entry);
    h->epochs++;
    const json_t *best = json_object_get(line, "best_epoch");
    if (json_is_integer(best)) h->best_epoch = (int)json_integer_value(best);
    return S2CLR_OK;
}

static s2clr_status read_lines(FILE *file, const char *path, history *h)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    s2clr_status status = S2CLR_OK;
    while (status == S2CLR_OK && (length = getline(&text, &room, file)) > 0) {
        if (text[length - 1] != '\n') break;
        json_t *line = json_loadb(text, (size_t)length, 0, NULL);
        status = json_is_object(line)
                     ? add(h, line)
                     : s2clr_error_set(S2CLR_ERR_FORMAT, "%s: line %zu is no JSON object", path,
                                       h->epochs + 1);
        json_decref(line);
    }
    free(text);
    return status;
}

static s2clr_status read_log(const char *path, history *h)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    const s2clr_status status = read_lines(file, path, h);
    fclose(file);
    return status;
}

/* ---- the picture ---- */

static const char style[] =
    "<style>svg{color-scheme:light dark;--back:#fff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;"
    "--c0:#0b5cad;--c1:#b35900}"
    "@media(prefers-color-scheme:dark){svg{--back:#0d1117;--text:#e6edf3;--soft:#9ea7b3;"
    "--line:#3d444d;--c0:#6cb6ff;--c1:#f69d50}}"
    "rect{fill:var(--back)}text{fill:var(--text);font:12px system-ui,sans-serif}"
    ".soft{fill:var(--soft)}.line{stroke:var(--line)}.best{stroke:var(--c1);stroke-dasharray:4 3}"
    ".curve{fill:none;stroke:var(--c0);stroke-width:1.5}circle{fill:var(--c0)}</style>\n";

typedef struct panel {
    double x, y;      /* of its corner */
    double low, high; /* of its values */
    size_t epochs;
    int curve;
    const history *h;
} panel;

static double at(const panel *p, size_t epoch)
{
    return p->h->value[epoch * CURVES + (size_t)p->curve];
}

static double to_x(const panel *p, double epoch)
{
    const double share = p->epochs > 1 ? (epoch - 1) / (double)(p->epochs - 1) : 0.5;
    return p->x + LEFT + share * (WIDE - LEFT - RIGHT);
}

static double to_y(const panel *p, double value)
{
    const double share = (value - p->low) / (p->high - p->low);
    return p->y + HIGH - BOTTOM - share * (HIGH - BOTTOM - TOP);
}

/* False when the curve has no number at all. */
static bool find_range(panel *p)
{
    p->low = INFINITY;
    p->high = -INFINITY;
    for (size_t i = 0; i < p->epochs; i++) {
        p->low = fmin(p->low, at(p, i)); /* NaN gives way */
        p->high = fmax(p->high, at(p, i));
    }
    if (!(p->low <= p->high)) return false;
    const double room = p->high > p->low ? 0.05 * (p->high - p->low) : 0.1 * fabs(p->high) + 1e-6;
    p->low -= room;
    p->high += room;
    return true;
}

static void put_axes(FILE *to, const panel *p)
{
    const double step = s2clr_svg_nice_step(p->high - p->low);
    const double across = fmax(1, s2clr_svg_nice_step((double)p->epochs));
    for (double v = ceil(p->low / step) * step; v <= p->high; v += step)
        fprintf(to,
                "<line class=\"line\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n",
                p->x + LEFT, to_y(p, v), p->x + WIDE - RIGHT, to_y(p, v), p->x + LEFT - 6,
                to_y(p, v) + 4, fabs(v) < step * 1e-9 ? 0 : v);
    for (double e = across; e <= (double)p->epochs; e += across)
        fprintf(to, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%g</text>\n",
                to_x(p, e), p->y + HIGH - BOTTOM + 16, e);
}

static void put_curve(FILE *to, const panel *p)
{
    bool open = false;
    fputs("<path class=\"curve\" d=\"", to);
    for (size_t i = 0; i < p->epochs; i++) {
        const double value = at(p, i);
        if (isfinite(value))
            fprintf(to, "%c%.1f %.1f", open ? 'L' : 'M', to_x(p, (double)i + 1), to_y(p, value));
        open = isfinite(value);
    }
    fputs("\"/>\n", to);
    const double last = at(p, p->epochs - 1);
    if (isfinite(last))
        fprintf(to, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", to_x(p, (double)p->epochs),
                to_y(p, last));
}

static void put_panel(FILE *to, const panel *p)
{
    const curve *about = &curves[p->curve];
    const int best = p->h->best_epoch;
    fprintf(to, "<text x=\"%.1f\" y=\"%.1f\">", p->x + LEFT, p->y + TOP - 14);
    s2clr_html_text(to, about->title);
    fputs("</text>\n", to);
    if (isfinite(at(p, p->epochs - 1)))
        fprintf(to, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.5g</text>\n",
                p->x + WIDE - RIGHT, p->y + TOP - 14, at(p, p->epochs - 1));
    put_axes(to, p);
    if (about->judged && best >= 1 && (size_t)best <= p->epochs)
        fprintf(to, "<line class=\"best\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                to_x(p, best), p->y + TOP, to_x(p, best), p->y + HIGH - BOTTOM);
    put_curve(to, p);
}

static void put_all(FILE *to, const history *h, const char *title)
{
    panel panels[CURVES];
    int count = 0;
    for (int c = 0; c < CURVES; c++) {
        panel p = {.epochs = h->epochs, .curve = c, .h = h};
        if (!find_range(&p)) continue;
        p.x = count % COLUMNS * WIDE;
        p.y = HEADING + count / COLUMNS * (HIGH - TOP / 2);
        panels[count++] = p;
    }
    const int rows = (count + COLUMNS - 1) / COLUMNS, width = COLUMNS * WIDE;
    const int height = HEADING + rows * (HIGH - TOP / 2) + TOP / 2;
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">",
            width, height, width, height);
    s2clr_html_text(to, title);
    fprintf(to, "</title>\n<desc id=\"d\">%zu epochs; the last value stands above each curve",
            h->epochs);
    if (h->best_epoch > 0) fprintf(to, "; a broken line marks epoch %d, the best", h->best_epoch);
    fprintf(to, "</desc>\n%s<rect width=\"%d\" height=\"%d\"/>\n<text x=\"%d\" y=\"22\">", style,
            width, height, LEFT);
    s2clr_html_text(to, title);
    fprintf(to, ": %zu epochs</text>\n", h->epochs);
    for (int i = 0; i < count; i++) put_panel(to, &panels[i]);
    fputs("</svg>\n", to);
}

static s2clr_status write_picture(const history *h, const char *path, const char *title)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (!to) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the curves", path);
    put_all(to, h, title);
    if (fclose(to) != 0) {
        free(text);
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the curves", path);
    }
    const s2clr_piece piece = {.at = text, .size = size};
    const s2clr_status status = s2clr_file_replace(path, &piece, 1);
    free(text);
    return status;
}

s2clr_status s2clr_curves_write(const char *log, const char *path, const char *title)
{
    history h = {0};
    s2clr_status status = read_log(log, &h);
    if (status == S2CLR_OK && h.epochs) status = write_picture(&h, path, title);
    s2clr_free(h.value);
    return status;
}
