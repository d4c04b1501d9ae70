#!/bin/sh
# The plug-in from outside: GDAL's own programs read a made-up product through the driver, and every
# way of reading it gives the numbers of `s2clr predict`.
rig=driver
. "${srcdir:-.}/tests/rig.sh"
plugin=$plugins/gdal_S2CLR.so
in_work_folder

wants gdalinfo gdal_translate gdalwarp gdalbuildvrt gdaladdo gdalmanage nm
[ -e "$plugin" ] || { echo "FAIL driver: $plugin was not built"; run=1 failed=1; finish; }

preload=$(sanitizers)
case $preload in
*libtsan*)
    skip_all 'the programs of GDAL cannot be started under ThreadSanitizer' ;;
esac
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

gdal() { # gdal PROGRAM...: with the plug-in
    LD_PRELOAD=$preload GDAL_DRIVER_PATH=$plugins "$@"
}

says() { # says NAME TEXT COMMAND...: succeeds and prints TEXT
    name=$1 text=$2
    shift 2
    run=$((run + 1))
    "$@" >out 2>err || { fail "$name: exit code $?"; return 1; }
    cat out err | grep -F -e "$text" >/dev/null || fail "$name: \"$text\" is not said"
}

# raw OUT [gdal_translate options] NAME: the pixels as they are, band after band
raw() {
    to=$1
    shift
    rm -f "$to" "$to.aux.xml" "${to%.*}.hdr"
    gdal gdal_translate -q -of ENVI -co INTERLEAVE=BSQ "$@" "$to" || return 1
}

# same NAME A B [gdal_translate options]: both rasters read that way have the same bytes
same() {
    name=$1 a=$2 b=$3
    shift 3
    run=$((run + 1))
    { raw a.bin "$@" "$a" && raw b.bin "$@" "$b"; } >out 2>err || { fail "$name: not readable"; return; }
    cmp a.bin b.bin >out 2>&1 || fail "$name: other bytes"
}

# ---- the plug-in itself ----

nm -D --defined-only "$plugin" | awk '{ print $NF }' | grep -v '^_*\(init\|fini\)$' |
    grep -v -e '__[atu][a-z]*san' -e '__odr_asan' -e '__sancov' >symbols
true_that 'exports one symbol' test "$(cat symbols)" = GDALRegister_S2CLR
nm -D --undefined-only "$plugin" | grep s2clr_ >symbols
true_that 'lacks none of its own' test ! -s symbols
nm "$plugin" 2>/dev/null | grep -e ' s2clr_args_' -e ' s2clr_edge_' >symbols
true_that 'holds no command' test ! -s symbols
says 'is a format' 'S2CLR -raster- (rov)' gdal gdalinfo --formats
says 'describes itself' 'S2CLR:' gdal gdalinfo --format S2CLR
says 'lists its options' 'name="STRIDE"' gdal gdalinfo --format S2CLR
gdal gdalinfo --format S2CLR 2>/dev/null | sed -n '/<OpenOptionList>/,/<\/OpenOptionList>/p' >list.xml
if command -v xmllint >/dev/null; then
    true_that 'as XML' xmllint --noout list.xml
else
    skip 'as XML' 'xmllint is not installed (Debian: libxml2-utils)'
fi

# ---- something to read ----

# A name with a blank and a colon, because inputs have such.
mkdir 'a b:c'
safe=$("$tools/make_safe" "$work/a b:c" 10800 9000) || {
    skip 'everything read through the driver' 'this GDAL cannot write the made-up product'
    finish
}
"$tools/make_model" "$work/tiny.safetensors" >out 2>err || fail 'a model to test with'
view="S2CLR:\"$work/tiny.safetensors\":\"$safe\""
true_that 'predict' "$S2CLR" predict -quiet -m tiny.safetensors "$safe" product.tif
same 'a product' product.tif "$view"
same 'a window of a product' product.tif "$view" -srcwin 63 64 65 63

