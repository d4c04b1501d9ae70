/*
 * The contrastive loss on the device. The cosines of all views with all others would be the largest
 * matrix of a training step, so they are never there at once: a block of rows is multiplied
 * (cuBLASLt), reduced and, for the gradient, multiplied again. Every view needs the sums of all
 * others before its gradient can be told: blocks are computed twice.
 */
#include <string.h>

#include "backend/backend_training.h"
#include "backend/cuda_matmul.h"
#include "base/memory.h"

enum {
    BLOCK_SHARE = 4, /* of the device's limit for workspaces: at most a quarter are cosines */
    ROWS_STEP = 16,  /* every block begins at a multiple of 64 bytes, whatever d */
    SLICES = 64      /* of a row that is reduced */
};

#define LAUNCH(l, stream, kernel, args)                                                            \
    s2clr_cuda_check_launch(s2clr_cuda_launch_##kernel((stream)->stream, (args)), (l)->device,     \
                            #kernel)

/* Of blocks of one number of rows: u u_block, and u pull_block. */
typedef struct block_products {
    cuda_matmul cosines, gradient;
} block_products;

/* Letters: M views, D numbers of an embedding, R rows of a block. All arrays on the device lie in
 * `memory`. */
struct s2clr_contrast_loss {
    s2clr_device *device;
    size_t views, d, rows;      // M, D, R
    block_products whole, last; /* of R rows, and of what is left; the second may have none */
    void *memory;
    float *u;                  // (M, D)
    float *z;                  // (M, D) and then its gradient
    double *norm, *log, *cost; // (M)
    double *partial;           // (R, SLICES, 2)
    float *cosine;             // (R, M)
    void *workspace;           /* of products */
    int32_t *place;            // (M / 2)
    double *host_cost;         // (M) on the host
};

/* ---- sizes ---- */

static size_t at_most(size_t value, size_t limit)
{
    return value < limit ? value : limit;
}

static size_t rows_of(const s2clr_device *device, size_t views)
{
    const size_t cosines = device->workspace_limit / BLOCK_SHARE / sizeof(float);
    const size_t most = cosines / views / ROWS_STEP * ROWS_STEP;
    return at_most(views, most ? most : ROWS_STEP);
}

/* An array to be laid out: where its address goes, elements and their size. */
typedef struct array {
    void *at;
    size_t rows, columns, element;
} array;

/* Places one array behind the other; with `base` NULL they are nowhere, but *total is found. */
static s2clr_status lay_out(s2clr_contrast_loss *l, char *base, size_t workspace, size_t *total)
{
    const array arrays[] = {{&l->u, l->views, l->d, sizeof(float)},
                            {&l->z, l->views, l->d, sizeof(float)},
                            {&l->norm, l->views, 1, sizeof(double)},
                            {&l->log, l->views, 1, sizeof(double)},
                            {&l->cost, l->views, 1, sizeof(double)},
                            {&l->partial, l->rows, SLICES * 2, sizeof(double)},
                            {&l->cosine, l->rows, l->views, sizeof(float)},
                            {&l->workspace, workspace, 1, 1},
                            {&l->place, l->views / 2, 1, sizeof(int32_t)}};
    size_t at = 0;
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        size_t bytes;
        S2CLR_TRY(s2clr_size_mul(arrays[i].rows, arrays[i].columns, &bytes));
        S2CLR_TRY(s2clr_size_mul(bytes, arrays[i].element, &bytes));
        void *const place = base ? base + at : NULL;
        memcpy(arrays[i].at, &place, sizeof place);
        S2CLR_TRY(s2clr_size_add(at, bytes, &at));
        S2CLR_TRY(s2clr_size_add(at, CUDA_ALIGN - 1, &at));
        at = at / CUDA_ALIGN * CUDA_ALIGN;
    }
    *total = at;
    return S2CLR_OK;
}

static s2clr_status sized(const s2clr_device *device, size_t n, size_t d, s2clr_contrast_loss *out)
{
    size_t views;
    S2CLR_TRY(s2clr_size_mul(n, 2, &views));
    *out = (s2clr_contrast_loss){.views = views, .d = d, .rows = rows_of(device, views)};
    return S2CLR_OK;
}

