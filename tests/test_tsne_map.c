/* Maps of embeddings: layers of networks, classes of neighbours, densities, what is written. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pretrain_rig.h"
#include "report/tsne_picture.h"
#include "train/neighbours.h"
#include "tsne_rig.h"

enum { N = TSNE_RIG_N, D = TSNE_RIG_D, CLASSES = TSNE_RIG_CLUSTERS };

static double x[N * D];
static int class_of[N];
static const char *names[N];
static s2clr_tsne_class classes[CLASSES];
static s2clr_model *model;

static s2clr_model *model_of(const char *name)
{
    s2clr_card *card = pretrain_rig_card();
    for (int b = 0; b < RECIPE_BANDS; b++) card->std[b] = 1;
    return recipe_rig_model(name, card, 7);
}

/* ---- layers ---- */

static s2clr_status run_layer(const char *layer, const s2clr_samples *samples, s2clr_tsne_rows *out)
{
    const s2clr_tsne_source source = {
        .model = model, .level = "NOISE", .samples = samples, .device = "portable"};
    s2clr_pool *pool = NULL;
    TEST_OK(s2clr_pool_new(2, &pool));
    const s2clr_status status = s2clr_tsne_layer_run(&source, layer, pool, NULL, out);
    s2clr_pool_free(pool);
    return status;
}

/* rows: of the layer before; what the linear layer `name` makes of them, behind a ReLU or not. */
static void same_as_linear(const s2clr_tsne_rows *rows, const char *name, bool relu,
                           const s2clr_tsne_rows *found)
{
    const s2clr_net *net = s2clr_model_net(model);
    char tensor[80];
    snprintf(tensor, sizeof tensor, "%s.weight", name);
    const s2clr_param *weight = s2clr_net_param_named(net, tensor);
    snprintf(tensor, sizeof tensor, "%s.bias", name);
    const s2clr_param *bias = s2clr_net_param_named(net, tensor);
    CU_ASSERT_TRUE_FATAL(weight && bias);
    CU_ASSERT_EQUAL_FATAL((size_t)weight->dims[0], found->width);
    CU_ASSERT_EQUAL_FATAL((size_t)weight->dims[1], rows->width);
    const float *w = s2clr_model_params(model) + weight->offset;
    for (size_t i = 0; i < rows->count; i++)
        for (size_t o = 0; o < found->width; o++) {
            double sum = (double)s2clr_model_params(model)[bias->offset + o];
            for (size_t c = 0; c < rows->width; c++)
                sum += (double)w[o * rows->width + c] * rows->x[i * rows->width + c];
            TEST_NEAR(found->x[i * found->width + o], relu && sum < 0 ? 0 : sum, 1e-3);
        }
}

static void layers_are_what_they_say(void)
{
    static pretrain_textures set;
    const s2clr_samples samples = pretrain_rig_samples(&set, 3, 20);
    s2clr_tsne_rows features = {0}, inner = {0}, last = {0}, same = {0};
    model = model_of("layers");
    TEST_OK(run_layer("features", &samples, &features));
    TEST_OK(run_layer("projection.0", &samples, &inner));
    TEST_OK(run_layer("projection.1", &samples, &last));
    TEST_OK(run_layer("projection", &samples, &same));
    CU_ASSERT(features.count == 20 && features.width == 32 && inner.width == 24);
    same_as_linear(&features, "projection.0", true, &inner);
    same_as_linear(&inner, "projection.1", false, &last);
    CU_ASSERT_EQUAL(memcmp(last.x, same.x, last.count * last.width * sizeof *last.x), 0);
    s2clr_tsne_rows_free(&features);
    s2clr_tsne_rows_free(&inner);
    s2clr_tsne_rows_free(&last);
    s2clr_tsne_rows_free(&same);
    const char *const wrong[] = {"projection.2",          "projection.", "projection.1x", "fc", "",
                                 "projection.99999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CU_ASSERT_EQUAL(run_layer(wrong[i], &samples, &features), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS("wanted: features or projection.0 to projection.1");
    }
    s2clr_model_close(model);
}

/* ---- maps ---- */

static s2clr_tsne_map map_of(size_t neighbours)
{
    static const char *const words[CLASSES] = {
        "Rice, \"wet\"", "b", "c", "<d>", "e", "f", "g", "h", "i", "unknown"};
    tsne_rig_vectors(x);
    for (size_t i = 0; i < N; i++) {
        names[i] = i == 1 ? "a,b" : "patch";
        class_of[i] = (int)(i % CLASSES);
    }
    for (int c = 0; c < CLASSES; c++)
        classes[c] = (s2clr_tsne_class){.name = words[c], .unknown = c == CLASSES - 1};
    s2clr_tsne_map map = {.model = model,
                          .dataset = "made up",
                          .part = "all",
                          .level = "NOISE",
                          .layer = "features",
                          .by = "class",
                          .part_count = N,
                          .names = names,
                          .class_of = class_of,
                          .class = classes,
                          .classes = CLASSES,
                          .neighbours = neighbours};
    s2clr_tsne_defaults(&map.options);
    map.options.iterations = 100;
    map.options.exaggerated = 25;
    return map;
}

