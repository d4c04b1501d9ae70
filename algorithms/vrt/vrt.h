/*
 * VRT recipes: a template of vrt_templates/ filled in for a scene and its models.
 *
 *     s2clr_vrt_settings settings = {.recipe = "masked", .inputs = &input, .input_count = 1,
 *                                    .output = "masked.vrt"};
 *     S2CLR_TRY(s2clr_vrt_write(&settings, &result));
 *
 * A template is a VRT with placeholders between at signs (the table is in placeholders.c): bands of
 * the scene by name, maps of models, sizes and georeference. The comment at its top says what it is
 * ("NAME: summary"), what it needs, and gives an example. It stands behind the root element, which
 * GDAL wants to see in the first kilobyte. What a template needs is found out from the placeholders
 * in it, so a new one is one new file.
 */
#ifndef S2CLR_VRT_VRT_H
#define S2CLR_VRT_VRT_H

#include <stdbool.h>
#include <stddef.h>

#include "sentinel2/stack.h"

#define S2CLR_VRT_MODELS_MAX 16

typedef struct s2clr_vrt_settings {
    const char *recipe; /* name of a template, or its file (with a slash or ending in .vrt) */
    const char *const *inputs;
    size_t input_count;
    const char *output;
    const char *const *models; /* as in s2clr_zoo_resolve(); none: the default one */
    size_t model_count;
    s2clr_stack_options stack; /* scl_classes is not used, see below */
    const char *classes;       /* SCL classes that keep their value; NULL: 2,4,5,6,7,11 */
    const char *resampling;    /* NULL: as the template says */
    const char *bands;         /* output bands of a model's map; NULL: probability */
    int stride;                /* 0: the card's */
    double min_valid;          /* negative: the default */
    double prevalence;         /* 0: not given */
    bool overwrite;
    const char *command_line; /* for provenance, may be NULL */
} s2clr_vrt_settings;

typedef struct s2clr_vrt_result {
    int width, height, bands;
    bool tried;        /* opened with GDAL and a pixel of each band read; else the plug-in S2CLR,
                          which the VRT needs, is not at hand */
    int column, row;   /* that pixel */
    double value;      /* of the first band; NaN: no data */
    int warnings;
    char warning[8][512];
} s2clr_vrt_result;

/* Writes under a temporary name, tries the file out, renames. On failure nothing is left behind. */
s2clr_status s2clr_vrt_write(const s2clr_vrt_settings *settings, s2clr_vrt_result *result);

typedef struct s2clr_vrt_template {
    char name[64];
    char summary[160];
} s2clr_vrt_template;

/* All that are found, by name; *list is freed with s2clr_free(). */
s2clr_status s2clr_vrt_templates_list(s2clr_vrt_template **list, size_t *count);

#endif
