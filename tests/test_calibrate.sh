#!/bin/sh
# calibrate from outside: the card changes, the weights and the decisions do not; what is refused.
rig=calibrate
. "${srcdir:-.}/tests/rig.sh"
wants gdal_create python3
in_work_folder
unset COLUMNS

# Ten brightnesses; the brighter, the more often Crop: no network can tell them apart without error.
i=0
mkdir -p images/Crop images/Other three/a three/b three/c
while [ $i -lt 10 ]; do
    plain_patch one-$i.tif $((40 + 15 * i)) $((200 - 12 * i)) $((90 + 5 * i)) >/dev/null
    k=0
    while [ $k -lt 45 ]; do
        class=Other
        [ $((k % 9)) -ge "$i" ] || class=Crop
        cp one-$i.tif images/$class/${class}_${i}_$k.tif
        k=$((k + 1))
    done
    for k in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        number=$(((i * 3 / 10 + (k % 4 == 0)) % 3))
        class=$(echo abc | cut -c $((number + 1)))
        cp one-$i.tif three/$class/${class}_${i}_$k.tif
    done
    i=$((i + 1))
done
same='--device portable --validation-share 0.4 --quiet'
train="--arch pixel --width 8 --depth 1 --epochs 10 --batch 16 --rate 0.02"
expect 'a model to calibrate' 0 '' "$S2CLR" supervised images --positive Crop $train $same -o run
model=run/model.safetensors
calibrate="$S2CLR calibrate images -m $model --device portable --validation-share 0.4"

value() { # value FILE EXPRESSION: of the JSON object j
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
sys.exit(not eval("(" + sys.argv[2] + ")"))' \
        "$1" "$2"
}

# ---- every method ----

for method in temperature platt isotonic; do
    expect "$method" 0 '' $calibrate --method $method -o $method.safetensors \
        --report-part test --json
    cp out $method.json
    true_that "$method improves the likelihood it was fitted to" value $method.json \
        'j["parts"][0]["part"] == "validation" and
         j["parts"][0]["after"]["nll"] < j["parts"][0]["before"]["nll"]'
    true_that "$method reports on the other part" value $method.json \
        'j["parts"][1]["part"] == "test" and j["parts"][1]["samples"] > 40'
    # A temperature moves no share: what the network was trained for (balanced by half) stays.
    case $method in
        temperature) share='j["before"]["prevalence"]' ;;
        *) share='j["parts"][0]["positives"] / j["parts"][0]["samples"]' ;;
    esac
    true_that "$method writes the share of positives that it holds for" value $method.json \
        "abs(j['after']['prevalence'] - $share) < 1e-9 and
         j['scored_at'] == j['after']['prevalence']"
    "$S2CLR" model export $model -o a.safetensors --overwrite -q
    "$S2CLR" model export $method.safetensors -o b.safetensors --overwrite -q
    true_that "$method keeps the weights" cmp a.safetensors b.safetensors
    expect "info tells of $method" 0 'samples of part validation: ECE' "$S2CLR" info \
        $method.safetensors
    cp out said
    true_that 'and of the command' grep -q '&& s2clr calibrate' said
    at=$(python3 -c 'import json; print(json.load(open("'$method'.json"))["scored_at"])')
    "$S2CLR" evaluate images -m $model $same --part test --resamples 0 --prevalence "$at" \
        --json >before.json 2>err
    expect "evaluate after $method" 0 '"auc"' "$S2CLR" evaluate images \
        -m $method.safetensors $same --part test --resamples 0 --prevalence "$at" --json
    cp out after.json
    python3 - before.json after.json $method.json >compare 2>&1 <<'END' || cp compare out
import json, sys
before, after, said = (json.load(open(name)) for name in sys.argv[1:])


def row(of):
    if isinstance(of, dict) and "at_prevalence" in of:
        return of
    for inner in of.values() if isinstance(of, dict) else of if isinstance(of, list) else []:
        found = row(inner)
        if found:
            return found


