#!/bin/sh
# From the downloaded BigEarthNet v1 to a validated model of irrigation: see s2clr-recipe(7).
#
#     ARCHIVE=BigEarthNet-v1.0 SPLITS=Spring2021/process_data/balanced_splits WORK=ben \
#         sh bigearthnet.sh [STEP...]
#
# Steps: names stores statistics pretrain finetune distill calibrate evaluate topk predict area;
# without one, all of them. "plan" prints what the trainings would cost here. A step whose result is
# there is skipped, an interrupted one goes on. Nothing outside of WORK is written.
set -eu
export LC_ALL=C

: "${S2CLR:=s2clr}"      # the command
: "${ARCHIVE:=}"         # unpacked: folders such as S2A_MSIL2A_20170613T101031_87_48 in it
: "${SPLITS:=}"          # folder of the published lists: train_1, val_1 ... val_100, test
: "${WORK:=}"            # everything that is made
: "${DEVICE:=auto}"
: "${ARCH:=resnet18}"    # of the encoder, fine-tuned models and those trained without it
: "${WIDTH:=}"            # its first channels; without it, the architecture's
: "${EPOCHS:=50}"        # of pretraining
: "${TUNE_EPOCHS:=30}"   # of everything that learns from labels
: "${TEACH_EPOCHS:=20}"  # of the students
: "${POOL:=0}"           # unlabelled patches to take, spread over the archive; 0: all
: "${LABELS:=regular}"   # what counts as irrigated: regular, expanded, or names of classes
: "${NAME:=irrigated land}" # what maps call it
: "${BANDS:=B04,B03,B02,B08,B05,B06,B07,B8A,B11,B12}"
: "${FRACTIONS:=1 3 10 25 50 100}" # per cent of the labels: the lists train_N and val_N
: "${SCRATCH:=$FRACTIONS}"         # those for which a network without pretraining is compared
: "${STUDENTS:=dense resnet18}"    # architectures of the students
: "${FINAL:=${STUDENTS%% *}-${FRACTIONS##* }}" # the model for maps, as STUDENT-FRACTION
: "${PREVALENCE:=0.023}" # share of irrigated patches out there: 0.023 regular, 0.062 expanded
: "${ABOVE:=0.7}"        # for the sheet: what 0.99 of balanced patches is at 0.023
: "${EXCLUDE:=}"         # lists of patches with snow and cloud, left out of the unlabelled ones
: "${SCENE:=}"           # a product to map; without it, the recipe ends with the sheet of patches
: "${SAMPLES:=200}"      # places to look at for the area
: "${SEED:=1}"
# More options for the trainings, such as PRETRAIN="--batch 1024 --chunk 256 --precision bf16".
: "${PRETRAIN:=}" "${FINETUNE:=}" "${TEACH:=}" "${IMPORT:=}" "${CALIBRATE:=}"

die() {
    printf 'bigearthnet.sh: %s\n' "$*" >&2
    exit 1
}

say() {
    printf '== %s\n' "$*"
}

# list NAME: the published file, with or without .txt
list() {
    for file in "$SPLITS/$1" "$SPLITS/$1.txt"; do
        [ -f "$file" ] && { printf '%s\n' "$file"; return; }
    done
    die "$SPLITS has no list $1; it is in the SimCLR-S2 project's repository, process_data"
}

