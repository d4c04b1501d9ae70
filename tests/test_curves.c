/* The curves of a run: what the log has is in the picture, with gaps where it has nothing. */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "report/curves.h"

static char log_path[4200], picture[4200];

static void put_log(const char *text)
{
    snprintf(log_path, sizeof log_path, "%s/log.jsonl", test_folder());
    snprintf(picture, sizeof picture, "%s/curves.svg", test_folder());
    remove(picture);
    FILE *file = fopen(log_path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

/* Three values and a gap: two strokes, of which the first starts at the left and at the top. */
static void draws_values_and_gaps(void)
{
    put_log("{\"epoch\":1,\"loss\":4.0,\"knn_auc\":0.5}\n{\"epoch\":2,\"loss\":2}\n"
            "{\"epoch\":3,\"loss\":null}\n{\"epoch\":4,\"loss\":1.0}\n");
    TEST_OK(s2clr_curves_write(log_path, picture, "s2clr pretrain"));
    const char *text = test_text(picture);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<title id=\"t\">s2clr pretrain</title>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">loss</text>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">area under ROC of the nearest neighbours</text>"));
    CU_ASSERT_PTR_NULL(strstr(text, "validation"));
    CU_ASSERT_PTR_NULL(strstr(text, "nan"));
    const char *path = strstr(text, "<path class=\"curve\" d=\"M");
    CU_ASSERT_PTR_NOT_NULL_FATAL(path);
    double x[3] = {0}, y[3] = {0};
    CU_ASSERT_EQUAL(sscanf(path, "<path class=\"curve\" d=\"M%lf %lfL%lf %lfM%lf %lf\"/>", &x[0],
                           &y[0], &x[1], &y[1], &x[2], &y[2]),
                    6);
    /* Equal steps across; heights in proportion to the values. */
    TEST_NEAR(x[2] - x[1], 2 * (x[1] - x[0]), 0.2);
    TEST_NEAR((y[1] - y[0]) / (y[2] - y[0]), (4.0 - 2) / (4 - 1), 0.01);
    CU_ASSERT(y[0] < y[1] && y[1] < y[2]);
}

static void marks_the_best_epoch(void)
{
    put_log("{\"loss\":1,\"val\":{\"auc\":0.9,\"f1\":null},\"best_epoch\":1}\n"
            "{\"loss\":1,\"val\":{\"auc\":0.8,\"f1\":null},\"best_epoch\":1}\n");
    TEST_OK(s2clr_curves_write(log_path, picture, "a <title>"));
    CU_ASSERT_EQUAL(test_occurrences(test_text(picture), "class=\"best\""), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(test_text(picture), "marks epoch 1, the best"));
    CU_ASSERT_PTR_NOT_NULL(strstr(test_text(picture), "a &lt;title&gt;"));
    CU_ASSERT_EQUAL(test_occurrences(test_text(picture), "<path"), 2);
}

/* The line that is being written is not there yet. */
static void leaves_an_unfinished_line(void)
{
    put_log("{\"loss\":1}\n{\"loss\":2}\n{\"lo");
    TEST_OK(s2clr_curves_write(log_path, picture, "x"));
    CU_ASSERT_PTR_NOT_NULL(strstr(test_text(picture), "x: 2 epochs"));
}

static void makes_nothing_of_nothing(void)
{
    struct stat found;
    put_log("");
    TEST_OK(s2clr_curves_write(log_path, picture, "x"));
    CU_ASSERT_NOT_EQUAL(stat(picture, &found), 0);
    put_log("{\"loss\":1}\nno JSON\n");
    CU_ASSERT_EQUAL(s2clr_curves_write(log_path, picture, "x"), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("line 2 is no JSON object");
    CU_ASSERT_NOT_EQUAL(stat(picture, &found), 0);
    CU_ASSERT_EQUAL(s2clr_curves_write("/nowhere/log.jsonl", picture, "x"), S2CLR_ERR_IO);
}

static const test_case cases[] = {
    {"draws values and gaps", draws_values_and_gaps},
    {"marks the best epoch", marks_the_best_epoch},
    {"leaves an unfinished line", leaves_an_unfinished_line},
    {"makes nothing of nothing", makes_nothing_of_nothing},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("curves", cases, argc, argv);
}
