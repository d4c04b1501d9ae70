#include "commands/info_report.h"

#include <gdal.h>
#include <geos_c.h>
#include <ogr_srs_api.h>
#include <proj.h>
#include <stdlib.h>

#include "backend/device_select.h"
#include "backend/device_trial.h"
#include "base/memory.h"
#include "base/pool.h"
#include "commands/stack_rows.h"
#include "predict/zoo.h"
#include "report/json_words.h"
#include "train/augment.h"
#include "train/optimiser.h"

/* ---- installation ---- */

enum { DEVICES_MAX = 64 }; /* should a backend never say that there are no more */

/* What one device is, or why it cannot be used. */
typedef struct device_line {
    char name[32]; /* "cuda:1"; "" where a backend has but one */
    char text[512];
    char why_not[1024];
} device_line;

/* The i-th device of a usable backend, false behind the last. */
static bool device_look(const s2clr_backend_entry *entry, int i, device_line *out)
{
    const s2clr_backend *const backend = entry->backend;
    s2clr_device *device;
    *out = (device_line){0};
    if (i == DEVICES_MAX || (entry->cpu && i > 0)) return false;
    if (!entry->cpu) snprintf(out->name, sizeof out->name, "%s:%d", entry->name, i);
    const s2clr_status status = backend->device_open(out->name, S2CLR_F32, &device);
    if (status != S2CLR_OK) {
        snprintf(out->why_not, sizeof out->why_not, "%s", s2clr_error_text());
        return status != S2CLR_ERR_ARGUMENT; /* there is no such device */
    }
    if (!entry->cpu && s2clr_device_trial_once(backend, device) != S2CLR_OK)
        snprintf(out->why_not, sizeof out->why_not, "%s", s2clr_error_text());
    else
        snprintf(out->text, sizeof out->text, "%s", backend->device_describe(device));
    backend->device_close(device);
    return true;
}

/* What --device auto computes with. */
static const s2clr_backend *default_backend(void)
{
    const s2clr_backend *backend;
    s2clr_device *device;
    if (s2clr_device_select("auto", S2CLR_F32, &backend, &device) != S2CLR_OK) return NULL;
    backend->device_close(device);
    return backend;
}

static json_t *backend_json(const s2clr_backend_entry *entry, bool is_default)
{
    json_t *const devices = json_array();
    device_line line, first = {0};
    for (int i = 0; entry->backend && device_look(entry, i, &line); i++) {
        if (i == 0) first = line;
        json_array_append_new(devices, json_pack("{s:s, s:s, s:o}", "name", line.name, "device",
                                                 line.text, "why_not",
                                                 s2clr_json_words(line.why_not)));
    }
    return json_pack("{s:s, s:b, s:b, s:s, s:o, s:o}", "name", entry->name, "usable",
                     entry->backend != NULL, "default", is_default, "device", first.text, "devices",
                     devices, "why_not", s2clr_json_words(entry->why));
}

/* label: "backends" for the first line of all. */
static void backend_print(FILE *to, const char *label, const s2clr_backend_entry *entry,
                          bool is_default)
{
    const char *const mark = is_default ? " (default)" : "";
    device_line line;
    if (!entry->backend) fprintf(to, "%-12s%-10s not usable: %s\n", label, entry->name, entry->why);
    for (int i = 0; entry->backend && device_look(entry, i, &line); i++)
        fprintf(to, "%-12s%-10s %s%s%s\n", i ? "" : label, line.name[0] ? line.name : entry->name,
                line.why_not[0] ? "not usable: " : line.text, line.why_not, i ? "" : mark);
}

