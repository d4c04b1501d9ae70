#!/bin/sh
# `s2clr evaluate` from outside: several models beside the baselines, shares of positives, groups of
# a store, K classes, a map at points, marks of a contact sheet, and what is refused.
rig=evaluate
. "${srcdir:-.}/tests/rig.sh"
wants gdal_create gdal_translate python3
in_work_folder

# number FILE EXPRESSION: a value of a JSON file, as Python prints it ("j" is the whole)
number() {
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2"
}

# same NAME FILE EXPRESSION WANTED
same() {
    run=$((run + 1))
    got=$(number "$2" "$3" 2>err)
    [ "$got" = "$4" ] || { tail -n 1 err >out; : >err; fail "$1: $3 is \"$got\", not $4"; }
}

patches_of Crop 16
patches_of Other 16
train="$S2CLR supervised data --arch resnet18 --width 4 --batch 8 --device portable \
    --validation-share 0.3 --test-share 0.4 --quiet --rate 0.01"
share='--validation-share 0.3 --test-share 0.4'
expect 'a model' 0 '' $train --positive Crop --epochs 2 -o one
expect 'another' 0 '' $train --positive Crop --epochs 1 --seed 2 -o two
expect 'one of classes' 0 '' $train --epochs 2 -o classes
expect 'one of the other class' 0 '' $train --positive Other --epochs 1 -o other
one=one/model.safetensors two=two/model.safetensors

# ---- several models, baselines, shares ----

evaluate="$S2CLR evaluate --device portable --resamples 50 --filters 8"
expect 'two models' 0 'baseline: random' $evaluate -m $one -m $two data $share -o page.html
true_that 'the page is there' grep -q '</html>' page.html
true_that 'with four curves and the classes' sh -c '[ "$(grep -c "<svg" page.html)" -eq 5 ]'
expect 'as JSON' 0 '"rows"' $evaluate -m $one -m $two data $share --json --prevalence 0.05 \
    --prevalence 0.2
cp out two.json
same 'models before baselines' two.json '[r["kind"] for r in j["rows"]]' \
    "['model', 'model', 'baseline', 'baseline']"
same 'shares asked for, besides half' two.json \
    '[round(a["prevalence"], 6) for a in j["rows"][0]["at_prevalence"]][1:]' '[0.5, 0.05, 0.2]'
same 'precision follows from recall, false positives and share' two.json \
    'all(abs(a["same_decisions"]["precision"]["value"] - r * q / (r * q + f * (1 - q))) < 1e-9
     for w in j["rows"] for a in w["at_prevalence"]
     for q in [a["prevalence"]] for r in [w["metrics"]["recall"]["value"]]
     for f in [1 - w["metrics"]["specificity"]["value"]] if r * q + f > 0)' True
same 'what scripts read' two.json \
    '[k for k in ("model", "id", "sha256", "positive", "level", "part", "disturbance", "classes",
     "no_baseline") if k not in j]' '[]'
expect 'alone' 0 '' $evaluate -m $one data $share --json
cp out alone.json
same 'a model has the same numbers in company' two.json \
    'j["rows"][0]["metrics"] == json.load(open("alone.json"))["rows"][0]["metrics"]' True
same 'by default at 50, 10 and 2.3 %' alone.json \
    '[a["prevalence"] for a in j["rows"][0]["at_prevalence"]][1:]' '[0.5, 0.1, 0.023]'
expect 'without random features' 0 'random convolutional features were left out' $S2CLR evaluate \
    -m $one data $share --filters 0 --resamples 0
expect 'judged on its training part' 0 'its numbers are too good' $evaluate -m $one data $share \
    --part train
expect 'on its validation part' 0 'judged on the samples its threshold was chosen on' $evaluate \
    -m $one data $share --part validation
expect 'models of two classes' 1 'one finds "Crop", the other "Other"' $evaluate -m $one \
    -m other/model.safetensors data
expect 'unless they are asked for one' 0 '' $evaluate -m $one -m other/model.safetensors data \
    $share --positive Crop
expect 'binary and of classes' 1 'one tells classes apart' $evaluate -m $one \
    -m classes/model.safetensors data
expect 'a linear probe' 0 '"frozen features + logistic regression of ' $evaluate --json -m $one \
    --probe $two data $share
expect 'a probe of other patches' 1 'reads the patches as the first' $evaluate -m $one data $share \
    --probe "$top/models/zoo/resnet18-l2a-encoder.safetensors"
expect 'a probe of a map' 2 'does nothing with --map' "$S2CLR" evaluate --map map.tif points.csv --probe $one
expect 'an odd number of filters' 2 'even number' "$S2CLR" evaluate -m $one data --filters 7
expect 'too many shares' 2 'at most' "$S2CLR" evaluate -m $one data --prevalence 0.1 \
    --prevalence 0.2 --prevalence 0.3 --prevalence 0.4 --prevalence 0.6 --prevalence 0.7 \
    --prevalence 0.8 --prevalence 0.9
