#!/bin/sh
# The shell as a home: what a terminal shows and a pipe does not, JSON from every command, exit
# codes, suggestions, completion of every command, and the odd things that people type.
rig=shell
. "${srcdir:-.}/tests/rig.sh"
wants gdal_create python3
in_work_folder
unset COLUMNS NO_COLOR
S2CLR_ZOO=$top/models/zoo
export S2CLR_ZOO
ESC=$(printf '\033')

# ---- data: patches, an encoder, a model, a scene, its map, a store ----

patches_of Crop 24
patches_of Other 24
small='--arch resnet18 --width 8 --batch 8 --micro 4 --quiet'
expect 'an encoder' 0 '' "$S2CLR" pretrain data -o enc --epochs 1 $small
expect 'a model' 0 '' "$S2CLR" supervised data -o run --positive Crop --epochs 4 --level DN $small \
    --validation-share 0.3
model=run/model.safetensors
gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 200 130 -burn 90 -burn 100 -burn 40 \
    -a_srs EPSG:32629 -a_ullr 500000 4600000 502000 4598700 'a scene.tif'
map="-m $model --level DN --input-bands 1,2,3"
mkdir product
for band in 2 3 4; do
    gdal_translate -q -b $((5 - band)) 'a scene.tif' product/B0$band.tif
done
expect 'a map' 0 '' "$S2CLR" predict $map -q 'a scene.tif' map.tif
expect 'a store' 0 '' "$S2CLR" dataset import data store --positive Crop -q
cat >points.csv <<'END'
lon,lat,label
-8.994,41.545,1
-8.985,41.542,0
END

# ---- one JSON document, and nothing else, from every command that answers something ----

is_json() { # is_json NAME COMMAND...
    name=$1
    shift
    run=$((run + 1))
    "$@" --json >out 2>err || { fail "$name --json: exit code $?"; return; }
    python3 -c 'import json, sys
document = json.load(open("out"))
assert isinstance(document, (dict, list)) and document, "something in it"' 2>>err ||
        fail "$name --json: not one JSON document"
}

answer() { # answer COMMAND: an invocation of it that works
    case $1 in
    predict) is_json "$1" "$S2CLR" predict $map 'a scene.tif' json.tif --overwrite ;;
    embed) is_json "$1" "$S2CLR" embed $map 'a scene.tif' features.tif ;;
    merge)
        for part in 1 2; do
            expect "part $part" 0 '' "$S2CLR" predict $map -q --shard $part/2 'a scene.tif' parts.tif
        done
        is_json "$1" "$S2CLR" merge parts.shard-1-of-2.tif parts.shard-2-of-2.tif parts.tif
        ;;
    vrt) is_json "$1" "$S2CLR" vrt view $map 'a scene.tif' view.vrt ;;
    info)
        is_json "$1" "$S2CLR" info
        is_json "$1 of a model" "$S2CLR" info $model
        is_json "$1 of a scene" "$S2CLR" info $map 'a scene.tif'
        ;;
    'dataset create') is_json "$1" "$S2CLR" dataset create product created.store --chips \
        --patch 16 --labels points.csv --field label --positive-values 1 ;;
    'dataset import') is_json "$1" "$S2CLR" dataset import data imported.store ;;
    'dataset info' | 'dataset stats' | 'dataset verify') is_json "$1" "$S2CLR" $1 store ;;
    'dataset split') is_json "$1" "$S2CLR" dataset split store --method random ;;
    'dataset export') is_json "$1" "$S2CLR" dataset export store records.csv --to csv ;;
    pretrain)
        is_json "$1" "$S2CLR" pretrain data -o json-enc --epochs 1 $small
        is_json "$1 --dry-run" "$S2CLR" pretrain data -o none --epochs 1 $small --dry-run
        ;;
    finetune) is_json "$1" "$S2CLR" finetune -m enc/model.safetensors data -o json-tuned \
        --positive Crop --epochs 1 --batch 8 --micro 4 ;;
    distill) is_json "$1" "$S2CLR" distill -m $model data -o json-small --epochs 1 $small ;;
    supervised) is_json "$1" "$S2CLR" supervised data -o json-run --positive Crop --epochs 1 $small ;;
    'sweep augment') is_json "$1" "$S2CLR" sweep augment data -o json-pairs --dry-run ;;
    'sweep settings') is_json "$1" "$S2CLR" sweep settings data -o json-settings --dry-run ;;
    evaluate) is_json "$1" "$S2CLR" evaluate -m $model data --part all --resamples 20 ;;
    calibrate) is_json "$1" "$S2CLR" calibrate -m $model data -o calibrated.safetensors \
        --validation-share 0.4 ;;
    tsne) is_json "$1" "$S2CLR" tsne -m $model data -o tsne.html --part all --perplexity 5 ;;
    topk) is_json "$1" "$S2CLR" topk -m $model data -o sheet.html --part all \
        --above 0.01 ;;
    area) is_json "$1" "$S2CLR" area map.tif --draw 20 -o samples.gpkg ;;
    model)
        is_json "$1 list" "$S2CLR" model list
        is_json "$1 export" "$S2CLR" model export $model -o weights.safetensors
        is_json "$1 import" "$S2CLR" model import $model --weights bf16 -o half.safetensors
        ;;
    bench) is_json "$1" "$S2CLR" bench read $map 'a scene.tif' --windows 1 ;;
    describe) is_json "$1" "$S2CLR" describe ;;
    completion) ;; # answers with a script
    *) fail "$1: no invocation in this test" ;;
    esac
}

