/*
 * The table of output bands: the user's words, what a model can give, and values made of what the
 * engine computes.
 */
#include <math.h>
#include <string.h>

#include "harness.h"
#include "predict/output_bands.h"
#include "predict_rig.h"

static s2clr_model *open_model(const char *name, const rig_model *rig)
{
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(rig_model_make(name, rig), &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    return model;
}

static void refused(const char *text, const s2clr_model *model, s2clr_status status,
                    const char *says)
{
    s2clr_output_bands bands = {.count = -7};
    CU_ASSERT_EQUAL(s2clr_output_bands_parse(text, model, &bands), status);
    TEST_ERROR_SAYS(says);
    CU_ASSERT_EQUAL(bands.count, -7);
}

static void words(void)
{
    s2clr_model *model = open_model("words.safetensors", &rig_dense);
    const char *positive = s2clr_model_card(model)->positive;
    static const char *const single[] = {NULL, "", "probability", " Probability "};
    s2clr_output_bands bands;
    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        TEST_OK(s2clr_output_bands_parse(single[i], model, &bands));
        CU_ASSERT_EQUAL(bands.count, 1);
        CU_ASSERT_EQUAL(bands.aim, S2CLR_AIM_PROBABILITY);
        CU_ASSERT_STRING_EQUAL(bands.band[0].name, positive);
        CU_ASSERT(!bands.valid && !bands.evidence);
        s2clr_output_bands_free(&bands);
        CU_ASSERT_PTR_NULL(bands.band);
    }
    TEST_OK(s2clr_output_bands_parse("valid, evidence,probability ,entropy", model, &bands));
    CU_ASSERT_EQUAL(bands.count, 4);
    CU_ASSERT(bands.valid && bands.evidence);
    CU_ASSERT_EQUAL(bands.band[0].row->quantity, S2CLR_QUANTITY_VALID);
    CU_ASSERT_EQUAL(bands.band[1].row->quantity, S2CLR_QUANTITY_EVIDENCE);
    CU_ASSERT_STRING_EQUAL(bands.band[2].name, positive);
    CU_ASSERT_STRING_EQUAL(bands.band[3].row->unit, "bit");
    s2clr_output_bands_free(&bands);
    s2clr_model_close(model);
}

static void refusals(void)
{
    s2clr_model *dense = open_model("dense.safetensors", &rig_dense);
    s2clr_model *resnet = open_model("resnet.safetensors", &rig_resnet);
    refused("probabilty", dense, S2CLR_ERR_ARGUMENT, "did you mean probability?");
    refused("3,2,1", dense, S2CLR_ERR_ARGUMENT, "--input-bands");
    refused("B04=1", dense, S2CLR_ERR_ARGUMENT, "--input-bands");
    refused("entropy,", dense, S2CLR_ERR_ARGUMENT, "output bands");
    refused("entropy,entropy", dense, S2CLR_ERR_ARGUMENT, "twice");
    refused("embedding,valid", dense, S2CLR_ERR_ARGUMENT, "stands alone");
    refused("evidence", resnet, S2CLR_ERR_UNSUPPORTED, "dense model");
    s2clr_model_close(dense);
    s2clr_model_close(resnet);
}

static void embedding(void)
{
    s2clr_model *model = open_model("features.safetensors", &rig_resnet);
    s2clr_output_bands bands;
    TEST_OK(s2clr_output_bands_parse("embedding", model, &bands));
    /* The last stage of a ResNet-18 has eight times the channels of the first. */
    CU_ASSERT_EQUAL(bands.count, 8 * rig_resnet.width);
    CU_ASSERT_EQUAL(bands.aim, S2CLR_AIM_EMBEDDING);
    CU_ASSERT_STRING_EQUAL(bands.band[0].name, "embedding 1");
    CU_ASSERT_EQUAL(bands.band[bands.count - 1].feature, bands.count - 1);
    s2clr_output_bands_free(&bands);
    s2clr_model_close(model);
}

static void values(void)
{
    s2clr_model *model = open_model("values.safetensors", &rig_dense);
    float p[4] = {0, 0.5f, 0.25f, NAN}, share[4] = {1, 0.75f, 0.5f, 0}, local[4] = {-1, 2, 3, NAN};
    float out[16];
    s2clr_output_bands bands;
    s2clr_values have = {.probability = p, .valid = share, .evidence = local};
    TEST_OK(s2clr_output_bands_parse("entropy,valid,evidence,probability", model, &bands));
    s2clr_output_bands_fill(&bands, &have, 4, out);
    TEST_NEAR(out[0], 0, 0);
    TEST_NEAR(out[1], 1, 1e-7);
    TEST_NEAR(out[2], 0.25 * 2 + 0.75 * log2(4.0 / 3), 1e-6); /* H(1/4) in bits */
    CU_ASSERT(isnan(out[3]));
    CU_ASSERT_EQUAL(memcmp(out + 4, share, sizeof share), 0);
    CU_ASSERT_EQUAL(memcmp(out + 8, local, sizeof local), 0);
    CU_ASSERT_EQUAL(memcmp(out + 12, p, sizeof p), 0);
    have = (s2clr_values){0};
    s2clr_output_bands_fill(&bands, &have, 4, out);
    CU_ASSERT(isnan(out[0]) && isnan(out[8]) && isnan(out[15]));
    CU_ASSERT_EQUAL(out[5], 0);
    s2clr_output_bands_free(&bands);
    s2clr_model_close(model);
}

static const test_case cases[] = {
    {"words", words},
    {"refusals", refusals},
    {"embedding", embedding},
    {"values", values},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("output_bands", cases, argc, argv);
}
