#!/bin/sh
# `gdal s2clr ...`: the commands as algorithms of GDAL >= 3.11, made from the same tables, with the
# same results, one error and a progress bar that stops them.
rig=gdal_cli
. "${srcdir:-.}/tests/rig.sh"
plugin=$plugins/gdal_S2CLR.so

command -v gdal >/dev/null || skip_all 'there is no program gdal (GDAL >= 3.11) here'
[ -e "$plugin" ] || skip_all "$plugin was not built"
! ldd "$plugin" | grep 'lib[atu][a-z]*san\.so' >/dev/null ||
    skip_all 'GDAL programs cannot load a plug-in that was built with a sanitizer'
version=$(gdal --version | sed 's/^GDAL \([0-9]*\)\.\([0-9]*\).*/\1 \2/')
[ "${version% *}" -gt 3 ] || [ "${version#* }" -ge 11 ] || skip_all 'gdal is older than 3.11'

in_work_folder
GDAL_DRIVER_PATH=$plugins
export GDAL_DRIVER_PATH
unset S2CLR_PROGRAM

# error NAME TEXT COMMAND...: fails with exactly one line of ERROR, which says TEXT
error() {
    name=$1 text=$2
    shift 2
    expect "$name" 1 '' "$@" || return
    [ "$(grep -c '^[0-9.]*ERROR' err)" -eq 1 ] || fail "$name: not one line with ERROR"
    grep ERROR err | grep -F -e "$text" >/dev/null || fail "$name: \"$text\" is not said"
}

for band in B02 B03 B04; do
    awk -v seed="$band" 'BEGIN {
        print "ncols 90\nnrows 70\nxllcorner 500000\nyllcorner 4600000\ncellsize 10"
        state = substr(seed, 3) * 7919
        for (y = 0; y < 70; y++) {
            line = ""
            for (x = 0; x < 90; x++) {
                state = (state * 1103 + 12345) % 65536
                line = line " " 300 + state % 2000
            }
            print line
        } }' >$band.asc
    gdal_translate -q -ot UInt16 -a_srs EPSG:32629 $band.asc $band.tif
done
mkdir by-gdal by-s2clr
inputs='../B04.tif ../B03.tif ../B02.tif'

# ---- what it knows ----

expect 'gdal --help' 0 's2clr' gdal --help
expect 'gdal s2clr --help' 0 'predict' gdal s2clr --help
"$S2CLR" describe | awk -F '\t' '!seen[$1]++ { print $1 }' >commands
while read -r command; do
    # A name may be two words: dataset import.
    expect "gdal s2clr $command --help" 0 "gdal s2clr $command" gdal s2clr $command --help
    expect "gdal s2clr $command --json-usage" 0 "\"name\":\"${command##* }\"" \
        gdal s2clr $command --json-usage
    "$S2CLR" describe $command | cut -f 2 | sed 's/^--//' >rows
    run=$((run + 1))
    while read -r row; do
        case $row in help | version | quiet | progress | config) continue ;; esac
        grep "\"name\":\"$row\"" out >/dev/null || fail "gdal s2clr $command knows no $row"
    done <rows
done <commands
expect 'registers once' 0 '' gdal s2clr --help
true_that 'and says nothing about it' test ! -s err

# ---- the same bytes ----

in_folder() { # in_folder FOLDER COMMAND...
    (cd "$1" && shift && "$@")
}

same() { # same NAME OPTION... : as the command and as the algorithm, each in its folder
    name=$1
    shift
    # shellcheck disable=SC2086 # a list of files
    expect "$name" 0 '' in_folder by-s2clr "$S2CLR" predict --level L1C "$@" $inputs map.tif --overwrite
    # shellcheck disable=SC2086
    expect "$name by gdal" 0 'map.tif, ' in_folder by-gdal gdal s2clr predict --level L1C "$@" $inputs map.tif --overwrite
    true_that "$name: the same file" cmp by-s2clr/map.tif by-gdal/map.tif
}
same 'predict'
same 'a negative number' --boa-offset=-100
same 'a choice, a flag, a repeated argument' --ot Byte --co COMPRESS=DEFLATE --co ZLEVEL=9
same 'a real number' --min-valid 0.25 --stride 8
"$S2CLR" predict --level L1C --srcwin 20 10 40 30 B04.tif B03.tif B02.tif by-s2clr/window.tif -q
expect 'a window' 0 '' gdal s2clr predict --level L1C --srcwin 20,10,40,30 -q B04.tif B03.tif \
    B02.tif by-gdal/window.tif
