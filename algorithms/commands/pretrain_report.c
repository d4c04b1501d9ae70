#include "commands/pretrain_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/edge.h"
#include "commands/plan_text.h"
#include "report/json_words.h"

static double total_seconds(const s2clr_pretrain_plan *p)
{
    return p->cost->seconds * (double)p->cost->steps * p->settings->common.epochs;
}

static void print_data(FILE *to, const s2clr_pretrain_plan *p)
{
    const s2clr_pretrain_settings *s = p->settings;
    fprintf(to, "patches     %d bands of %d x %d pixels, level %s\n", p->card->bands,
            p->card->patch, p->card->patch, s->common.level);
    fprintf(to, "training    %zu, labels not used\nheld out    %zu\n", p->parts->train.count,
            p->parts->all.count - p->parts->train.count);
    if (p->with_dates)
        fprintf(to, "dates       %zu patches have another date: second view of %g of their pairs\n",
                p->with_dates, s->natural);
    if (p->probe->count)
        fprintf(to,
                "probe       %d nearest neighbours among %zu labelled patches of the validation "
                "part\n",
                s->probe_k,
                p->probe->count < S2CLR_PROBE_MOST ? p->probe->count : (size_t)S2CLR_PROBE_MOST);
    else
        fprintf(to, "probe       none: the validation part has no two kinds of labels\n");
}

static void print_training(FILE *to, const s2clr_pretrain_plan *p)
{
    const s2clr_pretrain_settings *s = p->settings;
    const size_t steps = p->parts->train.count / (size_t)s->common.batch;
    char widths[64], *words;
    s2clr_widths_text(p->card->arch.projection, p->card->arch.projections, widths, sizeof widths);
    fprintf(to, "network     %s with a projection head of %s, %zu weights\n", p->card->arch.name,
            widths, p->weights);
    if (s2clr_augment_format(&s->common.augment, &words) == S2CLR_OK) {
        fprintf(to, "views       two of each patch: %s\n", words);
        s2clr_free(words);
    }
    fprintf(to, "batch       %d patches in chunks of %d; batch norm sees the %d views of a chunk\n",
            s->common.batch, s->chunk, 2 * s->chunk);
    fprintf(to, "training    %d epochs of %zu steps, %s, rate %g, temperature %g\n",
            s->common.epochs, steps, s->common.optimiser, s->common.rate, s->temperature);
}

static void print_cost(FILE *to, const s2clr_pretrain_plan *p)
{
    s2clr_cost_device(to, p->on, p->cost->device_bytes, p->cost->note);
    s2clr_cost_print(to, p->cost->bytes, p->cost->seconds, total_seconds(p), ", without the probe",
                     "--chunk");
}

static json_t *plan_json(const s2clr_pretrain_plan *p)
{
    const s2clr_pretrain_settings *s = p->settings;
    char device[400];
    s2clr_machine_text(p->on, device, sizeof device);
    json_t *root = json_pack(
        "{s:I, s:I, s:I, s:i, s:i, s:s, s:I, s:i, s:i, s:i, s:s, s:s, s:o}", "train",
        (json_int_t)p->parts->train.count, "with_another_date", (json_int_t)p->with_dates, "probe",
        (json_int_t)p->probe->count, "bands", p->card->bands, "patch", p->card->patch,
        "architecture", p->card->arch.name, "weights", (json_int_t)p->weights, "epochs",
        s->common.epochs, "batch", s->common.batch, "chunk", s->chunk, "level", s->common.level,
        "device", device, "output", s2clr_json_words(s->common.run_dir));
    if (root && p->parent)
        json_object_set_new(root, "parent", s2clr_json_words(s2clr_model_path(p->parent)));
    if (!p->cost) return root;
    json_object_set_new(root, "steps_per_epoch", json_integer((json_int_t)p->cost->steps));
    json_object_set_new(root, "memory_bytes", json_integer((json_int_t)p->cost->bytes));
    json_object_set_new(root, "device_memory_bytes",
                        json_integer((json_int_t)p->cost->device_bytes));
    if (p->cost->note[0]) json_object_set_new(root, "note", json_string(p->cost->note));
    json_object_set_new(root, "seconds_per_step",
                        p->cost->seconds > 0 ? json_real(p->cost->seconds) : json_null());
    json_object_set_new(root, "seconds",
                        p->cost->seconds > 0 ? json_real(total_seconds(p)) : json_null());
    return root;
}

void s2clr_pretrain_plan_text(FILE *to, const void *context)
{
    const s2clr_pretrain_plan *plan = context;
    char device[400];
    s2clr_machine_text(plan->on, device, sizeof device);
    print_data(to, plan);
    if (plan->parent) s2clr_parent_print(to, plan->parent, plan->adoption);
    print_training(to, plan);
    fprintf(to, "device      %s\noutput      %s\n", device, plan->settings->common.run_dir);
}

s2clr_status s2clr_pretrain_plan_print(const s2clr_args *args, const s2clr_pretrain_plan *plan)
{
    const bool dry = s2clr_args_flag(args, "dry-run");
    if (s2clr_args_flag(args, "json")) return dry ? s2clr_edge_json(plan_json(plan)) : S2CLR_OK;
    if (!dry && s2clr_args_flag(args, "quiet")) return S2CLR_OK;
    s2clr_pretrain_plan_text(stdout, plan);
    if (plan->cost) print_cost(stdout, plan);
    return s2clr_edge_flush();
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void s2clr_pretrain_result_text(FILE *to, const void *context)
{
    const s2clr_pretrain_result *r = context;
    fprintf(to, "loss        %.4f after %d epochs\n", r->loss, r->epochs_run);
    fprintf(
        to,
        "embeddings  std %.3f (1: spread evenly, 0: collapsed), alignment %.3f, uniformity %.3f\n",
        r->spread, r->alignment, r->uniformity);
    if (isfinite(r->knn_accuracy))
        fprintf(to, "probe       neighbours agree with the label in %.4f, AUC %.4f\n",
                r->knn_accuracy, r->knn_auc);
}

static json_t *result_json(const s2clr_pretrain_result *r)
{
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:f}", "model",
                     s2clr_json_words(r->model_path), "epochs", r->epochs_run, "loss",
                     number(r->loss), "spread", number(r->spread), "alignment",
                     number(r->alignment), "uniformity", number(r->uniformity), "knn_accuracy",
                     number(r->knn_accuracy), "knn_auc", number(r->knn_auc), "collapsed",
                     r->collapsed, "seconds", r->seconds);
}

s2clr_status s2clr_pretrain_result_print(const s2clr_args *args, const s2clr_pretrain_result *r)
{
    if (r->collapsed)
        s2clr_edge_warn(args, "the embeddings collapsed: all point the same way, and the encoder "
                              "tells nothing apart; try a lower --rate, a larger --batch or "
                              "stronger --augment");
    if (s2clr_edge_wants_json(args)) S2CLR_TRY(s2clr_edge_result(args, result_json(r)));
    if (s2clr_args_flag(args, "json")) return S2CLR_OK;
    if (s2clr_args_flag(args, "quiet")) return s2clr_edge_flush();
    s2clr_pretrain_result_text(stdout, r);
    printf("time        %.1f s\n", r->seconds);
    printf("encoder     %s\n", r->model_path);
    return s2clr_edge_flush();
}
