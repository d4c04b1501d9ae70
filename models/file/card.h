/*
 * The card: what a model file says about itself, and the only source of preprocessing for training
 * and inference alike. Stored as JSON in the safetensors metadata under "s2clr.card"; the format
 * is documented in s2clr-model(5).
 *
 *     s2clr_card *card;
 *     S2CLR_TRY(s2clr_card_parse(json, "model.safetensors", &card));
 *     const s2clr_card_level *l1c = s2clr_card_find_level(card, "L1C");
 *
 * From DN to network input, for band b of a raster of level L:
 *     d = DN + product offset of the band     (BOA_ADD_OFFSET / RADIO_ADD_OFFSET, 0 if none)
 *     v = clamp(gain_L[b] * d + bias_L[b], low_L, high_L)      in the card's unit
 *     x = (v - mean[b]) / std[b]; invalid pixels: x = 0
 */
#ifndef S2CLR_FILE_CARD_H
#define S2CLR_FILE_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "net/net.h"

#define S2CLR_CARD_BANDS_MAX 16
#define S2CLR_CARD_LEVELS_MAX 8
#define S2CLR_CARD_CLASSES_MAX 128
#define S2CLR_CARD_WORD 64
#define S2CLR_CARD_KNOTS 64

typedef struct s2clr_card_level {
    char name[S2CLR_CARD_WORD]; /* "L1C", "L2A", or another the trainer named ("EUROSAT8") */
    double gain[S2CLR_CARD_BANDS_MAX];
    double bias[S2CLR_CARD_BANDS_MAX];
    double low, high; /* clamp, in the card's unit */
    bool has_nodata;  /* a DN that means "no data" when the raster declares none of its own */
    double nodata;
    char source[512]; /* how this mapping was established */
} s2clr_card_level;

/* How the logit of a network of one output becomes a probability, beyond the temperature; all zero:
 * by the temperature alone (file/card_probability.h). */
typedef struct s2clr_calibration {
    double bias;               /* added to logit / temperature; 0 where there are knots */
    int knots;                 /* 0: none, else 2 or more: the probability is linear between them */
    int samples;               /* fitted on so many */
    double network_prevalence; /* with bias or knots: share of positives that the network's own
                                  logits hold for, as after training; 0: unknown */
    double knot_logit[S2CLR_CARD_KNOTS]; /* rising */
    double knot_p[S2CLR_CARD_KNOTS];     /* not falling, inside (0, 1) */
    char part[S2CLR_CARD_WORD];          /* what it was fitted on: "validation"; "": nothing was */
    double ece_before, ece_after;        /* expected calibration error on that part */
} s2clr_calibration;

/* Free texts, in the order of the table in card.c. */
typedef enum s2clr_card_text {
    S2CLR_CARD_TITLE,         /* one line */
    S2CLR_CARD_WARNING,       /* what the model must not be used for; shown with every result */
    S2CLR_CARD_TRAINED_ON,    /* data, split, number of samples */
    S2CLR_CARD_NOT_VALIDATED, /* what it was never checked on */
    S2CLR_CARD_LICENCE,
    S2CLR_CARD_COMMAND, /* command line that made it */
    S2CLR_CARD_PARENT,  /* sha256 of the model it came from, "" if none */
    S2CLR_CARD_DATASET, /* identification of the training data (name + hash) */
    S2CLR_CARD_UNIT,    /* unit of v above: "reflectance", "8-bit counts" */
    S2CLR_CARD_METRICS, /* a JSON object, as text */
    S2CLR_CARD_TEXTS
} s2clr_card_text;

typedef struct s2clr_card {
    int version;              /* S2CLR_CARD_VERSION */
    char id[S2CLR_CARD_WORD]; /* short and stable: "dense-eurosat-permanentcrop" */
    s2clr_arch arch;          /* arch.channels == bands; outputs 0: an encoder, 1: a probability of
                                 `positive`, K >= 2: one logit for each of `classes` */
    int bands;
    char band[S2CLR_CARD_BANDS_MAX][S2CLR_CARD_WORD]; /* canonical names: "B04" */
    float mean[S2CLR_CARD_BANDS_MAX], std[S2CLR_CARD_BANDS_MAX];
    int levels;
    s2clr_card_level level[S2CLR_CARD_LEVELS_MAX];
    char trained_level[S2CLR_CARD_WORD]; /* level of the training samples, "" if unknown */
    int patch;                           /* P, pixels */
    double metres;                       /* ground size of a pixel */
    int stride;                          /* default output stride, pixels */
    char resampling[S2CLR_CARD_WORD];    /* coarser bands to `metres`: nearest, bilinear, cubic */
    int classes;                         /* K, 0 when the network has one output or none */
    char class_name[S2CLR_CARD_CLASSES_MAX][S2CLR_CARD_WORD]; /* by index of the logit */
    char positive[S2CLR_CARD_WORD]; /* name of label 1: the output band's name; with classes: one
                                       of them or "" */
    char negative[S2CLR_CARD_WORD];
    double threshold;   /* on the calibrated probability */
    double temperature; /* p = sigmoid(logit / temperature), > 0; see `calibration` */
    s2clr_calibration calibration;
    double prevalence; /* share of positives that the probabilities hold for: of the training, or
                          what bias or knots were fitted for */
    uint64_t seed;
    char *text[S2CLR_CARD_TEXTS]; /* owned; never NULL after parse/new */
} s2clr_card;

#define S2CLR_CARD_VERSION 1

/* An empty card with sane defaults (temperature 1, threshold 0.5, all texts ""). */
s2clr_status s2clr_card_new(s2clr_card **out);
void s2clr_card_free(s2clr_card *card);
s2clr_status s2clr_card_copy(const s2clr_card *card, s2clr_card **out);
s2clr_status s2clr_card_set_text(s2clr_card *card, s2clr_card_text which, const char *value);

/* Back to temperature 1 and no calibration: for weights that have changed. */
void s2clr_card_uncalibrate(s2clr_card *card);

/* Parses and validates (unknown keys are allowed and dropped, wrong types and ranges are not);
 * `path` is for messages. */
s2clr_status s2clr_card_parse(const char *json, const char *path, s2clr_card **out);

/* Indented JSON, keys in a fixed order; *out is freed with s2clr_free(). */
s2clr_status s2clr_card_format(const s2clr_card *card, char **out);

/* Checks the numbers (std > 0, finite, P > 0, level names unique ...); parse and save call it. */
s2clr_status s2clr_card_check(const s2clr_card *card, const char *path);

/* From DN to network input of one band in one step: x = clamp(scale * DN + bias, low, high).
 * Clamping commutes with the division by std > 0. offset: the product's, 0 if none. */
typedef struct s2clr_card_fold {
    double scale, bias, low, high;
} s2clr_card_fold;

s2clr_card_fold s2clr_card_fold_band(const s2clr_card *card, const s2clr_card_level *level,
                                     double offset, int band);

/* The level of that name or NULL. Borrowed. */
const s2clr_card_level *s2clr_card_find_level(const s2clr_card *card, const char *name);

#endif
