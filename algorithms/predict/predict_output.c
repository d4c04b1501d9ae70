/* Where finished pieces go: journal, blending, bands, writer. */
#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "predict/output_file.h"
#include "predict/ppredict.h"
#include "predict/provenance.h"

/* ---- making ---- */

static s2clr_status make_tags(s2clr_predict_job *r)
{
    const s2clr_predict_settings *settings = r->settings;
    s2clr_grid grid = r->map;
    grid.stride = r->grid.stride;
    r->tags = s2clr_provenance_tags(settings, r->model, r->result.device,
                                    s2clr_stack_describe(r->stack), &grid, r->whole);
    if (settings->blend) r->tags = CSLSetNameValue(r->tags, "BLEND", "hann");
    if (!settings->shards) return S2CLR_OK;
    char **part = NULL;
    part = CSLSetNameValue(part, "INDEX", CPLSPrintf("%d", r->shard.index));
    part = CSLSetNameValue(part, "COUNT", CPLSPrintf("%d", r->shard.count));
    part = CSLSetNameValue(part, "ROW", CPLSPrintf("%d", r->shard.row));
    part = CSLSetNameValue(part, "MAP_ROWS", CPLSPrintf("%d", r->whole[3]));
    part = CSLSetNameValue(part, "FORMAT", settings->format);
    for (int i = 0; settings->creation && settings->creation[i]; i++)
        part = CSLSetNameValue(part, CPLSPrintf("CREATION_%d", i + 1), settings->creation[i]);
    r->part_tags = part;
    return S2CLR_OK;
}

static s2clr_status make_bands(s2clr_predict_job *r)
{
    const size_t count = (size_t)r->bands.count;
    const bool features = r->bands.aim == S2CLR_AIM_EMBEDDING; /* hundreds, all alike */
    S2CLR_TRY(s2clr_alloc(count, sizeof *r->writer_band, "bands", (void **)&r->writer_band));
    for (size_t i = 0; i < count; i++) {
        const s2clr_output_band *band = &r->bands.band[i];
        const s2clr_quantity_row *row = band->row;
        r->writer_band[i] = (s2clr_writer_band){
            .name = band->name,
            .unit = row->unit,
            .from_0_to_1 = row->has_range && row->minimum == 0 && band->maximum == 1,
            .quantity = features ? NULL : row->name,
            .help = features ? NULL : row->help,
            .maximum = row->has_range ? band->maximum : 0};
    }
    r->result.bands = r->bands.count;
    r->result.quantity = r->bands.band[0].row->name;
    r->result.from_0_to_1 = r->writer_band[0].from_0_to_1;
    snprintf(r->result.band, sizeof r->result.band, "%s", r->bands.band[0].name);
    return S2CLR_OK;
}

/* Planes of the probability: one, or one per class. */
static int class_planes(const s2clr_predict_job *r)
{
    return r->bands.classes ? r->bands.classes : 1;
}

static int journal_planes(const s2clr_predict_job *r)
{
    if (r->bands.aim == S2CLR_AIM_EMBEDDING) return r->bands.count;
    return class_planes(r) + r->bands.valid + r->bands.evidence;
}

