#!/bin/sh
# Prediction on a device that cuts its patches itself, on a pretended CUDA (tests/cuda_fake.h): the
# same bytes whatever threads, memory, sessions and parts; what fails leaves one line and no file.
rig=predict_device_command
. "${srcdir:-.}/tests/rig.sh"
wants gdal_translate gdalbuildvrt awk
in_work_folder
srcdir=$top
export srcdir

pretend_cuda

# ---- the programs, with the device among what they loop over ----

for program in test_backend_cut test_predict_device; do
    rm -f log
    true_that "$program" env FAKE_CUDA="log=$work/log" "$tools/$program"
    true_that "$program cuts on the device" grep -q '^s2clr_cuda_launch_cut ' log
done

# ---- the command ----

# Three bands of 560 x 16 pixels without any pattern: with a stride of 4, 140 patches in a row.
for band in 2 3 4; do
    awk -v seed=$band 'BEGIN {
        srand(seed)
        print "ncols 560\nnrows 16\nxllcorner 500000\nyllcorner 4600000\ncellsize 10"
        for (i = 0; i < 16; i++) {
            line = ""
            for (j = 0; j < 560; j++) line = line " " int(400 + 1200 * rand())
            print line
        }
    }' >B0$band.asc
    gdal_translate -q -ot UInt16 -a_srs EPSG:32629 B0$band.asc B0$band.tif
done
true_that 'a patch model' "$tools/make_model" patch.safetensors resnet18
true_that 'a dense model' "$tools/make_model" dense.safetensors

# on WORDS COMMAND MODEL OUTPUT OPTIONS...: what the command leaves at its end is no fault
on() {
    words=$1 command=$2 model=$3 output=$4
    shift 4
    rm -f log
    FAKE_CUDA=keeps,log=$work/log${words:+,$words} "$S2CLR" "$command" -q -m "$model.safetensors" \
        --level L2A B02.tif B03.tif B04.tif "$output" --stride 4 --overwrite "$@"
}

calls() { # calls ENTRYPOINT: how often the last command called it
    awk -v name="$1" '$1 == name { print $2 }' log
}

values() { # values MAP FILE: nothing but its values
    gdal_translate -q -of ENVI "$1" "$2"
}

# same WHAT MAP FILE: the values of the map are those in the file
same() {
    values "$2" values
    true_that "$1" cmp values "$3"
}

pixels() { # pixels MAP: column, row and value of each
    gdal_translate -q -of XYZ "$1" /vsistdout/
}

# apart A B MOST: maps of one band, without values in the same places, that differ by no more
apart() {
    pixels "$1" >one.txt
    pixels "$2" >two.txt
    paste -d ' ' one.txt two.txt | awk -v most="$3" '
        ($3 "") == ($6 "") { found += $3 != "nan"; next }
        { found++ }
        !(($3 " " $6) ~ /^[-0-9.e+]+ [-0-9.e+]+$/ && $3 - $6 <= most && $6 - $3 <= most) { bad = 1 }
        END { exit found < 500 || bad }'
}

for model in patch dense; do
    true_that "$model by the CPU" on '' predict $model cpu-$model.tif --device cpu
    true_that "$model" on '' predict $model $model.tif --device cuda --threads 1
    true_that "$model: as the CPU's" apart cpu-$model.tif $model.tif 0.00001
    true_that "$model: two sessions" [ "$(calls cudaStreamDestroy)" -eq 1 ]
    values $model.tif $model.bin
    true_that "$model, 5 threads" on '' predict $model other.tif --device cuda --threads 5
    same "$model, 5 threads: the same" other.tif $model.bin
    # The second session finds no room for its layers, or leaves none for pixels.
    true_that "$model, little memory" on memory=6 predict $model other.tif --device cuda
    true_that "$model, little memory: one session" [ "$(calls cudaStreamDestroy)" -eq 2 ]
    same "$model, little memory: the same" other.tif $model.bin
    true_that "$model, embedding" on '' embed $model embedding.tif --device cuda --threads 1
    values embedding.tif embedding.bin
    true_that "$model, embedding, 3 threads" on '' embed $model embedding.tif --device cuda \
        --threads 3
    same "$model, embedding: the same" embedding.tif embedding.bin
    rm -f other.* embedding.*
