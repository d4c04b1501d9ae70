/* THE table of pointwise functions. */
#include <math.h>

#include "pointwise/ppointwise.h"

#define NO_LIMIT -HUGE_VAL, HUGE_VAL, false, NULL
#define ARGUMENT(name, standard, help)                                                             \
    {                                                                                              \
        name, S2CLR_POINTWISE_REAL, standard, NO_LIMIT, help                                       \
    }
#define SHARE(name, standard, help)                                                                \
    {                                                                                              \
        name, S2CLR_POINTWISE_REAL, standard, 0, 1, true, NULL, help                               \
    }
#define ABOVE_0(name, standard, help)                                                              \
    {                                                                                              \
        name, S2CLR_POINTWISE_REAL, standard, 0, HUGE_VAL, true, NULL, help                        \
    }

/* [INDEX_SCALE], [INDEX_OFFSET] */
#define REFLECTANCE_ARGUMENTS                                                                      \
    ARGUMENT("scale", "1", "reflectance = (source + offset) * scale; for DN 0.0001"),              \
        ARGUMENT("offset", "0", "added to the sources first; for DN of baseline 04.00 on -1000")

static const s2clr_pointwise rows[S2CLR_POINTWISE_COUNT] = {
    [S2CLR_POINTWISE_EVI2] =
        {
            .name = "s2clr_evi2",
            .summary = "two-band enhanced vegetation index",
            .least = 2,
            .most = 2,
            .sources = "B08,B04",
            .arg = {REFLECTANCE_ARGUMENTS},
            .run = s2clr_pointwise_evi2,
        },
    [S2CLR_POINTWISE_SAVI] =
        {
            .name = "s2clr_savi",
            .summary = "soil-adjusted vegetation index",
            .least = 2,
            .most = 2,
            .sources = "B08,B04",
            .arg = {REFLECTANCE_ARGUMENTS,
                    {"L", S2CLR_POINTWISE_REAL, "0.5", 0, HUGE_VAL, false, NULL,
                     "soil brightness correction, 0 for dense and 1 for sparse vegetation"}},
            .run = s2clr_pointwise_savi,
        },
    [S2CLR_POINTWISE_MSI] =
        {
            .name = "s2clr_msi",
            .summary = "moisture stress index",
            .least = 2,
            .most = 2,
            .sources = "B08,B11",
            .arg = {REFLECTANCE_ARGUMENTS},
            .run = s2clr_pointwise_msi,
        },
    [S2CLR_POINTWISE_NDII] =
        {
            .name = "s2clr_ndii",
            .summary = "normalised difference infrared index",
            .least = 2,
            .most = 2,
            .sources = "B08,B11",
            .arg = {REFLECTANCE_ARGUMENTS},
            .run = s2clr_pointwise_ndii,
        },
    [S2CLR_POINTWISE_NMDI] =
        {
            .name = "s2clr_nmdi",
            .summary = "normalised multi-band drought index",
            .least = 3,
            .most = 3,
            .sources = "B08,B11,B12",
            .arg = {REFLECTANCE_ARGUMENTS},
            .run = s2clr_pointwise_nmdi,
        },
    [S2CLR_POINTWISE_REFLECTANCE] =
        {
            .name = "s2clr_reflectance",
            .summary = "reflectance from digital numbers",
            .least = 1,
            .most = 1,
            .sources = "DN",
            .arg = {ARGUMENT("scale", "0.0001", "reflectance = (DN + offset) * scale"),
                    ARGUMENT("offset", "0", "added to the DN first; from baseline 04.00 on -1000"),
                    ARGUMENT("low", "none", "smaller reflectances become this one"),
                    ARGUMENT("high", "none", "larger reflectances become this one")},
            .check = s2clr_pointwise_reflectance_check,
            .run = s2clr_pointwise_reflectance,
        },
    [S2CLR_POINTWISE_CALIBRATE] =
        {
            .name = "s2clr_calibrate",
            .summary = "probability at another temperature and prevalence",
            .least = 1,
            .most = 1,
            .sources = "probability",
            .arg = {ABOVE_0("temperature", "1", "the logit is divided by it; above 1 softens"),
                    SHARE("trained", "0.5", "share of positives that the probability holds for"),
                    SHARE("prevalence", "none",
                          "share of positives to give the probability for; none: as trained")},
            .run = s2clr_pointwise_calibrate,
        },
    [S2CLR_POINTWISE_THRESHOLD] =
        {
            .name = "s2clr_threshold",
            .summary = "1 from a threshold on, 0 below it",
            .least = 1,
            .most = 1,
            .sources = "value",
            .arg = {ARGUMENT("threshold", "0.5", "the smallest value that counts as positive")},
            .run = s2clr_pointwise_threshold,
        },
    [S2CLR_POINTWISE_MASK] =
        {
            .name = "s2clr_mask",
            .summary = "a value where the scene classification is one of some classes",
            .least = 2,
            .most = 2,
            .sources = "value,SCL",
            .values = 1,
            .arg = {{"classes", S2CLR_POINTWISE_INTEGERS, "2,4,5,6,7,11", 0, 255, false, NULL,
                     "classes that keep their value; all others become no data"}},
            .run = s2clr_pointwise_mask,
        },
    [S2CLR_POINTWISE_ENTROPY] =
        {
            .name = "s2clr_entropy",
            .summary = "entropy of a probability in bits, 0 certain to 1 undecided",
            .least = 1,
            .most = 1,
            .sources = "probability",
            .run = s2clr_pointwise_entropy,
        },
    [S2CLR_POINTWISE_COMBINE] =
        {
            .name = "s2clr_combine",
            .summary = "several models' probabilities in one",
            .least = 1,
            .sources = "probability,...",
            .some = true,
            .arg = {{"op", S2CLR_POINTWISE_CHOICE, "mean", 0, 0, false, "mean,max,agreement",
                     "mean, largest, or share of models on the majority's side of the threshold"},
                    ARGUMENT("threshold", "0.5", "agreement: the smallest positive value")},
            .run = s2clr_pointwise_combine,
        },
    [S2CLR_POINTWISE_PIXEL] =
        {
            .name = "s2clr_pixel",
            .summary = "probability by a network that sees single pixels",
            .least = 1,
            .sources = "the model's bands, in its card's order, as DN",
            .arg = {{"model", S2CLR_POINTWISE_TEXT, NULL, NO_LIMIT,
                     "model file of architecture pixel, or its name in the zoo"},
                    {"level", S2CLR_POINTWISE_TEXT, "none", NO_LIMIT,
                     "processing level of the DN, as L2A; none: the only one of the card"},
                    ARGUMENT("offset", "0", "added to the DN first; from baseline 04.00 on -1000"),
                    SHARE(
                        "prevalence",
                        "none", "share of positives to give the probability for; none: as trained"),
                    {"device", S2CLR_POINTWISE_TEXT, "cpu", NO_LIMIT,
                     "where to compute: cpu, or the name of a backend"}},
            .run = s2clr_pointwise_pixel,
        },
};

static const s2clr_pointwise_arg common[] = {
    ARGUMENT("nodata", "none", "a value of the sources that means no data, besides NaN"),
    ARGUMENT("fill", "none", "what to write where there is no data, instead of NaN"),
    {.name = NULL},
};

const s2clr_pointwise *s2clr_pointwise_row(s2clr_pointwise_id id)
{
    return &rows[id];
}

const s2clr_pointwise_arg *s2clr_pointwise_common(void)
{
    return common;
}
