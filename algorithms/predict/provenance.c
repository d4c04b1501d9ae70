#include "predict/provenance.h"

#include <cpl_string.h>
#include <stdio.h>

const char *const *s2clr_provenance_shown(void)
{
    static const char *const names[] = {
        "VERSION",  "MODEL_ID",     "MODEL_TITLE", "MODEL_SHA256", "MODEL_WARNING",
        "POSITIVE", "THRESHOLD",    "PREVALENCE",  "STRIDE",       "LEVEL",
        "ACQUIRED", "COMMAND_LINE", NULL};
    return names;
}

static char **add_offsets(char **list, const s2clr_stack_info *stack)
{
    char text[S2CLR_CARD_BANDS_MAX * 96] = "";
    size_t used = 0;
    for (int i = 0; i < stack->bands; i++) {
        const int wrote = CPLsnprintf(text + used, sizeof text - used, "%s%s=%.10g", i ? "," : "",
                                      stack->band[i].band, stack->band[i].offset);
        if (wrote < 0 || (size_t)wrote >= sizeof text - used) break;
        used += (size_t)wrote;
    }
    list = CSLSetNameValue(list, "OFFSETS_DN", text);
    return CSLSetNameValue(list, "OFFSETS_FROM", stack->offset_from);
}

static char **add_inputs(char **list, const s2clr_provenance *facts)
{
    char key[32];
    for (size_t i = 0; i < facts->input_count; i++) {
        snprintf(key, sizeof key, "INPUT_%zu", i + 1);
        list = CSLSetNameValue(list, key, facts->inputs[i]);
    }
    return list;
}

static char **add_settings(char **list, const s2clr_provenance *facts)
{
    const s2clr_grid *grid = facts->grid;
    const int *window = facts->window;
    list = CSLSetNameValue(list, "PATCH", CPLSPrintf("%d", grid->patch));
    list = CSLSetNameValue(list, "STRIDE", CPLSPrintf("%d", grid->stride));
    list = CSLSetNameValue(list, "MIN_VALID", CPLSPrintf("%.10g", facts->min_valid));
    list = CSLSetNameValue(list, "WINDOW",
                           CPLSPrintf("%d %d %d %d of %d x %d", window[0], window[1], window[2],
                                      window[3], grid->columns, grid->rows));
    if (facts->prevalence > 0)
        list = CSLSetNameValue(list, "PREVALENCE",
                               CPLSPrintf("%.10g (trained for %.10g)", facts->prevalence,
                                          s2clr_model_card(facts->model)->prevalence));
    if (facts->scl) list = CSLSetNameValue(list, "SCL", facts->scl);
    if (facts->aoi) list = CSLSetNameValue(list, "AOI", facts->aoi);
    if (facts->command_line) list = CSLSetNameValue(list, "COMMAND_LINE", facts->command_line);
    return list;
}

char **s2clr_provenance_list(const s2clr_provenance *facts)
{
    const s2clr_card *card = s2clr_model_card(facts->model);
    const s2clr_stack_info *stack = facts->stack;
    char **list = NULL;
    list = CSLSetNameValue(list, "VERSION", S2CLR_VERSION);
    list = CSLSetNameValue(list, "MODEL_SHA256", s2clr_model_sha256(facts->model));
    list = CSLSetNameValue(list, "MODEL_ID", card->id);
    list = CSLSetNameValue(list, "MODEL_TITLE", card->text[S2CLR_CARD_TITLE]);
    list = CSLSetNameValue(list, "MODEL_WARNING", card->text[S2CLR_CARD_WARNING]);
    list = CSLSetNameValue(list, "POSITIVE", card->positive);
    if (card->classes == 0)
        list = CSLSetNameValue(list, "THRESHOLD", CPLSPrintf("%.10g", card->threshold));
    if (facts->backend) list = CSLSetNameValue(list, "BACKEND", facts->backend);
    list = CSLSetNameValue(list, "OPENED_AS", stack->opened_as);
    list = CSLSetNameValue(list, "LEVEL", stack->level);
    list = CSLSetNameValue(list, "LEVEL_FROM", stack->level_from);
    if (stack->acquired[0]) list = CSLSetNameValue(list, "ACQUIRED", stack->acquired);
    list = add_offsets(list, stack);
    list = add_inputs(list, facts);
    return add_settings(list, facts);
}

char **s2clr_provenance_tags(const s2clr_predict_settings *settings, const s2clr_model *model,
                             const char *backend, const s2clr_stack_info *stack,
                             const s2clr_grid *grid, const int window[4])
{
    const s2clr_provenance facts = {.model = model,
                                    .backend = backend,
                                    .stack = stack,
                                    .grid = grid,
                                    .window = window,
                                    .inputs = settings->inputs,
                                    .input_count = settings->input_count,
                                    .min_valid = settings->min_valid,
                                    .prevalence = settings->prevalence,
                                    .scl = settings->stack.scl,
                                    .aoi = settings->aoi,
                                    .command_line = settings->command_line};
    return s2clr_provenance_list(&facts);
}
