/*
 * A store of made-up patches, and how fast it is made and read:
 *
 *     make_store STORE PATCHES PIXELS [READS] [THREADS]
 *
 * PIXELS: of the 10 m bands, an even number; ten bands of 10 m and 20 m, UInt16. A store that is
 * there gets what it lacks. READS patches (default: PATCHES) are then taken in random order by
 * THREADS (default 2), in three rounds of
 *
 *     read      out of the store, all bands copied
 *     decode    the same out of as many safetensors values in memory: headers compared, no search
 *     copy      the same bytes with memcpy, whole patches
 *     samples   out of the store as floats, what training does, 20 m bands resampled
 *     few       the same of 64 patches over and over: computing alone
 *
 * Prints one JSON object. Rates are patches per second of processor time, so that other programs
 * disturb them less; "anon" is memory that is not the mapped file. Figures stand in tests/BENCH.md.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/philox.h"
#include "base/pool.h"
#include "dataset/store_samples.h"
#include "dataset/store.h"

static const char *const names[] = {"B02", "B03", "B04", "B08", "B05",
                                    "B06", "B07", "B8A", "B11", "B12"};
enum { BANDS = 10, FINE = 4, THREADS_MAX = 64, CHUNK = 64, SEED = 3, FEW = 64, ROUNDS = 3 };
#define MEMORY_MAX ((size_t)4 << 30) /* bytes to compare with */

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Resident memory that is no file's. */
static long anon_mib(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "RssAnon: %ld", &kib);
    if (file) fclose(file);
    return kib / 1024;
}

/* ---- making ---- */

static s2clr_status put_patches(s2clr_store_writer *writer, uint16_t *noise, long count, int px)
{
    for (long n = 0; n < count; n++) {
        char name[40];
        s2clr_patch_record r = {.bands = BANDS, .name = name, .crs = "EPSG:32630"};
        snprintf(name, sizeof name, "%08lx_%ld", (n * 2654435761) & 0xffffffff, n);
        if (s2clr_store_writer_has(writer, name)) continue;
        for (int b = 0; b < BANDS; b++) {
            const int side = b < FINE ? px : px / 2;
            r.band[b] = (s2clr_patch_band){.dtype = S2CLR_DTYPE_U16,
                                           .height = side,
                                           .width = side,
                                           .data = noise + (n * 31 + b * 7) % 4096};
            memcpy(r.band[b].name, names[b], 4);
        }
        const double transform[6] = {300000 + 1200.0 * (double)(n % 1000), 10, 0,
                                     8e6 - 1200.0 * (double)(n / 1000),    0,  -10};
        memcpy(r.transform, transform, sizeof transform);
        r.has_footprint = true;
        r.width = r.height = px;
        r.label = n % 40 == 0 ? S2CLR_LABEL_POSITIVE : S2CLR_LABEL_NEGATIVE;
        r.cover = r.label;
        r.level = "L2A";
        r.metres = 10;
        r.split = n % 5 ? "train" : "test";
        S2CLR_TRY(s2clr_store_writer_put(writer, &r));
    }
    return S2CLR_OK;
}

static s2clr_status make(const char *path, long count, int px)
{
    const s2clr_store_options options = {.append = true, .command = "make_store"};
    const size_t room = (size_t)(px * px) + 4096;
    s2clr_store_writer *writer;
    uint16_t *noise;
    S2CLR_TRY(s2clr_alloc(room, sizeof *noise, "noise", (void **)&noise));
    for (size_t i = 0; i < room; i++)
        noise[i] = (uint16_t)(1 + s2clr_random_below(SEED, 1, i, 9999));
    S2CLR_TRY(s2clr_store_writer_open(path, &options, &writer));
    const s2clr_status status = put_patches(writer, noise, count, px);
    s2clr_free(noise);
    const s2clr_status closed = s2clr_store_writer_close(writer, status == S2CLR_OK);
    return status == S2CLR_OK ? closed : status;
}

/* ---- reading ---- */

typedef struct job {
    s2clr_store_cursor *cursor[THREADS_MAX];
    const s2clr_samples *samples;
    float *dn[THREADS_MAX];
    unsigned char *copy[THREADS_MAX];
    unsigned char *memory, *header; // (memory_patches, header_bytes + patch_bytes), (header_bytes)
    size_t header_bytes, patch_bytes, patches, memory_patches, reads, few;
    uint64_t sum[THREADS_MAX];
} job;

static size_t random_patch(const job *j, size_t item)
{
    return s2clr_random_below(SEED, 2, item, (uint32_t)j->patches);
}

