#!/bin/sh
# The command from outside: exit codes, help, completion, the whole way from labelled
# patches to a map, and what must be left behind when something goes wrong: nothing.
rig=cli
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
unset COLUMNS S2CLR_ZOO

absent() {
    [ ! -e "$1" ] && [ -z "$(find . -name "$(basename "$1")*part*" -print)" ]
}

# ---- help, usage ----

commands='predict embed merge vrt info dataset pretrain finetune distill supervised evaluate calibrate area tsne topk model bench describe completion'
expect 'no argument' 2 's2clr predict PRODUCT map.tif' "$S2CLR"
true_that 'the first steps are no error text' test ! -s err
expect '--help' 0 'Commands:' "$S2CLR" --help
expect '-help' 0 'Commands:' "$S2CLR" -help
expect '--version' 0 's2clr ' "$S2CLR" --version
expect 'unknown command' 2 'did you mean predict' "$S2CLR" predit
for command in $commands; do
    expect "$command --help" 0 "Usage: s2clr $command" "$S2CLR" "$command" --help
    true_that "$command --help is silent on standard error" test ! -s err
    expect "help $command" 0 "Usage: s2clr $command" "$S2CLR" help "$command"
    expect "$command with an unknown option" 2 'unknown option --nonsense' \
        "$S2CLR" "$command" --nonsense
done
expect 'a number like 0.5x' 2 '0.5x' "$S2CLR" predict --min-valid 0.5x a b
expect 'one dash' 2 'did you mean --stride' "$S2CLR" predict -strid 3 a b
expect 'no output named' 2 'output is missing' "$S2CLR" predict a
expect 'unknown model' 1 'no model of that name' "$S2CLR" predict -m no-such-model a b
expect 'info names the backends' 0 'portable' "$S2CLR" info
expect 'describe as JSON' 0 '"name": "predict"' "$S2CLR" describe --json
expect 'describe one command' 0 'predict	--stride	integer' "$S2CLR" describe predict
if [ -e /dev/full ]; then
    run=$((run + 1))
    "$S2CLR" describe --json >/dev/full 2>err
    [ $? -eq 1 ] || fail 'standard output on a full disk'
else
    skip 'standard output on a full disk' 'there is no /dev/full'
fi

# ---- completion ----

if command -v bash >/dev/null; then
    completion_asker
    true_that 'completion is clean bash' bash -n completion.bash
    expect 'completes a command' 0 'predict' bash ask.bash pre
    expect 'completes an option' 0 '--min-valid' bash ask.bash predict --mi
    expect 'completes a choice' 0 'COG' bash ask.bash predict -of C
    expect 'completes a choice behind =' 0 'COG' bash ask.bash predict --of = C
    expect 'completes an option with one dash' 0 '-overwrite' bash ask.bash predict -ov
    expect 'completes a first word' 0 'import' bash ask.bash model im
    : >'a scene.tif'
    expect 'completes a file with a blank' 0 'a scene.tif' bash ask.bash predict 'a s'
else
    skip 'completion' 'bash is not installed'
fi

# ---- from labelled patches to a map ----

if ! command -v gdal_create >/dev/null; then
    skip 'end to end' 'gdal_create (gdal-bin) is not installed'
    echo "cli: $run run, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
fi

patch() { # patch FILE BRIGHTNESS
    gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 64 64 -burn "$2" -burn $(($2 + 10)) \
        -burn $(($2 / 2)) "$1" >/dev/null
}
mkdir -p data/Crop data/Other
i=0
while [ $i -lt 24 ]; do
    patch data/Crop/Crop_$i.tif $((60 + i))
    patch data/Other/Other_$i.tif $((130 + i))
    i=$((i + 1))
done
for band in B02 B03 B04; do
    gdal_create -q -of GTiff -ot Byte -outsize 200 130 -burn 90 -a_srs EPSG:32629 \
        -a_ullr 500000 4600000 502000 4598700 $band.tif >/dev/null
done
train="$S2CLR supervised data --positive Crop --width 8 --depth 1 --epochs 2 --batch 8 --micro 4 \
    --validation-share 0.3 --quiet"

