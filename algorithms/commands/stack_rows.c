#include "commands/stack_rows.h"

#include <string.h>

#include "commands/edge.h"
#include "report/json_words.h"

s2clr_stack_options s2clr_stack_options_of(const s2clr_args *args)
{
    return (s2clr_stack_options){
        .bands = s2clr_args_text(args, "input-bands"),
        .level = s2clr_args_text(args, "level"),
        .boa_offset = s2clr_args_text(args, "boa-offset"),
        .scl = s2clr_args_text(args, "scl"),
    };
}

static json_t *band_json(const s2clr_stack_band *band)
{
    return json_pack("{s:o, s:o, s:i, s:s, s:f, s:f, s:o}", "band", s2clr_json_words(band->band),
                     "source", s2clr_json_words(band->source), "number", band->number, "found_by",
                     band->found_by, "metres", band->metres, "offset", band->offset, "nodata",
                     band->has_nodata ? json_real(band->nodata) : json_null());
}

static json_t *transform_json(const s2clr_stack_info *info)
{
    if (!info->has_transform) return json_null();
    json_t *out = json_array();
    for (int i = 0; i < 6; i++) json_array_append_new(out, json_real(info->transform[i]));
    return out;
}

json_t *s2clr_stack_json(const s2clr_stack_info *info)
{
    json_t *bands = json_array(), *warnings = json_array();
    for (int i = 0; i < info->bands; i++) json_array_append_new(bands, band_json(&info->band[i]));
    for (int i = 0; i < info->warnings; i++)
        json_array_append_new(warnings, s2clr_json_words(info->warning[i]));
    return json_pack("{s:s, s:[i,i], s:o, s:o, s:[f,f], s:o, s:s, s:o, s:o, s:b, s:o, s:o}",
                     "opened_as", info->opened_as, "size", info->width, info->height,
                     "geotransform", transform_json(info), "crs",
                     s2clr_json_words(info->wkt ? info->wkt : ""), "pixel_metres", info->metres_x,
                     info->metres_y, "level", s2clr_json_words(info->level), "level_from",
                     info->level_from, "baseline", s2clr_json_words(info->baseline), "offset_from",
                     s2clr_json_words(info->offset_from), "scl", info->has_scl, "bands", bands,
                     "warnings", warnings);
}

/* The file of a dataset name is what people look for, not the folders before it. */
static const char *short_source(const char *source)
{
    const size_t length = strlen(source), room = 60;
    if (length <= room) return source;
    const char *slash = strchr(source + length - room, '/');
    return slash ? slash + 1 : source + length - room;
}

void s2clr_stack_print(FILE *to, const s2clr_stack_info *info)
{
    fprintf(to, "input       %s, %d x %d pixels", info->opened_as, info->width, info->height);
    if (info->metres_x > 0) fprintf(to, " of %.4g x %.4g m", info->metres_x, info->metres_y);
    if (!info->has_transform) fprintf(to, ", not georeferenced");
    fprintf(to, "\nlevel       %s (%s)%s%s\n", info->level, info->level_from,
            info->baseline[0] ? ", processing baseline " : "", info->baseline);
    fprintf(to, "offset      %s\nmask        %s\n", info->offset_from,
            info->has_scl ? "scene classification (SCL)" : "nodata only");
    fprintf(to, "%-12s%-6s %-8s %-10s %-10s %s\n", "bands", "band", "offset", "nodata", "pixel",
            "from");
    for (int i = 0; i < info->bands; i++) {
        const s2clr_stack_band *band = &info->band[i];
        char nodata[32] = "none";
        if (band->has_nodata) snprintf(nodata, sizeof nodata, "%.6g", band->nodata);
        fprintf(to, "%12s%-6s %-8.6g %-10s %-10.6g %s, band %d (%s)\n", "", band->band,
                band->offset, nodata, band->metres, short_source(band->source), band->number,
                band->found_by);
    }
}

void s2clr_stack_warn(const s2clr_args *args, const s2clr_stack_info *info)
{
    for (int i = 0; i < info->warnings; i++) s2clr_edge_warn(args, info->warning[i]);
}
