/* Image-class folders and zips, written here with GDAL and libzip, and the real EuroSAT zip. */
#include <gdal.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "dataset/images.h"
#include "harness.h"

enum { SIZE = 16, BANDS = 3 };

static s2clr_pool *pool;

static s2clr_status open_path(const char *path, const char *positive, const char *bands,
                              s2clr_samples *out)
{
    const s2clr_images_options options = {.positive = positive, .bands = bands};
    if (!pool) TEST_OK(s2clr_pool_new(3, &pool));
    return s2clr_images_open(path, &options, pool, NULL, out);
}

/* Value of a pixel; top: largest value of the type. */
static unsigned value_of(int seed, int band, int y, int x, unsigned top)
{
    return ((unsigned)(seed * 7 + band * 31 + y * 5 + x * 3) * 257u) % (top + 1);
}

typedef struct image_kind {
    const char *driver;
    GDALDataType type;
    int width, height, bands;
} image_kind;

static const image_kind png8 = {"PNG", GDT_Byte, SIZE, SIZE, BANDS};
static const image_kind tif16 = {"GTiff", GDT_UInt16, SIZE, SIZE, BANDS};

static void write_image(const char *path, int seed, const image_kind *kind)
{
    uint16_t row[64];
    GDALAllRegister();
    GDALDatasetH memory = GDALCreate(GDALGetDriverByName("MEM"), "", kind->width, kind->height,
                                     kind->bands, kind->type, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    for (int band = 0; band < kind->bands; band++)
        for (int y = 0; y < kind->height; y++) {
            for (int x = 0; x < kind->width; x++)
                row[x] = (uint16_t)value_of(seed, band, y, x, kind->type == GDT_Byte ? 255 : 65535);
            CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(memory, band + 1), GF_Write, 0, y,
                                         kind->width, 1, row, kind->width, 1, GDT_UInt16, 0, 0),
                            CE_None);
        }
    GDALDatasetH file =
        GDALCreateCopy(GDALGetDriverByName(kind->driver), path, memory, FALSE, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    GDALClose(file);
    GDALClose(memory);
}

static const char *in_folder(const char *folder, const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s%s%s", test_folder(), folder, *name ? "/" : "", name);
    return path;
}

static void make_folder(const char *folder, const char *name)
{
    mkdir(in_folder(folder, ""), 0777);
    mkdir(in_folder(folder, name), 0777);
}

/* Three classes, whose names sort differently with and without the slash behind. */
static const struct {
    const char *name;
    int group;
} standard[] = {{"A-b/1", 1}, {"A-b/2", 1}, {"A/1", 0}, {"A/10", 0}, {"A/2", 0}, {"c/x", 2}};
enum { STANDARD = sizeof standard / sizeof *standard };

static void make_standard(const char *folder, const char *ending, const image_kind *kind)
{
    make_folder(folder, "A");
    make_folder(folder, "A-b");
    make_folder(folder, "c");
    for (int i = 0; i < STANDARD; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s", standard[i].name, ending);
        write_image(in_folder(folder, name), i, kind);
    }
}

static void check_standard(const s2clr_samples *s, const char *ending, unsigned top,
                           const int *bands)
{
    float dn[BANDS * SIZE * SIZE];
    CU_ASSERT_EQUAL_FATAL(s->count, STANDARD);
    CU_ASSERT_EQUAL(s->size, SIZE);
    CU_ASSERT_EQUAL_FATAL(s->group_count, 3);
    CU_ASSERT_STRING_EQUAL(s->group_names[0], "A");
    CU_ASSERT_STRING_EQUAL(s->group_names[1], "A-b");
    CU_ASSERT_STRING_EQUAL(s->group_names[2], "c");
    for (int i = 0; i < STANDARD; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s", standard[i].name, ending);
        CU_ASSERT_STRING_EQUAL(s->names[i], name);
        CU_ASSERT_EQUAL(s->groups[i], standard[i].group);
        CU_ASSERT_EQUAL(s->labels[i], standard[i].group != 0);
        TEST_OK(s->read(s->self, (size_t)i, dn));
        int wrong = 0;
        for (int c = 0; c < s->channels; c++)
            for (int y = 0; y < SIZE; y++)
                for (int x = 0; x < SIZE; x++)
                    wrong += dn[(c * SIZE + y) * SIZE + x] !=
                             (float)value_of(i, bands[c] - 1, y, x, top);
        CU_ASSERT_EQUAL(wrong, 0);
    }
}

