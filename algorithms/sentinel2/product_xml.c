#include <cpl_minixml.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentinel2/pstack.h"

/* Product XML comes from a file: 64 MiB is a hundred times the largest product metadata. */
#define XML_MAX ((size_t)64 << 20)

static bool number_in(const char *text, double low, double high, double *out)
{
    char *end;
    const double value = text ? strtod(text, &end) : NAN;
    if (!text || end == text || end[strspn(end, " \t\r\n")] != '\0') return false;
    if (!(value >= low && value <= high)) return false;
    *out = value;
    return true;
}

static s2clr_status parse_offset(const CPLXMLNode *node, const char *path, s2clr_product *out)
{
    const char *id_text = CPLGetXMLValue(node, "band_id", NULL);
    const char *value_text = CPLGetXMLValue(node, NULL, NULL);
    double id, value;
    if (!number_in(id_text, 0, 12, &id) || id != floor(id))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: %s has band_id \"%.40s\", expected 0 to 12; give one offset "
                               "with " S2CLR_SAY_OFFSET,
                               path, node->pszValue, id_text ? id_text : "");
    if (!number_in(value_text, -65535, 65535, &value))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: %s of band_id %d is \"%.40s\", expected a number of DN; give "
                               "one with " S2CLR_SAY_OFFSET,
                               path, node->pszValue, (int)id, value_text ? value_text : "");
    if (out->has_offsets && strcmp(out->offset_name, node->pszValue) != 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: has both BOA_ADD_OFFSET and RADIO_ADD_OFFSET; give "
                               "one with " S2CLR_SAY_OFFSET,
                               path);
    out->offset[(int)id] = value;
    out->has_offsets = true;
    snprintf(out->offset_name, sizeof out->offset_name, "%s", node->pszValue);
    return S2CLR_OK;
}

static s2clr_status parse_offsets(CPLXMLNode *root, const char *path, s2clr_product *out)
{
    static const char *const lists[] = {"=BOA_ADD_OFFSET_VALUES_LIST", "=Radiometric_Offset_List"};
    for (int i = 0; i < 13; i++) out->offset[i] = NAN;
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        const CPLXMLNode *list = CPLSearchXMLNode(root, lists[l]);
        for (const CPLXMLNode *n = list ? list->psChild : NULL; n; n = n->psNext) {
            if (n->eType != CXT_Element) continue;
            if (strcmp(n->pszValue, "BOA_ADD_OFFSET") != 0 &&
                strcmp(n->pszValue, "RADIO_ADD_OFFSET") != 0)
                continue;
            S2CLR_TRY(parse_offset(n, path, out));
        }
    }
    return S2CLR_OK;
}

static const char *text_of(CPLXMLNode *root, const char *element)
{
    const CPLXMLNode *node = CPLSearchXMLNode(root, element);
    return node ? CPLGetXMLValue(node, NULL, "") : "";
}

s2clr_status s2clr_product_parse(const char *xml, const char *path, s2clr_product *out)
{
    s2clr_product product = {.level = ""};
    if (strlen(xml) > XML_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: product XML larger than 64 MiB", path);
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    CPLXMLNode *root = CPLParseXMLString(xml);
    s2clr_gdal_watch_end(&watch);
    const CPLXMLNode *top = root;
    while (top && (top->eType != CXT_Element || top->pszValue[0] == '?')) top = top->psNext;
    if (!top) CPLDestroyXMLNode(root);
    if (!top)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: product XML cannot be parsed: %s", path,
                               watch.text);
    CPLStripXMLNamespace(root, NULL, TRUE);
    const char *level = text_of(root, "=PROCESSING_LEVEL");
    if (strncmp(level, "Level-1C", 8) == 0 || strncmp(level, "Level-2A", 8) == 0)
        snprintf(product.level, sizeof product.level, "L%.2s", level + 6);
    snprintf(product.baseline, sizeof product.baseline, "%s",
             text_of(root, "=PROCESSING_BASELINE"));
    snprintf(product.acquired, sizeof product.acquired, "%s", text_of(root, "=PRODUCT_START_TIME"));
    const s2clr_status status = parse_offsets(root, path, &product);
    CPLDestroyXMLNode(root);
    if (status == S2CLR_OK) *out = product;
    return status;
}
