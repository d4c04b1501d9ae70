/* The driver's record: what it is called, which names are its own, how they are opened. */
#include <cpl_string.h>
#include <gdal_priv.h>

#include <new>

#include "grid_raster.h"
#include "logic.h"
#include "plugin.h"
#include "report.h"
#include "view_dataset.h"

#define NAME "S2CLR"

static int identify(GDALOpenInfo *info)
{
    return grid_raster_identify(info->pszFilename) ||
           s2clr_connection_identify(info->pszFilename, info->pabyHeader,
                                     static_cast<size_t>(info->nHeaderBytes));
}

static GDALDataset *open(GDALOpenInfo *info)
{
    if (!identify(info)) return nullptr;
    if (info->eAccess == GA_Update) {
        CPLError(CE_Failure, CPLE_NotSupported,
                 "%.200s: what a model computes cannot be changed: open it read-only, or copy it "
                 "with gdal_translate first",
                 info->pszFilename);
        return nullptr;
    }
    if (grid_raster_identify(info->pszFilename)) return grid_raster_open(info->pszFilename);
    s2clr_connection *connection;
    const s2clr_status status = s2clr_connection_parse(
        info->pszFilename, const_cast<const char *const *>(info->papszOpenOptions), &connection);
    if (status != S2CLR_OK) {
        report_failure(status, CPLE_OpenFailed);
        return nullptr;
    }
    GDALDataset *dataset = nullptr;
    try {
        dataset = ViewDataset::create(connection, info->pszFilename);
    } catch (const std::bad_alloc &) {
        CPLError(CE_Failure, CPLE_OutOfMemory, "%.200s: not enough memory", info->pszFilename);
    }
    s2clr_connection_free(connection);
    return dataset;
}

/* GDAL's own would delete every file the dataset names: the model and the product as well. */
static CPLErr remove_sidecar(const char *name)
{
    VSIStatBufL info;
    if (VSIStatL(name, &info) != 0) {
        CPLError(CE_Failure, CPLE_IllegalArg, "%.200s: is no file, so there is nothing to delete",
                 name);
        return CE_Failure;
    }
    VSIUnlink(CPLSPrintf("%s.aux.xml", name));
    VSIUnlink(CPLSPrintf("%s.ovr", name));
    if (VSIUnlink(name) == 0) return CE_None;
    CPLError(CE_Failure, CPLE_FileIO, "%.200s: cannot be deleted", name);
    return CE_Failure;
}

/* GDAL's own would move or copy the model and the product along. */
static CPLErr leave_where_it_is(const char *new_name, const char *old_name)
{
    CPLError(CE_Failure, CPLE_NotSupported,
             "%.200s: is only a description of where model and product are; move or copy it to "
             "%.200s as a text file, and mind the relative names in it",
             old_name, new_name);
    return CE_Failure;
}

/* A closed GDAL leaves no thread and no block behind. */
static void unload(GDALDriver *)
{
    if (plugin_is_leaving()) return;
    s2clr_view_pool_forget();
    s2clr_runtime_drop_idle();
    s2clr_student_drop_idle();
    s2clr_result_cache_clear();
}

/* ---- the list of open options, from the table that parses them ---- */

static void add_attribute(CPLString &xml, const char *name, const char *value)
{
    char *escaped = CPLEscapeString(value, -1, CPLES_XML);
    xml += CPLSPrintf(" %s=\"", name);
    xml += escaped;
    xml += "\"";
    CPLFree(escaped);
}

static CPLString open_options_xml()
{
    const s2clr_open_option *options;
    const size_t count = s2clr_open_option_list(&options);
    CPLString xml = "<OpenOptionList>";
    for (size_t i = 0; i < count; i++) {
        xml += "<Option";
        add_attribute(xml, "name", options[i].name);
        add_attribute(xml, "type", options[i].type);
        if (options[i].standard) add_attribute(xml, "default", options[i].standard);
        if (options[i].minimum < options[i].maximum) {
            add_attribute(xml, "min", CPLSPrintf("%.15g", options[i].minimum));
            add_attribute(xml, "max", CPLSPrintf("%.15g", options[i].maximum));
        }
        add_attribute(xml, "description", options[i].help);
        xml += "/>";
    }
    return xml + "</OpenOptionList>";
}

void s2clr_driver_register(void)
{
    if (GDALGetDriverByName(NAME)) return;
    auto *driver = new (std::nothrow) GDALDriver();
    if (!driver) return;
    driver->SetDescription(NAME);
    driver->SetMetadataItem(GDAL_DMD_LONGNAME, "SimCLR-S2 models over Sentinel-2 rasters");
    driver->SetMetadataItem(GDAL_DMD_HELPTOPIC, "s2clr-driver(7)");
    driver->SetMetadataItem(GDAL_DMD_EXTENSION, "s2clr");
    driver->SetMetadataItem(GDAL_DMD_EXTENSIONS, "s2clr");
    driver->SetMetadataItem(GDAL_DMD_CONNECTION_PREFIX, NAME ":");
    driver->SetMetadataItem(GDAL_DMD_OPENOPTIONLIST, open_options_xml());
    driver->SetMetadataItem(GDAL_DCAP_RASTER, "YES");
    driver->SetMetadataItem(GDAL_DCAP_VIRTUALIO, "YES");
    driver->pfnIdentify = identify;
    driver->pfnOpen = open;
    driver->pfnDelete = remove_sidecar;
    driver->pfnRename = leave_where_it_is;
    driver->pfnCopyFiles = leave_where_it_is;
    driver->pfnUnloadDriver = unload;
    GetGDALDriverManager()->RegisterDriver(driver);
}