expect 'no folder for the page' 1 'nowhere' $evaluate -m $one data $share -o nowhere/page.html
expect 'an option of maps' 2 'without --map' $evaluate -m $one data --label-column x
expect 'images have only classes' 2 'by class only' $evaluate -m $one data $share --group country

# ---- classes ----

expect 'classes' 0 'macro f1' $evaluate -m classes/model.safetensors data $share -o classes.html
true_that 'with a confusion matrix' grep -q 'confusion-0' classes.html
expect 'classes as JSON' 0 '"confusion"' $evaluate -m classes/model.safetensors data $share --json
cp out classes.json
same 'rows add up to the samples' classes.json \
    'all([sum(l) for l in r["metrics"]["confusion"]] == [c["n"] for c in r["metrics"]["classes"]]
     for r in j["rows"])' True
same 'three of them' classes.json '[r["kind"] for r in j["rows"]]' "['model', 'baseline', 'baseline']"
expect 'a model of classes asked for one' 0 'added up' $evaluate -m classes/model.safetensors \
    -m $one data $share --positive Crop
expect 'no groups of classes' 2 'one class against the rest' $evaluate \
    -m classes/model.safetensors data $share --group class
expect 'a class that is not there' 2 'no class "Cr"' $evaluate \
    -m classes/model.safetensors data $share --positive Cr
mv data/Other data/Another
expect 'a class that the model has not seen' 1 'does not know' $evaluate \
    -m classes/model.safetensors data $share
mv data/Another data/Other

# ---- groups of a store ----

