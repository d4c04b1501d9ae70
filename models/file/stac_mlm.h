/*
 * A model as a STAC item with the machine learning model extension, which catalogues understand
 * (https://github.com/stac-extensions/mlm, version 1.5.2; STAC 1.1.0).
 *
 *     S2CLR_TRY(s2clr_stac_mlm_write("item.json", model, "model.safetensors"));
 *
 * All of it comes from the card. The card knows neither place nor time of the training pixels, so
 * the item spans the world and all times.
 */
#ifndef S2CLR_FILE_STAC_MLM_H
#define S2CLR_FILE_STAC_MLM_H

#include "file/model.h"

/* href: where the item finds the model file, relative to itself or absolute. */
s2clr_status s2clr_stac_mlm_write(const char *path, const s2clr_model *model, const char *href);

#endif
