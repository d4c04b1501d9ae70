#!/bin/sh
# pretrain, finetune, distill and supervised from end to end on small images: the run folder, a run
# that is killed and comes out the same, students of unlabelled patches, and what goes wrong.
rig=recipes
. "${srcdir:-.}/tests/rig.sh"
wants gdal_create gdal_translate
in_work_folder
unset COLUMNS

# Few images under many names: what counts is that a name decides the part.
draw() { # draw CLASS COUNT RED GREEN BLUE
    mkdir -p images/$1 stranger/$1-field
    for i in 0 1 2 3; do
        gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 16 16 -burn $(($3 + 5 * i)) \
            -burn $(($4 - 3 * i)) -burn $(($5 + 2 * i)) one-$i.tif >/dev/null
    done
    i=0
    while [ $i -lt "$2" ]; do
        cp one-$((i % 4)).tif images/$1/$1_$i.tif
        cp one-$((i % 4)).tif stranger/$1-field/$1_$i.tif
        i=$((i + 1))
    done
}
draw Crop 30 60 90 30
draw Other 30 130 120 90
draw Water 20 30 40 80

same='--device portable --batch 16'
one_line() { # of standard error, from the last command
    run=$((run + 1))
    [ "$(wc -l <err)" -eq 1 ] || fail "$1: more than one line of error"
}
refused() { # refused NAME CODE TEXT COMMAND...: exactly one message, and no folder "gone"
    name=$1
    expect "$@" || return
    one_line "$name"
    true_that "$name leaves nothing" test ! -e gone
}

# ---- pretrain ----

pretrain="$S2CLR pretrain images $same --arch resnet18 --width 4 --projection 16,8,4 --epochs 2"
expect 'pretrain --dry-run' 0 'for a step on this machine' $pretrain -o gone --dry-run
true_that 'which makes no folder' test ! -e gone
expect 'pretrain' 0 'encoder     enc/model.safetensors' $pretrain -o enc
for file in model.safetensors checkpoint.safetensors log.jsonl settings.json curves.svg run.txt; do
    true_that "the run folder has $file" test -s enc/$file
done
true_that 'the settings as used' grep -q '"epochs": 2,' enc/settings.json
true_that 'defaults are settings too' grep -q '"temperature": 0.1' enc/settings.json
true_that 'run.txt has the command line' grep -q 's2clr pretrain --output enc' enc/run.txt
true_that 'and the result' grep -q '^loss  .* after 2 epochs' enc/run.txt
true_that 'the curves are whole' grep -q '</svg>' enc/curves.svg
true_that 'and show what was watched' grep -q 'spread of the embeddings' enc/curves.svg
if command -v xmllint >/dev/null; then
    true_that 'the curves are XML' xmllint --noout enc/curves.svg
else
    skip 'the curves are XML' 'xmllint is not installed'
fi

# ---- pretrain --initial ----

initial="$S2CLR pretrain images $same --epochs 1 --initial"
expect 'pretrain goes on from an encoder' 0 'of its tensors taken; new: none' $initial \
    enc/model.safetensors -o further
expect 'with its projection head' 0 'projection 16-8-4' "$S2CLR" info further/model.safetensors
expect 'the card names the encoder' 0 \
    "$("$S2CLR" info enc/model.safetensors | sed -n 's/^sha256 *//p')" \
    "$S2CLR" info further/model.safetensors
expect 'and has its statistics' 0 "$("$S2CLR" info enc/model.safetensors | sed -n 's/^bands *//p')" \
    "$S2CLR" info further/model.safetensors
expect 'from another one' 0 '' $initial further/model.safetensors -o furthest -q
run=$((run + 1))
! cmp -s further/model.safetensors furthest/model.safetensors || fail 'where it starts matters'
expect 'another projection head is new' 0 'new: projection.0.weight' $initial \
    enc/model.safetensors -o gone --dry-run --projection 12
expect 'as JSON' 0 '"parent": "enc/model.safetensors"' $initial enc/model.safetensors -o gone \
    --dry-run --json
refused 'another network than the weights' 2 'stays one' $initial enc/model.safetensors -o gone \
    --arch dense
refused 'bands that the encoder does not have' 1 'the images have 2 bands' $initial \
    enc/model.safetensors -o gone --image-bands 1,2
refused 'other weights are no resumption' 1 'initial weights' "$S2CLR" pretrain images $same \
    --epochs 1 --initial furthest/model.safetensors -o further --resume -q

# ---- finetune ----

finetune="$S2CLR finetune -m enc/model.safetensors images $same --epochs 2"
expect 'finetune --dry-run' 0 'layers      the last 2 of 6 learn, from layer4 on' $finetune \
    --positive Crop -o gone --dry-run --last 1
cp out plan
true_that 'names the weights that learn' grep -q '^learning    [0-9]* of the weights' plan
true_that 'the memory' grep -q '^memory ' plan
true_that 'and the time' grep -q '^time        .* for a step on this machine' plan
# 32 features: what the head alone has.
expect 'finetune --dry-run --json' 0 '"learning": 33,' $finetune --positive Crop -o gone \
    --dry-run --json --last 0
