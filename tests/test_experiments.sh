#!/bin/sh
# The experiments of tests/experiments in miniature, on a little of the real data: that they run to
# their end, skip what is done, and refuse a folder begun with other settings. Their numbers mean
# nothing here.
rig=experiments
. "${srcdir:-.}/tests/rig.sh"
wants gdal_translate python3
data=$(cd "${S2CLR_TEST_DATA:-$top/../shared/data}" 2>/dev/null && pwd)
for needed in eurosat_rgb.zip l2a_patches_10m.tif l2a_patches_20m.tif; do
    [ -f "$data/$needed" ] || skip_all "$needed is not there (S2CLR_TEST_DATA)"
done
in_work_folder
experiments=$top/tests/experiments

# Twelve patches of each of three classes, and sixteen of ten bands.
mkdir data
python3 - "$data/eurosat_rgb.zip" data/eurosat_rgb.zip <<'END'
import sys, zipfile
left = {"PermanentCrop": 24, "River": 12, "Forest": 12}
with zipfile.ZipFile(sys.argv[1]) as whole, zipfile.ZipFile(sys.argv[2], "w") as few:
    for name in whole.namelist():
        kind = name.split("/")[-2] if "/" in name else ""
        if name.endswith(".jpg") and left.get(kind, 0):
            left[kind] -= 1
            few.writestr(f"{kind}/{name.split('/')[-1]}", whole.read(name))
END
gdal_translate -q -srcwin 0 0 256 256 "$data/l2a_patches_10m.tif" data/l2a_patches_10m.tif
gdal_translate -q -srcwin 0 0 128 128 "$data/l2a_patches_20m.tif" data/l2a_patches_20m.tif

few_labels() { # few_labels WIDTH RECORD WORK
    env DEVICE=cpu WIDTH="$1" RECORD="$2" SEEDS=1 PRETRAIN=1 BATCH=8 DISTIL=1 CROP_STEPS=2 TEN_STEPS=2 ROUNDS=1 \
        CROP_SHARES=0.5 TEN_SHARES=1 STUDENTS=pixel:pixel:4 \
        sh "$experiments/label_efficiency.sh" "$S2CLR" data/eurosat_rgb.zip "$3"
}
expect 'few labels' 0 'random convolutional features' few_labels 4 none work
true_that 'every run stands in the table' test "$(grep -c '^crop,\|^ten,' work/results.csv)" -eq 14
expect 'its models know their class' 0 '1 = PermanentCrop' \
    "$S2CLR" info work/scratch-crop-0.5-1/model.safetensors
find work -name model.safetensors -exec cksum {} + | sort >before
expect 'again' 0 'encoder linear' few_labels 4 none work
find work -name model.safetensors -exec cksum {} + | sort >after
true_that 'trains nothing' cmp before after
expect 'other settings' 1 'take another folder' few_labels 8 none work

mkdir other
cp -r work/encoder work/crop.store other
expect 'with draws that are kept' 0 'random convolutional features' few_labels 4 work/results.csv other
true_that 'they are not repeated' test ! -e other/scratch-crop-0.5-1
true_that 'nor are the linear layers' test ! -e other/encoder-linear-crop -a ! -e other/random
true_that 'and are kept on' cmp work/results.csv other/results.csv
expect 'draws that are not there' 1 'nowhere.csv: there is no such' few_labels 4 nowhere.csv other
sed '1s/ 8 / 9 /' work/results.csv >strange.csv
expect 'draws of other settings' 1 'makes all draws anew' few_labels 4 strange.csv other
expect 'are not put together' 1 'not draws of one thing' \
    python3 "$experiments/label_efficiency.py" table work strange.csv

expect 'by how much' 0 'tuned          - scratch     1 ' \
    python3 "$experiments/label_efficiency.py" ahead work/results.csv
expect 'for the manual' 0 ".It crop Ta 50 % Ta tuned Ta scratch Ta $(python3 \
    "$experiments/label_efficiency.py" ahead work/results.csv | awk '/tuned +- scratch/ {print $8}')" \
    python3 "$experiments/label_efficiency.py" mdoc work
expect 'learning rates' 0 '0.5 tuned 0.01: AUC' env DEVICE=cpu WIDTH=4 STEPS=2 SHARES=0.5 RATES=0.01 \
    sh "$experiments/label_rates.sh" "$S2CLR" data/eurosat_rgb.zip work

expect 'models of ten bands' 0 '' env DEVICE=cpu PRETRAIN=1 BATCH=8 TEACH=1 DISTIL=1 JUDGED=0 \
    sh "$experiments/l2a_models.sh" "$S2CLR" data work
for model in resnet18-l2a-encoder dense-l2a-permanentcrop pixel-l2a-permanentcrop; do
    expect "$model" 0 'B12 (mean' "$S2CLR" info "work/zoo/$model.safetensors"
done
finish