static s2clr_status bytes(const s2clr_device *device, size_t n, size_t d, size_t *out)
{
    s2clr_contrast_loss l;
    S2CLR_TRY(sized(device, n, d, &l));
    return lay_out(&l, NULL, CUDA_MATMUL_WORKSPACE, out);
}

/* ---- life ---- */

/* Columns are what rows are here: u (M, D) is a D x M matrix to cuBLASLt. */
static s2clr_status products_new(const s2clr_contrast_loss *l, size_t rows, block_products *out)
{
    const cuda_product cosines = {.a = {l->d, l->views, true},
                                  .b = {l->d, rows, false},
                                  .element = CUDA_FLOAT32,
                                  .result = CUDA_FLOAT32,
                                  .exact = true};
    const cuda_product gradient = {.a = {l->d, l->views, false},
                                   .b = {l->views, rows, false},
                                   .element = CUDA_FLOAT32,
                                   .result = CUDA_FLOAT32,
                                   .exact = true};
    S2CLR_TRY(s2clr_cuda_matmul_new(l->device, &cosines, &out->cosines));
    return s2clr_cuda_matmul_new(l->device, &gradient, &out->gradient);
}

static size_t products_workspace(const block_products *products)
{
    const size_t a = products->cosines.workspace_bytes, b = products->gradient.workspace_bytes;
    return a > b ? a : b;
}

static void close_loss(s2clr_contrast_loss *l)
{
    if (!l) return;
    CUDA_USE_QUIETLY(l->device);
    cuda_matmul *const products[] = {&l->whole.cosines, &l->whole.gradient, &l->last.cosines,
                                     &l->last.gradient};
    for (size_t i = 0; i < 4; i++) s2clr_cuda_matmul_free(products[i]);
    s2clr_cuda_memory_free(l->device, l->memory);
    s2clr_free(l->host_cost);
    s2clr_free(l);
}

static s2clr_status furnish(s2clr_contrast_loss *l)
{
    const size_t left = l->views % l->rows;
    size_t workspace, total;
    S2CLR_TRY(
        s2clr_alloc(l->views, sizeof *l->host_cost, "contrastive loss", (void **)&l->host_cost));
    S2CLR_TRY(products_new(l, l->rows, &l->whole));
    if (left) S2CLR_TRY(products_new(l, left, &l->last));
    workspace = products_workspace(&l->whole);
    if (products_workspace(&l->last) > workspace) workspace = products_workspace(&l->last);
    S2CLR_TRY(lay_out(l, NULL, workspace, &total));
    S2CLR_TRY(s2clr_cuda_memory_new(l->device, total, "contrastive loss", &l->memory));
    return lay_out(l, l->memory, workspace, &total);
}

static s2clr_status open_loss(s2clr_device *device, size_t n, size_t d, s2clr_contrast_loss **out)
{
    s2clr_contrast_loss *l;
    CUDA_USE(device);
    S2CLR_TRY(s2clr_alloc(1, sizeof *l, "contrastive loss", (void **)&l));
    s2clr_status status = sized(device, n, d, l);
    l->device = device;
    if (status == S2CLR_OK) status = furnish(l);
    if (status != S2CLR_OK) {
        close_loss(l);
        return status;
    }
    *out = l;
    return S2CLR_OK;
}

/* ---- one batch ---- */

typedef struct block {
    size_t first, rows;
    const block_products *products;
} block;

static block block_at(const s2clr_contrast_loss *l, size_t first)
{
    const size_t rows = at_most(l->rows, l->views - first);
    return (block){first, rows, rows == l->rows ? &l->whole : &l->last};
}

static s2clr_status cosines(const s2clr_contrast_loss *l, s2clr_stream *stream, const block *b)
{
    const cuda_matmul_tensors tensors = {.a = l->u, .b = l->u + b->first * l->d, .d = l->cosine};
    return s2clr_cuda_matmul_run(&b->products->cosines, stream, &tensors, l->workspace);
}

