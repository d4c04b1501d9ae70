/* THE table of placeholders: what each asks for, and what it becomes. */
#include <cpl_string.h>
#include <string.h>

#include "base/suggest.h"
#include "sentinel2/bands.h"
#include "vrt/pvrt.h"

typedef struct call {
    s2clr_vrt_scene *scene;
    const char *argument; /* "" if none */
    FILE *to;
} call;

/* Stack of the scene, model, map; and which options have an effect. */
enum {
    STACK = 1,
    MODEL = 2,
    MAP = 4 | MODEL,
    SEVERAL = 8,
    RESAMPLING = 16,
    CLASSES = 32,
    PREVALENCE = 64,
    BANDS = 128,
    BAND = 256 | STACK /* its argument is a band */
};

typedef struct row {
    const char *name;
    unsigned needs;
    s2clr_status (*put)(const call *c);
} row;

static const s2clr_card *card_of(const call *c)
{
    return s2clr_model_card(c->scene->model[0].model);
}

static const s2clr_view_info *map_of(const call *c)
{
    return s2clr_view_describe(c->scene->model[0].view);
}

/* ---- grid ---- */

static s2clr_status put_width(const call *c)
{
    fprintf(c->to, "%d", c->scene->info->width);
    return S2CLR_OK;
}

static s2clr_status put_height(const call *c)
{
    fprintf(c->to, "%d", c->scene->info->height);
    return S2CLR_OK;
}

static s2clr_status put_columns(const call *c)
{
    fprintf(c->to, "%d", map_of(c)->columns);
    return S2CLR_OK;
}

static s2clr_status put_rows(const call *c)
{
    fprintf(c->to, "%d", map_of(c)->rows);
    return S2CLR_OK;
}

static s2clr_status put_georeference(const call *c)
{
    const s2clr_stack_info *info = c->scene->info;
    s2clr_vrt_put_georeference(c->to, "\n  ", info->wkt,
                               info->has_transform ? info->transform : NULL);
    return S2CLR_OK;
}

static s2clr_status put_map_georeference(const call *c)
{
    const s2clr_view_info *info = map_of(c);
    s2clr_vrt_put_georeference(c->to, "\n  ", info->wkt,
                               info->has_transform ? info->transform : NULL);
    return S2CLR_OK;
}

/* ---- metadata ---- */

static s2clr_status put_item(FILE *to, const char *key, const char *value)
{
    fprintf(to, "\n      <MDI key=\"%s\">", key);
    S2CLR_TRY(s2clr_vrt_escape(to, value));
    fputs("</MDI>", to);
    return S2CLR_OK;
}

static const s2clr_stack_info *known_stack(const call *c)
{
    if (c->scene->info) return c->scene->info;
    return c->scene->models && c->scene->model[0].view ? map_of(c)->stack : NULL;
}

/* Level and baseline in the words the opener looks for, so that a stack stays what it is. */
static s2clr_status put_metadata(const call *c)
{
    const s2clr_stack_info *info = known_stack(c);
    const s2clr_vrt_settings *s = c->scene->settings;
    char key[32];
    fputs("<Metadata>", c->to);
    if (info && strcmp(info->level_from, "assumed") != 0)
        S2CLR_TRY(put_item(c->to, "PROCESSING_LEVEL", info->level));
    if (info && info->baseline[0])
        S2CLR_TRY(put_item(c->to, "PROCESSING_BASELINE", info->baseline));
    fputs("\n  </Metadata>\n  <Metadata domain=\"S2CLR\">", c->to);
    S2CLR_TRY(put_item(c->to, "VERSION", S2CLR_VERSION));
    S2CLR_TRY(put_item(c->to, "TEMPLATE", s->recipe));
    if (s->command_line) S2CLR_TRY(put_item(c->to, "COMMAND_LINE", s->command_line));
    for (size_t i = 0; i < s->input_count; i++) {
        snprintf(key, sizeof key, "INPUT_%zu", i + 1);
        S2CLR_TRY(put_item(c->to, key, c->scene->inputs[i]));
    }
    for (size_t i = 0; i < c->scene->models; i++) {
        snprintf(key, sizeof key, "MODEL_SHA256_%zu", i + 1);
        S2CLR_TRY(put_item(c->to, key, s2clr_model_sha256(c->scene->model[i].model)));
    }
    fputs("\n  </Metadata>", c->to);
    return S2CLR_OK;
}

