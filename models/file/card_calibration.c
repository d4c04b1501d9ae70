#include <math.h>

#include "file/pcard.h"

static s2clr_status refuse_knot(const s2clr_card *card, const char *path, int i, const char *wanted)
{
    const s2clr_calibration *c = &card->calibration;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: card: 'calibration.knots[%d]' is [%.9g, %.9g], wanted %s", path, i,
                           c->knot_logit[i], c->knot_p[i], wanted);
}

static s2clr_status check_knots(const s2clr_card *card, const char *path)
{
    const s2clr_calibration *c = &card->calibration;
    for (int i = 0; i < c->knots; i++) {
        if (!(fabs(c->knot_logit[i]) <= 1e30) || !(c->knot_p[i] > 0 && c->knot_p[i] < 1))
            return refuse_knot(card, path, i,
                               "a finite logit and a probability between 0 and 1, both excluded");
        if (i == 0) continue;
        if (!(c->knot_logit[i] > c->knot_logit[i - 1]))
            return refuse_knot(card, path, i, "a larger logit than that of the knot before");
        if (!(c->knot_p[i] >= c->knot_p[i - 1]))
            return refuse_knot(card, path, i, "no smaller a probability than the knot before has");
    }
    return S2CLR_OK;
}

s2clr_status s2clr_card_check_calibration(const s2clr_card *card, const char *path)
{
    const s2clr_calibration *c = &card->calibration;
    if (c->knots < 0 || c->knots == 1 || c->knots > S2CLR_CARD_KNOTS)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: 'calibration.knots' has %d pairs, wanted 2 to %d or none",
                               path, c->knots, S2CLR_CARD_KNOTS);
    if (card->arch.outputs != 1 && (c->knots > 0 || c->bias != 0))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: 'calibration' has a bias or knots, and the network %d "
                               "outputs: wanted the temperature alone, bias and knots are for one "
                               "output",
                               path, card->arch.outputs);
    if (c->knots > 0 && c->bias != 0)
        return s2clr_error_set(
            S2CLR_ERR_FORMAT,
            "%s: card: 'calibration' has a bias of %.9g and %d knots, wanted one "
            "of the two",
            path, c->bias, c->knots);
    return check_knots(card, path);
}
