/* What the files of layer styles share: map_style.c (where they go) and style_qml.c (what they
 * say). */
#ifndef S2CLR_PREDICT_PMAP_STYLE_H
#define S2CLR_PREDICT_PMAP_STYLE_H

#include "predict/map_style.h"

/* Stands at the top of every style, and tells it from somebody's own: QGIS leaves it out of what it
 * saves. */
#define S2CLR_STYLE_MARK "Written by s2clr beside its map."

#endif
