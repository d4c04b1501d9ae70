"""What the examples of run_examples.py read: small pieces of the real data, made when first asked for.

Importing it makes the work folder ready, with the program under test first in PATH.
"""
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile

SOURCES, PROGRAM, DATA = sys.argv[2:5]
WORK = os.getcwd()
STOCK = os.path.join(WORK, "stock")  # what examples read, each made once
ZOO = os.path.join(SOURCES, "models/zoo/dense-eurosat-permanentcrop.safetensors")
PRODUCT = sorted(glob.glob(os.path.join(DATA, "*MSIL2A*.SAFE.zip")))[0]
PER_CLASS = 48  # a default batch has 256 patches

os.makedirs(os.path.join(WORK, "bin"))
os.makedirs(STOCK)
os.symlink(PROGRAM, os.path.join(WORK, "bin/s2clr"))
for tool in ("gdalinfo", "gdal_translate", "gdalwarp") if os.environ["S2CLR_PRELOAD"] else ():
    with open(os.path.join(WORK, "bin", tool), "w") as wrapper:
        wrapper.write("#!/bin/sh\nLD_PRELOAD='%s' exec %s \"$@\"\n"
                      % (os.environ["S2CLR_PRELOAD"], shutil.which(tool)))
    os.chmod(os.path.join(WORK, "bin", tool), 0o755)
ENVIRONMENT = dict(os.environ, PATH=os.path.join(WORK, "bin") + ":" + os.environ["PATH"],
                   GDAL_DRIVER_PATH=os.environ["S2CLR_PLUGINS"], HOME=WORK,
                   S2CLR_ZOO=os.path.join(SOURCES, "models/zoo"),
                   S2CLR_VRT_TEMPLATES=os.path.join(SOURCES, "vrt_templates"))


def run(command, folder):
    return subprocess.run(["bash", "-c", command], cwd=folder, env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, errors="replace")


def must(command, folder=STOCK):
    done = run("set -e; " + command, folder)
    if done.returncode:
        sys.exit("examples: what they read cannot be made: %s\n%s" % (command, done.stderr))


def eurosat(path):
    taken = {}
    with zipfile.ZipFile(os.path.join(DATA, "eurosat_rgb.zip")) as whole, \
            zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            kind = name.split("/")[0]
            if name.endswith(".jpg") and taken.get(kind, 0) < PER_CLASS:
                taken[kind] = taken.get(kind, 0) + 1
                part.writestr(name, whole.read(name))


def product_xml():
    with zipfile.ZipFile(PRODUCT) as whole:
        return next(n for n in whole.namelist() if re.search(r"/MTD_MSIL2A\.xml$", n))


def subdataset():
    found = json.loads(run("gdalinfo -json " + shlex.quote(PRODUCT), WORK).stdout)
    return next(v for k, v in found["metadata"]["SUBDATASETS"].items()
                if k.endswith("NAME") and ":10m:" in v)


def jp2(path):
    band = os.path.basename(path)[:3]
    with zipfile.ZipFile(PRODUCT) as whole:
        name = next(n for n in whole.namelist() if n.endswith("_%s_10m.jp2" % band))
        with open(path, "wb") as out:
            out.write(whole.read(name))


def corners():
    info = json.loads(run("gdalinfo -json " + shlex.quote(subdataset()), WORK).stdout)
    t = info["geoTransform"]
    return t[0], t[3], info["size"][0] * t[1], info["coordinateSystem"]["wkt"]


def fields(path):
    left, top, side, wkt = corners()
    shapes = []
    for i, crop in enumerate(("rice", "maize", "vine", "wheat", "rice", "maize")):
        x, y = left + side * (0.1 + 0.14 * i), top - side * (0.2 + 0.1 * i)
        ring = [[x, y], [x + 900, y], [x + 900, y - 900], [x, y - 900], [x, y]]
        shapes.append({"type": "Feature", "properties": {"crop": crop},
                       "geometry": {"type": "Polygon", "coordinates": [ring]}})
    with open("fields.json", "w") as out:
        json.dump({"type": "FeatureCollection", "features": shapes}, out)
    with open("fields.wkt", "w") as out:
        out.write(wkt)
    must("ogr2ogr -q -nln fields -a_srs fields.wkt %s fields.json" % path, WORK)


