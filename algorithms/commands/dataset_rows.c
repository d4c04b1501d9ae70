#include "commands/dataset_rows.h"

#include <stdio.h>
#include <string.h>

#include "commands/edge.h"
#include "commands/store_parts.h"
#include "dataset/store_samples.h"

static void release(s2clr_samples *samples)
{
    if (samples->free) samples->free(samples->self);
    *samples = (s2clr_samples){0};
}

static s2clr_status open_parts(const s2clr_args *args, const s2clr_parts_options *options,
                               s2clr_parts *parts)
{
    const double test = s2clr_args_real(args, "test-share");
    const double validation = s2clr_args_real(args, "validation-share");
    s2clr_samples *const part[] = {[S2CLR_SPLIT_TRAIN] = &parts->train,
                                   [S2CLR_SPLIT_VALIDATION] = &parts->validation,
                                   [S2CLR_SPLIT_TEST] = &parts->test};
    if (test + validation > 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--test-share %g and --validation-share %g are more than everything",
                               test, validation);
    for (int i = 0; i < 3; i++) {
        const s2clr_status status = s2clr_samples_part(
            &parts->all, (s2clr_split_part)i, test, validation,
            i == S2CLR_SPLIT_TRAIN ? options->fraction : 1, options->choice, part[i]);
        /* With the shares checked, the argument it complains about is that there is no sample. */
        if (status != S2CLR_OK && (status != S2CLR_ERR_ARGUMENT || (options->needed >> i & 1)))
            return status;
    }
    return S2CLR_OK;
}

/* ---- stores ---- */

static const char *const part_names[] = {[S2CLR_SPLIT_TRAIN] = "train",
                                         [S2CLR_SPLIT_VALIDATION] = "validation",
                                         [S2CLR_SPLIT_TEST] = "test"};

typedef struct store_look {
    bool recorded;  /* the index records parts */
    bool there[3];  /* it has patches of part i */
    bool one_class; /* no patch has several class names: reports per class make sense */
} store_look;

static s2clr_status look_at_store(const char *path, store_look *out)
{
    s2clr_store *store;
    S2CLR_TRY(s2clr_store_open(path, &store));
    *out = (store_look){.recorded = s2clr_store_has_parts(store), .one_class = true};
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        for (int p = 0; p < 3; p++) out->there[p] |= strcmp(row->split, part_names[p]) == 0;
        out->one_class &= strchr(row->labels, '|') == NULL;
    }
    s2clr_store_close(store);
    return S2CLR_OK;
}

static s2clr_status open_recorded(const char *path, const s2clr_parts_options *options,
                                  const store_look *look, s2clr_parts *parts)
{
    s2clr_samples *const part[] = {[S2CLR_SPLIT_TRAIN] = &parts->recorded,
                                   [S2CLR_SPLIT_VALIDATION] = &parts->validation,
                                   [S2CLR_SPLIT_TEST] = &parts->test};
    for (int p = 0; p < 3; p++) {
        const s2clr_store_samples_options wish = {.split = part_names[p],
                                                  .positive = options->positive,
                                                  .group = look->one_class ? "labels" : NULL};
        if (!look->there[p] && !(options->needed >> p & 1)) continue;
        S2CLR_TRY(s2clr_store_samples_open(path, options->card, &wish, part[p]));
    }
    if (parts->recorded.count == 0) return S2CLR_OK;
    return s2clr_samples_part(&parts->recorded, S2CLR_SPLIT_TRAIN, 0, 0, options->fraction,
                              options->choice, &parts->train);
}

/* A part that may as well be missing. */
static s2clr_status unless_needed(s2clr_status status, bool needed)
{
    return status == S2CLR_ERR_ARGUMENT && !needed ? S2CLR_OK : status;
}

/* Who asks a teacher needs no label; patches that have one come first for the validation. */
static s2clr_status open_for_teaching(const s2clr_args *args, const char *path,
                                      const s2clr_parts_options *options, const store_look *look,
                                      s2clr_parts *parts)
{
    s2clr_store_samples_options wish = {
        .split = "train", .positive = options->positive, .undecided = true, .unlabelled = true};
    if (!look->recorded) return open_parts(args, options, parts);
    S2CLR_TRY(s2clr_store_samples_open(path, options->card, &wish, &parts->train));
    if (!look->there[S2CLR_SPLIT_VALIDATION] && !(options->needed >> S2CLR_SPLIT_VALIDATION & 1))
        return S2CLR_OK;
    wish.split = "validation";
    wish.undecided = wish.unlabelled = false;
    if (s2clr_store_samples_open(path, options->card, &wish, &parts->validation) == S2CLR_OK)
        return S2CLR_OK;
    wish.unlabelled = true;
    return s2clr_store_samples_open(path, options->card, &wish, &parts->validation);
}

/* Labels are for the probe only, which looks at the validation part. */
static s2clr_status open_for_pretraining(const s2clr_args *args, const char *path,
                                         const s2clr_parts_options *options, const store_look *look,
                                         s2clr_parts *parts)
{
    const double test = s2clr_args_real(args, "test-share");
    const double validation = s2clr_args_real(args, "validation-share");
    const bool needed = options->needed >> S2CLR_SPLIT_VALIDATION & 1;
    s2clr_store_samples_options labelled = {.positive = options->positive,
                                            .group = look->one_class ? "labels" : NULL};
    if (look->recorded) {
        const s2clr_store_samples_options rest = {
            .split = "train", .undecided = true, .unlabelled = true};
        S2CLR_TRY(s2clr_store_samples_open(path, options->card, &rest, &parts->train));
        labelled.split = "validation";
        return unless_needed(
            s2clr_store_samples_open(path, options->card, &labelled, &parts->validation), needed);
    }
    S2CLR_TRY(
        s2clr_samples_part(&parts->all, S2CLR_SPLIT_TRAIN, test, validation, 1, 0, &parts->train));
    const s2clr_status status =
        s2clr_store_samples_open(path, options->card, &labelled, &parts->recorded);
    if (status != S2CLR_OK) return unless_needed(status, needed);
    return unless_needed(s2clr_samples_part(&parts->recorded, S2CLR_SPLIT_VALIDATION, test,
                                            validation, 1, 0, &parts->validation),
                         needed);
}

