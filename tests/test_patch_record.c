#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dataset/patch_record.h"

static const uint16_t pixels[36];

static s2clr_patch_record good_record(void)
{
    s2clr_patch_record record = {
        .name = "S2A_MSIL2A_20170613T101031_87_48",
        .bands = 2,
        .band = {{"B02", S2CLR_DTYPE_U16, 6, 6, pixels}, {"SCL", S2CLR_DTYPE_U8, 3, 3, pixels}},
        .has_footprint = true,
        .crs = "EPSG:32633",
        .transform = {600000, 10, 0, 4400000, 0, -10},
        .width = 6,
        .height = 6,
        .label_count = 1,
        .labels = {"Rice fields"},
        .label = S2CLR_LABEL_POSITIVE,
        .cover = 1,
        .level = "L2A",
        .date = "2016-02-29"};
    return record;
}

#define CHANGE(name, text, statement)                                                              \
    static void change_##name(s2clr_patch_record *r)                                               \
    {                                                                                              \
        statement;                                                                                 \
    }
#define CHANGES(X)                                                                                 \
    X(no_name, "the name", r->name = NULL)                                                         \
    X(empty_name, "the name", r->name = "")                                                        \
    X(long_name, "501 bytes", r->name = long_name)                                                 \
    X(control_name, "no control", r->name = "a\nb")                                                \
    X(blank_name, "no blank", r->name = "a ")                                                      \
    X(latin1_name, "UTF-8", r->name = "\xe9t\xe9")                                                 \
    X(no_bands, "number of bands", r->bands = 0)                                                   \
    X(many_bands, "number of bands", r->bands = 17)                                                \
    X(alias, "B02", strcpy(r->band[0].name, "blue"))                                               \
    X(unknown, "unknown", strcpy(r->band[0].name, "B99"))                                          \
    X(endless, "not terminated", memset(r->band[0].name, 'B', sizeof r->band[0].name))             \
    X(twice, "each band once", strcpy(r->band[1].name, "B02"))                                     \
    X(no_rows, "0 rows", r->band[0].height = 0)                                                    \
    X(huge, "8193 columns", r->band[0].width = 8193)                                               \
    X(type, "U8, U16, I16 or F32", r->band[0].dtype = S2CLR_DTYPE_F64)                             \
    X(no_data, "without data", r->band[0].data = NULL)                                             \
    X(no_crs, "CRS", r->crs = "")                                                                  \
    X(no_area, "geotransform", r->transform[1] = 0)                                                \
    X(not_finite, "geotransform", r->transform[0] = INFINITY)                                      \
    X(other_size, "finest band", r->width = 5)                                                     \
    X(labels, "class names", r->label_count = -1)                                                  \
    X(bar, "without |", r->labels[0] = "a|b")                                                      \
    X(no_label, "a class name", r->labels[0] = NULL)                                               \
    X(label, "-1, 0 or 1", r->label = (s2clr_label)2)                                              \
    X(cover, "share", r->cover = 1.01)                                                             \
    X(cover_nan, "share", r->cover = NAN)                                                          \
    X(offset, "DN offset", r->dn_offset = NAN)                                                     \
    X(metres, "ground size", r->metres = -10)                                                      \
    X(day, "a day", r->date = "2017-02-29")                                                        \
    X(short_date, "a day", r->date = "2017-2-1")                                                   \
    X(split, "train, validation", r->split = "training")                                           \
    X(country, "control", r->country = "a\tb")                                                     \
    X(source, "UTF-8", r->source = "\xff")

static char long_name[502];
CHANGES(CHANGE)

static const struct {
    const char *name, *text;
    void (*change)(s2clr_patch_record *record);
} changes[] = {
#define ROW(name, text, statement) {#name, text, change_##name},
    CHANGES(ROW)};

static void each_rule_is_kept(void)
{
    memset(long_name, 'n', 501);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        s2clr_patch_record record = good_record();
        TEST_OK(s2clr_patch_record_check(&record));
        changes[i].change(&record);
        CU_ASSERT_EQUAL(s2clr_patch_record_check(&record), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS(changes[i].text);
        TEST_ERROR_SAYS("wanted: ");
    }
}

static void what_is_unknown_may_be_left_out(void)
{
    const s2clr_patch_record record = {.name = "x",
                                       .bands = 1,
                                       .band = {{"B8A", S2CLR_DTYPE_F32, 1, 1, pixels}},
                                       .label = S2CLR_LABEL_UNKNOWN,
                                       .cover = -1};
    TEST_OK(s2clr_patch_record_check(&record));
}

static void days_are_those_of_the_calendar(void)
{
    int ymd[3] = {0, 0, 0};
    CU_ASSERT_TRUE(s2clr_date_parse("2000-02-29", ymd));
    CU_ASSERT(ymd[0] == 2000 && ymd[1] == 2 && ymd[2] == 29);
    CU_ASSERT_FALSE(s2clr_date_parse("1900-02-29", ymd));
    CU_ASSERT_FALSE(s2clr_date_parse("2018-04-31", ymd));
    CU_ASSERT_FALSE(s2clr_date_parse("2018-13-01", ymd));
    CU_ASSERT_FALSE(s2clr_date_parse("2018-01-01T00", ymd));
    CU_ASSERT_FALSE(s2clr_date_parse("", ymd));
    CU_ASSERT_EQUAL(ymd[0], 2000);
}

static const test_case cases[] = {
    {"each_rule_is_kept", each_rule_is_kept},
    {"what_is_unknown_may_be_left_out", what_is_unknown_may_be_left_out},
    {"days_are_those_of_the_calendar", days_are_those_of_the_calendar},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("patch record", cases, argc, argv);
}
