#!/bin/sh
# True colour and probability as one PNG: picture.sh OUT.png WIDTH RESULT.json MAP.tif [...]
#
# RESULT.json is what `s2clr predict --json` printed for MAP.tif: it names the files, bands and
# offsets behind B04, B03, B02. One pair lies side by side, several are columns, colour on top.
# Needs GDAL's own programs only. WIDTH: pixels of one panel.
set -eu
out=$1 width=$2
shift 2
[ $# -ge 2 ] && [ $(($# % 2)) -eq 0 ]
work=$(mktemp -d "${TMPDIR:-/tmp}/s2clr-picture-XXXXXX")
trap 'rm -rf "$work"' EXIT
pairs=$(($# / 2)) gap=8
export GDAL_PAM_ENABLED=NO

# ramp MAP.tif: the colours of its style, as gdaldem takes them
ramp() {
    sed -n 's/.*<item color="#\(..\)\(..\)\(..\)".* value="\([^"]*\)".*/\4 0x\1 0x\2 0x\3/p' \
        "${1%.*}.qml" | while read -r value red green blue; do
        echo "$value $((red)) $((green)) $((blue))"
    done
    echo 'nv 200 200 200'
}

# bands RESULT.json: lines "BAND NUMBER OFFSET SOURCE"
bands() {
    awk -F'": ' '
        function value(text) { sub(/,$/, "", text); gsub(/^"|"$/, "", text); return text }
        /"band": /   { band = value($2) }
        /"source": / { source = value(substr($0, index($0, ": ") + 2)) }
        /"number": / { number = value($2) }
        /"offset": / { print band, number, value($2), source }' "$1"
}

# place IN OUT X Y W H: gives a panel its place on the canvas (y downwards)
place() {
    gdal_translate -q -of VRT -a_srs EPSG:3857 -a_nodata none -colorinterp red,green,blue \
        -a_ullr "$3" "-$4" "$(($3 + $5))" "-$(($4 + $6))" "$1" "$2"
}

k=0
while [ $# -gt 0 ]; do
    size=$(awk '/"size": \[/ { getline; w = $1; getline; print w + 0, $1 + 0 }' "$1" | tail -n 1)
    height=$(awk -v w="$width" -v s="$size" 'BEGIN { split(s, n, " "); h = int(w * n[2] / n[1] + 0.5)
                                                     print (h > 0 ? h : 1) }')
    method=average
    [ "${size%% *}" -ge "$width" ] || method=nearest
    bands "$1" >"$work/bands"
    for band in B04 B03 B02; do
        line=$(grep "^$band " "$work/bands" | head -n 1)
        rest=${line#* } number=${rest%% *}
        rest=${rest#* } offset=${rest%% *}
        # 0 to 0.3 reflectance (8 bit: all values), darks lifted.
        low=$(awk -v o="$offset" 'BEGIN { printf "%d", -o }') high=3000
        ! gdalinfo "${rest#* }" | grep -q "^Band $number .*Type=Byte" || high=255
        gdal_translate -q -b "$number" -ot Byte -scale "$low" $((low + high)) 1 255 -exponent 0.7 \
            -outsize "$width" "$height" -r "$method" "${rest#* }" "$work/$k-$band.tif"
    done
    gdalbuildvrt -q -separate "$work/$k-rgb.vrt" \
        "$work/$k-B04.tif" "$work/$k-B03.tif" "$work/$k-B02.tif"
    ramp "$2" >"$work/ramp.txt"
    gdaldem color-relief -q "$2" "$work/ramp.txt" "$work/$k-ramp.tif"
    gdal_translate -q -outsize "$width" "$height" -r nearest "$work/$k-ramp.tif" "$work/$k-map.tif"
    x=$((k * (width + gap)))
    place "$work/$k-rgb.vrt" "$work/panel-$k-rgb.vrt" "$x" 0 "$width" "$height"
    if [ "$pairs" -eq 1 ]; then x=$((width + gap)) y=0; else y=$((height + gap)); fi
    place "$work/$k-map.tif" "$work/panel-$k-map.vrt" "$x" "$y" "$width" "$height"
    k=$((k + 1))
    shift 2
done
gdalbuildvrt -q -tr 1 1 -srcnodata none -vrtnodata "255 255 255" "$work/all.vrt" "$work"/panel-*.vrt
gdal_translate -q -of PNG -a_nodata none "$work/all.vrt" "$work/all.png"
mv -f "$work/all.png" "$out"
