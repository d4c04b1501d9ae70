/* t-SNE: affinities and forces against the formulas, maps against scikit-learn's. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "base/philox.h"
#include "golden/golden_tsne.h"
#include "train/neighbours.h"
#include "train/ptsne.h"
#include "tsne_rig.h"

enum { N = TSNE_RIG_N, D = TSNE_RIG_D, SMALL = 90 };
static double x[N * D], map_a[N * 2], map_b[N * 2];

/* ---- affinities ---- */

static double p_of(const s2clr_tsne_graph *graph, size_t i, size_t j)
{
    for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++)
        if (graph->to[at] == j) return graph->p[at];
    return 0;
}

static void check_graph(const s2clr_tsne_graph *graph)
{
    double sum = 0;
    for (size_t i = 0; i < graph->n; i++)
        for (size_t at = graph->start[i]; at < graph->start[i + 1]; at++) {
            const size_t j = graph->to[at];
            CU_ASSERT(j != i && (at == graph->start[i] || j > graph->to[at - 1]));
            CU_ASSERT_EQUAL(graph->p[at], p_of(graph, j, i));
            CU_ASSERT(graph->p[at] >= 0);
            sum += graph->p[at];
        }
    TEST_NEAR(sum, 1, 1e-12);
}

static void attracts_as_scikit_learn(void)
{
    s2clr_tsne_graph graph = {0};
    tsne_rig_vectors(x);
    TEST_OK(s2clr_tsne_graph_new(x, N, D, 20, NULL, &graph));
    check_graph(&graph);
    /* Theirs is in float32, and its search ends at 1e-5 of the entropy. */
    for (int k = 0; k < 5; k++)
        TEST_NEAR(p_of(&graph, 7, (size_t)golden_tsne.to[k]) / golden_tsne.p[k], 1, 1e-4);
    s2clr_tsne_graph_free(&graph);
}

/* Corners of a simplex are equally far: no width gives the perplexity, all get the same. Vectors
 * that are the same, more than neighbours are looked at, too. */
static void attracts_equals_equally(void)
{
    static double corner[16 * 16];
    s2clr_tsne_graph graph = {0};
    for (size_t i = 0; i < 16; i++) corner[17 * i] = 1;
    TEST_OK(s2clr_tsne_graph_new(corner, 16, 16, 5, NULL, &graph));
    CU_ASSERT_EQUAL(graph.start[16], 16 * 15); /* 3 * 5 + 1 is more than there are */
    check_graph(&graph);
    TEST_NEAR(graph.p[0], 1.0 / (16 * 15), 1e-15);
    s2clr_tsne_graph_free(&graph);
    tsne_rig_vectors(x);
    for (size_t i = 1; i < 40; i++) memcpy(x + i * D, x, D * sizeof *x);
    TEST_OK(s2clr_tsne_graph_new(x, SMALL, D, 5, NULL, &graph));
    check_graph(&graph);
    TEST_NEAR(p_of(&graph, 0, 1), 2.0 / 16 / (2 * SMALL), 1e-12);
    s2clr_tsne_graph_free(&graph);
}

/* ---- forces ---- */

/* All sums over all pairs, as they stand in the paper. */
static double dense(const s2clr_tsne_graph *graph, const double *y, double exaggeration,
                    double *gradient)
{
    const size_t n = graph->n;
    double z = 0, divergence = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (j != i) z += 1 / (1 + pow(tsne_rig_distance(y + 2 * i, y + 2 * j, 2), 2));
    for (size_t i = 0; i < n; i++) {
        gradient[2 * i] = gradient[2 * i + 1] = 0;
        for (size_t j = 0; j < n; j++) {
            if (j == i) continue;
            const double w = 1 / (1 + pow(tsne_rig_distance(y + 2 * i, y + 2 * j, 2), 2));
            const double p = p_of(graph, i, j), q = w / z;
            for (size_t c = 0; c < 2; c++)
                gradient[2 * i + c] +=
                    4 * (exaggeration * p - q) * w * (y[2 * i + c] - y[2 * j + c]);
            if (p > 0) divergence += p * log(p / q);
        }
    }
    return divergence;
}

static void place_points(size_t n, double size, double *y)
{
    for (size_t i = 0; i < 2 * n; i++) y[i] = size * (double)s2clr_random_normal(3, 4, i);
}

/* Points spread out, crowded in a corner far away, and at one place. */
static void forces_are_the_formulas(void)
{
    static double gradient[SMALL * 2], wanted[SMALL * 2];
    s2clr_tsne_graph graph = {0};
    s2clr_tsne_forces forces = {0};
    double divergence;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_tsne_graph_new(x, SMALL, D, 8, NULL, &graph));
    TEST_OK(s2clr_tsne_forces_new(&graph, 0, &forces));
    for (int way = 0; way < 4; way++) {
        place_points(SMALL, way == 0 ? 1e-4 : 5, map_a);
        for (size_t i = 0; way >= 2 && i < 20; i++)
            for (size_t c = 0; c < 2; c++) map_a[2 * i + c] = way == 2 ? 1 : 40 + 1e-7 * (double)i;
        const double expected = dense(&graph, map_a, 3, wanted);
        TEST_OK(s2clr_tsne_gradient(&forces, map_a, 3, NULL, gradient));
        TEST_OK(s2clr_tsne_divergence(&forces, NULL, &divergence));
        TEST_NEAR(divergence, expected, 1e-11);
        for (size_t i = 0; i < 2 * SMALL; i++) TEST_NEAR(gradient[i], wanted[i], 1e-13);
    }
    s2clr_tsne_forces_free(&forces);
    s2clr_tsne_graph_free(&graph);
}

