/* What a calibration leaves in the card of the new model, beside its numbers. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "commands/calibrate_report.h"

enum { COMMAND_ROOM = 60000 /* of the bytes that a text of a card may have */ };

static const char before_word[] = "_before_calibration";

/* What made the weights, and then what calibrated them: a line that a shell can run. */
static s2clr_status set_command(const char *line, s2clr_card *card)
{
    const char *before = card->text[S2CLR_CARD_COMMAND];
    const size_t room = strlen(before) + strlen(line) + 5;
    char *text;
    if (room > COMMAND_ROOM) return s2clr_card_set_text(card, S2CLR_CARD_COMMAND, line);
    S2CLR_TRY(s2clr_alloc(room, 1, "command line", (void **)&text));
    snprintf(text, room, "%s%s%s", before, before[0] ? " && " : "", line);
    const s2clr_status status = s2clr_card_set_text(card, S2CLR_CARD_COMMAND, text);
    s2clr_free(text);
    return status;
}

static bool says_before(const char *key)
{
    const size_t length = strlen(key), word = strlen(before_word);
    return length > word && strcmp(key + length - word, before_word) == 0;
}

/* Numbers get a name that says so; words need none. */
static int add_metric(json_t *renamed, const char *key, json_t *value)
{
    char *name;
    const size_t room = strlen(key) + sizeof before_word;
    if (says_before(key) || json_is_string(value)) return json_object_set(renamed, key, value);
    if (s2clr_alloc(room, 1, "name of a metric", (void **)&name) != S2CLR_OK) return -1;
    snprintf(name, room, "%s%s", key, before_word);
    const int failed = json_object_set(renamed, name, value);
    s2clr_free(name);
    return failed;
}

/* The threshold, Brier score and calibration error in them are not those of the new card. */
static s2clr_status rename_metrics(s2clr_card *card)
{
    json_t *old = json_loads(card->text[S2CLR_CARD_METRICS], 0, NULL), *renamed = json_object();
    const char *key;
    json_t *value;
    int failed = 0;
    json_object_foreach(old, key, value) failed |= add_metric(renamed, key, value);
    char *text = failed ? NULL : json_dumps(renamed, JSON_COMPACT | JSON_REAL_PRECISION(15));
    const bool none = json_object_size(old) == 0;
    json_decref(old);
    json_decref(renamed);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the card's metrics");
    const s2clr_status status =
        none ? S2CLR_OK : s2clr_card_set_text(card, S2CLR_CARD_METRICS, text);
    free(text);
    return status;
}

s2clr_status s2clr_calibrated_card(const s2clr_calibrated *c, const char *line, s2clr_card *card)
{
    const s2clr_calibrated_part *part = &c->part[0];
    s2clr_calibration *calibration = &card->calibration;
    snprintf(calibration->part, sizeof calibration->part, "%s", part->name);
    calibration->samples = (int)(part->samples < 1000000000 ? part->samples : 1000000000);
    calibration->ece_before = part->before.ece;
    calibration->ece_after = part->after.ece;
    S2CLR_TRY(s2clr_card_set_text(card, S2CLR_CARD_PARENT, s2clr_model_sha256(c->model)));
    S2CLR_TRY(rename_metrics(card));
    return set_command(line, card);
}
