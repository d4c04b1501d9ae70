/*
 * The pointwise functions against closed forms worked out by hand, Bayes' rule by counting, and
 * their own definition of no data; their arguments; and the page that documents them.
 */
#define _GNU_SOURCE /* strsep */
#include "pointwise/pointwise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/probability.h"
#include "harness.h"

static const s2clr_pointwise *find(const char *name)
{
    for (int id = 0; id < S2CLR_POINTWISE_COUNT; id++) {
        const s2clr_pointwise *row = s2clr_pointwise_row((s2clr_pointwise_id)id);
        if (strcmp(row->name + strlen("s2clr_"), name) == 0) return row;
    }
    CU_FAIL("no such row");
    return s2clr_pointwise_row(S2CLR_POINTWISE_EVI2);
}

typedef struct arguments {
    char copy[200];
    const char *list[10];
} arguments;

/* "a=1;b=2" as GDAL hands arguments over. */
static const char *const *split(const char *text, arguments *out)
{
    char *rest = out->copy;
    size_t count = 0;
    snprintf(out->copy, sizeof out->copy, "%s", text);
    while (count < 9 && rest && *rest) out->list[count++] = strsep(&rest, ";");
    out->list[count] = NULL;
    return out->list;
}

/* One pixel. */
static double one(const char *name, const char *text, int sources, const float *value)
{
    const float *plane[S2CLR_POINTWISE_SOURCES_MAX];
    s2clr_pointwise_call call;
    arguments given;
    float out = -12345;
    for (int i = 0; i < sources; i++) plane[i] = &value[i];
    const s2clr_status status =
        s2clr_pointwise_bind(find(name), split(text, &given), sources, &call);
    TEST_OK(status);
    if (status == S2CLR_OK) TEST_OK(s2clr_pointwise_run(&call, plane, 1, &out));
    return (double)out;
}

/* ---- values ---- */

typedef struct example {
    const char *name, *arguments;
    int sources;
    float source[4];
    double want; /* NaN: no data */
} example;

