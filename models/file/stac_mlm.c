#include "file/stac_mlm.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/file_replace.h"
#include "file/pcard.h"

#define MLM_SCHEMA "https://stac-extensions.github.io/mlm/v1.5.2/schema.json"
#define FILE_SCHEMA "https://stac-extensions.github.io/file/v2.1.0/schema.json"
#define SHA256_MULTIHASH "1220" /* sha2-256, 32 bytes */

static json_t *text_or_null(const char *text)
{
    return text[0] ? json_string(text) : json_null();
}

/* ---- input ---- */

static json_t *band_names(const s2clr_card *card)
{
    json_t *names = json_array();
    for (int b = 0; b < card->bands; b++) json_array_append_new(names, json_string(card->band[b]));
    return names;
}

static json_t *band_objects(const s2clr_card *card)
{
    json_t *bands = json_array();
    for (int b = 0; b < card->bands; b++)
        json_array_append_new(bands,
                              json_pack("{s:s, s:s, s:f}", "name", card->band[b], "description",
                                        "Sentinel-2 MSI", "gsd", card->metres));
    return bands;
}

static json_t *scaling(const s2clr_card *card)
{
    json_t *list = json_array();
    for (int b = 0; b < card->bands; b++)
        json_array_append_new(list,
                              json_pack("{s:s, s:f, s:f}", "type", "z-score", "mean",
                                        (double)card->mean[b], "stddev", (double)card->std[b]));
    return list;
}

/* What the card's levels say, in the card's own words. */
static json_t *levels(const s2clr_card *card)
{
    json_t *list = json_array();
    for (int i = 0; i < card->levels; i++) {
        const s2clr_card_level *level = &card->level[i];
        json_t *gain = json_array(), *bias = json_array();
        for (int b = 0; b < card->bands; b++) {
            json_array_append_new(gain, json_real(level->gain[b]));
            json_array_append_new(bias, json_real(level->bias[b]));
        }
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:f, s:f, s:s}", "name", level->name,
                                              "gain", gain, "bias", bias, "low", level->low, "high",
                                              level->high, "source", level->source));
    }
    return list;
}

static json_t *input(const s2clr_card *card)
{
    static const char rule[] = "v = clamp(gain * (DN + offset of the product) + bias, low, high); "
                               "invalid pixels become 0 behind value_scaling";
    return json_pack(
        "{s:s, s:s, s:o, s:{s:[i, i, i, i], s:[s, s, s, s], s:s}, s:o, s:n, s:{s:s, s:{s:s, s:s, "
        "s:o}}}",
        "name", "input", "description", "one patch, standardised", "bands", band_names(card),
        "input", "shape", -1, card->bands, card->patch, card->patch, "dim_order", "batch", "bands",
        "height", "width", "data_type", "float32", "value_scaling", scaling(card), "resize_type",
        "pre_processing_function", "format", "s2clr-card", "expression", "rule", rule, "unit",
        card->text[S2CLR_CARD_UNIT], "levels", levels(card));
}

/* ---- output ---- */

/* `name` of the classification extension has letters, digits, - and _ only. */
static json_t *class_object(int value, const char *label)
{
    char name[S2CLR_CARD_WORD];
    snprintf(name, sizeof name, "%s", label);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) || (unsigned char)*c > 127) *c = '-';
    return json_pack("{s:i, s:s, s:s}", "value", value, "name", name, "description", label);
}

static json_t *classes(const s2clr_card *card)
{
    json_t *list = json_array();
    if (card->arch.outputs == 1) {
        json_array_append_new(list, class_object(0, card->negative[0] ? card->negative : "other"));
        json_array_append_new(list, class_object(1, card->positive));
    }
    for (int i = 0; i < card->classes; i++)
        json_array_append_new(list, class_object(i, card->class_name[i]));
    return list;
}

static json_t *result(int width, const char *dimension)
{
    return json_pack("{s:[i, i], s:[s, s], s:s}", "shape", -1, width, "dim_order", "batch",
                     dimension, "data_type", "float32");
}

/* From logits to probabilities, as file/card_probability.h has it. */
static const char *rule(const s2clr_card *card)
{
    if (card->arch.outputs > 1) return "softmax(logits / temperature)";
    if (card->calibration.knots > 0)
        return "linear between knots [logit, probability]; beyond them the log odds go on with "
               "slope 1 / temperature";
    if (card->calibration.bias != 0) return "1 / (1 + exp(-(logit / temperature + bias)))";
    return "1 / (1 + exp(-logit / temperature))";
}

static json_t *knots(const s2clr_card *card)
{
    const s2clr_calibration *c = &card->calibration;
    json_t *list = json_array();
    for (int i = 0; i < c->knots; i++)
        json_array_append_new(list, json_pack("[f, f]", c->knot_logit[i], c->knot_p[i]));
    return list;
}

static json_t *logits(const s2clr_card *card)
{
    json_t *expression =
        json_pack("{s:s, s:f}", "rule", rule(card), "temperature", card->temperature);
    if (card->calibration.bias != 0)
        json_object_set_new(expression, "bias", json_real(card->calibration.bias));
    if (card->calibration.knots > 0) json_object_set_new(expression, "knots", knots(card));
    return json_pack("{s:s, s:[s], s:o, s:o, s:{s:s, s:o}}", "name", "logits", "tasks",
                     "scene-classification", "result", result(card->arch.outputs, "class"),
                     "classification:classes", classes(card), "post_processing_function", "format",
                     "s2clr-card", "expression", expression);
}

