/*
 * Arrays that live on the device, on every backend that keeps any: each function of
 * backend_training.h against the portable backend, which is the specification, or closed forms.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "resident_rig.h"

/* ---- arrays ---- */

static void check_copies(resident_place *p, resident_place *wanted)
{
    enum { COUNT = 1000003 };
    float *host = malloc(COUNT * sizeof *host), *back = malloc(COUNT * sizeof *back);
    (void)wanted;
    resident_random(1, COUNT, host);
    float *const a = resident_put_floats(p, host, COUNT), *const b =
                                                              resident_put_floats(p, NULL, COUNT);
    memset(back, 0, COUNT * sizeof *back); /* what was to be read has been read */
    TEST_OK(p->on->copy(p->stream, a, COUNT * sizeof *a, b));
    TEST_OK(p->on->zero(p->stream, (COUNT - 7) * sizeof *a, a + 3));
    resident_get(p, b, COUNT * sizeof *b, back);
    CU_ASSERT_EQUAL(memcmp(back, host, COUNT * sizeof *back), 0);
    resident_get(p, a, COUNT * sizeof *a, back);
    CU_ASSERT_EQUAL(memcmp(back, host, 3 * sizeof *back), 0);
    CU_ASSERT_EQUAL(memcmp(back + COUNT - 4, host + COUNT - 4, 4 * sizeof *back), 0);
    for (size_t i = 3; i < COUNT - 4; i++)
        if (back[i] != 0) {
            CU_FAIL("zero left something behind");
            break;
        }
    free(host), free(back);
}

static void copies(void)
{
    resident_everywhere(check_copies);
}

static void check_sums(resident_place *p, resident_place *wanted)
{
    enum { COUNT = 5003, ROWS = 5 };
    static float x[ROWS * COUNT], y[COUNT], got[COUNT], row[COUNT];
    (void)wanted;
    resident_random(2, ROWS * COUNT, x), resident_random(3, COUNT, y);
    float *const at = resident_put_floats(p, x, ROWS * COUNT), *const sum =
                                                                   resident_put_floats(p, y, COUNT);
    float *const mean = resident_put_floats(p, NULL, COUNT);
    TEST_OK(p->on->add(p->stream, COUNT, at, sum));
    TEST_OK(p->on->mean(p->stream, ROWS, COUNT, at, mean));
    resident_get(p, sum, sizeof got, got);
    for (size_t i = 0; i < COUNT; i++) row[i] = y[i] + x[i];
    CU_ASSERT_EQUAL(memcmp(got, row, sizeof got), 0);
    resident_get(p, mean, sizeof got, got);
    for (size_t i = 0; i < COUNT; i++) {
        double all = 0;
        for (size_t r = 0; r < ROWS; r++) all += (double)x[r * COUNT + i];
        row[i] = (float)(all / ROWS);
    }
    CU_ASSERT_EQUAL(memcmp(got, row, sizeof got), 0);
}

static void sums(void)
{
    resident_everywhere(check_sums);
}

/* ---- batch norm ---- */

enum { CHANNELS = 37 };

/* Of the last calls. */
typedef struct norm_numbers {
    float coefficient[5 * CHANNELS], mean[CHANNELS], variance[CHANNELS];
    float dgamma[CHANNELS], dbeta[CHANNELS], frozen[2 * CHANNELS];
    double moment[2 * CHANNELS];
} norm_numbers;

static const double norm_count = 96;

/* Sums of 96 made-up values of each channel: mean within 1, variance above 0; of one channel 0. */
static void norm_sums(double *forward, double *backward)
{
    for (int c = 0; c < CHANNELS; c++) {
        const double mean = (double)s2clr_random_uniform(5, 1, (uint64_t)c) * 2 - 1;
        const double variance = c == 3 ? 0 : 0.01 + (double)s2clr_random_uniform(5, 2, (uint64_t)c);
        forward[c] = mean * norm_count;
        forward[CHANNELS + c] = (variance + mean * mean) * norm_count;
        backward[c] = (double)s2clr_random_uniform(5, 3, (uint64_t)c) * 4 - 2;
        backward[CHANNELS + c] = (double)s2clr_random_uniform(5, 4, (uint64_t)c) * 4 - 2;
    }
}

