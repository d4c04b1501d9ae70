#!/bin/sh
# The recipes as an unlucky user meets them: signals, full and read-only disks, names of every kind,
# damaged images, labels and models that do not fit. One message, nothing half-written, and what was
# interrupted goes on.
rig=trouble
. "${srcdir:-.}/tests/rig.sh"
wants gdal_create gdal_translate
in_work_folder
unset COLUMNS
latin=$(printf 'caf\351') # not UTF-8

patches_of Crop 24
patches_of Other 24
small='--device portable --arch resnet18 --width 4 --batch 8'
pretrain() { "$S2CLR" pretrain --projection 8,4 --neighbours 3 $small "$@"; }
supervised() { "$S2CLR" supervised --validation-share 0.3 $small "$@"; }
finetune() { "$S2CLR" finetune -m enc/model.safetensors --device portable --batch 8 "$@"; }
distill() { "$S2CLR" distill -m one/model.safetensors --validation-share 0.3 $small "$@"; }
expect 'an encoder' 0 'encoder ' pretrain data -o enc --epochs 1
expect 'a model' 0 'model ' supervised data -o one --epochs 1 --positive Crop
refused() { # refused NAME CODE TEXT COMMAND...: exactly one message, and no folder "gone"
    name=$1
    expect "$@" || return
    true_that "$name: one message" test "$(wc -l <err)" -eq 1
    true_that "$name leaves nothing" test ! -e gone
}
nothing_half_written() { # nothing_half_written NAME FOLDER
    true_that "$1: nothing is half-written" sh -c "[ -z \"\$(find '$2' -name '*.part*')\" ]"
    true_that "$1: no model" test ! -e "$2/model.safetensors"
}

# ---- signals ----

# stopped SIGNAL CODE FOLDER FILE COMMAND...: as soon as FOLDER has FILE
stopped() {
    signal=$1 code=$2 folder=$3 file=$4
    shift 4
    run=$((run + 1))
    (exec "$@") >out 2>err &
    pid=$!
    waited=0
    while ! [ -s "$folder/$file" ] && [ $waited -lt 500 ]; do
        sleep 0.02
        waited=$((waited + 1))
    done
    kill "-$signal" $pid
    wait $pid
    got=$?
    [ $got -eq "$code" ] || fail "SIG$signal $folder: exit code $got, wanted $code"
    grep -q 'interrupted$' err || fail "SIG$signal $folder is not said"
    nothing_half_written "SIG$signal $folder" "$folder"
}
long='--epochs 100000 --quiet'
mkdir whole cut
for folder in whole cut; do ln -s ../data ../enc ../one $folder; done
stopped INT 130 p checkpoint.safetensors "$S2CLR" pretrain data -o p --projection 8,4 $small $long
stopped TERM 143 s checkpoint.safetensors "$S2CLR" supervised data -o s --positive Crop \
    --validation-share 0.3 --patience 0 $small $long
stopped INT 130 f checkpoint.safetensors "$S2CLR" finetune -m enc/model.safetensors data -o f \
    --device portable --batch 8 --positive Crop --patience 0 $long
stopped TERM 143 d checkpoint.safetensors "$S2CLR" distill -m one/model.safetensors data -o d \
    --validation-share 0.3 --patience 0 $small $long
stopped TERM 143 w results.jsonl "$S2CLR" sweep settings data -o w --device portable --width 4 \
    --projection 8,4 --validation-share 0.4 --batches 8 --epochs 100000
expect 'the run folder tells how to go on' 0 'with --resume' cat f/run.txt

# The same bytes after a signal as without; the names are the same, for the card has them.
run_f='finetune data -o run --positive Crop --epochs 60 --patience 0 --quiet'
expect 'without a signal' 0 '' sh -c "cd whole && '$S2CLR' $run_f -m enc/model.safetensors \
    --device portable --batch 8"
cd cut || exit 1
stopped TERM 143 run checkpoint.safetensors "$S2CLR" $run_f -m enc/model.safetensors \
    --device portable --batch 8
mv out err ..
cd ..
left='checkpoint.safetensors settings.json curves.svg run.txt'
for file in $left notes.safetensors my-checkpoint.safetensors checkpoint.safetensors.old x; do
    printf 'x' >cut/run/$file.part-999999999 # of a process that is no more
done
printf 'x' >cut/run/checkpoint.safetensors.part-007
expect 'goes on after the signal' 0 '' sh -c "cd cut && '$S2CLR' $run_f -m enc/model.safetensors \
    --device portable --batch 8 --resume"
for file in model.safetensors checkpoint.safetensors run.txt settings.json; do
    true_that "the same $file" cmp whole/run/$file cut/run/$file