# What a result depends on: the words that make it and, of files among them, what made those.
origin() { # origin RESULT WORDS...
    own=$1.made
    shift
    printf '%s\n' "$*"
    for word; do
        case $word in cards/*) cksum "$word" ;; esac
        for made in "$word.made" "$word.json.made"; do
            [ "$made" = "$own" ] || [ ! -f "$made" ] || cksum "$made"
        done
    done
}

known() { # known RESULT WORDS...: whether it is there; an error when other words made it
    result=$1
    if ! [ -e "$result" ]; then
        mkdir -p "$(dirname "$result")"
        origin "$@" >"$result.new"
        mv "$result.new" "$result.made"
        return 1
    fi
    [ "$(cat "$result.made" 2>/dev/null)" != "$(origin "$@")" ] || return 0
    case $result in
    */model.safetensors) what=${result%/*} ;;
    *.store.json) what="${result%.json} and $result" ;;
    *) what=$result ;;
    esac
    die "$result was made with other settings, or of files that are other ones now" \
        "($WORK/$result.made); delete $what to make it anew, or take another WORK"
}

on_device() { # runs a command of s2clr where it is to be run
    case $1 in
    dataset | area) "$S2CLR" "$@" ;;
    *) "$S2CLR" "$@" --device "$DEVICE" ;;
    esac
}

# produce RESULT WORDS...: s2clr WORDS, which writes RESULT when it succeeds
produce() {
    [ -z "$dry" ] || { cost "$@"; return; }
    known "$@" && return
    result=$1
    shift
    say "$1 $result"
    on_device "$@"
}

# print RESULT WORDS...: likewise for what it prints
print() {
    known "$@" && return
    result=$1
    shift
    say "$1 $result"
    on_device "$@" >"$result.part"
    mv "$result.part" "$result"
}

cost() { # cost RESULT WORDS...: what a training would need, writing nothing
    say "$2 $1"
    shift
    on_device "$@" --dry-run >plan.part
    sed -n '/^network/p; /^training/p; /^teaching/p; /^memory/p; /^time/p' plan.part
    rm plan.part
}

# import STORE WORDS...: an interrupted import goes on, unless its settings were others: patches keep
# the labels with which they were imported. Its report is written last.
import() {
    store=$1
    shift
    set -- "$store.json" dataset import --from bigearthnet-v1 --json --append $IMPORT "$@" \
        "$ARCHIVE" "$store"
    if [ -e "$store" ] && [ ! -e "$store.json" ] &&
        [ "$(cat "$store.json.made" 2>/dev/null)" != "$(origin "$@")" ]; then
        die "$store was begun with other settings, or of files that are other ones now" \
            "($WORK/$store.json.made); delete $store to make it anew, or take another WORK"
    fi
    print "$@"
}

# ---- steps ----

# Patches for learning without labels: all but the test and the validation part.
names() {
    test=$(list test)
    validation=$(list val_100)
    known pool.txt "all of $ARCHIVE but $test and $validation, $POOL" && return
    say "names of the patches in $ARCHIVE"
    find "$ARCHIVE/" -type d -name 'S2[AB]_MSIL2A_*' -prune | sed 's|.*/||' | sort -u >archive.txt
    [ -s archive.txt ] || die "$ARCHIVE has no folder such as S2A_MSIL2A_20170613T101031_87_48"
    cat "$test" "$validation" | tr -d '\r' | sort -u | comm -23 archive.txt - >rest.txt
    rest=$(wc -l <rest.txt)
    awk -v all="$rest" -v wanted="$POOL" '
        wanted == 0 || wanted >= all || int(NR * wanted / all) > int((NR - 1) * wanted / all)' \
        rest.txt >pool.part
    mv pool.part pool.txt
    rm rest.txt
    echo "$(wc -l <archive.txt) patches, $(wc -l <pool.txt) of them to learn from without labels"
}

# The pool has no labels: its validation part is for looking only. Each fraction is a store with its
# own few labels for training and validation, and the same test part.
stores() {
    set -- # the lists of patches to leave out
    for file in $exclude; do
        set -- "$@" --exclude "$file"
    done
    import pool.store --list pool.txt --list "validation=$(list val_100)" "$@"
    for n in $FRACTIONS; do
        import "labels-$n.store" --positive "$LABELS" --list "train=$(list "train_$n")" \
            --list "validation=$(list "val_$n")" --list "test=$(list test)"
    done
}

# Mean and deviation of the bands, which the encoder and all its descendants use; and what the
# models of irrigation say of themselves besides.
statistics() {
    produce card.json dataset stats pool.store --quiet --card card.json --card-bands "$BANDS" \
        --html pool.html
    quoted=$(printf '%s\n' "$NAME" | sed 's/[\\"]/\\&/g')
    {
        cat <<CARD
{
  "title": "$quoted, learnt from BigEarthNet v1 as in s2clr-recipe(7)",
  "positive": "$quoted", "negative": "anything else",
  "warning": "Ten countries of Europe, 2017 and 2018, labels of CORINE: test it where you map.",
CARD
        tail -c +2 card.json
    } >model.json
    produce labels.html dataset stats "labels-$last.store" --quiet --split train --html labels.html
}

pretrain() {
    produce encoder/model.safetensors pretrain pool.store -o encoder --resume --card card.json \
        --arch "$ARCH" ${WIDTH:+--width "$WIDTH"} --epochs "$EPOCHS" --seed "$SEED" \
        --probe "$classes" $PRETRAIN
}

card() { # card NAME: what the model of that name says of itself
    mkdir -p cards
    sed '1s/{/{\
  "id": "'"$1"'",/' model.json >"cards/$1.json"
    printf '%s\n' "cards/$1.json"
}

finetune() {
    for n in $FRACTIONS; do
        produce "finetuned-$n/model.safetensors" finetune -m encoder/model.safetensors \
            "labels-$n.store" -o "finetuned-$n" --resume --card "$(card "finetuned-$n")" \
            --epochs "$TUNE_EPOCHS" --seed "$SEED" $FINETUNE
    done
    for n in $SCRATCH; do
        produce "scratch-$n/model.safetensors" supervised "labels-$n.store" -o "scratch-$n" \
            --resume --card "$(card "scratch-$n")" --arch "$ARCH" ${WIDTH:+--width "$WIDTH"} \
            --epochs "$TUNE_EPOCHS" --seed "$SEED" $FINETUNE
    done
}

# The teacher is asked about the pool, so that a student of few labels sees no others.
distill() {
    for n in $FRACTIONS; do
        for student in $STUDENTS; do
            produce "$student-$n/model.safetensors" distill -m "finetuned-$n/model.safetensors" \
                pool.store -o "$student-$n" --resume --card "$(card "$student-$n")" \
                --arch "$student" --epochs "$TEACH_EPOCHS" --seed "$SEED" $TEACH
        done
    done
}

models_of() { # models_of FRACTION: everything that learnt from these labels
    models="finetuned-$1"
    for student in $STUDENTS; do
        models="$models $student-$1"
    done
    case " $SCRATCH " in *" $1 "*) models="$models scratch-$1" ;; esac
    echo "$models"
}