/* The gradient is what the divergence changes by. */
static void gradient_is_the_slope(void)
{
    static double gradient[SMALL * 2], spare[SMALL * 2];
    s2clr_tsne_graph graph = {0};
    s2clr_tsne_forces forces = {0};
    const double step = 1e-5;
    double up, down;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_tsne_graph_new(x, SMALL, D, 8, NULL, &graph));
    TEST_OK(s2clr_tsne_forces_new(&graph, 0, &forces));
    place_points(SMALL, 2, map_a);
    TEST_OK(s2clr_tsne_gradient(&forces, map_a, 1, NULL, gradient));
    for (size_t i = 0; i < 2 * SMALL; i += 7) {
        const double kept = map_a[i];
        map_a[i] = kept + step;
        TEST_OK(s2clr_tsne_gradient(&forces, map_a, 1, NULL, spare));
        TEST_OK(s2clr_tsne_divergence(&forces, NULL, &up));
        map_a[i] = kept - step;
        TEST_OK(s2clr_tsne_gradient(&forces, map_a, 1, NULL, spare));
        TEST_OK(s2clr_tsne_divergence(&forces, NULL, &down));
        map_a[i] = kept;
        TEST_NEAR(gradient[i], (up - down) / (2 * step), 1e-9);
    }
    s2clr_tsne_forces_free(&forces);
    s2clr_tsne_graph_free(&graph);
}

/* Cells instead of points: nearly the same, and less work. */
static void cells_are_nearly_exact(void)
{
    static double gradient[N * 2], wanted[N * 2];
    s2clr_tsne_graph graph = {0};
    s2clr_tsne_forces forces = {0};
    double off = 0, size = 0, z;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_tsne_graph_new(x, N, D, 20, NULL, &graph));
    place_points(N, 10, map_a);
    TEST_OK(s2clr_tsne_forces_new(&graph, 0, &forces));
    TEST_OK(s2clr_tsne_gradient(&forces, map_a, 1, NULL, wanted));
    z = forces.normalisation;
    s2clr_tsne_forces_free(&forces);
    TEST_OK(s2clr_tsne_forces_new(&graph, 0.5, &forces));
    TEST_OK(s2clr_tsne_gradient(&forces, map_a, 1, NULL, gradient));
    TEST_NEAR(forces.normalisation / z, 1, 0.01);
    CU_ASSERT(forces.normalisation != z);
    CU_ASSERT(forces.tree.cells < 2 * N);
    for (size_t i = 0; i < 2 * N; i++) {
        off += pow(gradient[i] - wanted[i], 2);
        size += pow(wanted[i], 2);
    }
    TEST_NEAR(sqrt(off / size), 0, 0.02);
    s2clr_tsne_forces_free(&forces);
    s2clr_tsne_graph_free(&graph);
}

/* ---- maps ---- */

static s2clr_tsne_options usual(void)
{
    s2clr_tsne_options options;
    s2clr_tsne_defaults(&options);
    options.perplexity = 20;
    return options;
}

/* Share of points whose nearest point is of their cluster. */
static double pure(const double *y)
{
    static size_t index[N];
    double same = 0;
    TEST_OK(s2clr_neighbours_find(y, N, 2, 1, NULL, index, NULL));
    for (size_t i = 0; i < N; i++) same += index[i] % TSNE_RIG_CLUSTERS == i % TSNE_RIG_CLUSTERS;
    return same / N;
}

static void maps_as_well_as_scikit_learn(void)
{
    const s2clr_tsne_options options = usual();
    s2clr_tsne_result result = {0};
    double trust = 0, mean = 0;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_tsne_run(x, N, D, &options, NULL, NULL, map_a, &result));
    TEST_OK(s2clr_trustworthiness(x, D, map_a, 2, N, 12, NULL, &trust));
    CU_ASSERT(trust >= golden_tsne.map_trust - 0.003);
    CU_ASSERT(result.divergence <= golden_tsne.map_divergence * 1.03);
    CU_ASSERT(result.divergence > golden_tsne.map_divergence * 0.8);
    CU_ASSERT(pure(map_a) > 0.95);
    CU_ASSERT(result.rate == 50 && result.neighbours == 61);
    for (size_t i = 0; i < N; i++) mean += map_a[2 * i];
    TEST_NEAR(mean / N, 0, 1e-9);
}