a, b = row(before), row(after)
for key in ("tp", "fp", "fn", "tn"):
    assert a["metrics"][key] == b["metrics"][key], (key, a["metrics"][key], b["metrics"][key])
assert abs(a["metrics"]["auc"]["value"] - b["metrics"]["auc"]["value"]) < 1e-12
a, b = (r["at_prevalence"][-1] for r in (a, b))
assert a["prevalence"] == b["prevalence"] == said["scored_at"]
for key in ("brier", "ece"):
    for at, scores in ((a, "before"), (b, "after")):
        value = at["same_decisions"][key]["value"]
        assert abs(value - said["parts"][1][scores][key]) < 1e-9, (key, scores, value)
END
    true_that "$method keeps decisions and areas, and evaluate sees what it said" \
        test ! -s compare
done
true_that 'isotonic has knots' value isotonic.json 'len(j["after"]["knots"]) >= 2'
true_that 'platt has a bias' value platt.json 'j["after"]["bias"] != 0'
true_that 'temperature has neither' value temperature.json \
    'j["after"]["bias"] == 0 and j["after"]["knots"] == []'

# ---- the metrics of the training ----

card() { # card FILE: as JSON on stdout
    "$S2CLR" info --json "$1" | python3 -c 'import json, sys
def card(of):
    return of if "metrics" in of else next(filter(None, (
        card(v) for v in of.values() if isinstance(v, dict))), None)
print(json.dumps(card(json.load(sys.stdin))))'
}
card $model >trained.card
card platt.safetensors >platt.card
true_that 'they are named as what they are' python3 -c 'import json
a, b = (json.load(open(n))["metrics"] for n in ("trained.card", "platt.card"))
assert list(a) == ["validation"] and list(b) == ["validation_before_calibration"], (a, b)
assert a["validation"] == b["validation_before_calibration"]'
true_that 'and info says so' sh -c "'$S2CLR' info platt.safetensors |
    grep -q '^metrics  *validation_before_calibration: '"

# ---- the rest of what it says ----

expect 'as text' 0 'the same decisions' $calibrate -o text.safetensors
cp out said
true_that 'platt by itself' grep -q '^method      platt: temperature .*, bias ' said
true_that 'with the scores' grep -q '^ece  ' said
expect '--quiet' 0 '' $calibrate -o quiet.safetensors --quiet
cp out said
true_that 'prints nothing' test ! -s said
expect 'no share of a temperature' 2 'a temperature leaves the share' $calibrate \
    --method temperature --prevalence 0.05 -o no.safetensors
expect 'another share' 0 'asked for' $calibrate --prevalence 0.05 -o share.safetensors
expect 'is the card'\''s' 0 'prevalence 0.05' "$S2CLR" info share.safetensors
expect 'few samples for a curve' 0 'few for an isotonic curve' "$S2CLR" calibrate images -m $model \
    --device portable --validation-share 0.1 --method isotonic -o few.safetensors
expect 'calibrated again' 0 'knots' "$S2CLR" calibrate images -m platt.safetensors \
    --device portable --validation-share 0.4 --method isotonic -o again.safetensors
card isotonic.safetensors >fresh.card
card again.safetensors >again.card
true_that 'is as if it were the first time' python3 -c 'import json
a, b = (json.load(open(n)) for n in ("fresh.card", "again.card"))
assert a["metrics"] == b["metrics"]
for key in ("temperature", "prevalence"):
    assert a[key] == b[key], key
for key in ("knots", "bias", "network_prevalence", "ece_after"):
    assert a["calibration"][key] == b["calibration"][key], key'
again="$S2CLR calibrate images --device portable --validation-share 0.4 --quiet"
expect 'a temperature after that' 0 '' $again -m again.safetensors --method temperature \
    -o third.safetensors
