#include "train/recipe_check.h"

#include "base/memory.h"

s2clr_status s2clr_recipe_check_shape(const s2clr_card *card, const s2clr_samples *samples,
                                      const char *what)
{
    if (samples->channels == card->bands && samples->size == card->patch) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "the %s samples have %d bands of %dx%d pixels, the card says %d bands "
                           "of %dx%d",
                           what, samples->channels, samples->size, samples->size, card->bands,
                           card->patch, card->patch);
}

/* Small patches vanish in some networks. */
static s2clr_status check_size(const s2clr_net *net, int size)
{
    s2clr_shape *shapes;
    S2CLR_TRY(s2clr_alloc(s2clr_net_node_count(net), sizeof *shapes, "shapes", (void **)&shapes));
    const s2clr_status status = s2clr_net_shapes(net, 1, size, size, shapes);
    s2clr_free(shapes);
    return status;
}

s2clr_status s2clr_recipe_net_new(const s2clr_card *card, s2clr_net **out)
{
    s2clr_net *net;
    S2CLR_TRY(s2clr_net_new(&card->arch, &net));
    const s2clr_status status = check_size(net, card->patch);
    if (status == S2CLR_OK)
        *out = net;
    else
        s2clr_net_free(net);
    return status;
}

s2clr_status s2clr_recipe_find_level(const s2clr_card *card, const char *level,
                                     const s2clr_card_level **out)
{
    const s2clr_card_level *found = level ? s2clr_card_find_level(card, level) : NULL;
    if (!found)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the card has no level \"%s\"; the level of the training samples "
                               "must be one of its %d levels",
                               level ? level : "", card->levels);
    *out = found;
    return S2CLR_OK;
}
