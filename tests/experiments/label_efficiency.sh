#!/bin/sh
# How few labels are enough: label_efficiency.sh S2CLR EUROSAT_RGB.zip WORK
#
# The published study's question on real patches: a network from scratch, an encoder pretrained
# without labels and fine-tuned, and students distilled from that, each at several shares of the
# labels and for several seeds (which also choose the labels). Two tasks:
#   crop  PermanentCrop against an equal number of others, as the study balanced its sets
#   ten   all ten classes
# Test: a fifth of all patches by a hash of their names, which neither pretraining nor distillation
# sees. Validation: another tenth, the same for every run; it chooses epoch and threshold.
#
# Every run is a folder of WORK with its model; one that is there is skipped, one that was
# interrupted resumes, so the script may be stopped and started at any time. About 12 hours on two
# cores. Larger: ARCH=resnet50 WIDTH=64 PRETRAIN=200 DEVICE=cuda, and whatever else stands below.
# Result: WORK/*.json of every model, WORK/results.csv and a table by label_efficiency.py.
set -eu
s2clr=$1 data=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
: "${ARCH:=resnet18}" "${WIDTH:=32}" "${DEVICE:=auto}" "${SEEDS:=1 2 3}"
: "${PRETRAIN:=40}" "${DISTIL:=8}"
: "${CROP_SHARES:=0.01 0.03 0.1 0.25 0.5 1}" "${TEN_SHARES:=0.01 0.1 1}"
# name:architecture:width
: "${STUDENTS:=resnet18:resnet18:32 resnet50:resnet50:16 dense:dense:48 pixel:pixel:32}"
card=$here/../../models/zoo/dense-eurosat-permanentcrop.json
mkdir -p "$work"

run() { # run NAME COMMAND OPTIONS...: one training, unless it is done
    name=$1 command=$2
    shift 2
    [ -f "$work/$name/model.safetensors" ] ||
        "$s2clr" "$command" -o "$work/$name" --resume --device "$DEVICE" --quiet "$@"
}

measure() { # measure NAME DATASET OPTIONS...: on the held-out fifth, with all shares of positives
    name=$1
    shift
    [ -f "$work/$name.json" ] || {
        "$s2clr" evaluate -m "$work/$name/model.safetensors" "$@" --device "$DEVICE" --json \
            >"$work/$name.json.part"
        mv "$work/$name.json.part" "$work/$name.json"
    }
}

# Few labels need more rounds for the same number of steps.
rounds() { # rounds TASK SHARE
    case $1:$2 in
    crop:0.01) echo 60 ;;
    crop:0.03) echo 50 ;;
    crop:0.1 | ten:0.01) echo 40 ;;
    crop:0.25) echo 30 ;;
    crop:0.5 | ten:0.1) echo 25 ;;
    *) echo 15 ;;
    esac
}

labelled() { # labelled TASK: the data set and options of runs with labels
    case $1 in
    crop) echo "$work/crop.store" ;;
    ten) echo "$data" ;;
    esac
}

unlabelled() { # unlabelled TASK: what students and tests see
    case $1 in
    crop) echo "$data --positive PermanentCrop" ;;
    ten) echo "$data" ;;
    esac
}

compare() { # compare TASK SHARE SEED
    task=$1 share=$2 seed=$3
    key=$task-$share-$seed
    some="--labels-fraction $share --labels-choice $seed --seed $seed --batch 32 --patience 0"
    some="$some --epochs $(rounds "$task" "$share") --augment flip,rot90,shift"
    # shellcheck disable=SC2046,SC2086 # lists of words
    {
        run "scratch-$key" supervised $(labelled "$task") $some --arch "$ARCH" --width "$WIDTH" \
            --card "$card" --level EUROSAT8 --rate 0.001
        measure "scratch-$key" $(unlabelled "$task") --filters 0
        run "tuned-$key" finetune $(labelled "$task") $some -m "$work/encoder/model.safetensors" \
            --rate 0.001 --group-decay 0.7
        measure "tuned-$key" $(unlabelled "$task") --filters 0
        for student in $STUDENTS; do
            pupil=${student%%:*}-$key shape=${student#*:}
            run "$pupil" distill $(unlabelled "$task") -m "$work/tuned-$key/model.safetensors" \
                --arch "${shape%:*}" --width "${shape#*:}" --seed "$seed" --epochs "$DISTIL" \
                --balance 0 --patience 0 --augment flip,rot90
            measure "$pupil" $(unlabelled "$task") --filters 0
        done
    }
}

[ -d "$work/crop.store" ] || {
    rm -rf "$work/crop.part"
    "$s2clr" dataset import "$data" "$work/crop.part" --positive PermanentCrop --quiet
    "$s2clr" dataset split "$work/crop.part" --method random --balance --quiet
    mv "$work/crop.part" "$work/crop.store"
}
run encoder pretrain "$data" --arch "$ARCH" --width "$WIDTH" --epochs "$PRETRAIN" --batch 256 \
    --chunk 256 --seed 1 --probe PermanentCrop --card "$card" --level EUROSAT8
# What its frozen features are worth to one linear layer, beside those of random weights (whose
# batch norm has seen the patches: training at rate 0). The baselines stand in every JSON.
run random pretrain "$data" --arch "$ARCH" --width "$WIDTH" --epochs 1 --batch 256 --chunk 256 \
    --seed 1 --rate 0 --probe PermanentCrop --card "$card" --level EUROSAT8
for features in encoder random; do
    for task in crop ten; do
        # shellcheck disable=SC2046 # lists of words
        {
            run "$features-linear-$task" finetune $(labelled $task) --last 0 --epochs 10 \
                -m "$work/$features/model.safetensors" --rate 0.01 --augment flip,rot90 --seed 1
            measure "$features-linear-$task" $(unlabelled $task) \
                $([ $features = encoder ] || echo --filters 0)
        }
    done
done
for seed in $SEEDS; do
    for share in $CROP_SHARES; do compare crop "$share" "$seed"; done
    for share in $TEN_SHARES; do compare ten "$share" "$seed"; done
done
python3 "$here/label_efficiency.py" "$work" runs >"$work/results.csv"
python3 "$here/label_efficiency.py" "$work" table
