/* A model file with the same tensors, byte for byte, and another card. */
#include <string.h>

#include "base/memory.h"
#include "file/model.h"
#include "file/psafetensors.h"

static const char card_key[] = "s2clr.card";

/* The file may have been replaced since the model was read from it. */
static s2clr_status check_source(const s2clr_tensors *file, const s2clr_model *model,
                                 const s2clr_card *card)
{
    char sha256[65];
    s2clr_tensors_sha256(file, sha256);
    if (strcmp(sha256, s2clr_model_sha256(model)) != 0)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: the file has changed since it was opened; try again",
                               s2clr_model_path(model));
    const s2clr_card *own = s2clr_model_card(model);
    if (memcmp(&card->arch, &own->arch, sizeof own->arch) == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: the new card's architecture %s is not that of the weights, %s",
                           s2clr_model_path(model), card->arch.name, own->arch.name);
}

/* All of the source's, in its order, but for the card. */
static s2clr_status write(const char *path, const s2clr_tensors *file, const char *json)
{
    const s2clr_tensor *tensors;
    const size_t count = s2clr_tensors_list(file, &tensors);
    json_t *object = json_object_get(file->header, S2CLR_TENSORS_METADATA), *value;
    s2clr_metadata *metadata;
    const char *key;
    size_t used = 0;
    S2CLR_TRY(s2clr_alloc(json_object_size(object), sizeof *metadata, path, (void **)&metadata));
    json_object_foreach(object, key, value)
    {
        const bool is_card = strcmp(key, card_key) == 0;
        metadata[used++] = (s2clr_metadata){key, is_card ? json : json_string_value(value)};
    }
    const s2clr_status status = s2clr_tensors_write(path, tensors, count, metadata, used);
    s2clr_free(metadata);
    return status;
}

s2clr_status s2clr_model_save_card(const char *path, const s2clr_model *model,
                                   const s2clr_card *card)
{
    s2clr_tensors *file;
    char *json = NULL;
    S2CLR_TRY(s2clr_tensors_open(s2clr_model_path(model), &file));
    s2clr_status status = check_source(file, model, card);
    if (status == S2CLR_OK) status = s2clr_card_format(card, &json);
    if (status == S2CLR_OK) status = write(path, file, json);
    s2clr_free(json);
    s2clr_tensors_close(file);
    return status;
}
