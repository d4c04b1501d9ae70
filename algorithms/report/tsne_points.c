/* All points of a map in one picture: strokes without length, one path per class and layer. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/html_page.h"
#include "report/psvg.h"
#include "report/tsne_picture.h"

/* Classes take turns in LAYERS layers, so that none lies on top of all others. */
enum { SIDE = 740, WIDTH = 980, HEIGHT = 750, LAYERS = 8, ROW = 24, NAME_MAX = 24, APART = 15 };

/* Contrast of at least 3 to the page in both modes; neighbours in the list differ in lightness or
 * warmth. Beyond twelve classes the marks are squares. */
const char s2clr_tsne_style[] =
    "<style>:root{--t0:#0b5cad;--t1:#b35900;--t2:#1a7f37;--t3:#a4133c;--t4:#7b3fb5;--t5:#00797f;"
    "--t6:#8a6d00;--t7:#c2188f;--t8:#57606a;--t9:#4b2e14;--t10:#4c8a12;--t11:#3a36d8}"
    "@media(prefers-color-scheme:dark){:root{--t0:#6cb6ff;--t1:#f69d50;--t2:#57d27a;--t3:#ff8095;"
    "--t4:#c9a0ff;--t5:#4fd1d9;--t6:#e3c84f;--t7:#ff8fd8;--t8:#adbac7;--t9:#d3a177;--t10:#a8e05f;"
    "--t11:#9aa0ff}}"
    "@media print{:root{--t0:#0b5cad;--t1:#b35900;--t2:#1a7f37;--t3:#a4133c;--t4:#7b3fb5;"
    "--t5:#00797f;--t6:#8a6d00;--t7:#c2188f;--t8:#57606a;--t9:#4b2e14;--t10:#4c8a12;"
    "--t11:#3a36d8}}</style>\n";

static void put_stroke(FILE *to, const s2clr_tsne_class *class, int number, double size)
{
    fprintf(to, "fill=\"none\" stroke-linecap=\"%s\" stroke-width=\"%.1f\" stroke=\"var(--",
            number >= S2CLR_TSNE_COLOURS ? "square" : "round", size);
    if (class->unknown)
        fputs("line)\"", to);
    else
        fprintf(to, "t%d)\"", number % S2CLR_TSNE_COLOURS);
}

/* Many points are drawn smaller. */
static double mark_size(size_t n)
{
    return n > 8000 ? 2.6 : n > 3000 ? 3.4 : n > 800 ? 4.4 : 6;
}

static void put_layer(FILE *to, const s2clr_tsne_map *map, const s2clr_tsne_frame *frame, int class,
                      size_t layer)
{
    bool any = false;
    for (size_t i = layer; i < map->n; i += LAYERS) {
        double at[2];
        if (map->class_of[i] != class) continue;
        if (!any) {
            fputs("<path stroke-opacity=\".75\" ", to);
            put_stroke(to, &map->class[class], class, mark_size(map->n));
            fputs(" d=\"", to);
        }
        any = true;
        s2clr_tsne_place(map, frame, i, at);
        fprintf(to, "M%.1f %.1fh0", at[0] * SIDE, at[1] * SIDE);
    }
    if (any) fputs("\"/>\n", to);
}

/* ---- names on the map ---- */

typedef struct spot {
    double x, y;
} spot;

/* The middle of the densest cell, moved down while another name is too near, and inwards where the
 * name would leave the picture. */
static spot place_name(const double *density, size_t length, const spot *taken, int count)
{
    size_t most = 0;
    for (size_t i = 1; i < S2CLR_TSNE_GRID * S2CLR_TSNE_GRID; i++)
        if (density[i] > density[most]) most = i;
    const double cell = (double)SIDE / S2CLR_TSNE_GRID;
    const double half = 4.2 * (double)(length < NAME_MAX ? length : NAME_MAX);
    spot at = {((double)(most % S2CLR_TSNE_GRID) + 0.5) * cell,
               ((double)(most / S2CLR_TSNE_GRID) + 0.5) * cell};
    at.x = fmin(fmax(at.x, half), SIDE - half);
    for (int i = 0; i < count; i++) {
        const double dx = at.x - taken[i].x, dy = at.y - taken[i].y;
        if (dx > -110 && dx < 110 && dy > -APART && dy < APART) {
            at.y = taken[i].y + APART;
            i = -1;
        }
    }
    return at;
}

