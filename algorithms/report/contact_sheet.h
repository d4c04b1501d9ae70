/*
 * A contact sheet: one self-contained page of HTML with pictures of patches, on which a person says
 * of each whether it is what the model takes it for, and saves that as CSV.
 *
 *     s2clr_sheet sheet = {.model = card->id, .positive = card->positive, ...};
 *     ... sheet.patch[i] ...
 *     S2CLR_TRY(s2clr_contact_sheet_write("sheet.html", &sheet));
 *     s2clr_sheet_clear(&sheet);
 *
 * The page works from a file, without a network: pictures are data URIs, the script is inside
 * (contact_sheet.js, contact_sheet.css). Marks survive a reload where the browser lets a page keep
 * anything. The CSV has one row per patch with the columns rank, name, probability, longitude,
 * latitude, mark (right, wrong, unsure or empty), model, positive.
 */
#ifndef S2CLR_REPORT_CONTACT_SHEET_H
#define S2CLR_REPORT_CONTACT_SHEET_H

#include <stddef.h>

#include "base/status.h"

#define S2CLR_SHEET_PICTURES 2

typedef struct s2clr_sheet_patch {
    char *name;                          /* owned */
    double probability;                  /* of the model's positive class */
    double longitude, latitude;          /* of the centre, WGS 84; NaN: unknown */
    char *picture[S2CLR_SHEET_PICTURES]; /* data URIs, owned */
} s2clr_sheet_patch;

typedef struct s2clr_sheet_picture {
    char name[64];  /* "true colour" */
    char rule[256]; /* which bands, and how they are stretched */
} s2clr_sheet_picture;

typedef struct s2clr_sheet {
    const char *model, *positive; /* borrowed, as all texts of this struct; "" unknown */
    const char *source;           /* what the patches are from */
    const char *choice;           /* how they were chosen, and how many others there are */
    const char *warning;          /* the model's; "" none */
    const char *command;          /* the command line */
    size_t count;
    s2clr_sheet_patch *patch; // (count)
    int pictures;             /* of each patch: 1 or 2 */
    s2clr_sheet_picture picture[S2CLR_SHEET_PICTURES];
} s2clr_sheet;

/* count patches without anything. */
s2clr_status s2clr_sheet_new(size_t count, s2clr_sheet *sheet);
void s2clr_sheet_clear(s2clr_sheet *sheet);

/* Beside `path`, then renamed. */
s2clr_status s2clr_contact_sheet_write(const char *path, const s2clr_sheet *sheet);

#endif
