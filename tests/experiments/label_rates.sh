#!/bin/sh
# The learning rates of label_efficiency.sh: label_rates.sh S2CLR EUROSAT_RGB.zip WORK
#
# WORK holds the encoder and crop.store that label_efficiency.sh begins with. Networks from scratch
# and from the encoder, at several rates, with 1 and 3 % of the labels: a draw that the experiment
# itself does not use. Judged on the validation part, which the experiment does not test on, so that
# its test stays unseen; but for 1 or 3 % of them no label there was trained on.
# Result: WORK/rates/*.json and a line per run; one that is there is not repeated.
set -eu
s2clr=$1 data=$2 work=$3
here=$(dirname "$0")
: "${ARCH:=resnet18}" "${WIDTH:=32}" "${DEVICE:=auto}" "${DRAW:=11}" "${STEPS:=400}"
: "${SHARES:=0.01 0.03}" "${RATES:=0.003 0.001 0.0003 0.0001}"
mkdir -p "$work/rates"

train() { # train METHOD RUN OPTIONS...
    method=$1 out=$2
    shift 2
    case $method in
    scratch) set -- "$@" --arch "$ARCH" --width "$WIDTH" --card "$here/eurosat_rgb.json" \
        --level EUROSAT8 ;;
    tuned) set -- "$@" -m "$work/encoder/model.safetensors" ;;
    esac
    case $method in scratch) command=supervised ;; tuned) command=finetune ;; esac
    "$s2clr" "$command" "$work/crop.store" -o "$out" --positive PermanentCrop --validation-share 0 \
        --labels-choice "$DRAW" --seed "$DRAW" --batch 32 --patience 0 \
        --augment flip,rot90,shift --device "$DEVICE" --resume --quiet "$@"
}

for share in $SHARES; do
    for method in scratch tuned; do
        for rate in $RATES; do
            run=$work/rates/$method-$share-$rate
            steps=$("$s2clr" dataset info "$work/crop.store" --json | python3 -c \
                "import json, sys; n = json.load(sys.stdin)['parts']['train']; \
print(max(1, round(n * $share / 32)))")
            [ -f "$run/model.safetensors" ] || train "$method" "$run" --labels-fraction "$share" \
                --rate "$rate" --epochs "$(((STEPS + steps - 1) / steps))"
            [ -f "$run.json" ] || {
                "$s2clr" evaluate -m "$run/model.safetensors" "$data" --positive PermanentCrop \
                    --part validation --filters 0 --device "$DEVICE" --json >"$run.json.part"
                mv "$run.json.part" "$run.json"
            }
            python3 -c "import json, sys
auc = json.load(open(sys.argv[1]))['rows'][0]['metrics']['auc']
print('$share $method $rate: AUC %.4f [%.4f, %.4f]' % tuple(auc[k] for k in ('value', 'low', 'high')))" \
                "$run.json"
        done
    done
done
