/* The numbers and the page of an evaluation, against closed forms, and what has no number. */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "harness.h"
#include "report/evaluation.h"
#include "report/evaluation_marked.h"

enum { COUNT = 200 };

static int labels[COUNT];

/* 80 positives, 60 of them at 0.9, the others at 0.2; 120 negatives, 12 of them at 0.8, the others
 * at 0.1: at the threshold 0.5 a recall of 3/4 and a false positive rate of 1/10. */
static void fill(double *p)
{
    for (int i = 0; i < COUNT; i++) {
        labels[i] = i < 80;
        p[i] = i < 60 ? 0.9 : i < 80 ? 0.2 : i < 92 ? 0.8 : 0.1;
    }
}

static s2clr_evaluation *make(double trained)
{
    s2clr_evaluation *e;
    s2clr_evaluation_row *row;
    TEST_OK(s2clr_alloc(1, sizeof *e, "evaluation", (void **)&e));
    e->dataset = "points.csv";
    e->part = "test";
    e->positive = "crop <irrigated>";
    e->perturb.gain = 1;
    e->count = COUNT;
    e->label = labels;
    e->group_by = "country";
    e->shares = 2;
    e->share[0] = 0.5;
    e->share[1] = 0.023;
    TEST_OK(s2clr_evaluation_add(e, "one", S2CLR_ROW_MODEL, &row));
    TEST_OK(s2clr_alloc(COUNT, sizeof *row->p, "p", (void **)&row->p));
    row->threshold = 0.5;
    row->trained = trained;
    fill(row->p);
    return e;
}

static void end(s2clr_evaluation *e)
{
    s2clr_evaluation_free(e);
    s2clr_free(e);
}

static void precision_at_other_shares(void)
{
    s2clr_evaluation *e = make(0.4);
    TEST_OK(s2clr_evaluation_compute(e, 100, 1, NULL));
    const s2clr_evaluation_row *row = &e->row[0];
    CU_ASSERT_EQUAL(row->metrics.tp, 60);
    CU_ASSERT_EQUAL(row->metrics.fp, 12);
    TEST_NEAR(row->at[0].share, 0.4, 1e-12);
    TEST_NEAR(row->at[0].same.value[S2CLR_METRIC_PRECISION], 60.0 / 72, 1e-9);
    for (int s = 1; s <= 2; s++) { /* Bayes' rule on recall and false positive rate */
        const double q = e->share[s - 1];
        const double wanted = 0.75 * q / (0.75 * q + 0.1 * (1 - q));
        const s2clr_evaluation_at *at = &row->at[s];
        TEST_NEAR(at->same.value[S2CLR_METRIC_PRECISION], wanted, 1e-9);
        TEST_NEAR(at->same.value[S2CLR_METRIC_RECALL], 0.75, 1e-9);
        CU_ASSERT_TRUE(at->same.low[S2CLR_METRIC_PRECISION] < wanted);
        CU_ASSERT_TRUE(at->same.high[S2CLR_METRIC_PRECISION] > wanted);
        CU_ASSERT_EQUAL(at->same.tp, 60);
        CU_ASSERT_TRUE(at->moved);
    }
    /* From 40 % to 2.3 % the odds are divided by 28.3: 0.9 becomes 0.241 and 0.8 0.124. */
    CU_ASSERT_EQUAL(row->at[2].cut.tp, 0);
    CU_ASSERT_TRUE(isnan(row->at[2].cut.value[S2CLR_METRIC_PRECISION]));
    TEST_NEAR(row->at[1].cut.value[S2CLR_METRIC_RECALL], 0.75, 1e-9);
    end(e);
}

