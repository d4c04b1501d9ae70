#!/bin/sh
# Every page that a command makes: valid, without anything from outside, silent in a browser.
rig=pages
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
wants gdal_create gdal_translate ogr2ogr
safe=$("$tools/make_safe" "$work" 2700 1800 2>err) || skip_all 'this GDAL cannot write the made-up product'
true_that 'a model' "$tools/make_model" tiny.safetensors
patches_of Crop 14
patches_of Other 14
share='--validation-share 0.3 --test-share 0.4'
small='--width 4 --projection 8,4 --validation-share 0.4 --test-share 0 --neighbours 3 --epochs 2'
mkdir pages

# ---- one of each ----

page() { # page PAGE COMMAND...: makes pages/PAGE.html
    page=$1
    shift
    expect "page $page" 0 '' "$S2CLR" "$@"
    true_that "page $page is there" grep -F '</html>' "pages/$page.html"
}
# shellcheck disable=SC2086 # options are words
{
    page predict predict -q -m tiny.safetensors "$safe" map.tif --bands probability,valid \
        --report pages/predict.html --polygons fields.gpkg
    expect 'a classifier' 0 '' "$S2CLR" supervised data --arch resnet18 --width 4 --batch 8 -q \
        --device portable $share --positive Crop --epochs 1 -o one
    expect 'one of classes' 0 '' "$S2CLR" supervised data --arch resnet18 --width 4 --batch 8 -q \
        --device portable $share --epochs 1 -o classes
    expect 'an encoder' 0 '' "$S2CLR" pretrain data --width 4 --projection 8,4 --epochs 1 -q \
        --batch 8 --validation-share 0 --test-share 0 -o encoder
    page evaluate evaluate -q --device portable --resamples 20 --filters 4 -m one/model.safetensors \
        data $share -o pages/evaluate.html
    page evaluate-classes evaluate -q --device portable --resamples 20 --filters 0 \
        -m classes/model.safetensors data $share -o pages/evaluate-classes.html
    page tsne tsne -q -m encoder/model.safetensors data --part all --perplexity 5 --iterations 60 \
        -o pages/tsne.html
    page topk topk -q --map map.tif "$safe" --above 0 --count 6 -o pages/topk.html
    expect 'a store' 0 '' "$S2CLR" dataset import -q data store
    page stats dataset stats -q store --html pages/stats.html
    expect 'a sample' 0 '' "$S2CLR" area -q map.tif --draw 60 -o samples.gpkg
    ogrinfo -q samples.gpkg -sql 'UPDATE samples SET label = map_class' >out 2>&1
    page area area -q map.tif samples.gpkg -o pages/area.html
    expect 'pairs' 0 '' "$S2CLR" sweep augment data $small --batch 8 --augment gain,flip -q -o pairs
    cp pairs/report.html pages/sweep-augment.html
    expect 'a grid' 0 '' "$S2CLR" sweep settings data $small --augment gain --optimisers adamw \
        --rates 0.001,0.01 --temperatures 0.5 --batches 8 -q -o grid
    cp grid/report.html pages/sweep-settings.html
}
printf 'rank,name,probability,longitude,latitude,mark,model,positive\n1,a,0.9,,,right,m,crop\n2,b,0.8,,,wrong,m,crop\n' \
    >marks.csv
page marked evaluate -q marks.csv -o pages/marked.html

true_that 'nothing from outside' sh -c '! grep -l -i -E "<link|@import|url\((.?http|//)|src=.?(http|//)" pages/*.html'
true_that 'no script but that of the contact sheet' test "$(grep -l '<script' pages/*.html)" = pages/topk.html
true_that 'a language, a title and a width for every page' sh -c '
    for p in pages/*.html; do
        for w in "<html lang=\"en\">" "<title>..*</title>" "width=device-width"; do
            grep -q "$w" $p || { echo "$p: $w"; exit 1; }
        done
    done'
true_that 'a name for every picture and chart' sh -c '
    ! grep -h -o "<img [^>]*>" pages/*.html | grep -v "alt=\"[^\"]"
    ! grep -h -o "<svg [^>]*>" pages/*.html | grep -v aria-label'
true_that 'headings and captions for every table' sh -c '
    for p in pages/*.html; do
        [ "$(grep -c "<table" $p)" -eq "$(grep -c "<caption>" $p)" ] || { echo $p; exit 1; }
    done
    ! grep -h -o "<th[ >][^>]*>" pages/*.html | grep -v scope='

# ---- valid ----

if command -v tidy >/dev/null; then
    for p in pages/*.html; do
        run=$((run + 1))
        # The id of an SVG's <title> is right, and what aria-labelledby needs; tidy knows HTML's only.
        tidy -e -q --drop-empty-elements no "$p" 2>&1 |
            grep -v '<title> proprietary attribute "id"' >out && fail "tidy: $p"
    done
else
    skip 'valid HTML' 'tidy is not installed'
fi

# ---- in a browser ----

if ! command -v chromium >/dev/null; then
    skip 'in a browser' 'chromium is not installed'
    finish
fi
browse() { # browse PAGE OPTION...: nobody is reached, whatever the page asks for
    p=$1
    shift
    timeout 100 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        --host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr --virtual-time-budget=3000 \
        "$@" "file://$work/$p"
}
# A page that breaks both rules shows that the test would see it.
cat >bad.html <<'END'
<!DOCTYPE html><title>bad</title><img alt="" src="http://example.invalid/a.png">
<script>console.error("a fault")</script>
END
browse bad.html --log-net-log="$work/bad.net" --dump-dom >dom 2>log
if ! grep '<title>bad' dom >/dev/null; then
    skip 'in a browser' 'chromium does not start here'
    finish
fi
true_that 'a fault is seen' grep 'CONSOLE.*a fault' log
true_that 'a request is seen' grep -F 'example.invalid' bad.net
for p in pages/*.html; do
    run=$((run + 1))
    browse "$p" --log-net-log="$work/net" --dump-dom >dom 2>log
    grep '</html>' dom >/dev/null || fail "chromium: $p"
    run=$((run + 1))
    ! grep CONSOLE log >out || fail "console: $p"
    run=$((run + 1))
    ! grep -o '"url":"\(https\{0,1\}\|wss\{0,1\}\):[^"]*"' net |
        grep -v 'google\|gvt1\|chromium' >out || fail "requests: $p"
done
finish
