/* From a template to a file that was tried out. */
#define _GNU_SOURCE
#include "vrt/vrt.h"

#include <cpl_vsi.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "predict/connection.h"
#include "predict/output_file.h"
#include "predict/output_guard.h"
#include "sentinel2/gdal_watch.h"
#include "vrt/pvrt.h"

static void take_warnings(const s2clr_stack_info *info, s2clr_vrt_result *out)
{
    const int room = (int)(sizeof out->warning / sizeof out->warning[0]);
    for (int i = 0; info && i < info->warnings && out->warnings < room; i++)
        memcpy(out->warning[out->warnings++], info->warning[i], sizeof out->warning[0]);
}

/* ---- trying out ---- */

/* Anything that only our plug-in can read. */
static bool needs_plugin(const char *text)
{
    return strstr(text, "S2CLR:") || strstr(text, "S2CLR_GRID:") || strstr(text, ">s2clr_");
}

static s2clr_status read_pixels(GDALDatasetH dataset, s2clr_vrt_result *out, char *why)
{
    out->width = GDALGetRasterXSize(dataset), out->height = GDALGetRasterYSize(dataset);
    out->bands = GDALGetRasterCount(dataset);
    out->column = out->width / 2, out->row = out->height / 2;
    for (int i = out->bands; i >= 1; i--) {
        double value;
        s2clr_gdal_watch watch;
        s2clr_gdal_watch_begin(&watch);
        const CPLErr error = GDALRasterIO(GDALGetRasterBand(dataset, i), GF_Read, out->column,
                                          out->row, 1, 1, &value, 1, 1, GDT_Float64, 0, 0);
        s2clr_gdal_watch_end(&watch);
        if (error != CE_None) {
            snprintf(why, sizeof watch.text, "%s", watch.text);
            return S2CLR_ERR_IO;
        }
        out->value = value;
    }
    out->tried = true;
    return S2CLR_OK;
}

/* Nobody should find out later that a file just made cannot be read. */
static s2clr_status try_out(const char *path, const char *shown, s2clr_vrt_result *out)
{
    s2clr_gdal_watch watch;
    char why[sizeof watch.text];
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset =
        GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, NULL, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!dataset)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: what was written does not open: %s", shown,
                               watch.text);
    const s2clr_status status = read_pixels(dataset, out, why);
    s2clr_gdal_watch_begin(&watch);
    GDALClose(dataset);
    s2clr_gdal_watch_end(&watch);
    if (status == S2CLR_OK) return S2CLR_OK;
    return s2clr_error_set(status, "%s: what was written cannot be read at pixel %d, %d: %s", shown,
                           out->column, out->row, why);
}

/* ---- writing ---- */

static s2clr_status write_text(const char *path, const char *shown, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: %s", shown, strerror(errno));
    const bool good = fwrite(text, 1, bytes, file) == bytes && fflush(file) == 0;
    const int error = errno;
    if (fclose(file) == 0 && good) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", shown,
                           strerror(good ? errno : error));
}

/* The temporary name ends as the final one does: some drivers look at it. */
static s2clr_status part_name(const char *target, char *out, size_t size)
{
    const char *dot = strrchr(target, '.'), *slash = strrchr(target, '/');
    const char *end = dot && (!slash || dot > slash) ? dot : "";
    if ((size_t)snprintf(out, size, "%s.part-%ld%s", target, (long)getpid(), end) < size)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.100s...: the name is too long", target);
}

/* The finished file gets its name only after a pixel of it could be read. */
static s2clr_status publish(const char *part, const char *target, const char *shown, bool readable,
                            s2clr_vrt_result *out)
{
    s2clr_status status = readable ? try_out(part, shown, out) : S2CLR_OK;
    if (status == S2CLR_OK) status = s2clr_output_publish(part, target, shown);
    return status;
}

static s2clr_status write_vrt(const char *output, const char *text, size_t bytes,
                              s2clr_vrt_result *out)
{
    char target[S2CLR_OUTPUT_PATH_MAX], part[S2CLR_OUTPUT_PATH_MAX + 64];
    S2CLR_TRY(s2clr_output_resolve(output, target));
    S2CLR_TRY(part_name(target, part, sizeof part));
    s2clr_status status = write_text(part, output, text, bytes);
    if (status == S2CLR_OK)
        status =
            publish(part, target, output, !needs_plugin(text) || GDALGetDriverByName("S2CLR"), out);
    if (status != S2CLR_OK) unlink(part);
    return status;
}

