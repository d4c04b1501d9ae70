/* What a template is filled from: the stack of the scene, models, and the maps of models. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "pointwise/student.h"
#include "predict/connection.h"
#include "predict/model_share.h"
#include "sentinel2/gdal_watch.h"
#include "vrt/pvrt.h"

/* ---- names ---- */

static bool is_none(const char *scl)
{
    return !scl || strcmp(scl, "none") == 0;
}

static s2clr_status locate_scl(s2clr_vrt_scene *scene)
{
    const char *given = scene->settings->stack.scl;
    if (is_none(given) || strcmp(given, "auto") == 0)
        snprintf(scene->scl_name, sizeof scene->scl_name, "%s",
                 scene->needs.scl || given ? scene->needs.scl ? "auto" : given : "none");
    else
        S2CLR_TRY(s2clr_vrt_absolute(given, scene->scl_name));
    scene->stack_options.scl = scene->needs.scl ? scene->scl_name : "none";
    return S2CLR_OK;
}

static void add_option(s2clr_vrt_scene *scene, const char *key, const char *value)
{
    scene->options = CSLSetNameValue(scene->options, key, value);
}

static void collect_options(s2clr_vrt_scene *scene)
{
    const s2clr_vrt_settings *s = scene->settings;
    if (s->stride) add_option(scene, "STRIDE", CPLSPrintf("%d", s->stride));
    if (s->bands) add_option(scene, "BANDS", s->bands);
    if (s->stack.bands) add_option(scene, "INPUT_BANDS", s->stack.bands);
    if (s->stack.level) add_option(scene, "LEVEL", s->stack.level);
    if (!scene->needs.scl && !is_none(scene->scl_name)) add_option(scene, "SCL", scene->scl_name);
    if (s->min_valid >= 0) add_option(scene, "MIN_VALID", CPLSPrintf("%.10g", s->min_valid));
    if (s->stack.boa_offset && strcmp(s->stack.boa_offset, "auto") != 0)
        add_option(scene, "BOA_OFFSET", s->stack.boa_offset);
    if (s->prevalence > 0 && !scene->needs.prevalence)
        add_option(scene, "PREVALENCE", CPLSPrintf("%.10g", s->prevalence));
}

s2clr_status s2clr_vrt_scene_names(s2clr_vrt_scene *scene)
{
    const s2clr_vrt_settings *s = scene->settings;
    char name[S2CLR_VRT_NAME_MAX];
    S2CLR_TRY(
        s2clr_alloc(s->input_count, sizeof *scene->inputs, "inputs", (void **)&scene->inputs));
    for (size_t i = 0; i < s->input_count; i++) {
        S2CLR_TRY(s2clr_vrt_absolute(s->inputs[i], name));
        S2CLR_TRY(s2clr_strdup(name, &scene->inputs[i]));
    }
    scene->stack_options = s->stack;
    scene->stack_options.scl_classes = NULL;
    S2CLR_TRY(locate_scl(scene));
    collect_options(scene);
    return S2CLR_OK;
}

/* ---- models ---- */

s2clr_status s2clr_vrt_scene_model(s2clr_vrt_scene *scene, const char *given)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_vrt_model *m = &scene->model[scene->models];
    S2CLR_TRY(s2clr_zoo_resolve(given, path));
    if (given && strcmp(path, given) == 0)
        S2CLR_TRY(s2clr_vrt_absolute(given, m->name));
    else /* a later version may have another default: it is named */
        snprintf(m->name, sizeof m->name, "%s", given ? given : S2CLR_DEFAULT_MODEL);
    S2CLR_TRY(s2clr_model_acquire(path, &m->model));
    scene->models++;
    const int stride = scene->settings->stride;
    m->stride = stride ? stride : s2clr_model_card(m->model)->stride;
    return s2clr_connection_format(m->name, (const char *const *)scene->inputs,
                                   scene->settings->input_count, &m->connection);
}

static s2clr_status open_models(s2clr_vrt_scene *scene)
{
    const s2clr_vrt_settings *s = scene->settings;
    if (s->model_count > S2CLR_VRT_MODELS_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%zu models, at most %d are possible",
                               s->model_count, S2CLR_VRT_MODELS_MAX);
    if (s->model_count == 0) return s2clr_vrt_scene_model(scene, NULL);
    for (size_t i = 0; i < s->model_count; i++)
        S2CLR_TRY(s2clr_vrt_scene_model(scene, s->models[i]));
    return S2CLR_OK;
}

static s2clr_status open_map(s2clr_vrt_scene *scene, s2clr_vrt_model *m)
{
    s2clr_connection *connection;
    S2CLR_TRY(
        s2clr_connection_parse(m->connection, (const char *const *)scene->options, &connection));
    const s2clr_status status = s2clr_view_open(s2clr_connection_settings(connection), &m->view);
    s2clr_connection_free(connection);
    return status;
}

static s2clr_status open_maps(s2clr_vrt_scene *scene)
{
    for (size_t i = 0; i < scene->models; i++) {
        s2clr_vrt_model *m = &scene->model[i];
        S2CLR_TRY(open_map(scene, m));
        const s2clr_view_info *first = s2clr_view_describe(scene->model[0].view);
        const s2clr_view_info *info = s2clr_view_describe(m->view);
        if (m->stride != scene->model[0].stride || info->columns != first->columns ||
            info->rows != first->rows)
            return s2clr_error_set(
                S2CLR_ERR_MISMATCH,
                "models %.100s and %.100s: maps of %d x %d pixels at stride %d and %d x %d at "
                "stride %d do not lie on each other; give one --stride for all",
                scene->model[0].name, m->name, first->columns, first->rows, scene->model[0].stride,
                info->columns, info->rows, m->stride);
    }
    return S2CLR_OK;
}