static const s2clr_stack_band *band_of(const call *c)
{
    const s2clr_stack_info *info = c->scene->info;
    for (int i = 0; i < info->bands; i++)
        if (strcmp(info->band[i].band, c->argument) == 0) return &info->band[i];
    return NULL;
}

static s2clr_status put_band_tags(const call *c)
{
    char text[40];
    const s2clr_stack_band *band = band_of(c);
    const bool l1c = strcmp(c->scene->info->level, "L1C") == 0;
    fputs("<Metadata>", c->to);
    S2CLR_TRY(put_item(c->to, "BANDNAME", c->argument));
    CPLsnprintf(text, sizeof text, "%.10g", band ? band->offset : 0);
    S2CLR_TRY(put_item(c->to, l1c ? "RADIO_ADD_OFFSET" : "BOA_ADD_OFFSET", text));
    fputs("\n    </Metadata>", c->to);
    return S2CLR_OK;
}

/* ---- values ---- */

static s2clr_status put_type(const call *c)
{
    GDALDataType type;
    S2CLR_TRY(s2clr_vrt_common_type(c->scene, &type));
    fputs(GDALGetDataTypeName(type), c->to);
    return S2CLR_OK;
}

static s2clr_status put_nodata(const call *c)
{
    const s2clr_stack_band *band = band_of(c);
    if (!band || !band->has_nodata) return S2CLR_OK;
    fputs("<NoDataValue>", c->to);
    s2clr_vrt_number(c->to, band->nodata);
    fputs("</NoDataValue>", c->to);
    return S2CLR_OK;
}

/* One value for all bands: the functions that take it know no other. */
static s2clr_status differs(const call *c, const char *what, int band)
{
    const s2clr_stack_info *info = c->scene->info;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: the %s of bands %s and %s differ, but the template %s takes one "
                           "for all; make a raster where they are equal",
                           c->scene->inputs[0], what, info->band[0].band, info->band[band].band,
                           c->scene->settings->recipe);
}

static s2clr_status put_nodata_value(const call *c)
{
    const s2clr_stack_band *band = c->scene->info->band;
    for (int i = 1; i < c->scene->info->bands; i++)
        if (band[i].has_nodata != band[0].has_nodata ||
            (band[0].has_nodata && band[i].nodata != band[0].nodata &&
             !(band[i].nodata != band[i].nodata && band[0].nodata != band[0].nodata)))
            return differs(c, "no-data values", i);
    if (band[0].has_nodata)
        s2clr_vrt_number(c->to, band[0].nodata);
    else
        fputs("none", c->to);
    return S2CLR_OK;
}

static s2clr_status put_offset(const call *c)
{
    const s2clr_stack_band *band = c->scene->info->band;
    for (int i = 1; i < c->scene->info->bands; i++)
        if (band[i].offset != band[0].offset) return differs(c, "offsets", i);
    s2clr_vrt_number(c->to, band[0].offset);
    return S2CLR_OK;
}

static s2clr_status put_level(const call *c)
{
    return s2clr_vrt_escape(c->to, c->scene->info->level);
}

/* Templates that name one class are about one. */
static s2clr_status refuse_classes(const call *c)
{
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: tells %d classes apart, and the template %s is about one; the "
                           "template probability has a band for each",
                           c->scene->model[0].name, card_of(c)->classes,
                           c->scene->settings->recipe);
}

