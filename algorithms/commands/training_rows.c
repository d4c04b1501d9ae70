#define _GNU_SOURCE /* realpath */
#include "commands/training_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/number.h"
#include "train/run_folder.h"

enum { WIDTH_MOST = 4096 /* of a layer, in any network */ };

s2clr_status s2clr_training_read(const s2clr_args *args, s2clr_training *out)
{
    out->run_dir = s2clr_args_text(args, "output");
    out->optimiser = s2clr_args_text(args, "optimiser");
    out->rate = s2clr_args_real(args, "rate");
    out->weight_decay = s2clr_args_real(args, "weight-decay");
    out->warmup = s2clr_args_real(args, "warmup");
    out->epochs = (int)s2clr_args_int(args, "epochs");
    out->batch = (int)s2clr_args_int(args, "batch");
    out->seed = (uint64_t)s2clr_args_int(args, "seed");
    out->resume = s2clr_args_flag(args, "resume");
    return s2clr_augment_parse(s2clr_args_text(args, "augment"), &out->augment);
}

/* The folder that `path` is, or would be made in, without links; NULL: there is none. Free with
 * free(). */
static char *real_folder(const char *path)
{
    char parent[RUN_PATH_MAX];
    char *real = realpath(path, NULL);
    size_t length = strlen(path);
    if (real || length >= sizeof parent) return real;
    while (length > 1 && path[length - 1] == '/') length--;
    while (length > 0 && path[length - 1] != '/') length--;
    snprintf(parent, sizeof parent, "%.*s", length ? (int)length : 1, length ? path : ".");
    return realpath(parent, NULL);
}

s2clr_status s2clr_run_folder_outside(const s2clr_args *args)
{
    const char *dataset = s2clr_args_text(args, "dataset"),
               *output = s2clr_args_text(args, "output");
    char *data = realpath(dataset, NULL), *folder = real_folder(output);
    const size_t length = data ? strlen(data) : 0;
    const bool inside = data && folder && strncmp(folder, data, length) == 0 &&
                        (folder[length] == '/' || folder[length] == '\0');
    free(data);
    free(folder);
    if (!inside) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "run folder %s: lies in the data set %s and would be taken for a part of "
        "it; take a folder elsewhere",
        output, dataset);
}

s2clr_status s2clr_supervised_read(const s2clr_args *args, s2clr_supervised_settings *out)
{
    s2clr_supervised_defaults(out);
    S2CLR_TRY(s2clr_training_read(args, &out->common));
    out->common.micro = (int)s2clr_args_int(args, "micro");
    if (out->common.batch < out->common.micro && !s2clr_args_given(args, "micro"))
        out->common.micro = out->common.batch;
    out->balance = s2clr_args_real(args, "balance");
    out->label_smoothing = s2clr_args_real(args, "label-smoothing");
    out->patience = (int)s2clr_args_int(args, "patience");
    return S2CLR_OK;
}

/* As often as all classes alike would come, over as often as this one comes. */
static s2clr_status weigh_by_count(size_t labels, const size_t *count, double *out)
{
    size_t total = 0;
    for (size_t i = 0; i < labels; i++) total += count[i];
    for (size_t i = 0; i < labels; i++) {
        if (count[i] == 0)
            return s2clr_error_set(
                S2CLR_ERR_ARGUMENT,
                "--class-weights auto: no training sample has label %zu, and its "
                "weight would be infinite",
                i);
        out[i] = (double)total / ((double)labels * (double)count[i]);
    }
    return S2CLR_OK;
}

static s2clr_status bad_weights(const char *text, size_t labels)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--class-weights %.100s: wanted auto, or %zu numbers of 0 to 1000000 "
                           "separated by commas, one for each label",
                           text, labels);
}

s2clr_status s2clr_class_weights_read(const s2clr_args *args, size_t labels, const size_t *count,
                                      double *out, bool *given)
{
    const char *text = s2clr_args_text(args, "class-weights");
    *given = text != NULL;
    if (!text) return S2CLR_OK;
    if (strcmp(text, "auto") == 0) return weigh_by_count(labels, count, out);
    const char *at = text;
    for (size_t i = 0; i < labels; i++) {
        char word[64];
        const size_t length = strcspn(at, ",");
        if (length == 0 || length >= sizeof word) return bad_weights(text, labels);
        memcpy(word, at, length);
        word[length] = '\0';
        if (!s2clr_number_real(word, &out[i]) || !(out[i] >= 0 && out[i] <= 1e6))
            return bad_weights(text, labels);
        at += length;
        if (*at != (i + 1 < labels ? ',' : '\0')) return bad_weights(text, labels);
        at += *at == ',';
    }
    for (size_t i = 0; i < labels; i++)
        if (out[i] > 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--class-weights %.100s: all are 0, nothing would be learned; give the "
                           "labels that count a weight above 0",
                           text);
}

s2clr_status s2clr_widths_read(const s2clr_args *args, const char *option, int out[S2CLR_HEAD_MAX],
                               int *count)
{
    const char *list = s2clr_args_text(args, option), *at = list;
    *count = 0;
    while (at && *at && *count < S2CLR_HEAD_MAX) {
        char *end;
        const long width = strtol(at, &end, 10);
        if (end == at || (*end && *end != ',') || width < 1 || width > WIDTH_MOST) break;
        out[(*count)++] = (int)width;
        at = end + (*end == ',' && end[1]);
    }
    if (!at || (!*at && *count > 0)) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "--%s %.100s: wanted 1 to %d widths of 1 to %d, separated by commas, such "
        "as 256,256",
        option, list, S2CLR_HEAD_MAX, WIDTH_MOST);
}
