#!/bin/sh
# s2clr vrt from outside: every template on a made-up product, names that need quoting, what is
# refused and what must be left behind then: nothing.
rig=vrt_command
. "${srcdir:-.}/tests/rig.sh"
S2CLR_VRT_TEMPLATES=${S2CLR_VRT_TEMPLATES:-$top/vrt_templates}
export S2CLR_VRT_TEMPLATES
in_work_folder
GDAL_DRIVER_PATH=$plugins GDAL_PAM_ENABLED=NO
export GDAL_DRIVER_PATH GDAL_PAM_ENABLED

once() { # once NAME CODE TEXT COMMAND...: as expect, and an error is one message
    expect "$@" || return 1
    [ "$code" -eq 0 ] || [ "$(grep -c . err)" -eq 1 ] || fail "$name: more than one message"
}

nothing_left() { # nothing_left NAME FILE
    run=$((run + 1))
    [ ! -e "$2" ] && [ -z "$(find . -name '*.part-*' -print)" ] || fail "$1 leaves something behind"
}

vrt() {
    "$S2CLR" vrt -q "$@"
}

# ---- templates ----

once 'list' 0 'masked' "$S2CLR" vrt --list
once 'list as JSON' 0 '"name": "view"' "$S2CLR" vrt --list --json
once 'nothing given' 2 'template is missing' "$S2CLR" vrt
once 'one name only' 2 'is missing' "$S2CLR" vrt stack10
product=$("$tools/make_safe" . 1440 1200 2>err)
if [ -z "$product" ]; then
    skip 'templates' "$(cat err)"
    finish
fi
for template in stack10 stack12 indices probability masked patch view; do
    once "$template" 0 '' vrt $template "$product" $template.vrt
done
once 'calibrated' 0 '' vrt calibrated --prevalence 0.1 "$product" calibrated.vrt
once 'ensemble' 0 '' vrt ensemble -m dense-eurosat-permanentcrop -m dense-eurosat-permanentcrop \
    "$product" ensemble.vrt
once 'what was read is said' 0 'tried       pixel 72, 60: ' "$S2CLR" vrt stack10 "$product" \
    said.vrt
once 'as JSON' 0 '"tried": true' "$S2CLR" vrt --json stack10 "$product" json.vrt
for template in stack10 stack12 indices probability masked calibrated ensemble patch; do
    true_that "no placeholder is left in $template" sh -c "! grep -q '@' $template.vrt"
done
for template in indices masked calibrated ensemble patch; do
    true_that "the transfer type of $template is written" sh -c \
        "[ \$(grep -c '<SourceTransferType>' $template.vrt) -eq \$(grep -c '<PixelFunctionType>' $template.vrt) ]"
done

"$tools/make_model" "$PWD/classes.safetensors" classes >out 2>err
once 'classes' 0 '' vrt probability -m classes.safetensors "$product" classes.vrt
true_that 'a band for each' test "$(grep -c '<Description>class [123]<' classes.vrt)" -eq 3
once 'classes in a template of one' 1 'tells 3 classes apart' vrt masked -m classes.safetensors \
    "$product" none.vrt
nothing_left 'which' none.vrt

# ---- the numbers of predict ----

same_pixels() { # same_pixels A B: two of our rasters hold the same bytes
    gdal_translate -q -of ENVI -co INTERLEAVE=BSQ "$1" a.raw &&
        gdal_translate -q -of ENVI -co INTERLEAVE=BSQ "$2" b.raw && cmp a.raw b.raw
}
preload=$(ldd "$plugins/gdal_S2CLR.so" | awk '/lib[atu][a-z]*san\.so/')
if [ -n "$preload" ]; then
    skipped=$((skipped + 1))
    echo "SKIP the numbers of predict: GDAL's programs cannot load a plug-in built with a sanitizer"
else
    once 'predict' 0 '' "$S2CLR" predict -q "$product" map.tif
    for template in probability patch view; do
        true_that "$template equals predict" same_pixels $template.vrt map.tif
    done
    once 'predict as the options say' 0 '' "$S2CLR" predict -q --stride 8 --min-valid 0.9 \
        --scl auto --bands entropy,probability "$product" other.tif
    once 'probability with options' 0 '' vrt probability --stride 8 --min-valid 0.9 --scl auto \
        --bands entropy,probability "$product" other.vrt
    true_that 'options reach the map' same_pixels other.vrt other.tif
    once 'view with options' 0 '' vrt view --stride 8 --min-valid 0.9 --scl auto \
        --bands entropy,probability "$product" other.s2clr
    true_that 'options reach the sidecar' same_pixels other.s2clr other.tif
fi

# ---- mistakes in a VRT with s2clr_patch: one message each ----

patch_error() { # patch_error NAME TEXT SED-EXPRESSION
    sed "$3" patch.vrt >mistake.vrt
    run=$((run + 1))
    gdal_translate -q mistake.vrt mistake.tif >out 2>err && fail "$1: succeeds"
    grep -v '^Warning 1: Tile' err >lines
    [ "$(wc -l <lines)" -eq 1 ] && grep -F -e "$2" lines >/dev/null || fail "$1: wanted \"$2\" alone"
}
if [ -z "$preload" ]; then
    patch_error 'coordinates of another map' 'outside the 36 x 30 pixels' \
        's/S2CLR_GRID:36:30/S2CLR_GRID:40:30/; s/rasterXSize="36"/rasterXSize="40"/'
    patch_error 'a mistyped band' 'did you mean probability' 's/"probability"/"probabilty"/'
    patch_error 'a mistyped option' 'did you mean STRIDE' 's/"probability"/& STRIDEX="4"/'
    patch_error 'no source' 'source is missing' 's/source="[^ ]*"/sauce="x"/'
    patch_error 'one source' '1 sources, expected 2' '/<SimpleSource>/{ N; N; N; /<SourceBand>2/d; }'
    patch_error 'complex coordinates' 'Float64' 's/>Float64/>CFloat64/'
    patch_error 'a scene that is gone' 'gone.SAFE' 's/source="\([^ ]*\)S2A_[^ ]*SAFE/source="\1gone.SAFE/'
