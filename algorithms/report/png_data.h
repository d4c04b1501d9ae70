/*
 * A picture as a data URI, for pages that need no file beside them: PNG by GDAL's driver in memory,
 * base64 by GDAL's port library.
 *
 *     char *uri;
 *     S2CLR_TRY(s2clr_png_data(rgba, 64, 64, true, &uri));
 *     fprintf(to, "<img src=\"%s\" alt=\"...\">", uri);
 *     s2clr_free(uri);
 */
#ifndef S2CLR_REPORT_PNG_DATA_H
#define S2CLR_REPORT_PNG_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* planes: (4, height, width) red, green, blue, alpha; the last one is only looked at when `alpha`
 * says so. "data:image/png;base64,..." in *out; free with s2clr_free(). */
s2clr_status s2clr_png_data(const uint8_t *planes, int width, int height, bool alpha, char **out);

#endif
