/* The methods of splitting: one line each. */
#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "dataset/psplit.h"

const char *const s2clr_part_names[S2CLR_PARTS] = {"train", "validation", "test", ""};

s2clr_part s2clr_part_of_name(const char *name)
{
    for (int part = 0; name && part < S2CLR_PART_OUT; part++)
        if (strcmp(name, s2clr_part_names[part]) == 0) return (s2clr_part)part;
    return S2CLR_PART_OUT;
}

/* ---- units to parts ---- */

uint64_t s2clr_split_hash(const char *text, uint64_t seed)
{
    struct sha256_ctx context;
    uint8_t digest[8];
    uint64_t hash = 0;
    char prefix[24];
    sha256_init(&context);
    if (seed) {
        snprintf(prefix, sizeof prefix, "%llu\n", (unsigned long long)seed);
        sha256_update(&context, strlen(prefix), (const uint8_t *)prefix);
    }
    sha256_update(&context, strlen(text), (const uint8_t *)text);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) hash = hash << 8 | digest[i];
    return hash;
}

/* Folds turn the circle of fractions, so that every unit is in the test part once. */
s2clr_part s2clr_part_of_text(const s2clr_split_plan *plan, const char *text)
{
    double u = ldexp((double)s2clr_split_hash(text, plan->seed), -64), test = plan->test;
    if (plan->folds > 1) {
        const double sector = floor(u * plan->folds), rest = u * plan->folds - sector;
        const int ahead = ((int)sector - plan->fold + plan->folds) % plan->folds;
        if (ahead == 0) return S2CLR_PART_TEST;
        u = (ahead + rest) / plan->folds;
        test = 1.0 / plan->folds;
    } else if (u < test) {
        return S2CLR_PART_TEST;
    }
    return u < test + plan->validation ? S2CLR_PART_VALIDATION : S2CLR_PART_TRAIN;
}

/* ---- methods ---- */

/* The file part of the name, as images.h has it: the same patch in another folder is the same. */
static s2clr_part by_name(const s2clr_split_plan *plan, const s2clr_store_row *row)
{
    const char *slash = strrchr(row->name, '/');
    return s2clr_part_of_text(plan, slash ? slash + 1 : row->name);
}

static s2clr_part by_country(const s2clr_split_plan *plan, const s2clr_store_row *row)
{
    return s2clr_part_of_text(plan, row->country);
}

static s2clr_part by_tile(const s2clr_split_plan *plan, const s2clr_store_row *row)
{
    return s2clr_part_of_text(plan, row->tile);
}

static s2clr_part by_year(const s2clr_split_plan *plan, const s2clr_store_row *row)
{
    char year[5];
    snprintf(year, sizeof year, "%.4s", row->date);
    return s2clr_part_of_text(plan, year);
}

static bool has_name(const s2clr_store_row *row)
{
    return row->name[0] != '\0';
}

static bool has_footprint(const s2clr_store_row *row)
{
    return row->has_footprint;
}

static bool has_country(const s2clr_store_row *row)
{
    return row->country[0] != '\0';
}

static bool has_tile(const s2clr_store_row *row)
{
    return row->tile[0] != '\0';
}

static bool has_date(const s2clr_store_row *row)
{
    return row->date[0] != '\0';
}

/* A patch without what its method needs is left out: nobody can say whom it would leak to. */
static const struct {
    const char *name;
    s2clr_split_method part;
    bool (*has)(const s2clr_store_row *row);
    const char *needs;
} methods[] = {
    {"random", by_name, has_name, "a name"},
    {"blocks", s2clr_blocks_part, has_footprint, "a footprint"},
    {"country", by_country, has_country, "a country"},
    {"tile", by_tile, has_tile, "a tile"},
    {"year", by_year, has_date, "a date"},
};
enum { METHODS = sizeof methods / sizeof methods[0] };

/* ---- checks ---- */

static s2clr_status find_method(const char *name, int *out)
{
    const char *names[METHODS], *near;
    char all[100] = "";
    for (int i = 0; i < METHODS; i++) {
        if (name && strcmp(methods[i].name, name) == 0) {
            *out = i;
            return S2CLR_OK;
        }
        const size_t used = strlen(all);
        names[i] = methods[i].name;
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    near = name ? s2clr_suggest(name, names, METHODS) : NULL;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT, "split: the method '%.40s' is unknown%s%s%s; wanted: one of %s",
        name ? name : "", near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", all);
}

static s2clr_status check_plan(const s2clr_split_plan *plan)
{
    const bool folded = plan->folds != 0;
    if (folded && (plan->folds < 2 || plan->fold < 0 || plan->fold >= plan->folds))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "split: fold %d of %d; wanted: at least 2 folds, and one of them "
                               "counted from 0",
                               plan->fold, plan->folds);
    const double test = folded ? 1.0 / plan->folds : plan->test;
    if (!(test >= 0 && plan->validation >= 0 && test + plan->validation < 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "split: shares of %g for test and %g for validation; wanted: at "
                               "least 0, together less than 1, so that something is left to train",
                               test, plan->validation);
    return S2CLR_OK;
}

/* Few units, or a wide margin: a part may get nothing, and nobody should train on that. */
static s2clr_status check_parts(const s2clr_split_plan *plan, int method, size_t patches,
                                size_t lacking, const size_t count[S2CLR_PARTS])
{
    const double wanted[S2CLR_PART_OUT] = {1, plan->validation, plan->folds ? 1 : plan->test};
    if (lacking == patches)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "split: none of the %zu patches has %s, which '%s' needs; wanted: "
                               "another method",
                               patches, methods[method].needs, methods[method].name);
    for (int part = 0; part < S2CLR_PART_OUT; part++)
        if (wanted[part] > 0 && count[part] == 0)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "split: the %s part of %zu patches by '%s' is empty (%zu are "
                                   "left out, %zu of them without %s); wanted: a larger share, "
                                   "more groups or smaller blocks, a smaller margin, or another "
                                   "seed",
                                   s2clr_part_names[part], patches, methods[method].name,
                                   count[S2CLR_PART_OUT], lacking, methods[method].needs);
    return S2CLR_OK;
}

s2clr_status s2clr_split_assign(const s2clr_store *store, const s2clr_split_plan *plan,
                                const char **split)
{
    const size_t patches = s2clr_store_count(store);
    size_t count[S2CLR_PARTS] = {0}, lacking = 0;
    uint8_t *parts;
    int method = 0;
    S2CLR_TRY(find_method(plan->method, &method));
    S2CLR_TRY(check_plan(plan));
    if (methods[method].part == s2clr_blocks_part) S2CLR_TRY(s2clr_blocks_check(plan));
    if (patches == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "split: the store has no patches; add some");
    S2CLR_TRY(s2clr_alloc(patches, sizeof *parts, "split", (void **)&parts));
    for (size_t i = 0; i < patches; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        const bool has = methods[method].has(row);
        const s2clr_part part = has ? methods[method].part(plan, row) : S2CLR_PART_OUT;
        parts[i] = (uint8_t)part;
        count[part]++;
        lacking += !has;
    }
    const s2clr_status status = check_parts(plan, method, patches, lacking, count);
    for (size_t i = 0; i < patches && status == S2CLR_OK; i++)
        split[i] = s2clr_part_names[parts[i]];
    s2clr_free(parts);
    return status;
}