static s2clr_status put_positive(const call *c)
{
    const s2clr_card *card = card_of(c);
    if (card->classes && !card->positive[0]) return refuse_classes(c);
    return s2clr_vrt_escape(c->to, card->positive);
}

static s2clr_status put_threshold(const call *c)
{
    s2clr_vrt_number(c->to, card_of(c)->threshold);
    return S2CLR_OK;
}

static s2clr_status put_trained(const call *c)
{
    if (card_of(c)->classes) return refuse_classes(c);
    s2clr_vrt_number(c->to, card_of(c)->prevalence);
    return S2CLR_OK;
}

/* With an argument, that one stands for "not given". */
static s2clr_status put_prevalence(const call *c)
{
    const s2clr_vrt_settings *s = c->scene->settings;
    if (s->prevalence <= 0 && !c->argument[0])
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the template %s needs --prevalence P, the share of positives to "
                               "tell the probability for",
                               s->recipe);
    if (s->prevalence > 0)
        s2clr_vrt_number(c->to, s->prevalence);
    else
        fputs(c->argument, c->to);
    return S2CLR_OK;
}

static s2clr_status put_classes(const call *c)
{
    const char *classes = c->scene->settings->classes;
    return s2clr_vrt_escape(c->to, classes ? classes : "2,4,5,6,7,11");
}

static s2clr_status put_model(const call *c)
{
    return s2clr_vrt_escape(c->to, c->scene->model[0].name);
}

static s2clr_status put_connection(const call *c)
{
    return s2clr_vrt_escape(c->to, c->scene->model[0].connection);
}

static s2clr_status put_open_options(const call *c)
{
    for (char **option = c->scene->options; option && *option; option++) {
        const char *equals = strchr(*option, '=');
        fprintf(c->to, " %.*s=\"", (int)(equals - *option), *option);
        S2CLR_TRY(s2clr_vrt_escape(c->to, equals + 1));
        fputc('"', c->to);
    }
    return S2CLR_OK;
}

/* ---- sources ---- */

static s2clr_status put_source(const call *c)
{
    const bool scl = strcmp(c->argument, "SCL") == 0; /* classes have no values in between */
    return s2clr_vrt_put_band(c->scene, c->argument, scl ? NULL : c->scene->settings->resampling,
                              c->to);
}

static s2clr_status put_card_sources(const call *c)
{
    const s2clr_card *card = card_of(c);
    const char *given = c->scene->settings->resampling;
    for (int i = 0; i < card->bands; i++) {
        if (i) fputs("\n    ", c->to);
        S2CLR_TRY(
            s2clr_vrt_put_band(c->scene, card->band[i], given ? given : card->resampling, c->to));
    }
    return S2CLR_OK;
}

static s2clr_status put_map(const call *c)
{
    return s2clr_vrt_put_map(c->scene, 0, 1, false, c->to);
}

static s2clr_status put_map_on_input(const call *c)
{
    return s2clr_vrt_put_map(c->scene, 0, 1, true, c->to);
}

static s2clr_status put_maps(const call *c)
{
    for (size_t i = 0; i < c->scene->models; i++) {
        if (i) fputs("\n    ", c->to);
        S2CLR_TRY(s2clr_vrt_put_map(c->scene, i, 1, false, c->to));
    }
    return S2CLR_OK;
}

static s2clr_status put_map_bands(const call *c)
{
    return s2clr_vrt_put_map_bands(c->scene, c->to);
}

