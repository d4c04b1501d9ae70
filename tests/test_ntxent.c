#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "golden/golden_ntxent.h"
#include "train/ntxent.h"

enum { N = 5, D = 6 };

/* The embeddings of tests/golden/ntxent.py. */
static void golden_embeddings(float z[2 * N * D])
{
    for (int i = 0; i < 2 * N; i++)
        for (int k = 0; k < D; k++)
            z[i * D + k] = (float)((7 * i + 13 * k + i * k * k) % 23 - 11) / 8;
}

static void compare(const int *place, double temperature, double loss, const double dz[][D])
{
    float z[2 * N * D], gradient[2 * N * D];
    double value = 0;
    golden_embeddings(z);
    TEST_OK(s2clr_ntxent(z, place, N, D, temperature, NULL, &value, gradient));
    TEST_NEAR(value, loss, 1e-12);
    for (int i = 0; i < 2 * N; i++)
        for (int k = 0; k < D; k++)
            TEST_NEAR(gradient[i * D + k], dz[i][k], 1e-7 * (1 + fabs(dz[i][k])));
}

static void loss_and_gradient_are_pytorchs(void)
{
    const int place[N] = {4, 1, 4, 0, 1};
    compare(NULL, 0.5, golden_plain_loss, golden_plain_dz);
    compare(NULL, 0.05, golden_cold_loss, golden_cold_dz);
    compare(place, 0.2, golden_places_loss, golden_places_dz);
}

static void numeric_gradient(void)
{
    enum { n = 7, d = 4 };
    const int place[n] = {0, 1, 2, 1, 4, 5, 6};
    float z[2 * n * d], dz[2 * n * d];
    double loss = 0;
    for (size_t i = 0; i < 2 * n * d; i++) z[i] = s2clr_random_normal(3, 1, i);
    TEST_OK(s2clr_ntxent(z, place, n, d, 0.3, NULL, &loss, dz));
    for (size_t i = 0; i < 2 * n * d; i++) {
        const float kept = z[i];
        double up = 0, down = 0;
        z[i] = kept + 0x1p-9f;
        const double above = (double)z[i];
        TEST_OK(s2clr_ntxent(z, place, n, d, 0.3, NULL, &up, NULL));
        z[i] = kept - 0x1p-9f;
        TEST_OK(s2clr_ntxent(z, place, n, d, 0.3, NULL, &down, NULL));
        TEST_NEAR((double)dz[i], (up - down) / (above - (double)z[i]), 2e-5);
        z[i] = kept;
    }
}

/* Every other view is equally like the right one. */
static void equal_embeddings_cost_log_of_the_others(void)
{
    enum { n = 9, d = 3 };
    float z[2 * n * d], dz[2 * n * d];
    double loss = 0;
    for (size_t i = 0; i < 2 * n * d; i++) z[i] = (float)(i % d) - 0.5f;
    TEST_OK(s2clr_ntxent(z, NULL, n, d, 0.1, NULL, &loss, dz));
    TEST_NEAR(loss, log(2 * n - 1), 1e-12);
    for (size_t i = 0; i < 2 * n * d; i++) TEST_NEAR(dz[i], 0, 1e-7);

    const int place[n] = {0}; /* nobody left to be told from */
    TEST_OK(s2clr_ntxent(z, place, n, d, 0.1, NULL, &loss, dz));
    TEST_NEAR(loss, 0, 1e-12);
}

/* Both views of patch i are axis i, of any length: similarity 1 to the other view, 0 to the rest.
 */
static void perfect_separation(void)
{
    enum { n = 6 };
    float z[2 * n * n] = {0}, dz[2 * n * n];
    double loss = 0;
    for (int i = 0; i < 2 * n; i++) z[i * n + i / 2] = (float)(i + 1) / 4;
    const double t = 0.25;
    TEST_OK(s2clr_ntxent(z, NULL, n, n, t, NULL, &loss, dz));
    TEST_NEAR(loss, log(exp(1 / t) + 2 * n - 2) - 1 / t, 1e-12);

    /* du_i/ds reaches z_i only across its own direction: along axis j, from the two views there. */
    const double share = 1 / (exp(1 / t) + 2 * n - 2);
    for (int i = 0; i < 2 * n; i++)
        for (int k = 0; k < n; k++) {
            const double want = k == i / 2 ? 0 : 4 * share / (t * 2 * n) / ((i + 1) / 4.0);
            TEST_NEAR(dz[i * n + k], want, 1e-8);
        }
}

