/*
 * What a map may hold besides the probability: THE table of output bands, and how their values are
 * made from what the engine computes.
 *
 *     s2clr_output_bands bands;
 *     S2CLR_TRY(s2clr_output_bands_parse("probability,valid", model, &bands));
 *     ...
 *     s2clr_output_bands_fill(&bands, &values, pixels, out);
 *     s2clr_output_bands_free(&bands);
 *
 * "probability" (the default), "entropy", "valid", "evidence" (dense models) go together in any
 * order, each once. "embedding" stands alone and gives one band per feature. Of a model of K
 * classes "probability" is that of the card's positive class, or where it has none all of
 * "classes", one band per class; the name of a class is its band alone; there is no evidence.
 */
#ifndef S2CLR_PREDICT_OUTPUT_BANDS_H
#define S2CLR_PREDICT_OUTPUT_BANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "file/model.h"
#include "predict/engine.h"
#include "predict/runtime.h"

typedef enum s2clr_quantity {
    S2CLR_QUANTITY_PROBABILITY, /* 0..1, calibrated, at the prevalence asked for */
    S2CLR_QUANTITY_ENTROPY,     /* bits, 0 certain .. 1 (K classes: log2 K) undecided */
    S2CLR_QUANTITY_VALID,       /* share of valid pixels in the patch, 0..1; never nodata */
    S2CLR_QUANTITY_EVIDENCE,    /* mean local logit inside the output pixel, unbounded */
    S2CLR_QUANTITY_EMBEDDING    /* a feature, unbounded */
} s2clr_quantity;

/* A row of the table (output_bands.c). */
typedef struct s2clr_quantity_row {
    const char *name; /* the user's word */
    s2clr_quantity quantity;
    const char *description; /* of the band; NULL: the card's positive class */
    const char *unit;
    const char *help;
    bool has_range; /* minimum..maximum are what a colour ramp spans */
    double minimum, maximum;
} s2clr_quantity_row;

size_t s2clr_quantity_list(const s2clr_quantity_row **out);

typedef struct s2clr_output_band {
    const s2clr_quantity_row *row;
    int feature;                    /* EMBEDDING: which one; PROBABILITY: of which class, from 0 */
    double maximum;                 /* of the row; log2 K for the entropy of K classes */
    char name[2 * S2CLR_CARD_WORD]; /* the band's description: "permanent crop", "entropy" ... */
} s2clr_output_band;

typedef struct s2clr_output_bands {
    int count;
    s2clr_output_band *band; // (count), owned
    s2clr_aim aim;
    int classes;          /* K, 0 when the model has one output: planes of the probability */
    bool valid, evidence; /* the engine has to deliver them */
} s2clr_output_bands;

/* text: NULL or "" means "probability". An unknown word names the nearest known one. */
s2clr_status s2clr_output_bands_parse(const char *text, const s2clr_model *model,
                                      s2clr_output_bands *out);
void s2clr_output_bands_free(s2clr_output_bands *bands);

/* values: planes of `pixels` floats, K of them for the probability; out: (count, pixels). A plane
 * that is NULL means that no pixel of it is valid (an empty piece of a stream): NaN, and 0 in
 * "valid". */
void s2clr_output_bands_fill(const s2clr_output_bands *bands, const s2clr_values *values,
                             size_t pixels, float *out);

#endif
