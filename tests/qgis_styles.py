"""What QGIS makes of a map, of its style and of its areas.

qgis_styles.py MAP.tif HIGH NAME [FIELDS.gpkg]: the map's renderer must be a ramp from 0 to HIGH whose
ends are labelled with NAME, and the areas' renderer one of four steps. One line per fault on standard
error and exit code 1; 77 when there is no QGIS.
"""
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    from qgis.core import (QgsApplication, QgsGraduatedSymbolRenderer, QgsRasterLayer,
                           QgsSingleBandPseudoColorRenderer, QgsVectorLayer)
except ImportError:
    sys.exit(77)

faults = 0


def check(what, good, shown=""):
    global faults
    if not good:
        print(f"{what}: {shown}", file=sys.stderr)
        faults += 1


def lightness(color):
    """CIE L* of an sRGB colour."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
              for c in (color.redF(), color.greenF(), color.blueF())]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def check_map(path, high, name):
    layer = QgsRasterLayer(path, "map")
    check("valid", layer.isValid(), path)
    renderer = layer.renderer()
    check("renderer", isinstance(renderer, QgsSingleBandPseudoColorRenderer), renderer.type())
    check("band", renderer.band() == 1, renderer.band())
    shader = renderer.shader().rasterShaderFunction()
    items = shader.colorRampItemList()
    check("nine colours", len(items) == 9, len(items))
    check("from 0", items[0].value == 0 and renderer.classificationMin() == 0, items[0].value)
    check("to the end", abs(items[-1].value - high) < 1e-6 and
          abs(renderer.classificationMax() - high) < 1e-6, items[-1].value)
    check("words", name in items[-1].label, items[-1].label)
    legend = shader.legendSettings()
    check("legend", legend.useContinuousLegend() and name in legend.maximumLabel(),
          legend.maximumLabel())
    check("legend nodes", len(layer.legendSymbologyItems()) == 9, len(layer.legendSymbologyItems()))
    light = [lightness(item.color) for item in items]
    steps = [b - a for a, b in zip(light, light[1:])]
    check("ever lighter", min(steps) > 0, light)
    check("in even steps", max(steps) < 1.6 * min(steps), steps)
    check("source ramp", shader.sourceColorRamp() is not None and
          shader.sourceColorRamp().count() == 9, "")
    provider = layer.dataProvider()
    check("nodata", provider.sourceHasNoDataValue(1), "")
    block = renderer.block(1, layer.extent(), layer.width(), layer.height())
    values = provider.block(1, layer.extent(), layer.width(), layer.height())
    seen = set()
    for row in range(0, layer.height(), 3):
        for column in range(0, layer.width(), 3):
            empty = values.isNoData(row, column)
            seen.add(empty)
            if empty != (block.color(row, column) >> 24 == 0):
                check("transparent where there is nothing", False, (row, column))
            if not empty and not -1e-6 <= values.value(row, column) <= high + 1e-6:
                check("values", False, values.value(row, column))
    check("some pixels have a value", False in seen, seen)
    told = layer.htmlMetadata()
    for word in ("S2CLR_MODEL_ID", "S2CLR_MODEL_WARNING", "S2CLR_COMMAND_LINE", "QUANTITY", "HELP",
                 "STATISTICS_MEAN"):
        check("the metadata panel", word in told, word)
    return layer


def check_areas(path):
    layer = QgsVectorLayer(path + "|layername=areas", "areas", "ogr")
    check("areas", layer.isValid() and layer.featureCount() > 0, path)
    renderer = layer.renderer()
    check("areas' renderer", isinstance(renderer, QgsGraduatedSymbolRenderer), renderer.type())
    check("by", renderer.classAttribute() == "probability_mean", renderer.classAttribute())
    ranges = renderer.ranges()
    check("four steps", len(ranges) == 4, len(ranges))
    check("from the threshold to 1", ranges[0].lowerValue() > 0 and ranges[-1].upperValue() == 1,
          [r.label() for r in ranges])
    check("labels", all(" to " in item.label() for item in layer.legendSymbologyItems())
          if hasattr(layer, "legendSymbologyItems") else True, "")
    covered = [r for f in layer.getFeatures() for r in ranges
               if r.lowerValue() <= f["probability_mean"] <= r.upperValue()]
    check("every area has a colour", len(covered) >= layer.featureCount(), len(covered))
    titles = {field.name(): field.displayName() for field in layer.fields()}
    check("titles", titles.get("area_m2") == "area, m2", titles)
    told = layer.htmlMetadata()
    check("the areas' metadata", "Connected pixels where the probability" in told, "")
    check("place", layer.crs().isValid() and layer.extent().area() > 0, layer.crs().authid())


application = QgsApplication([], False)
application.initQgis()
check_map(sys.argv[1], float(sys.argv[2]), sys.argv[3])
if len(sys.argv) > 4:
    check_areas(sys.argv[4])
sys.stdout.flush()
os._exit(1 if faults else 0)  # without the crash that some QGIS end with
