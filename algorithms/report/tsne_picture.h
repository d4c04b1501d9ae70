/*
 * The pictures of a map's page. Private to tsne_*.c and their tests.
 */
#ifndef S2CLR_REPORT_TSNE_PICTURE_H
#define S2CLR_REPORT_TSNE_PICTURE_H

#include "report/tsne_map.h"

enum { S2CLR_TSNE_GRID = 64, S2CLR_TSNE_COLOURS = 12, S2CLR_TSNE_NAME = 30 };

/* The square around all points, with a margin. */
typedef struct s2clr_tsne_frame {
    double left, top, side;
} s2clr_tsne_frame;

s2clr_tsne_frame s2clr_tsne_frame_of(const s2clr_tsne_map *map);

/* Where a point lies in it, 0 to 1 from the left and from the top. */
void s2clr_tsne_place(const s2clr_tsne_map *map, const s2clr_tsne_frame *frame, size_t point,
                      double at[2]);

/* How dense the points of one class lie: a Gaussian around each, in cells of the frame. density:
 * (GRID, GRID), the first row at the top. Returns the largest value, 0 without points. */
double s2clr_tsne_density(const s2clr_tsne_map *map, const s2clr_tsne_frame *frame, int class,
                          double *density);

/* A name of at most `most` bytes, up to S2CLR_TSNE_NAME of them, cut between characters. */
void s2clr_tsne_put_name(FILE *to, const char *name, size_t most);

/* The colours of classes, for the head of the page. */
extern const char s2clr_tsne_style[];

/* All points, coloured by class, and a legend. */
s2clr_status s2clr_tsne_draw_points(FILE *to, const s2clr_tsne_map *map);

/* One panel per class. */
s2clr_status s2clr_tsne_draw_heat(FILE *to, const s2clr_tsne_map *map);

#endif