fi

once 'a stack remembers its offset' 0 '-1000' "$S2CLR" info stack10.vrt
once 'a stack remembers its level' 0 'L2A (metadata' "$S2CLR" info stack10.vrt

# ---- names ----

odd="it's \"odd\" & <strange> @MAP@"
mkdir "$odd"
gdal_translate -q stack12.vrt "$odd/stack & \"twelve\".tif" 2>err
for template in stack10 indices probability patch; do
    once "$template of odd names" 0 '' vrt $template "$odd/stack & \"twelve\".tif" \
        "$odd/$template 'x'.vrt"
done
true_that 'a file beside the VRT is named relatively' grep -q \
    'relativeToVRT="1">stack &amp; &quot;twelve&quot;.tif<' "$odd/stack10 'x'.vrt"
mv "$odd" moved
true_that 'both may be moved' gdalinfo -checksum "moved/stack10 'x'.vrt"
true_that 'from another folder' sh -c 'cd / && gdalinfo -checksum "$1"' sh "$work/stack10.vrt"
tab=$(printf 'a\tb.tif')
cp "moved/stack & \"twelve\".tif" "$tab"
once 'a control character' 2 'control character' vrt stack10 "$tab" tab.vrt
nothing_left 'a control character' tab.vrt

# ---- what is refused ----

once 'an unknown template' 2 'did you mean masked' vrt maskd "$product" gone.vrt
once 'an existing output' 1 'overwrite' vrt stack10 "$product" stack10.vrt
once 'unless allowed' 0 '' vrt stack10 --overwrite "$product" stack10.vrt
once 'the input as output' 2 'moved' vrt stack10 --overwrite "moved/stack & \"twelve\".tif" \
    "moved/stack & \"twelve\".tif"
once 'a missing band' 1 'B01' vrt stack12 stack10.vrt gone.vrt
once 'no scene classification' 1 'SCL' vrt masked stack12.vrt gone.vrt
once 'no prevalence' 2 '--prevalence' vrt calibrated "$product" gone.vrt
once 'an option without use' 2 '--stride' vrt stack10 --stride 8 "$product" gone.vrt
once 'bad classes' 2 '--scl-classes' vrt masked --scl-classes 4,x "$product" gone.vrt
once 'a model of another kind' 1 'pixel' vrt pixel "$product" gone.vrt
once 'an unknown model' 1 'no model of that name' vrt patch -m none "$product" gone.vrt
once 'an unknown band of a map' 2 'entropy' vrt probability --bands entrpy "$product" gone.vrt
nothing_left 'a refusal' gone.vrt
classes=$(gdalinfo "$product/MTD_MSIL2A.xml" 2>/dev/null | sed -n 's/.*_NAME=\(SENTINEL2_L2A:.*:20m:.*\)/\1/p')
gdal_translate -q -b 9 "$classes" scl.tif 2>err
once 'the classification of another file' 0 '' vrt masked --scl scl.tif stack12.vrt again.vrt

# ---- own templates ----

cat >own.vrt <<'END'
<VRTDataset rasterXSize="@WIDTH@" rasterYSize="@HEIGHT@">
  <!-- own: one band -->
  @GEOREFERENCE@
  <VRTRasterBand dataType="@TYPE@" band="1">@SOURCE:B8A@</VRTRasterBand>
</VRTDataset>
END
once 'an own template' 0 '' vrt own.vrt "$product" of-own.vrt
sed 's/@WIDTH@/@WIDHT@/' own.vrt >bad.vrt
once 'a mistyped placeholder' 1 'line 1: @WIDHT@ is no placeholder: did you mean @WIDTH@' \
    vrt ./bad.vrt "$product" gone.vrt
sed 's/B8A/B99/' own.vrt >bad.vrt
once 'a band that is none' 1 'B99' vrt bad.vrt "$product" gone.vrt
sed 's/<VRTRasterBand/<VRTRasterBond/' own.vrt >bad.vrt
once 'a template that is no VRT' 1 'gone.vrt' vrt bad.vrt "$product" gone.vrt
nothing_left 'a bad template' gone.vrt
mkdir templates && cp own.vrt templates/mine.vrt
once 'a folder of templates' 0 'mine' env S2CLR_VRT_TEMPLATES="$work/templates" "$S2CLR" vrt --list
once 'a template of that folder' 0 '' env S2CLR_VRT_TEMPLATES="$work/templates" "$S2CLR" vrt -q mine \
    "$product" mine.vrt

# ---- without the plug-in ----

GDAL_DRIVER_PATH=disable
once 'a stack needs no plug-in' 0 'tried       pixel' "$S2CLR" vrt stack10 "$product" alone.vrt
once 'a map is written, but not tried' 0 'not tried out' "$S2CLR" vrt patch "$product" blind.vrt
true_that 'it is there' test -s blind.vrt

finish
