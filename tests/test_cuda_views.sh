#!/bin/sh
# Training by the command on a pretended CUDA (tests/cuda_fake.h) whose device makes the views: the
# same model and log as with those of the host, whatever the number of threads that read patches.
rig=cuda_views
. "${srcdir:-.}/tests/rig.sh"
wants gdal_create
in_work_folder

pretend_cuda

patches_of Crop 24
patches_of Other 24
common='--width 4 --batch 12 --epochs 1 --validation-share 0.25 --test-share 0 --device cuda:0'
train="$S2CLR supervised data --arch resnet18 --micro 4 --augment multispectral $common"
pretrain="$S2CLR pretrain data --projection 16,8 --chunk 6 --micro 2 --neighbours 3
    --augment simclr-s2 $common"

# learn WORDS OUT COMMAND...: by a device of that kind; the calls go to OUT.calls
learn() {
    words=$1 to=$2
    shift 2
    rm -rf "$to"
    FAKE_CUDA=keeps,log=$work/$to.calls,$words "$@" -o "$to" -q >out 2>err
}
on_device() { grep -q '^s2clr_cuda_launch_view_step ' "$1.calls"; }
# What a log says of learning, without its times.
log_of() { sed 's/"views_per_second": *[0-9.e+-]*//; s/"seconds": *[0-9.e+-]*//' "$1/log.jsonl"; }
# The checkpoint has the weights as well, and does not say when it was made.
same() {
    true_that "$1: weights" cmp "$2/checkpoint.safetensors" "$3/checkpoint.safetensors"
    log_of "$2" >one.log
    log_of "$3" >other.log
    true_that "$1: logs" cmp one.log other.log
}

for recipe in train pretrain; do
    eval "command=\$$recipe"
    true_that "$recipe" learn '' $recipe $command
    true_that "$recipe: views of the device" on_device $recipe
    true_that "$recipe: five" learn '' $recipe-5 $command --threads 5
    same "$recipe, threads" $recipe-5 $recipe
    # The first piece of memory that a run can do without is one for views; most come before it.
    pieces=$(sed -n 's/^cudaMalloc //p' $recipe.calls)
    piece=$((pieces * 3 / 4))
    until learn "fail=cudaMalloc:$piece" $recipe-host $command; do
        piece=$((piece + 1))
        [ $piece -le "$pieces" ] || break
    done
    run=$((run + 1))
    ! on_device $recipe-host || fail "$recipe: no piece of memory was for views alone"
    same "$recipe, views of the host" $recipe-host $recipe
done

finish
