/* The models of an evaluation: one question for all, and what each answers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/evaluate_job.h"
#include "predict/zoo.h"
#include "train/supervised.h"

/* ---- opening ---- */

static const s2clr_card *card_of(const s2clr_evaluate *j, size_t model)
{
    return s2clr_model_card(j->model[model]);
}

static s2clr_status differ(const s2clr_evaluate *j, size_t model, const char *what)
{
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s and %s cannot be judged by the same labels: %s; --positive says "
                           "which class all are asked for",
                           s2clr_model_path(j->model[0]), s2clr_model_path(j->model[model]), what);
}

/* Column of a class among those of the card, -1 none. */
static int class_index(const s2clr_card *card, const char *name)
{
    for (int c = 0; c < card->classes; c++)
        if (strcmp(card->class_name[c], name) == 0) return c;
    return -1;
}

static s2clr_status same_classes(const s2clr_evaluate *j, size_t model)
{
    const s2clr_card *a = card_of(j, 0), *b = card_of(j, model);
    bool same = a->classes == b->classes;
    for (int c = 0; same && c < a->classes; c++) same = class_index(b, a->class_name[c]) >= 0;
    return same ? S2CLR_OK : differ(j, model, "they tell other classes apart");
}

/* Without --positive: all binary and of one class, or all of the same classes. */
static s2clr_status check_question(s2clr_evaluate *j)
{
    const s2clr_card *first = card_of(j, 0);
    char text[200];
    j->classes = !s2clr_args_given(j->args, "positive") && first->arch.outputs > 1;
    for (size_t i = 1; !s2clr_args_given(j->args, "positive") && i < j->models; i++) {
        const s2clr_card *card = card_of(j, i);
        if ((card->arch.outputs > 1) != j->classes)
            return differ(j, i, "one tells classes apart, the other one class from the rest");
        if (j->classes) {
            S2CLR_TRY(same_classes(j, i));
        } else if (strcmp(card->positive, first->positive) != 0) {
            snprintf(text, sizeof text, "one finds \"%s\", the other \"%s\"", first->positive,
                     card->positive);
            return differ(j, i, text);
        }
    }
    return S2CLR_OK;
}

/* It reads the patches as the first model does. */
static s2clr_status open_probe(s2clr_evaluate *j)
{
    const char *name = s2clr_args_text(j->args, "probe");
    char path[S2CLR_ZOO_PATH];
    if (!name) return S2CLR_OK;
    S2CLR_TRY(s2clr_zoo_resolve(name, path));
    S2CLR_TRY(s2clr_model_open(path, &j->probe));
    const s2clr_card *a = card_of(j, 0), *b = s2clr_model_card(j->probe);
    bool same = a->bands == b->bands && a->patch == b->patch;
    for (int i = 0; same && i < a->bands; i++) same = strcmp(a->band[i], b->band[i]) == 0;
    if (same) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "--probe %s takes %d bands of %d pixels, %s other bands, another order "
                           "or %d pixels; wanted: a network that reads the patches as the first "
                           "model does",
                           path, b->bands, b->patch, s2clr_model_path(j->model[0]), a->patch);
}

s2clr_status s2clr_evaluate_open_models(s2clr_evaluate *j)
{
    const char *const *names = NULL;
    const char *standard = NULL; /* the default one */
    char path[S2CLR_ZOO_PATH];
    size_t count = s2clr_args_list(j->args, "model", &names);
    if (count == 0) count = 1, names = &standard;
    if (count > S2CLR_EVALUATE_MODELS)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%zu models; at most %d fit into a report",
                               count, S2CLR_EVALUATE_MODELS);
    for (size_t i = 0; i < count; i++) {
        S2CLR_TRY(s2clr_zoo_resolve(names[i], path));
        S2CLR_TRY(s2clr_model_open(path, &j->model[i]));
        j->models++;
        if (card_of(j, i)->arch.outputs == 0) return s2clr_model_check_binary(j->model[i]);
    }
    S2CLR_TRY(open_probe(j));
    return check_question(j);
}

/* ---- asking ---- */

/* Is `name` one of the comma-separated names? They may have commas in them. */
static bool in_list(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = strstr(list, name); at && length; at = strstr(at + 1, name)) {
        const bool starts = at == list || at[-1] == ',' || at[-1] == ' ';
        if (starts && (at[length] == '\0' || at[length] == ',')) return true;
    }
    return false;
}

/* p: (count), the sum of what the classes of --positive have in all: (count, K) */
static s2clr_status sum_classes(const s2clr_evaluate *j, const s2clr_card *card, size_t count,
                                const double *all, double *p)
{
    const size_t k = (size_t)card->classes;
    bool wanted[S2CLR_CARD_CLASSES_MAX], any = false;
    for (size_t c = 0; c < k; c++) any |= wanted[c] = in_list(j->positive, card->class_name[c]);
    if (!any)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: none of its %zu classes is in --positive \"%.100s\"; the first "
                               "is \"%s\"",
                               card->id, k, j->positive, card->class_name[0]);
    for (size_t i = 0; i < count; i++, all += k) {
        p[i] = 0;
        for (size_t c = 0; c < k; c++) p[i] += wanted[c] ? all[c] : 0;
        p[i] = fmin(p[i], 1);
    }
    return S2CLR_OK;
}