static s2clr_status fill(const char *text, s2clr_vrt_scene *scene, char **out, size_t *bytes)
{
    FILE *to = open_memstream(out, bytes);
    if (!to) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the text of a VRT");
    s2clr_status status = s2clr_vrt_fill(text, scene, to);
    if (fclose(to) != 0 && status == S2CLR_OK)
        status = s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the text of a VRT");
    if (status == S2CLR_OK) return S2CLR_OK;
    free(*out);
    return status;
}

static void take_sizes(const s2clr_vrt_scene *scene, s2clr_vrt_result *out)
{
    const s2clr_view_info *map =
        scene->models && scene->model[0].view ? s2clr_view_describe(scene->model[0].view) : NULL;
    take_warnings(scene->info ? scene->info : map ? map->stack : NULL, out);
    if (map && map->warning && map->warning[0] && out->warnings < 8)
        snprintf(out->warning[out->warnings++], sizeof out->warning[0], "model %.100s: %.350s",
                 scene->model[0].name, map->warning);
}

static s2clr_status guard(const s2clr_vrt_scene *scene)
{
    const char *names[S2CLR_VRT_MODELS_MAX + 1];
    size_t count = 0;
    S2CLR_TRY(s2clr_output_guard(scene->settings->output, (const char *const *)scene->inputs,
                                 scene->settings->input_count));
    for (size_t i = 0; i < scene->models; i++) names[count++] = scene->model[i].name;
    names[count++] = scene->scl_name;
    return s2clr_output_guard(scene->settings->output, names, count);
}

static s2clr_status write_recipe(s2clr_vrt_scene *scene, const char *text, s2clr_vrt_result *out)
{
    char *filled = NULL;
    size_t bytes;
    S2CLR_TRY(s2clr_vrt_needs_of(text, scene->settings->recipe, &scene->needs));
    S2CLR_TRY(s2clr_vrt_scene_open(scene));
    S2CLR_TRY(guard(scene));
    S2CLR_TRY(fill(text, scene, &filled, &bytes));
    take_sizes(scene, out);
    const s2clr_status status = write_vrt(scene->settings->output, filled, bytes, out);
    free(filled);
    return status;
}

/* ---- the recipe without a template ---- */

static s2clr_status write_sidecar(s2clr_vrt_scene *scene, s2clr_vrt_result *out)
{
    const s2clr_vrt_settings *s = scene->settings;
    char target[S2CLR_OUTPUT_PATH_MAX], part[S2CLR_OUTPUT_PATH_MAX + 64];
    S2CLR_TRY(s2clr_output_resolve(s->output, target));
    S2CLR_TRY(part_name(target, part, sizeof part));
    s2clr_status status =
        s2clr_connection_write(part, scene->model[0].name, (const char *const *)scene->inputs,
                               s->input_count, (const char *const *)scene->options, false);
    if (status == S2CLR_OK)
        status = publish(part, target, s->output, GDALGetDriverByName("S2CLR") != NULL, out);
    if (status != S2CLR_OK) unlink(part);
    return status;
}

static s2clr_status write_view(s2clr_vrt_scene *scene, s2clr_vrt_result *out)
{
    scene->needs = (s2clr_vrt_needs){.model = true, .map = true, .bands = true};
    S2CLR_TRY(s2clr_vrt_scene_open(scene));
    S2CLR_TRY(guard(scene));
    const s2clr_view_info *info = s2clr_view_describe(scene->model[0].view);
    take_sizes(scene, out);
    out->width = info->columns, out->height = info->rows, out->bands = info->bands->count;
    return write_sidecar(scene, out);
}

s2clr_status s2clr_vrt_write(const s2clr_vrt_settings *settings, s2clr_vrt_result *result)
{
    s2clr_vrt_scene scene = {.settings = settings};
    s2clr_vrt_result out = {.value = NAN};
    char *text = NULL;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_output_check(settings->output, settings->overwrite));
    s2clr_status status;
    if (strcmp(settings->recipe, S2CLR_VRT_VIEW) == 0) {
        status = write_view(&scene, &out);
    } else {
        status = s2clr_vrt_template_read(settings->recipe, &text);
        if (status == S2CLR_OK) status = write_recipe(&scene, text, &out);
        s2clr_free(text);
    }
    s2clr_vrt_scene_clear(&scene);
    if (status == S2CLR_OK) *result = out;
    return status;
}