"$S2CLR" describe | cut -f 1 | sort -u >names
while read -r name; do answer "$name" </dev/null; done <names

# ---- predict --dry-run ----

rm -f said
before=$(ls -A)
expect 'a dry run' 0 'patches/s' "$S2CLR" predict $map 'a scene.tif' planned.tif --dry-run
cp out said
true_that 'it says what would be written' grep -q '^map  *planned.tif, 25 x 17 pixels' said
expect 'a dry run onto a map' 0 'exists already: choose' "$S2CLR" predict $map 'a scene.tif' map.tif \
    --dry-run
expect 'and with --overwrite' 0 'would be replaced' "$S2CLR" predict $map 'a scene.tif' map.tif \
    --dry-run --overwrite
expect 'a dry run of embeddings' 0 'planned.tif' "$S2CLR" embed $map 'a scene.tif' planned.tif --dry-run
expect 'a dry run refuses what a run refuses' 1 'its folder' "$S2CLR" predict $map 'a scene.tif' \
    none/planned.tif --dry-run
is_json 'a dry run' "$S2CLR" predict $map 'a scene.tif' planned.tif --dry-run
cp out said
true_that 'with seconds and bytes' python3 -c 'import json
plan = json.load(open("said"))
assert plan["dry_run"] and plan["seconds"]["compute"] > 0 and plan["output"]["bytes"] == 25 * 17 * 4
assert plan["reading"]["decode_bytes"] == 200 * 130 * 3 and not plan["output"]["exists"]'
rm -f said
true_that 'dry runs write nothing' test "$(ls -A)" = "$before"

# ---- suggestions ----

expect 'a mistyped command' 2 'did you mean predict' "$S2CLR" pedict
expect 'a mistyped family' 2 'did you mean dataset import' "$S2CLR" datset import
expect 'a mistyped command of a family' 2 'did you mean dataset import' "$S2CLR" dataset imprt
expect 'a family mistyped alone' 2 'did you mean dataset' "$S2CLR" dataste
expect 'in capitals' 2 'did you mean predict' "$S2CLR" PREDICT
expect 'help for a mistyped command' 2 'did you mean evaluate' "$S2CLR" help evalaute
expect 'nothing near' 2 'unknown command "xyzzy"; ' "$S2CLR" xyzzy
expect 'a mistyped option' 2 'did you mean --overwrite' "$S2CLR" predict --overwirte a b
expect 'a mistyped choice' 2 'did you mean COG?' "$S2CLR" predict -of COGG a b
expect 'a choice in small letters' 2 'did you mean GTiff?' "$S2CLR" predict -of gtiff a b
expect 'a mistyped model' 1 'did you mean dense-eurosat-permanentcrop' "$S2CLR" info \
    -m dense-eurosat-permanentcorp 'a scene.tif'
expect 'a mistyped architecture' 2 'did you mean resnet18' "$S2CLR" supervised data -o none \
    --positive Crop --arch resnet1
