/*
 * A map of embeddings and what it is worth: positions by t-SNE, how many neighbourhoods they keep,
 * how well classes can be told from neighbours before and after.
 *
 *     s2clr_tsne_map map = {.names = names, .class_of = classes, ... what was mapped ...};
 *     S2CLR_TRY(s2clr_tsne_map_make(&rows, pool, progress, &map));
 *     S2CLR_TRY(s2clr_tsne_page("map.html", &map));
 *     s2clr_tsne_map_free(&map);
 */
#ifndef S2CLR_REPORT_TSNE_MAP_H
#define S2CLR_REPORT_TSNE_MAP_H

#include <jansson.h>
#include <stdio.h>

#include "file/model.h"
#include "report/tsne_layer.h"
#include "train/tsne.h"

/* Components that t-SNE is given when a vector has more numbers. */
enum { S2CLR_TSNE_COMPONENTS = 50 };

typedef struct s2clr_tsne_class {
    const char *name;
    bool unknown; /* no class: neither asks for neighbours nor is one */
    size_t count;
    double recall_rows, recall_map; /* share of its samples that neighbours put into it; NaN */
} s2clr_tsne_class;

typedef struct s2clr_tsne_map {
    /* What is mapped: borrowed, set by the caller. */
    const s2clr_model *model;
    const char *dataset, *part, *level, *layer, *by;
    size_t part_count;        /* samples of the part, of which some may have been chosen */
    const char *const *names; // (n)
    const int *class_of;      // (n)
    s2clr_tsne_class *class;  // (classes) name and unknown set by the caller
    int classes;
    s2clr_tsne_options options;
    size_t neighbours; /* k of all measures */
    /* Found. */
    size_t n, width, components;
    double kept; /* share of the variance that the components have */
    double *y;   // (n, 2)
    s2clr_tsne_result result;
    double trust;                       /* trustworthiness of the map, from all numbers */
    double accuracy_rows, accuracy_map; /* of the k nearest, each left out in turn; NaN: */
    const char *no_accuracy;            /* ... why, "" when there is one */
} s2clr_tsne_map;

/* What make would refuse of n samples, before there are any embeddings. */
s2clr_status s2clr_tsne_map_check(const s2clr_tsne_map *map, size_t n);

/* Fills what is found. */
s2clr_status s2clr_tsne_map_make(const s2clr_tsne_rows *rows, s2clr_pool *pool,
                                 const s2clr_progress *progress, s2clr_tsne_map *map);
void s2clr_tsne_map_free(s2clr_tsne_map *map); /* what make allocated */

void s2clr_tsne_print(FILE *to, const s2clr_tsne_map *map);

/* NULL when memory is short; the caller owns the reference. NaN is null. */
json_t *s2clr_tsne_json(const s2clr_tsne_map *map);

/* name,class,x,y of every sample. */
s2clr_status s2clr_tsne_csv(const char *path, const s2clr_tsne_map *map);

/* One page without script: the map, a heat map per class, the numbers. */
s2clr_status s2clr_tsne_page(const char *path, const s2clr_tsne_map *map);

#endif