expect 'supervised without --positive' 0 'of 2 classes' "$S2CLR" supervised data -o none --dry-run \
    --width 8 --depth 1 --batch 8 --micro 4
expect 'an unknown class' 2 'Wheat' "$S2CLR" supervised data -o none --positive Wheat
expect 'an unknown architecture' 2 'resnet18' $train -o none --arch alexnet
expect 'a dry run' 0 'training' "$S2CLR" supervised data -o none --positive Crop --dry-run \
    --validation-share 0.3
expect 'fewer samples than a batch make one step' 0 'epochs of 1 steps of 64' "$S2CLR" supervised \
    data -o none --positive Crop --dry-run --validation-share 0.3
true_that 'a dry run leaves nothing' test ! -e none
expect 'supervised' 0 '' $train -o run --level DN
true_that 'there is a model' test -s run/model.safetensors
expect 'a second run in the same folder' 1 'run' $train -o run --level DN
expect 'before any image is read' 1 'already holds a run' "$S2CLR" supervised no-such-data -o run \
    --positive Crop
expect 'a run folder below a file' 1 'Not a directory' "$S2CLR" supervised no-such-data \
    -o B04.tif/run --positive Crop
expect 'info MODEL' 0 'Crop' "$S2CLR" info run/model.safetensors
expect 'info MODEL --json' 0 '"bands"' "$S2CLR" info --json run/model.safetensors
expect 'evaluate' 0 'baseline' "$S2CLR" evaluate -m run/model.safetensors data --resamples 50 \
    --validation-share 0.3
expect 'evaluate --json' 0 '"auc"' "$S2CLR" evaluate -m run/model.safetensors data --json --blur \
    --resamples 20 --validation-share 0.3
bench="$S2CLR bench" small='--arch pixel --width 4 --size 16 --seconds 0.01 --windows 1'
expect 'bench infer' 0 'patches/s' $bench infer $small --device portable
expect 'bench infer of a model' 2 '--model does nothing in "bench infer"' $bench infer $small -m m.st
expect 'bench infer in parts' 2 '--micro does nothing' $bench infer $small --micro 4
expect 'bench read at a stride' 2 '--stride does nothing' $bench read B04.tif --stride 4
expect 'bench scene of a network' 2 '--arch does nothing' $bench scene B04.tif --arch pixel
zoo=dense-eurosat-permanentcrop
S2CLR_ZOO=$top/models/zoo
export S2CLR_ZOO
expect 'the shipped model is listed' 0 "$zoo" "$S2CLR" model list
expect 'the shipped model warns' 0 'never validated for irrigation' "$S2CLR" info $zoo
expect 'the shipped model maps' 0 'map of the zoo.tif, 50 x 33 pixels' "$S2CLR" predict -m $zoo \
    --level L1C B04.tif B03.tif B02.tif 'map of the zoo.tif'
expect 'the default wants ten bands' 1 'no band B05' "$S2CLR" predict B04.tif B03.tif B02.tif no.tif
mkdir ten
for band in 02 03 04 05 06 07 08 8A 11 12; do cp B04.tif ten/B$band.tif; done
expect 'the default maps' 0 'dense-l2a-permanentcrop.safetensors' "$S2CLR" predict --json --level L2A ten \
    ten.tif
expect 'images are in the level of training' 0 'level EUROSAT8' "$S2CLR" evaluate -m $zoo data \
    --positive Crop --part all --resamples 0
expect 'another level is taken when asked for' 0 'level L1C' "$S2CLR" evaluate -m $zoo data \
    --positive Crop --part all --resamples 0 --level L1C
"$S2CLR" model export $zoo -o zoo-weights.safetensors -q
cat >zoo-card.json <<'CARD'
{"id": "again", "bands": ["B04", "B03", "B02"], "mean": [1, 1, 1], "std": [1, 1, 1], "patch": 64,
 "architecture": {"name": "dense", "width": 48, "depth": 5}, "positive": "x",
 "command": "the command that trained it"}
