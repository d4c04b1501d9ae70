#!/bin/sh
# The plug-in for QGIS, in QGIS without a window: what is installed in the plug-in manager is loaded
# from its zip, its dialogs are compared with the program's tables, and maps with the command's.
rig=qgis
. "${srcdir:-.}/tests/rig.sh"
zip=$(pwd)/s2clr_provider.zip
python=/usr/bin/python3 # the one that QGIS's bindings are made for
process=$(command -v qgis_process.bin || command -v qgis_process) # .bin: without Debian's wrapper,
                                                                  # whose option 3.22 does not know
[ -n "$process" ] || skip_all 'QGIS is not installed (Debian: apt-get install --no-install-recommends qgis python3-qgis)'
[ -x "$python" ] && "$python" -c 'import qgis.core' 2>/dev/null ||
    skip_all "QGIS has no Python here (Debian: apt-get install --no-install-recommends python3-qgis)"
[ -e "$zip" ] || skip_all 'make check did not make s2clr_provider.zip: configure found no python3'
wants gdal_translate ldd
in_work_folder

# ---- the plug-in, from the zip, and a home of its own ----

mkdir home run plugins
chmod 700 run
HOME=$work/home XDG_RUNTIME_DIR=$work/run XDG_CONFIG_HOME=$work/home/.config
QT_QPA_PLATFORM=offscreen S2CLR_PROGRAM=$S2CLR S2CLR_ZOO=$work/zoo QGIS_PLUGINPATH=$work/plugins
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top/tests S2CLR_VRT_TEMPLATES=$top/vrt_templates
S2CLR_TEST_DATA=${S2CLR_TEST_DATA:-$top/../shared/data}
export HOME XDG_RUNTIME_DIR XDG_CONFIG_HOME QT_QPA_PLATFORM S2CLR_PROGRAM S2CLR_ZOO
export QGIS_PLUGINPATH PYTHONDONTWRITEBYTECODE PYTHONPATH S2CLR_VRT_TEMPLATES S2CLR_TEST_DATA
# A plug-in of GDAL that was built with a sanitizer cannot be loaded into QGIS.
if ldd "$S2CLR" | grep -e 'lib[atu][a-z]*san' >/dev/null; then
    unset GDAL_DRIVER_PATH
else
    GDAL_DRIVER_PATH=$plugins
    export GDAL_DRIVER_PATH
fi

true_that 'the zip unpacks' "$python" -m zipfile -e "$zip" plugins
true_that 'the zip is made the same way twice' sh -c '
    "$1" "$2/algorithms/qgis/make_zip.py" again.zip "$2" plugins/s2clr_provider/* && cmp again.zip "$3"' \
    sh "$python" "$top" "$zip"
true_that 'its metadata have no empty fields' sh -c '! grep -E "=$|@[A-Z]+@" plugins/s2clr_provider/metadata.txt'
lacking=$("$python" "$top/algorithms/qgis/make_zip.py" --lacks "$zip")
for entry in email tracker repository homepage; do
    if grep "^$entry=" plugins/s2clr_provider/metadata.txt >/dev/null; then
        true_that "$entry is not asked for" sh -c '! echo "$1" | grep -w "$2"' sh "$lacking" $entry
    else
        true_that "$entry is asked for" sh -c 'echo "$1" | grep -w "$2"' sh "$lacking" $entry
    fi
done
for entry in name description about version author qgisMinimumVersion hasProcessingProvider; do
    true_that "the manager is told $entry" grep "^$entry=..*" plugins/s2clr_provider/metadata.txt
done
true_that 'the zip holds every file of the plug-in' sh -c '
    for file in "$1"/algorithms/qgis/s2clr_provider/*.py; do
        cmp "$file" plugins/s2clr_provider/$(basename "$file") || exit 1
    done' sh "$top"
true_that 'it is all in the standard library and QGIS' sh -c '
    ! grep -hE "^ *(import|from) " plugins/s2clr_provider/*.py |
        grep -vE "(import|from) (\.|html|json|os|queue|re|shlex|shutil|signal|subprocess|threading|time|qgis\.(core|PyQt)|processing\.core\.ProcessingConfig)"'

# ---- something to map ----

run=$((run + 1))
mkdir zoo
safe=$("$tools/make_safe" . 1200 1200) || skip_all 'this GDAL cannot write the made-up product'
product="SENTINEL2_L2A:$safe/MTD_MSIL2A.xml:10m:EPSG_32630"
{ "$tools/make_model" zoo/tiny.safetensors &&
    "$python" -m zipfile -c product.SAFE.zip "$(basename "$safe")" &&
    gdal_translate -q "$product" scene.tif &&
    gdal_translate -q -of VRT "$product" stack.vrt &&
    gdal_translate -q -b 3 "$product" band-B02.tif &&
    gdal_translate -q -b 2 "$product" band-B03.tif &&
    gdal_translate -q -b 1 "$product" band-B04.tif &&
    gdal_translate -q -of PNG -ot Byte -scale -b 1 -b 2 -b 3 scene.tif plain.png &&
    gdal_translate -q -a_srs EPSG:4326 -a_ullr 10 0.00539 10.01078 -0.00539 plain.png plain.tif &&
    gdal_translate -q -outsize 700 2400 -a_ullr 600000 4224000 607000 4200000 -co TILED=YES \
        -co COMPRESS=LZW "$product" long.tif; } >out 2>err || {
    fail 'something to read'
    finish
}
# The least memory is what the refusal says; little more makes many pieces, to be cancelled between.
"$S2CLR" predict -m tiny --device portable --threads 1 --memory 1 --blend hann --stride 4 --quiet \
    long.tif x.tif >out 2>err
S2CLR_TEST_MEMORY=$(sed -n 's/.*needs about \([0-9]*\) MB.*/\1/p' err)
S2CLR_TEST_MEMORY=$((${S2CLR_TEST_MEMORY:-60} + 30))
export S2CLR_TEST_MEMORY

# ---- inside QGIS ----

"$python" "$top/tests/qgis_all.py" >python.out 2>python.err
code=$?
grep -v '^python: ' python.out
counts=$(sed -n 's/^python: //p' python.out)
if [ $code -ne 0 ] || [ -z "$counts" ]; then
    run=$((run + 1))
    cp python.err err
    : >out
    fail "QGIS ended with code $code"
else
    # shellcheck disable=SC2086 # three numbers
    set -- $counts
    run=$((run + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
fi

# ---- without Python of our own: qgis_process ----

true_that 'qgis_process enables the plug-in' "$process" plugins enable s2clr_provider
expect 'qgis_process lists the algorithms' 0 's2clr:predict' "$process" list
expect 'qgis_process shows the help' 0 'STRIDE: Stride in pixels' "$process" help s2clr:predict
expect 'qgis_process maps a zip' 0 'process.tif' "$process" run s2clr:predict \
    --INPUT="$work/product.SAFE.zip" --MODEL=tiny "--SRCWIN=0 0 64 48" --OUTPUT="$work/process.tif"
true_that 'the map of qgis_process is that of the command' sh -c '
    mv process.tif qgis.tif &&
    "$1" predict --model=tiny --srcwin=0,0,64,48 "$2/product.SAFE.zip" "$2/process.tif" --quiet &&
    cmp qgis.tif process.tif' sh "$S2CLR" "$work"
expect 'qgis_process fails with the message of the program' 1 'no such place.zip' "$process" \
    run s2clr:predict --INPUT="$work/no such place.zip" --OUTPUT="$work/never.tif"
finish
