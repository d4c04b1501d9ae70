/* From a view to values: what waits for the first pixel, and the streaming run. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "predict/pview.h"
#include "predict/stream.h"

/* Memory for one run, inside a host that has plans of its own. */
#define SHARE 8
#define LEAST_BYTES ((size_t)256 << 20)
#define MOST_BYTES ((size_t)1024 << 20)

/* ---- getting ready ---- */

static int thread_count(const s2clr_view *view)
{
    if (view->settings.threads) return view->settings.threads;
    const char *wish = CPLGetConfigOption("GDAL_NUM_THREADS", "ALL_CPUS");
    const int count = atoi(wish);
    return count > 0 && count <= 1024 ? count : 0;
}

static void drop_engine(s2clr_view *view)
{
    if (view->engine) view->units += s2clr_engine_units(view->engine);
    s2clr_engine_free(view->engine);
    view->engine = NULL;
}

s2clr_status s2clr_view_ready(s2clr_view *view)
{
    const s2clr_engine_options options = {.min_valid = view->settings.min_valid,
                                          .prevalence = view->settings.prevalence};
    if (!view->stack) S2CLR_TRY(s2clr_view_open_stack(view));
    if (!view->runtime)
        S2CLR_TRY(s2clr_runtime_acquire(view->model, view->settings.device, S2CLR_F32,
                                        thread_count(view), view->bands.aim, &view->runtime));
    if (!view->engine)
        S2CLR_TRY(s2clr_engine_new(view->runtime, &view->grid, &options, &view->engine));
    if (!view->has_key) s2clr_view_make_key(view);
    return S2CLR_OK;
}

/* ---- the run ---- */

typedef struct sink {
    const s2clr_view *view;
    const s2clr_view_window *window;
    float *out;    // (bands, rows, columns) of the window
    float *planes; // (bands, rows, columns) of a piece
    size_t room;   /* floats in planes */
} sink;

static s2clr_status take_piece(void *context, const s2clr_stream_piece *piece)
{
    static const s2clr_values nothing = {0};
    sink *s = context;
    const s2clr_view_window *window = s->window;
    const size_t width = (size_t)piece->columns, pixels = width * (size_t)piece->rows;
    const size_t bands = (size_t)s->view->bands.count;
    if (pixels * bands > s->room) {
        s2clr_free(s->planes);
        s->planes = NULL;
        s->room = 0;
        S2CLR_TRY(
            s2clr_alloc(pixels * bands, sizeof(float), "bands of a piece", (void **)&s->planes));
        s->room = pixels * bands;
    }
    s2clr_output_bands_fill(&s->view->bands, piece->empty ? &nothing : &piece->values, pixels,
                            s->planes);
    for (size_t band = 0; band < bands; band++)
        for (int r = 0; r < piece->rows; r++) {
            const size_t row = band * (size_t)window->rows + (size_t)(piece->row - window->row + r);
            memcpy(s->out + row * (size_t)window->columns + (piece->column - window->column),
                   s->planes + band * pixels + (size_t)r * width, width * sizeof *s->out);
        }
    return S2CLR_OK;
}

static size_t memory_bytes(void)
{
    const size_t share = s2clr_memory_available() / SHARE;
    return share < LEAST_BYTES ? LEAST_BYTES : share > MOST_BYTES ? MOST_BYTES : share;
}

s2clr_status s2clr_view_compute(s2clr_view *view, const s2clr_view_window *window, float *out,
                                const s2clr_progress *progress)
{
    sink s = {.view = view, .window = window, .out = out};
    const s2clr_stream_request request = {
        .window = {window->column, window->row, window->columns, window->rows},
        .factor = window->factor,
        .memory = memory_bytes(),
        .valid = view->bands.valid,
        .evidence = view->bands.evidence,
        .done = take_piece,
        .context = &s,
        .progress = progress,
        .to = 1};
    s2clr_status status = s2clr_stack_files_check(&view->files, view->name);
    if (status == S2CLR_OK) status = s2clr_stream_run(view->engine, view->stack, &request, NULL);
    s2clr_free(s.planes);
    if (status != S2CLR_OK && status != S2CLR_ERR_CANCELLED) {
        /* A dataset that failed may go on failing: the next read opens the inputs anew. */
        drop_engine(view);
        s2clr_stack_close(view->stack);
        view->stack = NULL;
    }
    return status;
}