static const example examples[] = {
    {"evi2", "", 2, {0.5f, 0.1f}, 2.5 * 0.4 / 1.74},
    {"evi2", "scale=0.0001;offset=-1000", 2, {6000, 2000}, 2.5 * 0.4 / 1.74},
    {"savi", "", 2, {0.5f, 0.1f}, 1.5 * 0.4 / 1.1},
    {"savi", "L=0", 2, {0.5f, 0.1f}, 0.4 / 0.6},
    {"savi", "l=1;scale=0.0001", 2, {5000, 1000}, 2 * 0.4 / 1.6},
    {"msi", "", 2, {0.5f, 0.2f}, 0.4},
    {"msi", "scale=0.0001;offset=-1000", 2, {6000, 3000}, 0.4},
    {"msi", "", 2, {0, 0.2f}, NAN},
    {"msi", "scale=0.0001;offset=-1000", 2, {1000, 3000}, NAN},
    {"ndii", "", 2, {0.5f, 0.2f}, 0.3 / 0.7},
    {"ndii", "", 2, {0, 0}, NAN},
    {"ndii", "", 2, {0.25f, -0.25f}, NAN},
    {"nmdi", "", 3, {0.5f, 0.3f, 0.1f}, 0.3 / 0.7},
    {"nmdi", "scale=0.0001;offset=-1000", 3, {6000, 4000, 2000}, 0.3 / 0.7},
    {"reflectance", "", 1, {1234}, 0.1234},
    {"reflectance", "offset=-1000", 1, {1234}, 0.0234},
    {"reflectance", "offset=-1000", 1, {900}, -0.01},
    {"reflectance", "offset=-1000;low=0", 1, {900}, 0},
    {"reflectance", "high=1", 1, {15000}, 1},
    {"reflectance", "low=0.1;high=0.2", 1, {1500}, 0.15},
    {"reflectance", "scale=0.01;nodata=none", 1, {0}, 0},
    {"reflectance", "nodata=0", 1, {0}, NAN},
    {"reflectance", "nodata=0;fill=nan", 1, {0}, NAN},
    {"reflectance", "nodata=NaN", 1, {0}, 0},
    {"reflectance", "nodata=0;fill=-1", 1, {0}, -1},
    {"reflectance", "nodata=0;fill=-1", 1, {NAN}, -1},
    {"calibrate", "", 1, {0.3f}, 0.3},
    {"calibrate", "temperature=2", 1, {0.9f}, 0.75},
    {"calibrate", "temperature=0.5", 1, {0.75f}, 0.9},
    {"calibrate", "temperature=3", 1, {0}, 0},
    {"calibrate", "temperature=3", 1, {1}, 1},
    {"calibrate", "prevalence=0.1", 1, {0.5f}, 0.1},
    {"calibrate", "trained=0.2;prevalence=0.5", 1, {0.2f}, 0.5},
    {"calibrate",
     "temperature=2;prevalence=0.1",
     1,
     {0.9f},
     0.75 * 0.1 / (0.75 * 0.1 + 0.25 * 0.9)},
    {"calibrate", "", 1, {1.25f}, NAN},
    {"calibrate", "temperature=2", 1, {-0.25f}, NAN},
    {"calibrate", "prevalence=0.1", 1, {57}, NAN},
    {"threshold", "", 1, {0.5f}, 1},
    {"threshold", "", 1, {0.49999f}, 0},
    {"threshold", "threshold=-2.5", 1, {-2.5f}, 1},
    {"threshold", "fill=255", 1, {NAN}, 255},
    {"mask", "", 2, {0.7f, 4}, 0.7},
    {"mask", "", 2, {0.7f, 9}, NAN},
    {"mask", "fill=-1", 2, {0.7f, 9}, -1},
    {"mask", "classes=9", 2, {0.7f, 9}, 0.7},
    {"mask", "classes=0,255", 2, {0.7f, 255}, 0.7},
    {"mask", "classes=0,255", 2, {0.7f, 256}, NAN},
    {"mask", "classes=0,4", 2, {0.7f, 4.5f}, NAN},
    {"mask", "classes=0,4", 2, {0.7f, -1}, NAN},
    {"mask", "nodata=4", 2, {0.7f, 4}, 0.7}, /* nodata speaks of the value, not of the class */
    {"mask", "nodata=4", 2, {4, 4}, NAN},
    {"mask", "", 2, {0.7f, NAN}, NAN},
    {"entropy", "", 1, {0.5f}, 1},
    {"entropy", "", 1, {0.25f}, 0.811278124459133},
    {"entropy", "", 1, {0}, 0},
    {"entropy", "", 1, {1}, 0},
    {"entropy", "", 1, {-0.5f}, NAN},
    {"combine", "", 3, {0.2f, 0.4f, 0.9f}, 0.5},
    {"combine", "", 3, {0.2f, NAN, 0.4f}, 0.3},
    {"combine", "", 2, {NAN, NAN}, NAN},
    {"combine", "nodata=-1", 3, {0.2f, -1, 0.4f}, 0.3},
    {"combine", "nodata=-1;fill=-1", 2, {-1, -1}, -1},
    {"combine", "op=max", 3, {0.2f, NAN, 0.4f}, 0.4},
    {"combine", "op=MAX", 2, {-0.5f, -0.25f}, -0.25},
    {"combine", "op=max", 2, {NAN, NAN}, NAN},
    {"combine", "op=agreement", 3, {0.2f, 0.4f, 0.9f}, 2.0 / 3},
    {"combine", "op=agreement", 4, {0.5f, 0.6f, 0.9f, 0.1f}, 0.75},
    {"combine", "op=agreement", 4, {0.5f, NAN, 0.9f, NAN}, 1},
    {"combine", "op=agreement", 2, {0.5f, 0.1f}, 0.5},
    {"combine", "op=agreement;threshold=0.3", 3, {0.2f, 0.4f, 0.9f}, 2.0 / 3},
    {"combine", "op=agreement;threshold=0.1", 3, {0.2f, 0.4f, 0.9f}, 1},
    {"combine", "op=agreement", 2, {NAN, NAN}, NAN},
};

static void values_are_those_of_the_formulas(void)
{
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const example *e = &examples[i];
        const double got = one(e->name, e->arguments, e->sources, e->source);
        if (isnan(e->want) ? isnan(got) : fabs(got - e->want) <= 2e-7 * (1 + fabs(e->want)))
            continue;
        printf("    %s(%s): %.9g, wanted %.9g\n", e->name, e->arguments, got, e->want);
        CU_FAIL("another value");
    }
}

