/*
 * The contrastive loss of every backend that has one, against PyTorch in float64 and the host's
 * (train/ntxent.h); and the host's own way to it.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden/golden_ntxent.h"
#include "resident_rig.h"
#include "train/ntxent.h"

typedef struct example {
    size_t n, d;
    double temperature;
    int places; /* numbers of places; 0: none */
    float like; /* how much the views of a patch have in common */
} example;

static float *floats(size_t count)
{
    float *const values = malloc(count * sizeof *values);
    CU_ASSERT_PTR_NOT_NULL_FATAL(values);
    return values;
}

/* Lengths differ by orders of magnitude. */
static float *embeddings(const example *e)
{
    const size_t count = 2 * e->n * e->d;
    float *const z = floats(count), *const patch = floats(count);
    resident_random(31, count, z), resident_random(32, count, patch);
    for (size_t i = 0; i < count; i++)
        z[i] = ldexpf(z[i] + e->like * patch[i / (2 * e->d) * e->d + i % e->d],
                      (int)(i / e->d % 7) * 3 - 9);
    free(patch);
    return z;
}

static int *places(const example *e)
{
    if (e->places == 0) return NULL;
    int *const place = malloc(e->n * sizeof *place);
    for (size_t i = 0; i < e->n; i++) place[i] = (int)(i * i) % e->places - 2;
    return place;
}

static void run(const resident_place *p, const example *e, const float *z, const int *place,
                double *loss, float *dz)
{
    s2clr_contrast_loss *on = NULL;
    TEST_OK(p->on->contrast->open(p->device, e->n, e->d, &on));
    if (on) TEST_OK(p->on->contrast->run(on, p->stream, z, place, e->temperature, loss, dz));
    p->on->contrast->close(on);
}

static void check_example(resident_place *p, const example *e)
{
    char what[100];
    const size_t count = 2 * e->n * e->d;
    float *const z = embeddings(e), *const got = floats(count), *const wanted = floats(count);
    int *const place = places(e);
    double loss = NAN, alone = NAN, wanted_loss = NAN;
    memset(got, 0xff, count * sizeof *got);
    run(p, e, z, place, &loss, got);
    run(p, e, z, place, &alone, NULL);
    TEST_OK(s2clr_ntxent(z, place, e->n, e->d, e->temperature, NULL, &wanted_loss, wanted));
    snprintf(what, sizeof what, "%zu of %zu at %g, %d places", e->n, e->d, e->temperature,
             e->places);
    /* A cosine of float32 is off by a few 1e-7. */
    TEST_NEAR(loss, wanted_loss, 1e-6 / e->temperature);
    CU_ASSERT_EQUAL(loss, alone);
    /* Rows are compared at one length: gradients of short embeddings are long. */
    for (size_t i = 0; i < count; i++) {
        const int up = (int)(i / e->d % 7) * 3 - 9;
        got[i] = ldexpf(got[i], up), wanted[i] = ldexpf(wanted[i], up);
    }
    resident_near(p->be->name, what, got, wanted, count, 2e-6 / e->temperature);
    free(z), free(got), free(wanted), free(place);
}

/* ---- PyTorch ---- */

enum { GOLDEN_N = 5, GOLDEN_D = 6, GOLDEN = 2 * GOLDEN_N * GOLDEN_D };

/* The embeddings of tests/golden/ntxent.py. */
static void check_golden(const resident_place *p, const int *place, double temperature,
                         double golden_loss, const double *golden_dz)
{
    const example e = {.n = GOLDEN_N, .d = GOLDEN_D, .temperature = temperature};
    float z[GOLDEN], dz[GOLDEN] = {0}, wanted[GOLDEN];
    double loss = NAN;
    for (int i = 0; i < 2 * GOLDEN_N; i++)
        for (int k = 0; k < GOLDEN_D; k++)
            z[i * GOLDEN_D + k] = (float)((7 * i + 13 * k + i * k * k) % 23 - 11) / 8;
    for (int i = 0; i < GOLDEN; i++) wanted[i] = (float)golden_dz[i];
    run(p, &e, z, place, &loss, dz);
    TEST_NEAR(loss, golden_loss, 1e-6 / temperature);
    resident_near(p->be->name, "gradient of PyTorch", dz, wanted, GOLDEN, 1e-6 / temperature);
}

