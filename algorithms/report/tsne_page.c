/* The page of a map. */
#include <math.h>

#include "report/html_page.h"
#include "report/tsne_picture.h"

static void put_summary(FILE *to, const s2clr_tsne_map *map)
{
    const s2clr_card *card = s2clr_model_card(map->model);
    char text[1200];
    snprintf(text, sizeof text,
             "%zu patches of part %s of %.300s as the layer %.60s of the model %s sees them: what "
             "is alike to the network lies side by side. Colours are not known to it.",
             map->n, map->part, map->dataset, map->layer, card->id);
    s2clr_html_paragraph(to, text);
    s2clr_html_mind(to, card->text[S2CLR_CARD_WARNING]);
}

static void put_worth(FILE *to, const s2clr_tsne_map *map)
{
    static const char *const columns[] = {"measure", "value", NULL};
    char text[300];
    s2clr_html_section(to, "What the map is worth");
    s2clr_html_paragraph(
        to, "Of a t-SNE map only neighbourhoods mean something: not the axes, not how far apart "
            "two groups lie, not how large or dense they are. Another perplexity or start gives "
            "another picture.");
    snprintf(text, sizeof text, "Neighbourhoods of %zu", map->neighbours);
    s2clr_html_table_begin(to, text, columns);
    s2clr_html_row_begin(to, "trustworthiness of the map (Venna and Kaski 2001; 1 is best)");
    s2clr_html_cell(to, "%.4f", map->trust);
    s2clr_html_row_end(to);
    if (!*map->no_accuracy) {
        s2clr_html_row_begin(to, "class told from the nearest embeddings, all numbers");
        s2clr_html_cell(to, "%.4f", map->accuracy_rows);
        s2clr_html_row_end(to);
        s2clr_html_row_begin(to, "class told from the nearest points of the map");
        s2clr_html_cell(to, "%.4f", map->accuracy_map);
        s2clr_html_row_end(to);
    }
    s2clr_html_row_begin(to, "Kullback-Leibler divergence, what t-SNE made small");
    s2clr_html_cell(to, "%.4f", map->result.divergence);
    s2clr_html_row_end(to);
    s2clr_html_table_end(to);
    if (!*map->no_accuracy) return;
    snprintf(text, sizeof text, "No accuracy of neighbours: %s.", map->no_accuracy);
    s2clr_html_paragraph(to, text);
}

static void put_recall(FILE *to, double value)
{
    if (isnan(value))
        s2clr_html_cell(to, "%s", "none");
    else
        s2clr_html_cell(to, "%.3f", value);
}

static void put_classes(FILE *to, const s2clr_tsne_map *map)
{
    static const char *const columns[] = {"class", "patches", "recall, nearest embeddings",
                                          "recall, nearest points", NULL};
    s2clr_html_table_begin(to, "Share of each class that its neighbours put into it", columns);
    for (int c = 0; c < map->classes; c++) {
        if (!map->class[c].count) continue;
        s2clr_html_row_begin(to, map->class[c].name);
        s2clr_html_cell(to, "%zu", map->class[c].count);
        put_recall(to, map->class[c].recall_rows);
        put_recall(to, map->class[c].recall_map);
        s2clr_html_row_end(to);
    }
    s2clr_html_table_end(to);
}

static void put_origin(FILE *to, const s2clr_tsne_map *map)
{
    const s2clr_tsne_options *o = &map->options;
    s2clr_html_section(to, "How it was made");
    s2clr_html_facts_begin(to, "Model, data and settings");
    s2clr_html_fact(to, "model", "%s, %s", s2clr_model_card(map->model)->id,
                    s2clr_model_path(map->model));
    s2clr_html_fact(to, "SHA-256", "%s", s2clr_model_sha256(map->model));
    s2clr_html_fact(to, "data set", "%s, part %s, level %s", map->dataset, map->part, map->level);
    s2clr_html_fact(to, "patches", "%zu of %zu", map->n, map->part_count);
    s2clr_html_fact(to, "colours", "by %s", map->by);
    s2clr_html_fact(to, "embeddings", "layer %s, %zu numbers", map->layer, map->width);
    if (map->components < map->width)
        s2clr_html_fact(to, "principal components", "%zu, with %.2f %% of the variance",
                        map->components, 100 * map->kept);
    s2clr_html_fact(
        to, "t-SNE",
        "perplexity %g (%zu neighbours), %d iterations, the first %d with attraction times %g, "
        "theta %g, rate %g",
        o->perplexity, map->result.neighbours, o->iterations, o->exaggerated, o->exaggeration,
        o->theta, map->result.rate);
    s2clr_html_fact(to, "start", "%s, seed %llu",
                    o->random_start ? "random" : "first two principal components",
                    (unsigned long long)o->seed);
    s2clr_html_table_end(to);
}

static s2clr_status body(FILE *to, void *context)
{
    const s2clr_tsne_map *map = *(const s2clr_tsne_map *const *)context;
    put_summary(to, map);
    S2CLR_TRY(s2clr_tsne_draw_points(to, map));
    s2clr_html_section(to, "Where each class lies");
    S2CLR_TRY(s2clr_tsne_draw_heat(to, map));
    put_worth(to, map);
    put_classes(to, map);
    put_origin(to, map);
    return S2CLR_OK;
}

s2clr_status s2clr_tsne_page(const char *path, const s2clr_tsne_map *map)
{
    char title[200];
    snprintf(title, sizeof title, "What %.80s sees: a t-SNE map", s2clr_model_card(map->model)->id);
    const char *const head[] = {s2clr_html_policy, s2clr_tsne_style, NULL};
    return s2clr_html_write_with(path, title, head, body, &map);
}
