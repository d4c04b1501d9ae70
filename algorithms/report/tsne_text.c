/* A map in words, as JSON and as a table of points. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/csv_text.h"
#include "file/file_replace.h"
#include "report/json_words.h"
#include "report/tsne_map.h"

static void print_classes(FILE *to, const s2clr_tsne_map *map)
{
    const char *heading = "classes";
    for (int c = 0; c < map->classes; c++) {
        const s2clr_tsne_class *class = &map->class[c];
        if (!class->count) continue;
        fprintf(to, "%-12s%-28s %6zu", heading, class->name, class->count);
        heading = "";
        if (!isnan(class->recall_map))
            fprintf(to, "  recall by neighbours %.3f, on the map %.3f", class->recall_rows,
                    class->recall_map);
        fputc('\n', to);
    }
}

void s2clr_tsne_print(FILE *to, const s2clr_tsne_map *map)
{
    const s2clr_card *card = s2clr_model_card(map->model);
    fprintf(to, "model       %s (%s)\n", card->id, s2clr_model_path(map->model));
    fprintf(to, "samples     %zu of %zu of part %s of %s, level %s\n", map->n, map->part_count,
            map->part, map->dataset, map->level);
    fprintf(to, "layer       %s, %zu numbers", map->layer, map->width);
    if (map->components < map->width)
        fprintf(to, "; t-SNE saw %zu principal components with %.1f %% of the variance",
                map->components, 100 * map->kept);
    fprintf(to, "\nt-SNE       perplexity %g, %d iterations, divergence %.4f\n",
            map->options.perplexity, map->options.iterations, map->result.divergence);
    fprintf(to, "trust       %.4f of the neighbourhoods of %zu (trustworthiness, 1 is best)\n",
            map->trust, map->neighbours);
    if (*map->no_accuracy)
        fprintf(to, "no accuracy %s\n", map->no_accuracy);
    else
        fprintf(to, "accuracy    %.4f by the %zu nearest embeddings, %.4f by the nearest points\n",
                map->accuracy_rows, map->neighbours, map->accuracy_map);
    print_classes(to, map);
    if (card->text[S2CLR_CARD_WARNING][0])
        fprintf(to, "mind        %s\n", card->text[S2CLR_CARD_WARNING]);
}

/* ---- JSON ---- */

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *classes_json(const s2clr_tsne_map *map)
{
    json_t *out = json_array();
    for (int c = 0; c < map->classes; c++) {
        const s2clr_tsne_class *class = &map->class[c];
        if (class->count)
            json_array_append_new(
                out, json_pack("{s:o, s:b, s:I, s:o, s:o}", "name", s2clr_json_words(class->name),
                               "known", !class->unknown, "samples", (json_int_t) class->count,
                               "recall_embeddings", real_or_null(class->recall_rows), "recall_map",
                               real_or_null(class->recall_map)));
    }
    return out;
}

static json_t *settings_json(const s2clr_tsne_map *map)
{
    const s2clr_tsne_options *o = &map->options;
    return json_pack("{s:f, s:I, s:i, s:f, s:f, s:i, s:f, s:s, s:I}", "perplexity", o->perplexity,
                     "neighbours", (json_int_t)map->result.neighbours, "iterations", o->iterations,
                     "theta", o->theta, "exaggeration", o->exaggeration, "exaggerated",
                     o->exaggerated, "rate", map->result.rate, "start",
                     o->random_start ? "random" : "pca", "seed", (json_int_t)o->seed);
}

json_t *s2clr_tsne_json(const s2clr_tsne_map *map)
{
    json_t *out = json_pack(
        "{s:o, s:s, s:s, s:o, s:s, s:o, s:I, s:I, s:s, s:I, s:I, s:f}", "model",
        s2clr_json_words(s2clr_model_path(map->model)), "id", s2clr_model_card(map->model)->id,
        "sha256", s2clr_model_sha256(map->model), "dataset", s2clr_json_words(map->dataset), "part",
        map->part, "level", s2clr_json_words(map->level), "part_samples",
        (json_int_t)map->part_count, "samples", (json_int_t)map->n, "layer", map->layer, "width",
        (json_int_t)map->width, "components", (json_int_t)map->components, "variance_kept",
        map->kept);
    json_t *found = json_pack(
        "{s:o, s:f, s:I, s:f, s:o, s:o, s:s, s:o, s:o}", "tsne", settings_json(map), "divergence",
        map->result.divergence, "k", (json_int_t)map->neighbours, "trustworthiness", map->trust,
        "accuracy_embeddings", real_or_null(map->accuracy_rows), "accuracy_map",
        real_or_null(map->accuracy_map), "no_accuracy", map->no_accuracy, "by",
        s2clr_json_words(map->by), "classes", classes_json(map));
    if (out && found && json_object_update(out, found) == 0) {
        json_decref(found);
        return out;
    }
    json_decref(out);
    json_decref(found);
    return NULL;
}

/* ---- CSV ---- */

static void put_points(FILE *to, const s2clr_tsne_map *map)
{
    fputs("name,class,x,y\n", to);
    for (size_t i = 0; i < map->n; i++) {
        const s2clr_tsne_class *class = &map->class[map->class_of[i]];
        s2clr_csv_text(to, map->names[i]);
        fputc(',', to);
        if (!class->unknown) s2clr_csv_text(to, class->name);
        fprintf(to, ",%.9g,%.9g\n", map->y[2 * i], map->y[2 * i + 1]);
    }
}

s2clr_status s2clr_tsne_csv(const char *path, const s2clr_tsne_map *map)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (to) put_points(to, map);
    const bool failed = !to || ferror(to);
    if ((to && fclose(to) != 0) || failed) {
        free(text);
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for a table of %zu points", path,
                               map->n);
    }
    const s2clr_status status = s2clr_file_replace(path, &(s2clr_piece){text, size}, 1);
    free(text);
    return status;
}
