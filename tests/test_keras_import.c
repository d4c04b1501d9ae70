/* Weights of Keras: files in both of its layouts are written with libhdf5 and read back. What the
 * layers of keras.applications are called stands here once more; tests/golden/import_check.py asks
 * Keras itself. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "export_rig.h"
#include "file/inflate.h"
#include "import_weights/keras_weights.h"

/* ---- inflating ---- */

static s2clr_net *net_of(const char *arch, int channels, int width, int outputs)
{
    s2clr_arch asked = {.channels = channels, .outputs = outputs, .width = width};
    s2clr_net *net = NULL;
    snprintf(asked.name, sizeof asked.name, "%s", arch);
    TEST_OK(s2clr_net_new(&asked, &net));
    CU_ASSERT_PTR_NOT_NULL_FATAL(net);
    return net;
}

static float *params_of(const s2clr_net *net)
{
    float *params = calloc(s2clr_net_param_count(net), sizeof *params);
    CU_ASSERT_PTR_NOT_NULL_FATAL(params);
    return params;
}

static s2clr_status inflate(const char *order, const char *const *bands, int count,
                            const float *from, float *to)
{
    s2clr_card *card = NULL;
    s2clr_net *rgb = net_of("resnet18", 3, 4, 1), *net = net_of("resnet18", count, 4, 1);
    TEST_OK(s2clr_card_new(&card));
    card->bands = count;
    for (int b = 0; b < count; b++) strcpy(card->band[b], bands[b]);
    const s2clr_status status = s2clr_inflate(rgb, from, net, card, order, to);
    s2clr_card_free(card), s2clr_net_free(rgb), s2clr_net_free(net);
    return status;
}

