#define _GNU_SOURCE
#include "label_rig.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "store_rig.h"

const char *label_rig_file(const char *name, const char *format, ...)
{
    const char *path = store_rig_path(name);
    FILE *file = fopen(path, "w");
    va_list list;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    va_start(list, format);
    vfprintf(file, format, list);
    va_end(list);
    CU_ASSERT_EQUAL(fclose(file), 0);
    return path;
}

s2clr_labels *label_rig_open(const s2clr_labels_options *options)
{
    s2clr_labels *labels = NULL;
    TEST_OK(s2clr_labels_open(options, &labels));
    CU_ASSERT_PTR_NOT_NULL_FATAL(labels);
    return labels;
}

void label_rig_refused(const s2clr_labels_options *options, const char *says)
{
    s2clr_labels *labels = NULL;
    CU_ASSERT_NOT_EQUAL(s2clr_labels_open(options, &labels), S2CLR_OK);
    CU_ASSERT_PTR_NULL(labels);
    TEST_ERROR_SAYS(says);
    s2clr_labels_close(labels);
}

s2clr_verdict label_rig_judge(s2clr_labels *labels, const rig_square *square)
{
    const double transform[6] = {square->left, square->pixel, 0, square->top, 0, -square->pixel};
    s2clr_verdict verdict = {.cover = NAN};
    TEST_OK(s2clr_labels_judge(labels, square->crs, transform, square->pixels, square->pixels,
                               square->date, &verdict));
    return verdict;
}

bool label_rig_gdaltransform(const char *from, const char *to, double *x, double *y)
{
    char command[600];
    if (system("gdaltransform --version >/dev/null 2>&1") != 0) return false;
    snprintf(command, sizeof command,
             "echo '%.12f %.12f' | gdaltransform -s_srs '%s' -t_srs '%s' -output_xy", *x, *y, from,
             to);
    FILE *answer = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    CU_ASSERT_EQUAL(fscanf(answer, "%lf %lf", x, y), 2);
    pclose(answer);
    return true;
}

/* EPSG's order; the others of the tests are east first. */
static bool is_north_first(const char *crs)
{
    return strcmp(crs, "EPSG:4326") == 0 || strcmp(crs, "EPSG:3035") == 0;
}

bool label_rig_cs2cs(const char *from, const char *to, double *x, double *y)
{
    char command[600];
    double first, second;
    if (system("command -v cs2cs >/dev/null 2>&1") != 0) return false;
    const bool in = is_north_first(from), out = is_north_first(to);
    snprintf(command, sizeof command, "echo '%.12f %.12f' | cs2cs -f %%.12f %s +to %s",
             in ? *y : *x, in ? *x : *y, from, to);
    FILE *answer = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    CU_ASSERT_EQUAL(fscanf(answer, "%lf %lf", &first, &second), 2);
    pclose(answer);
    *x = out ? second : first;
    *y = out ? first : second;
    return true;
}