card temperature.safetensors >fresh.card
card third.safetensors >again.card
true_that 'has the share of the training again' python3 -c 'import json
a, b = (json.load(open(n)) for n in ("fresh.card", "again.card"))
assert a["temperature"] == b["temperature"] and a["prevalence"] == b["prevalence"]
assert "network_prevalence" not in b["calibration"]'

# ---- honest where positives are rare ----

# The network is right where positives are as frequent as in the training; it is as right elsewhere
# once it is moved there, and a calibration has nothing to boast of.
expect 'a temperature, then platt at another share' 0 '' $again -m temperature.safetensors \
    --prevalence 0.02 -o rare.safetensors --json
cp out rare.json
true_that 'the old probabilities are moved there first' value rare.json \
    'j["scored_at"] == 0.02 and j["parts"][0]["before"]["ece"] < 0.05'

# ---- students of calibrated teachers ----

distill="$S2CLR distill images $same --arch pixel --width 8 --depth 1 --batch 16 --epochs 2"
expect 'a student of decisions' 0 '' $distill -m $model --hard --balance 0 -o decided
expect 'and one of a calibrated teacher'\''s' 0 '' $distill -m rare.safetensors --hard --balance 0 \
    -o rarely
for student in decided rarely; do
    "$S2CLR" model export $student/model.safetensors -o $student.safetensors -q
done
true_that 'learn the same: decisions stay' cmp decided.safetensors rarely.safetensors
expect 'a student of probabilities' 0 '' $distill -m rare.safetensors -o softly
expect 'has the share that they hold for' 0 'prevalence 0.02' "$S2CLR" info \
    softly/model.safetensors
expect 'a new training forgets it' 0 '' "$S2CLR" finetune images -m isotonic.safetensors \
    --positive Crop --epochs 1 --batch 16 $same -o tuned
"$S2CLR" info tuned/model.safetensors >said 2>err
true_that 'as its card says' sh -c '! grep -q ^calibrated said && grep -q "temperature 1," said'

# ---- several classes ----

expect 'a model of classes' 0 '' "$S2CLR" supervised three $train $same -o classes
classes="$S2CLR calibrate three -m classes/model.safetensors --device portable \
    --validation-share 0.4"
expect 'have one temperature' 0 'temperature' $classes -o classes.safetensors --json
cp out classes.json
true_that 'that fits better' value classes.json \
    'j["parts"][0]["after"]["nll"] < j["parts"][0]["before"]["nll"]'
true_that 'and is in the card' sh -c "'$S2CLR' info classes.safetensors | grep -q ^calibrated"
expect 'and nothing else' 2 'only the temperature' $classes --method platt -o no.safetensors
expect 'no share of positives' 2 'only the temperature' $classes --prevalence 0.1 -o no.safetensors
mv three/b three/beet
expect 'a class of another name' 1 'none of the 3 classes' $classes -o no.safetensors

# ---- refusals ----

expect 'without an output' 2 'output is missing' $calibrate
expect 'an output that is there' 1 'overwrite replaces' $calibrate -o platt.safetensors
expect 'unless it is asked for' 0 '' $calibrate -o platt.safetensors --overwrite -q
expect 'onto itself' 2 'same file' $calibrate -o $model --overwrite
expect 'an empty part' 2 '' "$S2CLR" calibrate images -m $model --validation-share 0 \
    -o no.safetensors
mkdir -p alone/Crop alone/Other
cp images/Crop/*.tif alone/Crop
cp images/Other/Other_0_1.tif alone/Other
expect 'one label only' 2 'both kinds are needed' "$S2CLR" calibrate alone -m $model \
    --validation-share 0.1 -o no.safetensors
"$S2CLR" pretrain images --arch resnet18 --width 4 --projection 8,4 --epochs 1 --batch 16 \
    --device portable -q -o enc >out 2>err
expect 'an encoder' 1 'finetune it' "$S2CLR" calibrate images -m enc/model.safetensors \
    -o no.safetensors
true_that 'refusals leave nothing' sh -c '! ls | grep -q "^no\."'
finish
