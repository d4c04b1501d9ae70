#!/bin/sh
# predict --report and --polygons: every figure against numpy on the raster; what is refused before
# anything is computed; parts and their merging.
rig=report
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
wants gdal_translate gdalinfo ogrinfo
python=
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import numpy; from osgeo import gdal' 2>/dev/null && python=$candidate && break
done
safe=$("$tools/make_safe" "$work" 5400 3600 2>err) || skip_all 'this GDAL cannot write the made-up product'
true_that 'a model' "$tools/make_model" plain.safetensors
# Its threshold lies amid its probabilities, so that there are areas of every size and shape.
LC_ALL=C sed 's/threshold\\": 0\.5,/threshold\\":0.64,/' plain.safetensors >tiny.safetensors
expect 'with a threshold' 0 '0.64' "$S2CLR" info tiny.safetensors
predict() { "$S2CLR" predict -m tiny.safetensors "$@"; }

# figures NAME PAGE MAP JSON [POLYGONS]
figures() {
    if [ -n "$python" ]; then
        name=$1
        shift
        true_that "$name" "$python" "$top/tests/report_numbers.py" "$@"
    else
        skip "$1" 'python3 with numpy and GDAL is not installed'
    fi
}

# ---- a product ----

expect 'a map, its report and its areas' 0 '"areas"' predict --json "$safe" map.tif --report map.html \
    --polygons fields.gpkg
cp out map.json
figures 'every figure of it' map.html map.tif map.json fields.gpkg
for text in 'True colour' 'B04 from' 'Probability of made_up_class' 'Mind:' 'not an estimate of the area' \
    's2clr area' 'BOA_ADD_OFFSET' 'acquired' 'The threshold of' 'fields.gpkg</td>' 'SHA-256' \
    'Every option' 'Connected areas'; do
    true_that "the page says \"$text\"" grep -F -e "$text" map.html
done
true_that 'two pictures, with words for who does not see them' test \
    "$(grep -o '<img[^>]* alt="[^"][^"]*" src="data:image/png;base64,' map.html | wc -l)" -eq 2
true_that 'no script, nothing from outside' sh -c \
    '! grep -E "<script|<link|@import|url\(.?http|(src|href)=.?http" map.html'
true_that 'every option of the command' sh -c '
    "$0" predict --help | sed -n "s/^ *\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p" | sort -u |
    grep -v -x -e help -e version >options
    [ "$(wc -l <options)" -gt 20 ] || exit 1
    while read -r o; do grep -F ">$o</th>" map.html >/dev/null || { echo "$o"; exit 1; }; done <options' \
    "$S2CLR"
true_that 'nothing unfinished stays' sh -c '! ls | grep -F part'
cp fields.gpkg first.gpkg
cp map.tif first.tif
expect 'again' 0 '' predict -q -overwrite "$safe" map.tif --polygons fields.gpkg --threads 1
true_that 'the same bytes of areas' cmp fields.gpkg first.gpkg
true_that 'and of the map, with a report or without' cmp map.tif first.tif

# ---- other pixels, places, bands ----

expect 'bytes' 0 '' predict --json -ot Byte "$safe" byte.tif --report byte.html --polygons byte.gpkg
cp out byte.json
figures 'figures of bytes' byte.html byte.tif byte.json byte.gpkg
expect 'COG' 0 '' predict --json -of COG --bands valid,probability "$safe" cog.tif --polygons cog.gpkg
true_that 'the same areas as in the GTiff' sh -c '
    for f in cog fields; do
        ogrinfo -ro -q -sql "SELECT COUNT(*) AS n, SUM(pixels) AS p FROM areas" $f.gpkg | grep -F ") =" >$f.n
    done; cmp cog.n fields.n'
expect 'a window' 0 '' predict --json "$safe" part.tif -srcwin 100 60 160 200 --report part.html
cp out part.json
figures 'figures of a window' part.html part.tif part.json
expect 'a map of entropy' 0 '' predict "$safe" doubt.tif --bands entropy --report doubt.html
true_that 'speaks of no threshold' sh -c '! grep -i threshold doubt.html | grep -v "<th scope=.row.>"'
gdal_translate -q -of VRT "SENTINEL2_L2A:$safe/MTD_MSIL2A.xml:10m:EPSG_32630" scene.vrt
gdal_translate -q -a_srs EPSG:4326 -a_ullr 12 48 12.0486 47.9676 scene.vrt degrees.tif
expect 'a geographic scene' 0 '' predict --json --level L2A degrees.tif degrees-map.tif \
    --report degrees.html --polygons degrees.gpkg
