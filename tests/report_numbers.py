"""Recomputes the figures of a report from the raster with numpy, and compares them.

report_numbers.py PAGE.html MAP.tif RESULT.json [POLYGONS.gpkg]: exits with 1 and a line per figure
that differs. The threshold is read from the map's tags, the areas from its geotransform.
"""
import html
import json
import re
import sys

import numpy
from osgeo import gdal, ogr, osr

gdal.UseExceptions()
page = open(sys.argv[1], encoding="utf-8").read()
result = json.load(open(sys.argv[3]))
dataset = gdal.Open(sys.argv[2])
band = dataset.GetRasterBand(1)
values = band.ReadAsArray().astype(float)
missing = band.GetNoDataValue()
values[values == missing] = numpy.nan
values = values * (band.GetScale() or 1) + (band.GetOffset() or 0)
tags = dataset.GetMetadata("S2CLR") or {k[6:]: v for k, v in dataset.GetMetadata().items()}
threshold = float(tags["THRESHOLD"])
t = dataset.GetGeoTransform()
crs = osr.SpatialReference(dataset.GetProjection())
wrong = 0


def check(name, told, wanted, slack):
    global wrong
    if not abs(told - wanted) <= slack:
        print(f"{name}: the page says {told}, numpy {wanted}")
        wrong += 1


def row(heading):
    """The numbers of the first table row with this heading."""
    found = re.search(r'<th scope="row">' + re.escape(html.escape(heading)) + r"</th>(.*?)</tr>", page,
                      re.S)
    assert found, heading
    return [float(re.sub("[^0-9.e+-]", "", cell)) for cell in
            re.findall(r"<td[^>]*>(.*?)</td>", found.group(1), re.S) if cell]


def row_areas():
    """m2 of a pixel, by row: in the plane, or between two parallels of the ellipsoid."""
    if not crs.IsGeographic():
        unit = crs.GetLinearUnits()
        return numpy.full(values.shape[0], abs(t[1] * t[5] - t[2] * t[4]) * unit * unit)
    a, f = crs.GetSemiMajor(), 1 / crs.GetInvFlattening()
    e2 = f * (2 - f)
    areas = []
    for i in range(values.shape[0]):  # Gauss-Legendre over the row: M N cos(latitude)
        top, bottom = numpy.radians(t[3] + i * t[5]), numpy.radians(t[3] + (i + 1) * t[5])
        x, w = numpy.polynomial.legendre.leggauss(5)
        lat = (top + bottom) / 2 + x * (top - bottom) / 2
        s = 1 - e2 * numpy.sin(lat) ** 2
        strip = numpy.sum(w * a * a * (1 - e2) * numpy.cos(lat) / s ** 2) * abs(top - bottom) / 2
        areas.append(strip * numpy.radians(abs(t[1])))
    return numpy.array(areas)


there = ~numpy.isnan(values)
above = there & (numpy.nan_to_num(values, nan=-1) >= threshold)
area = row_areas()
hectares = lambda mask: float((mask.sum(axis=1) * area).sum() / 1e4)
for heading, mask in (("with a value", there), ("without a value", ~there),
                      (f"probability of {threshold:.6g} or more", above),
                      (f"probability below {threshold:.6g}", there & ~above)):
    told = row(heading)
    check(heading + ", pixels", told[0], mask.sum(), 0)
    if heading != "without a value":
        check(heading + ", share", told[1], 100 * mask.sum() / there.sum(), 0.0051)
    check(heading + ", ha", told[-1], hectares(mask), 0.0051)

lead = re.search(r"holds (\d+) x (\d+) pixels.*?([0-9.]+) % of them with a value: probability "
                 r"([0-9.]+) on average, from ([0-9.]+) to ([0-9.]+)\.", page)
assert lead, "the first sentence"
for name, told, wanted, slack in (
        ("columns", lead.group(1), values.shape[1], 0), ("rows", lead.group(2), values.shape[0], 0),
        ("valid share", lead.group(3), 100 * there.mean(), 0.051),
        ("mean", lead.group(4), values[there].mean(), 0.000051),
        ("minimum", lead.group(5), values[there].min(), 0.000051),
        ("maximum", lead.group(6), values[there].max(), 0.000051)):
    check(name, float(told), wanted, slack)

# The histogram's outline: heights in proportion to the counts of fifty equal steps.
path = re.search(r'aria-labelledby="histogram-t.*? d="M(\S+) (\S+?)((?:L\S+ [^L"Z]+)+)Z"', page, re.S)
assert path, "the histogram"
points = [tuple(map(float, p.split())) for p in path.group(3).strip("L").split("L")]
base = float(path.group(2))
heights = numpy.array([base - points[2 * i][1] for i in range(50)])
counts, _ = numpy.histogram(values[there], bins=50, range=(0, 1))
check("histogram", float(abs(heights / heights.max() - counts / counts.max()).max()), 0, 0.002)

seconds = result["seconds"]
total = seconds["read"] + seconds["compute"] + seconds["write"]
for heading, key in (("reading", "read"), ("computing", "compute"), ("writing", "write")):
    told = row(heading)
    check(heading, told[0], seconds[key], 0.0051)
    check(heading + ", share", told[1], 100 * seconds[key] / total, 0.51)

if len(sys.argv) > 4:
    polygons = ogr.Open(sys.argv[4])
    layer = polygons.GetLayerByName("areas")
    features = [f for f in layer]
    check("pixels of the polygons", sum(f["pixels"] for f in features), above.sum(), 0)
    check("areas of the polygons", sum(f["area_m2"] for f in features) / 1e4, hectares(above), 1e-6)
    told = re.search(r"Connected areas .*?: (\d+), of ([0-9.]+) ha together", page)
    check("how many areas", int(told.group(1)), len(features), 0)
    # Burnt onto the map's grid again, every polygon covers just its own pixels.
    ids = gdal.GetDriverByName("MEM").Create("", values.shape[1], values.shape[0], 1, gdal.GDT_Int32)
    ids.SetGeoTransform(t)
    ids.SetProjection(dataset.GetProjection())
    layer.ResetReading()
    copy = ogr.GetDriverByName("Memory").CreateDataSource("")
    numbered = copy.CreateLayer("x", layer.GetSpatialRef(), ogr.wkbPolygon)
    numbered.CreateField(ogr.FieldDefn("id", ogr.OFTInteger))
    for i, f in enumerate(features):
        g = ogr.Feature(numbered.GetLayerDefn())
        g.SetField("id", i + 1)
        g.SetGeometry(f.GetGeometryRef())
        numbered.CreateFeature(g)
    gdal.RasterizeLayer(ids, [1], numbered, options=["ATTRIBUTE=id"])
    burnt = ids.ReadAsArray()
    check("pixels outside polygons", int(((burnt > 0) != above).sum()), 0, 0)
    for i, f in enumerate(features):
        inside = values[burnt == i + 1]
        check(f"pixels of polygon {i}", f["pixels"], len(inside), 0)
        check(f"mean of polygon {i}", f["probability_mean"], inside.mean(), 1e-9)
        check(f"maximum of polygon {i}", f["probability_max"], inside.max(), 0)
sys.exit(1 if wrong else 0)