for file in data/*/*.tif; do
    name=$(basename "$file" .tif)
    number=${name##*_}
    mkdir -p "ground/${name%_*}"
    gdal_translate -q -a_srs EPSG:32631 -a_ullr $((500000 + number * 160)) 4000000 \
        $((500160 + number * 160)) 3999840 "$file" "ground/${name%_*}/$name.tif"
done
expect 'a store' 0 '32 added' "$S2CLR" dataset import ground store --positive Crop
for by in country tile date year source labels class; do
    expect "groups by $by" 0 '"groups"' $evaluate -m $one store $share --level DN --json \
        --group $by --part all
    cp out groups.json
    same "all patches are in a group of $by" groups.json \
        'sum(g["samples"] for g in j["groups"]["list"]) == j["samples"]' True
done
expect 'no such column' 2 'country, tile' $evaluate -m $one store $share --level DN --group colour
expect 'two models of a store' 0 '"rows"' $evaluate -m $one -m $two store $share --level DN --json \
    --part all
cp out store.json
expect 'and of the images it is from' 0 '"rows"' $evaluate -m $one -m $two data $share --json \
    --part all
cp out images.json
same 'the same patches, the same numbers' store.json \
    '([r["metrics"] for r in j["rows"]] ==
     [r["metrics"] for r in json.load(open("images.json"))["rows"]])' True

# ---- a map at points ----

# 10 x 10 pixels of 0.01 degrees from (10, 50) on: column c has the probability c / 10.
python3 - <<'END'
with open("map.asc", "w") as to:
    to.write("ncols 10\nnrows 10\nxllcorner 10\nyllcorner 49.9\ncellsize 0.01\nNODATA_value -1\n")
    for row in range(10):
        to.write(" ".join("-1" if row == 9 else str(c / 10) for c in range(10)) + "\n")
with open("points.csv", "w") as to:
    to.write("lat,lon,water,country\n")
    for row in range(8):
        for c in range(10):
            irrigated = c >= 5 if row else c >= 3
            to.write(f"{49.995 - row / 100},{10.005 + c / 100},{2 if irrigated else 1},"
                     f"{'ES' if row % 2 else 'MA'}\n")
    to.write("49.905,10.005,2,ES\n")      # nodata
    to.write("60,10.005,2,ES\n12,10,1,ES\n")  # off the map
    to.write("49.995,10.005,,ES\n")       # no label
    to.write("49.995,10.005,0,ES\n")      # neither
END
gdal_translate -q -ot Float32 -a_srs EPSG:4326 map.asc map.tif
points="$S2CLR evaluate --map map.tif points.csv --resamples 20"
expect 'a map' 0 'off the map' $points --group country -o map.html
true_that 'whose page lists what is left out' grep -q 'Left out: 2 off the map' map.html
expect 'a map as JSON' 0 '"left_out"' $points --group country --json --threshold 0.45
cp out map.json
same 'points on the map with a label' map.json 'j["samples"]' 80
# Of row 0, columns 3 and 4 are positive and below the threshold.
same 'its table' map.json '[j["rows"][0]["metrics"][k] for k in ("tp", "fp", "fn", "tn")]' \
    '[40, 0, 2, 38]'
same 'left out, counted' map.json \
    'sorted((l["why"], l["count"]) for l in j["left_out"] if "label" in l["why"])' \
    "[('with another label', 1), ('without a label', 1)]"
same 'and the rest of them' map.json 'sum(l["count"] for l in j["left_out"])' 5
same 'groups' map.json '[(g["name"], g["samples"], g["rows"][0]["fn"]) for g in
     j["groups"]["list"]]' "[('ES', 40, 0), ('MA', 40, 2)]"
same 'the share it was made for is not known' map.json 'j["rows"][0]["training_prevalence"]' None
expect 'no irrigated point is lost when others are negative' 0 '"samples": 43' $points \
    --negative 0 --json
cp out other.json
same 'the positive class stays' other.json '[j["rows"][0]["metrics"][k] for k in ("tp", "fn")]' \
    '[40, 2]'
expect 'two words are negative' 0 '"samples": 81' $points --negative 0,1 --json
sed 's/country/class/' points.csv >class.csv
expect 'a column that is called class' 0 'recall by class' "$S2CLR" evaluate --map map.tif class.csv \
    --group class --resamples 0 -o class.html
true_that 'has its recall on the page too' grep -q '<th[^>]*>specificity' class.html
gdal_translate -q -ot Float64 -scale 0 0.9 0 1.0000005 map.tif over.tif
expect 'what rounding put above 1' 0 '"samples": 80' "$S2CLR" evaluate --map over.tif points.csv \
    --resamples 0 --json
gdal_translate -q -mo S2CLR_THRESHOLD=0.45 -mo 'S2CLR_PREVALENCE=0.1 (trained for 0.5)' map.tif said.tif
expect 'tags in the default domain' 0 '"how": "threshold as the map' "$S2CLR" evaluate --map said.tif \
    points.csv --resamples 0 --json
cp out said.json
same 'threshold and prevalence' said.json '(j["rows"][0]["metrics"]["threshold"],
     j["rows"][0]["training_prevalence"])' '(0.45, 0.1)'
expect 'other columns' 0 'MA' $points --label-column country --positive MA --negative ES
expect 'no such column' 2 'colour' $points --label-column colour
expect 'no such group' 2 'colour' $points --group colour
expect 'points alone, of one label' 0 'all 38 samples are negative' $points --positive 3 \
    --negative 1
expect 'a map that is none' 1 'wanted: probabilities' sh -c "gdal_translate -q -scale 0 1 0 100 \
    map.tif percent.tif && $S2CLR evaluate --map percent.tif points.csv"
expect 'options of models' 2 'judges a finished map' $points -m $one
expect 'no point on the map' 2 'no sample is left' sh -c "printf 'lat,lon,water\n1,1,2\n' >far.csv &&
    $S2CLR evaluate --map map.tif far.csv"

# ---- marks ----

cat >marked.csv <<'END'
rank,name,probability,longitude,latitude,mark,model,positive
1,a,0.99,1,2,right,one,Crop
2,b,0.98,1,2,wrong,one,Crop
3,c,0.97,1,2,right,one,Crop
4,d,0.96,1,2,,one,Crop
END
expect 'marks' 0 '0.6667 [0.2077, 0.9385]' "$S2CLR" evaluate marked.csv
expect 'marks as JSON' 0 '"unmarked": 1' "$S2CLR" evaluate marked.csv --json
expect 'marks as a page' 0 '' "$S2CLR" evaluate marked.csv -o marked.html -q
true_that 'which has the number' grep -q '0.6667' marked.html
expect 'options of models do nothing there' 2 'does nothing' "$S2CLR" evaluate marked.csv -m $one
printf '\357\273\277' >sheet.csv
tr , ';' <marked.csv >>sheet.csv
expect 'marks saved by a spreadsheet' 0 '0.6667 [0.2077, 0.9385]' "$S2CLR" evaluate sheet.csv

# ---- what must not be replaced, and what is no data set ----

cp marked.csv marks.html
expect 'a page onto what it reads' 2 '' "$S2CLR" evaluate marks.html -o marks.html
true_that 'which stays' cmp -s marked.csv marks.html
expect 'a page that is none' 2 'ends with .html' "$S2CLR" evaluate marked.csv -o marked.csv
expect 'points without a map' 1 'points are for a map' $evaluate -m $one far.csv
mkfifo pipe
expect 'a pipe' 1 'neither a store' timeout 20 $evaluate -m $one pipe
sed 's/$/,x/;1s/,x$/,answer/;2s/,x$/,yes/;3s/,x$/,no/' points.csv >spelled.csv
expect 'labels of another spelling' 2 'says which values' "$S2CLR" evaluate --map map.tif \
    spelled.csv --label-column answer
finish