/* Majority of the k nearest that have a class; of equal ones a share. */
static double brute_accuracy(const double *v, size_t d, size_t k, int only)
{
    double hits = 0, asked = 0;
    for (size_t i = 0; i < N; i++) {
        double count[CLASSES] = {0}, equal = 0;
        bool used[N] = {false}, beaten = false;
        if (class_of[i] == CLASSES - 1 || (only >= 0 && class_of[i] != only)) continue;
        for (size_t n = 0; n < k; n++) {
            size_t best = N;
            for (size_t j = 0; j < N; j++)
                if (j != i && !used[j] && class_of[j] != CLASSES - 1 &&
                    (best == N || tsne_rig_distance(v + i * d, v + j * d, d) <
                                      tsne_rig_distance(v + i * d, v + best * d, d)))
                    best = j;
            used[best] = true;
            count[class_of[best]]++;
        }
        for (int c = 0; c < CLASSES; c++) {
            beaten |= count[c] > count[class_of[i]];
            equal += count[c] == count[class_of[i]];
        }
        hits += beaten ? 0 : 1 / equal;
        asked++;
    }
    return hits / asked;
}

static void measures_what_it_says(void)
{
    const s2clr_tsne_rows rows = {.count = N, .width = D, .x = x};
    double trust;
    s2clr_tsne_map map = map_of(4);
    TEST_OK(s2clr_tsne_map_make(&rows, NULL, NULL, &map));
    TEST_OK(s2clr_trustworthiness(x, D, map.y, 2, N, 4, NULL, &trust));
    CU_ASSERT(map.trust == trust && map.components == D && map.kept == 1);
    TEST_NEAR(map.accuracy_rows, brute_accuracy(x, D, 4, -1), 1e-12);
    TEST_NEAR(map.accuracy_map, brute_accuracy(map.y, 2, 4, -1), 1e-12);
    TEST_NEAR(map.class[3].recall_rows, brute_accuracy(x, D, 4, 3), 1e-12);
    TEST_NEAR(map.class[8].recall_map, brute_accuracy(map.y, 2, 4, 8), 1e-12);
    CU_ASSERT(isnan(map.class[9].recall_map) && map.class[9].count == 60);
    CU_ASSERT_STRING_EQUAL(map.no_accuracy, "");
    s2clr_tsne_map_free(&map);
}