true_that '--quiet says nothing' test ! -s out
for file in by-s2clr by-gdal; do gdal_translate -q -of ENVI $file/window.tif $file/window.bin; done
true_that 'a window has the same pixels' cmp by-s2clr/window.bin by-gdal/window.bin
expect 'a GDAL option' 0 '"output": "big.tif"' gdal s2clr predict --json --level L1C -q \
    --config GDAL_TIFF_ENDIANNESS=BIG B04.tif B03.tif B02.tif big.tif
true_that 'a GDAL option reaches the program' test "$(head -c 2 big.tif)" = MM
expect 'progress' 0 '100 - done' gdal s2clr predict --level L1C B04.tif B03.tif B02.tif bar.tif
expect 'a result that is text' 0 'backends' gdal s2clr info
expect 'a program named by S2CLR_PROGRAM' 0 's2clr' env S2CLR_PROGRAM="$S2CLR" gdal s2clr info

# ---- one error ----

error 'the program refuses' 'exists already' gdal s2clr predict --level L1C B04.tif B03.tif B02.tif bar.tif
error 'an unknown level' 'L9' gdal s2clr predict --level L9 B04.tif B03.tif B02.tif no.tif
error 'an input that is none' 'commands' gdal s2clr predict commands no.tif
error 'no such program' 'S2CLR_PROGRAM' env S2CLR_PROGRAM=/nowhere gdal s2clr info
error 'a value out of range' 'stride' gdal s2clr predict --stride 0 B04.tif no.tif
error 'a choice that is none' 'Float64' gdal s2clr predict --ot Float64 B04.tif no.tif
error 'an unknown argument' 'nonsense' gdal s2clr predict --nonsense B04.tif no.tif
true_that 'nothing was made' test ! -e no.tif
printf '#!/bin/sh\nkill -KILL $$\n' >broken
chmod +x broken
error 'a program that is killed' 'signal 9' env S2CLR_PROGRAM="$work/broken" gdal s2clr info

# ---- the driver in a pipeline ----

view='S2CLR::"by-gdal/../stack.vrt"'
gdalbuildvrt -q -separate stack.vrt B04.tif B03.tif B02.tif
"$S2CLR" predict --level L1C --input-bands 1,2,3 stack.vrt whole.tif -q
expect 'gdal raster pipeline' 0 '' gdal raster pipeline -q read --oo LEVEL=L1C \
    --oo INPUT_BANDS=1,2,3 "$view" ! write piped.tif
for file in whole piped; do gdal_translate -q -of ENVI $file.tif $file.bin; done
true_that 'the pipeline has the same pixels' cmp whole.bin piped.bin

# ---- stopping ----

if ! python3 -c 'from osgeo import gdal; gdal.Run' 2>/dev/null; then
    skip 'stopping by the progress function' 'no Python bindings of GDAL >= 3.11'
else
    cat >stop.py <<'END'
import os
from osgeo import gdal
gdal.UseExceptions()
asked = []
def stop(fraction, message, data):
    asked.append(fraction)
    return 0
try:
    gdal.Run("s2clr", "predict", input=["B04.tif", "B03.tif", "B02.tif"], level="L1C",
             output="stopped.tif", stride=4, device="portable", progress=stop)
    print("went on")
except RuntimeError as error:
    print("stopped:", error)
assert asked
assert not [name for name in os.listdir(".") if "stopped" in name], os.listdir(".")
END
    expect 'stopping by the progress function' 0 'stopped: s2clr predict: interrupted' python3 stop.py
fi

finish
