/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include "safe_fixture.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TILE "T30SXH"
#define SENSED "20230601T105031"
#define ULX 699960
#define ULY 4200000

typedef struct layer {
    const char *name;
    int metres;
    double water, soil, crop; /* reflectance */
} layer;

/* Rough surface reflectances; order = band_id of the product XML. */
static const layer layers[] = {
    {"B01", 60, .060, .10, .030}, {"B02", 10, .055, .12, .035},  {"B03", 10, .050, .16, .065},
    {"B04", 10, .035, .20, .040}, {"B05", 20, .030, .22, .100},  {"B06", 20, .025, .24, .270},
    {"B07", 20, .025, .26, .350}, {"B08", 10, .020, .28, .380},  {"B8A", 20, .020, .29, .400},
    {"B09", 60, .015, .29, .400}, {"B10", 60, .002, .003, .002}, {"B11", 20, .010, .34, .190},
    {"B12", 20, .008, .28, .100}, {"SCL", 20, 0, 0, 0},
};
enum { LAYERS = sizeof layers / sizeof layers[0] };

safe_fixture safe_fixture_default(void)
{
    return (safe_fixture){false, 1440, 1200, -1000, true, "05.09", 300, NULL};
}

bool safe_fixture_possible(void)
{
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    return GDALGetDriverByName("JP2OpenJPEG") && GDALGetDriverByName("SENTINEL2");
}

static uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t h = a * 2654435761u ^ (b + 0x9e3779b9u) * 2246822519u;
    h ^= h >> 15, h *= 2654435761u, h ^= h >> 13;
    return h;
}

/* Scene class of a place in metres: 0 none, 6 water, 9 cloud, 4 crop, 5 soil. */
static int scene_class(const safe_fixture *f, double x, double y)
{
    if (x + y < f->corner) return 0;
    if (hypot(x - 0.75 * f->width, y - 0.3 * f->height) < 120) return 9;
    if (fabs(y - 0.7 * f->height - 60 * sin(x / 300)) < 35) return 6;
    return mix((uint32_t)(x / 180), (uint32_t)(y / 240)) & 1 ? 4 : 5;
}

static double reflectance(const safe_fixture *f, const layer *l, int id, double x, double y)
{
    const int class = scene_class(f, x, y);
    const uint32_t field = mix((uint32_t)(x / 180) + 7, (uint32_t)(y / 240));
    const uint32_t noise = mix((uint32_t)x * 31u + (uint32_t)id, (uint32_t)y);
    const double vary = 0.85 + 0.3 * (field % 1000) / 1000 + 0.04 * (noise % 1000) / 1000;
    if (class == 9) return 0.7 + 0.1 * (noise % 1000) / 1000;
    return vary * (class == 6 ? l->water : class == 4 ? l->crop : l->soil);
}

static const layer *find_layer(const char *band, int *id)
{
    for (*id = 0; *id < LAYERS; ++*id)
        if (strcmp(layers[*id].name, band) == 0) return &layers[*id];
    abort();
}

uint16_t safe_fixture_dn(const safe_fixture *fixture, const char *band, int x, int y)
{
    int id;
    const layer *l = find_layer(band, &id);
    const double mx = (x + 0.5) * l->metres, my = (y + 0.5) * l->metres;
    const int class = scene_class(fixture, mx, my);
    if (strcmp(band, "SCL") == 0) return (uint16_t) class;
    if (class == 0) return 0;
    const double dn = 10000 * reflectance(fixture, l, id, mx, my) - fixture->offset;
    return (uint16_t)(dn < 1 ? 1 : dn);
}

/* L1C has no SCL and L2A no B10. */
static bool has_layer(const safe_fixture *f, const layer *l)
{
    return strcmp(l->name, f->l1c ? "SCL" : "B10") != 0;
}

static void granule_name(const safe_fixture *f, char *out, size_t size)
{
    snprintf(out, size, "GRANULE/%s_%s_A041234_20230601T105500", f->l1c ? "L1C" : "L2A", TILE);
}

static void image_name(const safe_fixture *f, const layer *l, char *out, size_t size)
{
    char granule[128], folder[16] = "", suffix[16] = "";
    granule_name(f, granule, sizeof granule);
    if (!f->l1c) {
        snprintf(folder, sizeof folder, "/R%dm", l->metres);
        snprintf(suffix, sizeof suffix, "_%dm", l->metres);
    }
    snprintf(out, size, "%s/IMG_DATA%s/%s_%s_%s%s", granule, folder, TILE, SENSED, l->name, suffix);
}