/* *may_replace: the output stands, but it is what this very run made before it was killed. */
static s2clr_status open_journal(s2clr_predict_job *r, bool *may_replace)
{
    char target[S2CLR_OUTPUT_PATH_MAX], path[S2CLR_OUTPUT_PATH_MAX + 16];
    const char *output = r->result.output;
    const int planes = journal_planes(r);
    if (strncmp(output, "/vsi", 4) == 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: only a run into a file on disk can be resumed", output);
    S2CLR_TRY(s2clr_output_resolve(output, target));
    snprintf(path, sizeof path, "%s.part.journal", target);
    const s2clr_status allowed = s2clr_output_check(output, r->settings->overwrite);
    if (allowed != S2CLR_OK && access(path, F_OK) != 0) return allowed;
    S2CLR_TRY(s2clr_alloc((size_t)planes, sizeof *r->record, "planes", (void **)&r->record));
    char **identity = s2clr_predict_identity(r);
    const s2clr_status status =
        s2clr_journal_open(path, (const char *const *)identity, planes,
                           r->settings->overwrite ? r->result.thrown_away : NULL, &r->journal);
    CSLDestroy(identity);
    S2CLR_TRY(status);
    *may_replace = s2clr_journal_published(r->journal, target);
    return S2CLR_OK;
}

static s2clr_writer_options writer_options(const s2clr_predict_job *r, bool overwrite)
{
    const s2clr_predict_settings *settings = r->settings;
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    const bool cog_later = settings->shards && EQUAL(settings->format, "COG");
    s2clr_writer_options options = {.path = r->result.output,
                                    .format = cog_later ? "GTiff" : settings->format,
                                    .creation = cog_later ? NULL : settings->creation,
                                    .byte_output = settings->byte_output,
                                    .overwrite = overwrite,
                                    .steady_name = settings->resume,
                                    .columns = r->window[2],
                                    .rows = r->window[3],
                                    .threads = r->result.threads,
                                    .has_transform = info->has_transform,
                                    .wkt = info->wkt,
                                    .bands = r->bands.count,
                                    .band = r->writer_band,
                                    .tags = (const char *const *)r->tags,
                                    .part_tags = (const char *const *)r->part_tags};
    double *t = options.transform, whole[6];
    s2clr_grid_transform(&r->map, info->transform, whole);
    memcpy(t, whole, sizeof whole);
    t[0] += r->window[0] * whole[1] + r->window[1] * whole[2];
    t[3] += r->window[0] * whole[4] + r->window[1] * whole[5];
    return options;
}

/* ---- pieces ---- */

static s2clr_status make_room(float **plane, size_t *room, size_t floats)
{
    if (floats <= *room) return S2CLR_OK;
    s2clr_free(*plane);
    *plane = NULL;
    *room = 0;
    S2CLR_TRY(s2clr_alloc(floats, sizeof **plane, "band of a block", (void **)plane));
    *room = floats;
    return S2CLR_OK;
}

/* column and row in the map's grid. */
static s2clr_status write_bands(s2clr_predict_job *r, int column, int row, int columns, int rows,
                                const s2clr_values *values)
{
    const size_t pixels = (size_t)columns * (size_t)rows;
    S2CLR_TRY(make_room(&r->plane, &r->plane_room, pixels));
    for (int i = 0; i < r->bands.count; i++) {
        s2clr_output_band band = r->bands.band[i];
        if (r->blend) band.feature = 0; /* the one plane that was blended */
        const s2clr_output_bands one = {.count = 1, .band = &band, .classes = r->bands.classes};
        s2clr_output_bands_fill(&one, values, pixels, r->plane);
        S2CLR_TRY(s2clr_writer_write(r->writer, i, column - r->window[0], row - r->window[1],
                                     columns, rows, r->plane));
    }
    return S2CLR_OK;
}

/* Patches outside the area of interest reach into it, pixels outside it are nodata. */
static s2clr_status mask_rows(s2clr_predict_job *r, int row, int rows, float *values)
{
    const size_t pixels = (size_t)r->work[2] * (size_t)rows;
    bool any;
    if (pixels > r->inside_room) {
        s2clr_free(r->inside);
        r->inside = NULL;
        r->inside_room = 0;
        S2CLR_TRY(s2clr_alloc(pixels, 1, "area of interest", (void **)&r->inside));
        r->inside_room = pixels;
    }
    S2CLR_TRY(s2clr_aoi_mask(r->aoi, r->work[0], row, r->work[2], rows, r->inside, &any));
    for (size_t i = 0; i < pixels; i++)
        if (!r->inside[i]) values[i] = NAN;
    return S2CLR_OK;
}

static s2clr_status take_blended(void *context, int row, int rows, float *values)
{
    s2clr_predict_job *r = context;
    if (r->aoi) S2CLR_TRY(mask_rows(r, r->work[1] + row, rows, values));
    const s2clr_values blended = {.probability = values};
    return write_bands(r, r->work[0], r->work[1] + row, r->work[2], rows, &blended);
}

static s2clr_status deliver(s2clr_predict_job *r, int column, int row, int columns, int rows,
                            const s2clr_values *values)
{
    const size_t pixels = (size_t)columns * (size_t)rows;
    if (!r->blend) return write_bands(r, column, row, columns, rows, values);
    return s2clr_blend_put(r->blend, column, row, columns, rows,
                           values->probability + (size_t)r->bands.band[0].feature * pixels);
}

/* The planes of a piece, in the journal's order. */
static void list_planes(const s2clr_predict_job *r, const s2clr_values *values, size_t pixels,
                        const float **plane)
{
    if (r->bands.aim == S2CLR_AIM_EMBEDDING) {
        for (int i = 0; i < r->bands.count; i++) plane[i] = values->embedding + (size_t)i * pixels;
        return;
    }
    for (int k = 0; k < class_planes(r); k++) *plane++ = values->probability + (size_t)k * pixels;
    if (r->bands.valid) *plane++ = values->valid;
    if (r->bands.evidence) *plane = values->evidence;
}

s2clr_status s2clr_predict_take(s2clr_predict_job *r, const s2clr_stream_piece *piece)
{
    if (piece->empty) return S2CLR_OK;
    if (r->journal) {
        list_planes(r, &piece->values, (size_t)piece->columns * (size_t)piece->rows, r->record);
        S2CLR_TRY(s2clr_journal_append(r->journal, piece->column, piece->row, piece->columns,
                                       piece->rows, r->record));
    }
    return deliver(r, piece->column, piece->row, piece->columns, piece->rows, &piece->values);
}

/* A piece out of the journal. values: (planes, rows, columns). */
static s2clr_status take_recorded(void *context, int column, int row, int columns, int rows,
                                  float *values)
{
    s2clr_predict_job *r = context;
    const int *p = r->patches;
    const size_t pixels = (size_t)columns * (size_t)rows;
    s2clr_values planes = {.probability = values};
    if (column < p[0] || row < p[1] || column + columns > p[0] + p[2] || row + rows > p[1] + p[3])
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s.part.journal: holds a piece outside the map; delete the journal "
                               "to begin anew",
                               r->result.output);
    if (r->bands.aim == S2CLR_AIM_EMBEDDING) planes = (s2clr_values){.embedding = values};
    values += (size_t)class_planes(r) * pixels;
    if (r->bands.valid) planes.valid = values;
    if (r->bands.evidence) planes.evidence = values + (r->bands.valid ? pixels : 0);
    return deliver(r, column, row, columns, rows, &planes);
}