expect 'a mistyped band' 2 'did you mean B04' "$S2CLR" info -m dense-eurosat-permanentcrop \
    --input-bands B004=1,B03=2,B02=3 'a scene.tif'
expect 'a band that is another one' 2 '"B08" is no band of the model (B04,B03,B02); ' "$S2CLR" info \
    -m dense-eurosat-permanentcrop --input-bands B08=1,B03=2,B02=3 'a scene.tif'
expect 'a mistyped output band' 2 'did you mean entropy' "$S2CLR" predict $map --bands entropie \
    'a scene.tif' none.tif
expect 'a mistyped device' 2 'did you mean portable' "$S2CLR" predict $map --device portabel \
    'a scene.tif' none.tif
expect 'a mistyped class' 2 'Crop' "$S2CLR" supervised data -o none --positive Crpo

# ---- a device that does not work ----

fake=$tools/.libs/fake_backend.so
if [ -f "$fake" ]; then
    mkdir gpu
    ln -s "$fake" gpu/s2clr_cuda.so
    ln -s "$fake" gpu/libcuda.so.1
    broken() {
        env S2CLR_BACKEND_PATH="$work/gpu" S2CLR_FAKE=device \
            LD_LIBRARY_PATH="$work/gpu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$S2CLR" predict $map "$@"
    }
    expect 'where the device does not work the CPU computes' 0 \
        'warning: computing on the CPU (portable), as the device of the backend cuda cannot be used' \
        broken 'a scene.tif' gpu.tif
    true_that 'why is said once' [ "$(grep -c '3 fans are missing' err)" -eq 1 ]
    expect 'who asks for that device gets an error' 1 '3 fans are missing' \
        broken 'a scene.tif' none.tif --device cuda
    true_that 'and nothing else' test ! -e none.tif
fi

# ---- a backend that should be there ----

mkdir nowhere
if "$S2CLR" info | grep -q 'onednn  *oneDNN'; then
    expect 'without its fast backend the command warns' 0 'ten times slower than onednn' \
        env S2CLR_BACKEND_PATH=nowhere "$S2CLR" predict $map 'a scene.tif' slow.tif
    expect 'not when asked to be quiet' 0 '' env S2CLR_BACKEND_PATH=nowhere "$S2CLR" predict $map \
        'a scene.tif' slow.tif --overwrite -q
    true_that 'it is quiet' test ! -s err
    expect 'not when asked for the slow one' 0 '' env S2CLR_BACKEND_PATH=nowhere "$S2CLR" predict \
        $map 'a scene.tif' slow.tif --overwrite --device portable
    true_that 'without a warning' test ! -s err
    expect 'nor when nothing is computed' 0 '' env S2CLR_BACKEND_PATH=nowhere "$S2CLR" dataset info store
    true_that 'without a warning there' test ! -s err
else
    skip 'a missing backend' 'this build has the portable backend only'
fi

# ---- a terminal ----

if ! command -v script >/dev/null || ! script --version 2>/dev/null | grep -q util-linux; then
    skip 'a terminal' 'script (util-linux) is not installed'
