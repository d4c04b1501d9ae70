#!/bin/sh
# s2clr area as a user meets it: draw, label, estimate; what is refused; reports.
# The maps are made with GDAL's own tools; the truth of every pixel is known.
rig=area
. "${srcdir:-.}/tests/rig.sh"
wants gdal_translate ogr2ogr gdalinfo
in_work_folder

# ---- a map of 40 x 30 pixels of 100 m: probability .9 in the left quarter, .1 elsewhere ----

{
    printf 'ncols 40\nnrows 30\nxllcorner 500000\nyllcorner 4000000\ncellsize 100\n'
    printf 'NODATA_value -9999\n'
    awk 'BEGIN { for (y = 0; y < 30; y++) { line = ""
        for (x = 0; x < 40; x++) line = line " " (y == 0 ? -9999 : x < 10 ? 0.9 : 0.1)
        print line } }'
} >map.asc
gdal_translate -q -ot Float32 -a_srs EPSG:32630 map.asc map.tif 2>err || skip_all 'gdal_translate fails'

# The truth: as mapped, but the last of the ten left columns and five in the right are not.
label() { # label SAMPLES.gpkg
    ogrinfo -q "$1" -sql "UPDATE samples SET label =
        CAST((ST_MinX(geom) - 500000) / 100 AS INTEGER) < 9
        OR CAST((ST_MinX(geom) - 500000) / 100 AS INTEGER) BETWEEN 20 AND 24" >out 2>&1
    ogrinfo -ro -q "$1" -sql 'SELECT COUNT(*) AS n FROM samples WHERE label IS NOT NULL' >out 2>&1
    grep 'n (Integer.*) = [1-9]' out >/dev/null
}

expect 'draws' 0 'samples.gpkg: 200 drawn' "$S2CLR" area map.tif --draw 200 -o samples.gpkg
expect 'the map counts' 0 '1160' "$S2CLR" area map.tif --draw 200 -o samples.gpkg --overwrite
expect 'an existing sample is kept' 1 'exists already' \
    "$S2CLR" area map.tif --draw 200 -o samples.gpkg
expect 'samples without labels' 1 'none of its 200 points is labelled' \
    "$S2CLR" area map.tif samples.gpkg
expect 'another seed is another sample' 0 '' \
    "$S2CLR" area map.tif --draw 200 --seed 2 -o other.gpkg --quiet
true_that 'the seed decides' sh -c '
    "$0" area "$1" --draw 200 -q -o again.gpkg &&
    ogr2ogr -f CSV again.csv again.gpkg && ogr2ogr -f CSV first.csv samples.gpkg &&
    ogr2ogr -f CSV other.csv other.gpkg && cmp first.csv again.csv && ! cmp -s first.csv other.csv' \
    "$S2CLR" map.tif
true_that 'nothing unfinished stays' sh -c '! ls | grep part'

if label samples.gpkg; then
    # Truth: 9 + 5 columns of 29 rows of 1 ha = 406 ha; mapped 290 ha.
    expect 'estimates' 0 'samples.gpkg: 200 used, stratified' "$S2CLR" area map.tif samples.gpkg
    expect 'as JSON, with a page' 0 '"overall_accuracy"' \
        "$S2CLR" area map.tif samples.gpkg --json -o area.html
    cp out area.json
    if command -v python3 >/dev/null; then
        true_that 'the truth lies within three standard errors' python3 -c '