static void run_norm(resident_place *p, bool moves, norm_numbers *out)
{
    double forward[2 * CHANNELS], backward[2 * CHANNELS];
    float gamma[CHANNELS], beta[CHANNELS], mean[CHANNELS], variance[CHANNELS];
    resident_random(10, CHANNELS, gamma), resident_random(11, CHANNELS, beta);
    resident_random(12, CHANNELS, mean), resident_random(13, CHANNELS, variance);
    for (int c = 0; c < CHANNELS; c++) variance[c] = variance[c] * variance[c] + 0.1f;
    norm_sums(forward, backward);
    float *const at_mean = resident_put_floats(p, mean, CHANNELS);
    float *const at_variance = resident_put_floats(p, variance, CHANNELS);
    float *const frozen = resident_put_floats(p, NULL, 5 * CHANNELS);
    s2clr_norm n = {.channels = CHANNELS,
                    .count = norm_count,
                    .epsilon = 1e-3f,
                    .sums = resident_put(p, forward, sizeof forward, 0),
                    .gamma = resident_put_floats(p, gamma, CHANNELS),
                    .beta = resident_put_floats(p, beta, CHANNELS),
                    .moment = resident_put(p, NULL, sizeof out->moment, 0),
                    .coefficient = resident_put_floats(p, NULL, 5 * CHANNELS),
                    .moved_mean = moves ? at_mean : NULL,
                    .moved_variance = moves ? at_variance : NULL,
                    .dgamma = resident_put_floats(p, NULL, CHANNELS),
                    .dbeta = resident_put_floats(p, NULL, CHANNELS)};
    TEST_OK(p->on->norm_forward(p->stream, &n));
    n.sums = resident_put(p, backward, sizeof backward, 0);
    TEST_OK(p->on->norm_backward(p->stream, &n));
    const s2clr_norm still = {.channels = CHANNELS,
                              .epsilon = 1e-3f,
                              .gamma = n.gamma,
                              .beta = n.beta,
                              .coefficient = frozen,
                              .running_mean = at_mean,
                              .running_variance = at_variance};
    TEST_OK(p->on->norm_frozen(p->stream, &still));
    resident_get(p, n.coefficient, sizeof out->coefficient, out->coefficient);
    resident_get(p, n.moment, sizeof out->moment, out->moment);
    resident_get(p, n.dgamma, sizeof out->dgamma, out->dgamma);
    resident_get(p, n.dbeta, sizeof out->dbeta, out->dbeta);
    resident_get(p, at_mean, sizeof out->mean, out->mean);
    resident_get(p, at_variance, sizeof out->variance, out->variance);
    resident_get(p, frozen, sizeof out->frozen, out->frozen);
    if (moves) return;
    CU_ASSERT_EQUAL(memcmp(out->mean, mean, sizeof mean), 0);
    CU_ASSERT_EQUAL(memcmp(out->variance, variance, sizeof variance), 0);
}

static void check_norm(resident_place *p, resident_place *wanted)
{
    for (int moves = 0; moves < 2; moves++) {
        static norm_numbers got, want;
        run_norm(p, moves, &got);
        run_norm(wanted, moves, &want);
        resident_near(p->be->name, "scale .. d", got.coefficient, want.coefficient, 5 * CHANNELS,
                      1e-6);
        resident_near(p->be->name, "dgamma", got.dgamma, want.dgamma, CHANNELS, 1e-6);
        resident_near(p->be->name, "dbeta", got.dbeta, want.dbeta, CHANNELS, 0);
        resident_near(p->be->name, "running mean", got.mean, want.mean, CHANNELS, 1e-6);
        resident_near(p->be->name, "running variance", got.variance, want.variance, CHANNELS, 1e-6);
        resident_near(p->be->name, "frozen scale and shift", got.frozen, want.frozen, 2 * CHANNELS,
                      1e-6);
        for (int i = 0; i < 2 * CHANNELS; i++)
            TEST_NEAR(got.moment[i], want.moment[i], 1e-12 * fabs(want.moment[i]));
    }
}

static void batch_norm(void)
{
    resident_everywhere(check_norm);
}

/* ---- updates ---- */

/* Three parameters with a gap between the first and the second. */
static s2clr_update made_up_update(s2clr_update_rule rule, bool adapted, size_t count,
                                   s2clr_update_range range[3])
{
    const size_t ends[][2] = {{0, 5}, {9, count - 1}, {count - 1, count}};
    for (size_t i = 0; i < 3; i++)
        range[i] = (s2clr_update_range){.begin = ends[i][0],
                                        .end = ends[i][1],
                                        .rate = 0.5 + (double)i,
                                        .adapted = adapted && i < 2,
                                        .beta1 = 0.9f,
                                        .rest1 = 0.1f,
                                        .beta2 = 0.99f,
                                        .rest2 = 0.01f,
                                        .size = 0.02f + (float)i,
                                        .root = 0.3f,
                                        .epsilon = 1e-8f,
                                        .decay = i == 1 ? 0.1f : 0,
                                        .shrink = i == 0 ? 0.99f : 1,
                                        .inside = 0.7f,
                                        .outside = i == 2 ? 0.1f : 1};
    return (s2clr_update){.rule = rule,
                          .count = count,
                          .range = range,
                          .ranges = 3,
                          .trust = 0.01,
                          .weight_decay = 0.1};
}