static s2clr_status read_values(void *context, size_t chunk, int worker)
{
    job *j = context;
    size_t batch[CHUNK], count = 0;
    for (size_t i = chunk * CHUNK; i < (chunk + 1) * CHUNK && i < j->reads; i++)
        batch[count++] = random_patch(j, i);
    for (size_t i = 0; i < count; i++) {
        s2clr_store_patch patch;
        unsigned char *to = j->copy[worker];
        s2clr_store_expect(j->cursor[worker], batch + i + 1, count - i - 1);
        S2CLR_TRY(s2clr_store_read(j->cursor[worker], batch[i], &patch));
        for (int b = 0; b < patch.bands; b++) {
            const size_t bytes = 2 * (size_t)(patch.band[b].height * patch.band[b].width);
            memcpy(to, patch.band[b].data, bytes);
            to += bytes;
        }
        j->sum[worker] += j->copy[worker][i % j->patch_bytes];
    }
    return S2CLR_OK;
}

static const unsigned char *random_value(const job *j, size_t item)
{
    return j->memory +
           random_patch(j, item) % j->memory_patches * (j->header_bytes + j->patch_bytes);
}

static s2clr_status decode_memory(void *context, size_t chunk, int worker)
{
    job *j = context;
    for (size_t i = chunk * CHUNK; i < (chunk + 1) * CHUNK && i < j->reads; i++) {
        const unsigned char *from = random_value(j, i);
        unsigned char *to = j->copy[worker];
        const size_t fine = j->patch_bytes * 4 / (4 * FINE + BANDS - FINE);
        if (memcmp(from, j->header, j->header_bytes) != 0)
            return s2clr_error_set(S2CLR_ERR_FORMAT, "the memory is not what it was");
        from += j->header_bytes;
        for (int b = 0; b < BANDS; b++) {
            const size_t bytes = b < FINE ? fine : fine / 4;
            memcpy(to, from, bytes);
            from += bytes;
            to += bytes;
        }
        j->sum[worker] += j->copy[worker][i % j->patch_bytes];
    }
    return S2CLR_OK;
}

static s2clr_status copy_memory(void *context, size_t chunk, int worker)
{
    job *j = context;
    for (size_t i = chunk * CHUNK; i < (chunk + 1) * CHUNK && i < j->reads; i++) {
        memcpy(j->copy[worker], random_value(j, i) + j->header_bytes, j->patch_bytes);
        j->sum[worker] += j->copy[worker][i % j->patch_bytes];
    }
    return S2CLR_OK;
}

static s2clr_status read_samples(void *context, size_t chunk, int worker)
{
    job *j = context;
    for (size_t i = chunk * CHUNK; i < (chunk + 1) * CHUNK && i < j->reads; i++)
        S2CLR_TRY(j->samples->read(j->samples->self, random_patch(j, i), j->dn[worker]));
    return S2CLR_OK;
}

static s2clr_status read_few(void *context, size_t chunk, int worker)
{
    job *j = context;
    for (size_t i = chunk * CHUNK; i < (chunk + 1) * CHUNK && i < j->reads; i++)
        S2CLR_TRY(j->samples->read(j->samples->self, i % j->few, j->dn[worker]));
    return S2CLR_OK;
}

static const struct {
    const char *name;
    s2clr_task task;
} tasks[] = {{"read", read_values},
             {"decode", decode_memory},
             {"copy", copy_memory},
             {"samples", read_samples},
             {"few", read_few}};
enum { TASKS = sizeof tasks / sizeof tasks[0] };

static s2clr_status run_tasks(s2clr_pool *pool, job *j)
{
    double rate[TASKS][ROUNDS];
    for (int r = 0; r < ROUNDS; r++)
        for (int t = 0; t < TASKS; t++) {
            const double start = now(CLOCK_PROCESS_CPUTIME_ID);
            S2CLR_TRY(s2clr_pool_run(pool, tasks[t].task, j, (j->reads + CHUNK - 1) / CHUNK));
            rate[t][r] = (double)j->reads / (now(CLOCK_PROCESS_CPUTIME_ID) - start);
        }
    for (int t = 0; t < TASKS; t++) {
        printf(", \"%s\": [", tasks[t].name);
        for (int r = 0; r < ROUNDS; r++) printf("%s%.0f", r ? ", " : "", rate[t][r]);
        printf("]");
    }
    return S2CLR_OK;
}

static s2clr_status open_samples(const char *path, int px, s2clr_samples *out)
{
    s2clr_card *card;
    const s2clr_store_samples_options options = {.unlabelled = true};
    S2CLR_TRY(s2clr_card_new(&card));
    card->bands = BANDS;
    for (int b = 0; b < BANDS; b++) memcpy(card->band[b], names[b], 4);
    card->patch = px;
    card->metres = 10;
    snprintf(card->resampling, sizeof card->resampling, "cubic");
    const s2clr_status status = s2clr_store_samples_open(path, card, &options, out);
    s2clr_card_free(card);
    return status;
}

