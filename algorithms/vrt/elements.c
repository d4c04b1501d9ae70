/* Pieces of XML. Names come from users: everything goes through the escaping of CPL. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <string.h>

#include "vrt/pvrt.h"

s2clr_status s2clr_vrt_escape(FILE *to, const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "\"%.200s\": has a control character (%d), which a VRT "
                                   "cannot hold; rename the file",
                                   text, (unsigned char)*c);
    char *escaped = CPLEscapeString(text, -1, CPLES_XML);
    fputs(escaped, to);
    CPLFree(escaped);
    return S2CLR_OK;
}

void s2clr_vrt_number(FILE *to, double value)
{
    char text[40]; /* a comma of the host's locale would be another number */
    CPLsnprintf(text, sizeof text, "%.17g", value);
    if (CPLAtof(text) == value) {
        char shorter[40];
        CPLsnprintf(shorter, sizeof shorter, "%.15g", value);
        if (CPLAtof(shorter) == value) strcpy(text, shorter);
    }
    fputs(text, to);
}

static s2clr_status put_options(FILE *to, const char *const *options)
{
    if (!options || !options[0]) return S2CLR_OK;
    fputs("      <OpenOptions>\n", to);
    for (; *options; options++) {
        const char *equals = strchr(*options, '=');
        fprintf(to, "        <OOI key=\"%.*s\">", (int)(equals - *options), *options);
        S2CLR_TRY(s2clr_vrt_escape(to, equals + 1));
        fputs("</OOI>\n", to);
    }
    fputs("      </OpenOptions>\n", to);
    return S2CLR_OK;
}

static void put_rectangle(FILE *to, const char *element, const double box[4])
{
    static const char *const names[] = {"xOff", "yOff", "xSize", "ySize"};
    fprintf(to, "      <%s", element);
    for (int i = 0; i < 4; i++) {
        fprintf(to, " %s=\"", names[i]);
        s2clr_vrt_number(to, box[i]);
        fputc('"', to);
    }
    fputs("/>\n", to);
}

s2clr_status s2clr_vrt_put_source(FILE *to, const s2clr_vrt_source *source)
{
    const double whole[4] = {0, 0, source->width, source->height};
    fputs("<SimpleSource", to);
    if (source->resampling && strcmp(source->resampling, "nearest") != 0)
        fprintf(to, " resampling=\"%s\"", source->resampling);
    fprintf(to, ">\n      <SourceFilename relativeToVRT=\"%d\">", source->relative);
    S2CLR_TRY(s2clr_vrt_escape(to, source->name));
    fputs("</SourceFilename>\n", to);
    S2CLR_TRY(put_options(to, source->options));
    fprintf(to, "      <SourceBand>%d</SourceBand>\n", source->band);
    fprintf(to,
            "      <SourceProperties RasterXSize=\"%d\" RasterYSize=\"%d\" DataType=\"%s\" "
            "BlockXSize=\"%d\" BlockYSize=\"%d\"/>\n",
            source->width, source->height, GDALGetDataTypeName(source->type), source->block_width,
            source->block_height);
    put_rectangle(to, "SrcRect", whole);
    put_rectangle(to, "DstRect", source->destination);
    fputs("    </SimpleSource>", to);
    return S2CLR_OK;
}

void s2clr_vrt_put_georeference(FILE *to, const char *indent, const char *wkt,
                                const double *transform)
{
    const char *between = "";
    if (wkt && wkt[0]) {
        char *escaped = CPLEscapeString(wkt, -1, CPLES_XML);
        fprintf(to, "<SRS>%s</SRS>", escaped);
        CPLFree(escaped);
        between = indent;
    }
    if (!transform) return;
    fprintf(to, "%s<GeoTransform>", between);
    for (int i = 0; i < 6; i++) {
        if (i) fputs(", ", to);
        s2clr_vrt_number(to, transform[i]);
    }
    fputs("</GeoTransform>", to);
}
