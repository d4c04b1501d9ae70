#include "commands/card_build.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/training_rows.h"

static s2clr_status load_partial(const char *path, json_t **out)
{
    json_error_t error;
    if (!path) {
        *out = json_object();
        return S2CLR_OK;
    }
    *out = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!*out)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: not a readable JSON file: %s (line %d)", path,
                               error.text, error.line);
    if (json_is_object(*out)) return S2CLR_OK;
    json_decref(*out);
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: a card is a JSON object, this is something else",
                           path);
}

/* Keeps what the partial card says. */
static void fill(json_t *root, const char *key, json_t *value)
{
    if (json_object_get(root, key))
        json_decref(value);
    else
        json_object_set_new(root, key, value);
}

void s2clr_card_default_id(const char *arch, const char *what, char id[S2CLR_CARD_WORD])
{
    snprintf(id, S2CLR_CARD_WORD, "%.24s-%.36s", arch, what);
    for (char *at = id; *at; at++)
        *at = (char)(isalnum((unsigned char)*at) ? tolower((unsigned char)*at) : '-');
}

static json_t *repeated(double value, int count)
{
    json_t *out = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(out, json_real(value));
    return out;
}

static json_t *split_names(const char *list)
{
    json_t *out = json_array();
    while (*list) {
        const size_t length = strcspn(list, ",");
        json_array_append_new(out, json_stringn(list, length));
        list += length + (list[length] == ',');
    }
    return out;
}

static s2clr_status fill_bands(json_t *root, const s2clr_args *args, const s2clr_card_facts *facts)
{
    const char *names = s2clr_args_text(args, "bands-names");
    const int channels = facts->channels;
    if (names && facts->bands)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--bands-names names the bands of images; those of a store have "
                               "names, and --image-bands chooses among them");
    if (facts->bands) names = facts->bands;
    if (names) json_object_set_new(root, "bands", split_names(names));
    if (!json_object_get(root, "bands") && channels == 3)
        json_object_set_new(root, "bands", split_names("B04,B03,B02"));
    const size_t count = json_array_size(json_object_get(root, "bands"));
    if (count == (size_t)channels) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%zu band names for patches of %d bands: name them in their order, as "
                           "in --bands-names B04,B03,B02",
                           count, channels);
}

/* An encoder: a projection head, and no classifier behind it. */
static s2clr_status fill_encoder(json_t *arch, const s2clr_args *args)
{
    int width[S2CLR_HEAD_MAX], count;
    S2CLR_TRY(s2clr_widths_read(args, "projection", width, &count));
    json_t *widths = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(widths, json_integer(width[i]));
    if (s2clr_args_given(args, "projection")) json_object_del(arch, "projection");
    fill(arch, "projection", widths);
    json_object_set_new(arch, "outputs", json_integer(0));
    return S2CLR_OK;
}

/* A partial card of another model may name a positive that is none of the classes. */
static void fill_classes(json_t *root, json_t *names)
{
    const char *positive = json_string_value(json_object_get(root, "positive"));
    const json_t *name;
    size_t i;
    bool found = false;
    json_array_foreach(names, i, name) found =
        found || (positive && strcmp(json_string_value(name), positive) == 0);
    if (!found) json_object_del(root, "positive");
    json_object_set(root, "classes", names);
}

/* The names of the outputs, and the layers before them. */
static void fill_head(json_t *root, json_t *arch, const s2clr_card_facts *facts)
{
    json_t *names = json_array(), *widths = json_array();
    for (int i = 0; i < facts->class_count; i++)
        json_array_append_new(names, json_string(facts->classes[i]));
    for (int i = 0; i < facts->hiddens; i++)
        json_array_append_new(widths, json_integer(facts->hidden[i]));
    if (facts->class_count) fill_classes(root, names);
    if (facts->hiddens) json_object_set(arch, "hidden", widths);
    json_decref(names);
    json_decref(widths);
}

static s2clr_status fill_arch(json_t *root, const s2clr_args *args, const s2clr_card_facts *facts)
{
    json_t *arch = json_object_get(root, "architecture");
    if (!arch) {
        arch = json_object();
        json_object_set_new(root, "architecture", arch);
    }
    if (!json_is_object(arch))
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: 'architecture' must be a JSON object",
                               s2clr_args_text(args, "card"));
    if (s2clr_args_given(args, "arch") || !json_object_get(arch, "name"))
        json_object_set_new(arch, "name", json_string(s2clr_args_text(args, "arch")));
    if (s2clr_args_given(args, "width"))
        json_object_set_new(arch, "width", json_integer(s2clr_args_int(args, "width")));
    if (s2clr_args_given(args, "depth"))
        json_object_set_new(arch, "depth", json_integer(s2clr_args_int(args, "depth")));
    fill(arch, "channels", json_integer(facts->channels));
    if (facts->encoder) return fill_encoder(arch, args);
    fill_head(root, arch, facts);
    const size_t classes = json_array_size(json_object_get(root, "classes"));
    fill(arch, "outputs", json_integer(classes ? (json_int_t)classes : 1));
    return S2CLR_OK;
}

