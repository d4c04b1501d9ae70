#!/bin/sh
# Processed VRT datasets (GDAL >= 3.9) give what the pixel functions of the same name give, bit for
# bit, for every pointwise function, window by window.
rig=processed
. "${srcdir:-.}/tests/rig.sh"
plugin=$plugins/gdal_S2CLR.so

wants gdal_translate
[ -e "$plugin" ] || skip_all "$plugin was not built"
! ldd "$plugin" | grep 'lib[atu][a-z]*san\.so' >/dev/null ||
    skip_all 'GDAL programs cannot load a plug-in that was built with a sanitizer'
minor=$(gdalinfo --version | sed 's/^GDAL 3\.\([0-9]*\).*/\1/')
[ "$minor" -ge 9 ] || skip_all "GDAL 3.$minor has no processed VRT datasets (3.9 and later do)"

in_work_folder
GDAL_DRIVER_PATH=$plugins
export GDAL_DRIVER_PATH

# Two inputs of three bands: numbers like DN, and shares with classes 0 to 11 in the second band.
# Some pixels are the no-data value of the file.
for band in 1 2 3; do
    for kind in dn share; do
        awk -v kind=$kind -v band=$band 'BEGIN {
            print "ncols 150\nnrows 90\nxllcorner 0\nyllcorner 0\ncellsize 10\nnodata_value -9"
            state = 7919 * band
            for (y = 0; y < 90; y++) {
                line = ""
                for (x = 0; x < 150; x++) {
                    state = (state * 1103 + 12345) % 65536
                    if (state % 37 == 0) value = -9
                    else if (kind == "dn") value = state % 9000
                    else if (band == 2) value = state % 12
                    else value = (state % 4001) / 4000
                    line = line " " value
                }
                print line
            } }' >$kind$band.asc
        gdal_translate -q -ot Float32 -a_nodata -9 $kind$band.asc $kind$band.tif
    done
done
for kind in dn share; do
    gdalbuildvrt -q -separate $kind.vrt ${kind}1.tif ${kind}2.tif ${kind}3.tif
    gdal_translate -q $kind.vrt $kind.tif
done

derived() { # derived KIND BANDS FUNCTION NAME=VALUE...
    kind=$1 bands=$2 function=$3
    shift 3
    echo '<VRTDataset rasterXSize="150" rasterYSize="90">'
    echo '<VRTRasterBand dataType="Float32" band="1" subClass="VRTDerivedRasterBand">'
    echo "<PixelFunctionType>$function</PixelFunctionType>"
    printf '<PixelFunctionArguments nodata="-9"'
    for pair; do printf ' %s="%s"' "${pair%%=*}" "${pair#*=}"; done
    echo '/><SourceTransferType>Float32</SourceTransferType>'
    for band in $bands; do
        echo "<SimpleSource><SourceFilename relativeToVRT=\"1\">$kind.tif</SourceFilename>"
        echo "<SourceBand>$band</SourceBand></SimpleSource>"
    done
    echo '</VRTRasterBand></VRTDataset>'
}

processed() { # processed INPUT FUNCTION NAME=VALUE...
    input=$1 function=$2
    shift 2
    echo '<VRTDataset subClass="VRTProcessedDataset">'
    echo "<Input><SourceFilename relativeToVRT=\"1\">$input</SourceFilename></Input>"
    echo "<ProcessingSteps><Step><Algorithm>$function</Algorithm>"
    for pair; do echo "<Argument name=\"${pair%%=*}\">${pair#*=}</Argument>"; done
    echo '</Step></ProcessingSteps>'
    # GDAL 3.9 and 3.10 want as many bands declared as the function makes. Without a no-data value
    # of its own the band would take the input's.
    echo '<VRTRasterBand dataType="Float32" band="1" subClass="VRTProcessedRasterBand">'
    echo '<NoDataValue>nan</NoDataValue></VRTRasterBand></VRTDataset>'
}

# same KIND BANDS FUNCTION NAME=VALUE...: whole, and a window that meets no block
same() {
    kind=$1 bands=$2 function=$3
    list=
    for band in $bands; do list="$list -b $band"; done
    # shellcheck disable=SC2086 # a list of options
    gdal_translate -q $list $kind.tif input.tif
    derived "$@" >derived.vrt
    shift 3
    processed input.tif "$function" "$@" >processed.vrt
    for window in '0 0 150 90' '37 41 101 29'; do
        run=$((run + 1))
        rm -f derived.bin processed.bin
        # shellcheck disable=SC2086
        { gdal_translate -q -of ENVI -a_nodata none -srcwin $window derived.vrt derived.bin &&
            gdal_translate -q -of ENVI -a_nodata none -srcwin $window processed.vrt processed.bin &&
            cmp derived.bin processed.bin; } >err 2>&1 || fail "$function $* ($window)"
        [ ! -s err ] || fail "$function $* is silent ($window)"
        # A result that is the same everywhere would prove nothing.
        [ "$(od -An -v -tx4 -w4 derived.bin | sort -u | wc -l)" -gt 2 ] || fail "$function $*: no values ($window)"
    done
}

same dn '1 2' s2clr_evi2 scale=0.0001
same dn '1 2' s2clr_savi scale=0.0001 offset=-1000 L=0.25
same dn '1 2' s2clr_msi
same dn '1 2' s2clr_ndii offset=7
same dn '1 2 3' s2clr_nmdi
same dn '2' s2clr_reflectance offset=-1000 low=0 high=0.6
same share '1' s2clr_calibrate temperature=1.7 trained=0.5 prevalence=0.1
same share '1' s2clr_threshold threshold=0.25
same share '1 2' s2clr_mask classes=4,5,6
same share '1' s2clr_entropy
same share '1 3' s2clr_combine op=max
same share '1 3' s2clr_combine op=mean

# ---- what is wrong is said once, when the dataset is opened or read ----

error() { # error NAME TEXT BANDS FUNCTION NAME=VALUE...
    name=$1 text=$2
    list=
    for band in $3; do list="$list -b $band"; done
    shift 3
    run=$((run + 1))
    # shellcheck disable=SC2086
    gdal_translate -q $list dn.tif input.tif
    processed input.tif "$@" >processed.vrt
    if gdal_translate -q processed.vrt no.tif 2>err; then
        fail "$name: accepted"
    else
        grep '^ERROR' err | grep -F -e "$text" >/dev/null || fail "$name: \"$text\" is not said"
    fi
}
error 'too many bands' 's2clr_evi2' '1 2 3' s2clr_evi2
error 'a bad argument' 'L' '1 2' s2clr_savi L=-1
error 'an unknown argument' 'scal' '1 2' s2clr_savi scal=1
error 'a model that is absent' 'no-such-model' '1 2 3' s2clr_pixel model=no-such-model

finish
