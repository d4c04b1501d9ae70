#include "train/group_metrics.h"

static s2clr_status check(const double *p, const int *label, const int *group, size_t n, int groups)
{
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= 0 && p[i] <= 1))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "probability of sample %zu is %g, must be 0 to 1", i, p[i]);
        if (label[i] != 0 && label[i] != 1)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "label of sample %zu is %d, must be 0 or 1",
                                   i, label[i]);
        if (group[i] < 0 || group[i] >= groups)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "group of sample %zu is %d, must be 0 to %d",
                                   i, group[i], groups - 1);
    }
    return S2CLR_OK;
}

static const char *reason(const s2clr_group_metrics *m)
{
    const size_t called = m->tp + m->fp;
    if (m->n == 0) return "no sample";
    if (m->positives == 0 && called == 0)
        return "no positive sample and none called positive: no recall, no precision";
    if (m->positives == 0) return "no positive sample: no recall";
    if (m->positives == m->n && called == 0)
        return "no negative sample and none called positive: no specificity, no precision";
    if (m->positives == m->n) return "no negative sample: no specificity";
    if (called == 0) return "none called positive: no precision";
    return "";
}

s2clr_status s2clr_group_metrics_compute(const double *p, const int *label, const int *group,
                                         size_t n, int groups, double threshold,
                                         s2clr_group_metrics *out)
{
    S2CLR_TRY(check(p, label, group, n, groups));
    for (int g = 0; g < groups; g++) out[g] = (s2clr_group_metrics){.n = 0};
    for (size_t i = 0; i < n; i++) {
        s2clr_group_metrics *m = &out[group[i]];
        size_t *const cell[2][2] = {{&m->tn, &m->fp}, {&m->fn, &m->tp}}; // (label, decision)
        ++*cell[label[i]][p[i] >= threshold];
    }
    for (int g = 0; g < groups; g++) {
        s2clr_group_metrics *m = &out[g];
        m->positives = m->tp + m->fn;
        m->n = m->positives + m->fp + m->tn;
        m->recall = s2clr_proportion_wilson(m->tp, m->positives);
        m->specificity = s2clr_proportion_wilson(m->tn, m->n - m->positives);
        m->precision = s2clr_proportion_wilson(m->tp, m->tp + m->fp);
        m->accuracy = s2clr_proportion_wilson(m->tp + m->tn, m->n);
        m->reason = reason(m);
    }
    return S2CLR_OK;
}
