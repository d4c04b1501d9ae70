#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/suggest.h"
#include "sentinel2/bands.h"
#include "sentinel2/pnames.h"
#include "sentinel2/pstack.h"

/* The names found, for messages: "B02, B03, B04". */
static void list_names(const s2clr_found *found, char *out, size_t size)
{
    size_t at = 0;
    int named = 0;
    out[0] = '\0';
    for (int i = 0; i < found->candidates && at + S2CLR_CARD_WORD + 8 < size; i++) {
        if (!found->candidate[i].band[0]) continue;
        at += (size_t)snprintf(out + at, size - at, "%s%s", named++ ? ", " : "",
                               found->candidate[i].band);
    }
    if (!named) snprintf(out, size, "no band names");
}

static s2clr_status missing(const s2clr_found *found, const s2clr_card *card, const char *band)
{
    char names[400], wanted[300] = "";
    size_t at = 0;
    for (int i = 0; i < card->bands && at + S2CLR_CARD_WORD < sizeof wanted; i++)
        at +=
            (size_t)snprintf(wanted + at, sizeof wanted - at, "%s%s", i ? "," : "", card->band[i]);
    list_names(found, names, sizeof names);
    if (!found->numbered)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: no band %s; the model wants %s, the %s holds %s; give the "
                               "whole product, or choose another model",
                               found->input, band, wanted, found->opened_as, names);
    return s2clr_error_set(
        S2CLR_ERR_MISMATCH,
        "%s: no band %s; the model wants %s, the input has %d raster bands and names them: %s; say "
        "which is which with " S2CLR_SAY_BANDS ": raster band numbers in the model's order, as in "
        "1,2,3, or names with numbers, as in %s=N",
        found->input, band, wanted, found->candidates, names, band);
}

static bool is_named(const s2clr_candidate *candidate, const char *band)
{
    const s2clr_band *known = s2clr_band_find(band);
    return strcasecmp(candidate->band, known ? known->name : band) == 0;
}

/* The same band comes in several pixel sizes ("_10m", "_20m"): the finest wins. Otherwise two
 * candidates are one too many. */
static s2clr_status pick(const s2clr_found *found, const char *band, int *out)
{
    int best = -1;
    for (int i = 0; i < found->candidates; i++) {
        if (!is_named(&found->candidate[i], band)) continue;
        if (best >= 0) {
            const s2clr_candidate *a = &found->candidate[best], *b = &found->candidate[i];
            const int ma = s2clr_name_metres(a->path), mb = s2clr_name_metres(b->path);
            if (!ma || !mb || ma == mb)
                return s2clr_error_set(
                    S2CLR_ERR_MISMATCH,
                    "%s: two candidates for band %s: %s band %d (%s) and %s band %d (%s); give "
                    "only one of them%s",
                    found->input, band, a->path, a->number, a->found_by, b->path, b->number,
                    b->found_by, found->numbered ? ", or name it with " S2CLR_SAY_BANDS : "");
            if (ma <= mb) continue;
        }
        best = i;
    }
    *out = best;
    return S2CLR_OK;
}

static s2clr_status bad_bands(const char *given, const char *why)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           S2CLR_SAY_BANDS
                           " %.200s: %s; write raster band numbers in the model's order "
                           "(1,2,3) or names with numbers (B04=1,B03=2)",
                           given, why);
}

static s2clr_status unused_band(const char *given, const char *name, const s2clr_card *card)
{
    const char *names[S2CLR_CARD_BANDS_MAX];
    char why[160], wanted[80] = "";
    for (int i = 0; i < card->bands; i++) {
        const size_t at = strlen(wanted);
        names[i] = card->band[i];
        if (at < sizeof wanted - 8)
            snprintf(wanted + at, sizeof wanted - at, "%s%.6s", i ? "," : "", card->band[i]);
    }
    /* B05 is not B04 mistyped. */
    const char *near =
        s2clr_band_find(name) ? NULL : s2clr_suggest(name, names, (size_t)card->bands);
    snprintf(why, sizeof why, "\"%.20s\" is no band of the model (%s)%s%.20s", name, wanted,
             near ? ": did you mean " : "", near ? near : "");
    return bad_bands(given, why);
}

/* One item of --input-bands: "3" or "B04=3"; *slot is the card's band it is for. */
static s2clr_status parse_item(const char *given, const char *item, size_t length,
                               const s2clr_card *card, int *slot, long *number)
{
    char text[S2CLR_CARD_WORD + 16], *end;
    if (length == 0 || length >= sizeof text) return bad_bands(given, "empty or too long item");
    memcpy(text, item, length);
    text[length] = '\0';
    char *digits = text, *equals = strchr(text, '=');
    if (equals) {
        const s2clr_band *band;
        *equals = '\0';
        digits = equals + 1;
        band = s2clr_band_find(text);
        for (*slot = 0; *slot < card->bands; ++*slot)
            if (strcasecmp(card->band[*slot], band ? band->name : text) == 0) break;
        if (*slot == card->bands) return unused_band(given, text, card);
    }
    *number = strtol(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || *end) return bad_bands(given, "not a whole number");
    return S2CLR_OK;
}