expect 'finetune the head alone' 0 'validation AUC' $finetune --positive Crop -o head --tap 1 \
    --hidden 8 --last 0 --class-weights auto
true_that 'says what is new' grep -q 'new: hidden.0.weight, hidden.0.bias, fc.weight, fc.bias' \
    head/run.txt
expect 'the card has its parent' 0 "$("$S2CLR" info enc/model.safetensors | sed -n 's/^sha256 *//p')" \
    "$S2CLR" info head/model.safetensors
expect 'and its statistics' 0 "$("$S2CLR" info enc/model.safetensors | sed -n 's/^bands *//p')" \
    "$S2CLR" info head/model.safetensors
for tap in 2 3; do
    expect "finetune from projection layer $tap" 0 "projection layer $tap" $finetune \
        --positive Crop -o gone --tap $tap --dry-run
done
expect 'finetune to all classes' 0 'of 3 classes' $finetune -o classes --rate 0.01 \
    --class-weights 1,2,0.5
true_that 'which the card names' sh -c "$S2CLR info classes/model.safetensors --json | grep -q Water"
expect 'a share of the labels' 0 'training    14 of 3 classes' $finetune -o gone --dry-run \
    --labels-fraction 0.25
expect 'evaluate' 0 'auc' "$S2CLR" evaluate -m head/model.safetensors images --resamples 0

# ---- killed, and gone on ----

# The same names in two folders, for the command line is part of the card.
mkdir whole killed
ln -s ../images ../enc whole
ln -s ../images ../enc killed
long="$S2CLR finetune -m enc/model.safetensors images $same --positive Crop -o run --epochs 6 --patience 0 \
    --rate 0.01 --group-decay 1"
expect 'without a stop' 0 'validation AUC' sh -c "cd whole && $long --threads 1"
cd killed || exit 1
$long --threads 2 >../out 2>../err &
pid=$!
waited=0
while ! [ -s run/checkpoint.safetensors ] && [ $waited -lt 300 ]; do
    sleep 0.02
    waited=$((waited + 1))
done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
cp run/settings.json settings.before
cd ..
if [ -e killed/run/model.safetensors ]; then
    skip 'killed while it trains' 'it was too fast'
else
    true_that 'a killed run says so' grep -q 'with --resume' killed/run/run.txt
fi
refused 'other settings are no resumption' 1 'decay' sh -c \
    "cd killed && $long --resume -q --weight-decay 0.5"
true_that 'the settings stay' cmp killed/settings.before killed/run/settings.json
expect 'resume' 0 'validation AUC' sh -c "cd killed && $long --resume --threads 2"
for file in model.safetensors settings.json run.txt curves.svg; do
    true_that "the same $file" cmp whole/run/$file killed/run/$file
done
true_that 'a log line for every epoch' test "$(wc -l <killed/run/log.jsonl)" -eq 6
cp killed/run/run.txt text.before
expect 'once more' 0 'validation AUC' sh -c "cd killed && $long --resume"
true_that 'changes nothing' cmp text.before killed/run/run.txt

# ---- distill ----

teacher=whole/run/model.safetensors
distill="$S2CLR distill -m $teacher $same --arch resnet18 --width 4"
expect 'distill --dry-run' 0 'teaching    about' $distill images -o gone --dry-run
expect 'distill' 0 'best epoch' $distill images -o student --epochs 2
true_that 'judged by labels' grep -q 'of 2, validation AUC' student/run.txt
true_that 'what the teacher said is kept' test -s student/teacher.safetensors
expect 'of the last epoch' 0 'last epoch  2, without validation' $distill images -o unjudged \
    --epochs 2 --validation-share 0
expect 'with no more of its labels than that' 0 'without validation' \
    "$S2CLR" info unjudged/model.safetensors
expect 'of two teachers, hard, and labels' 0 'its decisions, with a share of 0.5' $distill \
    -m head/model.safetensors images -o two --hard --share 0.5 --epochs 1
expect 'of patches without labels' 0 'agreement with the teacher' $distill stranger -o strange \
    --temperature 3 --epochs 2
expect 'labels cannot share then' 2 'has no label' $distill stranger -o unshared --share 0.5
expect 'of classes' 0 'of 3 classes' "$S2CLR" distill -m classes/model.safetensors images $same \
    --arch resnet18 --width 4 --epochs 1 -o pupil
"$S2CLR" dataset import images labelled.store --positive Crop -q >/dev/null 2>&1
"$S2CLR" dataset import stranger bare.store -q >/dev/null 2>&1
expect 'of a store' 0 'level' $distill labelled.store -o gone --dry-run --level DN
expect 'of a store without labels' 0 'without labels' $distill bare.store -o gone --dry-run --level DN
for store in labelled bare; do
    "$S2CLR" dataset split $store.store --method random -q >/dev/null 2>&1
    expect "of recorded parts, $store" 0 'teaching    about' $distill $store.store -o gone --dry-run \
        --level DN
