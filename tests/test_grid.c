/*
 * The output grid against its definition, counted out pixel by pixel.
 */
#include <stdbool.h>

#include "harness.h"
#include "patch/grid.h"

static void sizes(void)
{
    for (int width = 1; width <= 41; width++)
        for (int stride = 1; stride <= 45; stride++) {
            s2clr_grid grid;
            int cells = 0;
            while (cells * stride < width) cells++;
            TEST_OK(s2clr_grid_new(width, 7, 16, stride, 0, &grid));
            CU_ASSERT_EQUAL(grid.columns, cells);
            CU_ASSERT_EQUAL(grid.rows, (7 + stride - 1) / stride);
        }
}

static void starts(void)
{
    static const int cases[][4] = {
        /* stride, patch, i, start */
        {4, 64, 0, -30}, {4, 64, 1, -26}, {20, 120, 3, 10}, {60, 120, 0, -30}, {5, 10, 2, 7},
        {1, 9, 0, -4},   {7, 7, 0, 0},    {1, 1, 5, 5},     {10, 5, 1, 13},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s2clr_grid grid;
        TEST_OK(s2clr_grid_new(1000, 1000, cases[i][1], cases[i][0], 0, &grid));
        CU_ASSERT_EQUAL(s2clr_grid_start(&grid, cases[i][2]), cases[i][3]);
    }
}

static void far_away(void)
{
    s2clr_grid grid;
    TEST_OK(s2clr_grid_new(2000000000, 1, 120, 20, 4, &grid));
    CU_ASSERT_EQUAL(grid.columns, 100000000);
    CU_ASSERT_EQUAL(s2clr_grid_start(&grid, 1000000000), INT64_C(19999999950));
}

/* The centre of an output pixel is the centre of its stride x stride input square. */
static void transform(void)
{
    const double in[6] = {500000.5, 8.5, -3.25, 4100000, -3.5, -9.75};
    double out[6];
    s2clr_grid grid;
    TEST_OK(s2clr_grid_new(333, 222, 64, 12, 4, &grid));
    s2clr_grid_transform(&grid, in, out);
    for (int i = 0; i < grid.columns; i += 5) {
        const double x = 12 * i + 6, y = 12 * 3 + 6;
        TEST_NEAR(out[0] + out[1] * (i + 0.5) + out[2] * 3.5, in[0] + in[1] * x + in[2] * y, 1e-6);
        TEST_NEAR(out[3] + out[4] * (i + 0.5) + out[5] * 3.5, in[3] + in[4] * x + in[5] * y, 1e-6);
    }
}

static void window_along(int stride, int width, int from, int length)
{
    s2clr_grid grid;
    int first = -1, count = 0, window[4] = {-7, -7, -7, -7};
    TEST_OK(s2clr_grid_new(width, 10, 8, stride, 0, &grid));
    for (int i = 0; i * stride < width; i++) {
        bool meets = false;
        for (int x = i * stride; x < (i + 1) * stride; x++)
            meets = meets || (x >= from && x < from + length && x < width);
        if (meets && first < 0) first = i;
        count += meets;
    }
    const s2clr_status status = s2clr_grid_window(&grid, from, 0, length, 10, window);
    if (count == 0) {
        CU_ASSERT_EQUAL(status, S2CLR_ERR_ARGUMENT);
        CU_ASSERT_EQUAL(window[0], -7);
        return;
    }
    CU_ASSERT_EQUAL(status, S2CLR_OK);
    CU_ASSERT_EQUAL(window[0], first);
    CU_ASSERT_EQUAL(window[2], count);
    CU_ASSERT_EQUAL(window[1], 0);
    CU_ASSERT_EQUAL(window[3], grid.rows);
}

static void windows(void)
{
    for (int stride = 1; stride <= 9; stride += 2)
        for (int from = -12; from < 30; from++)
            for (int length = 1; length < 30; length += 4) window_along(stride, 23, from, length);
}

static void broken_windows(void)
{
    const double zero = 0;
    int window[4];
    s2clr_grid grid;
    TEST_OK(s2clr_grid_new(100, 100, 8, 4, 4, &grid));
    CU_ASSERT_EQUAL(s2clr_grid_window(&grid, 0, 0, 0, 5, window), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_grid_window(&grid, 0, 0, 5, -5, window), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_grid_window(&grid, zero / zero, 0, 5, 5, window), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_grid_window(&grid, 0, 0, 5, zero / zero, window), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("100 x 100");
    TEST_OK(s2clr_grid_window(&grid, -1e300, -1e300, 2e300, 2e300, window));
    CU_ASSERT_EQUAL(window[2], 25);
}

static void refusals(void)
{
    s2clr_grid grid;
    CU_ASSERT_EQUAL(s2clr_grid_new(10, 10, 8, 6, 4, &grid), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("multiple of 4");
    CU_ASSERT_EQUAL(s2clr_grid_new(10, 10, 8, 0, 0, &grid), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_grid_new(10, 0, 8, 1, 0, &grid), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_grid_new(10, 10, 0, 1, 0, &grid), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_grid_new(10, 10, 70000, 1, 0, &grid), S2CLR_ERR_ARGUMENT);
}

static const test_case cases[] = {
    {"sizes", sizes},         {"starts", starts},   {"far_away", far_away},
    {"transform", transform}, {"windows", windows}, {"broken_windows", broken_windows},
    {"refusals", refusals},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("grid", cases, argc, argv);
}
