/*
 * Private to file/: the tables that say what a card consists of. One row per field: parsing,
 * formatting and range checks all walk them, so a new field is one member in card.h, one row in
 * card.c and one line in s2clr-model(5).
 */
#ifndef S2CLR_FILE_PCARD_H
#define S2CLR_FILE_PCARD_H

#include <jansson.h>

#include "file/card.h"

#define S2CLR_CARD_TEXT_MAX 65536u /* texts are shown and copied into every result */

typedef enum s2clr_field_kind {
    S2CLR_FIELD_INT,     /* int */
    S2CLR_FIELD_SEED,    /* uint64_t: a whole number, or a string of digits beyond 2^63 */
    S2CLR_FIELD_NUMBER,  /* double */
    S2CLR_FIELD_MAYBE,   /* double, present when the bool at `room` says so */
    S2CLR_FIELD_WORD,    /* char[room]: letters, digits and . _ - only */
    S2CLR_FIELD_LABEL,   /* char[room]: any printable text */
    S2CLR_FIELD_TEXT,    /* char *, owned */
    S2CLR_FIELD_OBJECT,  /* char *, owned: "" or a JSON object */
    S2CLR_FIELD_BANDS,   /* char[][S2CLR_CARD_WORD]; its length becomes card->bands */
    S2CLR_FIELD_FLOATS,  /* float[], one per band */
    S2CLR_FIELD_NUMBERS, /* double[], one per band */
    S2CLR_FIELD_INTS,    /* int[S2CLR_HEAD_MAX], as many as the int at `room` says */
    S2CLR_FIELD_CLASSES, /* char[][S2CLR_CARD_WORD]; its length becomes card->classes */
    S2CLR_FIELD_ARCH,    /* s2clr_arch: s2clr_card_arch_fields */
    S2CLR_FIELD_LEVELS,  /* s2clr_card_level[]: s2clr_card_level_fields */
    S2CLR_FIELD_CURVE,   /* s2clr_calibration: s2clr_card_calibration_fields */
    S2CLR_FIELD_KNOTS    /* into s2clr_calibration: knots, knot_logit and knot_p */
} s2clr_field_kind;

/* Which cards have a field; one that is read nevertheless is checked as usual. */
typedef enum s2clr_field_use {
    S2CLR_USE_ALWAYS,
    S2CLR_USE_FILLED, /* written when it holds something */
    S2CLR_USE_LOGITS, /* written unless the model is an encoder */
    S2CLR_USE_BINARY  /* written when the model has one output */
} s2clr_field_use;

typedef struct s2clr_field {
    const char *key;
    s2clr_field_kind kind;
    size_t offset;    /* in the struct of the table */
    size_t room;      /* size of a char array; MAYBE, INTS: offset of the bool, of the count */
    bool required;    /* else s2clr_card_new()'s value stays */
    double low, high; /* allowed range; of WORD and LABEL: low is the least length */
    s2clr_field_use use;
} s2clr_field;

typedef struct s2clr_fields {
    const s2clr_field *row;
    size_t count;
} s2clr_fields;

extern const s2clr_fields s2clr_card_fields;             /* into s2clr_card */
extern const s2clr_fields s2clr_card_arch_fields;        /* into s2clr_arch */
extern const s2clr_fields s2clr_card_level_fields;       /* into s2clr_card_level */
extern const s2clr_fields s2clr_card_calibration_fields; /* into s2clr_calibration */

/* The calibration alone, as s2clr_card_check() has it (card_calibration.c). */
s2clr_status s2clr_card_check_calibration(const s2clr_card *card, const char *path);

/* JSON text with the fewest digits (15 to 17) that keep every number; NULL without memory. The
 * caller frees it with free(). */
char *s2clr_json_text(const json_t *value, size_t flags);

#endif
