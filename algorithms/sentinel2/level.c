#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentinel2/bands.h"
#include "sentinel2/offset.h"
#include "sentinel2/pnames.h"
#include "sentinel2/pstack.h"

static void set(char *level, char *from, const char *value, const char *how)
{
    snprintf(level, S2CLR_CARD_WORD, "%s", value);
    snprintf(from, 64, "%s", how);
}

static bool metadata_level(const s2clr_found *found, char *level, char *from)
{
    for (int i = 0; i < found->opened; i++) {
        const char *text = GDALGetMetadataItem(found->open[i].handle, "PROCESSING_LEVEL", NULL);
        if (!text) continue;
        const char *known = strstr(text, "1C") ? "L1C" : strstr(text, "2A") ? "L2A" : NULL;
        if (!known) continue;
        set(level, from, known, "metadata PROCESSING_LEVEL");
        return true;
    }
    return false;
}

/* What the inputs themselves say; "" when they say nothing. */
static void found_level(const s2clr_found *found, const s2clr_stack *stack, char *level, char *from)
{
    char component[40], how[64];
    level[0] = from[0] = '\0';
    if (found->level[0]) {
        set(level, from, found->level, found->level_from);
    } else if (found->has_xml && found->xml.level[0]) {
        set(level, from, found->xml.level, "product XML");
    } else if (!metadata_level(found, level, from)) {
        const char *path = stack->info.band[0].source;
        const char *known = s2clr_name_level(path, component, sizeof component);
        if (!known) return;
        snprintf(how, sizeof how, "name %s", component);
        set(level, from, known, how);
    }
}

static void list_levels(const s2clr_card *card, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (int i = 0; i < card->levels && at + S2CLR_CARD_WORD < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "", card->level[i].name);
}

static s2clr_status pick_level(const s2clr_found *found, const s2clr_card *card, const char *forced,
                               s2clr_stack_info *info, const char *known, const char *known_from)
{
    char levels[300];
    list_levels(card, levels, sizeof levels);
    if (forced) {
        if (!s2clr_card_find_level(card, forced))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   S2CLR_SAY_LEVEL
                                   " %.60s: the model knows no such level; it knows %s",
                                   forced, levels);
        if (known[0] && strcmp(known, forced) != 0)
            s2clr_info_warn(info, "%s: is %s (%s), read as %s as " S2CLR_SAY_LEVEL " says",
                            found->input, known, known_from, forced);
        set(info->level, info->level_from, forced, "--level");
    } else if (known[0]) {
        if (!s2clr_card_find_level(card, known))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: processing level is %s (%s), the model accepts %s; give "
                                   "such a product, or force one with " S2CLR_SAY_LEVEL,
                                   found->input, known, known_from, levels);
        set(info->level, info->level_from, known, known_from);
    } else {
        set(info->level, info->level_from, card->level[0].name, "assumed");
        s2clr_info_warn(info,
                        "%s: processing level unknown, %s assumed; the model knows %s: choose "
                        "with " S2CLR_SAY_LEVEL,
                        found->input, card->level[0].name, levels);
    }
    return S2CLR_OK;
}

/* From the product's XML, or from a raster that carries what it says. */
static const char *product_item(const s2clr_found *found, const char *in_xml, const char *key)
{
    const char *text = found->has_xml ? in_xml : "";
    for (int i = 0; i < found->opened && !text[0]; i++) {
        const char *item = GDALGetMetadataItem(found->open[i].handle, key, NULL);
        if (item) text = item;
    }
    return text;
}

static void find_origin(const s2clr_found *found, s2clr_stack_info *info)
{
    const char *text = product_item(found, found->xml.baseline, "PROCESSING_BASELINE");
    const char *time = product_item(found, found->xml.acquired, "PRODUCT_START_TIME");
    if (time[strspn(time, "0123456789-T:.Z")] == '\0')
        snprintf(info->acquired, sizeof info->acquired, "%s", time);
    if (text[0])
        snprintf(info->baseline, sizeof info->baseline, "%s", text);
    else
        s2clr_name_baseline(info->band[0].source, info->baseline);
}

s2clr_status s2clr_stack_level(const s2clr_found *found, const s2clr_card *card,
                               const s2clr_stack_options *options, s2clr_stack *stack,
                               const s2clr_card_level **out)
{
    char known[S2CLR_CARD_WORD], from[64];
    if (card->levels < 1)
        return s2clr_error_set(S2CLR_ERR_MISMATCH, "card %s: names no processing level", card->id);
    found_level(found, stack, known, from);
    S2CLR_TRY(pick_level(found, card, options->level, &stack->info, known, from));
    find_origin(found, &stack->info);
    *out = s2clr_card_find_level(card, stack->info.level);
    return S2CLR_OK;
}

static s2clr_status xml_offset(const s2clr_found *found, const s2clr_stack_band *band, double *out)
{
    const s2clr_band *known = s2clr_band_find(band->band);
    const double value = known ? found->xml.offset[known->band_id] : NAN;
    if (isnan(value))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: product XML gives %s, but none for band %s; give one "
                               "with " S2CLR_SAY_OFFSET,
                               found->input, found->xml.offset_name, band->band);
    *out = value;
    return S2CLR_OK;
}

/* From baseline 04.00 on the processor adds 1000 to every DN. */
static bool baseline_shifts(const s2clr_stack_info *info)
{
    const bool processed = strcmp(info->level, "L1C") == 0 || strcmp(info->level, "L2A") == 0;
    return processed && strtod(info->baseline, NULL) >= S2CLR_BASELINE_OFFSET;
}

static s2clr_status one_offset(const s2clr_found *found, s2clr_stack *stack, int i)
{
    s2clr_stack_info *info = &stack->info;
    s2clr_stack_band *band = &info->band[i];
    char *from = info->offset_from;
    bool has = false;
    if (found->has_xml && found->xml.has_offsets) {
        snprintf(from, sizeof info->offset_from, "%s in product XML", found->xml.offset_name);
        return xml_offset(found, band, &band->offset);
    }
    const s2clr_plane *plane = &stack->plane[i];
    S2CLR_TRY(s2clr_offset_of_raster(plane->dataset, plane->band, band->band, band->source, &has,
                                     &band->offset));
    if (has) {
        snprintf(from, sizeof info->offset_from, "metadata of the raster");
    } else if (baseline_shifts(info)) {
        band->offset = -1000;
        snprintf(from, sizeof info->offset_from, "processing baseline %s", info->baseline);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_stack_offsets(const s2clr_found *found, const s2clr_stack_options *options,
                                 s2clr_stack *stack)
{
    s2clr_stack_info *info = &stack->info;
    const char *given = options->boa_offset;
    double fixed = 0;
    const bool forced = given && strcmp(given, "auto") != 0;
    if (forced && !s2clr_offset_parse(given, &fixed))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               S2CLR_SAY_OFFSET " %.60s: expected auto or a number of DN, as -1000",
                               given);
    snprintf(info->offset_from, sizeof info->offset_from, forced ? "--boa-offset" : "none found");
    for (int i = 0; i < info->bands; i++) {
        info->band[i].offset = fixed;
        if (!forced) S2CLR_TRY(one_offset(found, stack, i));
    }
    if (strncmp(info->offset_from, "processing baseline", 19) == 0)
        s2clr_info_warn(info,
                        "%s: DN offset -1000 taken from processing baseline %s; if it was already "
                        "applied, give 0 with " S2CLR_SAY_OFFSET,
                        found->input, info->baseline);
    return S2CLR_OK;
}
