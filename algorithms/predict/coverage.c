#include <string.h>

#include "base/memory.h"
#include "predict/pengine.h"

/* Output rows counted by one item: enough to earn back the first row's P additions. */
#define BAND_ROWS 16

typedef struct coverage_job {
    const s2clr_grid *grid;
    const s2clr_block *block;
    uint32_t *scratch; // (threads, 2 * w + 1)
    uint32_t *count;   // (rows, columns)
} coverage_job;

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* Adds rows [from, to) of the mask to the column sums, or takes them away. Counts are exact, so
 * running sums are as good as fresh ones. */
static void add_rows(const s2clr_block *block, int64_t from, int64_t to, bool take_away,
                     uint32_t *sum)
{
    for (int64_t y = from; y < to; y++) {
        const uint8_t *row = block->valid + (size_t)y * (size_t)block->w;
        if (take_away)
            for (int x = 0; x < block->w; x++) sum[x] -= row[x] != 0;
        else
            for (int x = 0; x < block->w; x++) sum[x] += row[x] != 0;
    }
}

/* One row of counts from the column sums; differences of prefix sums are right modulo 2^32. */
static void count_row(const coverage_job *job, const uint32_t *sum, uint32_t *prefix,
                      uint32_t *count)
{
    const s2clr_block *block = job->block;
    prefix[0] = 0;
    for (int x = 0; x < block->w; x++) prefix[x + 1] = prefix[x] + sum[x];
    for (int i = 0; i < block->columns; i++) {
        const int64_t left = s2clr_grid_start(job->grid, block->column + i) - block->x0;
        const int64_t a = clamp(left, 0, block->w);
        const int64_t b = clamp(left + job->grid->patch, 0, block->w);
        count[i] = prefix[b] - prefix[a];
    }
}

static s2clr_status count_band(void *context, size_t item, int worker)
{
    const coverage_job *job = context;
    const s2clr_block *block = job->block;
    const size_t w = (size_t)block->w;
    uint32_t *sum = job->scratch + (size_t)worker * (2 * w + 1), *prefix = sum + w;
    const int first = (int)item * BAND_ROWS;
    int64_t from = 0, to = 0;
    memset(sum, 0, w * sizeof *sum);
    for (int i = first; i < first + BAND_ROWS && i < block->rows; i++) {
        const int64_t top = s2clr_grid_start(job->grid, block->row + i) - block->y0;
        const int64_t a = clamp(top, 0, block->h);
        const int64_t b = clamp(top + job->grid->patch, 0, block->h);
        if (a >= to) { /* nothing shared with the row before */
            memset(sum, 0, w * sizeof *sum);
            from = to = a;
        }
        add_rows(block, from, a, true, sum);
        add_rows(block, to, b, false, sum);
        from = a;
        to = b;
        count_row(job, sum, prefix, job->count + (size_t)i * (size_t)block->columns);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_coverage_count(s2clr_pool *pool, const s2clr_grid *grid,
                                  const s2clr_block *block, uint32_t *count)
{
    coverage_job job = {.grid = grid, .block = block, .count = count};
    const size_t items = ((size_t)block->rows + BAND_ROWS - 1) / BAND_ROWS;
    size_t words;
    S2CLR_TRY(s2clr_size_mul(2 * (size_t)block->w + 1, (size_t)s2clr_pool_threads(pool), &words));
    S2CLR_TRY(s2clr_alloc(words, sizeof *job.scratch, "column sums", (void **)&job.scratch));
    const s2clr_status status = s2clr_pool_run(pool, count_band, &job, items);
    s2clr_free(job.scratch);
    return status;
}