# Each on the few validation labels that its fraction has, half of which are irrigated; the
# probabilities are to hold for the share out there.
calibrate() {
    for n in $FRACTIONS; do
        for name in $(models_of "$n"); do
            produce "models/$name.safetensors" calibrate -m "$name/model.safetensors" \
                "labels-$n.store" -o "models/$name.safetensors" --part validation \
                --prevalence "$PREVALENCE" $CALIBRATE
        done
    done
}

evaluate() {
    for n in $FRACTIONS; do
        set --
        for name in $(models_of "$n"); do
            set -- "$@" -m "models/$name.safetensors"
        done
        [ "$PREVALENCE" = 0.1 ] || set -- "$@" --prevalence 0.1
        print "reports/$n.json" evaluate "$@" "labels-$n.store" --json --output "reports/$n.html" \
            --prevalence "$PREVALENCE" --group tile
    done
    say "reports: $WORK/reports/*.html"
}

# judge RESULT WORDS...: what a person said in a file, which may change at any time
judge() {
    result=$1
    shift
    on_device "$@" >"$result.part"
    mv "$result.part" "$result"
    cat "$result"
}

# A person marks the patches on the page and saves its CSV; then the share of right ones is known.
topk() {
    produce top.html topk -m "models/$FINAL.safetensors" "labels-$last.store" -o top.html \
        --part test --count 100 --above "$ABOVE"
    if [ -f top.csv ]; then
        judge top.txt evaluate top.csv
    else
        say "mark the patches of $WORK/top.html, save its CSV as $WORK/top.csv, and run: topk"
    fi
}

predict() {
    [ -n "$SCENE" ] || { say 'SCENE is not set: no map'; return; }
    produce map.tif predict -m "models/$FINAL.safetensors" "$SCENE" map.tif --resume
}

area() {
    [ -f map.tif ] || { say 'no map: no area'; return; }
    produce samples.gpkg area map.tif --draw "$SAMPLES" --seed "$SEED" -o samples.gpkg
    if [ -f labelled.gpkg ]; then
        rm -f area.html
        judge area.txt area map.tif labelled.gpkg --output area.html
    else
        say "fill in the column label of $WORK/samples.gpkg, save it as $WORK/labelled.gpkg," \
            "and run: area"
    fi
}

# From one step of each training on this machine: the stores have to be there, an encoder for
# fine-tuning, and a teacher for the students.
plan() {
    for store in pool labels-"$last"; do
        [ -f "$store.store.json" ] ||
            die "plan: $WORK/$store.store is not there; run the steps names stores statistics"
    done
    dry=yes FRACTIONS=$last SCRATCH=
    pretrain
    if [ -f encoder/model.safetensors ]; then finetune; fi
    if [ -f "finetuned-$last/model.safetensors" ]; then distill; fi
}

# ---- all ----

absolute() { # absolute PATH: also when it is not there yet
    case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$PWD/$1" ;; esac
}

[ -n "$ARCHIVE" ] && [ -n "$SPLITS" ] && [ -n "$WORK" ] ||
    die 'ARCHIVE, SPLITS and WORK have to be set: ARCHIVE=... SPLITS=... WORK=... sh bigearthnet.sh'
for folder in "$ARCHIVE" "$SPLITS"; do
    [ -d "$folder" ] || die "$folder is no folder"
done
ARCHIVE=$(absolute "$ARCHIVE") SPLITS=$(absolute "$SPLITS") WORK=$(absolute "$WORK")
exclude=
for file in $EXCLUDE; do
    [ -f "$file" ] || die "$file, of EXCLUDE, is no file"
    exclude="$exclude $(absolute "$file")"
done
[ -z "$SCENE" ] || SCENE=$(absolute "$SCENE")
case $S2CLR in */*) S2CLR=$(absolute "$S2CLR") ;; esac
command -v "$S2CLR" >/dev/null || die "$S2CLR is no command; S2CLR says where s2clr is"
case $LABELS in # as classes, for watching the pretraining
regular) classes='Permanently irrigated land' ;;
expanded) classes='Permanently irrigated land,Rice fields,Vineyards,Fruit trees and berry'
    classes="$classes plantations,Olive groves" ;;
*) classes=$LABELS ;;
esac
last=${FRACTIONS##* } dry=
for n in $FRACTIONS; do
    list "train_$n" >/dev/null
    list "val_$n" >/dev/null
done
mkdir -p "$WORK"
cd "$WORK"

all='names stores statistics pretrain finetune distill calibrate evaluate topk predict area'
[ $# -gt 0 ] || set -- $all
for step; do
    case " $all plan " in *" $step "*) ;; *) die "no step $step; there are plan $all" ;; esac
done
for step; do
    "$step"
done