done
for file in $left; do
    true_that "what a killed process left of $file is removed" test ! -e \
        cut/run/$file.part-999999999
done
for file in notes.safetensors my-checkpoint.safetensors checkpoint.safetensors.old x; do
    true_that "somebody's own $file.part stays" test -s cut/run/$file.part-999999999
done
true_that 'and so does a name that no process writes' test -s \
    cut/run/checkpoint.safetensors.part-007
mkdir mine
cp one/model.safetensors mine/teacher.safetensors
refused 'a teacher in its student'\''s folder' 1 'is not what teachers said' "$S2CLR" distill \
    -m mine/teacher.safetensors data -o mine --validation-share 0.3 $small -q
true_that 'stays there' cmp one/model.safetensors mine/teacher.safetensors

# ---- another machine ----

refused 'another precision does not resume' 1 'precision (run: "f32", now: "bf16")' finetune data \
    -o f --positive Crop --epochs 100000 --patience 0 --quiet --resume --precision bf16
if "$S2CLR" info | grep -q 'onednn  *oneDNN'; then
    refused 'another backend does not resume' 1 'backend (run: "portable", now: "onednn")' \
        "$S2CLR" finetune -m enc/model.safetensors data -o f --device onednn --batch 8 \
        --positive Crop --epochs 100000 --patience 0 --quiet --resume
else
    skip 'another backend does not resume' 'onednn is not here'
fi

# ---- disks ----

mkdir disk
if mount -t tmpfs -o size=300k none disk 2>/dev/null; then
    expect 'pretrain on a full disk' 1 'checkpoint.safetensors: disk full' pretrain data -o disk/p \
        --quiet --epochs 2
    nothing_half_written 'pretrain on a full disk' disk/p
    rm -r disk/p
    expect 'finetune on a disk that fills up' 1 'disk full' finetune data -o disk/f --positive Crop \
        --quiet --epochs 2
    nothing_half_written 'finetune on a disk that fills up' disk/f
    mount -o remount,size=9m disk
    expect 'and goes on when there is room' 0 '' finetune data -o disk/f --positive Crop --quiet \
        --epochs 2 --resume
    rm -r disk/f
    mount -o remount,size=100k disk
    for name in a.onnx a.safetensors; do
        expect "model export of $name to a full disk" 1 "disk/$name: disk full" "$S2CLR" model \
            export enc/model.safetensors -o disk/$name
        true_that "$name is not there" sh -c '[ -z "$(ls -A disk)" ]'
    done
    mount -o remount,ro disk
    for recipe in pretrain supervised finetune distill; do
        refused "$recipe on a read-only disk" 1 'Read-only file system' $recipe data -o disk/x -q
    done
    refused 'a sweep on a read-only disk' 1 'Read-only file system' "$S2CLR" sweep augment data \
        -o disk/x
    refused 'model export to a read-only disk' 1 'Read-only file system' "$S2CLR" model export \
        enc/model.safetensors -o disk/x.onnx
    umount disk
else
    skip 'full and read-only disks' 'a tmpfs cannot be mounted here'
fi

# ---- names ----

cp -r data "it's \"my\" data é"
for folder in "a b's \"c\"" 'ö ☃' -dash 'a
b' "$latin" 'a%s$(b)'; do
    expect "a run folder \"$folder\"" 0 '' finetune "it's \"my\" data é" -o "$folder" \
        --positive Crop --epochs 1 --quiet
    for file in model.safetensors settings.json run.txt; do
        true_that "has $file" test -s "./$folder/$file"
    done
done
expect 'a data set that is not UTF-8' 0 '' sh -c "cp -r data '$latin data' && '$S2CLR' finetune \
    -m enc/model.safetensors '$latin data' -o latin --device portable --batch 8 --positive Crop \
    --epochs 1 --quiet"
expect 'which the card shows' 0 "\$'caf\\xe9 data'" "$S2CLR" info latin/model.safetensors
expect 'and names' 0 'caf\xe9 data, 48 patches' "$S2CLR" info latin/model.safetensors
mkdir other
cp -r data/Other "other/$latin"
cp -r data/Crop other
refused 'a class that is not UTF-8' 2 'class "caf\xe9" is not UTF-8' supervised other -o gone -q
refused 'the same as --positive' 2 'class "caf\xe9" is not UTF-8' supervised other -o gone -q \
    --positive "$latin"
expect 'labels that nobody reads may be anything' 0 '' pretrain other -o unread --epochs 1 -q
refused 'a data set that begins with a dash' 2 'unknown option -data' supervised -data -o gone -q

# ---- data ----