static void folder_of_png(void)
{
    static const int bands[] = {1, 2, 3};
    s2clr_samples s;
    make_standard("png", ".png", &png8);
    TEST_OK(open_path(in_folder("png", ""), "A-b,c", NULL, &s));
    CU_ASSERT_EQUAL(s.channels, 3);
    check_standard(&s, ".png", 255, bands);
    CU_ASSERT(s.read(s.self, STANDARD, NULL) == S2CLR_ERR_ARGUMENT);
    s.free(s.self);
}

static void folder_of_tiff_with_bands_chosen(void)
{
    static const int bands[] = {3, 1};
    s2clr_samples s;
    make_standard("tif", ".tif", &tif16);
    TEST_OK(open_path(in_folder("tif", ""), "c,A-b", "3,1", &s));
    CU_ASSERT_EQUAL(s.channels, 2);
    check_standard(&s, ".tif", 65535, bands);
    s.free(s.self);
}

static void add_member(zip_t *archive, const char *name, const char *path)
{
    zip_source_t *source = zip_source_file(archive, path, 0, -1);
    CU_ASSERT_FATAL(zip_file_add(archive, name, source, 0) >= 0);
}

/* Members in reverse order, with or without a common folder on top, as EuroSAT's own zip. */
static const char *make_zip(const char *name, const char *top, const char *ending,
                            const char *empty)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", test_folder(), name);
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(archive);
    if (empty) zip_dir_add(archive, empty, 0);
    for (int i = STANDARD; i-- > 0;) {
        char member[64], file[32];
        snprintf(file, sizeof file, "%s%s", standard[i].name, ending);
        snprintf(member, sizeof member, "%s%s", top, file);
        add_member(archive, member, in_folder(ending + 1, file));
    }
    CU_ASSERT_EQUAL(zip_close(archive), 0);
    return path;
}

static void zip_equals_folder(void)
{
    static const int bands[] = {1, 2, 3};
    static const char *const tops[] = {"", "2750/"};
    make_standard("png", ".png", &png8);
    for (int i = 0; i < 2; i++) {
        s2clr_samples s;
        const char *path = make_zip("good.zip", tops[i], ".png", NULL);
        CU_ASSERT(s2clr_images_identify(path));
        TEST_OK(open_path(path, "c,A-b", NULL, &s));
        check_standard(&s, ".png", 255, bands);
        s.free(s.self);
    }
}

/* Every image reads as GDAL reads it from the plain file. */
static void jpeg_reads_as_gdal_does(void)
{
    static const image_kind jpeg = {"JPEG", GDT_Byte, SIZE, SIZE, BANDS};
    float dn[BANDS * SIZE * SIZE], direct[BANDS * SIZE * SIZE];
    s2clr_samples s;
    make_standard("jpg", ".jpg", &jpeg);
    TEST_OK(open_path(make_zip("jpg.zip", "", ".jpg", NULL), "c", NULL, &s));
    for (size_t i = 0; i < s.count; i++) {
        GDALDatasetH file = GDALOpen(in_folder("jpg", s.names[i]), GA_ReadOnly);
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_EQUAL(GDALDatasetRasterIO(file, GF_Read, 0, 0, SIZE, SIZE, direct, SIZE, SIZE,
                                            GDT_Float32, BANDS, NULL, 0, 0, 0),
                        CE_None);
        GDALClose(file);
        TEST_OK(s.read(s.self, i, dn));
        CU_ASSERT_EQUAL(memcmp(dn, direct, sizeof dn), 0);
    }
    s.free(s.self);
}

static void refuse(const char *path, const char *bands, s2clr_status status, const char *says)
{
    s2clr_samples s = {.count = 99};
    CU_ASSERT_EQUAL(open_path(path, "A", bands, &s), status);
    TEST_ERROR_SAYS(says);
    CU_ASSERT_EQUAL(s.count, 99);
}

static void odd_images_are_refused(void)
{
    static const struct {
        image_kind kind;
        const char *says;
    } odd[] = {
        {{"PNG", GDT_Byte, SIZE + 1, SIZE + 1, BANDS}, "17 px"},
        {{"PNG", GDT_Byte, SIZE, SIZE, 1}, "1 bands"},
        {{"PNG", GDT_UInt16, SIZE, SIZE, BANDS}, "16 bits"},
        {{"PNG", GDT_Byte, SIZE, SIZE - 1, BANDS}, "16 x 15"},
        {{"GTiff", GDT_Float32, SIZE, SIZE, BANDS}, "Float32"},
    };
    make_standard("odd", ".png", &png8);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        write_image(in_folder("odd", "A/2.png"), 4, &odd[i].kind);
        const char *path = in_folder("odd", "");
        s2clr_samples s = {.count = 99};
        const s2clr_status status = open_path(path, "A", NULL, &s);
        CU_ASSERT(status == S2CLR_ERR_MISMATCH || status == S2CLR_ERR_FORMAT);
        TEST_ERROR_SAYS("A/2.png");
        TEST_ERROR_SAYS(odd[i].says);
        CU_ASSERT_EQUAL(s.count, 99);
    }
}

