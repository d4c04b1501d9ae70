/*
 * Facts from the sources that wrote and read these records: process_data/tensorflow_utils.py,
 * process_data/cropland_ca/split_ca_image.py and split_cropland_image.py of
 * https://github.com/MIDS-Irrigation-Capstone/Spring2021.
 */
#include "dataset/ptfrecord.h"

static const char *const cropland_classes[] = {"Irrigated", "Rainfed"};

static const s2clr_tf_variant table[] = {
    {"BigEarthNet",
     s2clr_bigearthnet_classes,
     S2CLR_BIGEARTHNET_CLASSES,
     true,
     12,
     {{"B01", 20, true},
      {"B02", 120, true},
      {"B03", 120, true},
      {"B04", 120, true},
      {"B05", 60, true},
      {"B06", 60, true},
      {"B07", 60, true},
      {"B08", 120, true},
      {"B8A", 60, true},
      {"B09", 20, true},
      {"B11", 60, true},
      {"B12", 60, true}}},
    {"cropland",
     cropland_classes,
     2,
     false,
     12,
     {{"B01", 120, false},
      {"B02", 120, true},
      {"B03", 120, true},
      {"B04", 120, true},
      {"B05", 120, true},
      {"B06", 120, true},
      {"B07", 120, true},
      {"B08", 120, true},
      {"B8A", 120, true},
      {"B09", 120, false},
      {"B11", 120, true},
      {"B12", 120, true}}},
};

size_t s2clr_tf_variant_list(const s2clr_tf_variant **out)
{
    *out = table;
    return sizeof table / sizeof table[0];
}
