#!/bin/sh
# Every command with --json, on names that are not UTF-8: what it prints is JSON all the same, the
# file of --results says the same, and every result that dialogs are promised is in it.
rig=json
. "${srcdir:-.}/tests/rig.sh"
wants python3 gdal_create gdal_translate ogrinfo
in_work_folder
latin=$(printf 'caf\351')
S2CLR_VRT_TEMPLATES=${S2CLR_VRT_TEMPLATES:-$top/vrt_templates}
export S2CLR_VRT_TEMPLATES
"$S2CLR" describe --json >table.json
patches_of Crop 24
patches_of Other 24
cp -r data "$latin"
safe=$("$tools/make_safe" . 3600 3600 2>err) || skip_all 'this GDAL cannot write the made-up product'
scene=$latin.tif model=$latin.safetensors run_folder=$latin.run store=$latin.store
true_that 'a scene' gdal_translate -q "SENTINEL2_L2A:$safe/MTD_MSIL2A.xml:10m:EPSG_32630" "$scene"
true_that 'a model' "$tools/make_model" "$model"

count=0
tell() { # tell COMMAND WORD...: COMMAND may have two words; a result goes to a file as well
    count=$((count + 1))
    command=$1
    shift
    printf '%s' "$command" >"$count.command"
    results=
    python3 -c 'import json, sys
one = next(c for c in json.load(open("table.json"))["commands"] if c["name"] == sys.argv[1])
sys.exit(not one["results"])' "$command" && results="--results=$count.file"
    case " $* " in *' --dry-run '*) results= ;; esac # a plan has no results
    [ -n "$results" ] || : >"$count.none"
    # shellcheck disable=SC2086 # several words, or none
    expect "$command, $count" 0 '' "$S2CLR" $command --json $results "$@"
    mv out "$count.json"
}

# ---- maps ----

tell info
tell info -m "$model"
tell info "$scene" -m "$model"
tell predict -m "$model" "$scene" "$latin.map.tif" --polygons "$latin.gpkg" --report "$latin.html"
tell predict -m "$model" "$scene" "$latin.dry.tif" --dry-run --shard 1/2
tell embed -m "$model" "$scene" "$latin.features.tif"
for i in 1 2; do tell predict -m "$model" "$scene" "$latin.cut.tif" --shard $i/2; done
tell merge "$latin".cut.shard-[12]-of-2.tif "$latin.whole.tif" --polygons "$latin.whole.gpkg"
cp "$model" plain.safetensors # a VRT is XML and names what it reads
cp "$scene" plain.tif
tell vrt view -m plain.safetensors plain.tif "$latin.s2clr"
tell vrt --list
tell area "$latin.map.tif" --draw 20 --threshold 0.5 -o "$latin.samples.gpkg"
ogrinfo -q "$latin.samples.gpkg" -sql 'UPDATE samples SET label = id % 2' >said 2>&1
tell area "$latin.map.tif" "$latin.samples.gpkg" --threshold 0.5 -o "$latin.area.html"

# ---- data sets, and training ----

