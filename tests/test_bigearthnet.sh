#!/bin/sh
# The recipe of s2clr-recipe(7) from an archive to a map, step by step, on stand-ins: renamed copies
# of the real BigEarthNet patches at hand, in which pastures play the irrigated land.
rig=bigearthnet
. "${srcdir:-.}/tests/rig.sh"
data=${S2CLR_TEST_DATA:-$top/../shared/data}/bigearthnet_v1
recipe=$top/algorithms/recipes/bigearthnet.sh
[ -d "$data" ] || skip_all 'the BigEarthNet patches of ../shared/data are not there'
in_work_folder
unset COLUMNS

# copy PATCH PART: one more patch of the archive, under a name of its own, and in a list
number=0
copy() {
    number=$((number + 1))
    name=$(basename "$1" | sed "s/_[0-9]*_[0-9]*\$/_$number""_$number/")
    mkdir -p "archive/part/$name"
    for file in "$1"/*.tif; do
        ln -s "$file" "archive/part/$name/$name${file##*"$(basename "$1")"}"
    done
    sed 's/"Pastures"/"Permanently irrigated land"/' "$1"/*.json \
        >"archive/part/$name/${name}_labels_metadata.json"
    [ -z "$2" ] || echo "$name" >>"lists/$2"
}
mkdir lists
for part in train_50 train_50 val_100 val_100 test test ''; do
    for patch in "$data"/*; do
        copy "$patch" $part
    done
done
cp lists/train_50 lists/train_100
cp lists/val_100 lists/val_50
for patch in "$data"/*; do
    copy "$patch" train_100
done
head -n 1 lists/test >cloudy.txt
find archive -name '*_78_78' | sed 's|.*/||' >>cloudy.txt

cook() ( # cook [NAME=VALUE]... STEP...: with settings that take seconds
    ARCHIVE=archive SPLITS=lists WORK=made EPOCHS=1 FRACTIONS='50 100' SCENE=$scene
    PRETRAIN='--projection 16,8 --batch 11 --progress none'
    FINETUNE='--rate 0.003 --balance 1 --batch 11 --progress none'
    TEACH='--width 8 --rate 0.005 --balance 0 --batch 11 --progress none'
    export ARCHIVE SPLITS WORK EPOCHS FRACTIONS SCENE PRETRAIN FINETUNE TEACH S2CLR
    while :; do
        case ${1:-} in *=*) export "$1" && shift ;; *) break ;; esac
    done
    TUNE_EPOCHS=6 TEACH_EPOCHS=4 SCRATCH=100 STUDENTS=dense EXCLUDE=cloudy.txt SAMPLES=20 WIDTH=8 \
        PREVALENCE=0.2 ABOVE=0.1 sh "$recipe" "$@"
)
scene=$data/S2A_MSIL2A_20170613T101031_87_48

# ---- what is asked for ----

expect 'without settings' 1 'ARCHIVE, SPLITS and WORK' sh "$recipe"
expect 'an unknown step' 1 'no step bake' cook bake
expect 'a list that is not there' 1 'lists has no list train_70' cook FRACTIONS='50 70' names
expect 'plan without stores' 1 'run the steps names stores statistics' cook plan
mkdir empty
expect 'an archive without patches' 1 'has no folder such as' cook ARCHIVE=empty WORK=none names

# ---- patches ----

expect 'names' 0 '88 patches, 44 of them' cook names
sort lists/test lists/val_100 >held
true_that 'the pool has nothing that is held out' test -z "$(comm -12 held made/pool.txt)"
expect 'a smaller pool' 0 '88 patches, 10 of them' cook POOL=10 WORK=few names
grep -n -x -F -f few/pool.txt made/pool.txt | cut -d: -f1 >places
true_that 'of the same patches' test "$(wc -l <places)" -eq 10
true_that 'from begin to end' awk '{ if ($1 - last > 5) exit 1; last = $1 } END { exit last < 40 }' places
ln -s archive linked
expect 'an archive on another disk' 0 '88 patches' cook ARCHIVE=linked WORK=elsewhere names
expect 'stores' 0 'labels-100.store.json' cook stores
expect 'the pool leaves out the cloudy ones' 0 '"patches": 65' \
    "$S2CLR" dataset info made/pool.store --json
