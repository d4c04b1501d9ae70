#include "file/inflate.h"

#include <string.h>

enum { COLOURS = 3 };
static const char *const colour_bands[COLOURS] = {"B04", "B03", "B02"}; /* red, green, blue */

/* Which colour each band takes, -1: the mean. */
static s2clr_status choose_colours(const s2clr_card *card, const char *order,
                                   int colour[S2CLR_CARD_BANDS_MAX])
{
    const bool reversed = strcmp(order, "bgr") == 0;
    int found = 0;
    for (int b = 0; b < card->bands; b++) {
        colour[b] = -1;
        for (int c = 0; c < COLOURS; c++)
            if (strcmp(card->band[b], colour_bands[c]) == 0)
                colour[b] = reversed ? COLOURS - 1 - c : c;
        found += colour[b] >= 0;
    }
    if (found == COLOURS) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: %d of the bands B04, B03 and B02 are in the card; inflating puts "
                           "the kernels for red, green and blue there and needs all three",
                           card->id, found);
}

// from: (out, 3, kh, kw), to: (out, bands, kh, kw)
static void inflate_kernels(const s2clr_param *param, const int *colour, const float *from,
                            float *to)
{
    const size_t bands = (size_t)param->dims[1];
    const size_t area = (size_t)param->dims[2] * (size_t)param->dims[3];
    const double scale = (double)COLOURS / (double)bands;
    for (size_t o = 0; o < (size_t)param->dims[0]; o++, from += COLOURS * area) {
        for (size_t b = 0; b < bands; b++) {
            for (size_t k = 0; k < area; k++) {
                const double mean =
                    ((double)from[k] + (double)from[area + k] + (double)from[2 * area + k]) / 3;
                const double own =
                    colour[b] < 0 ? mean : (double)from[(size_t)colour[b] * area + k];
                *to++ = (float)(scale * own);
            }
        }
    }
}

static bool sees_input(const s2clr_net *net, const s2clr_param *param)
{
    const s2clr_node *node = s2clr_net_node(net, (size_t)param->node);
    return param->role == S2CLR_PARAM_WEIGHT &&
           s2clr_net_node(net, (size_t)node->input[0])->kind == S2CLR_NODE_INPUT;
}

s2clr_status s2clr_inflate(const s2clr_net *rgb, const float *from, const s2clr_net *net,
                           const s2clr_card *card, const char *order, float *to)
{
    const s2clr_param *narrow, *wide;
    int colour[S2CLR_CARD_BANDS_MAX];
    const size_t count = s2clr_net_param_list(net, &wide);
    s2clr_net_param_list(rgb, &narrow);
    S2CLR_TRY(choose_colours(card, order, colour));
    for (size_t i = 0; i < count; i++) {
        if (sees_input(net, &wide[i]))
            inflate_kernels(&wide[i], colour, from + narrow[i].offset, to + wide[i].offset);
        else
            memcpy(to + wide[i].offset, from + narrow[i].offset, wide[i].count * sizeof *to);
    }
    return S2CLR_OK;
}
