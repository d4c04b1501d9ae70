#!/bin/sh
# Training by the command on several devices of a pretended CUDA (tests/cuda_fake.h): what --device
# takes, a run that is killed and comes out the same, calls that fail, and memory that is short.
rig=cuda_together
. "${srcdir:-.}/tests/rig.sh"
wants gdal_create
in_work_folder

pretend_cuda

patches_of Crop 24
patches_of Other 24
parts='--validation-share 0.25 --test-share 0 --augment jitter'
wide="$S2CLR supervised data --arch resnet18 --batch 12 --micro 4 $parts"
train="$wide --width 4"
pretrain="$S2CLR pretrain data --width 4 --projection 16,8 --batch 12 --chunk 6 --micro 2
    --neighbours 3 $parts"

# ---- each recipe ----

two='--device cuda:0+1' three='--device cuda:all'
expect 'train' 0 '' pretend devices=2 $train -o train --epochs 2 $two
true_that 'the plan says how many' grep -q '^device *2 devices: CUDA' train/run.txt
true_that 'so does the run' grep -q '"devices":2\|\\"devices\\":2' train/checkpoint.safetensors
expect 'pretrain, by three' 0 '' pretend devices=3 $pretrain -o encoder --epochs 2 $three
true_that 'all three' grep -q '^device *3 devices: CUDA' encoder/run.txt
expect 'finetune' 0 '' pretend devices=2 "$S2CLR" finetune -m encoder/model.safetensors data \
    -o tuned --epochs 1 --batch 12 --micro 4 $parts $two
expect 'distill' 0 '' pretend devices=2 "$S2CLR" distill -m train/model.safetensors data \
    -o student --arch resnet18 --width 4 --epochs 1 --batch 12 --micro 4 $parts $two
expect 'fast' 0 '' pretend devices=2 $train -o quick --epochs 1 --device cuda:1+0,fast
expect 'all of one' 0 '' pretend devices=1 $train -o one --epochs 1 $three
true_that 'which is no group' grep -q '^device *CUDA' one/run.txt
expect 'a dry run' 0 'on each' pretend devices=2 $train -o none --dry-run $two
expect 'as JSON' 0 '"device_memory_bytes": ' pretend devices=2 $pretrain -o none --dry-run \
    --json $two
run=$((run + 1))
grep -q '"device_memory_bytes": [1-9]' out || fail 'which is a number'

# ---- killed, and gone on with ----

expect 'a whole run' 0 '' pretend devices=2 $pretrain -o whole --epochs 4 $two
killed=0
for epoch in 1 2; do
    (FAKE_CUDA=devices=2 exec $pretrain -o killed --epochs 4 --resume $two) >out 2>err &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        [ -e killed/log.jsonl ] && [ "$(wc -l <killed/log.jsonl)" -ge $epoch ] && break
        sleep 0.02
    done
    kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
done
true_that 'it could be killed' test $killed -ge 1
expect 'resume' 0 '' pretend devices=2 $pretrain -o killed --epochs 4 --resume $two
true_that 'the same weights' cmp whole/checkpoint.safetensors killed/checkpoint.safetensors
expect 'another number of devices is another run' 1 'devices' pretend devices=2 $pretrain \
    -o killed --epochs 4 --resume --device cuda:0

# ---- what fails ----

refused() { # refused NAME CODE TEXT WORDS COMMAND...: one line, and no model
    what=$1 code=$2 text=$3 words=$4
    shift 4
    rm -rf none
    expect "$what" "$code" "$text" pretend "$words" "$@" -o none
    true_that "$what: one line" [ "$(grep -c . err)" -eq 1 ]
    true_that "$what: no model" test ! -e none/model.safetensors
}
for entry in ncclGetUniqueId:1 ncclCommInitRankConfig:2 ncclAllReduce:1 ncclAllReduce:4 \
    ncclBroadcast:3 ncclCommGetAsyncError:9 cudaMemcpyAsync:20 s2clr_cuda_launch_update:3 \
    cudnnBackendExecute:40 cudaMalloc:30; do
    refused "$entry fails" 1 'cuda' "devices=2,fail=$entry" $train --epochs 2 -q $two
    true_that "$entry fails: the cause is told" sh -c '! grep "another device of the group" err'
done
refused 'no such device' 2 'there is no device cuda:2: this machine has 2' devices=2 $train -q \
    --device cuda:0+2
refused 'one twice' 2 'each once' devices=2 $train -q --device cuda:0+0
refused 'uneven' 2 'must be a multiple of 5' devices=5 $train -q $three
refused 'the CPU is one' 2 'has no device' '' $train -q --device portable:0+1
refused 'no memory' 1 'GB are free: no smaller --batch would fit either' devices=2,memory=1 \
    $wide -q --width 16 $two
expect 'little memory' 0 'warning: the device has no room for the weights' pretend memory=6 $wide \
    -o slow --epochs 1 --width 12 --device cuda
true_that 'that is said once' [ "$(grep -c warning err)" -eq 1 ]
expect 'a dry run says it too' 0 'mind        the device has no room for the weights' pretend memory=6 \
    $wide -o none --dry-run --width 12 --device cuda
expect 'one of all cannot be used' 1 'name the others, as in cuda:0+2' pretend \
    devices=3,fail=cudaGetDeviceProperties:2 $train -o none -q $three
expect 'prediction takes one' 2 'names several devices, on which only supervised' pretend \
    devices=2 "$S2CLR" evaluate -m train/model.safetensors data $two

finish