/* Fills chosen[] (candidate index per card band, -1 where --input-bands says nothing). */
static s2clr_status parse_bands(const char *given, const s2clr_card *card, const s2clr_found *found,
                                int *chosen)
{
    int next = 0;
    const bool named = strchr(given, '=') != NULL;
    if (!found->numbered)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               S2CLR_SAY_BANDS
                               " %.200s: %s (%s) names its bands itself; leave it out",
                               given, found->input, found->opened_as);
    for (const char *item = given;;) {
        const size_t length = strcspn(item, ",");
        int slot = next++;
        long number = 0;
        S2CLR_TRY(parse_item(given, item, length, card, &slot, &number));
        if (named != (memchr(item, '=', length) != NULL))
            return bad_bands(given, "mixes both forms");
        if (slot >= card->bands) return bad_bands(given, "more bands than the model has");
        if (chosen[slot] >= 0) return bad_bands(given, "names a band twice");
        if (number < 1 || number > found->candidates)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   S2CLR_SAY_BANDS " %.200s: no raster band %ld; %s has 1 to %d",
                                   given, number, found->input, found->candidates);
        for (int i = 0; i < card->bands; i++)
            if (chosen[i] == number - 1) return bad_bands(given, "uses a raster band twice");
        chosen[slot] = (int)number - 1;
        if (!item[length]) break;
        item += length + 1;
    }
    if (!named && next != card->bands) return bad_bands(given, "fewer bands than the model has");
    return S2CLR_OK;
}

/* A file in a folder was only looked at by name: it must be what the name promises. */
static s2clr_status open_candidate(s2clr_found *found, const s2clr_candidate *candidate,
                                   GDALDatasetH *dataset)
{
    S2CLR_TRY(s2clr_found_open(found, candidate->path, dataset));
    int colours = 0;
    for (int i = 1; i <= GDALGetRasterCount(*dataset); i++)
        colours +=
            GDALGetRasterColorInterpretation(GDALGetRasterBand(*dataset, i)) != GCI_AlphaBand;
    if (strcmp(candidate->found_by, "file name") == 0 && colours != 1)
        return s2clr_error_set(
            S2CLR_ERR_FORMAT,
            "%s: named after one band but holds %d; give it alone, with " S2CLR_SAY_BANDS,
            candidate->path, colours);
    return S2CLR_OK;
}

static s2clr_status bind_band(s2clr_found *found, const s2clr_candidate *candidate,
                              const char *found_by, s2clr_stack_band *out)
{
    GDALDatasetH dataset;
    S2CLR_TRY(open_candidate(found, candidate, &dataset));
    snprintf(out->source, sizeof out->source, "%s", candidate->path);
    snprintf(out->found_by, sizeof out->found_by, "%s", found_by);
    out->number = candidate->number;
    return S2CLR_OK;
}

static s2clr_status bind_scl(s2clr_found *found, const char *scl, s2clr_stack *stack)
{
    const s2clr_candidate *candidate;
    GDALDatasetH dataset;
    if (!scl || strcmp(scl, "none") == 0) return S2CLR_OK;
    if (strcmp(scl, "auto") == 0) {
        int chosen;
        S2CLR_TRY(pick(found, "SCL", &chosen));
        if (chosen < 0) {
            s2clr_info_warn(&stack->info,
                            "%s: has no scene classification (SCL): clouds are not "
                            "masked",
                            found->input);
            return S2CLR_OK;
        }
        candidate = &found->candidate[chosen];
        S2CLR_TRY(open_candidate(found, candidate, &dataset));
    } else {
        S2CLR_TRY(s2clr_found_add(found, "SCL", scl, 1, "--scl"));
        candidate = &found->candidate[found->candidates - 1];
        S2CLR_TRY(open_candidate(found, candidate, &dataset));
    }
    snprintf(stack->scl_source, sizeof stack->scl_source, "%s", candidate->path);
    stack->scl_number = candidate->number;
    stack->info.has_scl = true;
    return S2CLR_OK;
}

s2clr_status s2clr_stack_bind(s2clr_found *found, const s2clr_card *card,
                              const s2clr_stack_options *options, s2clr_stack *stack)
{
    int chosen[S2CLR_CARD_BANDS_MAX];
    for (int i = 0; i < S2CLR_CARD_BANDS_MAX; i++) chosen[i] = -1;
    if (options->bands) S2CLR_TRY(parse_bands(options->bands, card, found, chosen));
    stack->info.bands = card->bands;
    for (int i = 0; i < card->bands; i++) {
        s2clr_stack_band *band = &stack->info.band[i];
        const bool given = chosen[i] >= 0;
        if (!given) S2CLR_TRY(pick(found, card->band[i], &chosen[i]));
        if (chosen[i] < 0) return missing(found, card, card->band[i]);
        const s2clr_candidate *candidate = &found->candidate[chosen[i]];
        snprintf(band->band, sizeof band->band, "%s", card->band[i]);
        S2CLR_TRY(bind_band(found, candidate, given ? "--input-bands" : candidate->found_by, band));
    }
    return bind_scl(found, options->scl, stack);
}