static int write_band(const safe_fixture *f, const layer *l, const char *path)
{
    const int w = f->width / l->metres, h = f->height / l->metres;
    const bool byte = strcmp(l->name, "SCL") == 0;
    char size[16];
    GDALDriverH jp2 = GDALGetDriverByName("JP2OpenJPEG"), mem = GDALGetDriverByName("MEM");
    GDALDatasetH from = GDALCreate(mem, "", w, h, 1, byte ? GDT_Byte : GDT_UInt16, NULL);
    uint16_t *row = calloc((size_t)w, sizeof *row);
    CPLErr error = from && row ? CE_None : CE_Failure;
    for (int y = 0; y < h && error == CE_None; y++) {
        for (int x = 0; x < w; x++) row[x] = safe_fixture_dn(f, l->name, x, y);
        error = GDALRasterIO(GDALGetRasterBand(from, 1), GF_Write, 0, y, w, 1, row, w, 1,
                             GDT_UInt16, 0, 0);
    }
    snprintf(size, sizeof size, "RESOLUTIONS=%d", w < 64 || h < 64 ? 1 : 3);
    const char *const options[] = {"QUALITY=100", "REVERSIBLE=YES", "CODEC=JP2", size, NULL};
    GDALDatasetH to = error == CE_None
                          ? GDALCreateCopy(jp2, path, from, FALSE, (char **)options, NULL, NULL)
                          : NULL;
    if (to) GDALClose(to);
    if (from) GDALClose(from);
    free(row);
    return to ? 0 : -1;
}

static void product_head(VSILFILE *out, const safe_fixture *f, const char *name)
{
    const char *level = f->l1c ? "1C" : "2A";
    VSIFPrintfL(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<n1:Level-%s_User_Product xmlns:n1=\"https://psd-14.sentinel2.eo.esa.int/PSD/"
                "User_Product_Level-%s.xsd\">\n<n1:General_Info>\n<Product_Info>\n"
                "<PRODUCT_START_TIME>2023-06-01T10:50:31.024Z</PRODUCT_START_TIME>\n"
                "<PRODUCT_STOP_TIME>2023-06-01T10:50:31.024Z</PRODUCT_STOP_TIME>\n"
                "<PRODUCT_URI>%s</PRODUCT_URI>\n<PROCESSING_LEVEL>Level-%s</PROCESSING_LEVEL>\n"
                "<PRODUCT_TYPE>S2MSI%s</PRODUCT_TYPE>\n"
                "<PROCESSING_BASELINE>%s</PROCESSING_BASELINE>\n"
                "<Query_Options completeSingleTile=\"true\">"
                "<PRODUCT_FORMAT>SAFE_COMPACT</PRODUCT_FORMAT></Query_Options>\n"
                "<Product_Organisation><Granule_List>\n<Granule datastripIdentifier=\"S2A_OPER_MSI_"
                "L%s_DS_XXXX_20230601T120000_S20230601T105500_N05.09\" granuleIdentifier=\"S2A_OPER"
                "_MSI_L%s_TL_XXXX_20230601T120000_A041234_" TILE "_N05.09\" "
                "imageFormat=\"JPEG2000\">\n",
                level, level, name, level, level, f->baseline, level, level);
}

static void product_tail(VSILFILE *out, const safe_fixture *f)
{
    const char *kind = f->l1c ? "RADIO" : "BOA";
    const char *list = f->l1c ? "Radiometric_Offset_List" : "BOA_ADD_OFFSET_VALUES_LIST";
    VSIFPrintfL(out, "</Granule></Granule_List></Product_Organisation></Product_Info>\n"
                     "<Product_Image_Characteristics>\n"
                     "<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>"
                     "<SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>\n"
                     "<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>"
                     "<SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>\n");
    VSIFPrintfL(out, f->l1c ? "<QUANTIFICATION_VALUE unit=\"none\">10000</QUANTIFICATION_VALUE>\n"
                            : "<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE "
                              "unit=\"none\">10000</BOA_QUANTIFICATION_VALUE>"
                              "</QUANTIFICATION_VALUES_LIST>\n");
    if (f->list_offsets) {
        VSIFPrintfL(out, "<%s>\n", list);
        for (int i = 0; i < 13; i++)
            VSIFPrintfL(out, "<%s_ADD_OFFSET band_id=\"%d\">%d</%s_ADD_OFFSET>\n", kind, i,
                        f->offset, kind);
        VSIFPrintfL(out, "</%s>\n", list);
    }
    VSIFPrintfL(out,
                "</Product_Image_Characteristics>\n</n1:General_Info>\n"
                "<n1:Geometric_Info><Coordinate_Reference_System><GEO_TABLES version=\"1\">"
                "EPSG</GEO_TABLES></Coordinate_Reference_System></n1:Geometric_Info>\n"
                "</n1:Level-%s_User_Product>\n",
                f->l1c ? "1C" : "2A");
}

