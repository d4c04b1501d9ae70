#include "commands/calibrate_report.h"

#include "report/json_words.h"

static json_t *scores_json(const s2clr_calibration_scores *s)
{
    return json_pack("{s:f, s:f, s:f}", "nll", s->nll, "brier", s->brier, "ece", s->ece);
}

static json_t *part_json(const s2clr_calibrated *c, const s2clr_calibrated_part *part)
{
    json_t *out =
        json_pack("{s:s, s:I, s:o, s:o}", "part", part->name, "samples", (json_int_t)part->samples,
                  "before", scores_json(&part->before), "after", scores_json(&part->after));
    if (c->card->arch.outputs == 1)
        json_object_set_new(out, "positives", json_integer((json_int_t)part->positives));
    return out;
}

/* Threshold and prevalence mean something for one output only. */
static json_t *card_json(const s2clr_card *card)
{
    const s2clr_calibration *c = &card->calibration;
    json_t *out = json_pack("{s:f}", "temperature", card->temperature), *knots = json_array();
    for (int i = 0; i < c->knots; i++)
        json_array_append_new(knots, json_pack("[f, f]", c->knot_logit[i], c->knot_p[i]));
    json_object_set_new(out, "bias", json_real(c->bias));
    json_object_set_new(out, "knots", knots);
    if (card->arch.outputs != 1) return out;
    json_object_set_new(out, "threshold", json_real(card->threshold));
    json_object_set_new(out, "prevalence", json_real(card->prevalence));
    return out;
}

json_t *s2clr_calibrated_json(const s2clr_calibrated *c)
{
    json_t *parts = json_array();
    for (int i = 0; i < c->parts; i++) json_array_append_new(parts, part_json(c, &c->part[i]));
    json_t *out =
        json_pack("{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "model",
                  s2clr_json_words(s2clr_model_path(c->model)), "id", c->card->id, "sha256",
                  s2clr_model_sha256(c->model), "level", c->level, "method", c->method, "output",
                  s2clr_json_words(c->output), "before", card_json(s2clr_model_card(c->model)),
                  "after", card_json(c->card), "parts", parts);
    if (c->scored_at > 0) json_object_set_new(out, "scored_at", json_real(c->scored_at));
    return out;
}

static void print_method(FILE *to, const s2clr_calibrated *c)
{
    const s2clr_card *card = c->card;
    fprintf(to, "method      %s: ", c->method);
    if (card->calibration.knots)
        fprintf(to, "%d knots\n", card->calibration.knots);
    else if (card->calibration.bias != 0)
        fprintf(to, "temperature %.4g, bias %.4g\n", card->temperature, card->calibration.bias);
    else
        fprintf(to, "temperature %.4g\n", card->temperature);
}

static void print_part(FILE *to, const s2clr_calibrated *c, const s2clr_calibrated_part *part)
{
    const double before[] = {part->before.nll, part->before.brier, part->before.ece};
    const double after[] = {part->after.nll, part->after.brier, part->after.ece};
    static const char *const names[] = {"nll", "brier", "ece"};
    fprintf(to, "\n%s, %zu samples", part->name, part->samples);
    if (c->card->arch.outputs == 1)
        fprintf(to, ", %zu of them %s (%.2f %%)", part->positives, c->card->positive,
                100 * (double)part->positives / (double)part->samples);
    fprintf(to, "\n%-12s  %-8s  %s\n", "", "before", "after");
    for (int i = 0; i < 3; i++) fprintf(to, "%-12s  %-8.5f  %.5f\n", names[i], before[i], after[i]);
}

void s2clr_calibrated_print(FILE *to, const s2clr_calibrated *c)
{
    const s2clr_card *old = s2clr_model_card(c->model), *card = c->card;
    fprintf(to, "model       %s (%s)\n", card->id, s2clr_model_path(c->model));
    fprintf(to, "level       %s\n", c->level);
    print_method(to, c);
    if (card->arch.outputs == 1) {
        fprintf(to, "prevalence  %.4g before, %.4g after%s\n", old->prevalence, card->prevalence,
                c->prevalence > 0 ? ": asked for, the samples are weighted" : "");
        fprintf(to, "threshold   %.4g before, %.4g after: the same decisions\n", old->threshold,
                card->threshold);
    }
    if (c->scored_at > 0)
        fprintf(to, "scores      as if %.4g %% of the patches were %s\n", 100 * c->scored_at,
                card->positive);
    for (int i = 0; i < c->parts; i++) print_part(to, c, &c->part[i]);
    fprintf(to, "\nwritten     %s\n", c->output);
}