else
    on_terminal() { # on_terminal COLUMNS COMMAND: what it shows, in `seen`
        script -qec "stty cols $1 2>/dev/null; $2" /dev/null </dev/null >seen 2>/dev/null
    }
    shows() { true_that "$1" grep -q -F -e "$2" seen; }
    hides() { true_that "$1" sh -c "test -s seen && ! grep -q -F -e '$2' seen"; }
    TERM=xterm
    export TERM
    on_terminal 80 "'$S2CLR' predict --nonsense"
    shows 'an error has a red name on a terminal' "$ESC[1;31ms2clr predict:$ESC[0m unknown option"
    expect 'no colour in a pipe' 2 's2clr predict: unknown option' "$S2CLR" predict --nonsense
    true_that 'really none' sh -c "! grep -q '$ESC' err"
    on_terminal 80 "NO_COLOR=1 '$S2CLR' predict --nonsense"
    hides 'NO_COLOR is respected' '[1;31m'
    on_terminal 80 "TERM=dumb '$S2CLR' predict --nonsense"
    hides 'a dumb terminal gets no escape' "$ESC"
    on_terminal 80 "'$S2CLR' predict $map --scl auto 'a scene.tif' coloured.tif --device portable"
    shows 'a warning has a yellow word' "$ESC[1;33mwarning:$ESC[0m"
    # A name that would steer the terminal.
    expect 'a name with an escape' 2 'unknown command' "$S2CLR" "$(printf 'x\033[31mx\007')"
    true_that 'is shown without it' sh -c "! grep -q '$ESC' err"

    gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 200 200 -burn 90 -burn 100 -burn 40 \
        -a_srs EPSG:32629 -a_ullr 500000 4600000 502000 4598000 big.tif
    bar="'$S2CLR' predict $map --device portable big.tif bar.tif --overwrite"
    frames() { # frames: the widths of what was drawn between carriage returns
        tr '\r' '\n' <seen | sed "s/$ESC\\[[0-9;]*[A-Za-z]//g" | awk '/ %/ && !/histogram|valid|[0-9]-[0-9]/ { print length($0) }'
    }
    on_terminal 80 "$bar"
    shows 'a bar is drawn' 'predict ['
    shows 'its finished part is green' "$ESC[32m#"
    frames >widths
    true_that 'no frame is wider than the terminal' awk '$1 > 79 { exit 1 }' widths
    on_terminal 30 "$bar"
    frames >widths
    true_that 'a narrow terminal has a bar' test -s widths
    true_that 'that fits' awk '$1 > 29 { exit 1 }' widths
    on_terminal 80 "TERM=dumb $bar"
    hides 'no bar on a dumb terminal' 'predict ['
    on_terminal 80 "$bar 2>&1 | cat"
    hides 'no bar in a pipe' 'predict ['
    on_terminal 80 "$bar 2>said.txt"
    shows 'a bar when errors go to a file, on the other stream' 'predict ['
    true_that 'and nothing of it in the file' test ! -s said.txt
    on_terminal 80 "$bar --quiet; echo quiet"
    hides 'no bar with --quiet' 'predict ['
    # A window that becomes narrow while the bar is drawn; SIGTERM when that was seen.
    gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 1500 1500 -burn 90 -burn 100 -burn 40 \
        -a_srs EPSG:32629 -a_ullr 500000 4600000 515000 4585000 long.tif
    cat >resize.py <<'END'