import json
a = json.load(open("area.json"))
c = a["classes"][1]
assert c["mapped_ha"] == 290, c
assert a["nodata_pixels"] == 40
assert abs(c["area_ha"]["value"] - 406) < 3 * c["area_ha"]["standard_error"], c["area_ha"]
assert abs(c["users_accuracy"]["value"] - .9) < 3 * c["users_accuracy"]["standard_error"], c
n = [s["samples"] for s in a["strata"]]
assert sum(n) == 200 and n == [150, 50], n
m = a["error_matrix"]
assert m[1][1] + m[1][0] == 50 and m[1][0] > 0
# Olofsson et al. (2014), equation 10, with the finite population
w, q, n, N = [.75, .25], [m[0][1] / 150, m[1][1] / 50], [150, 50], [870, 290]
v = sum(w[h]**2 * (1 - n[h] / N[h]) * q[h] * (1 - q[h]) / (n[h] - 1) for h in (0, 1))
assert abs(c["share"]["value"] - w[0] * q[0] - w[1] * q[1]) < 1e-9
assert abs(c["share"]["standard_error"] - v**.5) < 1e-9, (c["share"], v**.5)
'
    else
        skip 'numbers' 'python3 is not installed'
    fi
    true_that 'the page is one whole file' sh -c '
        grep "</html>" area.html && grep "<svg" area.html && ! grep -E "(src|href)=.?http|<script" area.html'
    expect 'a wrong threshold is found' 1 'was drawn in stratum' \
        "$S2CLR" area map.tif samples.gpkg --threshold 0.95
    expect 'another threshold, old strata' 0 '0.95' \
        "$S2CLR" area map.tif samples.gpkg --threshold 0.95 --breaks 0.5
    ogr2ogr -f CSV -select longitude,latitude,label plain.csv samples.gpkg
    expect 'samples that say nothing of their design' 2 'only from a probability sample' \
        "$S2CLR" area map.tif plain.csv
    expect 'a design on the word of the user' 0 'was said on the command line' \
        "$S2CLR" area map.tif plain.csv --design stratified
    "$S2CLR" area map.tif --draw 90 --breaks 0.05,0.5 --allocation equal -o breaks.gpkg -q && label breaks.gpkg
    expect 'other strata than drawn' 1 'was drawn in stratum' "$S2CLR" area map.tif breaks.gpkg
    expect 'whatever is said' 1 'was drawn in stratum' \
        "$S2CLR" area map.tif breaks.gpkg --design stratified
    expect 'what the samples say is theirs' 0 '"design_from": "samples"' \
        "$S2CLR" area map.tif samples.gpkg --design stratified --json
    ogr2ogr -f CSV -dialect SQLite -sql "SELECT longitude, latitude, label,
        CASE WHEN id = 1 THEN NULL ELSE design END AS design FROM samples ORDER BY id" first.csv samples.gpkg
    expect 'a row without a design' 1 'row 1 does not say how it was chosen' \
        "$S2CLR" area map.tif first.csv
    ogr2ogr -f CSV -dialect SQLite -sql "SELECT longitude, latitude, label, NULL AS design FROM samples" \
        none.csv samples.gpkg
    expect 'a column without a design' 2 "its column 'design' is empty" "$S2CLR" area map.tif none.csv
    expect 'an empty column and a word' 0 'was said on the command line' \
        "$S2CLR" area map.tif none.csv --design random
    expect 'two designs' 1 'one sample, drawn in one way' \
        "$S2CLR" area map.tif samples.gpkg --design random
    ogr2ogr -f CSV few.csv samples.gpkg -where 'map_class = 0 OR id < 3'
    expect 'a stratum with too few samples' 1 'at least two labelled samples' \
        "$S2CLR" area map.tif few.csv
    ogr2ogr -f CSV -dialect SQLite -sql "SELECT longitude, latitude, design, stratum, weight, map_class,
        CASE WHEN id <= 20 THEN NULL ELSE label END AS label FROM samples WHERE id <= 190" \
        some.csv samples.gpkg
    printf '0,0,stratified,0,5.8,0,1\n' >>some.csv
    expect 'what is left out is told' 0 '21 of 191 samples are left out: 20 without a label, 1 off the map' \
        "$S2CLR" area map.tif some.csv
    expect 'rows that were removed are missed' 0 'not in the file any more' \
        "$S2CLR" area map.tif some.csv
    ogr2ogr -f CSV -dialect SQLite -sql "SELECT longitude, latitude, design,
        CASE WHEN label = 1 THEN 'rice' WHEN id % 10 = 0 THEN 'unsure' ELSE 'olive' END AS crop FROM samples" \
        words.csv samples.gpkg
    expect 'words need a list' 1 'other words need --positive-value' \
        "$S2CLR" area map.tif words.csv --label-column crop
    expect 'words' 0 '200 used' \
        "$S2CLR" area map.tif words.csv --label-column crop --positive-value rice
    expect 'words that mean nothing' 0 'without a label' \
        "$S2CLR" area map.tif words.csv --label-column crop --positive-value rice --negative-value olive
    expect 'a column that is not there' 2 "did you mean 'label'?" \
        "$S2CLR" area map.tif samples.gpkg --label-column lable
    cp samples.gpkg kept.gpkg
    expect 'a page on samples' 2 'ends with .html' "$S2CLR" area map.tif samples.gpkg -o kept.gpkg
    true_that 'samples are kept' cmp samples.gpkg kept.gpkg
    ln -s map.tif map.html
    expect 'a page on the map' 2 'map.html' "$S2CLR" area map.tif samples.gpkg -o map.html
    expect 'strata after the fact' 0 'drawn without strata' \
        "$S2CLR" area map.tif plain.csv --design random
else
    skip 'labels' 'this ogrinfo does not change a GeoPackage'
fi

# ---- names ----

