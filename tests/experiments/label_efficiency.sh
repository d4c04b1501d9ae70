#!/bin/sh
# How few labels are enough: label_efficiency.sh S2CLR EUROSAT_RGB.zip WORK
#
# The published study's question on real patches: a network from scratch, an encoder pretrained
# without labels and fine-tuned, and students distilled from that, each at several shares of the
# labels and for several seeds (which also choose the labels). Two tasks:
#   crop  PermanentCrop against an equal number of others, as the study balanced its sets
#   ten   all ten classes
# Test: a fifth of all patches by a hash of their names, which no training sees. A share of the labels
# is all that a run knows: nothing is validated, the last epoch counts and the threshold is 1/2. From
# scratch and from the encoder take the same steps, with few labels as many as with many.
#
# Every run is a folder of WORK with its model; one that is there is skipped, one that was
# interrupted resumes, so the script may be stopped and started at any time, and label_efficiency.csv
# beside it keeps the draws of earlier ones of the same settings, which are not repeated (RECORD=none
# repeats them). About 3 hours on two cores with AVX-512, 8 with AVX2. Larger:
# ARCH=resnet50 WIDTH=64 PRETRAIN=200 DEVICE=cuda RECORD=none, and whatever else stands below, in a
# WORK of its own.
# Result: WORK/*.json of every model; WORK/results.csv, which with those kept is the next
# label_efficiency.csv; and a table by label_efficiency.py.
set -eu
s2clr=$1 data=$2 work=$3
here=$(dirname "$0")
: "${ARCH:=resnet18}" "${WIDTH:=32}" "${DEVICE:=auto}" "${SEEDS:=1 2 3}"
: "${PRETRAIN:=40}" "${BATCH:=256}" "${DISTIL:=6}"
: "${CROP_STEPS:=800}" "${TEN_STEPS:=1500}" "${ROUNDS:=12}" # steps of 32 at least, and rounds
# Learning rates. Chosen by AUC on the validation part, which no test uses, with draws of labels of
# their own (label_rates.sh).
: "${SCRATCH_RATE:=0.0003}" "${TUNED_RATE:=0.0003}"
: "${CROP_SHARES:=0.01 0.03 0.1 0.25 0.5 1}" "${TEN_SHARES:=0.01 0.1 1}" "${PROBES:=encoder random}"
# name:architecture:width; another shape wants another name, since draws are known by it
: "${STUDENTS:=resnet18:resnet18:32 resnet18-half:resnet18:16 dense:dense:48 pixel:pixel:32}"
kept=$here/label_efficiency.csv
[ -f "$kept" ] || kept=none
: "${RECORD:=$kept}" # draws done elsewhere, or none
card=$here/eurosat_rgb.json
mkdir -p "$work"

settings="$ARCH $WIDTH $PRETRAIN $BATCH $DISTIL $CROP_STEPS $TEN_STEPS $ROUNDS \
$SCRATCH_RATE $TUNED_RATE"
[ -f "$work/settings" ] || echo "$settings" >"$work/settings"
[ "$(cat "$work/settings")" = "$settings" ] || {
    echo "label_efficiency.sh: $work was begun with $(cat "$work/settings"), now: $settings" \
        "(architecture, width, epochs, batch, steps, rates); take another folder" >&2
    exit 1
}

numbers=$here/label_efficiency.py
if [ "$RECORD" != none ]; then
    made_with=$(python3 "$numbers" settings "$RECORD") || exit
    [ "$made_with" = "$settings" ] || {
        echo "label_efficiency.sh: $RECORD was made with $made_with, now: $settings;" \
            "RECORD=none makes all draws anew" >&2
        exit 1
    }
fi

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

labelled() { # labelled TASK: the data set and options of runs with labels
    case $1 in
    crop) echo "$work/crop.store --positive PermanentCrop --validation-share 0" ;;
    ten) echo "$data --validation-share 0" ;;
    esac
}

everything() { # everything TASK: what students and tests see
    case $1 in
    crop) echo "$data --positive PermanentCrop" ;;
    ten) echo "$data" ;;
    esac
}

# Rounds through so many labels: enough for the steps, and ROUNDS at least.
rounds() { # rounds TASK OPTIONS...
    case $1 in crop) wanted=$CROP_STEPS ;; ten) wanted=$TEN_STEPS ;; esac
    shift
    each=$("$s2clr" supervised "$@" --device "$DEVICE" --dry-run |
        sed -n 's/^training .* epochs of \([0-9]*\) steps.*/\1/p')
    epochs=$(((wanted + each - 1) / each))
    if [ "$epochs" -lt "$ROUNDS" ]; then epochs=$ROUNDS; fi
    echo "$epochs"
}