/* Cuts a file, or turns one of its bytes over when keep is negative. */
static void damage(const char *path, long keep)
{
    if (keep >= 0) {
        CU_ASSERT_EQUAL(truncate(path, keep), 0);
        return;
    }
    FILE *file = fopen(path, "r+b");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, -keep, SEEK_SET);
    const int byte = fgetc(file);
    fseek(file, -keep, SEEK_SET);
    fputc(byte ^ 255, file);
    fclose(file);
}

static void damaged_images_are_named(void)
{
    static const image_kind jpeg = {"JPEG", GDT_Byte, SIZE, SIZE, BANDS};
    make_standard("cut", ".jpg", &jpeg);
    struct stat info;
    CU_ASSERT_EQUAL_FATAL(stat(in_folder("cut", "A/10.jpg"), &info), 0);
    damage(in_folder("cut", "A/10.jpg"), (long)info.st_size * 3 / 4);
    refuse(in_folder("cut", ""), NULL, S2CLR_ERR_FORMAT, "A/10.jpg");
    damage(in_folder("cut", "A/10.jpg"), 10);
    refuse(in_folder("cut", ""), NULL, S2CLR_ERR_FORMAT, "A/10.jpg");
    damage(in_folder("cut", "A/10.jpg"), 0);
    refuse(in_folder("cut", ""), NULL, S2CLR_ERR_FORMAT, "0 bytes");

    make_standard("png", ".png", &png8);
    const char *path = make_zip("bad.zip", "", ".png", NULL);
    damage(path, -80); /* inside the first member, c/x.png */
    refuse(path, NULL, S2CLR_ERR_FORMAT, "c/x.png");
    damage(path, 700);
    refuse(path, NULL, S2CLR_ERR_FORMAT, "not a readable zip");
}

static void misplaced_images_are_refused(void)
{
    make_standard("place", ".png", &png8);
    make_folder("place", "void");
    refuse(in_folder("place", ""), NULL, S2CLR_ERR_FORMAT, "class folder void holds no image");
    rmdir(in_folder("place", "void"));
    write_image(in_folder("place", "top.png"), 1, &png8);
    refuse(in_folder("place", ""), NULL, S2CLR_ERR_FORMAT, "top.png");
    unlink(in_folder("place", "top.png"));
    make_folder("place", "c/deep");
    write_image(in_folder("place", "c/deep/1.png"), 1, &png8);
    refuse(in_folder("place", ""), NULL, S2CLR_ERR_FORMAT, "c/deep/1.png");
    make_folder("nothing", "");
    refuse(in_folder("nothing", ""), NULL, S2CLR_ERR_FORMAT, "no image found");
    refuse(in_folder("absent", ""), NULL, S2CLR_ERR_IO, "absent");
    make_standard("png", ".png", &png8);
    refuse(make_zip("void.zip", "", ".png", "void"), NULL, S2CLR_ERR_FORMAT, "void");
    refuse(in_folder("png", "A/1.png"), NULL, S2CLR_ERR_FORMAT, "not a readable zip");
}

static void wrong_options_are_refused(void)
{
    static const char *const bands[] = {"4",   "0",  "1,", "",     ",1",
                                        "1.5", "-1", " 1", "1,2x", "99999999999999999999"};
    s2clr_samples s;
    make_standard("png", ".png", &png8);
    for (size_t i = 0; i < sizeof bands / sizeof *bands; i++)
        refuse(in_folder("png", ""), bands[i], S2CLR_ERR_ARGUMENT, "from 1 to 3");
    CU_ASSERT_EQUAL(open_path(in_folder("png", ""), "A,B", NULL, &s), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no class \"B\"; there are: A, A-b, c");
}

static bool stop_halfway(void *context, double fraction, const char *message)
{
    CU_ASSERT(fraction >= 0 && fraction <= 1);
    CU_ASSERT_PTR_NOT_NULL(message);
    ++*(int *)context;
    return fraction < 0.5;
}

