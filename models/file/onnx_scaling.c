/* Around the network: from DN to its input, from logits to probabilities. */
#include "file/ponnx.h"

static void put_binary(s2clr_onnx_graph *g, const char *operator_name, const char *a, const char *b,
                       const char *to)
{
    const char *inputs[] = {a, b, NULL};
    s2clr_onnx_node(g, operator_name, inputs, to);
}

void s2clr_onnx_standardise(s2clr_onnx_graph *g, const s2clr_card_level *level)
{
    const s2clr_card *card = g->card;
    const char *clip[] = {"dn.value", "level.low", "level.high", NULL};
    double mean[S2CLR_CARD_BANDS_MAX], std[S2CLR_CARD_BANDS_MAX];
    for (int b = 0; b < card->bands; b++) {
        mean[b] = (double)card->mean[b];
        std[b] = (double)card->std[b];
    }
    s2clr_onnx_constant(g, "level.gain", level->gain, card->bands);
    s2clr_onnx_constant(g, "level.bias", level->bias, card->bands);
    s2clr_onnx_constant(g, "level.low", &level->low, 0);
    s2clr_onnx_constant(g, "level.high", &level->high, 0);
    s2clr_onnx_constant(g, "card.mean", mean, card->bands);
    s2clr_onnx_constant(g, "card.std", std, card->bands);
    put_binary(g, "Mul", "dn", "level.gain", "dn.scaled");
    put_binary(g, "Add", "dn.scaled", "level.bias", "dn.value");
    s2clr_onnx_node(g, "Clip", clip, "dn.clamped");
    put_binary(g, "Sub", "dn.clamped", "card.mean", "dn.centred");
    put_binary(g, "Div", "dn.centred", "card.std", "input");
}

void s2clr_onnx_probability(s2clr_onnx_graph *g)
{
    const int outputs = g->card->arch.outputs;
    const s2clr_calibration *calibration = &g->card->calibration;
    const char *inputs[] = {calibration->bias != 0 ? "logits.moved" : "logits.scaled", NULL};
    s2clr_onnx_constant(g, "card.temperature", &g->card->temperature, 0);
    put_binary(g, "Div", "logits", "card.temperature", "logits.scaled");
    if (calibration->bias != 0) {
        s2clr_onnx_constant(g, "card.bias", &calibration->bias, 0);
        put_binary(g, "Add", "logits.scaled", "card.bias", inputs[0]);
    }
    if (outputs > 1) s2clr_onnx_attribute_int(g, "axis", 1);
    s2clr_onnx_node(g, outputs > 1 ? "Softmax" : "Sigmoid", inputs, "probability");
}