CARD
expect 'import with a card' 0 '' "$S2CLR" model import zoo-weights.safetensors \
    --card zoo-card.json -o zoo-again.safetensors
expect 'an import keeps the training command' 0 'the command that trained it' \
    "$S2CLR" info zoo-again.safetensors
unset S2CLR_ZOO
expect 'evaluate on too large shares' 2 'more than everything' "$S2CLR" evaluate \
    -m run/model.safetensors data --validation-share 0.9

predict="$S2CLR predict -m run/model.safetensors --level DN"
expect 'info INPUT' 0 'EPSG:32629' "$S2CLR" info -m run/model.safetensors --level DN \
    B04.tif B03.tif B02.tif
expect 'predict' 0 'map.tif, 50 x 33 pixels' $predict B04.tif B03.tif B02.tif map.tif
expect 'progress lines' 0 'progress 100.0' $predict B04.tif B03.tif B02.tif map.tif --overwrite \
    --progress lines
expect 'predict --json' 0 '"valid_pixels"' $predict B04.tif B03.tif B02.tif map.tif --overwrite --json
true_that 'JSON and nothing else' test ! -s err
expect '--quiet says nothing' 0 '' $predict B04.tif B03.tif B02.tif map.tif --overwrite --quiet
true_that 'really nothing' test ! -s out
expect 'Byte output of a window' 0 'Size is 10, 10' sh -c \
    "$predict B04.tif B03.tif B02.tif byte.tif -ot Byte -srcwin 40 40 40 40 -q && gdalinfo byte.tif"
expect 'a model by its name in the zoo' 0 '' env S2CLR_ZOO=run "$S2CLR" info model
expect 'model list' 0 'model' env S2CLR_ZOO=run "$S2CLR" model list --quiet

# ---- what goes wrong leaves nothing ----

expect 'an existing output' 1 'map.tif' $predict B04.tif B03.tif B02.tif map.tif
cp B04.tif saved.tif
expect 'output = input' 2 'B04.tif' $predict B04.tif B03.tif B02.tif B04.tif --overwrite
true_that 'the input is as it was' cmp B04.tif saved.tif
mkdir product plain
cp B02.tif B03.tif B04.tif product/
echo keep >product/notes.txt
for file in B04.tif notes.txt; do
    cp product/$file saved.tif
    expect "output = $file of the input's folder" 2 'cannot be its output' $predict product \
        product/$file --overwrite
    true_that "$file is as it was" cmp product/$file saved.tif
done
ln -s "$work" plain/up
expect 'the same through a link' 2 'cannot be its output' $predict product \
    plain/up/product/B03.tif --overwrite
gdalbuildvrt -q -separate inner.vrt B04.tif B03.tif B02.tif
gdalbuildvrt -q outer.vrt inner.vrt
cp B04.tif saved.tif
for file in B04.tif inner.vrt; do
    expect "output = $file, source of a VRT of a VRT" 2 'cannot be its output' $predict \
        --input-bands 1,2,3 outer.vrt $file --overwrite
done
true_that 'the source is as it was' cmp B04.tif saved.tif
expect 'a folder without bands' 1 'neither a Sentinel-2 product' $predict plain gone.tif
expect 'a folder as model' 1 'is a folder; name the model file' "$S2CLR" predict -m run B04.tif \
    gone.tif
expect 'no area of interest' 1 'No such file' $predict --aoi none.gpkg B04.tif B03.tif B02.tif gone.tif
expect 'an output folder that is missing' 1 'its folder: No such file' $predict B04.tif B03.tif \
    B02.tif nowhere/gone.tif
mkfifo pipe
expect 'an output that is a pipe' 1 'is a device or pipe' $predict B04.tif B03.tif B02.tif pipe \
    --overwrite
true_that 'the pipe is one still' test -p pipe
expect 'a missing band' 1 'B02' $predict B04.tif B03.tif gone.tif
true_that 'no output of a missing band' absent gone.tif
expect 'a folder that cannot be written' 1 'B04.tif' $predict B04.tif B03.tif B02.tif \
    B04.tif/below.tif