static s2clr_status feature_count(const s2clr_model *model, int *out)
{
    const s2clr_net *net = s2clr_model_net(model);
    const int patch = s2clr_model_card(model)->patch;
    s2clr_shape *shape;
    S2CLR_TRY(s2clr_alloc(s2clr_net_node_count(net), sizeof *shape, "shapes", (void **)&shape));
    const s2clr_status status = s2clr_net_shapes(net, 1, patch, patch, shape);
    if (status == S2CLR_OK) *out = shape[s2clr_net_output(net, S2CLR_OUTPUT_FEATURES)].c;
    s2clr_free(shape);
    return status;
}

static json_t *features(int count)
{
    return json_pack("{s:s, s:[s, s], s:o}", "name", "features", "tasks", "similarity-search",
                     "feature-extraction", "result", result(count, "embedding"));
}

/* ---- item ---- */

static json_t *hyperparameters(const s2clr_card *card)
{
    json_t *object = json_pack("{s:s, s:i, s:f, s:i, s:s}", "architecture", card->arch.name,
                               "patch", card->patch, "metres", card->metres, "stride", card->stride,
                               "resampling", card->resampling);
    if (card->seed <= INT64_MAX)
        json_object_set_new(object, "seed", json_integer((json_int_t)card->seed));
    if (card->arch.outputs == 1) {
        json_object_set_new(object, "threshold", json_real(card->threshold));
        json_object_set_new(object, "prevalence", json_real(card->prevalence));
    }
    if (card->text[S2CLR_CARD_COMMAND][0])
        json_object_set_new(object, "command", json_string(card->text[S2CLR_CARD_COMMAND]));
    return object;
}

static json_t *properties(const s2clr_model *model, int feature_width)
{
    const s2clr_card *card = s2clr_model_card(model);
    const bool encoder = card->arch.outputs == 0;
    const char *parent = card->text[S2CLR_CARD_PARENT], *title = card->text[S2CLR_CARD_TITLE];
    json_t *out = json_pack(
        "{s:n, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:I, s:b, s:o, s:n, s:[o], s:[o], s:o}",
        "datetime", "start_datetime", "1900-01-01T00:00:00Z", "end_datetime",
        "9999-12-31T23:59:59Z", "title", title[0] ? title : card->id, "mlm:name", card->id,
        "mlm:architecture", card->arch.name, "mlm:tasks",
        encoder ? json_pack("[s, s]", "similarity-search", "feature-extraction")
                : json_pack("[s]", "scene-classification"),
        "mlm:framework", "S2CLR", "mlm:framework_version", S2CLR_VERSION, "mlm:total_parameters",
        (json_int_t)s2clr_net_param_count(s2clr_model_net(model)), "mlm:pretrained",
        encoder || parent[0], "mlm:pretrained_source",
        text_or_null(parent[0] ? parent : card->text[S2CLR_CARD_DATASET]), "mlm:accelerator",
        "mlm:input", input(card), "mlm:output", encoder ? features(feature_width) : logits(card),
        "mlm:hyperparameters", hyperparameters(card));
    json_object_set_new(out, "bands", band_objects(card));
    const char *description = card->text[S2CLR_CARD_TRAINED_ON];
    const char *warning = card->text[S2CLR_CARD_WARNING], *licence = card->text[S2CLR_CARD_LICENCE];
    if (description[0]) json_object_set_new(out, "description", json_string(description));
    if (warning[0]) json_object_set_new(out, "s2clr:warning", json_string(warning));
    if (licence[0]) json_object_set_new(out, "s2clr:licence", json_string(licence));
    return out;
}

static json_t *asset(const s2clr_model *model, const char *href)
{
    char checksum[80];
    snprintf(checksum, sizeof checksum, SHA256_MULTIHASH "%s", s2clr_model_sha256(model));
    return json_pack("{s:s, s:s, s:s, s:[s, s, s, s], s:s, s:s, s:o}", "href", href, "title",
                     "weights and card", "type", "application/octet-stream; framework=safetensors",
                     "roles", "mlm:model", "mlm:weights", "model", "weights", "mlm:artifact_type",
                     "safetensors.torch.save_file", "file:checksum", checksum, "bands",
                     band_objects(s2clr_model_card(model)));
}

static json_t *item(const s2clr_model *model, const char *href, int feature_width)
{
    return json_pack(
        "{s:s, s:s, s:[s, s], s:s, s:{s:s, s:[[[f, f], [f, f], [f, f], [f, f], [f, f]]]}, "
        "s:[f, f, f, f], s:o, s:{s:o}, s:[]}",
        "type", "Feature", "stac_version", "1.1.0", "stac_extensions", MLM_SCHEMA, FILE_SCHEMA,
        "id", s2clr_model_card(model)->id, "geometry", "type", "Polygon", "coordinates", -180.0,
        -90.0, 180.0, -90.0, 180.0, 90.0, -180.0, 90.0, -180.0, -90.0, "bbox", -180.0, -90.0, 180.0,
        90.0, "properties", properties(model, feature_width), "assets", "model", asset(model, href),
        "links");
}

s2clr_status s2clr_stac_mlm_write(const char *path, const s2clr_model *model, const char *href)
{
    int feature_width;
    S2CLR_TRY(feature_count(model, &feature_width));
    json_t *root = item(model, href, feature_width);
    char *text = root ? s2clr_json_text(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return s2clr_error_set(
            S2CLR_ERR_FORMAT,
            "%s: no item can be made: memory ran out, or the file name \"%.200s\" "
            "is not UTF-8",
            path, href);
    const s2clr_piece pieces[] = {{text, strlen(text)}, {"\n", 1}};
    const s2clr_status status = s2clr_file_replace(path, pieces, 2);
    free(text);
    return status;
}
