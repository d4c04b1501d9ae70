#include <math.h>
#include <string.h>

#include "report/tsne_picture.h"

enum { GRID = S2CLR_TSNE_GRID, REACH = 5 };
#define DEVIATION 1.6 /* cells: a fortieth of the square */
#define MARGIN 0.04   /* of the square, on every side */

s2clr_tsne_frame s2clr_tsne_frame_of(const s2clr_tsne_map *map)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < 2 * map->n; i++) {
        low[i % 2] = fmin(low[i % 2], map->y[i]);
        high[i % 2] = fmax(high[i % 2], map->y[i]);
    }
    double side = fmax(high[0] - low[0], high[1] - low[1]);
    side = (side > 0 ? side : 1) / (1 - 2 * MARGIN);
    return (s2clr_tsne_frame){(low[0] + high[0] - side) / 2, (low[1] + high[1] + side) / 2, side};
}

void s2clr_tsne_place(const s2clr_tsne_map *map, const s2clr_tsne_frame *frame, size_t point,
                      double at[2])
{
    at[0] = (map->y[2 * point] - frame->left) / frame->side;
    at[1] = (frame->top - map->y[2 * point + 1]) / frame->side;
}

/* Adds the product of two Gaussians, cut off at REACH cells. */
static void add_point(const double at[2], double *density)
{
    double weight[2][2 * REACH + 1];
    int first[2];
    for (int c = 0; c < 2; c++) {
        const double cell = at[c] * GRID - 0.5;
        first[c] = (int)floor(cell + 0.5) - REACH;
        for (int i = 0; i <= 2 * REACH; i++) {
            const double apart = (first[c] + i - cell) / DEVIATION;
            weight[c][i] = exp(-apart * apart / 2);
        }
    }
    for (int i = 0; i <= 2 * REACH; i++)
        for (int j = 0; j <= 2 * REACH; j++) {
            const int row = first[1] + i, column = first[0] + j;
            if (row >= 0 && row < GRID && column >= 0 && column < GRID)
                density[row * GRID + column] += weight[1][i] * weight[0][j];
        }
}

double s2clr_tsne_density(const s2clr_tsne_map *map, const s2clr_tsne_frame *frame, int class,
                          double *density)
{
    double most = 0;
    memset(density, 0, sizeof *density * GRID * GRID);
    for (size_t i = 0; i < map->n; i++) {
        double at[2];
        if (map->class_of[i] != class) continue;
        s2clr_tsne_place(map, frame, i, at);
        add_point(at, density);
    }
    for (size_t i = 0; i < GRID * GRID; i++) most = fmax(most, density[i]);
    return most;
}
