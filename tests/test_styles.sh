#!/bin/sh
# The colours of maps: which files carry them, whose they are, and what QGIS makes of them.
rig=styles
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
wants gdal_translate gdalinfo ogrinfo
safe=$("$tools/make_safe" "$work" 3000 3600 2>err) || skip_all 'this GDAL cannot write the made-up product'
true_that 'a model' "$tools/make_model" tiny.safetensors
true_that 'a model of classes' "$tools/make_model" classes.safetensors classes
predict() { "$S2CLR" predict -m tiny.safetensors -q "$safe" "$@"; }

# ---- files ----

expect 'a map' 0 'style       map.qml' "$S2CLR" predict -m tiny.safetensors "$safe" map.tif \
    --polygons fields.gpkg
true_that 'has its style' grep -F '<rasterrenderer type="singlebandpseudocolor" band="1"' map.qml
true_that 'with the class in words' grep -F 'maximumLabel="1: made_up_class"' map.qml
expect 'without' 0 '"style": null' "$S2CLR" predict -m tiny.safetensors "$safe" bare.tif --no-style --json
true_that 'there is none' test ! -e bare.qml
expect 'bands' 0 '' predict three.tif --bands probability,entropy,valid
true_that 'one style per quantity' test "$(ls three.*qml | tr '\n' ' ')" = \
    'three.entropy.qml three.qml three.valid.qml '
true_that 'of the band it is for' grep -F 'band="2"' three.entropy.qml
cp map.qml ours.qml
expect 'again' 0 '' predict map.tif -overwrite
true_that 'the same bytes' cmp map.qml ours.qml
sed '/<!--/d' ours.qml >map.qml
cp map.qml own.qml
expect "somebody's own" 0 "is not of s2clr's making" "$S2CLR" predict -m tiny.safetensors "$safe" map.tif \
    -overwrite
true_that 'stays' cmp map.qml own.qml
expect "somebody's own, without a style" 0 '' predict map.tif -overwrite --no-style
true_that 'stays as well' cmp map.qml own.qml
cp ours.qml bare.qml
expect 'one of an earlier map' 0 '' predict bare.tif -overwrite --no-style
true_that 'goes with it' test ! -e bare.qml
expect 'an embedding' 0 '' "$S2CLR" embed -m tiny.safetensors -q "$safe" features.tif
true_that 'has no style' test ! -e features.qml
true_that 'two quantities' "$S2CLR" predict -m tiny.safetensors -q "$safe" turned.tif \
    --bands entropy,probability
true_that 'have two styles' test -e turned.qml -a -e turned.probability.qml
true_that 'other bands in their place' "$S2CLR" predict -m tiny.safetensors -q "$safe" turned.tif \
    --bands probability,valid -overwrite
true_that 'have no old ones' test ! -e turned.probability.qml -a -e turned.valid.qml
true_that 'features in the place of a map' "$S2CLR" embed -m tiny.safetensors -q "$safe" turned.tif \
    -overwrite
true_that 'have none at all' sh -c '! ls turned*.qml'
for i in 1 2; do expect "part $i" 0 '' predict whole.tif --shard $i/2; done
true_that 'the map of the parts has one' grep -F 'made_up_class' whole.shards-of-2.qml
true_that 'the parts have none' sh -c '! ls | grep "shard-.*qml"'
expect 'merged' 0 '' "$S2CLR" merge -q whole.shard-1-of-2.tif whole.shard-2-of-2.tif whole.tif
true_that 'the merged map has it' cmp whole.qml ours.qml
if command -v xmllint >/dev/null; then
    true_that 'well-formed' sh -c 'xmllint --noout --nowarning *.qml'
else
    skip 'well-formed' 'xmllint is not installed (Debian: libxml2-utils)'
fi

# ---- what the raster says ----

gdalinfo map.tif >info
for word in 'S2CLR_MODEL_ID=rig-dense' 'S2CLR_COMMAND_LINE=s2clr predict' 'S2CLR_MODEL_WARNING=' \
    'QUANTITY=probability' 'HELP=calibrated probability' 'S2CLR_ACQUIRED=20' 'STATISTICS_MEAN=' \
    'Description = made_up_class'; do
    true_that "gdalinfo shows $word" grep -F -e "$word" info
done
sed -n 's/.*<item color="#\(..\)\(..\)\(..\)".* value="\([^"]*\)".*/\4 \1 \2 \3/p' ours.qml >ramp
true_that 'nine colours' test "$(wc -l <ramp)" -eq 9

# ---- QGIS ----

qgis=
for python in python3 /usr/bin/python3; do
    QT_QPA_PLATFORM=offscreen "$python" -c 'import qgis.core' 2>/dev/null && qgis=$python && break
done
if [ -z "$qgis" ]; then
    skip 'in QGIS' 'QGIS is not installed'
    finish
fi
export HOME="$work" XDG_RUNTIME_DIR="$work" QT_QPA_PLATFORM=offscreen
look() { "$qgis" "$top/tests/qgis_styles.py" "$@"; }
cp ours.qml map.qml
true_that 'QGIS: map and areas' look map.tif 1 made_up_class fields.gpkg
true_that 'QGIS: bytes, decoded' sh -c '
    "$0" predict -m tiny.safetensors -q -ot Byte "$1" byte.tif' "$S2CLR" "$safe"
true_that 'QGIS: their colours' look byte.tif 1 made_up_class
expect 'entropy first' 0 '' predict doubt.tif --bands entropy,probability -of COG
true_that 'QGIS: entropy' look doubt.tif 1 undecided
expect 'entropy of three' 0 '' "$S2CLR" predict -m classes.safetensors -q "$safe" classes.tif \
    --bands entropy
true_that 'QGIS: up to log2 3' look classes.tif 1.584962501 undecided
expect 'one of three' 0 '' "$S2CLR" predict -m classes.safetensors -q "$safe" one.tif --bands 'class 2'
true_that 'QGIS: one of three' look one.tif 1 'class 2'
finish