expect 'an input that is none' 1 'ask.bash' $predict ask.bash gone.tif
head -c 3000 run/model.safetensors >cut.safetensors
expect 'a truncated model' 1 'cut.safetensors' "$S2CLR" predict -m cut.safetensors B04.tif gone.tif
true_that 'no output of a truncated model' absent gone.tif
expect 'an unknown level' 2 'L9' "$S2CLR" predict -m run/model.safetensors --level L9 B04.tif \
    B03.tif B02.tif gone.tif
true_that 'no output of an unknown level' absent gone.tif

# ---- weights in and out ----

expect 'model export' 0 '' "$S2CLR" model export run/model.safetensors -o weights.safetensors -q
expect 'model export once more' 1 'overwrite' "$S2CLR" model export run/model.safetensors \
    -o weights.safetensors
expect 'weights alone are no model' 1 'weights.safetensors' "$S2CLR" info weights.safetensors
"$S2CLR" info --json run/model.safetensors | sed -n '/"card": {/,/^  }/{s/^  "card": //;p;}' >card.json
expect 'model import' 0 '' "$S2CLR" model import weights.safetensors --card card.json \
    -o again.safetensors -q
expect 'the imported model predicts' 0 '' "$S2CLR" predict -m again.safetensors --level DN -q \
    B04.tif B03.tif B02.tif again.tif
true_that 'with the same result' sh -c 'gdal_translate -q -of ENVI map.tif a.raw &&
    gdal_translate -q -of ENVI again.tif b.raw && cmp a.raw b.raw'

expect 'half the size' 0 '' "$S2CLR" model import again.safetensors --weights bf16 -o half.safetensors -q
true_that 'it is' test "$(stat -c %s half.safetensors)" -lt "$(($(stat -c %s again.safetensors) * 3 / 4))"
expect 'it predicts' 0 '' "$S2CLR" predict -m half.safetensors --level DN -q B04.tif B03.tif B02.tif \
    half.tif
expect 'weights alone want a card' 2 'wants the weights' "$S2CLR" model import weights.safetensors \
    -o none.safetensors

expect 'model export as ONNX' 0 'ONNX graph' "$S2CLR" model export again.safetensors -o again.onnx
true_that 'the graph names the card' grep -q s2clr.card again.onnx
expect 'ONNX from DN' 0 '' "$S2CLR" model export again.safetensors -o dn.onnx --with-preprocessing -q
true_that 'the graph gives probabilities' grep -q probability dn.onnx
expect 'ONNX from DN of no level' 2 "no level 'L9'" "$S2CLR" model export again.safetensors \
    -o l9.onnx --with-preprocessing --level L9
expect 'preprocessing of weights' 2 'name the output' "$S2CLR" model export again.safetensors \
    -o l9.safetensors --with-preprocessing
expect 'model export as a STAC item' 0 'STAC item' "$S2CLR" model export again.safetensors \
    -o again.json
true_that 'the item names the model beside it' grep -q '"href": "again.safetensors"' again.json
for name in l9.onnx l9.safetensors; do true_that "no $name is left" absent $name; done

# The same weights without their classifier.
sed 's/"outputs": 1/"outputs": 0/' card.json >encoder.json
expect 'an encoder needs no class' 0 '' "$S2CLR" model import weights.safetensors \
    --card encoder.json -o encoder.safetensors -q
expect 'info of an encoder' 0 'none: an encoder' "$S2CLR" info encoder.safetensors
expect 'an encoder does not predict' 1 'finetune it' "$S2CLR" predict -m encoder.safetensors \
    --level DN B04.tif B03.tif B02.tif no.tif
expect 'an encoder is not evaluated' 1 'finetune it' "$S2CLR" evaluate -m encoder.safetensors data
expect 'an encoder embeds' 0 '' "$S2CLR" embed -m encoder.safetensors --level DN -q \
    B04.tif B03.tif B02.tif encoder.tif
true_that 'the same features' sh -c "$S2CLR embed -m again.safetensors --level DN -q B04.tif \
    B03.tif B02.tif features.tif && gdal_translate -q -of ENVI encoder.tif a.raw &&
    gdal_translate -q -of ENVI features.tif b.raw && cmp a.raw b.raw"

