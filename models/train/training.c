#include "train/training.h"

s2clr_training s2clr_training_defaults(void)
{
    return (s2clr_training){
        .optimiser = "adamw",
        .rate = 2e-3,
        .weight_decay = 0.01,
        .warmup = 0.1,
        .epochs = 20,
        .batch = 64,
        .micro = 16,
        .augment = {.flags = S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_ROT90 | S2CLR_AUGMENT_SHIFT},
        .seed = 1,
    };
}

s2clr_status s2clr_training_check_range(const char *name, double value, double low, double high)
{
    if (value >= low && value <= high) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s is %g, must be %g to %g", name, value, low,
                           high);
}

s2clr_status s2clr_training_check(const s2clr_training *t)
{
    S2CLR_TRY(s2clr_training_check_range("rate", t->rate, 0, 1000));
    S2CLR_TRY(s2clr_training_check_range("weight decay", t->weight_decay, 0, 1000));
    S2CLR_TRY(s2clr_training_check_range("warm-up", t->warmup, 0, 1));
    S2CLR_TRY(s2clr_training_check_range("number of epochs", t->epochs, 1, 1000000));
    S2CLR_TRY(s2clr_training_check_range("batch", t->batch, 1, 1 << 20));
    S2CLR_TRY(s2clr_training_check_range("micro-batch", t->micro, 1, t->batch));
    if (t->batch % t->micro == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "batch is %d, must be a multiple of micro-batch %d",
                           t->batch, t->micro);
}