/* As cold as this, exp(1 / temperature) is beyond a double. */
static void cold_temperatures_stay_finite(void)
{
    float z[2 * N * D], dz[2 * N * D];
    double loss = NAN;
    golden_embeddings(z);
    TEST_OK(s2clr_ntxent(z, NULL, N, D, 1e-4, NULL, &loss, dz));
    CU_ASSERT_TRUE(isfinite(loss) && loss > 0);
    for (int i = 0; i < 2 * N * D; i++) CU_ASSERT_TRUE(isfinite(dz[i]));
}

static void threads_and_lengths_do_not_matter(void)
{
    enum { n = 83, d = 37 };
    float *z = malloc(2 * n * d * sizeof *z), *one = malloc(2 * n * d * sizeof *z),
          *two = malloc(2 * n * d * sizeof *z);
    s2clr_pool *pool = NULL;
    double alone = 0, shared = 1;
    for (size_t i = 0; i < 2 * n * d; i++) z[i] = s2clr_random_normal(5, 2, i);
    TEST_OK(s2clr_pool_new(3, &pool));
    TEST_OK(s2clr_ntxent(z, NULL, n, d, 0.1, NULL, &alone, one));
    TEST_OK(s2clr_ntxent(z, NULL, n, d, 0.1, pool, &shared, two));
    CU_ASSERT_EQUAL(alone, shared);
    CU_ASSERT_EQUAL(memcmp(one, two, 2 * n * d * sizeof *z), 0);

    for (size_t i = 0; i < 2 * n * d; i++) z[i] *= 1024;
    TEST_OK(s2clr_ntxent(z, NULL, n, d, 0.1, pool, &shared, two));
    CU_ASSERT_EQUAL(alone, shared);
    for (size_t i = 0; i < 2 * n * d; i++) CU_ASSERT_EQUAL(two[i] * 1024, one[i]);
    s2clr_pool_free(pool);
    free(z), free(one), free(two);
}

static void nonsense_is_refused(void)
{
    float z[2 * N * D], dz[2 * N * D] = {7};
    double loss = 7;
    golden_embeddings(z);
    CU_ASSERT_EQUAL(s2clr_ntxent(z, NULL, 1, D, 0.1, NULL, &loss, dz), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("1 patches: at least 2");
    CU_ASSERT_EQUAL(s2clr_ntxent(z, NULL, N, 0, 0.1, NULL, &loss, dz), S2CLR_ERR_ARGUMENT);
    const double temperatures[] = {0, -1, NAN, INFINITY, 1e-310};
    for (size_t i = 0; i < sizeof temperatures / sizeof temperatures[0]; i++) {
        CU_ASSERT_EQUAL(s2clr_ntxent(z, NULL, N, D, temperatures[i], NULL, &loss, dz),
                        S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS("temperature");
    }
    z[5 * D + 2] = NAN;
    CU_ASSERT_EQUAL(s2clr_ntxent(z, NULL, N, D, 0.1, NULL, &loss, dz), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("view 2 of patch 3 of the batch is not finite");
    memset(z + 5 * D, 0, D * sizeof *z);
    CU_ASSERT_EQUAL(s2clr_ntxent(z, NULL, N, D, 0.1, NULL, &loss, dz), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("view 2 of patch 3 of the batch is zero");
    CU_ASSERT_EQUAL(loss, 7);
    CU_ASSERT_EQUAL(dz[0], 7);
}

static const test_case cases[] = {
    {"loss and gradient are PyTorch's", loss_and_gradient_are_pytorchs},
    {"numeric gradient", numeric_gradient},
    {"equal embeddings cost the log of the others", equal_embeddings_cost_log_of_the_others},
    {"perfect separation", perfect_separation},
    {"cold temperatures stay finite", cold_temperatures_stay_finite},
    {"threads and lengths do not matter", threads_and_lengths_do_not_matter},
    {"nonsense is refused", nonsense_is_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("ntxent", cases, argc, argv);
}
