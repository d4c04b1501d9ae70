/* Which layers learn, and how fast: the deeper, the slower. */
#include <math.h>

#include "base/memory.h"
#include "train/ptrainer.h"

/* needed[i]: node i is an ancestor of the logits. What is not (a projection behind the layer that
 * the classifier looks at) gets no gradient, and must not be decayed either. */
static void mark_needed(const s2clr_net *net, bool *needed)
{
    const int last = s2clr_net_output(net, S2CLR_OUTPUT_LOGITS);
    needed[last] = true;
    for (int i = last; i >= 0; i--) {
        const s2clr_node *node = s2clr_net_node(net, (size_t)i);
        for (int j = 0; j < 2; j++)
            if (needed[i] && node->input[j] >= 0) needed[node->input[j]] = true;
    }
}

static size_t group_of(const s2clr_net_group *group, size_t groups, size_t node)
{
    size_t found = 0;
    for (size_t g = 0; g < groups; g++)
        if (group[g].first_node <= node) found = g;
    return found;
}

/* Groups above `own` that the logits need. */
static int groups_above(const s2clr_net *net, const bool *needed, const s2clr_net_group *group,
                        size_t groups, size_t own)
{
    int count = 0;
    for (size_t g = own + 1; g < groups; g++) {
        const size_t past = g + 1 < groups ? group[g + 1].first_node : s2clr_net_node_count(net);
        bool any = false;
        for (size_t i = group[g].first_node; i < past; i++) any = any || needed[i];
        count += any;
    }
    return count;
}

static s2clr_status fill(trainer *t, const bool *needed)
{
    const s2clr_net_group *group;
    const s2clr_param *list;
    const size_t groups = s2clr_net_depth_list(t->net, &group);
    const size_t count = s2clr_net_param_list(t->net, &list);
    const size_t trainable = s2clr_net_trainable_count(t->net);
    bool plain = true, any = false;
    S2CLR_TRY(s2clr_alloc(count, sizeof(double), "rates of the layers", (void **)&t->factor));
    for (size_t i = 0; i < count; i++) {
        const size_t node = (size_t)list[i].node, own = group_of(group, groups, node);
        const int above = groups_above(t->net, needed, group, groups, own);
        const bool learns = needed[node] && node >= t->settings->frozen;
        t->factor[i] = learns ? pow(t->settings->group_decay, above) : 0;
        if (t->factor[i] != 1) plain = false;
        if (learns && list[i].offset < trainable) any = true;
    }
    if (!any)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "nothing is left to learn: %zu of the network's %zu nodes are "
                               "frozen, and the rest has no weights",
                               t->settings->frozen, s2clr_net_node_count(t->net));
    if (!plain) return S2CLR_OK;
    s2clr_free(t->factor);
    t->factor = NULL;
    return S2CLR_OK;
}

s2clr_status s2clr_trainer_rates(trainer *t)
{
    bool *needed;
    S2CLR_TRY(s2clr_alloc(s2clr_net_node_count(t->net), sizeof *needed, "nodes", (void **)&needed));
    mark_needed(t->net, needed);
    const s2clr_status status = fill(t, needed);
    s2clr_free(needed);
    return status;
}
