#!/bin/sh
# The command with the CUDA module on a pretended CUDA (tests/cuda_fake.h): what info tells, what
# --device and --precision refuse, and a map that is the CPU's.
rig=cuda_command
. "${srcdir:-.}/tests/rig.sh"
module=$tools/fake_cuda/.libs/s2clr_cuda.so
[ -f "$module" ] || skip_all "configure found no headers of CUDA, cuDNN and cuBLASLt"
wants gdal_translate gdalinfo awk
in_work_folder

mkdir fake empty
ln -s "$module" fake/s2clr_cuda.so
ln -s s2clr_cuda.so fake/libcuda.so.1
LD_LIBRARY_PATH=$work/fake${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
S2CLR_BACKEND_PATH=$work/fake
S2CLR_ZOO=$top/models/zoo
export S2CLR_BACKEND_PATH LD_LIBRARY_PATH S2CLR_ZOO

# The command frees nothing while its process ends.
pretend() { # pretend WORDS COMMAND...
    words=$1
    shift
    FAKE_CUDA=keeps,$words "$@"
}

# ---- what there is ----

expect 'info lists every device' 0 'cuda:1     CUDA ' pretend devices=2 "$S2CLR" info
mv out told
true_that 'the first device is described' grep -q '^backends *cuda:0 .*cuDNN.*cuBLASLt' told
true_that 'the default is the CPU' sh -c '! grep "cuda.*(default)" told'
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

# Three bands of 66 x 64 pixels without any pattern.
for band in 2 3 4; do
    {
        printf '%s\n' 'ncols 66' 'nrows 64' 'xllcorner 500000' 'yllcorner 4600000' 'cellsize 10'
        awk -v seed=$band 'BEGIN {
            srand(seed)
            for (i = 0; i < 64; i++) {
                line = ""
                for (j = 0; j < 66; j++) line = line " " int(40 + 120 * rand())
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
expect 'auto takes the CPU' 0 '' pretend '' $predict $bands auto.tif
true_that 'which gives the same' apart cpu.tif auto.tif 0

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