/* Not knowing what its probabilities hold for, one can only weigh its decisions. */
static void unknown_training_share(void)
{
    s2clr_evaluation *e = make(0);
    TEST_OK(s2clr_evaluation_compute(e, 0, 1, NULL));
    const s2clr_evaluation_at *at = &e->row[0].at[2];
    CU_ASSERT_FALSE(at->moved);
    TEST_NEAR(at->same.value[S2CLR_METRIC_PRECISION], 0.75 * 0.023 / (0.75 * 0.023 + 0.0977), 1e-9);
    json_t *json = s2clr_evaluation_json(e),
           *row = json_array_get(json_object_get(json, "rows"), 0);
    json_t *one = json_array_get(json_object_get(row, "at_prevalence"), 2);
    CU_ASSERT_TRUE(json_is_object(json_object_get(one, "same_decisions")));
    CU_ASSERT_PTR_NULL(json_object_get(one, "same_threshold"));
    CU_ASSERT_TRUE(json_is_null(json_object_get(row, "training_prevalence")));
    json_decref(json);
    end(e);
}

static void groups_of_one_and_of_none(void)
{
    s2clr_evaluation *e = make(0.4);
    for (size_t i = 0; i < COUNT; i++)
        TEST_OK(s2clr_evaluation_group(e, i, i == 3 ? "ZW" : i < 70 ? "ES" : i < 150 ? "MA" : ""));
    TEST_OK(s2clr_evaluation_compute(e, 0, 1, NULL));
    CU_ASSERT_EQUAL(e->groups, 4);
    const s2clr_group_metrics *g = e->row[0].group;
    const char *const wanted[] = {"ES", "MA", "ZW", "unknown"};
    for (int i = 0; i < 4; i++) CU_ASSERT_STRING_EQUAL(e->group[i].name, wanted[i]);
    CU_ASSERT_EQUAL(g[0].n, 69);
    TEST_NEAR(g[0].recall.value, 59.0 / 69, 1e-12);
    CU_ASSERT_TRUE(isnan(g[0].specificity.value));
    CU_ASSERT_EQUAL(g[2].n, 1);
    TEST_NEAR(g[2].recall.value, 1, 0);
    CU_ASSERT_TRUE(g[2].recall.low < 0.25); /* one of one says little */
    CU_ASSERT_EQUAL(g[3].positives, 0);
    CU_ASSERT_TRUE(isnan(g[3].recall.value) && g[3].reason[0]);
    json_t *json = s2clr_evaluation_json(e);
    json_t *list = json_object_get(json_object_get(json, "groups"), "list");
    json_t *rows = json_object_get(json_array_get(list, 3), "rows");
    json_t *recall = json_object_get(json_array_get(rows, 0), "recall");
    CU_ASSERT_TRUE(json_is_null(json_object_get(recall, "value")));
    json_decref(json);
    end(e);
}

static void one_label_only(void)
{
    s2clr_evaluation *e = make(0.4);
    memset(labels, 0, sizeof labels);
    TEST_OK(s2clr_evaluation_compute(e, 20, 1, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(e->one_label, "all 200 samples are negative"));
    CU_ASSERT_TRUE(isnan(e->row[0].metrics.value[S2CLR_METRIC_AUC]));
    CU_ASSERT_EQUAL(e->row[0].roc.count, 0);
    json_t *json = s2clr_evaluation_json(e),
           *row = json_array_get(json_object_get(json, "rows"), 0);
    json_t *auc = json_object_get(json_object_get(row, "metrics"), "auc");
    CU_ASSERT_TRUE(json_is_null(json_object_get(auc, "value")));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(row, "at_prevalence")), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(json_string_value(json_object_get(json, "missing")), "negative"));
    json_decref(json);
    end(e);
}

