#include "train/paugment.h"

/* The first five lines were given eight numbers, which trained models depend on. */
#define FEW 8
#define MANY ((uint64_t)1 << 32)

/* A new line goes at the end: the position is part of the random stream. */
static const s2clr_augment_entry table[] = {
    {"flip", S2CLR_AUGMENT_FLIP, "mirror left-right and top-bottom, each every second time", FEW,
     s2clr_augment_flip},
    {"rot90", S2CLR_AUGMENT_ROT90, "quarter turn every second time", FEW, s2clr_augment_rot90},
    {"shift", S2CLR_AUGMENT_SHIFT, "move by up to 10 % of the size, border reflected", FEW,
     s2clr_augment_shift},
    {"blur", S2CLR_AUGMENT_BLUR, "3x3 binomial of random strength every second time", FEW,
     s2clr_augment_blur},
    {"gain", S2CLR_AUGMENT_GAIN, "one factor of 0.8 to 1.25 for all bands", FEW,
     s2clr_augment_gain},
    {"roll", S2CLR_AUGMENT_ROLL, "SimCLR-S2's shift: by up to 10 %, what leaves comes back", MANY,
     s2clr_augment_roll},
    {"zoom", S2CLR_AUGMENT_ZOOM, "SimCLR-S2's zoom: any box, mirrored or not, stretched", MANY,
     s2clr_augment_zoom},
    {"rotate", S2CLR_AUGMENT_ROTATE, "SimCLR-S2's rotation: 0 to 3 quarter turns", MANY,
     s2clr_augment_rotate},
    {"brightness", S2CLR_AUGMENT_BRIGHTNESS, "SimCLR-S2's: -0.4 to 0.4 deviations added", MANY,
     s2clr_augment_brightness},
    {"contrast", S2CLR_AUGMENT_CONTRAST, "SimCLR-S2's: 0.6 to 1.4 times around the patch's means",
     MANY, s2clr_augment_contrast},
    {"scale", S2CLR_AUGMENT_SCALE, "SimCLR-S2's gain: -0.5 to 0.5 times around the card's means",
     MANY, s2clr_augment_scale},
    {"blur5", S2CLR_AUGMENT_BLUR5, "SimCLR-S2's blur: 5x5 Gaussian, deviation 0.1 to 2", MANY,
     s2clr_augment_blur5},
    {"speckle", S2CLR_AUGMENT_SPECKLE, "SimCLR-S2's: up to 4 % of all values 5 deviations off",
     MANY, s2clr_augment_speckle},
    {"crop", S2CLR_AUGMENT_CROP, "20 to 100 % of the area, 3:4 to 4:3, stretched (bilinear)", MANY,
     s2clr_augment_crop},
    {"jitter", S2CLR_AUGMENT_JITTER, "gain and offset, the same in all bands", MANY,
     s2clr_augment_jitter},
    {"band-gain", S2CLR_AUGMENT_BAND_GAIN, "gain and offset, different in each band", MANY,
     s2clr_augment_band_gain},
    {"band-drop", S2CLR_AUGMENT_BAND_DROP, "each band becomes its mean one time in ten", MANY,
     s2clr_augment_band_drop},
    {"gaussian", S2CLR_AUGMENT_GAUSSIAN, "Gaussian, deviation 0.1 to 2, every second time", MANY,
     s2clr_augment_gaussian},
};
enum { ENTRIES = sizeof table / sizeof table[0] };
_Static_assert(ENTRIES <= S2CLR_AUGMENT_MAX, "a recipe has a bit for each line");

size_t s2clr_augment_list(const s2clr_augment_entry **out)
{
    *out = table;
    return ENTRIES;
}