done
cp -r labelled.store unjudged.store
"$S2CLR" dataset split unjudged.store --method random --validation 0 -q >/dev/null 2>&1
expect 'a store without validation' 2 'validation' "$S2CLR" finetune unjudged.store -o gone $same \
    -m enc/model.safetensors --dry-run --level DN
expect 'is asked for' 0 'validation  0' "$S2CLR" finetune unjudged.store -o gone $same \
    -m enc/model.safetensors --dry-run --level DN --validation-share 0
expect 'supervised with a store' 0 'best epoch' "$S2CLR" supervised labelled.store -o plain $same \
    --arch pixel --width 4 --epochs 1 --level DN
expect 'its one class' 0 '1 = positive' "$S2CLR" info plain/model.safetensors
expect 'finetune with a store' 0 'of them positive' "$S2CLR" finetune labelled.store -o gone $same \
    -m enc/model.safetensors --dry-run --level DN

"$S2CLR" supervised images $same --arch resnet18 --width 4 --epochs 1 --positive Crop -o narrow -q \
    --image-bands 1,2 --bands-names B04,B03
expect 'of a student that sees more' 0 'best epoch' "$S2CLR" distill -m narrow/model.safetensors \
    images $same --arch resnet18 --width 4 --epochs 1 -o wide --bands-names B04,B03,B08
expect 'it has the bands of the data' 0 'B08 (mean' "$S2CLR" info wide/model.safetensors
expect 'and the class of the teacher' 0 '1 = Crop' "$S2CLR" info wide/model.safetensors

# ---- supervised, from the encoder; then a map ----

supervised="$S2CLR supervised images $same --epochs 1"
expect 'pretrain from a classifier' 0 'new: projection.1' $initial head/model.safetensors -o gone \
    --dry-run --projection 16,8
expect 'supervised from other weights' 0 'goes on     from enc/model.safetensors' $supervised \
    --positive Crop --initial enc/model.safetensors -o from
expect 'all published changes' 0 'flip+blur5' $supervised --arch resnet18 --width 4 --positive Crop \
    --augment simclr-s2 -o published
gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 64 48 -burn 60 -burn 90 -burn 30 \
    -a_srs EPSG:32632 -a_ullr 500000 5200000 500640 5199520 scene.tif >/dev/null
expect 'predict with the student' 0 'map.tif, 8 x 6 pixels' "$S2CLR" predict \
    -m student/model.safetensors --level DN --input-bands 1,2,3 scene.tif map.tif

# ---- what goes wrong ----

refused 'a missing teacher' 1 'none.safetensors' "$S2CLR" distill -m none.safetensors images -o gone
refused 'an encoder as teacher' 1 'finetune it' "$S2CLR" distill -m enc/model.safetensors images -o gone
refused 'a teacher with a band that is not there' 1 'B04' $distill images -o gone \
    --bands-names B08,B03,B02
refused 'images with fewer bands' 1 'the images have 2 bands' $distill images -o gone --image-bands 1,2
refused 'a second teacher with other outputs' 1 'has 3 outputs, the student 1' $distill \
    -m classes/model.safetensors images -o gone -q
refused 'a layer of the projection that is not there' 2 'the parent has 3' $finetune --positive Crop \
    -o gone --tap 4
refused 'none of any encoder' 2 '--tap' $finetune --positive Crop -o gone --tap 5
refused 'too many layers' 2 'has 5 layers below the new head, stem to layer4' $finetune \
    --positive Crop -o gone --last 6
refused 'no number of layers' 2 '--last some' $finetune --positive Crop -o gone --last some
refused 'weights of one class too few' 2 'one for each label' $finetune -o gone --class-weights 1,2
refused 'hidden layers of nothing' 2 '--hidden 8,x' $finetune -o gone --hidden 8,x
refused 'another architecture than the weights' 2 'stays one' $supervised -o gone \
    --initial enc/model.safetensors --arch dense
refused 'an unknown class' 2 'Wheat' $finetune --positive Wheat -o gone
refused 'a validation part of one class' 2 'validation samples are "Crop": both labels are needed' \
    $finetune --positive Crop -o gone -q --validation-share 0.004
refused 'a batch too small for contrast' 2 '--batch' $pretrain -o gone --batch 1
refused 'a run that is there' 1 'already holds a run' $finetune --positive Crop -o head
expect 'a rate that ends in infinity' 1 'lower rate' $finetune --positive Crop -o diverged -q \
    --optimiser sgd --rate 100 --warmup 0
one_line 'a rate that ends in infinity'
expect 'an encoder does not predict' 1 'finetune' "$S2CLR" predict -m enc/model.safetensors \
    --level DN --input-bands 1,2,3 scene.tif none.tif
expect 'an encoder is not evaluated' 1 'finetune' "$S2CLR" evaluate -m enc/model.safetensors images
expect 'a model of classes is evaluated' 0 'macro f1' "$S2CLR" evaluate \
    -m classes/model.safetensors images --resamples 0
mkdir images/Empty
refused 'an empty class' 1 'Empty holds no image' $finetune --positive Crop -o gone
finish
