/*
 * A card for a new model: what the command line and the data say, filled up by a partial card that
 * the user wrote (title, warning, levels ...).
 */
#ifndef S2CLR_COMMANDS_CARD_BUILD_H
#define S2CLR_COMMANDS_CARD_BUILD_H

#include <jansson.h>

#include "commands/params.h"
#include "file/card.h"

typedef struct s2clr_card_facts {
    int channels;               /* of the samples or the weights */
    int patch;                  /* pixels; 0: the partial card has to say it */
    const char *positive;       /* NULL: the partial card's */
    const char *level;          /* name of the level when the partial card lists none */
    const char *bands;          /* names of the samples' bands when they have any, else NULL */
    double metres;              /* ground size of their pixels when known, else 0 */
    const char *projection;     /* widths of an encoder's projection head, "1024,512,128": it has no
                                   outputs then; NULL: a classifier */
    const char *const *classes; // (class_count) names of the outputs; NULL: the partial card's
    int class_count;
    const int *hidden; // (hiddens) widths of layers before the last
    int hiddens;
    const char *dataset; /* texts, NULL: none */
    const char *trained_on;
} s2clr_card_facts;

/* Options read: --arch --width --depth --bands-names --card, of encoders --projection, and the
 * command line. Where both speak,
 * an option that was given beats the partial card. *measured is false when mean and std are still
 * to be computed (std is 0 then). Free with s2clr_card_free(). */
s2clr_status s2clr_card_build(const s2clr_args *args, const s2clr_card_facts *facts,
                              s2clr_card **out, bool *measured);

/* Bands that the partial card of --card names, "B04,B03,B02"; "" when it names none. */
s2clr_status s2clr_card_bands(const s2clr_args *args, char *out, size_t size);

#endif