latin=$(printf 'caf\351.tif')
cp map.tif "$latin"
expect 'a map that is no UTF-8' 0 '"map": "caf\\xe9.tif"' "$S2CLR" area "$latin" --draw 20 -o l.gpkg --json
gdal_translate -q -ot Byte -a_nodata none -scale 0 1 0 10 map.tif named.tif 2>err
gdal_translate -q -of VRT named.tif named.vrt
long=$(printf '\303\251%.0s' $(seq 60))
sed -i "s|<ColorInterp>Gray</ColorInterp>|<CategoryNames><Category></Category><Category>x$long</Category></CategoryNames>|" named.vrt
expect 'a long name' 0 '' "$S2CLR" area named.vrt --classes --draw 20 -o n.gpkg --json
cp out names.json
if command -v python3 >/dev/null; then
    true_that 'is cut between letters' python3 -c '
import json
names = [s["name"] for s in json.load(open("names.json"))["strata"]]
assert names == ["class 0", "x" + 39 * "\u00e9", "class 9"], names
'
else
    skip 'is cut between letters' 'python3 is not installed'
fi

# ---- how many ----

# The error of a stratified sample is Cochran's equation 5.6, whatever the allocation.
for allocation in '' neyman proportional equal; do
    expect "as many as a standard error needs, $allocation" 0 '"expected_standard_error": 0.0' \
        "$S2CLR" area map.tif --standard-error 0.02 --expected 0.99,0.5 --minimum 2 \
        ${allocation:+--allocation $allocation} -o "s$allocation.gpkg" --json
    cp out "size$allocation.json"
done
if command -v python3 >/dev/null; then
    true_that 'the error is reached, and hardly fewer would do' python3 -c '
import json, math
w, N, u = [.75, .25], [870, 290], [.99, .5]
def error(n): return math.sqrt(sum(a * a * (1 - m / M) * x * (1 - x) / m for a, m, M, x in zip(w, n, N, u)))
size = {}
for name in "", "neyman", "proportional", "equal":
    j = json.load(open("size%s.json" % name))
    n = [s["samples"] for s in j["strata"]]
    size[name] = sum(n)
    assert abs(j["expected_standard_error"] - error(n)) < 1e-12, (name, n)
    assert error(n) <= .02, (name, n, error(n))
    scale = (sum(n) - 3) / sum(n)
    assert error([m * scale for m in n]) > .02, (name, n)
s = [math.sqrt(x * (1 - x)) for x in u]
least = sum(a * b for a, b in zip(w, s))**2 / (.02**2 + sum(a * b * b for a, b in zip(w, s)) / 1160)
assert least <= size["neyman"] <= least + 3, (size, least)
assert size[""] == size["neyman"] < size["equal"] < size["proportional"], size
'
else
    skip 'the error is reached, and hardly fewer would do' 'python3 is not installed'
fi
expect 'strata of the probability' 0 '0.5 to 1' \
    "$S2CLR" area map.tif --draw 20 --breaks 0.05,0.5 -o b.gpkg
expect 'more samples than pixels' 2 'has 1160 pixels' "$S2CLR" area map.tif --draw 2000 -o c.gpkg
expect 'no output for samples' 2 'needs a file' "$S2CLR" area map.tif --draw 20
expect 'neither samples nor draw' 2 'no samples are given' "$S2CLR" area map.tif
expect 'breaks that fall' 2 'each larger than the one before' \
    "$S2CLR" area map.tif --draw 20 --breaks 0.5,0.2 -o d.gpkg
expect 'an option of the other half' 2 'minimum: is about drawing' \
    "$S2CLR" area map.tif b.gpkg --minimum 3
expect 'not a GeoPackage' 2 'ends with .gpkg' "$S2CLR" area map.tif --draw 20 -o d.csv
expect 'a map that is none' 1 'cannot be opened as a raster' "$S2CLR" area nothing.tif --draw 9 -o d.gpkg
expect 'classes are no probabilities' 1 'say --classes' sh -c '
    gdal_translate -q -ot Byte -scale 0 1 0 100 map.tif class.tif && "$0" area class.tif --draw 9 -o d.gpkg' "$S2CLR"
expect 'strata of a raster' 0 'stratum 90' \
    "$S2CLR" area map.tif --strata class.tif --draw 30 -o strata.gpkg
expect 'the strata of the draw' 1 'none of its 30 points is labelled' \
    "$S2CLR" area map.tif strata.gpkg --strata class.tif
expect 'other strata than for drawing' 1 'was drawn in stratum' "$S2CLR" area map.tif strata.gpkg
expect 'a map of classes' 0 'class 90' \
    "$S2CLR" area class.tif --classes --draw 30 -o d.gpkg

finish
