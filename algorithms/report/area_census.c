#include "report/area_census.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

/* ---- codes ---- */

static bool whole(double value, int *out)
{
    if (!(value >= 0 && value < S2CLR_AREA_CODES) || value != floor(value)) return false;
    *out = (int)value;
    return true;
}

static int range_of(const s2clr_area_rule *rule, double p)
{
    int range = 0;
    while (range < rule->break_count && p >= rule->breaks[range]) range++;
    return range;
}

static s2clr_status refuse(const s2clr_area_census *c, double value)
{
    if (c->rule.classes)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: band %d holds %g; wanted: classes, whole numbers from 0 to 255",
                               c->rule.map, c->rule.band, value);
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: band %d holds %g; wanted: probabilities from 0 to 1; if these are "
                           "classes, say --classes",
                           c->rule.map, c->rule.band, value);
}

s2clr_status s2clr_area_codes_of(const s2clr_area_census *census, double value, double stratum,
                                 s2clr_area_codes *out)
{
    const s2clr_area_rule *rule = &census->rule;
    s2clr_area_codes codes = {-1, -1, value};
    const bool strata = census->strata_map.dataset != NULL;
    if (!isnan(value) && !(strata && isnan(stratum))) {
        if (!rule->classes && !s2clr_map_probability(&value)) return refuse(census, value);
        codes.value = value;
        if (!rule->classes) codes.class_ = value >= rule->threshold;
        if (rule->classes && !whole(value, &codes.class_)) return refuse(census, value);
        codes.stratum = rule->break_count ? range_of(rule, value) : codes.class_;
        if (strata && !whole(stratum, &codes.stratum))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: holds %g; wanted: strata, whole numbers from 0 to 255",
                                   rule->strata, stratum);
    }
    *out = codes;
    return S2CLR_OK;
}

int s2clr_area_kind_find(const s2clr_area_kind *kinds, int count, int code)
{
    for (int i = 0; i < count; i++)
        if (kinds[i].code == code) return i;
    return -1;
}

/* ---- counting ---- */

typedef struct tally {
    s2clr_area_census *census;
    double pixels[2][S2CLR_AREA_CODES], area[2][S2CLR_AREA_CODES]; /* of classes, of strata */
    double right[S2CLR_AREA_CODES];
    uint64_t row[2][S2CLR_AREA_CODES]; /* pixels of this row */
} tally;

static s2clr_status count_row(void *context, int row, const double *value, const double *stratum)
{
    tally *t = context;
    s2clr_area_census *c = t->census;
    double area;
    S2CLR_TRY(s2clr_map_row_area(&c->map, row, &area));
    memset(t->row, 0, sizeof t->row);
    for (int i = 0; i < c->map.width; i++) {
        s2clr_area_codes codes;
        S2CLR_TRY(s2clr_area_codes_of(c, value[i], stratum ? stratum[i] : NAN, &codes));
        c->nodata += isnan(value[i]);
        c->unstratified += codes.stratum < 0 && !isnan(value[i]);
        if (codes.stratum < 0) continue;
        t->row[0][codes.class_]++;
        t->row[1][codes.stratum]++;
        t->right[codes.stratum] += codes.class_ ? codes.value : 1 - codes.value;
    }
    for (int k = 0; k < 2; k++)
        for (int code = 0; code < S2CLR_AREA_CODES; code++) {
            t->pixels[k][code] += (double)t->row[k][code];
            t->area[k][code] += (double)t->row[k][code] * area;
        }
    return S2CLR_OK;
}

/* ---- names ---- */

/* Category names, from the band that has the codes. */
static void name_code(const s2clr_map *map, const char *word, int code, char out[96])
{
    char **names = GDALGetRasterCategoryNames(map->band);
    const char *name = names && code < CSLCount(names) ? names[code] : "";
    if (*name)
        s2clr_utf8_show(name, out, 81);
    else
        snprintf(out, 96, "%s %d", word, code);
}

static void name_class(const s2clr_area_census *c, int code, char out[96])
{
    if (c->rule.classes)
        name_code(&c->map, "class", code, out);
    else
        snprintf(out, 96, "%s%s", code ? "" : "not ", c->positive);
}

static void name_stratum(const s2clr_area_census *c, int code, char out[96])
{
    const s2clr_area_rule *r = &c->rule;
    if (c->strata_map.dataset)
        name_code(&c->strata_map, "stratum", code, out);
    else if (r->break_count)
        CPLsnprintf(out, 96, "%.6g to %.6g", code ? r->breaks[code - 1] : 0.0,
                    code < r->break_count ? r->breaks[code] : 1.0);
    else
        name_class(c, code, out);
}

