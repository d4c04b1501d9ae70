/*
 * What networks of several branches are made of, on every backend that loads here against the
 * portable one: rectangular windows, padding that differs by side, depthwise and other groups,
 * means of windows, concatenation. Channel counts that do and do not fill blocks of 8 and 16.
 */
#include "harness.h"

#include "op_compare.h"

enum { DEPTHWISE = -1 };

typedef struct row {
    s2clr_shape x;
    int channels;
    s2clr_window window;
    int groups;
} row;

static void check(s2clr_op_kind kind, const row *r, bool bias, bool relu, bool training,
                  bool count_pad)
{
    s2clr_op_desc d = {.kind = kind,
                       .x = r->x,
                       .window = r->window,
                       .groups = r->groups == DEPTHWISE ? r->x.c : r->groups,
                       .bias = bias,
                       .relu = relu,
                       .training = training,
                       .count_pad = count_pad};
    TEST_OK(op_complete(&d, r->channels));
    op_check_everywhere(&d);
}

static void rectangular_convolutions(void)
{
    static const row rows[] = {
        {{2, 64, 9, 11}, 48, {1, 7, 1, 0, 3, 0, 3}, 1},
        {{2, 48, 12, 7}, 64, {7, 1, 1, 3, 0, 3, 0}, 1},
        {{3, 17, 5, 8}, 33, {1, 7, 1, 0, 3, 0, 3}, 1},
        {{1, 33, 8, 6}, 17, {7, 1, 1, 3, 0, 3, 0}, 1},
        {{2, 40, 6, 6}, 35, {1, 3, 1, 0, 1, 0, 1}, 1},
        {{2, 35, 6, 6}, 40, {3, 1, 1, 1, 0, 1, 0}, 1},
        {{2, 48, 13, 12}, 64, {5, 5, 1, 2, 2, 2, 2}, 1},
        {{1, 12, 9, 10}, 20, {5, 3, 2, 2, 1, 1, 0}, 1},
        {{3, 3, 11, 9}, 24, {1, 7, 1, 0, 3, 0, 3}, 1},
        {{1, 16, 7, 7}, 3, {3, 1, 1, 1, 0, 1, 0}, 1},
        /* what Keras calls "same" with stride 2: one row and column more at the end */
        {{2, 32, 12, 12}, 32, {3, 3, 2, 0, 0, 1, 1}, 1},
        {{2, 10, 16, 15}, 32, {7, 7, 2, 2, 3, 3, 3}, 1},
        /* Winograd's window in all but the padding */
        {{2, 64, 10, 10}, 64, {3, 3, 1, 0, 1, 2, 1}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(S2CLR_OP_CONV, &rows[i], true, true, false, false);
        check(S2CLR_OP_CONV, &rows[i], i % 2, false, true, false);
    }
}

static void groups(void)
{
    static const row rows[] = {
        {{2, 64, 14, 13}, 64, {3, 3, 1, 1, 1, 1, 1}, DEPTHWISE},
        {{3, 20, 9, 9}, 20, {3, 3, 1, 1, 1, 1, 1}, DEPTHWISE},
        {{1, 17, 8, 7}, 17, {3, 3, 2, 1, 1, 1, 1}, DEPTHWISE},
        {{2, 728, 4, 4}, 728, {3, 3, 1, 1, 1, 1, 1}, DEPTHWISE},
        {{2, 24, 10, 11}, 24, {3, 3, 2, 0, 0, 1, 1}, DEPTHWISE},
        {{1, 32, 9, 8}, 32, {5, 5, 1, 2, 2, 2, 2}, DEPTHWISE},
        {{2, 3, 9, 9}, 3, {3, 3, 1, 1, 1, 1, 1}, DEPTHWISE},
        {{2, 16, 6, 6}, 16, {1, 1, 1, 0, 0, 0, 0}, DEPTHWISE},
        {{2, 12, 7, 9}, 20, {3, 3, 1, 1, 1, 1, 1}, 2},
        {{1, 32, 8, 8}, 64, {3, 3, 2, 1, 1, 1, 1}, 4},
        {{2, 10, 5, 6}, 30, {3, 1, 1, 1, 0, 1, 0}, DEPTHWISE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(S2CLR_OP_CONV, &rows[i], true, true, false, false);
        check(S2CLR_OP_CONV, &rows[i], i % 2, false, true, false);
    }
}

static void pools(void)
{
    static const s2clr_shape shapes[] = {
        {1, 1, 7, 6}, {3, 3, 9, 9}, {2, 20, 8, 5}, {2, 64, 12, 11}};
    static const s2clr_window windows[] = {
        {3, 3, 1, 1, 1, 1, 1}, {3, 3, 2, 0, 0, 1, 1}, {2, 2, 2, 0, 0, 0, 0}, {1, 3, 1, 0, 1, 0, 0},
        {5, 2, 3, 2, 0, 1, 1}, {1, 1, 2, 0, 0, 0, 0}, {5, 5, 3, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (size_t j = 0; j < sizeof windows / sizeof windows[0]; j++) {
            const row r = {shapes[i], 0, windows[j], 0};
            for (int training = 0; training < 2; training++) {
                check(S2CLR_OP_MAXPOOL, &r, false, false, training, false);
                check(S2CLR_OP_AVGPOOL, &r, false, false, training, false);
                check(S2CLR_OP_AVGPOOL, &r, false, false, training, true);
            }
        }
}

/* A window of one pixel whose padding counts: a frame of zeros around the map. */
static void frames(void)
{
    static const row rows[] = {{{2, 20, 5, 6}, 0, {1, 1, 1, 1, 1, 1, 1}, 0},
                               {{1, 3, 4, 4}, 0, {2, 2, 1, 2, 0, 2, 1}, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int training = 0; training < 2; training++)
            check(S2CLR_OP_AVGPOOL, &rows[i], false, false, training, true);
}

static void concatenation(void)
{
    static const int parts[][2] = {{1, 1},  {3, 3},  {3, 13}, {13, 3}, {8, 16}, {64, 32},
                                   {17, 5}, {5, 24}, {20, 3}, {2, 1},  {1, 2},  {48, 9}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (int training = 0; training < 2; training++) {
            s2clr_op_desc d = {.kind = S2CLR_OP_CONCAT,
                               .x = {2, parts[i][0], 5, 4},
                               .residual = true,
                               .training = training};
            TEST_OK(op_complete(&d, parts[i][0] + parts[i][1]));
            op_check_everywhere(&d);
        }
}

static const test_case cases[] = {
    {"rectangular_convolutions", rectangular_convolutions},
    {"groups", groups},
    {"pools", pools},
    {"frames", frames},
    {"concatenation", concatenation},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("branch_ops", cases, argc, argv);
}
