#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "train/ppretrain.h"

enum { TEXT_MAX = 1500 };

static s2clr_status set_if_empty(s2clr_card *card, s2clr_card_text which, const char *text)
{
    return card->text[which][0] ? S2CLR_OK : s2clr_card_set_text(card, which, text);
}

/* "all 512 views of a batch" or "the 128 views of a chunk, a quarter ..." */
static void batchnorm_text(const s2clr_pretrain_settings *s, char *out, size_t size)
{
    if (s->chunk == s->common.batch)
        snprintf(out, size, "batch norm over all %d views of a batch", 2 * s->common.batch);
    else
        snprintf(out, size, "batch norm over the %d views of a chunk of %d patches", 2 * s->chunk,
                 s->chunk);
}

static s2clr_status set_texts(pretrainer *t)
{
    const s2clr_pretrain_settings *s = t->settings;
    char *words, batchnorm[96], dates[96] = "", text[TEXT_MAX];
    S2CLR_TRY(s2clr_augment_format(&s->common.augment, &words));
    batchnorm_text(s, batchnorm, sizeof batchnorm);
    if (s->partner && s->natural > 0)
        snprintf(dates, sizeof dates,
                 "; another date of the place as second view in %g of the pairs", s->natural);
    snprintf(text, sizeof text,
             "contrastive pretraining without labels (SimCLR: NT-Xent, temperature %g) on %zu "
             "patches, %d epochs of batches of %d patches with two views each, %s, rate %g; %s; "
             "augmentation %s%s",
             s->temperature, t->train->count, s->common.epochs, s->common.batch,
             s->common.optimiser, s->common.rate, batchnorm, words, dates);
    s2clr_free(words);
    S2CLR_TRY(set_if_empty(t->card, S2CLR_CARD_TRAINED_ON, text));
    return set_if_empty(t->card, S2CLR_CARD_NOT_VALIDATED,
                        "anything: an encoder has no classes. It was only watched whether its "
                        "embeddings tell patches apart (see the metrics)");
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *metrics(const pretrainer *t)
{
    json_t *root =
        json_pack("{s:o, s:o, s:o, s:o}", "loss", number(t->loss), "spread", number(t->spread),
                  "alignment", number(t->alignment), "uniformity", number(t->uniformity));
    if (!t->probe.from) return root;
    json_object_set_new(root, "knn_accuracy", number(t->probe.accuracy));
    json_object_set_new(root, "knn_auc", number(t->probe.auc));
    json_object_set_new(root, "knn_neighbours", json_integer(t->settings->probe_k));
    json_object_set_new(root, "knn_patches", json_integer((json_int_t)t->probe.samples.count));
    return root;
}

s2clr_status s2clr_pretrainer_describe(pretrainer *t)
{
    s2clr_card *card = t->card;
    snprintf(card->trained_level, sizeof card->trained_level, "%s", t->level->name);
    S2CLR_TRY(set_texts(t));
    json_t *root = json_pack("{s:o}", "pretraining", metrics(t));
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the card's metrics");
    const s2clr_status status = s2clr_card_set_text(card, S2CLR_CARD_METRICS, text);
    free(text);
    return status;
}