void s2clr_tsne_put_name(FILE *to, const char *name, size_t most)
{
    size_t length = strlen(name);
    const bool cut = length > most;
    char brief[S2CLR_TSNE_NAME + 8];
    if (cut) {
        length = most - 1;
        while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80) length--;
    }
    snprintf(brief, sizeof brief, "%.*s%s", (int)length, name, cut ? "\xE2\x80\xA6" : "");
    s2clr_html_text(to, brief);
}

static void put_names(FILE *to, const s2clr_tsne_map *map, const s2clr_tsne_frame *frame,
                      double *density, spot *taken)
{
    int count = 0;
    for (int c = 0; c < map->classes; c++) {
        if (!map->class[c].count || map->class[c].unknown) continue;
        s2clr_tsne_density(map, frame, c, density);
        const spot at = place_name(density, strlen(map->class[c].name), taken, count);
        taken[count++] = at;
        fprintf(to,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" style=\"font-weight:600;"
                "paint-order:stroke;stroke:var(--back);stroke-width:4px;stroke-linejoin:round\">",
                at.x, at.y + 4);
        s2clr_tsne_put_name(to, map->class[c].name, NAME_MAX);
        fputs("</text>\n", to);
    }
}

static void put_legend(FILE *to, const s2clr_tsne_map *map)
{
    int row = 0;
    for (int c = 0; c < map->classes; c++) {
        const s2clr_tsne_class *class = &map->class[c];
        if (!class->count) continue;
        const int y = 14 + ROW * row++;
        fputs("<path ", to);
        put_stroke(to, class, c, 11);
        fprintf(to, " d=\"M%d %dh0\"/><text x=\"%d\" y=\"%d\"><title>", SIDE + 26, y, SIDE + 40,
                y + 4);
        s2clr_html_text(to, class->name);
        fputs("</title>", to);
        s2clr_tsne_put_name(to, class->name, S2CLR_TSNE_NAME);
        fprintf(to, " (%zu)</text>\n", class->count);
    }
}

s2clr_status s2clr_tsne_draw_points(FILE *to, const s2clr_tsne_map *map)
{
    const s2clr_tsne_frame frame = s2clr_tsne_frame_of(map);
    double *density;
    spot *taken;
    char text[200];
    S2CLR_TRY(s2clr_alloc((size_t)map->classes * 2 + S2CLR_TSNE_GRID * S2CLR_TSNE_GRID,
                          sizeof *density, "picture", (void **)&density));
    taken = (spot *)(void *)(density + S2CLR_TSNE_GRID * S2CLR_TSNE_GRID);
    snprintf(text, sizeof text,
             "%zu points, coloured by class; the heat maps show each class by itself.", map->n);
    s2clr_svg_begin(to, &(s2clr_chart){"points", "Every patch as a point", text}, WIDTH, HEIGHT);
    fprintf(to,
            "<rect x=\".5\" y=\".5\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"var(--line)\"/>\n",
            SIDE, SIDE);
    for (int c = 0; c < map->classes; c++)
        for (size_t l = 0; map->class[c].unknown && l < LAYERS; l++)
            put_layer(to, map, &frame, c, l);
    for (size_t l = 0; l < LAYERS; l++)
        for (int c = 0; c < map->classes; c++)
            if (!map->class[c].unknown) put_layer(to, map, &frame, c, l);
    put_names(to, map, &frame, density, taken);
    put_legend(to, map);
    s2clr_svg_end(to);
    s2clr_free(density);
    return S2CLR_OK;
}