static s2clr_status open_store(const s2clr_args *args, const s2clr_parts_options *options,
                               s2clr_parts *parts)
{
    const char *path = s2clr_args_text(args, "dataset");
    store_look look;
    S2CLR_TRY(look_at_store(path, &look));
    const s2clr_store_samples_options wish = {
        .positive = options->pretraining ? NULL : options->positive,
        .group = look.one_class ? "labels" : NULL,
        .unlabelled = options->pretraining || options->teaching};
    parts->as_recorded = look.recorded;
    S2CLR_TRY(s2clr_store_samples_open(path, options->card, &wish, &parts->all));
    parts->store = true;
    snprintf(parts->level, sizeof parts->level, "%s", s2clr_store_samples_level(&parts->all));
    if (options->pretraining) return open_for_pretraining(args, path, options, &look, parts);
    if (options->teaching) return open_for_teaching(args, path, options, &look, parts);
    if (parts->as_recorded) return open_recorded(path, options, &look, parts);
    return open_parts(args, options, parts);
}

static void append(char *list, size_t size, const char *name)
{
    const size_t length = strlen(list);
    snprintf(list + length, size - length, "%s%s", length ? "," : "", name);
}

static s2clr_status choose_bands(const s2clr_args *args, const char *wanted,
                                 const s2clr_store_about *about, s2clr_store_facts *facts)
{
    const char *given = s2clr_args_text(args, "image-bands");
    if (given && wanted && strcmp(given, wanted) != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--image-bands %.100s and the card's bands %.100s differ; name them "
                               "in one of the two",
                               given, wanted);
    if (!given) given = wanted;
    for (int b = 0; !given && b < about->bands; b++)
        if (strcmp(about->band[b].name, "SCL") != 0)
            append(facts->bands, sizeof facts->bands, about->band[b].name);
    if (given) snprintf(facts->bands, sizeof facts->bands, "%s", given);
    facts->channels = 1;
    for (const char *at = facts->bands; *at; at++) facts->channels += *at == ',';
    return S2CLR_OK;
}

s2clr_status s2clr_store_facts_get(const s2clr_args *args, const char *wanted,
                                   s2clr_store_facts *out)
{
    const char *path = s2clr_args_text(args, "dataset");
    s2clr_store *store;
    *out = (s2clr_store_facts){.store = s2clr_store_identify(path)};
    if (!out->store) return S2CLR_OK;
    S2CLR_TRY(s2clr_store_open(path, &store));
    const s2clr_store_row *row = s2clr_store_row_at(store, 0);
    s2clr_status status =
        row ? choose_bands(args, wanted, s2clr_store_describe(store), out)
            : s2clr_error_set(S2CLR_ERR_FORMAT, "%s: the store has no patch; import some", path);
    if (status == S2CLR_OK) {
        out->patch = row->width;
        out->metres = row->metres;
        snprintf(out->level, sizeof out->level, "%s", row->level);
    }
    s2clr_store_close(store);
    return status;
}

/* ---- all ---- */

s2clr_status s2clr_parts_open(const s2clr_args *args, const s2clr_parts_options *options,
                              s2clr_pool *pool, const s2clr_progress *progress, s2clr_parts *out)
{
    const char *path = s2clr_args_text(args, "dataset");
    const s2clr_images_options images = {.positive = options->positive,
                                         .bands = s2clr_args_text(args, "image-bands")};
    s2clr_status status;
    *out = (s2clr_parts){.level = ""};
    if (s2clr_store_identify(path)) {
        status = open_store(args, options, out);
    } else {
        S2CLR_TRY(s2clr_images_open(path, &images, pool, progress, &out->all));
        if (options->classes) out->all.labels = out->all.groups;
        status = open_parts(args, options, out);
    }
    if (status != S2CLR_OK) s2clr_parts_close(out);
    return status;
}

s2clr_status s2clr_parts_level(const s2clr_parts *parts, const s2clr_card *card, const char *asked,
                               const char *standard, const char **out)
{
    const bool known = parts->store && parts->level[0];
    if (!asked && known && !s2clr_card_find_level(card, parts->level))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "the store's patches are of level %s, which the card does not have; "
                               "its first one is %s: --level says which one they are to be taken "
                               "for",
                               parts->level, card->level[0].name);
    *out = asked ? asked : known ? parts->level : standard;
    return S2CLR_OK;
}

void s2clr_parts_note(const s2clr_args *args, const s2clr_parts *parts)
{
    if (parts->store && !parts->as_recorded)
        s2clr_edge_warn(args, "the store records no parts: they are chosen by a hash of the names, "
                              "as for images, so that neighbours may leak; \"s2clr dataset split\" "
                              "makes parts that do not");
}

void s2clr_parts_close(s2clr_parts *parts)
{
    release(&parts->test);
    release(&parts->validation);
    release(&parts->train);
    release(&parts->recorded);
    release(&parts->all);
}

size_t s2clr_samples_positives(const s2clr_samples *samples)
{
    size_t positives = 0;
    for (size_t i = 0; i < samples->count; i++) positives += samples->labels[i] == 1;
    return positives;
}