/* The tables of names that options take. */
static const char *table_entry(int table, size_t index, const char **summary)
{
    const s2clr_arch_entry *arch;
    const s2clr_augment_entry *augment;
    const s2clr_augment_preset *preset;
    const s2clr_optimiser *optimiser;
    const size_t counts[] = {s2clr_arch_list(&arch), s2clr_augment_list(&augment),
                             s2clr_augment_preset_list(&preset), s2clr_optimiser_list(&optimiser)};
    if (index >= counts[table]) return NULL;
    *summary = table == 0   ? arch[index].summary
               : table == 1 ? augment[index].summary
               : table == 2 ? preset[index].summary
                            : optimiser[index].summary;
    return table == 0   ? arch[index].name
           : table == 1 ? augment[index].name
           : table == 2 ? preset[index].name
                        : optimiser[index].name;
}

static const char *const tables[] = {"architectures", "augmentations", "presets", "optimisers"};
#define TABLES 4

static json_t *tables_json(void)
{
    json_t *out = json_object();
    for (int t = 0; t < TABLES; t++) {
        json_t *list = json_array();
        const char *name, *summary;
        for (size_t i = 0; (name = table_entry(t, i, &summary)); i++)
            json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "summary", summary));
        json_object_set_new(out, tables[t], list);
    }
    return out;
}

static void tables_print(FILE *to)
{
    for (int t = 0; t < TABLES; t++) {
        const char *name, *summary;
        fprintf(to, "%s\n", tables[t]);
        for (size_t i = 0; (name = table_entry(t, i, &summary)); i++)
            fprintf(to, "%12s%-15s %s\n", "", name, summary);
    }
}

json_t *s2clr_installation_json(void)
{
    const s2clr_backend_entry *entry;
    const s2clr_backend *const best = default_backend();
    const size_t count = s2clr_backend_list(&entry);
    json_t *backends = json_array(), *folders = json_array();
    for (size_t i = 0; i < count; i++) {
        const bool is_default = entry[i].backend && entry[i].backend == best;
        json_array_append_new(backends, backend_json(&entry[i], is_default));
    }
    char folder[S2CLR_ZOO_PATH];
    for (size_t i = 0; s2clr_zoo_folder(i, folder); i++)
        json_array_append_new(folders, s2clr_json_words(folder));
    const PJ_INFO proj = proj_info();
    return json_pack(
        "{s:s, s:i, s:I, s:{s:s, s:s, s:s, s:s}, s:o, s:o, s:o}", "version", S2CLR_VERSION, "cpus",
        s2clr_cpu_count(), "memory_available", (json_int_t)s2clr_memory_available(), "libraries",
        "gdal", GDALVersionInfo("RELEASE_NAME"), "proj", proj.version, "geos", GEOSversion(),
        "jansson", JANSSON_VERSION, "backends", backends, "zoo", folders, "names", tables_json());
}

void s2clr_installation_print(FILE *to)
{
    const s2clr_backend_entry *entry;
    const s2clr_backend *const best = default_backend();
    const size_t count = s2clr_backend_list(&entry);
    fprintf(to, "s2clr       %s\nlibraries   GDAL %s, PROJ %s, GEOS %s, jansson %s\n",
            S2CLR_VERSION, GDALVersionInfo("RELEASE_NAME"), proj_info().version, GEOSversion(),
            JANSSON_VERSION);
    fprintf(to, "machine     %d CPUs, %.1f GiB of memory available\n", s2clr_cpu_count(),
            (double)s2clr_memory_available() / (1 << 30));
    for (size_t i = 0; i < count; i++) {
        const bool is_default = entry[i].backend && entry[i].backend == best;
        backend_print(to, i ? "" : "backends", &entry[i], is_default);
    }
    char folder[S2CLR_ZOO_PATH];
    for (size_t i = 0; s2clr_zoo_folder(i, folder); i++)
        fprintf(to, "%-12s%s\n", i ? "" : "zoo", folder);
    tables_print(to);
}

/* ---- model ---- */

json_t *s2clr_model_json(const s2clr_model *model)
{
    char *text;
    if (s2clr_card_format(s2clr_model_card(model), &text) != S2CLR_OK) return NULL;
    json_t *card = json_loads(text, 0, NULL);
    s2clr_free(text);
    return json_pack("{s:o, s:s, s:I, s:i, s:i, s:o}", "path",
                     s2clr_json_words(s2clr_model_path(model)), "sha256", s2clr_model_sha256(model),
                     "parameters", (json_int_t)s2clr_net_trainable_count(s2clr_model_net(model)),
                     "step", s2clr_net_step(s2clr_model_net(model)), "receptive_field",
                     s2clr_net_field(s2clr_model_net(model)), "card", card);
}

