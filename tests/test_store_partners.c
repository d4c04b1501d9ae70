/* Second dates of a place, from the index of a store. */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/store_partners.h"
#include "store_rig.h"

enum { PX = 12, PATCHES = 10 };

/* Put in this order; sight: of its place, in the order of dates, then names. */
static const struct {
    const char *place, *date, *split;
    int sight;
} wanted[PATCHES] = {
    {"field", "2019-07-01", "train", 2},
    {"lake", "2018-01-01", "train", 0},
    {"field", "2018-06-30", "train", 0},
    {"", "2018-01-01", "train", 0},
    {"field", "2018-07-02", "train", 1},
    {"", "2018-02-01", "train", 1},
    {"hill", "2018-01-01", "train", 1},
    {"hill", "2017-01-01", "test", 0},
    {"moor", "", "train", 1}, /* unknown dates: by name */
    {"moor", "", "train", 0},
};

static const char *make_store(const char *name)
{
    const char *path = store_rig_path(name);
    s2clr_store_options options = {.title = "second dates"};
    s2clr_store_writer *writer;
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    for (int i = 0; i < PATCHES; i++) {
        rig_patch patch;
        rig_patch_make(&patch, i, PX);
        snprintf(patch.name, sizeof patch.name, "%s %d", i == 8 ? "z" : "a", i);
        snprintf(patch.place, sizeof patch.place, "%s", wanted[i].place);
        snprintf(patch.date, sizeof patch.date, "%s", wanted[i].date);
        patch.record.split = wanted[i].split;
        TEST_OK(s2clr_store_writer_put(writer, &patch.record));
        rig_patch_clear(&patch);
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
    return path;
}

static s2clr_card *make_card(void)
{
    s2clr_card *card;
    TEST_OK(s2clr_card_new(&card));
    card->bands = 1;
    snprintf(card->band[0], sizeof card->band[0], "B02");
    card->levels = 1;
    snprintf(card->level[0].name, sizeof card->level[0].name, "L2A");
    card->patch = PX;
    card->metres = 10;
    snprintf(card->resampling, sizeof card->resampling, "bilinear");
    return card;
}

/* From the table by trying all: the sample of the place whose sight follows, else the first one. */
static int expected_partner(const s2clr_samples *samples, size_t index)
{
    int next = -1, first = -1;
    const s2clr_store_row *row = s2clr_store_samples_row(samples, index);
    const int number = row->name[2] - '0';
    for (size_t i = 0; i < samples->count; i++) {
        const int other = samples->names[i][2] - '0';
        if (strcmp(wanted[other].place, wanted[number].place) != 0 || i == index) continue;
        if (wanted[other].sight == wanted[number].sight + 1) next = (int)i;
        if (wanted[other].sight == 0) first = (int)i;
    }
    return !*row->place ? -1 : next >= 0 ? next : first;
}

static void partners_are(const char *split, size_t with_wanted)
{
    s2clr_samples samples;
    s2clr_card *card = make_card();
    const s2clr_store_samples_options options = {.split = split, .unlabelled = true};
    int *partner;
    size_t with = 99;
    TEST_OK(s2clr_store_samples_open(make_store(split ? split : "all"), card, &options, &samples));
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