/* Values as the store has them, all with one header. */
static s2clr_status fill_memory(int px, job *j)
{
    s2clr_tensor tensors[BANDS];
    unsigned char *value;
    size_t bytes;
    const size_t plane = (size_t)(px * px);
    void *zeros;
    S2CLR_TRY(s2clr_alloc(plane, 2, "zeros", &zeros));
    for (int b = 0; b < BANDS; b++) {
        const int side = b < FINE ? px : px / 2;
        const size_t count = b < FINE ? plane : plane / 4;
        tensors[b] =
            (s2clr_tensor){names[b], S2CLR_DTYPE_U16, 2, {side, side}, count, 2 * count, zeros};
    }
    S2CLR_TRY(s2clr_tensors_encode("value", tensors, BANDS, NULL, 0, (void **)&value, &bytes));
    s2clr_free(zeros);
    j->patch_bytes = 2 * (FINE * plane + (BANDS - FINE) * (plane / 4));
    j->header_bytes = bytes - j->patch_bytes;
    j->header = value;
    j->memory_patches = MEMORY_MAX / bytes < j->patches ? MEMORY_MAX / bytes : j->patches;
    S2CLR_TRY(s2clr_alloc(j->memory_patches, bytes, "memory", (void **)&j->memory));
    for (size_t i = 0; i < j->memory_patches; i++) memcpy(j->memory + i * bytes, value, bytes);
    return S2CLR_OK;
}

static s2clr_status measure(const char *path, int px, size_t reads, int threads)
{
    s2clr_store *store;
    s2clr_samples samples;
    s2clr_pool *pool;
    const double start = now(CLOCK_PROCESS_CPUTIME_ID);
    S2CLR_TRY(s2clr_store_open(path, &store));
    printf(", \"open_cpu_seconds\": %.2f", now(CLOCK_PROCESS_CPUTIME_ID) - start);
    job j = {.samples = &samples, .patches = s2clr_store_count(store), .reads = reads};
    j.few = j.patches < FEW ? j.patches : FEW;
    S2CLR_TRY(open_samples(path, px, &samples));
    printf(", \"open_anon_mib\": %ld", anon_mib());
    S2CLR_TRY(fill_memory(px, &j));
    S2CLR_TRY(s2clr_pool_new(threads, &pool));
    for (int t = 0; t < threads; t++) {
        S2CLR_TRY(s2clr_alloc(j.patch_bytes, 1, "copy", (void **)&j.copy[t]));
        S2CLR_TRY(
            s2clr_alloc(BANDS * (size_t)(px * px), sizeof(float), "sample", (void **)&j.dn[t]));
        S2CLR_TRY(s2clr_store_cursor_new(store, &j.cursor[t]));
    }
    printf(", \"threads\": %d, \"reads\": %zu, \"patch_bytes\": %zu, \"header_bytes\": %zu",
           threads, reads, j.patch_bytes, j.header_bytes);
    S2CLR_TRY(run_tasks(pool, &j));
    for (int t = 0; t < threads; t++) {
        s2clr_store_cursor_free(j.cursor[t]);
        s2clr_free(j.copy[t]);
        s2clr_free(j.dn[t]);
    }
    s2clr_pool_free(pool);
    samples.free(samples.self);
    s2clr_free(j.memory);
    s2clr_free(j.header);
    s2clr_store_close(store);
    return S2CLR_OK;
}

int main(int argc, char **argv)
{
    const long count = argc > 2 ? atol(argv[2]) : 0, px = argc > 3 ? atol(argv[3]) : 0;
    const long reads = argc > 4 ? atol(argv[4]) : count, threads = argc > 5 ? atol(argv[5]) : 2;
    if (count < 1 || px < 2 || px > 480 || px % 2 || reads < 1 || threads < 1 ||
        threads > THREADS_MAX) {
        fprintf(stderr, "make_store STORE PATCHES PIXELS [READS] [THREADS]\n");
        return 2;
    }
    const double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    s2clr_status status = make(argv[1], count, (int)px);
    if (status == S2CLR_OK) {
        printf("{\"patches\": %ld, \"pixels\": %ld, \"make_seconds\": %.1f, "
               "\"make_cpu_seconds\": %.1f, \"make_anon_mib\": %ld",
               count, px, now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu,
               anon_mib());
        status = measure(argv[1], (int)px, (size_t)reads, (int)threads);
        printf("}\n");
    }
    if (status != S2CLR_OK) fprintf(stderr, "make_store: %s\n", s2clr_error_text());
    return status == S2CLR_OK ? 0 : 1;
}
