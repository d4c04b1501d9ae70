/*
 * Functions of one pixel at a time: what GDAL's derived bands and processed datasets can compute.
 *
 *     s2clr_pointwise_call call;
 *     const char *const arguments[] = {"L=0.25", NULL};
 *     const s2clr_pointwise *row = s2clr_pointwise_row(S2CLR_POINTWISE_SAVI);
 *     S2CLR_TRY(s2clr_pointwise_bind(row, arguments, 2, &call));
 *     S2CLR_TRY(s2clr_pointwise_run(&call, (const float *[]){b08, b04}, pixels, savi));
 *
 * THE table is in pointwise_list.c: a row per function, which drives argument parsing, what GDAL is
 * told, and the test of the manual page.
 *
 * "No data" is NaN, in and out: an output pixel is NaN when a source is (s2clr_combine: when all
 * are), and when its value is not finite. Sources that say it otherwise name their value in the
 * argument `nodata`; targets that cannot hold NaN name theirs in `fill`. All functions have both.
 * Planes are float, sums are double. Thread-safe.
 */
#ifndef S2CLR_POINTWISE_POINTWISE_H
#define S2CLR_POINTWISE_POINTWISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The rows, by name. */
#define S2CLR_POINTWISE_ROWS(ROW)                                                                  \
    ROW(EVI2)                                                                                      \
    ROW(SAVI)                                                                                      \
    ROW(MSI)                                                                                       \
    ROW(NDII)                                                                                      \
    ROW(NMDI)                                                                                      \
    ROW(REFLECTANCE) ROW(CALIBRATE) ROW(THRESHOLD) ROW(MASK) ROW(ENTROPY) ROW(COMBINE) ROW(PIXEL)

typedef enum s2clr_pointwise_id {
#define S2CLR_POINTWISE_ID(name) S2CLR_POINTWISE_##name,
    S2CLR_POINTWISE_ROWS(S2CLR_POINTWISE_ID)
#undef S2CLR_POINTWISE_ID
        S2CLR_POINTWISE_COUNT
} s2clr_pointwise_id;

#define S2CLR_POINTWISE_ARGS_MAX 8
#define S2CLR_POINTWISE_SOURCES_MAX 64 /* of one call */

typedef enum s2clr_pointwise_type {
    S2CLR_POINTWISE_REAL,
    S2CLR_POINTWISE_INTEGERS, /* whole numbers with commas, 0..255: a set */
    S2CLR_POINTWISE_TEXT,
    S2CLR_POINTWISE_CHOICE
} s2clr_pointwise_type;

typedef struct s2clr_pointwise_arg {
    const char *name;
    s2clr_pointwise_type type;
    const char *standard; /* as text; "none": absent, which "none" and "nan" say; NULL: required */
    double low, high;     /* REAL */
    bool inside;          /* REAL: low and high themselves are not allowed */
    const char *choices;  /* CHOICE: "mean,max,agreement" */
    const char *help;
} s2clr_pointwise_arg;

typedef union s2clr_pointwise_value {
    double number;            /* REAL: NaN when absent */
    const char *text;         /* TEXT, borrowed; NULL when absent */
    int choice;               /* CHOICE: index */
    unsigned char member[32]; /* INTEGERS: bit v % 8 of byte v / 8 */
} s2clr_pointwise_value;

typedef struct s2clr_pointwise_call s2clr_pointwise_call;

typedef struct s2clr_pointwise {
    const char *name; /* "s2clr_evi2" */
    const char *summary;
    int least, most;     /* sources; most 0: no limit but S2CLR_POINTWISE_SOURCES_MAX */
    const char *sources; /* what they are, in order: "B08,B04" */
    int values;          /* leading sources that `nodata` speaks of, 0: all */
    bool some;           /* one source with a value is enough */
    s2clr_pointwise_arg arg[S2CLR_POINTWISE_ARGS_MAX]; /* ends with a NULL name; its own ones */

    /* May be NULL: checks arguments against each other, and against the number of sources. */
    s2clr_status (*check)(const s2clr_pointwise_call *call);

    /* source[i]: (count), NaN = no data. Writes out (count); pixels that lack a source are made NaN
     * afterwards. */
    s2clr_status (*run)(const s2clr_pointwise_call *call, const float *const *source, size_t count,
                        float *out);
} s2clr_pointwise;

/* A function with its arguments. Holds nothing that has to be freed. */
struct s2clr_pointwise_call {
    const s2clr_pointwise *row;
    int sources;
    s2clr_pointwise_value value[S2CLR_POINTWISE_ARGS_MAX]; /* in the order of row->arg */
    double nodata, fill;                                   /* the common ones; NaN when absent */
};

/* Never NULL. Borrowed, as are all rows. */
const s2clr_pointwise *s2clr_pointwise_row(s2clr_pointwise_id id);

/* Arguments that every row has besides its own; ends with a NULL name. */
const s2clr_pointwise_arg *s2clr_pointwise_common(void);

/* arguments: "name=value", ends with NULL (NULL: none); texts are borrowed by *out. Names are told
 * apart without regard to case, as GDAL does. S2CLR_ERR_ARGUMENT names argument, value and what
 * is wanted; the function is named by the edge, before every message. */
s2clr_status s2clr_pointwise_bind(const s2clr_pointwise *row, const char *const *arguments,
                                  int sources, s2clr_pointwise_call *out);

/* source: call->sources planes of `count` values; out: (count), not one of them. */
s2clr_status s2clr_pointwise_run(const s2clr_pointwise_call *call, const float *const *source,
                                 size_t count, float *out);

#endif