/* ---- the stack ---- */

/* A card that takes DN as they are, for templates without a model. */
static s2clr_card plain_card(const s2clr_vrt_needs *needs)
{
    static const char *const levels[] = {"L2A", "L1C"};
    s2clr_card card = {.version = S2CLR_CARD_VERSION,
                       .id = "template",
                       .patch = 1,
                       .metres = 10,
                       .stride = 1,
                       .resampling = "nearest",
                       .levels = 2};
    card.bands = needs->named;
    for (int l = 0; l < card.levels; l++) {
        s2clr_card_level *level = &card.level[l];
        snprintf(level->name, sizeof level->name, "%s", levels[l]);
        level->high = 65535;
        level->has_nodata = true;
    }
    for (int i = 0; i < needs->named; i++) {
        memcpy(card.band[i], needs->name[i], sizeof card.band[i]);
        card.std[i] = 1;
        for (int l = 0; l < card.levels; l++) card.level[l].gain[i] = 1;
    }
    return card;
}

static s2clr_status open_stack(s2clr_vrt_scene *scene)
{
    const s2clr_card plain = plain_card(&scene->needs);
    const s2clr_card *card = scene->models ? s2clr_model_card(scene->model[0].model) : &plain;
    if (card->bands == 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "template %s: takes the grid of the scene but names none of its "
                               "bands; write @SOURCE:B04@ or the like",
                               scene->settings->recipe);
    S2CLR_TRY(s2clr_stack_open((const char *const *)scene->inputs, scene->settings->input_count,
                               card, &scene->stack_options, &scene->stack));
    scene->info = s2clr_stack_describe(scene->stack);
    if (!scene->needs.scl || scene->info->has_scl) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: has no scene classification (SCL), which the template %s needs; "
                           "give one with --scl FILE",
                           scene->inputs[0], scene->settings->recipe);
}

/* An option that does nothing would let its user believe in an effect. */
static s2clr_status refuse_useless(const s2clr_vrt_scene *scene)
{
    const s2clr_vrt_settings *s = scene->settings;
    const s2clr_vrt_needs *n = &scene->needs;
    const struct {
        const char *option;
        bool given, used;
    } list[] = {
        {"model", s->model_count > 0, n->model},
        {"model (several)", s->model_count > 1, n->several},
        {"stride", s->stride > 0, n->map},
        {"min-valid", s->min_valid >= 0, n->map},
        {"bands", s->bands != NULL, n->bands},
        {"prevalence", s->prevalence > 0, n->prevalence || n->map},
        {"scl", !is_none(s->stack.scl), n->scl || n->map},
        {"scl-classes", s->classes != NULL, n->classes},
        {"resampling", s->resampling != NULL, n->resampling},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i].given && !list[i].used)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "--%s: the template %s has no use for it; leave it out",
                                   list[i].option, s->recipe);
    return S2CLR_OK;
}

/* They are written as they are. */
static s2clr_status check_classes(const char *classes)
{
    bool good = classes[0] != '\0';
    for (const char *at = classes; good && *at;) {
        const size_t digits = strspn(at, "0123456789");
        good = digits >= 1 && digits <= 3 && atoi(at) <= 255 &&
               (at[digits] == '\0' || (at[digits] == ',' && at[digits + 1]));
        at += digits + (at[digits] == ',');
    }
    if (good) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--scl-classes \"%.100s\": expected numbers from 0 to 255 with commas, "
                           "as 2,4,5,6,7,11",
                           classes);
}

s2clr_status s2clr_vrt_scene_open(s2clr_vrt_scene *scene)
{
    S2CLR_TRY(refuse_useless(scene));
    if (scene->settings->classes) S2CLR_TRY(check_classes(scene->settings->classes));
    S2CLR_TRY(s2clr_vrt_scene_names(scene));
    if (scene->needs.model) S2CLR_TRY(open_models(scene));
    for (size_t i = 0; scene->needs.student && i < scene->models; i++)
        S2CLR_TRY(s2clr_student_check(scene->model[i].model));
    if (scene->needs.stack) S2CLR_TRY(open_stack(scene));
    return scene->needs.map ? open_maps(scene) : S2CLR_OK;
}

s2clr_status s2clr_vrt_scene_dataset(s2clr_vrt_scene *scene, const char *name, GDALDatasetH *out)
{
    s2clr_gdal_watch watch;
    for (int i = 0; i < scene->opened; i++)
        if (strcmp(scene->open[i].name, name) == 0) {
            *out = scene->open[i].handle;
            return S2CLR_OK;
        }
    s2clr_vrt_open *open = &scene->open[scene->opened];
    S2CLR_TRY(s2clr_strdup(name, &open->name));
    s2clr_gdal_watch_begin(&watch);
    open->handle = GDALOpenEx(name, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, NULL, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    scene->opened++;
    *out = open->handle;
    if (open->handle) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened as a raster: %s", name, watch.text);
}

void s2clr_vrt_scene_clear(s2clr_vrt_scene *scene)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    for (int i = 0; i < scene->opened; i++) {
        if (scene->open[i].handle) GDALClose(scene->open[i].handle);
        s2clr_free(scene->open[i].name);
    }
    s2clr_gdal_watch_end(&watch);
    for (size_t i = 0; i < scene->models; i++) {
        s2clr_view_close(scene->model[i].view);
        s2clr_model_release(scene->model[i].model);
        s2clr_free(scene->model[i].connection);
    }
    if (scene->stack) s2clr_stack_close(scene->stack);
    for (size_t i = 0; scene->inputs && i < scene->settings->input_count; i++)
        s2clr_free(scene->inputs[i]);
    s2clr_free(scene->inputs);
    CSLDestroy(scene->options);
    *scene = (s2clr_vrt_scene){0};
}
