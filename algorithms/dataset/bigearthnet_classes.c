#include "dataset/bigearthnet_classes.h"

#include <string.h>

#include "base/suggest.h"

const char *const s2clr_bigearthnet_classes[S2CLR_BIGEARTHNET_CLASSES] = {
    "Continuous urban fabric",
    "Discontinuous urban fabric",
    "Industrial or commercial units",
    "Road and rail networks and associated land",
    "Port areas",
    "Airports",
    "Mineral extraction sites",
    "Dump sites",
    "Construction sites",
    "Green urban areas",
    "Sport and leisure facilities",
    "Non-irrigated arable land",
    "Permanently irrigated land",
    "Rice fields",
    "Vineyards",
    "Fruit trees and berry plantations",
    "Olive groves",
    "Pastures",
    "Annual crops associated with permanent crops",
    "Complex cultivation patterns",
    "Land principally occupied by agriculture, with significant areas of natural vegetation",
    "Agro-forestry areas",
    "Broad-leaved forest",
    "Coniferous forest",
    "Mixed forest",
    "Natural grassland",
    "Moors and heathland",
    "Sclerophyllous vegetation",
    "Transitional woodland/shrub",
    "Beaches, dunes, sands",
    "Bare rock",
    "Sparsely vegetated areas",
    "Burnt areas",
    "Inland marshes",
    "Peatbogs",
    "Salt marshes",
    "Salines",
    "Intertidal flats",
    "Water courses",
    "Water bodies",
    "Coastal lagoons",
    "Estuaries",
    "Sea and ocean",
};

/* Sumbul et al., 2020 (BigEarthNet-MM): the 19 classes, where they have names of their own. */
static const char *const merged[] = {
    "Urban fabric",
    "Arable land",
    "Permanent crops",
    "Natural grassland and sparsely vegetated areas",
    "Moors, heathland and sclerophyllous vegetation",
    "Transitional woodland, shrub",
    "Inland wetlands",
    "Coastal wetlands",
    "Inland waters",
    "Marine waters",
};

int s2clr_bigearthnet_class_find(const char *name)
{
    for (int i = 0; i < S2CLR_BIGEARTHNET_CLASSES; i++)
        if (strcmp(s2clr_bigearthnet_classes[i], name) == 0) return i;
    return -1;
}

bool s2clr_bigearthnet_class_merged(const char *name)
{
    for (size_t i = 0; i < sizeof merged / sizeof merged[0]; i++)
        if (strcmp(merged[i], name) == 0) return true;
    return false;
}

/* The class whose whole name stands at `text`, up to a comma or the end; the longest wins. */
static int class_at(const char *text, size_t *length)
{
    int best = -1;
    *length = 0;
    for (int i = 0; i < S2CLR_BIGEARTHNET_CLASSES; i++) {
        const size_t n = strlen(s2clr_bigearthnet_classes[i]);
        if (n <= *length || strncmp(text, s2clr_bigearthnet_classes[i], n) != 0) continue;
        if (text[n] && text[n] != ',') continue;
        best = i;
        *length = n;
    }
    return best;
}

static s2clr_status no_class(const char *text)
{
    char name[100];
    size_t n = strcspn(text, ",");
    if (n >= sizeof name) n = sizeof name - 1;
    memcpy(name, text, n);
    name[n] = '\0';
    const char *near = s2clr_suggest(name, s2clr_bigearthnet_classes, S2CLR_BIGEARTHNET_CLASSES);
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "no class \"%s\" in BigEarthNet%s%s%s; wanted: regular, expanded or names "
        "of its 43 classes with commas between",
        name, near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

s2clr_status s2clr_bigearthnet_positive(const char *text, bool positive[S2CLR_BIGEARTHNET_CLASSES])
{
    bool chosen[S2CLR_BIGEARTHNET_CLASSES] = {false};
    const char *names = text;
    if (strcmp(text, "regular") == 0) names = "Permanently irrigated land";
    if (strcmp(text, "expanded") == 0)
        names = "Permanently irrigated land,Rice fields,Vineyards,Fruit trees and berry "
                "plantations,Olive groves";
    for (const char *p = names;;) {
        size_t length;
        p += strspn(p, " ");
        const int index = class_at(p, &length);
        if (index < 0) return no_class(p);
        chosen[index] = true;
        p += length;
        if (!*p) break;
        p++;
    }
    memcpy(positive, chosen, sizeof chosen);
    return S2CLR_OK;
}