cp out degrees.json
figures 'figures of a geographic map' degrees.html degrees-map.tif degrees.json degrees.gpkg
true_that 'which says how it measures' grep 'area on the ellipsoid' degrees.html
gdal_translate -q -co PROFILE=BASELINE scene.vrt nowhere.tif
rm -f nowhere.tif.aux.xml
nowhere="--level L2A --input-bands 3,2,1 nowhere.tif"
# shellcheck disable=SC2086 # words
expect 'a scene without a place' 0 '' predict $nowhere nowhere-map.tif --report nowhere.html
true_that 'has no areas' grep 'does not say where it lies' nowhere.html
# shellcheck disable=SC2086
expect 'nor polygons' 2 'does not say where it lies' predict $nowhere none.tif --polygons none.gpkg

# ---- refused at once ----

expect 'a report that stands' 1 'map.html: exists already' predict "$safe" none.tif --report map.html
expect 'areas that stand' 1 'fields.gpkg: exists already' predict "$safe" none.tif --polygons fields.gpkg
expect 'areas as a shapefile' 2 'ends with .gpkg' predict "$safe" none.tif --polygons fields.shp
expect 'a page that is none' 2 'ends with .html' predict "$safe" none.tif --report page.pdf
expect 'no folder' 1 'no/such' predict "$safe" none.tif --report no/such/page.html
expect 'areas of entropy' 2 'add it with --bands' predict "$safe" none.tif --bands entropy --polygons n.gpkg
expect 'one name for two' 2 'is the name of the map already' predict "$safe" x.gpkg --polygons x.gpkg
expect 'in two spellings' 2 'is the name of the map already' predict "$safe" x.gpkg --polygons ./x.gpkg
expect 'a page by the name of the map' 2 'or its polygons already' predict "$safe" x.html \
    --report ./x.html
true_that 'nothing came of them' sh -c '! ls | grep -F x.gpkg; ! ls | grep -F x.html'
echo 'edits of a program that has it open' >fields.gpkg-wal
expect 'areas that somebody edits' 1 'holds edits' predict -overwrite "$safe" none.tif \
    --polygons fields.gpkg
rm fields.gpkg-wal
echo 'of another run' >being.gpkg.part.gpkg
expect 'a plan' 0 'time' predict --dry-run "$safe" none.tif --polygons being.gpkg
true_that 'leaves what another run writes' test -s being.gpkg.part.gpkg
rm being.gpkg.part.gpkg
ln -s tiny.safetensors model.html
expect 'a page on the model' 2 'belongs to what this run reads' predict -overwrite "$safe" none.tif \
    --report model.html
true_that 'none of these made a map' test ! -e none.tif
true_that 'classes' "$tools/make_model" classes.safetensors classes
expect 'areas of three classes' 2 'name one' "$S2CLR" predict -m classes.safetensors "$safe" none.tif \
    --bands classes --polygons n.gpkg
expect 'of one of them' 0 'areas ' "$S2CLR" predict -m classes.safetensors "$safe" two.tif \
    --bands 'class 2' --polygons two.gpkg

true_that 'which it names' sh -c '
    ogrinfo -ro -so -al two.gpkg areas | grep -F "probability of class 2 is"'
cp two.gpkg old.gpkg
touch old.gpkg-shm
expect 'areas in the place of older ones' 0 '' predict -q -overwrite "$safe" old.tif --polygons old.gpkg
true_that 'and of what SQLite kept of them' test ! -e old.gpkg-shm

# ---- parts ----

expect 'a part has no areas' 2 's2clr merge' predict "$safe" whole.tif --shard 1/2 --polygons w.gpkg
for i in 1 2; do expect "part $i" 0 '' predict -q "$safe" whole.tif --shard $i/2; done
expect 'merged' 0 '"areas"' "$S2CLR" merge --json whole.shard-1-of-2.tif whole.shard-2-of-2.tif \
    whole.tif --polygons whole.gpkg
true_that 'the areas of the whole' sh -c '
    for f in whole fields; do ogrinfo -ro -q -sql "SELECT * FROM areas" $f.gpkg | grep -F ") =" >$f.txt
    done; cmp whole.txt fields.txt'
finish
