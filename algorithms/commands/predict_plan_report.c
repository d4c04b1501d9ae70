#include "commands/predict_plan_report.h"

#include <string.h>

#include "commands/plan_text.h"
#include "commands/stack_rows.h"
#include "report/json_words.h"

static double rate(const s2clr_plan_sample *sample)
{
    return sample->seconds > 0 ? (double)sample->amount / sample->seconds : 0;
}

/* ---- for programs ---- */

static json_t *sample_json(const s2clr_plan_sample *sample)
{
    if (!sample->amount) return json_null();
    return json_pack("{s:I, s:f, s:f}", "amount", (json_int_t)sample->amount, "seconds",
                     sample->seconds, "per_second", rate(sample));
}

static json_t *seconds_json(const s2clr_predict_plan *p)
{
    if (!p->compute.amount) return json_null();
    return json_pack("{s:f, s:f, s:f}", "read", p->read_seconds, "compute", p->compute_seconds,
                     "read_and_compute", p->read_seconds + p->compute_seconds);
}

static json_t *output_json(const s2clr_predict_settings *settings, const s2clr_predict_plan *p)
{
    json_t *out = json_pack(
        "{s:o, s:b, s:b, s:[i,i], s:i, s:s, s:s, s:I}", "name", s2clr_json_words(p->output),
        "exists", p->output_exists, "may_be_replaced", settings->overwrite, "size", p->columns,
        p->rows, "bands", p->bands, "format", settings->format, "type",
        settings->byte_output ? "Byte" : "Float32", "bytes", (json_int_t)p->output_bytes);
    if (p->vrt[0]) json_object_set_new(out, "vrt", s2clr_json_words(p->vrt));
    if (settings->report) json_object_set_new(out, "report", s2clr_json_words(settings->report));
    if (settings->polygons)
        json_object_set_new(out, "polygons", s2clr_json_words(settings->polygons));
    if (settings->resume)
        json_object_set_new(out, "journal_exists", json_boolean(p->journal_exists));
    return out;
}

static json_t *device_memory_json(const s2clr_predict_plan *p)
{
    if (!p->device_limit) return json_null();
    return json_pack("{s:I, s:I}", "bytes", (json_int_t)p->device_memory, "limit_bytes",
                     (json_int_t)p->device_limit);
}

json_t *s2clr_predict_plan_json(const s2clr_predict_settings *settings, const s2clr_predict_plan *p)
{
    json_t *reading =
        json_pack("{s:I, s:I, s:o}", "files", (json_int_t)p->files, "decode_bytes",
                  (json_int_t)p->decode_bytes, "file_bytes",
                  p->file_bytes ? json_integer((json_int_t)p->file_bytes) : json_null());
    return json_pack(
        "{s:b, s:o, s:o, s:o, s:s, s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}",
        "dry_run", 1, "output", output_json(settings, p), "model",
        s2clr_json_words(settings->model_path), "model_warning", s2clr_json_words(p->warning),
        "device", p->device, "threads", p->threads, "reading", reading, "pixels",
        (json_int_t)p->pixels, "patches", (json_int_t)p->patches, "blocks", (json_int_t)p->blocks,
        "memory_bytes", (json_int_t)p->memory, "memory_limit_bytes", (json_int_t)p->memory_limit,
        "device_memory", device_memory_json(p), "measured",
        json_pack("{s:o, s:o}", "read_bytes", sample_json(&p->read), "patches",
                  sample_json(&p->compute)),
        "seconds", seconds_json(p), "input", s2clr_stack_json(&p->stack));
}

/* ---- for people ---- */

static void print_reading(FILE *to, const s2clr_predict_plan *p)
{
    char disk[32], decoded[32];
    s2clr_bytes_text(p->file_bytes, disk, sizeof disk);
    s2clr_bytes_text(p->decode_bytes, decoded, sizeof decoded);
    fprintf(to, "reading     %s of pixels, from %zu file%s", decoded, p->files,
            p->files == 1 ? "" : "s");
    if (p->file_bytes) fprintf(to, " of %s", disk);
    fprintf(to, "\n");
}

static void print_output(FILE *to, const s2clr_predict_settings *settings,
                         const s2clr_predict_plan *p)
{
    char bytes[32];
    s2clr_bytes_text(p->output_bytes, bytes, sizeof bytes);
    fprintf(to, "map         %s, %d x %d pixels, %d band%s %s, %s before compression\n", p->output,
            p->columns, p->rows, p->bands, p->bands == 1 ? "" : "s",
            settings->byte_output ? "Byte" : "Float32", bytes);
    if (p->output_exists)
        fprintf(to, "%12sexists already%s\n", "",
                settings->overwrite ? ", and would be replaced at the end"
                                    : ": choose another name or allow it with --overwrite");
    if (settings->report) fprintf(to, "%12swith the page %s\n", "", settings->report);
    if (settings->polygons) fprintf(to, "%12swith the areas in %s\n", "", settings->polygons);
    if (p->vrt[0]) fprintf(to, "%12swith %s, which shows all parts as one\n", "", p->vrt);
    if (p->journal_exists)
        fprintf(to, "%12san interrupted run left %s.part.journal: what it holds needs no time\n",
                "", p->output);
}

static void print_time(FILE *to, const s2clr_predict_plan *p)
{
    char all[32], read[32], compute[32], sample[32];
    if (!p->compute.amount) {
        fprintf(to, "time        nothing to compute: the map would hold no valid pixel\n");
        return;
    }
    s2clr_duration_text(p->read_seconds + p->compute_seconds, all, sizeof all);
    s2clr_duration_text(p->read_seconds, read, sizeof read);
    s2clr_duration_text(p->compute_seconds, compute, sizeof compute);
    s2clr_bytes_text(p->read.amount, sample, sizeof sample);
    fprintf(to, "time        about %s: reading %s, computing %s; writing comes on top\n", all, read,
            compute);
    fprintf(to,
            "measured    %.3g patches/s (%llu in %.2g s), %s decoded in %.2g s, on this machine "
            "as busy as it is now\n",
            rate(&p->compute), (unsigned long long)p->compute.amount, p->compute.seconds, sample,
            p->read.seconds);
}

void s2clr_predict_plan_print(FILE *to, const s2clr_predict_settings *settings,
                              const s2clr_predict_plan *p)
{
    char memory[32], limit[32];
    s2clr_bytes_text(p->memory, memory, sizeof memory);
    s2clr_bytes_text(p->memory_limit, limit, sizeof limit);
    s2clr_stack_print(to, &p->stack);
    print_reading(to, p);
    fprintf(to, "model       %s\ndevice      %s, %d thread%s\n", settings->model_path, p->device,
            p->threads, p->threads == 1 ? "" : "s");
    const double share = p->pixels ? 100.0 * (double)p->patches / (double)p->pixels : 0;
    if (settings->blend)
        fprintf(to, "patches     %llu to compute at most\n", (unsigned long long)p->patches);
    else
        fprintf(to, "patches     %llu to compute at most, %.1f %% of the map's pixels\n",
                (unsigned long long)p->patches, share);
    print_output(to, settings, p);
    fprintf(to, "memory      at most %s of %s allowed\n", memory, limit);
    if (p->device_limit) {
        s2clr_bytes_text(p->device_memory, memory, sizeof memory);
        s2clr_bytes_text(p->device_limit, limit, sizeof limit);
        fprintf(to, "%12son the device %s of %s for weights, layers and pixels\n", "", memory,
                limit);
    }
    print_time(to, p);
    if (p->warning[0]) fprintf(to, "mind        %s\n", p->warning);
}