# The rest reads three of its bands from one file, because decoding JPEG 2000 takes most of the time.
gdal_translate -q -co TILED=YES "SENTINEL2_L2A:$safe/MTD_MSIL2A.xml:10m:EPSG_32630" \
    "$work/a b:c/scene.tif" >out 2>err
scene="$work/a b:c/scene.tif"
view="S2CLR:\"$work/tiny.safetensors\":\"$scene\""
true_that 'predict on a file' "$S2CLR" predict -quiet -m tiny.safetensors "$scene" base.tif

# ---- every path, the same numbers ----

same 'the whole' base.tif "$view"
says 'size' 'Size is 270, 225' gdal gdalinfo "$view"
says 'georeference' 'EPSG",32630' gdal gdalinfo "$view"
says 'name of the band' 'Description = made_up_class' gdal gdalinfo "$view"
says 'nodata' 'NoData Value=nan' gdal gdalinfo "$view"
says 'provenance' 'MODEL_SHA256=' gdal gdalinfo -mdd S2CLR "$view"
says 'the card' '"positive"' gdal gdalinfo -mdd json:S2CLR "$view"
says 'files' 'tiny.safetensors' gdal gdalinfo "$view"
says 'overviews' 'Overviews: 135x113' gdal gdalinfo "$view"
for window in '0 0 1 1' '17 3 200 190' '64 64 64 64' '0 131 270 1' '269 0 1 225'; do
    # shellcheck disable=SC2086 # four words
    same "window $window" base.tif "$view" -srcwin $window
done
same '-outsize 25%' base.tif "$view" -outsize 25% 25%
same '-outsize 25% -r bilinear' base.tif "$view" -outsize 25% 25% -r bilinear
same '-r average' base.tif "$view" -outsize 100 80 -r average
same '-r cubic, enlarged' base.tif "$view" -srcwin 40 50 60 50 -outsize 150 125 -r cubic
same '-ot Int16 -scale' base.tif "$view" -ot Int16 -scale 0 1 0 10000 -a_nodata -1
true_that 'translate to GTiff' gdal gdal_translate -q "$view" copy.tif
same 'GTiff' base.tif copy.tif
true_that 'translate to tiled GTiff' gdal gdal_translate -q -co TILED=YES -co BLOCKXSIZE=48 \
    -co BLOCKYSIZE=80 "$view" tiled.tif
same 'tiled GTiff' base.tif tiled.tif
true_that 'translate to COG' gdal gdal_translate -q -of COG -co BLOCKSIZE=128 "$view" cog.tif
same 'COG' base.tif cog.tif
says 'COG with overviews' 'Overviews:' gdalinfo cog.tif
true_that 'translate to VRT' gdal gdal_translate -q -of VRT "$view" copy.vrt
same 'VRT' base.tif copy.vrt
says 'the tags that travel' 'S2CLR_MODEL_ID=rig-dense' gdalinfo copy.tif

for crs in 4326 3035; do
    true_that "warp to $crs" gdal gdalwarp -q -t_srs EPSG:$crs -multi -wo NUM_THREADS=2 "$view" w$crs.tif
    true_that "warp the map to $crs" gdalwarp -q -t_srs EPSG:$crs base.tif v$crs.tif
    same "EPSG:$crs" v$crs.tif w$crs.tif
done
true_that 'warp onto itself' gdal gdalwarp -q -tap -tr 40 40 "$view" onto.tif
same 'warped onto itself' base.tif onto.tif

