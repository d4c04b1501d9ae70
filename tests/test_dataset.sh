#!/bin/sh
# s2clr dataset: every command on small stores, what goes wrong, and a store that is killed while it
# is made and comes out the same.
rig=dataset
. "${srcdir:-.}/tests/rig.sh"
data=${S2CLR_TEST_DATA:-$(cd "${srcdir:-.}" && pwd)/../shared/data}
in_work_folder
unset COLUMNS

# ---- names of two words ----

dataset="$S2CLR dataset"
expect 'dataset alone' 2 'dataset import' $dataset
expect 'dataset --help' 0 'dataset verify' $dataset --help
expect 'a misspelt command' 2 'did you mean dataset import' $dataset imprt
expect 'a command of one word that is two' 2 'unknown command' "$S2CLR" import
for command in create import info stats split export verify; do
    expect "dataset $command --help" 0 "Usage: s2clr dataset $command" $dataset $command --help
    expect "help dataset $command" 0 "Usage: s2clr dataset $command" "$S2CLR" help dataset $command
    expect "describe dataset $command" 0 "dataset $command	" "$S2CLR" describe dataset $command
    expect "dataset $command with an unknown option" 2 'unknown option --nonsense' \
        $dataset $command --nonsense
    expect "dataset $command without anything" 2 'is missing' $dataset $command
done
expect 'describe a family' 0 '"dataset split"' "$S2CLR" describe --json dataset
if command -v bash >/dev/null; then
    completion_asker
    expect 'completes the first word' 0 'dataset' bash ask.bash da
    expect 'completes the second word' 0 'verify' bash ask.bash dataset ver
    expect 'completes an option of two words' 0 '--method' bash ask.bash dataset split --me
else
    skip 'completion' 'bash is not installed'
fi

if ! command -v gdal_create >/dev/null || ! command -v ogr2ogr >/dev/null; then
    skip 'stores' 'gdal_create and ogr2ogr (gdal-bin) are not installed'
    finish
fi

# ---- images ----

mkdir -p images/Crop images/Other
i=0
while [ $i -lt 30 ]; do
    gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 16 16 -burn $((60 + i)) -burn $((70 + i)) \
        -burn 30 images/Crop/Crop_$i.tif
    gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 16 16 -burn $((130 + i)) -burn $((140 + i)) \
        -burn 70 images/Other/Other_$i.tif
    i=$((i + 1))
done
expect 'import' 0 '60 added (30 positive, 30 negative' $dataset import images a.store \
    --positive Crop --title 'small images'
expect 'a store is not overwritten' 1 'a store is there already' $dataset import images a.store \
    --positive Crop
expect '--append leaves what is there' 0 '60 were there already' $dataset import images a.store \
    --positive Crop --append
expect 'info' 0 'small images' $dataset info a.store
expect 'info knows the command' 0 'dataset import --positive Crop' $dataset info a.store
expect 'info --json' 0 '"patches": 60' $dataset info a.store --json
expect 'QGIS can open the index' 0 'Feature Count: 60' ogrinfo -so a.store/index.gpkg patches
expect 'an unknown class' 2 'Wheat' $dataset import images none.store --positive Wheat
true_that 'leaves no store' test ! -e none.store
expect 'an unknown kind' 2 'did you mean images' $dataset import images none.store --from image
expect 'no archive' 1 'no-such' $dataset import no-such none.store
expect 'something else' 1 'wanted' $dataset import completion.bash none.store
true_that 'leaves no store either' test ! -e none.store
expect 'info of no store' 1 'images' $dataset info images
cp -r images damaged
head -c 200 images/Crop/Crop_3.tif >damaged/Crop/Crop_3.tif
expect 'a damaged image is left out' 0 '1 left out' $dataset import damaged damaged.store \
    --positive Crop --skips skips.txt
true_that 'and named' grep -q '^Crop/Crop_3.tif	' skips.txt
expect '--strict stops there' 1 'Crop_3' $dataset import damaged strict.store --positive Crop --strict

# ---- statistics, parts, export, verification ----

expect 'stats' 0 'Crop' $dataset stats a.store --html a.html --card a.json
true_that 'a page' grep -q '</html>' a.html
true_that 'a card' grep -q '"mean"' a.json
$dataset stats a.store --json --threads 1 >one.json
$dataset stats a.store --json --threads 4 >four.json
true_that 'threads do not matter' cmp one.json four.json
expect 'an unknown class of pairs' 2 'did you mean "Crop"' $dataset stats a.store --class Crp
expect 'a part that is empty' 2 'none of the 60' $dataset stats a.store --split test
expect 'random parts' 0 'train' $dataset split a.store --method random
# The hash is of the file name alone, its first 16 digits as a fraction: 0.2 is 3333...
ogrinfo -q a.store/index.gpkg -sql "select name from patches where split = 'test'" |
    sed -n 's/^ *name (String) = //p' | LC_ALL=C sort >told