static void equal_scores_and_no_scores(void)
{
    s2clr_evaluation *e = make(0.4);
    for (int i = 0; i < COUNT; i++) e->row[0].p[i] = 0.3;
    TEST_OK(s2clr_evaluation_compute(e, 0, 1, NULL));
    TEST_NEAR(e->row[0].metrics.value[S2CLR_METRIC_AUC], 0.5, 1e-12);
    CU_ASSERT_TRUE(isnan(e->row[0].metrics.value[S2CLR_METRIC_PRECISION])); /* none is called */
    end(e);
    e = make(0.4);
    e->row[0].p[17] = NAN;
    CU_ASSERT_EQUAL(s2clr_evaluation_compute(e, 0, 1, NULL), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("sample 17");
    e->count = 0;
    CU_ASSERT_EQUAL(s2clr_evaluation_compute(e, 0, 1, NULL), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no sample is left");
    end(e);
}

/* ---- K classes ---- */

static void confusion_of_classes(void)
{
    static const char *const names[] = {"a", "b", "c"};
    static const int truth[6] = {0, 0, 1, 1, 2, 2}, said[6] = {0, 1, 1, 1, 2, 0};
    s2clr_evaluation *e = make(0);
    s2clr_evaluation_free(e);
    s2clr_evaluation_row *row;
    TEST_OK(s2clr_evaluation_add(e, "k", S2CLR_ROW_BASELINE, &row));
    TEST_OK(s2clr_alloc(18, sizeof *row->p, "p", (void **)&row->p));
    for (int i = 0; i < 18; i++) row->p[i] = i % 3 == said[i / 3] ? 0.8 : 0.1;
    e->classes = 3;
    e->class_name = names;
    e->label = truth;
    e->count = 6;
    TEST_OK(s2clr_evaluation_compute(e, 0, 1, NULL));
    TEST_NEAR(row->classes->accuracy, 4.0 / 6, 1e-12);
    TEST_NEAR(row->classes->macro_f1, (0.5 + 0.8 + 2.0 / 3) / 3, 1e-12);
    json_t *json = s2clr_evaluation_json(e);
    json_t *metrics = json_object_get(json_array_get(json_object_get(json, "rows"), 0), "metrics");
    json_t *first = json_array_get(json_object_get(metrics, "confusion"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_array_get(first, 0)), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_array_get(first, 1)), 1);
    json_decref(json);
    end(e);
}

/* ---- the page ---- */

static void page_is_whole(void)
{
    char path[512];
    s2clr_evaluation *e = make(0.4);
    for (size_t i = 0; i < COUNT; i++)
        TEST_OK(s2clr_evaluation_group(e, i, i % 2 ? "<b>A</b>" : "B"));
    s2clr_evaluation_leave_out(e, "off the map", "row 4");
    s2clr_evaluation_leave_out(e, "off the map", "row 9");
    TEST_OK(s2clr_evaluation_group(e, 0, "M\xE1laga")); /* Latin-1: no UTF-8 */
    TEST_OK(s2clr_evaluation_compute(e, 50, 1, NULL));
    snprintf(path, sizeof path, "%s/page.html", test_folder());
    TEST_OK(s2clr_evaluation_html(e, path));
    json_t *json = s2clr_evaluation_json(e);
    json_t *list = json_object_get(json_object_get(json, "groups"), "list");
    CU_ASSERT_EQUAL(json_array_size(list), 3);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(list, 2), "name")),
                           "M\\xe1laga");
    json_decref(json);
    const char *page = test_text(path);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "crop &lt;irrigated&gt;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "&lt;b&gt;A"));
    CU_ASSERT_PTR_NULL(strstr(page, "<b>A"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "2 off the map (row 4, row 9)"));
    CU_ASSERT_PTR_NULL(strstr(page, ">nan"));
    CU_ASSERT_PTR_NULL(strstr(page, "NaN"));
    CU_ASSERT_PTR_NULL(strstr(page, "http:")); /* nothing from elsewhere */
    CU_ASSERT_PTR_NULL(strstr(page, "https:"));
    CU_ASSERT_PTR_NULL(strstr(page, "<script"));
    int curves = 0;
    for (const char *at = page; (at = strstr(at, "<svg")); at++) curves++;
    CU_ASSERT_EQUAL(curves, 5); /* ROC, precision-recall, two of reliability, groups */
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "0.8333")); /* precision */
    end(e);
}

static void same_names_are_told_apart(void)
{
    s2clr_evaluation *e = make(0.4);
    s2clr_evaluation_row *row;
    TEST_OK(s2clr_evaluation_add(e, "one", S2CLR_ROW_MODEL, &row));
    CU_ASSERT_STRING_EQUAL(row->name, "one (2)");
    TEST_OK(s2clr_evaluation_add(e, "one", S2CLR_ROW_MODEL, &row));
    CU_ASSERT_STRING_EQUAL(row->name, "one (3)");
    end(e);
}

