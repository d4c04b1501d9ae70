#include "report/html_card.h"

#include "report/html_page.h"

static void put_calibration(FILE *to, const s2clr_card *card)
{
    const s2clr_calibration *c = &card->calibration;
    s2clr_html_fact(to, "temperature", "%.6g", card->temperature);
    if (!c->part[0]) return;
    s2clr_html_fact(to, "calibration",
                    "fitted on %d samples of %s: bias %.4g, %d knots; calibration error there %.4f "
                    "before, %.4f after",
                    c->samples, c->part, c->bias, c->knots, c->ece_before, c->ece_after);
}

void s2clr_html_card(FILE *to, const s2clr_card *card)
{
    static const struct {
        const char *name;
        s2clr_card_text which;
    } texts[] = {{"title", S2CLR_CARD_TITLE},
                 {"trained on", S2CLR_CARD_TRAINED_ON},
                 {"not validated", S2CLR_CARD_NOT_VALIDATED},
                 {"licence", S2CLR_CARD_LICENCE},
                 {"command", S2CLR_CARD_COMMAND}};
    char bands[S2CLR_CARD_BANDS_MAX * (S2CLR_CARD_WORD + 1)] = "";
    size_t used = 0;
    for (int b = 0; b < card->bands; b++)
        used += (size_t)snprintf(bands + used, sizeof bands - used, "%s%s", b ? "," : "",
                                 card->band[b]);
    s2clr_html_fact(to, "architecture", "%s", card->arch.name);
    s2clr_html_fact(to, "bands", "%s", bands);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        s2clr_html_fact(to, texts[i].name, "%s", card->text[texts[i].which]);
    put_calibration(to, card);
    if (card->arch.outputs == 1)
        s2clr_html_fact(to, "training share of positives", "%.6g", card->prevalence);
}