static void check_goldens(resident_place *p, resident_place *wanted)
{
    static const int place[GOLDEN_N] = {4, 1, 4, 0, 1};
    (void)wanted;
    if (!p->on->contrast) return;
    check_golden(p, NULL, 0.5, golden_plain_loss, golden_plain_dz[0]);
    check_golden(p, NULL, 0.05, golden_cold_loss, golden_cold_dz[0]);
    check_golden(p, place, 0.2, golden_places_loss, golden_places_dz[0]);
}

static void loss_and_gradient_are_pytorchs(void)
{
    resident_everywhere(check_goldens);
}

/* ---- the host ---- */

static const example examples[] = {
    {2, 1, 1, 0, 0},       {2, 3, 0.5, 0, 0},      {9, 5, 0.1, 0, 1},  {33, 128, 0.07, 0, 1},
    {40, 17, 0.2, 5, .5f}, {65, 64, 0.1, 1000, 2}, {70, 8, 0.5, 1, 1}, {150, 31, 0.05, 9, 1},
};

static void check_examples(resident_place *p, resident_place *wanted)
{
    (void)wanted;
    if (!p->on->contrast) return;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
        check_example(p, &examples[i]);
}

static void loss_and_gradient(void)
{
    resident_everywhere(check_examples);
}

/* ---- the way that training goes ---- */

/* The host, or the device where its memory is apart. */
static void check_machine(resident_place *p, resident_place *wanted)
{
    const example e = {21, 12, 0.2, 6, 1};
    const size_t count = 2 * e.n * e.d;
    float *const z = embeddings(&e), *const got = floats(count), *const same = floats(count);
    int *const place = places(&e);
    const s2clr_machine on = {.backend = p->be, .device = p->device};
    s2clr_ntxent_loss *batch = NULL;
    double loss = NAN, other = NAN;
    size_t bytes = 1;
    (void)wanted;
    TEST_OK(s2clr_ntxent_new(&on, e.n, e.d, &batch));
    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    for (int again = 0; again < 2; again++) {
        memset(got, 0xff, count * sizeof *got);
        TEST_OK(s2clr_ntxent_run(batch, z, place, e.temperature, &loss, got));
    }
    if (p->on->apart && p->on->contrast)
        run(p, &e, z, place, &other, same);
    else
        TEST_OK(s2clr_ntxent(z, place, e.n, e.d, e.temperature, NULL, &other, same));
    CU_ASSERT_EQUAL(loss, other);
    CU_ASSERT_EQUAL(memcmp(got, same, count * sizeof *got), 0);
    TEST_OK(s2clr_ntxent_device_needs(&on, e.n, e.d, &bytes));
    CU_ASSERT_EQUAL(bytes > 0, p->on->apart && p->on->contrast);

    memset(z + 5 * e.d, 0, e.d * sizeof *z);
    CU_ASSERT_EQUAL(s2clr_ntxent_run(batch, z, NULL, e.temperature, &loss, got), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("view 2 of patch 3 of the batch is zero");
    CU_ASSERT_EQUAL(s2clr_ntxent_run(batch, z, NULL, 0, &loss, got), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("temperature");
    CU_ASSERT_EQUAL(loss, other);
    CU_ASSERT_EQUAL(memcmp(got, same, count * sizeof *got), 0);
    s2clr_ntxent_free(batch);
    free(z), free(got), free(same), free(place);
}

static void where_the_machine_computes_best(void)
{
    resident_everywhere(check_machine);
}

static const test_case cases[] = {
    {"loss and gradient are PyTorch's", loss_and_gradient_are_pytorchs},
    {"loss and gradient are the host's", loss_and_gradient},
    {"where the machine computes best", where_the_machine_computes_best},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("backend_contrast", cases, argc, argv);
}