checksum() {
    gdal gdalinfo -checksum "$1" 2>/dev/null | sed -n 's/^ *Checksum=//p'
}
true_that 'gdalinfo -checksum' test "$(checksum base.tif)" = "$(checksum "$view")"
statistics() { # computed from the pixels, not those that are stored
    gdal gdalinfo -stats "$1" 2>/dev/null | grep -e STATISTICS_MEAN -e STATISTICS_STDDEV -e STATISTICS_VALID
}
statistics "$view" >here 2>err
gdal gdal_translate -q -of ENVI base.tif plain.bin
statistics plain.bin >there
true_that 'gdalinfo -stats' cmp here there
true_that 'and there were some' test -s here
true_that 'gdalinfo -stats leaves no file' test -z "$(find . -name 'S2CLR*')"
if command -v gdal_calc.py >/dev/null && gdal_calc.py --help >/dev/null 2>&1; then
    if [ -n "$preload" ]; then
        skip 'gdal_calc.py' 'Python and a sanitizer do not go together'
    else
        # It cuts the quotes off a name.
        printf '{"s2clr": 1, "model": "tiny.safetensors", "inputs": ["a b:c/scene.tif"]}' >calc.s2clr
        true_that 'gdal_calc.py' gdal gdal_calc.py --quiet -A calc.s2clr --calc 'A*2' --outfile twice.tif
        true_that 'gdal_calc.py on the map' gdal_calc.py --quiet -A base.tif --calc 'A*2' \
            --outfile twice_base.tif
        same 'gdal_calc.py' twice_base.tif twice.tif
    fi
else
    skip 'gdal_calc.py' 'not installed (Debian: python3-gdal)'
fi

# ---- several bands ----

bands=probability,entropy,valid,evidence
if "$S2CLR" predict -quiet -m tiny.safetensors --bands $bands "$scene" bands.tif >out 2>err; then
    true_that 'translate four bands' gdal gdal_translate -q -oo BANDS=$bands "$view" four.tif
    same 'four bands' bands.tif four.tif
    same 'the third alone' bands.tif four.tif -b 3
    true_that 'bands in another order' gdal gdal_translate -q -oo BANDS=$bands -b 4 -b 1 \
        -srcwin 3 5 200 150 "$view" order.tif
    true_that 'bands of the map in that order' gdal_translate -q -b 4 -b 1 -srcwin 3 5 200 150 \
        bands.tif order_base.tif
    same 'another order' order_base.tif order.tif
    says 'interleaved' 'INTERLEAVE=PIXEL' gdal gdalinfo -oo BANDS=$bands "$view"
else
    skip 'several bands' 'this s2clr predict writes one band only'
fi
"$tools/make_model" "$work/patches.safetensors" resnet18 >out 2>err
true_that 'predict with a patch model' "$S2CLR" predict -quiet -m patches.safetensors "$scene" p.tif
same 'a patch model' p.tif "S2CLR:patches.safetensors:\"$scene\""

# ---- classes ----

"$tools/make_model" "$work/classes.safetensors" classes >out 2>err
view="S2CLR:classes.safetensors:\"$scene\""
true_that 'predict classes' "$S2CLR" predict -quiet -m classes.safetensors "$scene" classes.tif
same 'classes' classes.tif "$view"
says 'a band for each' 'Description = class 3' gdal gdalinfo "$view"
true_that 'predict a class and the entropy' "$S2CLR" predict -quiet -m classes.safetensors \
    --bands 'entropy,class 2' "$scene" two.tif
same 'a class and the entropy' two.tif "$view" -oo 'BANDS=entropy,class 2'
same 'the class in both' classes.tif "$view" -oo 'BANDS=class 1,class 2,class 3' -b 2
says 'the range of three classes' 'Max=1.585' gdal gdalinfo -oo BANDS=entropy "$view"
raw a.bin -b 2 classes.tif && raw b.bin -b 2 two.tif && true_that 'is the same class' cmp a.bin b.bin
view="S2CLR:\"$work/tiny.safetensors\":\"$scene\""

# ---- sidecar files ----