ogrinfo -q a.store/index.gpkg -sql 'select name from patches' | sed -n 's/^ *name (String) = //p' |
    while read -r name; do
        hash=$(printf %s "${name##*/}" | sha256sum | cut -c 1-16)
        [ "$(printf '%s\n' "$hash" 3333333333333333 | LC_ALL=C sort | head -n 1)" = 3333333333333333 ] ||
            echo "$name"
    done | LC_ALL=C sort >wanted
true_that 'random parts are those of the file names' cmp told wanted
true_that 'and not none' test -s told
expect 'an unknown method' 2 'random' $dataset split a.store --method randm
expect 'parts are recorded' 0 'test' $dataset stats a.store --split test
expect 'too much' 2 'more than everything' $dataset split a.store --test 0.9 --validation 0.2
expect 'a fold that is none' 2 'wanted 0 to 4' $dataset split a.store --method random --folds 5 --fold 5
ogrinfo -q a.store/index.gpkg -sql 'select count(*) n, split from patches group by split' >before
expect 'a dry run' 0 'train' $dataset split a.store --method random --test 0.5 --dry-run
ogrinfo -q a.store/index.gpkg -sql 'select count(*) n, split from patches group by split' >after
true_that 'changes nothing' cmp before after
expect 'balanced parts' 0 'train' $dataset split a.store --method random --balance
ogrinfo -q a.store/index.gpkg \
    -sql "select abs(sum(label) - sum(1 - label)) d from patches where split = 'train'" >balance
true_that 'have as many of both' grep -q 'd (Integer.*) = 0' balance
expect 'export csv' 0 'csv' $dataset export a.store a.csv --to csv
true_that 'has a line per patch' sh -c '[ "$(grep -c Crop/ a.csv)" -eq 30 ]'
expect 'an export over something' 1 'a.csv' $dataset export a.store a.csv --to csv
expect 'an unknown export' 2 'tfrecord' $dataset export a.store b --to tfrecrd
expect 'verify' 0 '60 patches, 0 missing, 0 damaged' $dataset verify a.store

# ---- training on a store ----

train="$S2CLR supervised a.store --arch pixel --epochs 1 --batch 8 --micro 4 --level EUROSAT8 --dry-run"
$dataset split a.store --method random --quiet
expect 'supervised takes a store and its card' 0 'training' $train --card a.json --positive Crop -o r
expect 'bands by name' 0 'training' $train --image-bands B04,B02 --positive Crop -o r
expect 'a band that is not there' 1 'B11' $train --image-bands B04,B11 --positive Crop -o r
expect 'bands that contradict the card' 2 'differ' $train --card a.json --image-bands B02,B03,B04 \
    --positive Crop -o r
expect 'images have classes' 0 'of 2 classes' "$S2CLR" supervised images --arch pixel --batch 8 \
    --micro 4 -o r --dry-run

# ---- rasters and labels ----

gdal_create -q -of GTiff -ot UInt16 -bands 1 -outsize 240 240 -burn 900 -a_srs EPSG:32630 \
    -a_ullr 600000 4400000 602400 4397600 B04.tif
mkdir scene
for band in B02 B03 B04 B08; do cp B04.tif scene/$band.tif; done
cat >fields.csv <<'END'
id,WKT
1,"POLYGON ((600000 4400000,601200 4400000,601200 4398800,600000 4398800,600000 4400000))"
END
ogr2ogr -q -a_srs EPSG:32630 fields.gpkg fields.csv -oo GEOM_POSSIBLE_NAMES=WKT
expect 'create from polygons' 0 '4 added (1 positive, 3 negative' $dataset create scene poly.store \
    --labels fields.gpkg
printf 'lon,lat,water\n-1.8,39.74,2\n-1.82,39.735,1\n10,10,2\n' >points.csv
printf '601200 4398800\n' | gdaltransform -s_srs EPSG:32630 -t_srs EPSG:4326 >centre
read -r lon lat rest <centre
printf 'lon,lat,water\n%s,%s,2\n10,10,1\n' "$lon" "$lat" >points.csv
expect 'chips around points' 0 '1 added (1 positive' $dataset create scene chips.store --chips \
    --patch 48 --labels points.csv --field water --positive-values 2 --negative-values 1
expect 'a point outside is told' 0 '1 labels touch no patch' $dataset create scene chips2.store \
    --chips --patch 48 --labels points.csv --field water --positive-values 2
