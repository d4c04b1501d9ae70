#include "train/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void list_bands(const s2clr_card *card, char *text, size_t size)
{
    text[0] = '\0';
    for (int b = 0; b < card->bands; b++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", b ? "," : "", card->band[b]);
    }
}

s2clr_status s2clr_bands_find(const s2clr_card *parent, const s2clr_card *card, int *channel)
{
    char known[256];
    for (int b = 0; b < card->bands; b++) {
        channel[b] = -1;
        for (int p = 0; p < parent->bands; p++)
            if (strcmp(card->band[b], parent->band[p]) == 0) channel[b] = p;
        if (channel[b] >= 0) continue;
        list_bands(parent, known, sizeof known);
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "band %s is none of the parent model \"%s\", which has %s; leave it "
                               "out or take another parent",
                               card->band[b], parent->id, known);
    }
    return S2CLR_OK;
}

/* Whether it is the weight that the bands go into. */
static bool is_first(const s2clr_net *net, const s2clr_param *param)
{
    if (param->role != S2CLR_PARAM_WEIGHT) return false;
    const s2clr_node *node = s2clr_net_node(net, (size_t)param->node);
    return s2clr_net_node(net, (size_t)node->input[0])->kind == S2CLR_NODE_INPUT;
}

/* Equal but for the number of input channels when `first`. */
static bool fits(const s2clr_param *theirs, const s2clr_param *ours, bool first)
{
    if (theirs->rank != ours->rank || theirs->role != ours->role) return false;
    for (int i = 0; i < ours->rank; i++)
        if (theirs->dims[i] != ours->dims[i] && !(first && i == 1)) return false;
    return true;
}

/* (out, C, kh, kw) of the parent to (out, c, kh, kw): input channel by input channel. */
static void gather(const s2clr_param *theirs, const s2clr_param *ours, const int *channel,
                   const float *from, float *to)
{
    const size_t in = (size_t)ours->dims[1], taps = ours->count / ((size_t)ours->dims[0] * in);
    for (size_t k = 0; k < (size_t)ours->dims[0]; k++)
        for (size_t c = 0; c < in; c++)
            memcpy(to + (k * in + c) * taps,
                   from + (k * (size_t)theirs->dims[1] + (size_t)channel[c]) * taps,
                   taps * sizeof *to);
}

static void note_fresh(const s2clr_param *param, s2clr_adoption *report)
{
    const size_t used = strlen(report->fresh_names), room = sizeof report->fresh_names;
    const size_t needed = strlen(param->name) + 2;
    report->fresh++;
    report->fresh_values += param->count;
    if (report->lowest_fresh < 0 || param->node < report->lowest_fresh)
        report->lowest_fresh = param->node;
    if (used + needed + 6 < room)
        snprintf(report->fresh_names + used, room - used, "%s%s", used ? ", " : "", param->name);
    else if (used < 3 || strcmp(report->fresh_names + used - 3, "...") != 0)
        snprintf(report->fresh_names + used, room - used, ", ...");
}

typedef struct adopt_job {
    const s2clr_net *parent, *net;
    const float *from;
    float *to;
    int channel[S2CLR_CARD_BANDS_MAX];
    s2clr_adoption report;
} adopt_job;

static void adopt_one(adopt_job *job, const s2clr_param *ours)
{
    const s2clr_param *found = s2clr_net_param_named(job->parent, ours->name);
    const bool first = is_first(job->net, ours);
    if (!found || !fits(found, ours, first)) {
        note_fresh(ours, &job->report);
        return;
    }
    if (first)
        gather(found, ours, job->channel, job->from + found->offset, job->to + ours->offset);
    else
        memcpy(job->to + ours->offset, job->from + found->offset, ours->count * sizeof(float));
    job->report.taken++;
    job->report.taken_values += ours->count;
}

static s2clr_status adopt_all(adopt_job *job)
{
    const s2clr_param *theirs, *ours;
    const size_t count = s2clr_net_param_list(job->net, &ours);
    for (size_t i = 0; i < count; i++) adopt_one(job, &ours[i]);
    if (job->report.taken == 0)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s takes nothing of the parent's %s: no tensor has the same name "
                               "and shape; use the parent's architecture and width",
                               s2clr_net_arch(job->net)->name, s2clr_net_arch(job->parent)->name);
    job->report.unused = s2clr_net_param_list(job->parent, &theirs) - job->report.taken;
    return S2CLR_OK;
}

s2clr_status s2clr_weights_adopt(const s2clr_card *parent_card, const s2clr_net *parent,
                                 const float *parent_params, const s2clr_card *card,
                                 const s2clr_net *net, float *params, s2clr_adoption *out)
{
    adopt_job job = {.parent = parent,
                     .net = net,
                     .from = parent_params,
                     .to = params,
                     .report = {.lowest_fresh = -1}};
    S2CLR_TRY(s2clr_bands_find(parent_card, card, job.channel));
    job.report.bands_gathered = card->bands != parent_card->bands;
    for (int b = 0; b < card->bands; b++)
        if (job.channel[b] != b) job.report.bands_gathered = true;
    S2CLR_TRY(adopt_all(&job));
    *out = job.report;
    return S2CLR_OK;
}