import fcntl, os, pty, re, struct, subprocess, sys, termios
def resize(columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
def frame():
    global text
    while True:
        text += os.read(terminal, 4096).decode(errors="replace")
        if text.count("\r") > 1:
            first, text = text.split("\r", 2)[1:]
            text = "\r" + text
            first = re.sub("\033\\[[0-9;]*[A-Za-z]", "", first)
            if " %" in first:
                return len(first.rstrip())
terminal, own = pty.openpty()
text = ""
resize(100)
child = subprocess.Popen(sys.argv[1:], stdin=own, stdout=own, stderr=own, start_new_session=True)
os.close(own) # so that reading fails when it ends too early
wide = frame()
resize(35)
narrow = next(n for n in iter(frame, None) if n < 35)
child.terminate()
code = child.wait()
assert wide > 35 and code == 143, (wide, narrow, code)
END
    true_that 'a bar that becomes narrow with its window' timeout 100 python3 resize.py "$S2CLR" \
        predict $map --device portable long.tif resized.tif
fi

# ---- completion in a real bash ----

if command -v bash >/dev/null; then
    completion_asker
    true_that 'bash knows the function' bash -c '. ./completion.bash; complete -p s2clr | grep -q _s2clr'
    while read -r name; do
        # shellcheck disable=SC2086 # a command of two words
        bash ask.bash $name -- | sort >offered
        "$S2CLR" describe "$name" | cut -f 2 | grep '^--' | sort >known
        true_that "completes the options of $name" sh -c \
            'test -s known && ! grep -v -x -F -f offered known'
    done <names
    expect 'the second word' 0 'import' bash ask.bash dataset im
    expect 'a model of the zoo' 0 'dense-eurosat-permanentcrop' bash ask.bash predict -m dense
    : >notes.txt
    expect 'a model file' 0 'weights.safetensors' bash ask.bash predict -m we
    bash ask.bash predict --model '' >offered
    true_that 'models, not notes' sh -c '! grep -q notes.txt offered && grep -q weights offered'
    expect 'a folder' 0 'run' bash ask.bash supervised data -o ru
    bash ask.bash predict a >offered
    true_that 'a raster with a blank' grep -q -x 'a scene.tif' offered
    expect 'whatever there is, where nothing fits' 0 'notes.txt' bash ask.bash predict notes
    expect 'a template' 0 'masked' bash ask.bash vrt mas
else
    skip 'completion' 'bash is not installed'
fi

# ---- odd things ----

closed() { # closed NAME CODE COMMAND...: standard output is closed
    name=$1 code=$2
    shift 2
    run=$((run + 1))
    "$@" >&- 2>err
    got=$?
    : >out
    [ $got -eq "$code" ] || fail "$name: exit code $got, wanted $code"
}
closed 'a closed standard output' 1 "$S2CLR" describe
cp err said
true_that 'says so' grep -q 'standard output: cannot be written' said
closed 'a map with a closed standard output' 1 "$S2CLR" predict $map 'a scene.tif' closed.tif
closed 'quiet, it needs none' 0 "$S2CLR" predict $map 'a scene.tif' quiet.tif -q
true_that 'no text got into the map' gdalinfo -checksum quiet.tif
true_that 'which is as the other one' sh -c 'gdal_translate -q -of ENVI map.tif a.raw &&
    gdal_translate -q -of ENVI quiet.tif b.raw && cmp a.raw b.raw'
run=$((run + 1))
"$S2CLR" predict $map 'a scene.tif' deaf.tif -q >&- 2>&- <&- || fail 'with all streams closed'
true_that 'it makes the same map' sh -c 'gdal_translate -q -of ENVI deaf.tif b.raw && cmp a.raw b.raw'
if [ -e /dev/full ]; then
    for words in 'info' 'describe' '--help' '--version' 'model list' 'predict --help'; do
        run=$((run + 1))
        # shellcheck disable=SC2086 # several words
        "$S2CLR" $words >/dev/full 2>err
        [ $? -eq 1 ] && grep -q 'standard output: cannot be written' err ||
            fail "$words to a full disk"
    done
else
    skip 'standard output on a full disk' 'there is no /dev/full'
fi
expect 'standard input is no input' 2 'nothing is read from standard input' "$S2CLR" predict $map - x.tif
expect 'standard output is no map' 2 'written to standard output' "$S2CLR" predict $map 'a scene.tif' -
expect 'nor a report' 2 'written to standard output' "$S2CLR" evaluate -m $model data -o -
true_that 'no file of that name' test ! -e ./-
expect 'a file of that name may be meant' 0 '' "$S2CLR" predict $map 'a scene.tif' ./- -q
true_that 'and is made' test -s ./-
rm -f ./-
expect 'options end at --' 0 '' "$S2CLR" predict $map -q -- 'a scene.tif' --odd.tif
true_that 'so names may begin with them' test -s ./--odd.tif
expect 'an option given twice' 2 'given twice: "8" and "4"' "$S2CLR" predict --stride 8 --stride 4 a b
expect 'the same value twice' 2 'given twice' "$S2CLR" predict -of COG -of COG a b
expect 'a switch twice is one' 0 '' "$S2CLR" predict $map -q -q --overwrite --overwrite 'a scene.tif' map.tif
for option in --aoi --model --stride --min-valid --bands --scl --level --boa-offset --input-bands -of \
    --srcwin --projwin --co --shard --device --threads --config; do
    expect "$option with an empty value" 2 "${option#--}" "$S2CLR" predict $option '' 'a scene.tif' x.tif
done
expect 'an empty input' 2 'not an empty word' "$S2CLR" predict '' x.tif
expect 'an empty output' 2 'not an empty word' "$S2CLR" predict 'a scene.tif' ''
expect 'a value forgotten at the end' 2 'but nothing follows' "$S2CLR" predict a b --stride
expect 'a value forgotten before an option' 2 'but --overwrite follows' "$S2CLR" predict --stride \
    --overwrite a b
expect 'a value for a switch' 2 'it is a switch' "$S2CLR" predict --overwrite=yes a b
true_that 'nothing was made' test ! -e x.tif

finish