recorded() { # recorded TASK SHARE SEED METHOD...: are they all in the record?
    [ "$RECORD" != none ] || return 1
    task=$1 share=$2 seed=$3
    shift 3
    for method; do
        grep -q "^$task,$share,${method%%:*},$seed," "$RECORD" || return 1
    done
}

compare() { # compare TASK SHARE SEED
    task=$1 share=$2 seed=$3
    key=$task-$share-$seed
    # shellcheck disable=SC2086 # a list of words
    if recorded "$task" "$share" "$seed" scratch tuned $STUDENTS; then return; fi
    some="--labels-fraction $share --labels-choice $seed --seed $seed --batch 32 --patience 0"
    scratch="--arch $ARCH --width $WIDTH --card $card --level EUROSAT8"
    # shellcheck disable=SC2046,SC2086 # lists of words
    {
        if [ ! -f "$work/scratch-$key.json" ] || [ ! -f "$work/tuned-$key.json" ]; then
            some="$some --augment flip,rot90,shift"
            some="$some --epochs $(rounds "$task" $(labelled "$task") -o "$work/try" $some $scratch)"
            run "scratch-$key" supervised $(labelled "$task") $some $scratch --rate "$SCRATCH_RATE"
            measure "scratch-$key" $(everything "$task") --filters 0
            run "tuned-$key" finetune $(labelled "$task") $some --rate "$TUNED_RATE" \
                -m "$work/encoder/model.safetensors"
            measure "tuned-$key" $(everything "$task") --filters 0
        fi
        for student in $STUDENTS; do
            pupil=${student%%:*}-$key shape=${student#*:}
            run "$pupil" distill $(everything "$task") --validation-share 0 \
                -m "$work/tuned-$key/model.safetensors" \
                --arch "${shape%:*}" --width "${shape#*:}" --seed "$seed" --epochs "$DISTIL" \
                --balance 0 --patience 0 --augment flip,rot90
            measure "$pupil" $(everything "$task") --filters 0
        done
    }
}

[ -d "$work/crop.store" ] || {
    rm -rf "$work/crop.part"
    "$s2clr" dataset import "$data" "$work/crop.part" --positive PermanentCrop --quiet
    "$s2clr" dataset split "$work/crop.part" --method random --validation 0 --balance --quiet
    mv "$work/crop.part" "$work/crop.store"
}
run encoder pretrain "$data" --arch "$ARCH" --width "$WIDTH" --epochs "$PRETRAIN" --batch "$BATCH" \
    --chunk "$BATCH" --seed 1 --probe PermanentCrop --augment flip,rot90,crop,jitter --card "$card" \
    --level EUROSAT8
# What its frozen features are worth to one linear layer, beside those of random weights (whose
# batch norm has seen the patches: training at rate 0). The baselines stand in every JSON.
probe() { # probe FEATURES TASK
    # shellcheck disable=SC2046 # lists of words
    {
        [ "$1" = encoder ] ||
            run "$1" pretrain "$data" --arch "$ARCH" --width "$WIDTH" --epochs 1 --batch "$BATCH" \
                --chunk "$BATCH" --seed 1 --rate 0 --probe PermanentCrop \
                --augment flip,rot90,crop,jitter --card "$card" --level EUROSAT8
        run "$1-linear-$2" finetune $(everything "$2") --validation-share 0 --last 0 --epochs 20 \
            -m "$work/$1/model.safetensors" --rate 0.01 --augment flip,rot90 --patience 0 --seed 1
        measure "$1-linear-$2" $(everything "$2") $([ "$1" = encoder ] || echo --filters 0)
    }
}
for features in $PROBES; do
    for task in crop ten; do
        recorded "$task" 1 1 "$features linear" || probe "$features" "$task"
    done
done
for seed in $SEEDS; do
    for share in $CROP_SHARES; do compare crop "$share" "$seed"; done
    for share in $TEN_SHARES; do compare ten "$share" "$seed"; done
done
set -- "$work"
[ "$RECORD" = none ] || set -- "$RECORD" "$work"
python3 "$numbers" runs "$@" >"$work/results.part"
mv "$work/results.part" "$work/results.csv"
python3 "$numbers" table "$@"