static void reading_can_be_cancelled(void)
{
    int calls = 0;
    s2clr_samples s = {.count = 99};
    const s2clr_images_options options = {.positive = "A"};
    const s2clr_progress progress = {.call = stop_halfway, .context = &calls};
    s2clr_pool *alone;
    make_standard("png", ".png", &png8);
    TEST_OK(s2clr_pool_new(1, &alone));
    CU_ASSERT_EQUAL(s2clr_images_open(in_folder("png", ""), &options, alone, &progress, &s),
                    S2CLR_ERR_CANCELLED);
    s2clr_pool_free(alone);
    CU_ASSERT_EQUAL(calls, 4); /* before images 0, 1, 2 and 3 of 6 */
    CU_ASSERT_EQUAL(s.count, 99);
}

static void only_class_folders_are_identified(void)
{
    make_standard("png", ".png", &png8);
    CU_ASSERT(s2clr_images_identify(in_folder("png", "")));
    make_folder("png", "void"); /* for opening to complain of */
    CU_ASSERT(s2clr_images_identify(in_folder("png", "")));
    rmdir(in_folder("png", "void"));
    CU_ASSERT(!s2clr_images_identify(in_folder("png", "A")));
    CU_ASSERT(!s2clr_images_identify(in_folder("png", "A/1.png")));
    CU_ASSERT(!s2clr_images_identify(in_folder("absent", "")));
    CU_ASSERT_STRING_EQUAL(s2clr_error_text(), "");
}

static void products_are_not_class_folders(void)
{
    const char *path = test_data("bigearthnet_v1");
    if (!path) {
        test_skip("no bigearthnet_v1 beside the source tree");
        return;
    }
    CU_ASSERT(!s2clr_images_identify(path));
    path = test_data("S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE.zip");
    if (path) CU_ASSERT(!s2clr_images_identify(path));
    path = test_data("scenes_l1c");
    if (path) CU_ASSERT(!s2clr_images_identify(path));
}

/* Means of whole images and bands as PIL 10 decodes them. */
static void real_eurosat(void)
{
    static const struct {
        size_t index;
        const char *name;
        double mean[3];
    } expected[] = {
        {0, "AnnualCrop/AnnualCrop_1.jpg", {109.10888672, 97.43774414, 104.85351562}},
        {12345, "Pasture/Pasture_472.jpg", {92.8203125, 95.17138672, 95.71337891}},
        {21599, "SeaLake/SeaLake_998.jpg", {51.18505859, 69.60986328, 81.43066406}},
    };
    const char *path = test_data("eurosat_rgb.zip");
    if (!path) {
        test_skip("no eurosat_rgb.zip beside the source tree");
        return;
    }
    float *dn = malloc(3 * 64 * 64 * sizeof *dn);
    s2clr_samples s;
    size_t positive = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(dn);
    TEST_OK(open_path(path, "PermanentCrop", NULL, &s));
    CU_ASSERT_EQUAL_FATAL(s.count, 21600);
    CU_ASSERT(s.channels == 3 && s.size == 64 && s.group_count == 10);
    for (size_t i = 0; i < s.count; i++) positive += s.labels[i] == 1;
    CU_ASSERT_EQUAL(positive, 2000);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        CU_ASSERT_STRING_EQUAL(s.names[expected[i].index], expected[i].name);
        TEST_OK(s.read(s.self, expected[i].index, dn));
        for (size_t c = 0; c < 3; c++) {
            double sum = 0;
            for (size_t p = 0; p < 4096; p++) sum += dn[c * 4096 + p];
            TEST_NEAR(sum / 4096, expected[i].mean[c], 0.05);
        }
    }
    s.free(s.self);
    free(dn);
}

static const test_case cases[] = {
    {"folder_of_png", folder_of_png},
    {"folder_of_tiff_with_bands_chosen", folder_of_tiff_with_bands_chosen},
    {"zip_equals_folder", zip_equals_folder},
    {"jpeg_reads_as_gdal_does", jpeg_reads_as_gdal_does},
    {"odd_images_are_refused", odd_images_are_refused},
    {"damaged_images_are_named", damaged_images_are_named},
    {"misplaced_images_are_refused", misplaced_images_are_refused},
    {"wrong_options_are_refused", wrong_options_are_refused},
    {"reading_can_be_cancelled", reading_can_be_cancelled},
    {"only_class_folders_are_identified", only_class_folders_are_identified},
    {"products_are_not_class_folders", products_are_not_class_folders},
    {"real_eurosat", real_eurosat},
};

int main(int argc, char **argv)
{
    const int code = TEST_MAIN("images", cases, argc, argv);
    s2clr_pool_free(pool);
    return code;
}