cat >map.s2clr <<END
{"s2clr": 1, "model": "tiny.safetensors", "inputs": ["${scene#"$work"/}"], "options": {"STRIDE": 8}}
END
true_that 'predict at stride 8' "$S2CLR" predict -quiet -m tiny.safetensors --stride 8 "$scene" eight.tif
same 'sidecar' eight.tif map.s2clr
mkdir elsewhere
(cd elsewhere && gdal gdal_translate -q -of ENVI ../map.s2clr far.bin) >out 2>err
raw near.bin map.s2clr 2>err
true_that 'sidecar from another folder' cmp elsewhere/far.bin near.bin
true_that 'gdalinfo -stats on a sidecar' gdal gdalinfo -stats map.s2clr
true_that 'keeps them beside it' test -f map.s2clr.aux.xml
true_that 'gdaladdo -ro' gdal gdaladdo -q -ro -r average map.s2clr 2 4
true_that 'makes a file' test -f map.s2clr.ovr
true_that 'of the same on the map' gdaladdo -q -ro -r average --config USE_RRD NO near.bin 2 4
same 'which is read' near.bin map.s2clr -outsize 50% 50%
cp map.s2clr again.s2clr
true_that 'gdalmanage delete' gdal gdalmanage delete map.s2clr
true_that 'deletes the sidecar and what GDAL put beside it' \
    test ! -e map.s2clr -a ! -e map.s2clr.ovr -a ! -e map.s2clr.aux.xml
true_that 'and nothing else' test -f tiny.safetensors -a -f "$scene"
gdal gdalmanage rename again.s2clr other.s2clr >out 2>err
true_that 'gdalmanage rename moves no product' test -f tiny.safetensors -a -f "$scene" -a -f again.s2clr

# ---- mosaics of several ----

true_that 'gdalbuildvrt' gdal gdalbuildvrt -q mosaic.vrt "$view" "S2CLR:tiny.safetensors:\"$scene\""
same 'mosaic of sources that overlap wholly' base.tif mosaic.vrt
gdal gdal_translate -q -of VRT -srcwin 0 0 100 225 "$view" west.vrt 2>err
gdal gdal_translate -q -of VRT -srcwin 100 0 170 225 "$view" rest.vrt 2>err
true_that 'gdalbuildvrt of parts' gdal gdalbuildvrt -q parts.vrt west.vrt rest.vrt
same 'mosaic of parts' base.tif parts.vrt
same 'window of a mosaic' base.tif parts.vrt -srcwin 90 40 40 100

# ---- the coordinate raster ----

raw grid.bin S2CLR_GRID:300:200 2>err
true_that 'coordinate raster' test "$(wc -c <grid.bin)" -eq 960000
value=$(od -A n -t f8 -j $(((150 * 300 + 37) * 8)) -N 8 grid.bin | tr -d ' ')
true_that 'column' test "$value" = 37
value=$(od -A n -t f8 -j $(((60000 + 150 * 300 + 37) * 8)) -N 8 grid.bin | tr -d ' ')
true_that 'row' test "$value" = 150
gdal gdal_translate -q -of ENVI S2CLR_GRID:300:200 stored.bin
for how in '-srcwin 37 41 50 60' '-outsize 25% 25%' '-srcwin 11 3 201 150 -outsize 77 31' \
    '-outsize 450 301' '-outsize 50% 50% -r bilinear'; do
    # shellcheck disable=SC2086 # words
    same "coordinate raster $how" stored.bin S2CLR_GRID:300:200 $how
done

# ---- errors: one line, and what to do ----