/* Every source in turn is NaN, then the value that nodata names. */
static void one_source_without_data_is_no_data(void)
{
    for (int id = 0; id < S2CLR_POINTWISE_PIXEL; id++) {
        const s2clr_pointwise *row = s2clr_pointwise_row((s2clr_pointwise_id)id);
        const char *name = row->name + strlen("s2clr_");
        if (row->some) continue;
        for (int k = 0; k < row->least; k++) {
            float value[4] = {0.5f, 4, 0.25f, 0.125f};
            CU_ASSERT_FALSE(isnan(one(name, "nodata=0.375", row->least, value)));
            value[k] = NAN;
            CU_ASSERT_TRUE(isnan(one(name, "", row->least, value)));
            CU_ASSERT_TRUE(one(name, "fill=-7", row->least, value) == -7);
            value[k] = 0.375f;
            CU_ASSERT_TRUE(isnan(one(name, "nodata=0.375", row->least, value)));
        }
    }
}

/* A long plane equals its pixels one by one. */
static void pixels_do_not_know_of_each_other(void)
{
    enum { PIXELS = 5000 };
    static float plane[3][PIXELS], out[PIXELS];
    const float *source[3] = {plane[0], plane[1], plane[2]};
    for (size_t i = 0; i < PIXELS; i++)
        for (size_t k = 0; k < 3; k++)
            plane[k][i] = i % (11 + k) == 0 ? NAN : (float)(i * (k + 3) % 101) / 100;
    for (int id = 0; id < S2CLR_POINTWISE_PIXEL; id++) {
        const s2clr_pointwise *row = s2clr_pointwise_row((s2clr_pointwise_id)id);
        const int sources = row->most ? row->most : 3;
        const char *const given[] = {"nodata=0.5", NULL};
        s2clr_pointwise_call call;
        TEST_OK(s2clr_pointwise_bind(row, given, sources, &call));
        TEST_OK(s2clr_pointwise_run(&call, source, PIXELS, out));
        int other = 0;
        for (size_t i = 0; i < PIXELS; i++) {
            const float *pixel[3] = {&plane[0][i], &plane[1][i], &plane[2][i]};
            float alone;
            TEST_OK(s2clr_pointwise_run(&call, pixel, 1, &alone));
            other += memcmp(&alone, &out[i], sizeof alone) != 0 && !(isnan(alone) && isnan(out[i]));
        }
        CU_ASSERT_EQUAL(other, 0);
    }
}

/* ---- probabilities ---- */

/* Bayes by counting: of a million pixels a share is positive, and what is seen is seen in a of the
 * positives and b of the others. */
static double posterior(double share, double a, double b)
{
    const double positives = 1e6 * share, others = 1e6 - positives;
    return positives * a / (positives * a + others * b);
}

static void shift_is_bayes_rule(void)
{
    static const double shares[] = {0.001, 0.023, 0.1, 0.5, 0.9, 0.999};
    for (size_t f = 0; f < 6; f++)
        for (size_t t = 0; t < 6; t++)
            for (int a = 1; a <= 20; a++)
                for (int b = 1; b <= 20; b++) {
                    const double p = posterior(shares[f], a / 20.0, b / 20.0);
                    const double want = posterior(shares[t], a / 20.0, b / 20.0);
                    const double got = s2clr_probability_shift(p, shares[f], shares[t]);
                    const double back = s2clr_probability_shift(got, shares[t], shares[f]);
                    if (!(fabs(got - want) < 1e-12 && fabs(back - p) < 1e-12)) CU_FAIL("not Bayes");
                }
    CU_ASSERT_TRUE(s2clr_probability_shift(0, 0.5, 0.1) == 0);
    CU_ASSERT_TRUE(s2clr_probability_shift(1, 0.5, 0.1) == 1);
    CU_ASSERT_TRUE(s2clr_probability_shift(0.3, 0.7, 0.7) == 0.3);
    CU_ASSERT_TRUE(isnan(s2clr_probability_shift(NAN, 0.5, 0.1)));
    CU_ASSERT_TRUE(isnan(s2clr_probability_shift(NAN, 0.5, 0.5)));
}

