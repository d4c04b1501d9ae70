#!/bin/sh
# What contrastive pretraining is worth on real patches: pretrain_real.sh S2CLR DATA WORK
#
# DATA has eurosat_rgb.zip (21,600 EuroSAT RGB patches) and l2a_patches_10m.tif (3,136 patches of 64
# pixels, four L2A bands, as a mosaic). Two encoders, ResNet-18 of half the width: one of the L2A
# patches, whose monitors are looked at, and one of EuroSAT, whose frozen features a single linear
# layer tells PermanentCrop from, beside the same layer on random features (pretraining at rate 0,
# which only measures batch norm's statistics) and band statistics. The held-out fifth is seen by
# none of them. Each step is skipped when its result is there, trainings resume.
# About an hour on two quiet cores. Result: WORK/*.json and WORK/*/log.jsonl.
set -eu
s2clr=$1 data=$2 work=$3
mkdir -p "$work"

done_already() {
    [ -f "$work/$1/model.safetensors" ]
}

pretrain() { # pretrain NAME DATASET OPTIONS...
    name=$1 dataset=$2
    shift 2
    done_already "$name" || "$s2clr" pretrain "$dataset" -o "$work/$name" --resume \
        --arch resnet18 --width 32 --batch 256 --seed 1 "$@"
}

probe() { # probe ENCODER: a linear layer on its frozen features
    done_already "$1-linear" || "$s2clr" finetune -m "$work/$1/model.safetensors" \
        "$data/eurosat_rgb.zip" -o "$work/$1-linear" --resume --positive PermanentCrop \
        --tap 0 --last 0 --epochs 10 --rate 0.01 --augment flip,rot90 --seed 1
    [ -f "$work/$1.json" ] || {
        "$s2clr" evaluate -m "$work/$1-linear/model.safetensors" "$data/eurosat_rgb.zip" \
            --positive PermanentCrop --json >"$work/$1.json.part"
        mv "$work/$1.json.part" "$work/$1.json"
    }
}

[ -d "$work/l2a.store" ] || "$s2clr" dataset import --from raster --patch 64 --stride 64 \
    "$data/l2a_patches_10m.tif" "$work/l2a.store"
pretrain l2a "$work/l2a.store" --epochs 20
pretrain random "$data/eurosat_rgb.zip" --epochs 1 --rate 0 --probe PermanentCrop
pretrain eurosat "$data/eurosat_rgb.zip" --epochs 12 --probe PermanentCrop
for encoder in random eurosat; do
    probe $encoder
done