/* A map of probabilities always has both classes; else what occurs. */
static s2clr_status keep(const tally *t, int k, s2clr_area_kind **out, int *out_count)
{
    s2clr_area_census *c = t->census;
    int count = 0;
    S2CLR_TRY(s2clr_alloc(S2CLR_AREA_CODES, sizeof **out, "classes", (void **)out));
    for (int code = 0; code < S2CLR_AREA_CODES; code++) {
        const bool always = k == 0 && !c->rule.classes && code < 2;
        if (!(t->pixels[k][code] > 0) && !always) continue;
        s2clr_area_kind *kind = &(*out)[count++];
        kind->code = code;
        kind->pixels = t->pixels[k][code];
        kind->area = t->area[k][code];
        kind->right = NAN;
        if (k == 0) name_class(c, code, kind->name);
        if (k == 1) name_stratum(c, code, kind->name);
        if (k == 1 && !c->rule.classes) kind->right = t->right[code] / kind->pixels;
    }
    *out_count = count;
    return S2CLR_OK;
}

static s2clr_status keep_all(const tally *t)
{
    s2clr_area_census *c = t->census;
    S2CLR_TRY(keep(t, 0, &c->class_, &c->classes));
    S2CLR_TRY(keep(t, 1, &c->stratum, &c->strata));
    for (int h = 0; h < c->strata; h++) {
        c->pixels += c->stratum[h].pixels;
        c->area += c->stratum[h].area;
    }
    c->true_area = s2clr_map_true_area(&c->map);
    if (c->pixels > 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: band %d has no pixel with a value%s; wanted: a map with pixels",
                           c->rule.map, c->rule.band, c->rule.strata ? " in a stratum" : "");
}

/* ---- opening ---- */

static bool same_grid(const s2clr_map *map, const s2clr_map *other)
{
    const double *a = map->transform, *b = other->transform;
    const double slack = 1e-3 * fmax(hypot(a[1], a[4]), hypot(a[2], a[5])); /* of a pixel */
    for (int i = 0; i < 6; i++) {
        const double reach = i % 3 == 0 ? 1 : i % 3 == 1 ? map->width : map->height;
        if (!(fabs(a[i] - b[i]) * reach <= slack)) return false;
    }
    return map->width == other->width && map->height == other->height &&
           OSRIsSame(map->crs, other->crs);
}

static s2clr_status open_strata(s2clr_area_census *c)
{
    const s2clr_area_rule *r = &c->rule;
    if (!r->strata) return S2CLR_OK;
    S2CLR_TRY(s2clr_map_open(r->strata, 1, &c->strata_map));
    if (same_grid(&c->map, &c->strata_map)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: is not on the grid of %s (%d x %d pixels); wanted: the same CRS, "
                           "origin and pixels; bring it there: gdalwarp -r near -t_srs -te -ts",
                           r->strata, r->map, c->map.width, c->map.height);
}

static void settle_rule(s2clr_area_census *c)
{
    s2clr_area_rule *r = &c->rule;
    const char *positive = s2clr_map_positive(&c->map);
    const char *warning = s2clr_map_tag(&c->map, "MODEL_WARNING"), *own;
    const bool given = !isnan(r->threshold);
    const double standing = s2clr_map_threshold(&c->map, &own);
    c->threshold_from = given ? "given" : own;
    if (!given) r->threshold = standing;
    s2clr_utf8_show(*positive ? positive : "positive", c->positive, sizeof c->positive);
    s2clr_utf8_show(warning ? warning : "", c->warning, sizeof c->warning);
}

static s2clr_status count_all(s2clr_area_census *c, const s2clr_progress *progress)
{
    tally *t;
    S2CLR_TRY(s2clr_map_open(c->rule.map, c->rule.band, &c->map));
    settle_rule(c);
    S2CLR_TRY(open_strata(c));
    S2CLR_TRY(s2clr_alloc(1, sizeof *t, "counts", (void **)&t));
    t->census = c;
    s2clr_status status = s2clr_area_scan(c, progress, 0, 1, count_row, t);
    if (status == S2CLR_OK) status = keep_all(t);
    s2clr_free(t);
    return status;
}

s2clr_status s2clr_area_census_make(const s2clr_area_rule *rule, const s2clr_progress *progress,
                                    s2clr_area_census **out)
{
    s2clr_area_census *c;
    S2CLR_TRY(s2clr_alloc(1, sizeof *c, "counts of a map", (void **)&c));
    c->rule = *rule;
    const s2clr_status status = count_all(c, progress);
    if (status == S2CLR_OK)
        *out = c;
    else
        s2clr_area_census_free(c);
    return status;
}

void s2clr_area_census_free(s2clr_area_census *census)
{
    if (!census) return;
    s2clr_map_close(&census->map);
    s2clr_map_close(&census->strata_map);
    s2clr_free(census->class_);
    s2clr_free(census->stratum);
    s2clr_free(census);
}