done
parts=
for part in 1 2 3; do
    true_that "part $part" on '' predict patch part.tif --device cuda --shard $part/3
    parts="$parts part.shard-$part-of-3.tif"
done
true_that 'the parts merged' "$S2CLR" merge -q $parts merged.tif
same 'the parts: the same' merged.tif patch.bin

# ---- the driver: blocks of its own ----

if [ -d "$plugins" ]; then
    gdalbuildvrt -q -separate stack.vrt B02.tif B03.tif B04.tif
    driver() { # driver WORDS OPTIONS...: gdal_translate with the plug-in
        words=$1
        shift
        env FAKE_CUDA="keeps$words" GDAL_DRIVER_PATH="$plugins" LD_PRELOAD="$(sanitizers)" \
            ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" \
            gdal_translate -oo LEVEL=L2A -oo STRIDE=4 -oo INPUT_BANDS=1,2,3 "$@"
    }
    for model in patch dense; do
        true_that "$model by the driver" driver '' -q -oo DEVICE=cuda \
            "S2CLR:$model.safetensors:stack.vrt" view.tif
        same "$model by the driver: the same" view.tif $model.bin
    done
    expect 'the driver warns where the CPU computes, also for several bands' 0 \
        'Warning 1: computing on the CPU (' driver ,wrong -oo DEVICE=auto \
        -oo BANDS=probability,entropy -srcwin 9 0 1 1 "S2CLR:patch.safetensors:stack.vrt" view.tif
else
    skip 'the driver' 'the plug-in was not built'
fi

# ---- memory ----

expect 'the dry run tells of the device' 0 'on the device ' on memory=64 predict patch none.tif \
    --device cuda --dry-run
expect 'in JSON too' 0 '"device_memory": {' on memory=64 predict patch none.tif \
    --device cuda --dry-run --json
expect 'the CPU has no such line' 0 '"device_memory": null' on '' predict patch none.tif \
    --device cpu --dry-run --json
refused() { # refused NAME TEXT WORDS OPTIONS...
    what=$1 text=$2 words=$3
    shift 3
    expect "$what" 1 "$text" on "$words" predict patch none.tif "$@"
    true_that "$what: one line" [ "$(wc -l <err)" -eq 1 ]
    true_that "$what: no file" [ -z "$(ls | grep '^none')" ]
}
refused 'no room for the layers' 'no room for' memory=3 --device cuda
refused 'no room for pixels' "cuda: 0 MB of the device's memory are left for pixels" '' --device cuda --memory 5

# ---- whatever fails ----

# once NAME: one line and no file, or the same map
once() {
    on "fail=$1" predict $model none.tif --device cuda 2>err >out
    got=$?
    if [ $got -eq 0 ]; then
        values none.tif values && cmp -s values $model.bin && ! [ -s err ]
    else
        [ $got -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && [ -z "$(ls | grep '^none')" ]
    fi
}
try() { # try ENTRYPOINT NUMBER: of the call that fails
    run=$((run + 1))
    once "$1:$2" || fail "$model: $1 fails at call $2: exit code $got"
    rm -f none.*
}
for model in patch dense; do
    on '' predict $model none.tif --device cuda
    rm -f none.*
    sort log >log-$model
done
# Everything that the patch model calls, which is what records; of the dense one the rest.
true_that 'what was recorded is replayed' grep -q '^cudaGraphLaunch ' log-patch
for model in patch dense; do
    [ $model = patch ] && cp log-patch entries || join -v 1 log-dense log-patch >entries
    while read -r entry count; do
        try "$entry" 1
        case $entry in
        cudaMalloc | cudaMemcpyAsync | cudnnBackendExecute | s2clr_cuda_launch_cut | \
            cudaEventSynchronize | cudaGraphLaunch)
            try "$entry" "$count"
            ;;
        esac
    done <entries
done

finish