static int write_product_xml(const char *safe, const char *name, const safe_fixture *f)
{
    char path[1024], image[256];
    snprintf(path, sizeof path, "%s/MTD_MSI%s.xml", safe, f->l1c ? "L1C" : "L2A");
    VSILFILE *out = VSIFOpenL(path, "wb");
    if (!out) return -1;
    product_head(out, f, name);
    for (int i = 0; i < LAYERS; i++) {
        if (!has_layer(f, &layers[i])) continue;
        image_name(f, &layers[i], image, sizeof image);
        VSIFPrintfL(out, "<IMAGE_FILE>%s</IMAGE_FILE>\n", image);
    }
    product_tail(out, f);
    return VSIFCloseL(out);
}

static int write_tile_xml(const char *granule, const safe_fixture *f)
{
    static const int metres[] = {10, 20, 60};
    char path[1024];
    const char *level = f->l1c ? "1C" : "2A";
    snprintf(path, sizeof path, "%s/MTD_TL.xml", granule);
    VSILFILE *out = VSIFOpenL(path, "wb");
    if (!out) return -1;
    VSIFPrintfL(out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<n1:Level-%s_Tile_ID xmlns:n1=\"https://psd-14.sentinel2.eo.esa.int/PSD/"
                "S2_PDI_Level-%s_Tile_Metadata.xsd\">\n<n1:Geometric_Info>\n<Tile_Geocoding "
                "metadataLevel=\"Brief\">\n"
                "<HORIZONTAL_CS_NAME>WGS84 / UTM zone 30N</HORIZONTAL_CS_NAME>\n"
                "<HORIZONTAL_CS_CODE>EPSG:32630</HORIZONTAL_CS_CODE>\n",
                level, level);
    for (int i = 0; i < 3; i++)
        VSIFPrintfL(out, "<Size resolution=\"%d\"><NROWS>%d</NROWS><NCOLS>%d</NCOLS></Size>\n",
                    metres[i], f->height / metres[i], f->width / metres[i]);
    for (int i = 0; i < 3; i++)
        VSIFPrintfL(out,
                    "<Geoposition resolution=\"%d\"><ULX>%d</ULX><ULY>%d</ULY><XDIM>%d</XDIM>"
                    "<YDIM>%d</YDIM></Geoposition>\n",
                    metres[i], ULX, ULY, metres[i], -metres[i]);
    VSIFPrintfL(out, "</Tile_Geocoding>\n</n1:Geometric_Info>\n</n1:Level-%s_Tile_ID>\n", level);
    return VSIFCloseL(out);
}

int safe_fixture_write(const char *folder, const safe_fixture *fixture, char *path, size_t size)
{
    char name[128], granule[128], whole[900], image[256], file[1200];
    if (fixture->width % 60 || fixture->height % 60) return -1;
    snprintf(name, sizeof name,
             "S2A_MSIL%s_" SENSED "_N%.2s%.2s_R051_" TILE "_20230601T170000.SAFE",
             fixture->l1c ? "1C" : "2A", fixture->baseline, fixture->baseline + 3);
    if ((size_t)snprintf(path, size, "%s/%s", folder, name) >= size) return -1;
    granule_name(fixture, granule, sizeof granule);
    snprintf(whole, sizeof whole, "%.700s/%s", path, granule);
    for (int i = 0; i < LAYERS; i++) {
        if (!has_layer(fixture, &layers[i])) continue;
        if (fixture->omit && strcmp(fixture->omit, layers[i].name) == 0) continue;
        image_name(fixture, &layers[i], image, sizeof image);
        snprintf(file, sizeof file, "%.900s/%s.jp2", path, image);
        if (VSIMkdirRecursive(CPLGetPath(file), 0755) != 0) return -1;
        if (write_band(fixture, &layers[i], file) != 0) return -1;
    }
    if (write_product_xml(path, name, fixture) != 0) return -1;
    return write_tile_xml(whole, fixture);
}

static int copy_file(const char *from, const char *to)
{
    GByte *bytes = NULL;
    vsi_l_offset count = 0;
    if (!VSIIngestFile(NULL, from, &bytes, &count, -1)) return -1;
    VSILFILE *out = VSIFOpenL(to, "wb");
    int failed = !out || VSIFWriteL(bytes, 1, (size_t)count, out) != (size_t)count;
    if (out && VSIFCloseL(out) != 0) failed = 1;
    CPLFree(bytes);
    return failed ? -1 : 0;
}

int safe_fixture_zip(const char *safe, const char *zip)
{
    char from[1400], to[1400];
    char **names = VSIReadDirRecursive(safe);
    int failed = names ? 0 : -1;
    for (int i = 0; i < CSLCount(names) && !failed; i++) {
        VSIStatBufL info;
        snprintf(from, sizeof from, "%s/%s", safe, names[i]);
        snprintf(to, sizeof to, "/vsizip/%s/%s/%s", zip, CPLGetFilename(safe), names[i]);
        if (VSIStatL(from, &info) != 0) failed = -1;
        if (!failed && !VSI_ISDIR(info.st_mode)) failed = copy_file(from, to);
    }
    CSLDestroy(names);
    return failed;
}
