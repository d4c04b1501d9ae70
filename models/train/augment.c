#include "train/augment.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/pstreams.h"

enum { DRAWS = 8 }; /* numbers reserved for one augmentation of one view */

static float draw(const s2clr_augment_draws *draws, unsigned which)
{
    return s2clr_random_uniform(draws->seed, draws->stream, draws->sample * DRAWS + which);
}

static void swap(float *a, float *b)
{
    const float kept = *a;
    *a = *b;
    *b = kept;
}

static void flip_columns(int size, float *plane)
{
    for (int row = 0; row < size; row++) {
        float *line = plane + (ptrdiff_t)row * size;
        for (int i = 0, j = size - 1; i < j; i++, j--) swap(&line[i], &line[j]);
    }
}

static void flip_rows(int size, float *plane)
{
    for (int i = 0, j = size - 1; i < j; i++, j--)
        for (int column = 0; column < size; column++)
            swap(&plane[(ptrdiff_t)i * size + column], &plane[(ptrdiff_t)j * size + column]);
}

static void flip(const s2clr_augment_draws *draws, int size, float *plane, float *scratch)
{
    (void)scratch;
    if (draw(draws, 0) < 0.5f) flip_columns(size, plane);
    if (draw(draws, 1) < 0.5f) flip_rows(size, plane);
}

/* A quarter turn clockwise: transpose, then mirror the columns. */
static void rot90(const s2clr_augment_draws *draws, int size, float *plane, float *scratch)
{
    (void)scratch;
    if (draw(draws, 0) >= 0.5f) return;
    for (int i = 0; i < size; i++)
        for (int j = 0; j < i; j++)
            swap(&plane[(ptrdiff_t)i * size + j], &plane[(ptrdiff_t)j * size + i]);
    flip_columns(size, plane);
}

/* -1 -> 1, size -> size - 2: the border pixel itself is not repeated. */
static int reflect(int i, int size)
{
    if (i < 0) i = -i;
    return i < size ? i : 2 * (size - 1) - i;
}

/* Whole pixels in [-reach, reach], all equally likely. */
static int draw_offset(const s2clr_augment_draws *draws, unsigned which, int reach)
{
    const int offset = (int)(draw(draws, which) * (float)(2 * reach + 1)) - reach;
    return offset > reach ? reach : offset;
}

static void shift(const s2clr_augment_draws *draws, int size, float *plane, float *scratch)
{
    const int down = draw_offset(draws, 0, size / 10), right = draw_offset(draws, 1, size / 10);
    memcpy(scratch, plane, (size_t)size * (size_t)size * sizeof *plane);
    for (int i = 0; i < size; i++) {
        const float *from = scratch + (ptrdiff_t)reflect(i - down, size) * size;
        float *to = plane + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++) to[j] = from[reflect(j - right, size)];
    }
}

/* strength * (1 2 1)(1 2 1)' / 16 + (1 - strength) * identity. */
static void blur(const s2clr_augment_draws *draws, int size, float *plane, float *scratch)
{
    if (size < 2 || draw(draws, 0) >= 0.5f) return;
    const float strength = draw(draws, 1);
    for (int i = 0; i < size; i++) {
        const float *line = plane + (ptrdiff_t)i * size;
        float *to = scratch + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++)
            to[j] =
                0.25f * (line[reflect(j - 1, size)] + line[reflect(j + 1, size)]) + 0.5f * line[j];
    }
    for (int i = 0; i < size; i++) {
        const float *up = scratch + (ptrdiff_t)reflect(i - 1, size) * size;
        const float *down = scratch + (ptrdiff_t)reflect(i + 1, size) * size;
        const float *here = scratch + (ptrdiff_t)i * size;
        float *to = plane + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++)
            to[j] += strength * (0.25f * (up[j] + down[j]) + 0.5f * here[j] - to[j]);
    }
}

/* Even in the logarithm, so that darker is as likely as brighter. */
static void gain(const s2clr_augment_draws *draws, int size, float *plane, float *scratch)
{
    (void)scratch;
    const float factor = (float)pow(1.25, 2.0 * (double)draw(draws, 0) - 1.0);
    const size_t pixels = (size_t)size * (size_t)size;
    for (size_t i = 0; i < pixels; i++) plane[i] *= factor;
}

/* A new line goes at the end: the position is part of the random stream. */
static const s2clr_augment_entry table[] = {
    {"flip", S2CLR_AUGMENT_FLIP, "mirror left-right and top-bottom, each every second time", flip},
    {"rot90", S2CLR_AUGMENT_ROT90, "quarter turn every second time", rot90},
    {"shift", S2CLR_AUGMENT_SHIFT, "move by up to 10 % of the size, border reflected", shift},
    {"blur", S2CLR_AUGMENT_BLUR, "3x3 binomial of random strength every second time", blur},
    {"gain", S2CLR_AUGMENT_GAIN, "one factor of 0.8 to 1.25 for all bands", gain},
};
enum { ENTRIES = sizeof table / sizeof table[0] };

size_t s2clr_augment_list(const s2clr_augment_entry **out)
{
    *out = table;
    return ENTRIES;
}

static s2clr_status parse_word(const char *word, size_t length, uint32_t *flags)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (strlen(table[i].name) != length || strncmp(table[i].name, word, length) != 0) continue;
        *flags |= table[i].flag;
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "augmentation \"%.*s\" is not known; use a comma-separated list of "
                           "flip, rot90, shift, blur, gain, or none",
                           length > 64 ? 64 : (int)length, word);
}

s2clr_status s2clr_augment_parse(const char *words, uint32_t *flags)
{
    uint32_t found = 0;
    if (strcmp(words, "none") != 0) {
        for (const char *word = words;; word++) {
            const size_t length = strcspn(word, ",");
            S2CLR_TRY(parse_word(word, length, &found));
            word += length;
            if (!*word) break;
        }
    }
    *flags = found;
    return S2CLR_OK;
}

s2clr_status s2clr_augment(uint32_t flags, uint64_t seed, uint64_t epoch, uint64_t sample,
                           int channels, int size, const float *x, float *y)
{
    const size_t pixels = (size_t)size * (size_t)size;
    memcpy(y, x, (size_t)channels * pixels * sizeof *y);
    float *scratch;
    S2CLR_TRY(s2clr_alloc(pixels, sizeof *scratch, "augmentation scratch", (void **)&scratch));
    for (size_t i = 0; i < ENTRIES; i++) {
        if (!(flags & table[i].flag)) continue;
        const s2clr_augment_draws draws = {.seed = seed,
                                           .stream = stream_of(STREAM_AUGMENT + (unsigned)i, epoch),
                                           .sample = sample};
        for (int c = 0; c < channels; c++)
            table[i].run(&draws, size, y + (size_t)c * pixels, scratch);
    }
    s2clr_free(scratch);
    return S2CLR_OK;
}