def points(path):
    left, top, side, wkt = corners()
    places = "\n".join("%f %f" % (left + side * (0.1 + 0.08 * (i % 10)),
                                  top - side * (0.1 + 0.08 * (i // 10))) for i in range(100))
    with open("points.wkt", "w") as out:
        out.write(wkt)
    with open("places.txt", "w") as out:
        out.write(places)
    lonlat = run("gdaltransform -s_srs points.wkt -t_srs EPSG:4326 <places.txt", WORK).stdout
    with open(path, "w") as out:
        out.write("lon,lat,label,crop,water,country\n")
        for i, line in enumerate(lonlat.split("\n")[:100]):
            lon, lat = line.split()[:2]
            out.write("%s,%s,%d,%s,%d,%s\n" % (lon, lat, i % 3 == 0, ("rice", "maize", "vine")[i % 3],
                                               1 + (i % 3 == 0), ("IE", "FR")[i % 2]))


def marks(path):
    with open(path, "w") as out:
        out.write("rank,name,probability,mark\n")
        for i, mark in enumerate(("right", "right", "wrong", "right", "unsure", "right")):
            out.write("%d,patch-%d,0.%d,%s\n" % (i + 1, i, 99 - i, mark))


def store(path):
    stock("eurosat_rgb.zip")
    must("s2clr dataset import eurosat_rgb.zip %s --positive PermanentCrop -q && "
         "s2clr dataset split %s --method random -q" % (path, path))


# A pattern of a name, and how it is made: a function of its path, or a command in STOCK.
MAKE = [
    (r"eurosat(_rgb)?\.zip$", eurosat),
    (r"S2B_MSIL2A_X\.SAFE\.zip$", lambda path: os.symlink(PRODUCT, path)),
    (r"B0[234]\.jp2$", jp2),
    (r"scene\.tif$", lambda path: must("gdal_translate -q -b 3 -b 2 -b 1 %s scene.tif"
                                       % shlex.quote(subdataset()))),
    (r"stack\.tif$", lambda path: must("gdal_create -q -of GTiff -ot UInt16 -bands 12 -outsize 10980 "
                                       "10980 -co SPARSE_OK=TRUE -co TILED=YES stack.tif")),
    (r"(map|irrigation)\.tif$", lambda path: must("s2clr predict %s %s -q"
                                                  % (stock("S2B_MSIL2A_X.SAFE.zip"), path))),
    (r"fields\.gpkg$", fields),
    (r"points\.csv$", points),
    (r"(marked|sheet)\.csv$", marks),
    (r"[\w.]*store$", store),
    (r"pairs/augment\.txt$", lambda path: open(path, "w").write("simclr-s2")),
    (r"map\.shard-[12]-of-2\.tif$",
     lambda path: must("s2clr predict --shard %s/2 %s map.tif -q" % (path[-10], stock("S2B_MSIL2A_X"
                                                                                  ".SAFE.zip")))),
    (r"encoder(/model)?\.safetensors$",
     lambda path: must("s2clr pretrain %s -o enc --epochs 1 --arch resnet18 --width 8 --batch 16 "
                       "--micro 8 --level EUROSAT8 -q && cp enc/model.safetensors %s && rm -r enc"
                       % (stock("eurosat_rgb.zip"), path))),
    (r"crops\.safetensors$",
     lambda path: must("s2clr supervised %s -o kinds --epochs 1 --width 8 --depth 1 --batch 16 "
                       "--micro 8 --level L2A -q && cp kinds/model.safetensors %s && rm -r kinds"
                       % (stock("eurosat_rgb.zip"), path))),
    (r"\w+(/model)?\.safetensors$", lambda path: shutil.copy(ZOO, path)),
    (r"build/demo/bigearthnet/BigEarthNet-S2-Example/\w+$",
     lambda path: os.symlink(sorted(glob.glob(os.path.join(DATA, "bigearthnet_v1/S2A_MSIL2A_2017"
                                                           "0613T101031_*")))[0], path)),
]


def stock(name):
    """The path of what is called `name`, made if need be; None: no example's own name."""
    path = os.path.join(STOCK, name)
    for pattern, make in MAKE:
        if re.fullmatch(pattern, name):
            if not os.path.lexists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                make(path)
            return path
    return None


def place(name, folder):
    source, target = stock(name), os.path.join(folder, name)
    if source is None or os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source) and not os.path.islink(source):
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target, follow_symlinks=False)