static void print_text(FILE *to, const char *label, const char *text)
{
    if (text && text[0]) fprintf(to, "%-12s%s\n", label, text);
}

/* One line per set of numbers: the object as a whole is too long to read. */
static void print_metrics(FILE *to, const char *text)
{
    json_t *object = json_loads(text, 0, NULL), *value;
    const char *key, *label = "metrics";
    json_object_foreach(object, key, value)
    {
        char *line = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
        fprintf(to, "%-12s%s: %s\n", label, key, line ? line : "");
        free(line);
        label = "";
    }
    json_decref(object);
}

static void print_levels(FILE *to, const s2clr_card *card)
{
    for (int i = 0; i < card->levels; i++) {
        const s2clr_card_level *level = &card->level[i];
        fprintf(to, "level       %s: clamp(gain x DN + bias, %g, %g)", level->name, level->low,
                level->high);
        if (level->has_nodata) fprintf(to, ", DN %g is nodata", level->nodata);
        fputs("; gain, bias", to);
        for (int b = 0; b < card->bands; b++)
            fprintf(to, "%s %s %.6g, %.6g", b ? ";" : "", card->band[b], level->gain[b],
                    level->bias[b]);
        fputc('\n', to);
        if (level->source[0]) fprintf(to, "%14s%s\n", "", level->source);
    }
}

static void print_layers(FILE *to, const char *what, int count, const int *layer)
{
    for (int i = 0; i < count; i++) fprintf(to, "%s%d", i ? "-" : what, layer[i]);
}

static void print_heads(FILE *to, const s2clr_arch *arch)
{
    print_layers(to, ", projection ", arch->projections, arch->projection);
    if (arch->tap) fprintf(to, ", classifier on projection layer %d", arch->tap);
    print_layers(to, ", hidden ", arch->hiddens, arch->hidden);
}

static void print_calibration(FILE *to, const s2clr_card *card)
{
    const s2clr_calibration *c = &card->calibration;
    if (!c->part[0]) return;
    fputs("calibrated  ", to);
    if (c->knots)
        fprintf(to, "%d knots, ", c->knots);
    else if (c->bias != 0)
        fprintf(to, "bias %.4g, ", c->bias);
    fprintf(to, "on %d samples of part %s: ECE %.4f before, %.4f after\n", c->samples, c->part,
            c->ece_before, c->ece_after);
}

static void print_classes(FILE *to, const s2clr_card *card)
{
    if (card->arch.outputs == 0) {
        fputs("classes     none: an encoder, for s2clr embed and s2clr finetune\n", to);
        return;
    }
    if (card->arch.outputs == 1) {
        fprintf(
            to, "classes     1 = %s, 0 = %s; threshold %.4g, temperature %.4g, prevalence %.4g\n",
            card->positive, card->negative, card->threshold, card->temperature, card->prevalence);
        return;
    }
    fprintf(to, "classes    ");
    for (int i = 0; i < card->classes; i++)
        fprintf(to, " %d = %s%s", i, card->class_name[i], i + 1 < card->classes ? "," : "");
    fprintf(to, "; temperature %.4g\n", card->temperature);
}