/* p: (count, K) in the order of the first model's classes. */
static void reorder(const s2clr_evaluate *j, const s2clr_card *card, size_t count,
                    const double *all, double *p)
{
    const s2clr_card *first = card_of(j, 0);
    const size_t k = (size_t)card->classes;
    for (size_t c = 0; c < k; c++) {
        const size_t from = (size_t)class_index(card, first->class_name[c]);
        for (size_t i = 0; i < count; i++) p[i * k + c] = all[i * k + from];
    }
}

/* What the report wants of all: (count, outputs), the network's own answer. */
static s2clr_status keep(const s2clr_evaluate *j, const s2clr_card *card, size_t count, double *all,
                         double **out)
{
    const size_t k = (size_t)card->arch.outputs;
    double *p;
    if (k == 1) {
        *out = all;
        return S2CLR_OK;
    }
    S2CLR_TRY(s2clr_alloc(count * (j->classes ? k : 1), sizeof *p, "probabilities", (void **)&p));
    s2clr_status status = S2CLR_OK;
    if (j->classes)
        reorder(j, card, count, all, p);
    else
        status = sum_classes(j, card, count, all, p);
    s2clr_free(status == S2CLR_OK ? all : p);
    if (status == S2CLR_OK) *out = p;
    return status;
}

static void set_threshold(const s2clr_evaluate *j, const s2clr_card *card,
                          s2clr_evaluation_row *row)
{
    const bool given = s2clr_args_given(j->args, "threshold"), binary = card->arch.outputs == 1;
    row->threshold = given ? s2clr_args_real(j->args, "threshold") : binary ? card->threshold : 0.5;
    row->trained = binary ? card->prevalence : 0;
    if (!binary && !j->classes)
        snprintf(row->how, sizeof row->how,
                 "its probabilities of the classes %.200s are added up, threshold %g", j->positive,
                 row->threshold);
}

static s2clr_status ask(s2clr_evaluate *j, size_t model, const s2clr_parts *parts,
                        const s2clr_samples *samples)
{
    const s2clr_card *card = card_of(j, model);
    s2clr_evaluation_row *row;
    const char *level;
    double *all;
    size_t total;
    S2CLR_TRY(s2clr_parts_level(parts, card, s2clr_args_text(j->args, "level"),
                                card->trained_level[0] ? card->trained_level : card->level[0].name,
                                &level));
    S2CLR_TRY(s2clr_size_mul(samples->count, (size_t)card->arch.outputs, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *all, "probabilities", (void **)&all));
    s2clr_status status = s2clr_predict_classes(
        s2clr_model_net(j->model[model]), s2clr_model_params(j->model[model]), card, level, samples,
        j->backend, j->device, j->pool, j->progress, all);
    if (status == S2CLR_OK) status = s2clr_evaluation_add(&j->e, card->id, S2CLR_ROW_MODEL, &row);
    if (status == S2CLR_OK) status = keep(j, card, samples->count, all, &row->p);
    if (status != S2CLR_OK) {
        s2clr_free(all);
        return status;
    }
    row->card = card;
    row->path = s2clr_model_path(j->model[model]);
    row->sha256 = s2clr_model_sha256(j->model[model]);
    row->level = level;
    set_threshold(j, card, row);
    return S2CLR_OK;
}

/* ---- further models ---- */

/* Bands of images have no names: the files' order is that of the first model. */
static s2clr_status check_image_bands(const s2clr_evaluate *j, size_t model)
{
    const s2clr_card *a = card_of(j, 0), *b = card_of(j, model);
    bool same = a->bands == b->bands;
    for (int i = 0; same && i < a->bands; i++) same = strcmp(a->band[i], b->band[i]) == 0;
    if (same) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s takes other bands than %s, or in another order, and bands of images "
                           "have no names; import them into a store (s2clr dataset import)",
                           s2clr_model_path(j->model[model]), s2clr_model_path(j->model[0]));
}

static s2clr_status check_same_samples(const s2clr_evaluate *j, size_t model,
                                       const s2clr_samples *part)
{
    bool same = part->count == j->part->count;
    for (size_t i = 0; same && i < part->count; i++)
        same = strcmp(part->names[i], j->part->names[i]) == 0;
    if (same) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s is given %zu patches of the store, %s %zu, or others; models of one "
                           "report are judged on the same ones",
                           s2clr_model_path(j->model[model]), part->count,
                           s2clr_model_path(j->model[0]), j->part->count);
}

/* A store is read once more in the bands and the size of this model. */
static s2clr_status ask_of_store(s2clr_evaluate *j, size_t model)
{
    s2clr_parts parts;
    s2clr_samples samples;
    S2CLR_TRY(s2clr_evaluate_open_parts(j, card_of(j, model), &parts));
    const s2clr_samples *part = s2clr_evaluate_part(j, &parts);
    s2clr_status status = check_same_samples(j, model, part);
    if (status == S2CLR_OK) status = s2clr_perturb_new(part, &j->e.perturb, &samples);
    if (status == S2CLR_OK) {
        status = ask(j, model, &parts, &samples);
        samples.free(samples.self);
    }
    s2clr_parts_close(&parts);
    return status;
}

s2clr_status s2clr_evaluate_models(s2clr_evaluate *j)
{
    S2CLR_TRY(ask(j, 0, &j->parts, &j->samples));
    for (size_t i = 1; i < j->models; i++) {
        if (j->parts.store) {
            S2CLR_TRY(ask_of_store(j, i));
            continue;
        }
        S2CLR_TRY(check_image_bands(j, i));
        S2CLR_TRY(ask(j, i, &j->parts, &j->samples));
    }
    return S2CLR_OK;
}