static void temperature_divides_the_logit(void)
{
    for (double logit = -12; logit <= 12; logit += 0.37)
        for (double t = 0.5; t < 4; t += 0.5) {
            const double p = s2clr_probability_of_logit(logit, t);
            TEST_NEAR(log(p / (1 - p)) * t, logit, 1e-15 * exp(fabs(logit / t)) + 1e-12);
        }
    CU_ASSERT_TRUE(s2clr_probability_of_logit(0, 3) == 0.5);
    CU_ASSERT_TRUE(s2clr_probability_of_logit(-1e9, 1) == 0);
    CU_ASSERT_TRUE(s2clr_probability_of_logit(1e9, 1) == 1);
    CU_ASSERT_TRUE(isnan(s2clr_probability_of_logit(NAN, 1)));
}

/* Against the series 1 - H(1/2 + d) = sum (2d)^(2n) / (2n (2n - 1) ln 2). */
static void entropy_is_its_series(void)
{
    for (double d = 0; d < 0.45; d += 0.01) {
        double deficit = 0;
        for (int n = 1; n < 400; n++)
            deficit += pow(2 * d, 2 * n) / (2.0 * n * (2 * n - 1) * log(2));
        TEST_NEAR(s2clr_probability_entropy(0.5 + d), 1 - deficit, 1e-12);
        TEST_NEAR(s2clr_probability_entropy(0.5 - d), 1 - deficit, 1e-12);
    }
    CU_ASSERT_TRUE(isnan(s2clr_probability_entropy(NAN)));
}

/* ---- arguments ---- */

typedef struct refusal {
    const char *name, *arguments;
    int sources;
    const char *says[2];
} refusal;

static const refusal refusals[] = {
    {"evi2", "", 1, {"the number of sources is 1, wanted 2", "B08,B04"}},
    {"evi2", "", 3, {"wanted 2", "B08,B04"}},
    {"evi2", "", 0, {"wanted 2", "B08,B04"}},
    {"combine", "", 65, {"the number of sources is 65, wanted 1 to 64", ""}},
    {"evi2", "skale=1", 2, {"no argument \"skale\", did you mean scale?", "offset, nodata, fill"}},
    {"evi2", "=1", 2, {"no argument \"\"", "scale"}},
    {"evi2", "scale", 2, {"argument scale has no value", "name=value"}},
    {"evi2", "scale=", 2, {"argument scale is \"\", wanted a number", ""}},
    {"evi2", "scale=1,5", 2, {"argument scale is \"1,5\", wanted a number", ""}},
    {"evi2", "scale=0x10", 2, {"argument scale is \"0x10\"", ""}},
    {"evi2", "scale=inf", 2, {"argument scale is \"inf\"", ""}},
    {"evi2", "scale=1e999", 2, {"argument scale is \"1e999\"", ""}},
    {"evi2", "scale=none", 2, {"argument scale is \"none\"", ""}},
    {"evi2", "nodata=nothing", 2, {"argument nodata is \"nothing\"", "or none"}},
    {"savi", "L=-1", 2, {"argument L is \"-1\"", "a number from 0 on"}},
    {"calibrate", "temperature=0", 1, {"temperature is \"0\"", "a number above 0"}},
    {"calibrate", "prevalence=1", 1, {"prevalence is \"1\"", "above 0 and below 1, or none"}},
    {"calibrate", "trained=0", 1, {"trained is \"0\"", "a number above 0 and below 1"}},
    {"reflectance", "low=0.5;high=0.25", 1, {"low is 0.5 and high is 0.25", "not be above"}},
    {"evi2", "scale=1;SCALE=2", 2, {"argument scale is given twice", ""}},
    {"mask", "classes=4,", 2, {"classes is \"4,\"", "numbers from 0 to 255 with commas"}},
    {"mask", "classes=256", 2, {"classes is \"256\"", ""}},
    {"mask", "classes=-1", 2, {"classes is \"-1\"", ""}},
    {"mask", "classes=99999999999999999999", 2, {"classes is", ""}},
    {"combine", "op=min", 2, {"op is \"min\"", "one of mean,max,agreement"}},
    {"combine", "op=", 2, {"op is \"\"", "one of mean,max,agreement"}},
    {"combine", "op=mean,max", 2, {"op is \"mean,max\"", "one of"}},
    {"pixel", "level=L2A", 3, {"argument model must be given", "architecture pixel"}},
    {"pixel", "model=", 3, {"argument model is \"\"", "a text"}},
};

