#!/bin/sh
# s2clr tsne: from patches to a page; threads, parts, layers, labels, what is refused.
rig=tsne-command
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
wants gdal_create gdalinfo

patch() { # patch FILE RED GREEN BLUE
    gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 16 16 -burn "$2" -burn "$3" -burn "$4" "$1"
}
mkdir -p data/Crop data/Other data/Water
i=0
while [ $i -lt 50 ]; do
    patch data/Crop/Crop_$i.tif $((30 + i)) $((120 + i)) $((90 - i))
    patch data/Other/Other_$i.tif $((160 - i)) $((60 + i)) $((170 + i))
    patch data/Water/Water_$i.tif $((2 + i % 7)) $((4 + i % 5)) $((9 + i % 11))
    i=$((i + 1))
done
expect 'an encoder' 0 'encoder ' "$S2CLR" pretrain data --width 4 --projection 8,4 --epochs 1 \
    --batch 8 --validation-share 0 --test-share 0 -o encoder
tsne() { "$S2CLR" tsne -m encoder/model.safetensors data --part all "$@"; }

# ---- maps ----

expect 'a map' 0 'page        map.html' tsne -o map.html --csv map.csv
for word in 'samples     150 of 150' 'layer       features, 32 numbers' 'trust       ' \
    'Water                            50' 'accuracy    '; do
    run=$((run + 1))
    grep -F -e "$word" out >/dev/null || fail "the summary has \"$word\""
done
true_that 'a page without script' sh -c '! grep -i "<script\|https\{0,1\}:" map.html'
true_that 'three heat maps' test "$(grep -c 'href="#ground"' map.html)" -eq 3
true_that 'all points' test "$(wc -l <map.csv)" -eq 151
true_that 'names and classes' grep -E '^Crop/Crop_7.tif,Crop,[-0-9.e+]+,[-0-9.e+]+$' map.csv
expect 'with one thread' 0 '' tsne -o one.html --csv one.csv --threads 1 -q
true_that 'is silent' test ! -s out
true_that 'threads do not matter' cmp map.csv one.csv
expect 'from a random start' 0 '"start": "random"' tsne -o random.html --start random --seed 4 --json
cp out json
true_that 'JSON has the measures' grep -E '"trustworthiness": 0\.9' json
true_that 'JSON has the classes' test "$(grep -c '"recall_map": ' json)" -eq 3
expect 'fewer of them' 0 'samples     120 of 150' tsne -o few.html --max-samples 120 --csv few.csv
true_that 'the same share of each class' test "$(cut -d , -f 2 few.csv | grep -c Crop)" -eq 40
expect 'a part' 0 'of part test of' "$S2CLR" tsne -m encoder/model.safetensors data -o part.html \
    --test-share 0.6 --perplexity 5
cp out part
true_that 'a part is not all' sh -c '! grep -F "150 of 150" part'
expect 'a layer of the head' 0 'layer       projection.1, 4 numbers' tsne -o head.html \
    --layer projection.1 --iterations 20
expect 'two labels' 0 'others                          100' tsne -o label.html --by label \
    --positive Crop --iterations 20
true_that 'two heat maps' test "$(grep -c 'href="#ground"' label.html)" -eq 2

latin=$(printf 'caf\351')
cp -r data "$latin" && mv "$latin/Water" "$latin/$latin"
expect 'a class that is no UTF-8' 0 '"name": "caf\\xe9"' "$S2CLR" tsne -m encoder/model.safetensors \
    "$latin" --part all -o latin.html --iterations 20 --json
true_that 'leaves no class out' test "$(grep -c '"recall_map": ' out)" -eq 3

i=0
while [ $i -lt 30 ]; do
    mkdir -p many/c$i
    cp data/Crop/Crop_$i.tif data/Other/Other_$i.tif data/Water/Water_$i.tif many/c$i
    [ $i -gt 25 ] || cp data/Crop/Crop_4$((i % 10)).tif many/c$i
    i=$((i + 1))
done
expect 'more classes than are told apart' 0 '7 others                         24' "$S2CLR" tsne \
    -m encoder/model.safetensors many --part all -o many.html --iterations 20
true_that 'a panel for each and the others' test "$(grep -c 'href="#ground"' many.html)" -eq 24
true_that 'squares beyond twelve' grep -F 'stroke-linecap="square"' many.html

# ---- stores ----

expect 'a store' 0 '' "$S2CLR" dataset import data data.store -q --positive Crop
expect 'by class' 0 'Water                            50' "$S2CLR" tsne -m encoder/model.safetensors \
    data.store --level DN --part all -o store.html --iterations 20
expect 'by country' 0 'no accuracy fewer than two classes' "$S2CLR" tsne \
    -m encoder/model.safetensors data.store --level DN --part all -o store.html --iterations 20 \
    --by country

expect 'a store without labels' 0 '' "$S2CLR" dataset import data plain.store -q
expect 'unknown labels' 0 'unknown                         150' "$S2CLR" tsne \
    -m encoder/model.safetensors plain.store --level DN --part all -o store.html --iterations 20 \
    --by label
expect 'another level' 1 '--level says' "$S2CLR" tsne -m encoder/model.safetensors data.store \
    --part all -o no.html

# ---- what is refused ----

expect 'no output' 2 'output' tsne
expect 'a perplexity too large' 2 'wanted: 1 to 49.6667' tsne -o no.html --perplexity 60
expect 'neighbours too many' 2 'fewer than half' tsne -o no.html --neighbours 75
expect 'no such layer' 2 'wanted: features or projection.0 to projection.1' tsne -o no.html \
    --layer fc
expect 'countries of images' 2 'images have no country' tsne -o no.html --by country
expect 'labels without a positive class' 2 'name it with --positive' tsne -o no.html --by label
expect 'an unknown class' 2 'Corp' tsne -o no.html --by label --positive Corp
expect 'no folder for the page' 1 'none/map.html' tsne -o none/map.html --csv no.html.csv \
    --iterations 2
expect 'a page in the place of a patch' 2 'cannot be its output' tsne -o data/Crop/Crop_1.tif \
    --iterations 2
expect 'a table in the place of the model' 2 'cannot be its output' tsne -o no.html \
    --csv encoder/model.safetensors --iterations 2
expect 'page and table in one' 2 'two names' tsne -o no.html --csv no.html --iterations 2
mkdir side && ln -s . side/link
expect 'page and table in one, called otherwise' 2 'two names' tsne -o no.html \
    --csv ./side/../no.html --iterations 2
expect 'and through a link' 2 'two names' tsne -o side/no.html --csv side/link/no.html --iterations 2
expect 'a table in the place of a device' 1 '/dev/null' tsne -o no.html --csv /dev/null \
    --iterations 2
true_that 'what is read is as it was' gdalinfo data/Crop/Crop_1.tif
true_that 'nothing is left behind' sh -c '! ls no.html* none* 2>/dev/null'

# ---- interrupted ----

run=$((run + 1))
(exec "$S2CLR" tsne -m encoder/model.safetensors data --part all -o stopped.html \
    --iterations 100000 --theta 0 --progress lines) >out 2>err &
pid=$!
waited=0
while ! grep -q progress out && [ $waited -lt 200 ]; do
    sleep 0.1
    waited=$((waited + 1))
done
kill -TERM $pid
wait $pid
got=$?
[ $got -eq 143 ] || fail "SIGTERM: exit code $got, wanted 143"
true_that 'no page of it' sh -c '! ls stopped.html* 2>/dev/null'

finish
