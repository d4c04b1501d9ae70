/*
 * The bits of every augmentation, which trained models and interrupted runs depend on: hashes of
 * views of patches with invalid pixels, of even and odd sizes, with one, three and ten bands. They
 * were made when each augmentation was a loop of its own, before they became steps that devices
 * run as well.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/philox.h"
#include "train/augment.h"

enum { BANDS_MAX = 10, SIZE_MAX_HERE = 33, VALUES = BANDS_MAX * SIZE_MAX_HERE * SIZE_MAX_HERE };
enum { SAMPLES = 12, BANDS = 3, RECIPES = 21 };

static const int band_counts[BANDS] = {1, 3, 10};
static const int sizes[] = {1, 2, 7, 20, 33};

static float x[VALUES], y[VALUES];
static float mean[BANDS_MAX], deviation[BANDS_MAX];

/* Values around each band's mean, a few exact zeros of either sign, every 23rd pixel invalid in all
 * bands; two patches in three only, since a hole changes how a patch is blurred. */
static void fill(int channels, int size, uint64_t sample)
{
    const size_t pixels = (size_t)size * (size_t)size;
    for (int c = 0; c < channels; c++) {
        mean[c] = 0.1f + 0.07f * (float)c;
        deviation[c] = 0.03f + 0.011f * (float)c;
        for (size_t i = 0; i < pixels; i++) {
            const uint64_t at = (sample * BANDS_MAX + (uint64_t)c) * pixels + i;
            const bool hole = sample % 3 != 0 && (i * 7 + sample) % 23 == 5;
            float value = mean[c] + deviation[c] * s2clr_random_normal(17, 1, at);
            if (at % 41 == 0) value = at % 82 == 0 ? 0.0f : -0.0f;
            x[(size_t)c * pixels + i] = hole ? NAN : value;
        }
    }
}

/* FNV-1a over the values' bits; one NaN is as good as another. */
static uint64_t add(uint64_t hash, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        if (values[i] != values[i]) bits = 0x7fc00000u;
        for (int byte = 0; byte < 4; byte++, bits >>= 8)
            hash = (hash ^ (bits & 255u)) * 1099511628211u;
    }
    return hash;
}

static uint64_t hash_of(const s2clr_augment_recipe *recipe, int channels)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (uint64_t sample = 0; sample < SAMPLES; sample++) {
            const int size = sizes[s];
            fill(channels, size, sample);
            TEST_OK(s2clr_augment(recipe, 11, 2, sample, (int)(sample % 2), mean, deviation,
                                  channels, size, x, y));
            hash = add(hash, y, (size_t)(channels * size * size));
        }
    return hash;
}

typedef struct known {
    const char *words; /* a line of the table, a preset, or all lines at once */
    uint64_t hash[BANDS];
} known;

static const known list[RECIPES] = {
    {"flip", {0xffb537afd9c38ddau, 0x32970a32b8670664u, 0xbbcf46ce0808513cu}},
    {"rot90", {0x3b77fa31e359c7ceu, 0xe110da31f89c6980u, 0xfac2f057210002ecu}},
    {"shift", {0xdfc3dbf3223bd7bfu, 0x866c3da6c72450eeu, 0xcd7b71bfd094083bu}},
    {"blur", {0xfdcfde97ebf47316u, 0x0a12930f5629ff54u, 0x2a1e9cf9fa16e345u}},
    {"gain", {0x0b6d7dc77ee4dc64u, 0xc647ee710ecf4ffbu, 0x17f68d4b665f9a78u}},
    {"roll", {0x6a5d8ca5988bdb8eu, 0x2ad2594d023c0474u, 0xe765e3b07b3f4850u}},
    {"zoom", {0xcd9770932bf6085cu, 0x3657471bb957de95u, 0x2d5f491010684075u}},
    {"rotate", {0x5e89477b31028106u, 0x443765cad674f970u, 0xe6f73eb285c2f49cu}},
    {"brightness", {0x40c6a1c3080c75d2u, 0x118e9e8f2a632351u, 0x9b134cfcdb68679fu}},
    {"contrast", {0xa8752bb5dfe9ef0au, 0xf8dff90d04060834u, 0xa98a0fd9f6b6f52fu}},
    {"scale", {0x49f18a87beb2a792u, 0x122ba0239009451au, 0x77a5b88b7d910fa3u}},
    {"blur5", {0x9d32c548d3caea6fu, 0xc03ade6a6f626949u, 0x9fa98ca83ddfe94bu}},
    {"speckle", {0xc065ad60604eb729u, 0x14e3dbb2ea0c0f6au, 0xffbd6ad9edf38e02u}},
    {"crop", {0x0f9f82b0cc57c24fu, 0xa21296805cc389bau, 0x0f997e1805e971beu}},
    {"jitter", {0xb176e91b5693f7bau, 0x60b7f579481db11au, 0xb9c9568ebbf155aau}},
    {"band-gain", {0x1efa8d3d3c6fdaf6u, 0xf162cc6220cf4f33u, 0x4a3bc87487674ccdu}},
    {"band-drop", {0x09a29ca4b020405eu, 0x826cd18b9a05c99au, 0x2819f0bb52ec8a9bu}},
    {"gaussian", {0xc42aec10f8ddaed3u, 0x4b5e360ed51c1f27u, 0x09df7f94ac74ea41u}},
    {"multispectral", {0x01c796f3f4047cfau, 0x1b90fadfc4ae6d41u, 0x459d4208a0826f21u}},
    {"simclr-s2", {0x620cd46b8080f19fu, 0xd99a9637c750c537u, 0xf7b33c548664ba1au}},
    {"flip,rot90,shift,blur,gain,roll,zoom,rotate,brightness,contrast,scale,blur5,speckle,"
     "crop,jitter,band-gain,band-drop,gaussian",
     {0x5fb9d50d43b9dedeu, 0x4772406d510159acu, 0xeec78ad3b925678bu}},
};

static void all_bits_are_kept(void)
{
    for (int i = 0; i < RECIPES; i++) {
        s2clr_augment_recipe recipe;
        TEST_OK(s2clr_augment_parse(list[i].words, &recipe));
        for (int b = 0; b < BANDS; b++) {
            const uint64_t hash = hash_of(&recipe, band_counts[b]);
            if (hash != list[i].hash[b])
                printf("  %s, %d bands: %#018llx\n", list[i].words, band_counts[b],
                       (unsigned long long)hash);
            CU_ASSERT_EQUAL(hash, list[i].hash[b]);
        }
    }
}

/* A line that is not in the list above would have bits that nobody watches. */
static void every_augmentation_is_watched(void)
{
    const s2clr_augment_entry *table;
    const s2clr_augment_preset *preset;
    const size_t lines = s2clr_augment_list(&table), presets = s2clr_augment_preset_list(&preset);
    CU_ASSERT_EQUAL(lines + presets + 1, RECIPES);
    for (size_t i = 0; i < lines + presets; i++) {
        const char *const name = i < lines ? table[i].name : preset[i - lines].name;
        int found = 0;
        for (int k = 0; k < RECIPES; k++) found += strcmp(list[k].words, name) == 0;
        CU_ASSERT_EQUAL(found, 1);
    }
}

static const test_case cases[] = {
    {"all bits are kept", all_bits_are_kept},
    {"every augmentation is watched", every_augmentation_is_watched},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("augment_bits", cases, argc, argv);
}