true_that 'labels' gdal_translate -q -ot Byte -b 1 -scale 0 65535 1 1 plain.tif "$latin.labels.tif"
tell 'dataset create' plain.tif "$latin.cut.store" --labels "$latin.labels.tif" --positive-values 1
tell 'dataset import' data "$store" --positive Crop
tell 'dataset split' "$store" --method random
tell 'dataset info' "$store"
tell 'dataset stats' "$store"
tell 'dataset verify' "$store"
tell 'dataset export' "$store" "$latin.out" --to csv
small='--device portable --batch 8 --epochs 1'
shape='--arch resnet18 --width 4'
# shellcheck disable=SC2086 # several words
{
    tell pretrain "$latin" -o "$latin.enc" --projection 8,4 --neighbours 3 $small $shape
    tell supervised "$latin" -o "$run_folder" --validation-share 0.3 --positive Crop $small $shape
    tell finetune -m "$latin.enc/model.safetensors" "$latin" -o "$latin.fine" --positive Crop $small
    tell distill -m "$run_folder/model.safetensors" "$latin" -o "$latin.small" --validation-share 0.3 \
        $small $shape
    for recipe in pretrain supervised; do
        tell $recipe "$latin" -o "$latin.$recipe" $small $shape --dry-run
    done
    tell 'sweep augment' "$latin" -o "$latin.sweep" --dry-run --probe Crop $small $shape
    tell 'sweep settings' "$latin" -o "$latin.trials" --dry-run --probe Crop $shape
}
trained=$run_folder/model.safetensors
tell calibrate -m "$trained" "$latin" -o "$latin.calibrated.safetensors" --part all
tell evaluate -m "$trained" "$latin" --part all --resamples 20 -o "$latin.report.html"
tell topk -m "$trained" "$latin" -o "$latin.sheet.html" --above 0
printf 'rank,name,probability,mark\n1,%s,0.9,right\n2,b,0.8,wrong\n' "$latin" >"$latin.csv"
tell evaluate "$latin.csv"
tell tsne -m "$trained" "$latin" -o "$latin.tsne.html" --part all --perplexity 5
tell model list
tell model import "$trained" -o "$latin.taken.safetensors"
tell model export "$trained" -o "$latin.weights.safetensors"
tell bench infer --arch pixel --width 4 --size 16 --seconds 0.01 --windows 1 --threads 1 --device portable
tell describe predict

# ---- what was told ----

cat >check.py <<'END'
import glob, json, os
commands = [c for c in json.load(open("table.json"))["commands"]
            if any(p["name"] == "json" for p in c["parameters"])]
missing = object()

def at(whole, place):
    for key in place.split("."):
        if isinstance(whole, list):
            whole = whole[int(key)] if key.isdigit() and int(key) < len(whole) else missing
        else:
            whole = whole.get(key, missing) if isinstance(whole, dict) else missing
    return whole

told = {}
for name in glob.glob("*.command"):
    number = name[:-len(".command")]
    text = open(number + ".json", encoding="utf-8").read()
    told.setdefault(open(name).read(), []).append((number, json.loads(text)))
for command in commands:
    runs = told.get(command["name"], [])
    if not runs:
        print("%s was not asked" % command["name"])
    for number, whole in runs:
        if not os.path.exists(number + ".none") and \
                json.load(open(number + ".file", encoding="utf-8")) != whole:
            print("%s, %s: --results says something else" % (command["name"], number))
    for row in command["results"]:
        found = [at(whole, row["place"]) for _, whole in runs]
        kinds = (str,) if row["type"] == "text" else (int, float)
        if not any(isinstance(one, kinds) for one in found):
            print("%s: no %s in what it says" % (command["name"], row["place"]))
END
run=$((run + 1))
python3 check.py >out 2>err
if [ -s out ] || [ -s err ]; then fail 'JSON, files and promised results'; fi
expect 'results without a folder' 1 'nowhere' "$S2CLR" predict -m "$model" "$scene" late.tif \
    --results nowhere/results.json
true_that 'are refused before the work' test ! -e late.tif
expect 'results in the place of the map' 1 'exists already' "$S2CLR" predict -m "$model" "$scene" \
    late.tif --results late.tif
true_that 'leave the map' gdalinfo late.tif
expect 'backends below a folder of another alphabet' 0 '"portable"' \
    env S2CLR_BACKEND_PATH="$PWD/$latin" "$S2CLR" info --json
cp out out.json
true_that 'are all told' python3 -c 'import json, sys
sys.exit(not any(b["name"] == "onednn" for b in json.load(open(sys.argv[1]))["backends"]))' out.json
expect 'an old file of results' 1 'exists already; --results wants a new name' "$S2CLR" predict \
    -m "$model" "$scene" "$latin.late.tif" --results check.py
true_that 'is found before anything is made' test ! -e "$latin.late.tif"
finish