# Three colours to four bands.
python3 -c 'import json, sys
card = json.load(open("encoder.json"))
card["bands"] = ["B04", "B03", "B02", "B08"]
card["architecture"]["channels"] = 4
for where in [card] + card["levels"]:
    for key in ("mean", "std", "gain", "bias"):
        if key in where: where[key].append(where[key][0])
json.dump(card, sys.stdout)' >four.json 2>/dev/null
if [ -s four.json ]; then
    expect 'four bands of three' 1 'shape' "$S2CLR" model import weights.safetensors \
        --card four.json -o four.safetensors
    expect 'inflated' 0 '' "$S2CLR" model import weights.safetensors --card four.json \
        -o four.safetensors --inflate rgb -q
    expect 'the card tells of it' 0 'times 3/4' "$S2CLR" info four.safetensors
else
    skip 'inflating' 'python3 is not here'
fi
printf '\211HDF\r\n\032\n and nothing more' >cut.h5
cat >keras-card.json <<'CARD'
{"bands": ["B04", "B03", "B02"], "mean": [1, 1, 1], "std": [1, 1, 1], "patch": 64,
 "architecture": {"name": "resnet50-keras", "outputs": 0}}
CARD
expect 'a file of Keras that was cut off' 1 'cut.h5: ' "$S2CLR" model import cut.h5 \
    --card keras-card.json -o of-keras.safetensors
true_that 'no model is left' absent of-keras.safetensors

# ---- signals ----

gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 6000 6000 -burn 90 -burn 100 -burn 40 \
    -co TILED=YES -co COMPRESS=DEFLATE -a_srs EPSG:32629 \
    -a_ullr 500000 4600000 560000 4540000 big.tif >/dev/null
interrupt() { # interrupt SIGNAL CODE [SIGNAL at once after]
    run=$((run + 1))
    : >out # what the last one left there is no progress of this one
    $predict --input-bands 1,2,3 --device portable --progress lines big.tif stopped.tif >out 2>err &
    pid=$!
    waited=0
    while ! grep -q progress out && [ $waited -lt 100 ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    kill "-$1" $pid
    [ -z "$3" ] || kill "-$3" $pid
    wait $pid
    got=$?
    [ "$got" -eq "$2" ] || fail "SIG$1 $3: exit code $got, wanted $2"
    absent stopped.tif || fail "SIG$1 $3 left something behind"
}
interrupt TERM 143
# A shell without job control starts background jobs with SIGINT ignored; the command takes it back.
interrupt INT 130
# Started under nohup(1), the command goes on, and so must the test: bit 0 of the mask is SIGHUP.
if [ $((0x$(sed -n 's/^SigIgn:[[:space:]]*.*\(.\)$/\1/p' /proc/self/status) % 2)) -eq 1 ]; then
    skip 'SIGHUP' 'it is ignored here (nohup)'
else
    interrupt HUP 129
fi
# timeout(1) and terminals send a signal twice.
interrupt TERM 143 TERM
interrupt INT 130 INT
run=$((run + 1))
{ $predict --input-bands 1,2,3 --device portable --progress lines big.tif stopped.tif 2>err; echo $? >code; } |
    head -n 1 >out
[ "$(cat code)" -eq 141 ] || fail "a closed pipe: exit code $(cat code), wanted 141"
[ ! -s err ] || fail 'a closed pipe is no error to speak of'
absent stopped.tif || fail 'a closed pipe left something behind'

# ---- a full disk ----

mkdir small
if mount -t tmpfs -o size=64k none small 2>/dev/null; then
    expect 'a full disk' 1 'small/map.tif' $predict B04.tif B03.tif B02.tif small/map.tif \
        --stride 4 -co COMPRESS=NONE -co TILED=YES
    true_that 'a full disk keeps nothing' sh -c '[ -z "$(ls -A small)" ]'
    umount small
else
    skip 'a full disk' 'a tmpfs cannot be mounted here'
fi

finish
