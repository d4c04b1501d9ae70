/* Heat maps: where one class lies among all, a panel each. */
#include "base/memory.h"
#include "report/html_page.h"
#include "report/psvg.h"
#include "report/tsne_picture.h"

enum { GRID = S2CLR_TSNE_GRID, PANEL = 232, GAP = 14, TITLE = 22, ACROSS = 4, KEY = 40 };

/* Shares of a class's highest density from which a step is darker. Each step lies over the ones
 * below and adds to them. */
static const double steps[] = {0.02, 0.1, 0.25, 0.45, 0.65, 0.85};
enum { STEPS = sizeof steps / sizeof steps[0] };
#define STEP_OPACITY 0.3

/* Cells where density reaches `least`, as runs along the rows. */
static void put_cells(FILE *to, const double *density, double least, const char *look)
{
    bool any = false;
    for (int row = 0; row < GRID; row++)
        for (int at = 0, end; at < GRID; at = end) {
            end = at + 1;
            if (!(density[row * GRID + at] >= least)) continue;
            while (end < GRID && density[row * GRID + end] >= least) end++;
            if (!any) fprintf(to, "<path %s d=\"", look);
            any = true;
            fprintf(to, "M%d %dh%dv1h%dz", at, row, end - at, at - end);
        }
    if (any) fputs("\"/>\n", to);
}

/* Grey: cells that hold a point of any class. */
static void put_ground(FILE *to, const s2clr_tsne_map *map, const s2clr_tsne_frame *frame,
                       double *density)
{
    for (size_t i = 0; i < GRID * GRID; i++) density[i] = 0;
    for (size_t i = 0; i < map->n; i++) {
        double at[2];
        s2clr_tsne_place(map, frame, i, at);
        const int column = (int)(at[0] * GRID), row = (int)(at[1] * GRID);
        if (column >= 0 && column < GRID && row >= 0 && row < GRID)
            density[row * GRID + column] = 1;
    }
    fputs("<defs><g id=\"ground\">\n", to);
    put_cells(to, density, 1, "fill=\"var(--line)\" fill-opacity=\".6\"");
    fputs("</g></defs>\n", to);
}

static void put_panel(FILE *to, const s2clr_tsne_map *map, const s2clr_tsne_frame *frame, int class,
                      int number, double *density)
{
    char look[80];
    const int x = number % ACROSS * (PANEL + GAP), y = number / ACROSS * (PANEL + GAP + TITLE);
    const double most = s2clr_tsne_density(map, frame, class, density);
    snprintf(look, sizeof look, "fill=\"var(--high)\" fill-opacity=\"%.2f\"", STEP_OPACITY);
    fprintf(to, "<text x=\"%d\" y=\"%d\"><title>", x, y + 15);
    s2clr_html_text(to, map->class[class].name);
    fputs("</title>", to);
    s2clr_tsne_put_name(to, map->class[class].name, S2CLR_TSNE_NAME);
    fprintf(to,
            " (%zu)</text>\n<rect x=\"%d.5\" y=\"%d.5\" width=\"%d\" height=\"%d\" fill=\"none\" "
            "stroke=\"var(--line)\"/>\n<g shape-rendering=\"crispEdges\" "
            "transform=\"translate(%d %d) scale(%.4f)\"><use href=\"#ground\"/>\n",
            map->class[class].count, x, y + TITLE, PANEL, PANEL, x, y + TITLE,
            (double)PANEL / GRID);
    for (int s = 0; s < STEPS; s++) put_cells(to, density, steps[s] * most, look);
    fputs("</g>\n", to);
}

static void put_key(FILE *to, int top)
{
    fprintf(to,
            "<rect x=\"0\" y=\"%d\" width=\"24\" height=\"14\" fill=\"var(--line)\" "
            "fill-opacity=\".6\"/><text x=\"30\" y=\"%d\">other classes</text>\n",
            top, top + 12);
    for (int s = 0; s < STEPS; s++) {
        const int x = 150 + s * 110;
        for (int below = 0; below <= s; below++)
            fprintf(to,
                    "<rect x=\"%d\" y=\"%d\" width=\"24\" height=\"14\" fill=\"var(--high)\" "
                    "fill-opacity=\"%.2f\"/>",
                    x, top, STEP_OPACITY);
        fprintf(to, "<text x=\"%d\" y=\"%d\">from %.0f %%</text>\n", x + 30, top + 12,
                100 * steps[s]);
    }
}

s2clr_status s2clr_tsne_draw_heat(FILE *to, const s2clr_tsne_map *map)
{
    const s2clr_tsne_frame frame = s2clr_tsne_frame_of(map);
    const s2clr_chart about = {"heat", "Density of each class, of its highest",
                               "One panel per class over the same square; grey is where patches "
                               "of any class lie."};
    double *density;
    int panels = 0, number = 0;
    for (int c = 0; c < map->classes; c++) panels += map->class[c].count > 0;
    S2CLR_TRY(s2clr_alloc(GRID * GRID, sizeof *density, "picture", (void **)&density));
    const int rows = (panels + ACROSS - 1) / ACROSS, bottom = rows * (PANEL + GAP + TITLE);
    s2clr_svg_begin(to, &about, ACROSS * (PANEL + GAP), bottom + KEY);
    put_ground(to, map, &frame, density);
    for (int c = 0; c < map->classes; c++)
        if (map->class[c].count) put_panel(to, map, &frame, c, number++, density);
    put_key(to, bottom + 8);
    s2clr_svg_end(to);
    s2clr_free(density);
    return S2CLR_OK;
}
