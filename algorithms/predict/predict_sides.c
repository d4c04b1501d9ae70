/* What a run makes beside its output, and what its caller will make of the result. */
#include "predict/output_file.h"
#include "predict/ppredict.h"

static s2clr_status check_report(const s2clr_predict_job *r)
{
    const char *report = r->settings->report;
    if (!report) return S2CLR_OK;
    if (s2clr_output_same(report, r->result.output) ||
        (r->settings->polygons && s2clr_output_same(report, r->settings->polygons)))
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%s: is the name of the map or its polygons already; give the report "
            "another one",
            report);
    S2CLR_TRY(s2clr_predict_guard(r, report));
    return s2clr_output_check(report, r->settings->overwrite);
}

/* The VRT of all parts is what is looked at, so it has the style. */
static s2clr_status name_styled(s2clr_predict_job *r)
{
    const s2clr_predict_settings *settings = r->settings;
    r->sides.map = r->result.output;
    if (!settings->shards) return S2CLR_OK;
    S2CLR_TRY(
        s2clr_shard_vrt_name(settings->output, settings->shards, r->styled, sizeof r->styled));
    r->sides.map = r->styled;
    if (!settings->polygons) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: areas reach across the parts of a map; leave --polygons out here "
                           "and give it to \"s2clr merge\", which joins the parts",
                           settings->polygons);
}

s2clr_status s2clr_predict_check_sides(s2clr_predict_job *r)
{
    const s2clr_predict_settings *settings = r->settings;
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    r->sides = (s2clr_map_sides){.band = r->writer_band,
                                 .bands = r->bands.count,
                                 .polygons = settings->polygons,
                                 .transform = info->has_transform ? info->transform : NULL,
                                 .wkt = info->wkt,
                                 .no_style = settings->no_style,
                                 .overwrite = settings->overwrite};
    S2CLR_TRY(check_report(r));
    S2CLR_TRY(name_styled(r));
    if (settings->polygons) S2CLR_TRY(s2clr_predict_guard(r, settings->polygons));
    return s2clr_map_sides_check(&r->sides);
}