s2clr_status s2clr_predict_replay(s2clr_predict_job *r)
{
    int *p = r->patches;
    if (!r->journal) return S2CLR_OK;
    const int next = s2clr_journal_next_row(r->journal, p[0] + p[2], p[1]);
    S2CLR_TRY(s2clr_journal_replay(r->journal, take_recorded, r));
    r->result.resumed_rows = next - p[1];
    p[3] -= next - p[1];
    p[1] = next;
    return S2CLR_OK;
}

/* ---- begin and end ---- */

/* The VRT that shows this part and its sisters. */
static s2clr_status write_vrt(const s2clr_predict_job *r)
{
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    const int unit = s2clr_engine_unit_rows(r->engine) * (r->settings->blend ? r->grid.stride : 1);
    const size_t parts = (size_t)r->shard.count, bands = (size_t)r->bands.count;
    double whole[6], t[6];
    s2clr_shard *part = NULL;
    const char **band = NULL;
    s2clr_grid_transform(&r->map, info->transform, whole);
    memcpy(t, whole, sizeof t);
    t[0] += r->whole[0] * whole[1] + r->whole[1] * whole[2];
    t[3] += r->whole[0] * whole[4] + r->whole[1] * whole[5];
    s2clr_status status = s2clr_alloc(parts, sizeof *part, "parts", (void **)&part);
    if (status == S2CLR_OK) status = s2clr_alloc(bands, sizeof *band, "bands", (void **)&band);
    for (size_t i = 0; status == S2CLR_OK && i < parts; i++)
        status =
            s2clr_shard_rows(r->whole[1], r->whole[3], unit, (int)i + 1, r->shard.count, &part[i]);
    for (size_t i = 0; status == S2CLR_OK && i < bands; i++) band[i] = r->bands.band[i].name;
    const s2clr_shard_map map = {.output = r->settings->output,
                                 .columns = r->whole[2],
                                 .rows = r->whole[3],
                                 .bands = r->bands.count,
                                 .band = band,
                                 .byte_output = r->settings->byte_output,
                                 .transform = info->has_transform ? t : NULL,
                                 .wkt = info->wkt,
                                 .part = part,
                                 .parts = r->shard.count};
    if (status == S2CLR_OK) status = s2clr_shard_vrt_write(&map);
    s2clr_free(part);
    s2clr_free(band);
    return status;
}