# error NAME TEXT COMMAND...: fails with exactly one line that begins with ERROR, which has TEXT
error() {
    name=$1 text=$2
    shift 2
    run=$((run + 1))
    gdal "$@" >out 2>err
    code=$?
    lines=$(grep -c '^ERROR' err)
    if [ "$code" -eq 0 ] || [ "$code" -ge 126 ]; then
        fail "$name: exit code $code"
    elif [ "$lines" -ne 1 ]; then
        fail "$name: $lines lines begin with ERROR"
    elif ! grep '^ERROR' err | grep -F -e "$text" >/dev/null; then
        fail "$name: \"$text\" is not said"
    fi
}
echo 'not a model' >wrong.safetensors
cp base.tif wrong.tif
long=$(head -c 50000 /dev/zero | tr "\0" x)
many=$(head -c 30000 /dev/zero | tr '\0' ':')
error 'absent model' 'no-such-model' gdalinfo "S2CLR:no-such-model:\"$scene\""
error 'absent model file' '/nowhere/m.safetensors' gdalinfo "S2CLR:/nowhere/m.safetensors:\"$scene\""
error 'no model at all' 'wrong.safetensors' gdalinfo "S2CLR:wrong.safetensors:\"$scene\""
error 'absent raster' 'absent.tif' gdalinfo S2CLR:tiny.safetensors:absent.tif
error 'raster without the bands' 'B02' gdalinfo S2CLR:tiny.safetensors:wrong.tif
error 'unknown option' 'STRIDE' gdalinfo -oo STRID=4 "$view"
error 'option out of range' 'MIN_VALID' gdalinfo -oo MIN_VALID=0.5x "$view"
error 'a stride that does not fit' '4' gdalinfo -oo STRIDE=5 "$view"
error 'unknown band' 'probability' gdalinfo -oo BANDS=probabilty "$view"
error 'unknown device' 'there is no backend' gdal_translate -q -oo DEVICE=abacus "$view" x.tif
error 'prefix alone' 'S2CLR:' gdalinfo S2CLR:
error 'model alone' 'S2CLR:' gdalinfo S2CLR:tiny.safetensors
error 'unbalanced quotes' '"' gdalinfo 'S2CLR:"tiny.safetensors:x'
error 'long name' 'S2CLR' gdalinfo "S2CLR:$long:$long"
error 'many colons' 'S2CLR' gdalinfo "S2CLR:$many"
error 'coordinate raster without sizes' 'S2CLR_GRID:COLUMNS:ROWS' gdalinfo S2CLR_GRID:
error 'coordinate raster of size 0' 'S2CLR_GRID:COLUMNS:ROWS' gdalinfo S2CLR_GRID:0:7
error 'coordinate raster that is too large' 'S2CLR_GRID:COLUMNS:ROWS' gdalinfo S2CLR_GRID:7:99999999999
printf '{"s2clr": 1, "model": 7}' >bad.s2clr
error 'sidecar of wrong types' 'bad.s2clr' gdalinfo bad.s2clr
printf '{"s2clr": 1, "model": "tiny' >bad.s2clr
error 'sidecar cut off' 'bad.s2clr' gdalinfo bad.s2clr
gdal gdal_translate -q -of VRT -oo BANDS=probability,entropy,valid "$view" circle.vrt 2>err
sed -i "s|<SourceFilename[^>]*>[^<]*<|<SourceFilename relativeToVRT=\"0\">S2CLR:tiny.safetensors:$work/circle.vrt<|g" \
    circle.vrt
error 'cyclic VRT' 'circle.vrt' gdal_translate -q -oo INPUT_BANDS=1,2,3 -oo LEVEL=L2A \
    "S2CLR:tiny.safetensors:circle.vrt" x.tif
chmod a-r tiny.safetensors
if [ "$(id -u)" -ne 0 ]; then error 'unreadable model' 'tiny.safetensors' gdalinfo "$view"; fi
chmod a+r tiny.safetensors

# ---- a plug-in made for another GDAL ----

other=$tools/other-gdal/.libs
if [ -e "$other/gdal_S2CLR.so" ] && [ -z "$preload" ]; then
    GDAL_DRIVER_PATH=$other gdalinfo --formats >out 2>err
    run=$((run + 1))
    grep '^ERROR' err | grep -F 'gdal_S2CLR.so' >/dev/null || fail 'another GDAL: says which plug-in'
    run=$((run + 1))
    ! grep -F 'S2CLR -raster-' out >/dev/null || fail 'another GDAL: registers nothing'
else
    skip 'a plug-in made for another GDAL' 'not built, or built with a sanitizer'
fi
finish
