/*
 * A card for a new model: what the command line and the data say, filled up by a partial card that
 * the user wrote (title, warning, levels ...).
 */
#ifndef S2CLR_COMMANDS_CARD_BUILD_H
#define S2CLR_COMMANDS_CARD_BUILD_H

#include "commands/dataset_rows.h"
#include "file/card.h"

typedef struct s2clr_card_facts {
    int channels;               /* of the samples or the weights */
    int patch;                  /* pixels; 0: the partial card has to say it */
    const char *positive;       /* NULL: the partial card's */
    const char *otherwise;      /* the positive when neither names one, NULL: that is an error */
    const char *level;          /* name of the level when the partial card lists none */
    const char *bands;          /* names of the samples' bands when they have any, else NULL */
    double metres;              /* ground size of their pixels when known, else 0 */
    bool encoder;               /* no outputs, and the projection head of --projection */
    const char *const *classes; // (class_count) names of the outputs; NULL: the partial card's
    int class_count;
    const int *hidden; // (hiddens) widths of layers before the last
    int hiddens;
    const char *dataset; /* texts, NULL: none */
    const char *trained_on;
} s2clr_card_facts;

/* What a store says (or, where the data set is none, that nothing is known), with --level. The rest
 * is for the command to fill in. */
s2clr_card_facts s2clr_card_facts_of(const s2clr_args *args, const s2clr_store_facts *store);

/* Options read: --arch --width --depth --bands-names --card, of encoders --projection, and the
 * command line. Where both speak, an option that was given beats the partial card. *measured is
 * false when mean and std are still to be computed (std is 0 then). Free with s2clr_card_free(). */
s2clr_status s2clr_card_build(const s2clr_args *args, const s2clr_card_facts *facts,
                              s2clr_card **out, bool *measured);

/* Output stride: the local step of a network that has one, else half a patch. */
s2clr_status s2clr_card_default_stride(s2clr_card *card);

/* A short stable word: "dense-permanentcrop". */
void s2clr_card_default_id(const char *arch, const char *what, char id[S2CLR_CARD_WORD]);

/* Bands that the partial card of --card names, "B04,B03,B02"; "" when it names none. */
s2clr_status s2clr_card_bands(const s2clr_args *args, char *out, size_t size);

#endif