/* ---- marks ---- */

static const char *write_marks(const char *text)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/marks.csv", test_folder());
    FILE *to = fopen(path, "w");
    fputs(text, to);
    fclose(to);
    return path;
}

#define HEAD "rank,name,probability,longitude,latitude,mark,model,positive\n"

static void marks_are_counted(void)
{
    s2clr_marked m;
    const char *path = write_marks(HEAD "1,\"a, b\",0.99,1,2,right,m,crop\n"
                                        "2,c,0.98,,,wrong,m,crop\n3,d,0.97,,,right,m,crop\n"
                                        "4,e,0.96,,,unsure,m,crop\n5,f,0.95,,,,m,crop\n");
    CU_ASSERT_TRUE(s2clr_marked_identify(path));
    TEST_OK(s2clr_marked_read(path, &m));
    CU_ASSERT_EQUAL(m.rows, 5);
    CU_ASSERT_EQUAL(m.right, 2);
    CU_ASSERT_EQUAL(m.wrong, 1);
    CU_ASSERT_EQUAL(m.unsure, 1);
    CU_ASSERT_EQUAL(m.unmarked, 1);
    TEST_NEAR(m.precision.value, 2.0 / 3, 1e-12);
    /* Wilson (1927) for 2 of 3, z = 1.95996 */
    const double z = 1.959963984540054, q = 2.0 / 3, d = 1 + z * z / 3;
    const double half = z * sqrt(q * (1 - q) / 3 + z * z / 36) / d;
    TEST_NEAR(m.precision.low, (q + z * z / 6) / d - half, 1e-9);
    TEST_NEAR(m.precision.high, (q + z * z / 6) / d + half, 1e-9);
    TEST_NEAR(m.strict.value, 0.5, 1e-12);
    TEST_NEAR(m.kind.value, 0.75, 1e-12);
    TEST_NEAR(m.expected, (0.99 + 0.98 + 0.97) / 3, 1e-12);
    TEST_NEAR(m.lowest, 0.95, 1e-12);
    CU_ASSERT_STRING_EQUAL(m.model, "m");
}

static void marks_that_are_none(void)
{
    s2clr_marked m;
    TEST_OK(s2clr_marked_read(write_marks(HEAD "1,a,0.9,,,,m,crop\n"), &m));
    CU_ASSERT_TRUE(isnan(m.precision.value) && m.unmarked == 1);
    CU_ASSERT_EQUAL(s2clr_marked_read(write_marks(HEAD "1,a,0.9,,,yes,m,crop\n"), &m),
                    S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("\"yes\"");
    CU_ASSERT_EQUAL(s2clr_marked_read(write_marks(HEAD "1,a,1.9,,,right,m,crop\n"), &m),
                    S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("1.9");
    CU_ASSERT_EQUAL(
        s2clr_marked_read(write_marks(HEAD "1,a,0.9,,,right,m,x\n2,b,0.9,,,right,n,x\n"), &m),
        S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("row 2");
    CU_ASSERT_NOT_EQUAL(s2clr_marked_read(write_marks(HEAD), &m), S2CLR_OK);
    CU_ASSERT_FALSE(s2clr_marked_identify(write_marks("lat,lon,water\n1,2,2\n")));
    CU_ASSERT_FALSE(s2clr_marked_identify("/nowhere/at/all.csv"));
}

static const test_case cases[] = {
    {"precision at other shares", precision_at_other_shares},
    {"an unknown training share", unknown_training_share},
    {"groups of one and of none", groups_of_one_and_of_none},
    {"one label only", one_label_only},
    {"equal scores, no scores", equal_scores_and_no_scores},
    {"confusion of classes", confusion_of_classes},
    {"the page is whole", page_is_whole},
    {"same names are told apart", same_names_are_told_apart},
    {"marks are counted", marks_are_counted},
    {"marks that are none", marks_that_are_none},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("evaluation", cases, argc, argv);
}
