/*
 * An evaluation: classifiers (models, baselines, or a map) judged on the same samples, and told as
 * text, JSON and one self-contained page.
 *
 *     s2clr_evaluation e = {.dataset = path, .count = n, .label = label, .prevalence = {0.5}, ...};
 *     S2CLR_TRY(s2clr_evaluation_add(&e, "dense", S2CLR_ROW_MODEL, &row));   // then fill *row
 *     S2CLR_TRY(s2clr_evaluation_group(&e, i, "ES"));                        // sample i, any
 * number S2CLR_TRY(s2clr_evaluation_compute(&e, 1000, seed, pool));
 *     S2CLR_TRY(s2clr_evaluation_html(&e, "report.html"));
 *     s2clr_evaluation_free(&e);
 *
 * Every number of the page stands in the JSON. What cannot be computed is null there, with the
 * reason in words beside it.
 */
#ifndef S2CLR_REPORT_EVALUATION_H
#define S2CLR_REPORT_EVALUATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "file/card.h"
#include "report/perturb.h"
#include "train/class_metrics.h"
#include "train/curve.h"
#include "train/group_metrics.h"
#include "train/metrics.h"

#define S2CLR_EVALUATION_ROWS 35
#define S2CLR_EVALUATION_SHARES 8
#define S2CLR_EVALUATION_LEFT 8
#define S2CLR_EVALUATION_EXAMPLES 5

typedef enum s2clr_row_kind { S2CLR_ROW_MODEL, S2CLR_ROW_BASELINE, S2CLR_ROW_MAP } s2clr_row_kind;

/* At another share of positives than the samples have. The counts are those of the samples. */
typedef struct s2clr_evaluation_at {
    double share;
    bool moved;         /* the probabilities were moved to that share; else they are as they came */
    s2clr_metrics same; /* every decision stays as it is */
    s2clr_metrics cut;  /* the threshold stays, and what falls below it by the move is not called
                           positive any more; only when `moved` */
} s2clr_evaluation_at;

typedef struct s2clr_evaluation_row {
    s2clr_row_kind kind;
    char name[160];                    /* unique in the evaluation */
    const char *brief;                 /* the same for the heads of tables; `name` unless set */
    char how[800];                     /* what else is to be known of it, "" nothing */
    const s2clr_card *card;            /* of a model, else NULL */
    const char *path, *sha256, *level; /* "" where there is none */
    double threshold;
    double trained; /* the share of positives that p holds for, 0: not known */
    double *p;      // (count) or (count, K); owned

    /* s2clr_evaluation_compute(), binary */
    s2clr_metrics metrics;
    s2clr_evaluation_at at[S2CLR_EVALUATION_SHARES + 1];
    s2clr_curve roc, pr;                                 /* empty when a label is absent */
    s2clr_reliability_bin bin[S2CLR_RELIABILITY_BINS];   /* as the probabilities came */
    s2clr_reliability_bin moved[S2CLR_RELIABILITY_BINS]; /* when at[0].moved: to that share */
    s2clr_group_metrics *group;                          // (groups)
    /* K classes */
    s2clr_class_metrics *classes;
    size_t *confusion; // (K, K)
} s2clr_evaluation_row;

typedef struct s2clr_evaluation_group_of {
    char *name;
    size_t *sample; // (count) indices
    size_t count, room;
} s2clr_evaluation_group_of;

/* Samples that are not in the numbers. */
typedef struct s2clr_evaluation_left_out {
    char why[80];
    size_t count;
    char example[S2CLR_EVALUATION_EXAMPLES][80];
} s2clr_evaluation_left_out;

typedef struct s2clr_evaluation {
    /* the caller's */
    const char *dataset, *part; /* part: "" when there is no such thing */
    const char *positive;       /* "" with classes */
    s2clr_perturb perturb;
    size_t count;
    const int *label;              // (count) 0, 1; or below K
    int classes;                   /* K, 0: binary */
    const char *const *class_name; // (K)
    int shares;
    double share[S2CLR_EVALUATION_SHARES]; /* of positives, in (0, 1) */
    const char *group_by;                  /* "country"; "" no groups */
    bool by_class;                         /* groups are the classes of images, each of one label:
                                              what counts is how many of it are called positive */
    char no_baseline[300];                 /* why there is none, "" otherwise */
    int left_outs;
    s2clr_evaluation_left_out left_out[S2CLR_EVALUATION_LEFT];

    /* made by the functions */
    int rows;
    s2clr_evaluation_row row[S2CLR_EVALUATION_ROWS];
    size_t groups, group_room;
    s2clr_evaluation_group_of *group; // (groups) sorted by name
    size_t positives;
    int resamples;
    char one_label[200]; /* why areas, curves and other shares are missing, "" otherwise */
} s2clr_evaluation;

/* A new row; a name that is there already gets a number behind it. Borrowed. */
s2clr_status s2clr_evaluation_add(s2clr_evaluation *e, const char *name, s2clr_row_kind kind,
                                  s2clr_evaluation_row **out);

/* Sample `index` is (also) in the group of that name. */
s2clr_status s2clr_evaluation_group(s2clr_evaluation *e, size_t index, const char *name);

/* One more sample is left out for that reason; the first few are named. */
void s2clr_evaluation_leave_out(s2clr_evaluation *e, const char *why, const char *sample);

/* S2CLR_ERR_ARGUMENT: no samples, a probability that is none. One label only is told, and leaves
 * NaN where a number does not exist. pool may be NULL. */
s2clr_status s2clr_evaluation_compute(s2clr_evaluation *e, int resamples, uint64_t seed,
                                      s2clr_pool *pool);

/* Releases what the functions made, and the rows' probabilities. */
void s2clr_evaluation_free(s2clr_evaluation *e);

json_t *s2clr_evaluation_json(const s2clr_evaluation *e);
void s2clr_evaluation_print(FILE *to, const s2clr_evaluation *e);
s2clr_status s2clr_evaluation_html(const s2clr_evaluation *e, const char *path);

#endif