expect 'and has no labels' 0 '"unknown": 65' cat made/pool.store.json
expect 'a fraction has its own' 0 '"positive": 18' cat made/labels-50.store.json
expect 'the whole has more' 0 '"positive": 21' cat made/labels-100.store.json
rm made/labels-50.store.json
expect 'an import that was interrupted' 0 'labels-50' cook stores
expect 'goes on' 0 '"present": 66' cat made/labels-50.store.json
mv made/labels-50.store.json kept.json
expect 'but not with other labels' 1 'delete labels-50.store to make it anew' \
    cook LABELS='Coniferous forest' stores
mv kept.json made/labels-50.store.json
expect 'statistics' 0 'labels.html' cook statistics
true_that 'ten bands' grep -q '"B12"' made/card.json
rm made/card.json made/card.json.made made/labels.html made/labels.html.made
expect 'a name of any letters' 0 'labels.html' cook NAME='rice & "maize"/\' statistics
if command -v python3 >/dev/null; then
    true_that 'is quoted' python3 -c '
import json
assert json.load(open("made/model.json"))["positive"] == "rice & \"maize\"/\\"'
else
    skip 'is quoted' 'python3 is not installed'
fi
expect 'and taken back' 0 '' cook statistics

# ---- models ----

expect 'plan' 0 'for a step on this machine' cook plan
expect 'a plan that cannot be' 2 'nosuch' cook PRETRAIN='--nosuch 1' plan
true_that 'which makes nothing' test ! -e made/encoder
expect 'pretrain' 0 'neighbours agree' cook pretrain
expect 'finetune' 0 'scratch-100/model.safetensors' cook FRACTIONS=100 finetune
true_that 'with its own name' grep -q '"id": "finetuned-100"' made/cards/finetuned-100.json
expect 'distill' 0 'agreement with the teacher' cook FRACTIONS=100 distill
expect 'calibrate' 0 'asked for, the samples are weighted' cook FRACTIONS=100 calibrate
expect 'the model says what it is' 0 'irrigated land' \
    "$S2CLR" info made/models/dense-100.safetensors
expect 'evaluate' 0 'reports' cook FRACTIONS=100 evaluate
for words in finetuned-100 dense-100 scratch-100 'random convolutional features'; do
    true_that "the report has $words" grep -q "$words" made/reports/100.json
done
true_that 'and the page as well' grep -q 'dense-100' made/reports/100.html

# ---- maps ----

expect 'topk' 0 'mark the patches' cook topk
{
    echo 'rank,name,probability,longitude,latitude,mark,model,positive'
    for i in 1 2 3 4; do echo "$i,p$i,0.9,14,48,right,dense-100,irrigated land"; done
    echo '5,p5,0.9,14,48,wrong,dense-100,irrigated land'
} >made/top.csv
expect 'topk, marked' 0 '0.8' cook topk
expect 'predict' 0 'map.tif' cook predict
expect 'area' 0 'fill in the column label' cook area
cp made/samples.gpkg made/labelled.gpkg
if command -v ogrinfo >/dev/null; then
    ogrinfo -q made/labelled.gpkg -sql 'UPDATE samples SET label = CASE WHEN id % 5 = 0 THEN
        1 - map_class ELSE map_class END' >/dev/null
    expect 'area, labelled' 0 'irrigated land' cook area
    mv out before
    ogrinfo -q made/labelled.gpkg -sql 'UPDATE samples SET label = map_class' >/dev/null
    expect 'labelled otherwise' 0 'irrigated land' cook area
    mv out after
    true_that "is another area" test "$(cksum <after)" != "$(cksum <before)"
    true_that 'with a page' test -s made/area.html
else
    skip 'area, labelled' 'ogrinfo (gdal-bin) is not installed'
fi

# ---- again ----

expect 'all of it once more' 0 'reports' cook FRACTIONS=100
mv out again
true_that 'makes nothing' test -z "$(grep -E '^== (dataset|pretrain|finetune|distill)' again)"
expect 'other settings' 1 'delete encoder to make it anew' cook EPOCHS=2 pretrain
expect 'another pool' 1 'delete pool.txt to make it anew' cook POOL=10 names
rm made/pool.txt
true_that 'is made' cook POOL=10 names
expect 'and what came of the old one is noticed' 1 'delete pool.store and pool.store.json' \
    cook POOL=10 stores
rm -r made/pool.store made/pool.store.json
true_that 'a store of it' cook POOL=10 stores
expect 'and so on' 1 'delete card.json' cook POOL=10 statistics
finish
