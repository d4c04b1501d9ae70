/* Which dates and labels pretraining takes from a data set. */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/pretrain_data.h"
#include "dataset/store_partners.h"
#include "store_rig.h"

enum { PX = 12, PATCHES = 9 };

static const rig_sight wanted[PATCHES] = {
    {"p0", "field", "2019-07-01", "train"}, {"p1", "lake", "2018-01-01", "train"},
    {"p2", "field", "2018-06-30", ""},      {"p3", "", "2018-01-01", "train"},
    {"p4", "field", "2018-07-02", "test"},  {"p5", "hill", "2018-01-01", "train"},
    {"p6", "hill", "2017-01-01", "test"},   {"p7", "moor", "2018-01-01", "validation"},
    {"p8", "moor", "2018-03-01", "train"},
};

static s2clr_samples open_samples(const char *path, const s2clr_store_samples_options *options)
{
    s2clr_card *card = rig_store_card(PX);
    s2clr_samples samples = {0};
    TEST_OK(s2clr_store_samples_open(path, card, options, &samples));
    s2clr_card_free(card);
    return samples;
}

static int index_of(const s2clr_samples *samples, const char *name)
{
    for (size_t i = 0; i < samples->count; i++)
        if (strcmp(samples->names[i], name) == 0) return (int)i;
    return -1;
}

/* Training takes what is in no other part; a place whose other dates are all held out has none. */
static void partners_stay_inside_the_training_part(void)
{
    const char *path = rig_store_sights("inside", wanted, PATCHES, PX);
    const s2clr_store_samples_options all = {.unlabelled = true}, rest = {.split = "train",
                                                                          .undecided = true,
                                                                          .unlabelled = true};
    s2clr_parts parts = {.store = true};
    int *partner, *direct;
    size_t with = 99, directly = 98;
    parts.all = open_samples(path, &all);
    parts.train = open_samples(path, &rest);
    CU_ASSERT_EQUAL(parts.train.count, 6);
    CU_ASSERT_EQUAL(index_of(&parts.train, "p4"), -1);
    TEST_OK(s2clr_pretrain_partners(&parts, &partner, &with));
    TEST_OK(s2clr_store_partners(&parts.train, &direct, &directly));
    CU_ASSERT_EQUAL(with, 2);
    CU_ASSERT_EQUAL(directly, 2);
    for (size_t i = 0; i < parts.train.count; i++) CU_ASSERT_EQUAL(partner[i], direct[i]);
    CU_ASSERT_EQUAL(partner[index_of(&parts.train, "p0")], index_of(&parts.train, "p2"));
    CU_ASSERT_EQUAL(partner[index_of(&parts.train, "p2")], index_of(&parts.train, "p0"));
    CU_ASSERT_EQUAL(partner[index_of(&parts.train, "p5")], -1);
    CU_ASSERT_EQUAL(partner[index_of(&parts.train, "p8")], -1);
    s2clr_free(partner), s2clr_free(direct);
    parts.all.free(parts.all.self), parts.train.free(parts.train.self);
}

static void one_date_each_is_no_partner(void)
{
    const char *path = rig_store_sights("single", wanted, PATCHES, PX);
    const s2clr_store_samples_options all = {.unlabelled = true},
                                      held = {.split = "validation", .unlabelled = true};
    s2clr_parts parts = {.store = true};
    int *partner = &(int){0};
    size_t with = 99;
    parts.all = open_samples(path, &all);
    parts.train = open_samples(path, &held);
    TEST_OK(s2clr_pretrain_partners(&parts, &partner, &with));
    CU_ASSERT_PTR_NULL(partner);
    CU_ASSERT_EQUAL(with, 0);
    parts.store = false; /* images have no places */
    with = 99;
    TEST_OK(s2clr_pretrain_partners(&parts, &partner, &with));
    CU_ASSERT_PTR_NULL(partner);
    CU_ASSERT_EQUAL(with, 0);
    parts.all.free(parts.all.self), parts.train.free(parts.train.self);
}

static void the_probe_finds_two_kinds_of_labels(void)
{
    int labels[] = {0, 1, 0}, none[] = {0, 0, 0}, classes[] = {4, 2, 4};
    s2clr_samples probe;
    s2clr_parts parts = {.validation = {.count = 3, .labels = labels, .groups = classes}};
    s2clr_pretrain_probe(&parts, "Crop", &probe);
    CU_ASSERT_TRUE(probe.count == 3 && probe.labels == labels);
    s2clr_pretrain_probe(&parts, NULL, &probe); /* images: their classes */
    CU_ASSERT_TRUE(probe.count == 3 && probe.labels == classes);
    parts.store = true; /* a store: its labels */
    s2clr_pretrain_probe(&parts, NULL, &probe);
    CU_ASSERT_TRUE(probe.count == 3 && probe.labels == labels);
    parts.validation.labels = none; /* unless they say nothing */
    s2clr_pretrain_probe(&parts, NULL, &probe);
    CU_ASSERT_TRUE(probe.count == 3 && probe.labels == classes);
    s2clr_pretrain_probe(&parts, "Crop", &probe);
    CU_ASSERT_EQUAL(probe.count, 0);
    parts.validation = (s2clr_samples){0};
    s2clr_pretrain_probe(&parts, NULL, &probe);
    CU_ASSERT_EQUAL(probe.count, 0);
}

static void chunks_divide_the_batch(void)
{
    static const int batch[] = {2, 32, 97, 128, 192, 256, 257, 1000};
    static const int chunk[] = {2, 32, 97, 128, 64, 64, 257, 50};
    s2clr_pretrain_settings settings;
    for (size_t i = 0; i < sizeof batch / sizeof batch[0]; i++) {
        s2clr_pretrain_defaults(&settings);
        settings.common.batch = batch[i];
        s2clr_pretrain_fit(&settings, 0, 0);
        CU_ASSERT_EQUAL(settings.chunk, chunk[i]);
        CU_ASSERT_EQUAL(settings.chunk % settings.common.micro, 0);
        CU_ASSERT_TRUE(settings.common.micro >= 1 && settings.common.micro <= 16);
    }
    s2clr_pretrain_fit(&settings, 20, 5);
    CU_ASSERT_TRUE(settings.chunk == 20 && settings.common.micro == 5);
}

static const test_case cases[] = {
    {"partners stay inside the training part", partners_stay_inside_the_training_part},
    {"one date each is no partner", one_date_each_is_no_partner},
    {"the probe finds two kinds of labels", the_probe_finds_two_kinds_of_labels},
    {"chunks divide the batch", chunks_divide_the_batch},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("pretrain_data", cases, argc, argv);
}