static void says_what_cannot_be_measured(void)
{
    const s2clr_tsne_rows rows = {.count = N, .width = D, .x = x};
    s2clr_tsne_map map = map_of(N / 2);
    CU_ASSERT_EQUAL(s2clr_tsne_map_make(&rows, NULL, NULL, &map), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("--neighbours 300 of 600");
    map = map_of(5);
    map.options.iterations = 2;
    for (size_t i = 0; i < N; i++) class_of[i] = i % 2 ? 2 : CLASSES - 1;
    TEST_OK(s2clr_tsne_map_make(&rows, NULL, NULL, &map));
    CU_ASSERT(isnan(map.accuracy_map) && strstr(map.no_accuracy, "fewer than two classes"));
    s2clr_tsne_map_free(&map);
    map = map_of(5);
    map.options.iterations = 2;
    for (size_t i = 0; i < N; i++) class_of[i] = i < 3 ? (int)i % 2 : CLASSES - 1;
    TEST_OK(s2clr_tsne_map_make(&rows, NULL, NULL, &map));
    CU_ASSERT(isnan(map.accuracy_rows) && strstr(map.no_accuracy, "too few samples"));
    s2clr_tsne_map_free(&map);
}

/* More numbers than components, more than samples. */
static void many_numbers_are_reduced(void)
{
    static double wide[40 * 90];
    const s2clr_tsne_rows rows = {.count = 40, .width = 90, .x = wide};
    s2clr_tsne_map map = map_of(5);
    memcpy(wide, x, sizeof wide);
    map.options.perplexity = 5;
    TEST_OK(s2clr_tsne_map_make(&rows, NULL, NULL, &map));
    CU_ASSERT_EQUAL(map.components, 40);
    TEST_NEAR(map.kept, 1, 1e-12);
    s2clr_tsne_map_free(&map);
}

/* ---- pictures and tables ---- */

static void density_lies_around_its_points(void)
{
    static double density[S2CLR_TSNE_GRID * S2CLR_TSNE_GRID];
    double y[] = {0, 0, 10, 4, 2, 9}, at[2], sum = 0, most;
    const int of[] = {0, 1, 1};
    const s2clr_tsne_map map = {.n = 3, .y = y, .class_of = of};
    const s2clr_tsne_frame frame = s2clr_tsne_frame_of(&map);
    s2clr_tsne_place(&map, &frame, 1, at);
    TEST_NEAR(at[0], 0.96, 1e-12);
    most = s2clr_tsne_density(&map, &frame, 0, density);
    s2clr_tsne_place(&map, &frame, 0, at);
    const size_t column = (size_t)(at[0] * S2CLR_TSNE_GRID),
                 row = (size_t)(at[1] * S2CLR_TSNE_GRID);
    CU_ASSERT_EQUAL(density[row * S2CLR_TSNE_GRID + column], most);
    CU_ASSERT(most > 0.9 && most <= 1);
    CU_ASSERT(column < 4 && row > S2CLR_TSNE_GRID / 2); /* low values of y are at the bottom */
    for (size_t i = 0; i < S2CLR_TSNE_GRID * S2CLR_TSNE_GRID; i++) sum += density[i];
    CU_ASSERT(sum < 2 * acos(-1) * 1.6 * 1.6 && sum > acos(-1) * 1.6 * 1.6);
    CU_ASSERT_EQUAL(s2clr_tsne_density(&map, &frame, 2, density), 0);
}

static const char *file_text(const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return test_text(path);
}

static void writes_page_table_and_json(void)
{
    const s2clr_tsne_rows rows = {.count = N, .width = D, .x = x};
    char path[4200];
    s2clr_tsne_map map;
    model = model_of("page");
    map = map_of(4);
    TEST_OK(s2clr_tsne_map_make(&rows, NULL, NULL, &map));
    snprintf(path, sizeof path, "%s/map.html", test_folder());
    TEST_OK(s2clr_tsne_page(path, &map));
    const char *page = file_text("map.html");
    CU_ASSERT_EQUAL(test_occurrences(page, "<svg "), 2);
    CU_ASSERT_EQUAL(test_occurrences(page, "h0"),
                    N + CLASSES); /* points, and one mark each in the legend */
    CU_ASSERT_EQUAL(test_occurrences(page, "<use href=\"#ground\"/>"), CLASSES);
    CU_ASSERT_EQUAL(test_occurrences(page, "<g"), test_occurrences(page, "</g>"));
    CU_ASSERT_EQUAL(test_occurrences(page, "<text"), test_occurrences(page, "</text>"));
    CU_ASSERT(strstr(page, "&lt;d&gt;") && !strstr(page, "<d>"));
    CU_ASSERT(!strstr(page, "nan") && !strstr(page, "<script"));
    snprintf(path, sizeof path, "%s/map.csv", test_folder());
    TEST_OK(s2clr_tsne_csv(path, &map));
    const char *table = file_text("map.csv");
    CU_ASSERT_EQUAL(test_occurrences(table, "\n"), N + 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(table, "name,class,x,y\npatch,\"Rice, \"\"wet\"\"\","));
    CU_ASSERT_PTR_NOT_NULL(strstr(table, "\n\"a,b\",b,"));
    CU_ASSERT_EQUAL(test_occurrences(table, "\npatch,,"), N / CLASSES);
    json_t *json = s2clr_tsne_json(&map);
    CU_ASSERT_EQUAL(json_real_value(json_object_get(json, "trustworthiness")), map.trust);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json, "classes")), CLASSES);
    CU_ASSERT_EQUAL(json_object_size(json), 21);
    json_decref(json);
    CU_ASSERT_EQUAL(s2clr_tsne_csv("/nowhere/at/all.csv", &map), S2CLR_ERR_IO);
    CU_ASSERT_EQUAL(s2clr_tsne_page("/nowhere/at/all.html", &map), S2CLR_ERR_IO);
    s2clr_tsne_map_free(&map);
    s2clr_model_close(model);
}

static const test_case cases[] = {
    {"layers are what they say", layers_are_what_they_say},
    {"measures what it says", measures_what_it_says},
    {"says what cannot be measured", says_what_cannot_be_measured},
    {"many numbers are reduced", many_numbers_are_reduced},
    {"density lies around its points", density_lies_around_its_points},
    {"writes page, table and JSON", writes_page_table_and_json},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("tsne_map", cases, argc, argv);
}