gdal_translate -q -of JPEG data/Crop/Crop_0.tif whole.jpg >/dev/null
mkdir images
cp -r data/Other images
mkdir images/Crop
for i in 0 1 2 3 4 5 6 7; do
    gdal_translate -q -of JPEG data/Crop/Crop_$i.tif images/Crop/Crop_$i.jpg >/dev/null
done
head -c 200 whole.jpg >images/Crop/Crop_5.jpg
damaged=images
if (cd images && python3 -m zipfile -c ../images.zip Crop Other) 2>/dev/null; then
    damaged=images.zip
fi
for recipe in pretrain supervised finetune distill; do
    refused "$recipe from a zip with a damaged image" 1 'Crop/Crop_5.jpg is not a readable JPEG' \
        $recipe $damaged -o gone -q
done
for recipe in pretrain supervised finetune distill; do
    expect "$recipe into its data" 2 'lies in the data set' $recipe data -o data/run -q
done
expect 'a sweep into its data' 2 'lies in the data set' "$S2CLR" sweep augment data -o data/run
true_that 'the data are as they were' test ! -e data/run
mkdir -p lone
cp -r data/Crop lone
refused 'supervised with one class' 2 '1 class folders; wanted: 2 to' supervised lone -o gone -q
refused 'finetune with one class' 2 'training samples are "Crop": both labels' finetune lone \
    -o gone -q --positive Crop
refused 'patches too small for the network' 2 'it takes patches of at least 44 x 44' "$S2CLR" \
    supervised data -o gone -q --arch dense
refused 'pretrain with patches too small' 2 'it takes patches of at least' "$S2CLR" pretrain data \
    -o gone -q --arch dense --batch 8
refused 'weights of nothing' 2 'nothing would be learned' finetune data -o gone -q --positive Crop \
    --class-weights 0,0
refused 'a width that no network has' 2 'wanted a whole number from 1 to 1024' "$S2CLR" pretrain \
    data -o gone --width 2000

# ---- models ----

expect 'a model of classes' 0 '' supervised data -o classes --epochs 1 -q
refused 'one class of a teacher of several' 2 'tells 2 classes apart' "$S2CLR" distill \
    -m classes/model.safetensors data -o gone -q --positive Crop $small
refused 'weights that are a checkpoint' 1 'weights without a card' "$S2CLR" finetune \
    -m enc/checkpoint.safetensors data -o gone -q
refused 'a log as model' 1 'not a safetensors file' "$S2CLR" pretrain data -o gone -q \
    --initial enc/log.jsonl
"$S2CLR" info --json one/model.safetensors | sed -n '/"card": {/,/^  }/{s/^  "card": //;p;}' >card.json
"$S2CLR" model export one/model.safetensors -o weights.safetensors -q
cp card.json saved.json
refused 'a model in place of its card' 2 'output and card are the same' "$S2CLR" model import \
    weights.safetensors --card card.json -o card.json --overwrite
ln -s weights.safetensors link.safetensors
refused 'a model in place of its weights' 2 'output and input are the same' "$S2CLR" model import \
    weights.safetensors --card card.json -o link.safetensors --overwrite
true_that 'the card is as it was' cmp saved.json card.json
gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 64 48 -burn 60 -burn 90 -burn 30 \
    -a_srs EPSG:32632 -a_ullr 500000 5200000 500640 5199520 scene.tif >/dev/null
vrt="$S2CLR vrt --input-bands 1,2,3 --level DN"
S2CLR_VRT_TEMPLATES=${S2CLR_VRT_TEMPLATES:-$top/vrt_templates}
export S2CLR_VRT_TEMPLATES
for template in probability patch pixel calibrated view; do
    refused "an encoder in the template $template" 1 'an encoder' $vrt -m enc/model.safetensors \
        $template scene.tif gone
done
refused 'a network of patches as one of pixels' 1 'sees more than one pixel' $vrt \
    -m one/model.safetensors pixel scene.tif gone
if ! [ -e "$plugins/gdal_S2CLR.so" ]; then
    skip 'the driver refuses an encoder' 'the plug-in is not built'
elif ldd "$plugins/gdal_S2CLR.so" | grep -q 'lib[atu][a-z]*san\.so'; then
    skip 'the driver refuses an encoder' "GDAL's programs cannot load a plug-in built with a sanitizer"
else
    run=$((run + 1))
    GDAL_DRIVER_PATH=$plugins gdalinfo 'S2CLR:"enc/model.safetensors":"scene.tif"' -oo LEVEL=DN \
        -oo INPUT_BANDS=1,2,3 >out 2>err
    grep -q 'an encoder, which gives features' err || fail 'the driver refuses an encoder'
fi
finish
