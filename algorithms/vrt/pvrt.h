/* What the files behind vrt.h share. Private. */
#ifndef S2CLR_VRT_PVRT_H
#define S2CLR_VRT_PVRT_H

#include <gdal.h>
#include <stdio.h>

#include "file/model.h"
#include "predict/view.h"
#include "predict/zoo.h"
#include "vrt/vrt.h"

/* The recipe that is no file: a sidecar of the driver. */
#define S2CLR_VRT_VIEW "view"

#define S2CLR_VRT_NAME_MAX 4096

/* ---- templates.c ---- */

/* Text of a template; *out is freed with s2clr_free(). Unknown: names the nearest one. */
s2clr_status s2clr_vrt_template_read(const char *recipe, char **out);

/* ---- locate.c: names that mean the same from every folder ---- */

/* An existing local file by its whole path, also inside /vsizip/ and SENTINEL2_ names; other names
 * as they are. */
s2clr_status s2clr_vrt_absolute(const char *name, char out[S2CLR_VRT_NAME_MAX]);

/* True when `path` is a plain file at or below the folder of `output`: *out points into `path`. */
bool s2clr_vrt_relative(const char *path, const char *output, const char **out);

/* ---- elements.c: pieces of XML ---- */

/* Text or attribute; control characters cannot stand in XML and are an error. */
s2clr_status s2clr_vrt_escape(FILE *to, const char *text);
void s2clr_vrt_number(FILE *to, double value);

/* One raster band as the source of a VRT band. */
typedef struct s2clr_vrt_source {
    const char *name; /* dataset */
    bool relative;
    int band;
    const char *const *options; /* NULL-terminated K=V or NULL */
    int width, height, block_width, block_height;
    GDALDataType type;
    double destination[4];  /* x, y, width, height of the whole source in the VRT */
    const char *resampling; /* NULL: nearest */
} s2clr_vrt_source;

s2clr_status s2clr_vrt_put_source(FILE *to, const s2clr_vrt_source *source);
void s2clr_vrt_put_georeference(FILE *to, const char *indent, const char *wkt,
                                const double *transform);

/* ---- scene.c: what a template is filled from ---- */

/* What the placeholders of a template ask for. */
typedef struct s2clr_vrt_needs {
    bool stack, scl, model, map, several; /* several: takes more than one model */
    bool student;                         /* the model is given to a pixel function */
    bool resampling, classes, prevalence, bands; /* options that do something */
    int named; /* bands named by the template */
    char name[S2CLR_CARD_BANDS_MAX][S2CLR_CARD_WORD];
} s2clr_vrt_needs;

typedef struct s2clr_vrt_model {
    char name[S2CLR_ZOO_PATH]; /* as it is to be written */
    const s2clr_model *model;
    char *connection;  /* S2CLR:... */
    s2clr_view *view;  /* NULL unless needed */
    int stride;
} s2clr_vrt_model;

typedef struct s2clr_vrt_open {
    char *name;
    GDALDatasetH handle;
} s2clr_vrt_open;

typedef struct s2clr_vrt_scene {
    const s2clr_vrt_settings *settings;
    s2clr_vrt_needs needs;
    char **inputs; // (settings->input_count) absolute, owned
    s2clr_stack_options stack_options;
    char scl_name[S2CLR_VRT_NAME_MAX];
    s2clr_stack *stack;
    const s2clr_stack_info *info; /* NULL unless needed */
    char **options;               /* open options of the maps, a CSL */
    s2clr_vrt_model model[S2CLR_VRT_MODELS_MAX];
    size_t models;
    s2clr_vrt_open open[S2CLR_CARD_BANDS_MAX + 1]; /* datasets of bands, as they are asked for */
    int opened;
} s2clr_vrt_scene;

/* Zero-initialised scene with settings and needs set; cleared by the caller also on failure. */
s2clr_status s2clr_vrt_scene_open(s2clr_vrt_scene *scene);
s2clr_status s2clr_vrt_scene_names(s2clr_vrt_scene *scene); /* inputs, SCL and options only */
s2clr_status s2clr_vrt_scene_model(s2clr_vrt_scene *scene, const char *given);
void s2clr_vrt_scene_clear(s2clr_vrt_scene *scene);

/* The dataset of that name, opened once; borrowed. */
s2clr_status s2clr_vrt_scene_dataset(s2clr_vrt_scene *scene, const char *name, GDALDatasetH *out);

/* ---- sources.c: bands of the scene and maps of models as sources ---- */

/* band: name of a bound band or "SCL"; resampling: NULL for nearest. */
s2clr_status s2clr_vrt_put_band(s2clr_vrt_scene *scene, const char *band, const char *resampling,
                                FILE *to);
/* Band `band` (from 1) of a model's map; on_input: on the grid of the scene instead of its own. */
s2clr_status s2clr_vrt_put_map(s2clr_vrt_scene *scene, size_t model, int band, bool on_input,
                               FILE *to);
/* A whole VRT band for each band of the first model's map. */
s2clr_status s2clr_vrt_put_map_bands(s2clr_vrt_scene *scene, FILE *to);
/* The smallest type that holds all bound bands. */
s2clr_status s2clr_vrt_common_type(s2clr_vrt_scene *scene, GDALDataType *out);

/* ---- placeholders.c ---- */

/* Adds to *needs what `@NAME@` or `@NAME:ARGUMENT@` asks for; word: between the at signs. */
s2clr_status s2clr_vrt_placeholder_needs(const char *word, s2clr_vrt_needs *needs);
s2clr_status s2clr_vrt_placeholder_put(const char *word, s2clr_vrt_scene *scene, FILE *to);

/* ---- fill.c ---- */

s2clr_status s2clr_vrt_needs_of(const char *text, const char *recipe, s2clr_vrt_needs *out);
s2clr_status s2clr_vrt_fill(const char *text, s2clr_vrt_scene *scene, FILE *to);

#endif