void s2clr_model_print(FILE *to, const s2clr_model *model)
{
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_net *net = s2clr_model_net(model);
    fprintf(to, "model       %s\nid          %s\n", s2clr_model_path(model), card->id);
    print_text(to, "title", card->text[S2CLR_CARD_TITLE]);
    print_text(to, "mind", card->text[S2CLR_CARD_WARNING]);
    fprintf(to, "network     %s, width %d, %zu weights", card->arch.name,
            s2clr_net_arch(net)->width, s2clr_net_trainable_count(net));
    print_heads(to, s2clr_net_arch(net));
    if (s2clr_net_step(net))
        fprintf(to, ", a local logit every %d px that sees %d px", s2clr_net_step(net),
                s2clr_net_field(net));
    fprintf(to, "\npatch       %d px of %g m, default stride %d px, resampling %s\n", card->patch,
            card->metres, card->stride, card->resampling);
    print_classes(to, card);
    print_calibration(to, card);
    fprintf(to, "bands      ");
    for (int b = 0; b < card->bands; b++)
        fprintf(to, " %s (mean %.5g, std %.5g)", card->band[b], (double)card->mean[b],
                (double)card->std[b]);
    fputc('\n', to);
    print_text(to, "unit", card->text[S2CLR_CARD_UNIT]);
    print_levels(to, card);
    print_text(to, "trained on", card->text[S2CLR_CARD_TRAINED_ON]);
    print_text(to, "not checked", card->text[S2CLR_CARD_NOT_VALIDATED]);
    print_metrics(to, card->text[S2CLR_CARD_METRICS]);
    print_text(to, "licence", card->text[S2CLR_CARD_LICENCE]);
    print_text(to, "data set", card->text[S2CLR_CARD_DATASET]);
    print_text(to, "parent", card->text[S2CLR_CARD_PARENT]);
    print_text(to, "made by", card->text[S2CLR_CARD_COMMAND]);
    fprintf(to, "sha256      %s\n", s2clr_model_sha256(model));
}

/* ---- input ---- */

json_t *s2clr_input_json(const s2clr_stack_info *info, const s2clr_model *model)
{
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_card_level *level = s2clr_card_find_level(card, info->level);
    json_t *scaling = json_array();
    for (int b = 0; level && b < card->bands; b++)
        json_array_append_new(
            scaling, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "band", card->band[b],
                               "offset", info->band[b].offset, "gain", level->gain[b], "bias",
                               level->bias[b], "low", level->low, "high", level->high, "mean",
                               (double)card->mean[b], "std", (double)card->std[b]));
    return json_pack("{s:o, s:s, s:o, s:o}", "model", s2clr_json_words(s2clr_model_path(model)),
                     "model_id", card->id, "input", s2clr_stack_json(info), "scaling", scaling);
}

/* "WGS 84 / UTM zone 29N (EPSG:32629)". */
static void print_crs(FILE *to, const char *wkt)
{
    OGRSpatialReferenceH crs = wkt && wkt[0] ? OSRNewSpatialReference(wkt) : NULL;
    const char *name = crs ? OSRGetName(crs) : NULL;
    const char *code = crs ? OSRGetAuthorityCode(crs, NULL) : NULL;
    fprintf(to, "crs         %s", !crs ? "none" : name ? name : "unnamed");
    if (code) fprintf(to, " (%s:%s)", OSRGetAuthorityName(crs, NULL), code);
    fputc('\n', to);
    if (crs) OSRDestroySpatialReference(crs);
}

void s2clr_input_print(FILE *to, const s2clr_stack_info *info, const s2clr_model *model)
{
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_card_level *level = s2clr_card_find_level(card, info->level);
    fprintf(to, "model       %s (%s)\n", card->id, s2clr_model_path(model));
    s2clr_stack_print(to, info);
    for (int b = 0; level && b < card->bands; b++)
        fprintf(to, "%-12s%-6s x = (clamp(%.6g x (DN %+.6g) %+.6g, %g, %g) - %.5g) / %.5g\n",
                b ? "" : "scaling", card->band[b], level->gain[b], info->band[b].offset,
                level->bias[b], level->low, level->high, (double)card->mean[b],
                (double)card->std[b]);
    if (info->has_transform) {
        const double *t = info->transform;
        fprintf(to, "transform   %.10g %.10g %.10g %.10g %.10g %.10g\n", t[0], t[1], t[2], t[3],
                t[4], t[5]);
    }
    print_crs(to, info->wkt);
}