static void fill_level(json_t *root, const s2clr_card_facts *facts)
{
    fill(root, "levels",
         json_pack("[{s:s, s:o, s:o, s:f, s:f, s:s}]", "name", facts->level, "gain",
                   repeated(1, facts->channels), "bias", repeated(0, facts->channels), "low", 0.0,
                   "high", 65535.0, "source", "DN as stored in the training images"));
}

/* Everything but the stride, which depends on the network. */
static s2clr_status fill_root(json_t *root, const s2clr_args *args, const s2clr_card_facts *facts)
{
    S2CLR_TRY(fill_bands(root, args, facts));
    S2CLR_TRY(fill_arch(root, args, facts));
    fill_level(root, facts);
    if (facts->positive) json_object_set_new(root, "positive", json_string(facts->positive));
    if (facts->otherwise) fill(root, "positive", json_string(facts->otherwise));
    const char *arch =
        json_string_value(json_object_get(json_object_get(root, "architecture"), "name"));
    const char *positive = json_string_value(json_object_get(root, "positive"));
    const char *what = facts->encoder ? "encoder" : positive ? positive : "model";
    if (facts->class_count) what = "classes";
    char id[S2CLR_CARD_WORD];
    s2clr_card_default_id(arch ? arch : "model", what, id);
    fill(root, "id", json_string(id));
    fill(root, "version", json_integer(S2CLR_CARD_VERSION));
    fill(root, "negative", json_string("other"));
    fill(root, "metres", json_real(facts->metres > 0 ? facts->metres : 10));
    if (facts->patch) fill(root, "patch", json_integer(facts->patch));
    fill(root, "mean", repeated(0, facts->channels));
    fill(root, "std", repeated(1, facts->channels));
    fill(root, "dataset", json_string(facts->dataset ? facts->dataset : ""));
    fill(root, "trained_on", json_string(facts->trained_on ? facts->trained_on : ""));
    /* Imported weights keep the command that trained them, when the card tells. */
    if (facts->dataset) json_object_del(root, "command");
    fill(root, "command", json_string(s2clr_args_line(args)));
    return S2CLR_OK;
}

static s2clr_status parse(const json_t *root, const char *name, s2clr_card **out)
{
    char *text = json_dumps(root, 0);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for the card", name);
    const s2clr_status status = s2clr_card_parse(text, name, out);
    free(text);
    return status;
}

s2clr_status s2clr_card_default_stride(s2clr_card *card)
{
    s2clr_net *net;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    const int step = s2clr_net_step(net);
    card->stride = step ? step : card->patch > 1 ? card->patch / 2 : 1;
    s2clr_net_free(net);
    return S2CLR_OK;
}

static s2clr_status build(json_t *root, const s2clr_args *args, const s2clr_card_facts *facts,
                          s2clr_card **out, bool *measured)
{
    const char *path = s2clr_args_text(args, "card");
    const bool has_stride = json_object_get(root, "stride") != NULL;
    const bool has_moments = json_object_get(root, "mean") && json_object_get(root, "std");
    s2clr_card *card;
    S2CLR_TRY(fill_root(root, args, facts));
    fill(root, "stride", json_integer(1));
    S2CLR_TRY(parse(root, path ? path : "card from the command line", &card));
    s2clr_status status = has_stride ? S2CLR_OK : s2clr_card_default_stride(card);
    if (status == S2CLR_OK && facts->patch && card->patch != facts->patch)
        status =
            s2clr_error_set(S2CLR_ERR_MISMATCH, "%s: 'patch' is %d, but the patches have %d pixels",
                            path, card->patch, facts->patch);
    if (status != S2CLR_OK) {
        s2clr_card_free(card);
        return status;
    }
    for (int b = 0; b < card->bands && !has_moments; b++) card->std[b] = 0;
    *measured = has_moments;
    *out = card;
    return S2CLR_OK;
}

s2clr_status s2clr_card_build(const s2clr_args *args, const s2clr_card_facts *facts,
                              s2clr_card **out, bool *measured)
{
    json_t *root;
    S2CLR_TRY(load_partial(s2clr_args_text(args, "card"), &root));
    const s2clr_status status = build(root, args, facts, out, measured);
    json_decref(root);
    return status;
}

s2clr_card_facts s2clr_card_facts_of(const s2clr_args *args, const s2clr_store_facts *store)
{
    const char *level = s2clr_args_text(args, "level");
    if (!level && store->store && store->level[0]) level = store->level;
    return (s2clr_card_facts){.channels = store->channels,
                              .patch = store->patch,
                              .level = level ? level : "DN",
                              .bands = store->store ? store->bands : NULL,
                              .metres = store->metres};
}

s2clr_status s2clr_card_bands(const s2clr_args *args, char *out, size_t size)
{
    json_t *root;
    size_t at = 0, i;
    const json_t *band;
    S2CLR_TRY(load_partial(s2clr_args_text(args, "card"), &root));
    out[0] = '\0';
    json_array_foreach(json_object_get(root, "bands"), i, band)
    {
        const char *name = json_string_value(band);
        if (name && at < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? "," : "", name);
    }
    json_decref(root);
    return S2CLR_OK;
}
