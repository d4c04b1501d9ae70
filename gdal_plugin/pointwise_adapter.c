#include "pointwise_adapter.h"

#include <cpl_conv.h>
#include <cpl_minixml.h>
#include <string.h>

#include "error_number.h"

/* GDAL's word for a type. A number that may be "none" is a text to it: it would refuse the word. */
static const char *type_name(const s2clr_pointwise_arg *arg)
{
    const bool optional = arg->standard && strcmp(arg->standard, "none") == 0;
    return arg->type == S2CLR_POINTWISE_REAL && !optional ? "double" : "string";
}

static void attribute(CPLXMLNode *node, const char *name, const char *value)
{
    CPLAddXMLAttributeAndValue(node, name, value);
}

static void describe(CPLXMLNode *parent, const s2clr_pointwise_arg *list, size_t most)
{
    for (const s2clr_pointwise_arg *arg = list; arg < list + most && arg->name; arg++) {
        CPLXMLNode *node = CPLCreateXMLNode(parent, CXT_Element, "Argument");
        attribute(node, "name", arg->name);
        attribute(node, "type", type_name(arg));
        attribute(node, "description", arg->help);
        if (arg->standard)
            attribute(node, "default", arg->standard);
        else
            attribute(node, "required", "true");
    }
}

char *s2clr_pointwise_arguments_xml(const s2clr_pointwise *row, const char *element)
{
    CPLXMLNode *root = CPLCreateXMLNode(NULL, CXT_Element, element);
    describe(root, row->arg, S2CLR_POINTWISE_ARGS_MAX);
    describe(root, s2clr_pointwise_common(), S2CLR_POINTWISE_ARGS_MAX);
    char *xml = CPLSerializeXMLTree(root);
    CPLDestroyXMLNode(root);
    return xml;
}

CPLErr s2clr_pointwise_report(const s2clr_pointwise *row, s2clr_status status)
{
    if (status == S2CLR_OK) return CE_None;
    CPLError(CE_Failure, s2clr_error_number(status, CPLE_OpenFailed), "%s: %s", row->name,
             s2clr_error_text());
    return CE_Failure;
}