static void colours_go_to_their_bands(void)
{
    static const char *const bands[] = {"B02", "B03", "B04", "B08", "B11"};
    s2clr_net *rgb = net_of("resnet18", 3, 4, 1), *net = net_of("resnet18", 5, 4, 1);
    float *from = params_of(rgb), *to = params_of(net);
    enum { AREA = 49 };
    export_weights(rgb, 3, from);
    for (int order = 0; order < 2; order++) {
        TEST_OK(inflate(order ? "bgr" : "rgb", bands, 5, from, to));
        for (int o = 0; o < 4; o++) {
            for (int k = 0; k < AREA; k++) {
                const float *w = from + o * 3 * AREA + k, *v = to + o * 5 * AREA + k;
                const double red = (double)w[order ? 2 * AREA : 0], green = (double)w[AREA],
                             blue = (double)w[order ? 0 : 2 * AREA];
                TEST_NEAR(v[2 * AREA], red * 3 / 5, 1e-7);
                TEST_NEAR(v[AREA], green * 3 / 5, 1e-7);
                TEST_NEAR(v[0], blue * 3 / 5, 1e-7);
                TEST_NEAR(v[3 * AREA], (red + green + blue) / 5, 1e-7);
                TEST_NEAR(v[4 * AREA], (red + green + blue) / 5, 1e-7);
                double sum = 0; /* equal input in all bands: the response of before */
                for (int b = 0; b < 5; b++) sum += (double)v[b * AREA];
                TEST_NEAR(sum, red + green + blue, 1e-6);
            }
        }
        const size_t rest = s2clr_net_param_count(rgb) - 4 * 3 * AREA;
        CU_ASSERT_EQUAL(memcmp(from + 4 * 3 * AREA, to + 4 * 5 * AREA, 4 * rest), 0);
    }
    static const char *const lacking[] = {"B02", "B03", "B08", "B11", "B12"};
    CU_ASSERT_EQUAL(inflate("rgb", lacking, 5, from, to), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("2 of the bands B04, B03 and B02");
    free(from), free(to), s2clr_net_free(rgb), s2clr_net_free(net);
}

#if S2CLR_HAVE_HDF5
#include <hdf5.h>

static const char *path_of(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    return path;
}

/* ---- writing as Keras does ---- */

typedef struct keras_writer {
    hid_t file;
    bool numbered;     /* Keras 3 */
    bool scale;        /* batch norms have gamma */
    const char *leave; /* layer that is left out, or NULL */
    const char *spoil; /* layer whose arrays get a wrong shape, or NULL */
    int layers;
} keras_writer;

static void put_array(hid_t group, const char *name, int rank, const hsize_t *dims,
                      const float *values)
{
    const hid_t space = H5Screate_simple(rank, dims, NULL);
    const hid_t set =
        H5Dcreate2(group, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(set), H5Sclose(space);
}

static hid_t make_group(hid_t parent, const char *path)
{
    const hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    const hid_t group = H5Gcreate2(parent, path, links, H5P_DEFAULT, H5P_DEFAULT);
    H5Pclose(links);
    CU_ASSERT_FATAL(group >= 0);
    return group;
}

static hid_t make_layer(keras_writer *w, const char *layer)
{
    char path[300];
    if (!w->numbered) {
        snprintf(path, sizeof path, "/%s/%s", layer, layer);
        return make_group(w->file, path);
    }
    snprintf(path, sizeof path, "/layers/any_%d/vars", w->layers++);
    const hid_t group = make_group(w->file, path), type = H5Tcopy(H5T_C_S1),
                space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t name = H5Acreate2(group, "name", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(name, type, &layer);
    H5Aclose(name), H5Sclose(space), H5Tclose(type);
    return group;
}

/* Values in Keras' order of dimensions. */
static float *turned(const s2clr_param *p, const float *from, bool depthwise, hsize_t dims[4])
{
    float *to = calloc(p->count, sizeof *to);
    const int o = p->dims[0], i = p->rank > 1 ? p->dims[1] : 1;
    const int area = p->rank == 4 ? p->dims[2] * p->dims[3] : 1;
    for (int a = 0; a < o; a++)
        for (int b = 0; b < i; b++)
            for (int k = 0; k < area; k++)
                to[depthwise ? k * o + a : (k * i + b) * o + a] = from[(a * i + b) * area + k];
    if (p->rank == 1) dims[0] = (hsize_t)o;
    if (p->rank == 2) dims[0] = (hsize_t)i, dims[1] = (hsize_t)o;
    if (p->rank == 4) {
        dims[0] = (hsize_t)p->dims[2], dims[1] = (hsize_t)p->dims[3];
        dims[2] = (hsize_t)(depthwise ? o : i), dims[3] = (hsize_t)(depthwise ? i : o);
    }
    return to;
}

static void put_param(keras_writer *w, const char *layer, hid_t group, const s2clr_param *p,
                      const float *params, const char *name, int number)
{
    char digits[12];
    hsize_t dims[4] = {0};
    float *values = turned(p, params + p->offset, strncmp(name, "depthwise", 9) == 0, dims);
    snprintf(digits, sizeof digits, "%d", number);
    if (w->spoil && strcmp(layer, w->spoil) == 0) dims[p->rank - 1]--;
    put_array(group, w->numbered ? digits : name, p->rank, dims, values);
    free(values);
}

/* One or two nodes of the network as one layer; `name` decides which of them. */
static void put_layer(keras_writer *w, const s2clr_net *net, const float *params, const char *layer,
                      int node, int second)
{
    static const struct {
        s2clr_param_role role;
        const char *name;
    } roles[] = {{S2CLR_PARAM_WEIGHT, "kernel:0"},
                 {S2CLR_PARAM_BIAS, "bias:0"},
                 {S2CLR_PARAM_GAMMA, "gamma:0"},
                 {S2CLR_PARAM_BETA, "beta:0"},
                 {S2CLR_PARAM_RUNNING_MEAN, "moving_mean:0"},
                 {S2CLR_PARAM_RUNNING_VAR, "moving_variance:0"}};
    const s2clr_param *list;
    int number = 0;
    s2clr_net_param_list(net, &list);
    if (w->leave && strcmp(layer, w->leave) == 0) return;
    const hid_t group = make_layer(w, layer);
    for (size_t r = 0; r < sizeof roles / sizeof *roles; r++) {
        const int at = s2clr_net_param_of(net, node, roles[r].role);
        const bool separable = second >= 0 && roles[r].role == S2CLR_PARAM_WEIGHT;
        if (at < 0 || (roles[r].role == S2CLR_PARAM_GAMMA && !w->scale)) continue;
        put_param(w, layer, group, &list[at], params,
                  separable ? "depthwise_kernel:0" : roles[r].name, number++);
        if (separable)
            put_param(w, layer, group, &list[s2clr_net_param_of(net, second, roles[r].role)],
                      params, "pointwise_kernel:0", number++);
    }
    H5Gclose(group);
}

/* keras.applications' ResNet50, layer by layer in the order of our nodes. */
static void put_resnet50(keras_writer *w, const s2clr_net *net, const float *params)
{
    static const int blocks[] = {3, 4, 6, 3};
    const char *const first[] = {"1_conv", "1_bn", "2_conv", "2_bn",
                                 "3_conv", "3_bn", "0_conv", "0_bn"};
    const char *queue[200];
    static char names[200][40];
    int count = 0;
    strcpy(names[count++], "conv1_conv");
    strcpy(names[count++], "conv1_bn");
    for (int s = 0; s < 4; s++)
        for (int b = 0; b < blocks[s]; b++)
            for (int k = 0; k < (b ? 6 : 8); k++)
                snprintf(names[count++], 40, "conv%d_block%d_%s", s + 2, b + 1, first[k]);
    strcpy(names[count++], "predictions");
    for (int i = 0; i < count; i++) queue[i] = names[i];
    int at = 0;
    for (size_t i = 0; i < s2clr_net_node_count(net); i++) {
        const s2clr_node_kind kind = s2clr_net_node(net, i)->kind;
        if (kind != S2CLR_NODE_CONV && kind != S2CLR_NODE_BATCHNORM) continue;
        put_layer(w, net, params, queue[at++], (int)i, -1);
    }
}

/* InceptionV3: numbers that begin somewhere, batch norms without gamma. */
static void put_inception(keras_writer *w, const s2clr_net *net, const float *params)
{
    int convs = 7, norms = 95;
    for (size_t i = 0; i < s2clr_net_node_count(net); i++) {
        const s2clr_node *node = s2clr_net_node(net, i);
        char name[40];
        if (node->kind == S2CLR_NODE_BATCHNORM)
            snprintf(name, sizeof name, "batch_normalization_%d", norms++);
        else if (node->kind == S2CLR_NODE_CONV && node->linear)
            snprintf(name, sizeof name, "predictions");
        else if (node->kind == S2CLR_NODE_CONV)
            snprintf(name, sizeof name, "conv2d_%d", convs++);
        else
            continue;
        put_layer(w, net, params, name, (int)i, -1);
    }
}

/* Separable convolutions are two of our nodes, the second one the pointwise one. */
static void put_xception(keras_writer *w, const s2clr_net *net, const float *params)
{
    static const char *const ends[] = {"block1_conv1", "block1_conv1_bn", "block1_conv2",
                                       "block1_conv2_bn"};
    int plain = 0, block = 2, part = 1, skips = 0, norms = 0;
    for (size_t i = 0; i < s2clr_net_node_count(net); i++) {
        const s2clr_node *node = s2clr_net_node(net, i);
        const bool norm = node->kind == S2CLR_NODE_BATCHNORM;
        char name[40];
        if (node->kind != S2CLR_NODE_CONV && !norm) continue;
        if (plain < 4) {
            put_layer(w, net, params, ends[plain++], (int)i, -1);
            continue;
        }
        if (node->linear) {
            put_layer(w, net, params, "predictions", (int)i, -1);
            continue;
        }
        if (strstr(node->name, "skip")) {
            const char *base = norm ? "batch_normalization" : "conv2d";
            const int number = norm ? norms++ : skips++;
            snprintf(name, sizeof name, number ? "%s_%d" : "%s", base, number);
            put_layer(w, net, params, name, (int)i, -1);
            continue;
        }
        snprintf(name, sizeof name, "block%d_sepconv%d%s", block, part, norm ? "_bn" : "");
        put_layer(w, net, params, name, (int)i, norm ? -1 : (int)i + 1);
        i += !norm;
        if (!norm) continue;
        const int parts = block >= 5 && block <= 12 ? 3 : 2;
        part = part == parts ? 1 : part + 1;
        block += part == 1;
    }
}

typedef void (*put_fn)(keras_writer *w, const s2clr_net *net, const float *params);

static const char *write_file(const s2clr_net *net, const float *params, put_fn put,
                              keras_writer how)
{
    const char *path = path_of("k.h5");
    how.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    CU_ASSERT_FATAL(how.file >= 0);
    put(&how, net, params);
    CU_ASSERT(H5Fclose(how.file) >= 0);
    return path;
}

static void check_both_layouts(const char *arch, int width, put_fn put, bool scale)
{
    s2clr_net *net = net_of(arch, 3, width, 1);
    const size_t count = s2clr_net_param_count(net);
    float *params = params_of(net), *read = params_of(net);
    const s2clr_param *list;
    const size_t params_count = s2clr_net_param_list(net, &list);
    export_weights(net, 8, params);
    for (size_t i = 0; i < params_count && !scale; i++)
        for (size_t j = 0; list[i].role == S2CLR_PARAM_GAMMA && j < list[i].count; j++)
            params[list[i].offset + j] = 1;
    for (int numbered = 0; numbered < 2; numbered++) {
        memset(read, 0, count * sizeof *read);
        const char *path =
            write_file(net, params, put, (keras_writer){.numbered = numbered, .scale = scale});
        CU_ASSERT_TRUE(s2clr_keras_identify(path));
        TEST_OK(s2clr_keras_load(path, net, read));
        CU_ASSERT_EQUAL(memcmp(params, read, count * sizeof *read), 0);
    }
    free(params), free(read), s2clr_net_free(net);
}

static void layers_are_found_in_both_layouts(void)
{
    check_both_layouts("resnet50-keras", 3, put_resnet50, true);
    check_both_layouts("xception-keras", 3, put_xception, true);
    check_both_layouts("inceptionv3-keras", 2, put_inception, false);
}

static void an_encoder_leaves_the_classes(void)
{
    s2clr_net *net = net_of("resnet50-keras", 3, 3, 5),
              *encoder = net_of("resnet50-keras", 3, 3, 0);
    float *params = params_of(net), *read = params_of(encoder);
    export_weights(net, 8, params);
    TEST_OK(s2clr_keras_load(write_file(net, params, put_resnet50, (keras_writer){.scale = true}),
                             encoder, read));
    CU_ASSERT_EQUAL(memcmp(params, read, 3 * 3 * 49 * sizeof *read), 0);
    free(params), free(read), s2clr_net_free(net), s2clr_net_free(encoder);
}

static void refused(const s2clr_net *net, const char *path, const char *says)
{
    float *read = params_of(net);
    s2clr_error_clear();
    CU_ASSERT_NOT_EQUAL(s2clr_keras_load(path, net, read), S2CLR_OK);
    TEST_ERROR_SAYS(path);
    TEST_ERROR_SAYS(says);
    free(read);
}

static void wrong_files_are_refused(void)
{
    s2clr_net *net = net_of("resnet50-keras", 3, 3, 1), *other = net_of("resnet50", 3, 3, 1);
    s2clr_net *wide = net_of("resnet50-keras", 12, 3, 1);
    s2clr_net *inception = net_of("inceptionv3-keras", 3, 2, 1);
    float *params = params_of(net);
    export_weights(net, 8, params);
    keras_writer how = {.scale = true, .leave = "conv3_block2_2_bn"};
    refused(net, write_file(net, params, put_resnet50, how),
            "layer 'conv3_block2_2_bn' has no array 'gamma', which resnet50-keras needs");
    how = (keras_writer){.scale = true, .leave = "predictions"};
    refused(net, write_file(net, params, put_resnet50, how), "Import it as an encoder");
    how = (keras_writer){.scale = true, .spoil = "conv2_block1_1_conv"};
    refused(
        net, write_file(net, params, put_resnet50, how),
        "has shape (1, 1, 3, 2), resnet50-keras with 3 channels and 1 outputs wants (1, 1, 3, 3)");
    how = (keras_writer){.numbered = true, .scale = true};
    const char *path = write_file(net, params, put_resnet50, how);
    refused(other, path, "architecture resnet50 takes safetensors");
    refused(wide, path, "--inflate");
    refused(inception, path, "the file holds the weights of another network");
    free(params), s2clr_net_free(net), s2clr_net_free(other), s2clr_net_free(wide);
    s2clr_net_free(inception);
}

static void damaged_files_are_refused(void)
{
    s2clr_net *net = net_of("resnet50-keras", 3, 3, 1);
    float *params = params_of(net), *read = params_of(net);
    export_weights(net, 8, params);
    const char *path = write_file(net, params, put_resnet50, (keras_writer){.scale = true});
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    fclose(file);
    for (long cut = 1; cut < 6; cut++) { /* the library knows its own length */
        CU_ASSERT_EQUAL(truncate(path, size - size * cut / 6), 0);
        refused(net, path, "not a readable HDF5 file: it may be cut off");
    }
    const hid_t empty = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t dims[1] = {4};
    put_array(empty, "values", 1, dims, params);
    H5Lcreate_external("/etc/passwd", "/", empty, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(empty, "/", empty, "again", H5P_DEFAULT, H5P_DEFAULT); /* a circle */
    H5Fclose(empty);
    refused(net, path, "lies too deep");
    free(params), free(read), s2clr_net_free(net);
}

#else
static void layers_are_found_in_both_layouts(void)
{
    float x = 0;
    s2clr_net *net = net_of("resnet50-keras", 3, 3, 1);
    CU_ASSERT_EQUAL(s2clr_keras_load("k.h5", net, &x), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("k.h5: HDF5 cannot be read");
    s2clr_net_free(net);
}

static void an_encoder_leaves_the_classes(void)
{
    test_skip("built without libhdf5");
}
#define wrong_files_are_refused an_encoder_leaves_the_classes
#define damaged_files_are_refused an_encoder_leaves_the_classes
#endif

static const test_case cases[] = {
    {"colours go to their bands", colours_go_to_their_bands},
    {"layers are found in both layouts", layers_are_found_in_both_layouts},
    {"an encoder leaves the classes", an_encoder_leaves_the_classes},
    {"wrong files are refused", wrong_files_are_refused},
    {"damaged files are refused", damaged_files_are_refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("keras_import", cases, argc, argv);
}
