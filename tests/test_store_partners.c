/* Second dates of a place, from the index of a store. */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/store_partners.h"
#include "store_rig.h"

enum { PX = 12, PATCHES = 10 };

static const rig_sight wanted[PATCHES] = {
    {"a 0", "field", "2019-07-01", "train"},
    {"a 1", "lake", "2018-01-01", "train"},
    {"a 2", "field", "2018-06-30", "train"},
    {"a 3", "", "2018-01-01", "train"},
    {"a 4", "field", "2018-07-02", "train"},
    {"a 5", "", "2018-02-01", "train"},
    {"a 6", "hill", "2018-01-01", "train"},
    {"a 7", "hill", "2017-01-01", "test"},
    {"z 8", "moor", "", "train"}, /* unknown dates: by name */
    {"a 9", "moor", "", "train"},
};

/* Which of its place's, in the order of dates, then names. */
static const int sight[PATCHES] = {2, 0, 0, 0, 1, 1, 1, 0, 1, 0};

/* From the table by trying all: the sample of the place whose sight follows, else the first one. */
static int expected_partner(const s2clr_samples *samples, size_t index)
{
    int next = -1, first = -1;
    const s2clr_store_row *row = s2clr_store_samples_row(samples, index);
    const int number = row->name[2] - '0';
    for (size_t i = 0; i < samples->count; i++) {
        const int other = samples->names[i][2] - '0';
        if (strcmp(wanted[other].place, wanted[number].place) != 0 || i == index) continue;
        if (sight[other] == sight[number] + 1) next = (int)i;
        if (sight[other] == 0) first = (int)i;
    }
    return !*row->place ? -1 : next >= 0 ? next : first;
}

static void partners_are(const char *split, size_t with_wanted)
{
    s2clr_samples samples;
    s2clr_card *card = rig_store_card(PX);
    const s2clr_store_samples_options options = {.split = split, .unlabelled = true};
    int *partner;
    size_t with = 99;
    const char *path = rig_store_sights(split ? split : "all", wanted, PATCHES, PX);
    TEST_OK(s2clr_store_samples_open(path, card, &options, &samples));
    TEST_OK(s2clr_store_partners(&samples, &partner, &with));
    CU_ASSERT_EQUAL(with, with_wanted);
    for (size_t i = 0; i < samples.count; i++)
        CU_ASSERT_EQUAL(partner[i], expected_partner(&samples, i));
    s2clr_free(partner);
    samples.free(samples.self);
    s2clr_card_free(card);
}

static void whole_store(void)
{
    partners_are(NULL, 3 + 2 + 2);
}

/* The hill's other date is a test patch, which training must not see. */
static void one_part_only(void)
{
    partners_are("train", 3 + 2);
}

static const test_case cases[] = {
    {"next date of the place, in a circle", whole_store},
    {"no partners from other parts", one_part_only},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("store_partners", cases, argc, argv);
}