static s2clr_status cost_of(const s2clr_contrast_loss *l, s2clr_stream *stream,
                            const cuda_views *views, const block *b)
{
    const cuda_contrast_slice_args slice = {.views = *views,
                                            .first = b->first,
                                            .rows = b->rows,
                                            .slices = SLICES,
                                            .cosine = l->cosine,
                                            .partial = l->partial};
    const cuda_contrast_cost_args cost = {.views = *views,
                                          .first = b->first,
                                          .rows = b->rows,
                                          .slices = SLICES,
                                          .cosine = l->cosine,
                                          .partial = l->partial,
                                          .log = l->log,
                                          .cost = l->cost};
    S2CLR_TRY(cosines(l, stream, b));
    S2CLR_TRY(LAUNCH(l, stream, contrast_slice, slice));
    return LAUNCH(l, stream, contrast_cost, cost);
}

static s2clr_status gradient_of(const s2clr_contrast_loss *l, s2clr_stream *stream,
                                const cuda_views *views, const block *b)
{
    const cuda_contrast_pull_args pull = {
        .views = *views, .first = b->first, .rows = b->rows, .log = l->log, .cosine = l->cosine};
    const cuda_matmul_tensors tensors = {.a = l->u, .b = l->cosine, .d = l->z + b->first * l->d};
    S2CLR_TRY(cosines(l, stream, b));
    S2CLR_TRY(LAUNCH(l, stream, contrast_pull, pull));
    return s2clr_cuda_matmul_run(&b->products->gradient, stream, &tensors, l->workspace);
}

static s2clr_status queue_gradient(const s2clr_contrast_loss *l, s2clr_stream *stream,
                                   const cuda_views *views)
{
    const cuda_contrast_turn_args turn = {
        .views = *views, .u = l->u, .norm = l->norm, .gradient = l->z};
    for (size_t first = 0; first < l->views; first += l->rows) {
        const block b = block_at(l, first);
        S2CLR_TRY(gradient_of(l, stream, views, &b));
    }
    return LAUNCH(l, stream, contrast_turn, turn);
}

static s2clr_status queue_loss(const s2clr_contrast_loss *l, s2clr_stream *stream,
                               const cuda_views *views)
{
    const cuda_contrast_unit_args unit = {.views = *views, .z = l->z, .u = l->u, .norm = l->norm};
    S2CLR_TRY(LAUNCH(l, stream, contrast_unit, unit));
    for (size_t first = 0; first < l->views; first += l->rows) {
        const block b = block_at(l, first);
        S2CLR_TRY(cost_of(l, stream, views, &b));
    }
    return S2CLR_OK;
}

static s2clr_status run(s2clr_contrast_loss *l, s2clr_stream *stream, const float *z,
                        const int *place, double temperature, double *value, float *dz)
{
    _Static_assert(sizeof *place == sizeof *l->place, "numbers of places travel as they are");
    const size_t z_bytes = l->views * l->d * sizeof *z;
    const cuda_views views = {
        .count = l->views, .d = l->d, .place = place ? l->place : NULL, .temperature = temperature};
    double sum = 0;
    CUDA_USE(l->device);
    S2CLR_TRY(s2clr_cuda_to_device(stream, z, z_bytes, l->z));
    if (place)
        S2CLR_TRY(s2clr_cuda_to_device(stream, place, l->views / 2 * sizeof *place, l->place));
    S2CLR_TRY(queue_loss(l, stream, &views));
    if (dz) S2CLR_TRY(queue_gradient(l, stream, &views));
    S2CLR_TRY(s2clr_cuda_to_host(stream, l->cost, l->views * sizeof *l->cost, l->host_cost));
    if (dz) S2CLR_TRY(s2clr_cuda_to_host(stream, l->z, z_bytes, dz));
    for (size_t i = 0; i < l->views; i++) sum += l->host_cost[i];
    *value = sum / (double)l->views;
    return S2CLR_OK;
}

const s2clr_backend_contrast s2clr_cuda_contrast = {
    .bytes = bytes, .open = open_loss, .close = close_loss, .run = run};