s2clr_status s2clr_predict_make_output(s2clr_predict_job *r)
{
    bool overwrite = r->settings->overwrite, ours = false;
    S2CLR_TRY(make_tags(r));
    S2CLR_TRY(make_bands(r));
    S2CLR_TRY(s2clr_predict_check_sides(r));
    if (r->settings->resume) S2CLR_TRY(open_journal(r, &ours));
    const s2clr_writer_options options = writer_options(r, overwrite || ours);
    S2CLR_TRY(s2clr_writer_open(&options, &r->writer));
    if (!r->settings->blend || r->work[3] == 0) return S2CLR_OK;
    return s2clr_blend_new(&r->grid, r->work, take_blended, r, &r->blend);
}

s2clr_status s2clr_predict_try_output(s2clr_predict_job *r)
{
    S2CLR_TRY(make_bands(r));
    S2CLR_TRY(s2clr_predict_check_sides(r));
    const s2clr_writer_options options = writer_options(r, true);
    return s2clr_writer_try(&options);
}

/* The writer's progress ends with 1; here there may be more to do. */
typedef struct shortened {
    const s2clr_progress *inner;
    double from, to;
} shortened;

static bool shorten(void *context, double fraction, const char *message)
{
    const shortened *s = context;
    const double part = (fraction - s->from) / (1 - s->from);
    return s2clr_progress_report(s->inner, s->from + part * (s->to - s->from), message);
}

static s2clr_status finish_writer(s2clr_predict_job *r, double from, double to)
{
    shortened s = {.inner = r->progress, .from = from, .to = to};
    const s2clr_progress progress = {.call = shorten, .context = &s};
    return s2clr_writer_finish(r->writer, &progress, from);
}

s2clr_status s2clr_predict_finish(s2clr_predict_job *r, double from)
{
    const double to = r->settings->polygons ? (from + 1) / 2 : 1;
    if (r->blend) S2CLR_TRY(s2clr_blend_end(r->blend));
    S2CLR_TRY(finish_writer(r, from, to));
    if (r->journal) S2CLR_TRY(s2clr_journal_finish(r->journal, s2clr_writer_finished(r->writer)));
    s2clr_status beside =
        s2clr_map_sides_make(&r->sides, s2clr_writer_finished(r->writer), r->progress, to, 1);
    if (beside == S2CLR_ERR_CANCELLED) return beside;
    S2CLR_TRY(s2clr_writer_publish(r->writer));
    if (beside == S2CLR_OK) beside = s2clr_map_sides_publish(&r->sides);
    r->result.style = r->sides.style;
    r->result.polygons = r->sides.told;
    if (r->journal) s2clr_journal_remove(r->journal);
    if (beside != S2CLR_OK) return s2clr_map_sides_blame(&r->sides, beside);
    return r->settings->shards ? write_vrt(r) : S2CLR_OK;
}