static void wrong_arguments_are_refused(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const refusal *r = &refusals[i];
        arguments given;
        s2clr_pointwise_call call = {.sources = -5};
        s2clr_error_clear();
        CU_ASSERT_EQUAL(
            s2clr_pointwise_bind(find(r->name), split(r->arguments, &given), r->sources, &call),
            S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(r->says[0]);
        TEST_ERROR_SAYS(r->says[1]);
        CU_ASSERT_EQUAL(call.sources, -5); /* outputs are written on success only */
    }
    s2clr_pointwise_call call;
    char wide[5000];
    memset(wide, 'x', sizeof wide);
    wide[sizeof wide - 1] = '\0';
    const char *const hostile[] = {wide, NULL};
    CU_ASSERT_EQUAL(s2clr_pointwise_bind(find("evi2"), hostile, 2, &call), S2CLR_ERR_ARGUMENT);
}

/* ---- the table and its page ---- */

static void rows_are_complete(void)
{
    for (int id = 0; id < S2CLR_POINTWISE_COUNT; id++) {
        const s2clr_pointwise *row = s2clr_pointwise_row((s2clr_pointwise_id)id);
        CU_ASSERT_TRUE(row->name && strncmp(row->name, "s2clr_", 6) == 0 && row->run);
        CU_ASSERT_TRUE(row->summary && row->summary[0] && row->sources && row->sources[0]);
        CU_ASSERT_TRUE(row->least >= 1 && (row->most == 0 || row->most >= row->least));
        CU_ASSERT_PTR_NULL(row->arg[S2CLR_POINTWISE_ARGS_MAX - 1].name);
        for (const s2clr_pointwise_arg *arg = row->arg; arg->name; arg++)
            CU_ASSERT_TRUE(arg->help && arg->help[0]);
        for (int other = 0; other < id; other++)
            CU_ASSERT_STRING_NOT_EQUAL(row->name,
                                       s2clr_pointwise_row((s2clr_pointwise_id)other)->name);
    }
}

static char *read_page(void)
{
    FILE *file = fopen(test_source("../man/s2clr-pixel-functions.7"), "r");
    char *text = calloc(1, 1 << 17);
    CU_ASSERT_PTR_NOT_NULL(file);
    if (file && text) CU_ASSERT_TRUE(fread(text, 1, (1 << 17) - 1, file) > 0);
    if (file) fclose(file);
    return text;
}

/* The page has a heading per row and one item per argument below it. */
static void the_page_names_all(void)
{
    char *page = read_page();
    for (int id = 0; page && id < S2CLR_POINTWISE_COUNT; id++) {
        const s2clr_pointwise *row = s2clr_pointwise_row((s2clr_pointwise_id)id);
        char wanted[100];
        snprintf(wanted, sizeof wanted, "\n.Ss %s\n", row->name);
        const char *section = strstr(page, wanted);
        CU_ASSERT_PTR_NOT_NULL(section);
        if (!section) continue;
        const char *next = strstr(section + 1, "\n.S");
        for (const s2clr_pointwise_arg *arg = row->arg; arg->name; arg++) {
            snprintf(wanted, sizeof wanted, "\n.It Ql %s\n", arg->name);
            const char *item = strstr(section, wanted);
            if (item && (!next || item < next)) continue;
            printf("    %s: argument %s is not in the page\n", row->name, arg->name);
            CU_FAIL("missing in the page");
        }
    }
    for (const s2clr_pointwise_arg *arg = s2clr_pointwise_common(); page && arg->name; arg++) {
        char wanted[100];
        snprintf(wanted, sizeof wanted, "\n.It Ql %s\n", arg->name);
        CU_ASSERT_PTR_NOT_NULL(strstr(page, wanted));
    }
    free(page);
}

static const test_case cases[] = {
    {"values_are_those_of_the_formulas", values_are_those_of_the_formulas},
    {"one_source_without_data_is_no_data", one_source_without_data_is_no_data},
    {"pixels_do_not_know_of_each_other", pixels_do_not_know_of_each_other},
    {"shift_is_bayes_rule", shift_is_bayes_rule},
    {"temperature_divides_the_logit", temperature_divides_the_logit},
    {"entropy_is_its_series", entropy_is_its_series},
    {"wrong_arguments_are_refused", wrong_arguments_are_refused},
    {"rows_are_complete", rows_are_complete},
    {"the_page_names_all", the_page_names_all},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("pointwise", cases, argc, argv);
}
