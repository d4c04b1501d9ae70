#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "train/metrics.h"

/* json_real() refuses what JSON cannot say. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

s2clr_status s2clr_metrics_format(const s2clr_metrics *metrics, char **out)
{
    int failed = 0;
    json_t *root = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:i}", "n",
                             (json_int_t)metrics->n, "positives", (json_int_t)metrics->positives,
                             "tp", (json_int_t)metrics->tp, "fp", (json_int_t)metrics->fp, "tn",
                             (json_int_t)metrics->tn, "fn", (json_int_t)metrics->fn, "threshold",
                             number(metrics->threshold), "resamples", metrics->resamples);
    for (int m = 0; m < S2CLR_METRICS; m++) {
        json_t *entry = json_pack("{s:o, s:o, s:o}", "value", number(metrics->value[m]), "low",
                                  number(metrics->low[m]), "high", number(metrics->high[m]));
        failed |= json_object_set_new(root, s2clr_metric_name((s2clr_metric)m), entry);
    }
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(root);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the metrics as JSON");
    const s2clr_status status = s2clr_strdup(text, out);
    free(text);
    return status;
}