static void threads_do_not_matter(void)
{
    s2clr_tsne_options options = usual();
    s2clr_tsne_result result;
    s2clr_pool *pool = NULL;
    options.iterations = 60;
    options.exaggerated = 30;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_pool_new(3, &pool));
    TEST_OK(s2clr_tsne_run(x, N, D, &options, NULL, NULL, map_a, &result));
    TEST_OK(s2clr_tsne_run(x, N, D, &options, pool, NULL, map_b, &result));
    CU_ASSERT_EQUAL(memcmp(map_a, map_b, sizeof map_a), 0);
    s2clr_pool_free(pool);
}

static void random_starts_are_drawn_from_the_seed(void)
{
    s2clr_tsne_options options = usual();
    s2clr_tsne_result result;
    double trust = 0;
    options.random_start = true;
    options.seed = 5;
    tsne_rig_vectors(x);
    TEST_OK(s2clr_tsne_run(x, N, D, &options, NULL, NULL, map_a, &result));
    TEST_OK(s2clr_trustworthiness(x, D, map_a, 2, N, 12, NULL, &trust));
    CU_ASSERT(trust >= golden_tsne.map_trust - 0.01);
    options.iterations = 5;
    TEST_OK(s2clr_tsne_run(x, N, D, &options, NULL, NULL, map_a, &result));
    TEST_OK(s2clr_tsne_run(x, N, D, &options, NULL, NULL, map_b, &result));
    CU_ASSERT_EQUAL(memcmp(map_a, map_b, sizeof map_a), 0);
    options.seed = 6;
    TEST_OK(s2clr_tsne_run(x, N, D, &options, NULL, NULL, map_b, &result));
    CU_ASSERT(memcmp(map_a, map_b, sizeof map_a) != 0);
}

/* Equal vectors, vectors on a line, two different ones among many: a map with two extents. */
static void takes_poor_vectors(void)
{
    s2clr_tsne_options options = usual();
    s2clr_tsne_result result = {0};
    options.perplexity = 10;
    options.iterations = 300;
    options.exaggerated = 75;
    for (int way = 0; way < 3; way++) {
        double wide = 0, high = 0;
        const size_t d = way == 1 ? 1 : 3;
        for (size_t i = 0; i < SMALL * d; i++)
            x[i] = way == 0 ? (double)(i / d % 5) : way == 1 ? (double)i : i / d < 2;
        TEST_OK(s2clr_tsne_run(x, SMALL, d, &options, NULL, NULL, map_a, &result));
        for (size_t i = 0; i < SMALL; i++) {
            wide = fmax(wide, fabs(map_a[2 * i]));
            high = fmax(high, fabs(map_a[2 * i + 1]));
        }
        CU_ASSERT(isfinite(result.divergence) && wide > 0.1 && high > 0.1 && wide < 1e6);
    }
}

static bool stop_later(void *context, double fraction, const char *message)
{
    (void)context;
    (void)message;
    return fraction < 0.2;
}

static void refuses_what_has_no_map(void)
{
    s2clr_tsne_options options = usual();
    s2clr_tsne_result result;
    tsne_rig_vectors(x);
    options.perplexity = 1;
    CU_ASSERT_EQUAL(s2clr_tsne_run(x, 3, D, &options, NULL, NULL, map_a, &result),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("3 samples");
    TEST_OK(s2clr_tsne_run(x, 4, D, &options, NULL, NULL, map_a, &result));
    options.perplexity = 20;
    CU_ASSERT_EQUAL(s2clr_tsne_run(x, 60, D, &options, NULL, NULL, map_a, &result),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("wanted: 1 to 19.6667");
    TEST_OK(s2clr_tsne_check(61, &options));
    options.perplexity = NAN;
    CU_ASSERT_EQUAL(s2clr_tsne_check(61, &options), S2CLR_ERR_ARGUMENT);
    options.perplexity = 20;
    CU_ASSERT_EQUAL(s2clr_tsne_run(x, N, D, &options, NULL, &(s2clr_progress){.call = stop_later},
                                   map_a, &result),
                    S2CLR_ERR_CANCELLED);
    TEST_ERROR_SAYS("of 1000 iterations");
    for (size_t i = 0; i < N * D; i++) x[i] = 0.5;
    CU_ASSERT_EQUAL(s2clr_tsne_run(x, N, D, &options, NULL, NULL, map_a, &result),
                    S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("the same numbers");
}

static const test_case cases[] = {
    {"attracts as scikit-learn", attracts_as_scikit_learn},
    {"attracts equals equally", attracts_equals_equally},
    {"forces are the formulas", forces_are_the_formulas},
    {"the gradient is the slope", gradient_is_the_slope},
    {"cells are nearly exact", cells_are_nearly_exact},
    {"maps as well as scikit-learn", maps_as_well_as_scikit_learn},
    {"threads do not matter", threads_do_not_matter},
    {"random starts are drawn from the seed", random_starts_are_drawn_from_the_seed},
    {"takes poor vectors", takes_poor_vectors},
    {"refuses what has no map", refuses_what_has_no_map},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("tsne", cases, argc, argv);
}