ogrinfo -q -al chips.store/index.gpkg >rows
true_that 'the chip is around its point' grep -q 'transform (String) = 600960 10 0 4399040 0 -10' rows
expect '--chips and --stride' 2 'stride' $dataset create scene c --chips --stride 5 --labels points.csv
expect '--drop above --keep' 2 'larger than' $dataset create scene c --labels fields.gpkg --drop 0.6
expect 'a field that is not there' 2 'nofield' $dataset create scene c --labels fields.gpkg \
    --field nofield --positive-values 1
true_that 'nothing is left' test ! -e c
expect 'distances' 0 'nearest training patch' $dataset split poly.store --method random --test 0.5 \
    --validation 0

# ---- killed while it is made ----

i=0
mkdir -p many/A many/B
while [ $i -lt 20 ]; do
    cp images/Crop/Crop_0.tif many/A/first_$i.tif
    cp images/Other/Other_0.tif many/B/second_$i.tif
    i=$((i + 1))
done
$dataset import many whole.store --quiet
for wait in 0.01 0.03 0.06; do
    rm -rf cut.store
    $dataset import many cut.store --quiet 2>/dev/null &
    pid=$!
    sleep $wait
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    $dataset import many cut.store --append --quiet >out 2>err || fail 'going on after kill -9'
    ogrinfo -q -al cut.store/index.gpkg | grep -v '^Had' >cut.rows
    ogrinfo -q -al whole.store/index.gpkg | grep -v '^Had' >whole.rows
    true_that "killed after $wait s: same rows" cmp cut.rows whole.rows
    expect "killed after $wait s: same values" 0 '40 patches, 0 missing, 0 damaged' \
        $dataset verify cut.store
done

# ---- a full disk ----

# full SIZE: an import into SIZE, then again with room. Exit code 77: nothing may be mounted here.
cat >full.sh <<'END'
mkdir -p full && mount -t tmpfs -o size="$1" none full 2>/dev/null || exit 77
rows() { ogrinfo -q "$1/index.gpkg" -sql 'select name, sha256 from patches order by fid'; }
"$S2CLR" dataset import images full/a.store --positive Crop --quiet 2>said && exit 1
cat said
grep -q 'full' said || exit 1
mount -o remount,size=64m full
"$S2CLR" dataset import images full/a.store --positive Crop --quiet --append || exit 1
"$S2CLR" dataset verify full/a.store && [ "$(rows full/a.store)" = "$(rows fresh.store)" ] || exit 1
rm -r full/a.store
mount -o remount,size=8k full
"$S2CLR" dataset export a.store full/out --to geotiff --quiet && exit 1
"$S2CLR" dataset stats a.store --html full/a.html --quiet && exit 1
[ -z "$(ls -A full)" ]
END
if unshare -m sh -c 'mkdir -p full && mount -t tmpfs none full' 2>/dev/null; then
    $dataset import images fresh.store --positive Crop --quiet
    for size in 160k 256k; do
        true_that "a disk of $size: told, nothing half-written, taken up with --append" \
            unshare -m sh full.sh $size
    done
else
    skip 'a full disk' 'no file system may be mounted here'
fi

# ---- the real thing ----

if [ -d "$data/bigearthnet_v1" ]; then
    expect 'BigEarthNet' 0 '11 added' $dataset import "$data/bigearthnet_v1" ben.store \
        --positive expanded
    expect 'its statistics' 0 'NMDI' $dataset stats ben.store
    # GDAL's own statistics of one band over a mosaic of all patches.
    $dataset stats ben.store --json >ben.json
    python=$(for one in python3 /usr/bin/python3; do
        "$one" -c 'from osgeo import gdal' 2>/dev/null && echo "$one" && break
    done)
    if [ -n "$python" ]; then
        "$python" - "$data/bigearthnet_v1" >gdal.txt <<'END'
import glob, json, math, sys
from osgeo import gdal
gdal.UseExceptions()
gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")  # leaves the data alone
for band in json.load(open("ben.json"))["bands"]:
    count = mean = square = 0
    for path in glob.glob(sys.argv[1] + "/**/*_" + band["name"] + ".tif", recursive=True):
        raster = gdal.Open(path)
        n = raster.RasterXSize * raster.RasterYSize
        _, _, m, s = raster.GetRasterBand(1).ComputeStatistics(False)
        count, mean, square = count + n, mean + n * m, square + n * (s * s + m * m)
    mean /= count
    deviation = math.sqrt(square / count - mean * mean)
    close = abs(mean - band["mean"]) < 1e-6 and abs(deviation - band["std"]) < 1e-6
    print(band["name"], "agrees" if close and count == band["pixels"] else "differs")
END
        true_that 'all 12 bands as GDAL has them' sh -c '[ "$(grep -c agrees gdal.txt)" -eq 12 ]'
    else
        skip 'statistics against GDAL' "python3's osgeo is not installed"
    fi
else
    skip 'BigEarthNet' "no $data/bigearthnet_v1"
fi
finish