static const row rows[] = {
    {"WIDTH", STACK, put_width},
    {"HEIGHT", STACK, put_height},
    {"GEOREFERENCE", STACK, put_georeference},
    {"COLUMNS", MAP, put_columns},
    {"ROWS", MAP, put_rows},
    {"MAP_GEOREFERENCE", MAP, put_map_georeference},
    {"METADATA", 0, put_metadata},
    {"TYPE", STACK, put_type},
    {"BAND_TAGS", BAND, put_band_tags},
    {"NODATA", BAND, put_nodata},
    {"NODATA_VALUE", STACK, put_nodata_value},
    {"OFFSET", STACK, put_offset},
    {"LEVEL", STACK, put_level},
    {"SOURCE", BAND | RESAMPLING, put_source},
    {"CARD_SOURCES", STACK | MODEL | RESAMPLING, put_card_sources},
    {"MODEL", MODEL, put_model},
    {"POSITIVE", MODEL, put_positive},
    {"THRESHOLD", MODEL, put_threshold},
    {"TRAINED_PREVALENCE", MODEL, put_trained},
    {"PREVALENCE", PREVALENCE, put_prevalence},
    {"CLASSES", CLASSES, put_classes},
    {"MAP", MAP, put_map},
    {"MAP_ON_INPUT", MAP | STACK, put_map_on_input},
    {"MAPS", MAP | SEVERAL, put_maps},
    {"MAP_BANDS", MAP | BANDS, put_map_bands},
    {"CONNECTION", MAP, put_connection},
    {"OPEN_OPTIONS", MAP, put_open_options},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* ---- lookup ---- */

static const row *find(const char *word, const char **argument)
{
    const size_t length = strcspn(word, ":");
    *argument = word[length] ? word + length + 1 : "";
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == length && strncmp(rows[i].name, word, length) == 0)
            return &rows[i];
    return NULL;
}

static s2clr_status need_band(const char *word, const char *band, s2clr_vrt_needs *needs)
{
    if (strcmp(band, "SCL") == 0) {
        needs->scl = true;
        return S2CLR_OK;
    }
    const s2clr_band *known = s2clr_band_find(band);
    if (!known || strcmp(known->name, band) != 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "@%s@ names no band; the bands are called B01 to B12, B8A and SCL",
                               word);
    for (int i = 0; i < needs->named; i++)
        if (strcmp(needs->name[i], band) == 0) return S2CLR_OK;
    if (needs->named == S2CLR_CARD_BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "@%s@ is band %d, at most %d are possible", word,
                               needs->named + 1, S2CLR_CARD_BANDS_MAX);
    snprintf(needs->name[needs->named++], S2CLR_CARD_WORD, "%s", band);
    return S2CLR_OK;
}

s2clr_status s2clr_vrt_placeholder_needs(const char *word, s2clr_vrt_needs *needs)
{
    const char *argument, *names[ROWS];
    const row *found = find(word, &argument);
    if (!found) {
        for (size_t i = 0; i < ROWS; i++) names[i] = rows[i].name;
        const char *near = s2clr_suggest(word, names, ROWS);
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "@%s@ is no placeholder%s%s%s; s2clr-vrt(1) lists "
                               "them",
                               word, near ? ": did you mean @" : "", near ? near : "",
                               near ? "@" : "");
    }
    const bool band = (found->needs & BAND) == BAND;
    if (band) S2CLR_TRY(need_band(word, argument, needs));
    if (!band && argument[0] && found->put != put_prevalence)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "@%s@: %s takes nothing behind a colon", word,
                               found->name);
    needs->stack |= (found->needs & STACK) != 0;
    needs->model |= (found->needs & MODEL) != 0;
    needs->student |= found->put == put_model;
    needs->map |= (found->needs & MAP) == MAP;
    needs->several |= (found->needs & SEVERAL) != 0;
    needs->resampling |= (found->needs & RESAMPLING) && strcmp(argument, "SCL") != 0;
    needs->classes |= (found->needs & CLASSES) != 0;
    needs->prevalence |= (found->needs & PREVALENCE) != 0;
    needs->bands |= (found->needs & BANDS) != 0;
    return S2CLR_OK;
}

s2clr_status s2clr_vrt_placeholder_put(const char *word, s2clr_vrt_scene *scene, FILE *to)
{
    call c = {.scene = scene, .to = to};
    const row *found = find(word, &c.argument);
    return found->put(&c);
}
