/* The line of a progress bar: never wider than the terminal, sane at the start, at the end and
 * after a run was taken up again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands/terminal.h"
#include "harness.h"

static const char *bar(double begin, double fraction, double seconds, const char *message,
                       int columns)
{
    static char line[512];
    const int length = s2clr_bar_line("dataset import", begin, fraction, seconds, message, columns,
                                      line, sizeof line);
    CU_ASSERT_EQUAL(length, (int)strlen(line));
    CU_ASSERT(length <= (columns > 0 ? columns : 0));
    return line;
}

static void never_too_wide(void)
{
    static const double fractions[] = {0, 0.001, 0.004, 0.5, 0.99999, 1, 2, -1, NAN, INFINITY};
    for (int columns = 0; columns < 300; columns++)
        for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
            bar(0, fractions[i], 1e9, "a message that is longer than any window is wide, and more",
                columns);
            bar(0, fractions[i], 0, NULL, columns);
        }
}

static void wide_shows_all(void)
{
    const char *line = bar(0, 0.25, 30, "reading", 100);
    CU_ASSERT_STRING_EQUAL(
        line,
        "dataset import [#######.......................]  25.0 %  0.8 %/s  1:30 left  reading");
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0, 0.25, 3 * 3600, NULL, 80), "9:00:00 left"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0, 0.25, 3 * 3600, NULL, 80), "8.3 %/h"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0, 0.25, 1200, NULL, 80), "1.2 %/min"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0, 0.01, 1e9, NULL, 80), "> 99 h left"));
}

/* What is least needed goes first. */
static void narrow_keeps_what_matters(void)
{
    const char *line = bar(0, 0.25, 30, "reading", 40);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "25.0 %"));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "1:30 left"));
    CU_ASSERT_PTR_NULL(strstr(line, "reading"));
    CU_ASSERT_STRING_EQUAL(bar(0, 0.25, 30, "reading", 20), " 25.0 %  1:30 left");
    CU_ASSERT_STRING_EQUAL(bar(0, 0.25, 30, "reading", 10), " 25.0 %");
    CU_ASSERT_STRING_EQUAL(bar(0, 0.25, 30, "reading", 3), "");
}

static void start_and_end(void)
{
    CU_ASSERT_PTR_NULL(strstr(bar(0, 0, 0, NULL, 80), "left"));
    CU_ASSERT_PTR_NULL(strstr(bar(0, 0.5, 0.1, NULL, 80), "left")); /* too soon to tell */
    CU_ASSERT_PTR_NULL(strstr(bar(0, 0.0001, 20, NULL, 80), "left"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0, 1, 20, NULL, 80), "100.0 %"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0, 1, 20, NULL, 80), "0:00 left"));
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0, NAN, 20, NULL, 80), "  0.0 %"));
}

/* What an earlier run did was not done in these ten seconds. */
static void resumed(void)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(bar(0.8, 0.9, 10, NULL, 80), "0:10 left"));
    CU_ASSERT_PTR_NULL(strstr(bar(0.8, 0.8, 10, NULL, 80), "left"));
}

/* A letter of several bytes is shown whole or not at all. */
static void letters_stay_whole(void)
{
    for (int columns = 30; columns < 120; columns++) {
        const char *line = bar(0, 0.5, 10, "ééééééééééééééééééééé", columns);
        const size_t length = strlen(line);
        const char *first = strstr(line, "\xc3");
        if (first) CU_ASSERT_EQUAL((length - (size_t)(first - line)) % 2, 0);
    }
}

static const test_case cases[] = {
    {"never wider than the terminal", never_too_wide},
    {"a wide terminal shows all", wide_shows_all},
    {"a narrow one keeps what matters", narrow_keeps_what_matters},
    {"start and end", start_and_end},
    {"a run taken up again", resumed},
    {"letters stay whole", letters_stay_whole},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("progress_bar", cases, argc, argv);
}
