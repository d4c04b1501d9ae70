#!/bin/sh
# Models of ten bands from real patches without labels: l2a_models.sh S2CLR DATA WORK
#
# DATA has l2a_patches_10m.tif and l2a_patches_20m.tif (3,136 L2A patches of 64 pixels as mosaics
# whose neighbours have nothing to do with each other) and eurosat_rgb.zip (labels, three bands).
#   resnet18-l2a-encoder      SimCLR on the ten bands, ResNet-18 of half the width
#   teacher                   an encoder of EuroSAT's three bands (label_efficiency.sh makes it in
#                             WORK/encoder), fine-tuned on all of its labels with random gain, so
#                             that it survives other light
#   dense-, pixel-l2a-...     ten bands, distilled from the teacher on the L2A patches: what they
#                             know of permanent crops is what the teacher makes of three bands
# A tenth of the patches (JUDGED) chooses the epoch and tells how well a student agrees with its teacher, a
# fifth is not touched. Nothing of this has a label in ten bands, so that no skill is claimed. About
# an hour and a half on two quiet cores; steps that are done are skipped, trainings resume.
# Result: WORK/zoo/*.safetensors, weights as bf16.
set -eu
s2clr=$1 data=$2 work=$3
here=$(dirname "$0")
levels=$here/../../models/zoo/l2a.json
: "${DEVICE:=auto}" "${PRETRAIN:=100}" "${BATCH:=256}" "${TEACH:=12}" "${DISTIL:=60}" "${JUDGED:=0.1}"
bands=B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12
mkdir -p "$work/cards" "$work/zoo"

run() { # run NAME COMMAND OPTIONS...
    name=$1 command=$2
    shift 2
    [ -f "$work/$name/model.safetensors" ] ||
        "$s2clr" "$command" -o "$work/$name" --resume --device "$DEVICE" --quiet "$@"
}

card() { # card MODEL: its partial card
    python3 "$here/l2a_cards.py" "$levels" "$1" >"$work/cards/$1.json"
    printf '%s\n' "$work/cards/$1.json"
}

ship() { # ship MODEL: its weights as bf16, with the texts and numbers that are known by now
    "$s2clr" model export "$work/$1/model.safetensors" --overwrite --quiet -o "$work/weights.part"
    python3 "$here/l2a_cards.py" "$levels" "$1" "$work" >"$work/cards/shipped-$1.json"
    "$s2clr" model import "$work/weights.part" --card "$work/cards/shipped-$1.json" \
        --weights bf16 --overwrite --quiet -o "$work/zoo/$1.safetensors"
    rm "$work/weights.part"
}

separate() { # separate MOSAIC BAND...: each band as a file named after it, for their own pixel sizes
    mosaic=$1 i=1
    shift
    for band in "$@"; do
        gdal_translate -q -of VRT -b $i "$data/$mosaic" "$work/bands/$band.vrt"
        i=$((i + 1))
    done
}

[ -d "$work/l2a.store" ] || {
    mkdir -p "$work/bands"
    separate l2a_patches_10m.tif B02 B03 B04 B08
    separate l2a_patches_20m.tif B05 B06 B07 B8A B11 B12
    rm -rf "$work/l2a.part"
    "$s2clr" dataset import --from raster --patch 64 --stride 64 "$work/bands" "$work/l2a.part" --quiet
    mv "$work/l2a.part" "$work/l2a.store"
}
encoder=resnet18-l2a-encoder
run $encoder pretrain "$work/l2a.store" --arch resnet18 --width 32 --projection 512,128 \
    --validation-share 0 --epochs "$PRETRAIN" --batch "$BATCH" --chunk "$BATCH" --seed 1 \
    --augment flip,rot90,crop,jitter \
    --card "$(card $encoder)"
ship $encoder
run teacher finetune "$data/eurosat_rgb.zip" -m "$work/encoder/model.safetensors" \
    --positive PermanentCrop --augment flip,rot90,gain --epochs "$TEACH" --rate 0.001 --patience 0 \
    --seed 1
[ -f "$work/teacher.json" ] || {
    "$s2clr" evaluate -m "$work/teacher/model.safetensors" "$data/eurosat_rgb.zip" --filters 0 \
        --device "$DEVICE" --json >"$work/teacher.json.part"
    mv "$work/teacher.json.part" "$work/teacher.json"
}
for student in dense:48 pixel:32; do
    name=${student%:*}-l2a-permanentcrop
    run "$name" distill "$work/l2a.store" -m "$work/teacher/model.safetensors" \
        --arch "${student%:*}" --width "${student#*:}" --image-bands $bands --card "$(card "$name")" \
        --validation-share "$JUDGED" --epochs "$DISTIL" --balance 0 --patience 0 \
        --augment flip,rot90 --seed 1
    ship "$name"
done
