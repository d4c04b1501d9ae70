/* How a contact sheet is told: on the page, to people, to programs. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/utf8.h"
#include "commands/topk_job.h"
#include "report/json_words.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void say_source(s2clr_topk_job *job)
{
    char input[301], map[301];
    const char *path = s2clr_args_text(job->args, "map");
    s2clr_utf8_show(base_name(job->inputs[0]), input, sizeof input);
    s2clr_utf8_show(path ? base_name(path) : "", map, sizeof map);
    const char *more = job->input_count > 1 ? " and other files" : "";
    const s2clr_topk_raster *raster = &job->raster;
    if (job->kind == S2CLR_TOPK_DATASET)
        snprintf(job->source, sizeof job->source, "Patches of %s, part %s, level %s.", input,
                 s2clr_args_text(job->args, "part"), raster->level);
    else if (job->kind == S2CLR_TOPK_SCENE)
        snprintf(job->source, sizeof job->source,
                 "Patches of %d x %d pixels of %s%s (%s, level %s).", raster->patch, raster->patch,
                 input, more, raster->opened_as, raster->level);
    else
        snprintf(job->source, sizeof job->source,
                 "Patches of %d x %d pixels of %s%s under the pixels of the map %s.", raster->patch,
                 raster->patch, input, more, map);
}

__attribute__((format(printf, 2, 3))) static void append(s2clr_topk_job *job, const char *format,
                                                         ...)
{
    const size_t used = strlen(job->choice);
    va_list list;
    va_start(list, format);
    vsnprintf(job->choice + used, sizeof job->choice - used, format, list);
    va_end(list);
}

/* Only what happened is told. */
static void say_others(s2clr_topk_job *job, const char *thing)
{
    const s2clr_topk_list *list = &job->list;
    const size_t less = list->seen - list->undefined - list->count;
    if (less) append(job, "; %zu %s have less", less, thing);
    if (list->undefined)
        append(job, "; %zu %s have none, for want of valid pixels", list->undefined, thing);
    if (job->counts.crowded)
        append(job, "; %zu were passed over because they lie too near to a better one",
               job->counts.crowded);
    if (job->outside) append(job, "; %zu %s of the map lie beside the input", job->outside, thing);
    append(job, ".");
}

static void say_choice(s2clr_topk_job *job)
{
    const s2clr_topk_list *list = &job->list;
    const size_t chosen = job->counts.chosen, reached = list->count;
    const char *thing = job->kind == S2CLR_TOPK_MAP ? "pixels" : "patches";
    char how[120];
    if (chosen == reached)
        snprintf(how, sizeof how, "All %zu", chosen);
    else if (job->rule.random)
        snprintf(how, sizeof how, "%zu drawn at random (seed %llu) of the %zu", chosen,
                 (unsigned long long)job->rule.seed, reached);
    else
        snprintf(how, sizeof how, "The %zu most certain of the %zu", chosen, reached);
    job->choice[0] = '\0';
    append(job, "%s %s with a probability of at least %.10g", how, thing, list->above);
    if (chosen < job->rule.count) append(job, ", fewer than the %zu asked for", job->rule.count);
    say_others(job, thing);
}

void s2clr_topk_say(s2clr_topk_job *job)
{
    say_source(job);
    say_choice(job);
}

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *patches_json(const s2clr_sheet *sheet)
{
    json_t *out = json_array();
    for (size_t i = 0; i < sheet->count; i++) {
        const s2clr_sheet_patch *patch = &sheet->patch[i];
        json_array_append_new(out, json_pack("{s:I, s:o, s:f, s:o, s:o}", "rank", (json_int_t)i + 1,
                                             "name", s2clr_json_words(patch->name), "probability",
                                             patch->probability, "longitude",
                                             real_or_null(patch->longitude), "latitude",
                                             real_or_null(patch->latitude)));
    }
    return out;
}

static json_t *pictures_json(const s2clr_sheet *sheet)
{
    json_t *out = json_array();
    for (int i = 0; i < sheet->pictures; i++)
        json_array_append_new(out, json_pack("{s:o, s:o}", "name",
                                             s2clr_json_words(sheet->picture[i].name), "rule",
                                             s2clr_json_words(sheet->picture[i].rule)));
    return out;
}

json_t *s2clr_topk_json(const s2clr_topk_job *job)
{
    const s2clr_topk_list *list = &job->list;
    const char *output = s2clr_args_text(job->args, "output");
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:o, s:o, s:{s:I, s:I, s:f, s:I, s:I, s:I, s:o}, s:s, s:o, s:o}",
        "output", s2clr_json_words(output), "model", s2clr_json_words(job->sheet.model), "positive",
        s2clr_json_words(job->sheet.positive), "sha256",
        job->model ? s2clr_model_sha256(job->model) : "", "source", s2clr_json_words(job->source),
        "choice", s2clr_json_words(job->choice), "candidates", "seen", (json_int_t)list->seen,
        "undefined", (json_int_t)list->undefined, "above", list->above, "reached",
        (json_int_t)list->count, "crowded", (json_int_t)job->counts.crowded, "outside",
        (json_int_t)job->outside, "highest", real_or_null(list->highest), "choose",
        job->rule.random ? "random" : "top", "pictures", pictures_json(&job->sheet), "patches",
        patches_json(&job->sheet));
}

void s2clr_topk_print(FILE *to, const s2clr_topk_job *job)
{
    const s2clr_sheet *sheet = &job->sheet;
    fprintf(to, "model       %s", sheet->model[0] ? sheet->model : "not named by the map");
    if (job->model) fprintf(to, " (%s)", job->model_path);
    fprintf(to, "\nsource      %s\nchoice      %s\n", job->source, job->choice);
    for (int i = 0; i < sheet->pictures; i++)
        fprintf(to, "%-12s%s: %s\n", i ? "" : "pictures", sheet->picture[i].name,
                sheet->picture[i].rule);
    fprintf(to,
            "sheet       %s; open it in a browser, mark, save, and give the CSV to \"s2clr "
            "evaluate\"\n",
            s2clr_args_text(job->args, "output"));
    if (sheet->warning[0]) fprintf(to, "mind        %s\n", sheet->warning);
}
