#include "report/evaluation_marked.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <string.h>
#include <sys/stat.h>

#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"

enum { HEADING_MAX = 4096 };

bool s2clr_marked_identify(const char *path)
{
    char line[HEADING_MAX];
    bool rank = false, mark = false;
    struct stat found;
    /* A pipe would be waited for. */
    FILE *from = stat(path, &found) == 0 && S_ISREG(found.st_mode) ? fopen(path, "r") : NULL;
    if (!from) return false;
    const char *heading = fgets(line, sizeof line, from);
    fclose(from);
    /* As spreadsheets save it again: with a byte order mark, semicolons or tabs. */
    const char *at = heading ? line : NULL;
    if (at && strncmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
    while (at && *at) {
        const size_t length = strcspn(at, ",;\t\r\n");
        char word[16] = "";
        size_t used = 0;
        for (size_t i = 0; i < length && used < sizeof word - 1; i++)
            if (at[i] != '"' && at[i] != ' ') word[used++] = at[i];
        rank |= strcmp(word, "rank") == 0;
        mark |= strcmp(word, "mark") == 0;
        at = at[length] && strchr(",;\t", at[length]) ? at + length + 1 : NULL;
    }
    return rank && mark;
}

/* ---- reading ---- */

typedef struct reading {
    s2clr_marked *m;
    int mark, probability, model, positive; /* columns, -1 none */
    double sum;                             /* of the probabilities of what is decided */
    size_t summed;
} reading;

static const char *text_of(OGRFeatureH row, int column)
{
    return column >= 0 ? OGR_F_GetFieldAsString(row, column) : "";
}

static s2clr_status take_mark(reading *r, OGRFeatureH row, bool *decided)
{
    s2clr_marked *m = r->m;
    const char *mark = text_of(row, r->mark);
    *decided = false;
    if (strcmp(mark, "right") == 0 || strcmp(mark, "wrong") == 0) {
        *decided = true;
        ++*(mark[0] == 'r' ? &m->right : &m->wrong);
    } else if (strcmp(mark, "unsure") == 0) {
        m->unsure++;
    } else if (!*mark) {
        m->unmarked++;
    } else {
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: row %zu: the mark is \"%.40s\"; wanted: right, wrong, unsure "
                               "or nothing",
                               m->path, m->rows, mark);
    }
    return S2CLR_OK;
}

static s2clr_status take_probability(reading *r, OGRFeatureH row, bool decided)
{
    s2clr_marked *m = r->m;
    const char *text = text_of(row, r->probability);
    char *end;
    if (!*text) return S2CLR_OK;
    const double p = CPLStrtod(text, &end);
    if (*end || !(p >= 0 && p <= 1))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: row %zu: the probability is \"%.40s\"; wanted: a number from 0 "
                               "to 1",
                               m->path, m->rows, text);
    if (isnan(m->lowest) || p < m->lowest) m->lowest = p;
    if (!decided) return S2CLR_OK;
    r->sum += p;
    r->summed++;
    return S2CLR_OK;
}

/* The same in every row. */
static s2clr_status take_word(reading *r, OGRFeatureH row, int column, char *kept, size_t size)
{
    const char *text = text_of(row, column);
    if (!*text) return S2CLR_OK;
    if (!kept[0]) snprintf(kept, size, "%s", text);
    if (strncmp(kept, text, size - 1) == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: row %zu is of \"%.60s\", rows before it of \"%.60s\"; a precision "
                           "is that of one model: evaluate a file for each",
                           r->m->path, r->m->rows, text, kept);
}

static s2clr_status take_row(void *context, OGRFeatureH row)
{
    reading *r = context;
    s2clr_marked *m = r->m;
    bool decided;
    m->rows++;
    S2CLR_TRY(take_mark(r, row, &decided));
    S2CLR_TRY(take_probability(r, row, decided));
    S2CLR_TRY(take_word(r, row, r->model, m->model, sizeof m->model));
    return take_word(r, row, r->positive, m->positive, sizeof m->positive);
}

static s2clr_status read_layer(OGRLayerH layer, s2clr_marked *m)
{
    OGRFeatureDefnH columns = OGR_L_GetLayerDefn(layer);
    reading r = {.m = m,
                 .mark = OGR_FD_GetFieldIndex(columns, "mark"),
                 .probability = OGR_FD_GetFieldIndex(columns, "probability"),
                 .model = OGR_FD_GetFieldIndex(columns, "model"),
                 .positive = OGR_FD_GetFieldIndex(columns, "positive")};
    if (r.mark < 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: there is no column \"mark\"", m->path);
    S2CLR_TRY(s2clr_ogr_each(layer, take_row, &r));
    if (m->rows == 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: there is no row below the heading", m->path);
    if (r.summed) m->expected = r.sum / (double)r.summed;
    return S2CLR_OK;
}

s2clr_status s2clr_marked_read(const char *path, s2clr_marked *out)
{
    static const char *const drivers[] = {"CSV", NULL};
    s2clr_marked m = {.expected = NAN, .lowest = NAN};
    s2clr_gdal_watch watch;
    snprintf(m.path, sizeof m.path, "%s", path);
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH file = GDALOpenEx(path, GDAL_OF_VECTOR, drivers, NULL, NULL);
    OGRLayerH layer = file ? GDALDatasetGetLayer(file, 0) : NULL;
    s2clr_status status = S2CLR_OK;
    if (layer) status = read_layer(layer, &m);
    if (file) GDALClose(file);
    s2clr_gdal_watch_end(&watch);
    if (status == S2CLR_OK && (!layer || watch.failed))
        status =
            s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read as a table: %s", path, watch.text);
    S2CLR_TRY(status);
    const size_t decided = m.right + m.wrong;
    m.precision = s2clr_proportion_wilson(m.right, decided);
    m.strict = s2clr_proportion_wilson(m.right, decided + m.unsure);
    m.kind = s2clr_proportion_wilson(m.right + m.unsure, decided + m.unsure);
    *out = m;
    return S2CLR_OK;
}