/* weights, then moments; two steps, the second from what the first left. */
static void run_update(resident_place *p, s2clr_update_rule rule, bool adapted, size_t count,
                       float *out)
{
    s2clr_update_range range[3];
    s2clr_update u = made_up_update(rule, adapted, count, range);
    const size_t moments = rule == S2CLR_UPDATE_ADAM ? 2 : 1;
    float *const start = malloc(3 * count * sizeof *start);
    float *gradient = malloc(count * sizeof *gradient);
    resident_random(20, 3 * count, start), resident_random(21, count, gradient);
    for (size_t i = 2 * count; i < 3 * count; i++) start[i] *= start[i]; /* v is never negative */
    u.gradient = resident_put_floats(p, gradient, count);
    u.params = resident_put_floats(p, start, count);
    u.moments = resident_put_floats(p, start + count, moments * count);
    void *const scratch = resident_put(p, NULL, p->on->update_bytes(&u), 0);
    for (int i = 0; i < 2; i++) {
        TEST_OK(p->on->update(p->stream, &u, scratch));
        memset(range, 0x7f, sizeof range); /* what was to be read has been read */
        made_up_update(rule, adapted, count, range);
    }
    resident_get(p, u.params, count * sizeof *out, out);
    resident_get(p, u.moments, moments * count * sizeof *out, out + count);
    free(start), free(gradient);
}

static void check_update(resident_place *p, resident_place *wanted)
{
    static const size_t counts[] = {11, 1000, 70001};
    static const struct {
        s2clr_update_rule rule;
        bool adapted;
    } kinds[] = {
        {S2CLR_UPDATE_ADAM, false}, {S2CLR_UPDATE_MOMENTUM, false}, {S2CLR_UPDATE_MOMENTUM, true}};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++) {
            const size_t all = counts[i] * (kinds[k].rule == S2CLR_UPDATE_ADAM ? 3 : 2);
            float *const got = malloc(all * sizeof *got), *const want = malloc(all * sizeof *want);
            run_update(p, kinds[k].rule, kinds[k].adapted, counts[i], got);
            run_update(wanted, kinds[k].rule, kinds[k].adapted, counts[i], want);
            resident_near(p->be->name, "weights", got, want, counts[i], 1e-6);
            resident_near(p->be->name, "moments", got + counts[i], want + counts[i],
                          all - counts[i], 1e-6);
            for (size_t j = 5; j < 9; j++) CU_ASSERT_EQUAL(got[j], want[j]); /* the gap */
            free(got), free(want);
        }
}

static void updates(void)
{
    resident_everywhere(check_update);
}

/* One element by hand: what the specification says. */
static void updates_in_closed_form(void)
{
    resident_place p = resident_open(resident_portable(), S2CLR_F32, 0);
    s2clr_update_range range[3];
    float w[2] = {2, 3}, g[2] = {0.5f, 0}, m[2] = {1, 1};
    s2clr_update u = {.rule = S2CLR_UPDATE_MOMENTUM,
                      .count = 2,
                      .range = range,
                      .ranges = 1,
                      .trust = 0.5,
                      .weight_decay = 0.25,
                      .gradient = g,
                      .moments = m,
                      .params = w};
    range[0] = (s2clr_update_range){.end = 1,
                                    .rate = 4,
                                    .adapted = true,
                                    .beta1 = 0.5f,
                                    .decay = 0.25f,
                                    .inside = 100,
                                    .outside = 1};
    /* |w| = 2, |g + w/4| = 1: inside = 4 * 0.5 * 2 = 4; m = 0.5 + 4 * 1 */
    TEST_OK(p.on->update(p.stream, &u, NULL));
    CU_ASSERT_EQUAL(m[0], 4.5f);
    CU_ASSERT_EQUAL(w[0], -2.5f);
    CU_ASSERT_EQUAL(w[1], 3);
    CU_ASSERT_EQUAL(m[1], 1);
    resident_close(&p);
}

static const test_case cases[] = {
    {"copies", copies},
    {"sums of arrays", sums},
    {"batch norm", batch_norm},
    {"updates", updates},
    {"updates in closed form", updates_in_closed_form},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("backend_training", cases, argc, argv);
}
