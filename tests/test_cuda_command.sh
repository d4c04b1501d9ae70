#!/bin/sh
# The command with the CUDA module on a pretended CUDA (tests/cuda_fake.h): what info tells, what
# --device and --precision refuse, and a map that is the CPU's.
rig=cuda_command
. "${srcdir:-.}/tests/rig.sh"
wants gdal_translate gdalinfo awk
in_work_folder

mkdir empty
pretend_cuda
S2CLR_ZOO=$top/models/zoo
export S2CLR_ZOO

# ---- what there is ----

expect 'info lists every device' 0 'cuda:1     CUDA ' pretend devices=2 "$S2CLR" info
mv out told
true_that 'the first device is described' grep -q '^backends *cuda:0 .*cuDNN.*cuBLASLt' told
true_that 'which is the default' grep -q '^backends *cuda:0 .*(default)$' told
true_that 'that is all' [ "$(grep -c 'cuda:' told)" -eq 2 ]
expect 'info as JSON' 0 '"name": "cuda:1"' pretend devices=2 "$S2CLR" info --json
expect 'without a driver info says so' 0 'cuda       not usable: no NVIDIA driver' pretend driver=0 \
    "$S2CLR" info
mv out told
true_that 'and the CPU is the default' grep -q 'portable .*(default)$' told
expect 'without a device as well' 0 'not usable: the NVIDIA driver shows no GPU' pretend devices=0 \
    "$S2CLR" info
expect 'an old device' 0 'compute capability 5.2' pretend sm=52 "$S2CLR" info
expect 'the module is absent' 0 's2clr_cuda.so was not found in' \
    env S2CLR_BACKEND_PATH="$work/empty" "$S2CLR" info

# ---- a map ----

# Three bands of 66 x 64 pixels of which the model is not sure: probabilities up to 0.18.
for band in 2 3 4; do
    {
        printf '%s\n' 'ncols 66' 'nrows 64' 'xllcorner 500000' 'yllcorner 4600000' 'cellsize 10'
        awk -v seed=$band 'BEGIN {
            srand(seed)
            for (i = 0; i < 64; i++) {
                line = ""
                for (j = 0; j < 66; j++)
                    line = line " " int(70 + 10 * seed + 20 * sin(i / 9 + seed) * sin(j / 7) + \
                                        15 * rand())
                print line
            }
        }'
    } >B0$band.asc
    gdal_translate -q -ot Byte -a_srs EPSG:32629 B0$band.asc B0$band.tif
done
predict="$S2CLR predict -m dense-eurosat-permanentcrop --level EUROSAT8 -q"
bands='B04.tif B03.tif B02.tif'

# apart A B MOST: maps whose pixels differ by no more than MOST, and not in what has a value
apart() {
    cat >apart.vrt <<END
<VRTDataset rasterXSize="$columns" rasterYSize="$rows"><VRTRasterBand dataType="Float32" band="1"
 subClass="VRTDerivedRasterBand"><PixelFunctionType>diff</PixelFunctionType>
<SimpleSource><SourceFilename relativeToVRT="1">$1</SourceFilename></SimpleSource>
<SimpleSource><SourceFilename relativeToVRT="1">$2</SourceFilename></SimpleSource>
</VRTRasterBand></VRTDataset>
END
    gdalinfo -mm apart.vrt | awk -v most="$3" -F '[=,]' '
        /Computed Min/ { found = 1; bad = $2 < -most || $3 > most || $2 != $2 + 0 }
        END { exit !found || bad }'
}

expect 'a map by the CPU' 0 '' $predict $bands cpu.tif --device cpu
set -- $(gdalinfo cpu.tif | sed -n 's/^Size is \([0-9]*\), \([0-9]*\)$/\1 \2/p')
columns=$1 rows=$2
expect 'a map by the second device' 0 '' pretend devices=2 $predict $bands f32.tif --device cuda:1
true_that 'which is the same' apart cpu.tif f32.tif 0.00001
expect 'in bf16' 0 '' pretend '' $predict $bands bf16.tif --device cuda,fast --precision bf16
true_that 'which is near' apart cpu.tif bf16.tif 0.02
expect 'in fp16' 0 '' pretend '' $predict $bands fp16.tif --device cuda --precision fp16
true_that 'which is nearer' apart cpu.tif fp16.tif 0.004

# ---- what auto takes ----

plain="$S2CLR predict -m dense-eurosat-permanentcrop --level EUROSAT8 --progress none"

# maps NAME WORDS OPTIONS...: to NAME.tif; what is said on stderr is kept, but for the absence of
# oneDNN, and what was called
maps() {
    map=$1 words=log=$work/calls,$2
    shift 2
    rm -f calls
    expect "$map: a map" 0 '' pretend "$words" $plain $bands "$map.tif" "$@"
    grep -v 'ten times slower' err >said
}
quiet() { true_that "$map: without a word" test ! -s said; }
warned() { # one line, with TEXT somewhere
    true_that "$map: one line" [ "$(wc -l <said)" -eq 1 ]
    true_that "$map: that warns" grep "warning: computing on the CPU (.*$1" said
}
same() { true_that "$map: the same as $1" apart "$1.tif" "$map.tif" 0; }

maps plain-cpu '' --device cpu
maps auto ''
quiet
true_that 'the device convolved' grep '^cudnnBackendExecute ' calls
maps named '' --device cuda
same auto
maps wrong wrong
warned 'conv op, .* is off by .* are allowed'
same plain-cpu
maps wrong-bf16 wrong --precision bf16
warned 'bf16 computes wrongly'
maps seen wrong --device cuda
quiet
! apart plain-cpu.tif seen.tif 0.001 || fail 'who names it gets its answers'
maps driverless driver=0
warned 'no NVIDIA driver'
same plain-cpu
mv fake/libcuda.so.1 fake/none
maps alone ''
quiet
same plain-cpu
true_that 'nothing was loaded' test ! -e calls
mv fake/none fake/libcuda.so.1
expect 'info says what is wrong' 0 ' computes wrongly: conv op' pretend wrong "$S2CLR" info
mv out told
true_that 'of the device' grep '^backends *cuda:0 *not usable: ' told
true_that 'the default is another' sh -c 'grep "(default)$" told | grep -v cuda'

# ---- how it is queued ----

bench="$S2CLR bench infer --arch resnet18 --width 4 --size 32 --channels 3 --batch 2 --windows 3
    --seconds 0.01 --threads 1 --device cuda"
expect 'bench says that ops are recorded' 0 'ops recorded' pretend '' $bench
expect 'or why they are not' 0 'ops call by call: cuda:0: beginning to record failed' \
    pretend fail=cudaStreamBeginCapture $bench

# ---- what is refused ----

refused() { # refused NAME CODE TEXT WORDS OPTIONS...: one line, and no map
    what=$1 code=$2 text=$3 words=$4
    shift 4
    expect "$what" "$code" "$text" pretend "$words" $predict $bands none.tif "$@"
    true_that "$what: one line" [ "$(wc -l <err)" -eq 1 ]
    true_that "$what: no map" test ! -e none.tif
}
refused 'no driver' 1 'no NVIDIA driver' driver=0 --device cuda
refused 'no such device' 2 'there is no device cuda:2: this machine has 2' devices=2 --device cuda:2
refused 'no such word' 2 "no device 'cuda:0,quick'" '' --device cuda:0,quick
refused 'bf16 on an old device' 1 'bf16 needs 8.0' sm=75 --device cuda --precision bf16
refused 'tf32 on the CPU' 1 '--device cuda' '' --device cpu --precision tf32
refused 'no room' 1 'are free' memory=1 --device cuda

finish
