#!/bin/sh
# s2clr dataset on input that is wrong: each fault is an error that says what to do, or a patch left
# out, counted and listed, which --strict makes an error; what is not wrong is all there.
rig=dataset-input
. "${srcdir:-.}/tests/rig.sh"
data=${S2CLR_TEST_DATA:-$(cd "${srcdir:-.}" && pwd)/../shared/data}
wants gdal_create gdalsrsinfo ogr2ogr ogrinfo
in_work_folder
dataset="$S2CLR dataset"

names() { # names STORE: of its patches
    ogrinfo -q "$1/index.gpkg" -sql 'select name from patches order by name' |
        sed -n 's/^ *name (String) = //p'
}

# left_out NAME PATCH REASON GOOD COMMAND...: the command makes now.store and leaves PATCH out for
# REASON; its other patches are GOOD in number; with --strict it stops there.
left_out() {
    what=$1 patch=$2 reason=$3 good=$4
    shift 4
    rm -rf now.store strict.store skips.txt
    expect "$what is left out" 0 '1 left out' "$@" now.store --skips skips.txt
    true_that "$what is listed" grep -F "$patch	" skips.txt
    true_that "$what has its reason" grep -F -e "$reason" skips.txt
    true_that "$what costs nothing else" test "$(names now.store | wc -l)" -eq "$good"
    expect "$what is whole otherwise" 0 "$good patches, 0 missing, 0 damaged" \
        $dataset verify now.store
    expect "$what with --strict" 1 "$reason" "$@" strict.store --strict
}

# refused NAME TEXT COMMAND...: an error that says TEXT, and no patch in the store, if there is one.
refused() {
    what=$1 text=$2
    shift 2
    rm -rf now.store
    expect "$what is refused" 1 "$text" "$@" now.store
    true_that "$what leaves no patch" test "$([ ! -d now.store ] || names now.store)" = ''
}

# ---- BigEarthNet ----

wkt=$(gdalsrsinfo -o wkt1 --single-line EPSG:32633 | tr -d '\n' | sed 's/"/\\"/g')
ben() { # ben FOLDER PATCH LABELS
    mkdir -p "$1/$2"
    for band in B01:20 B02:120 B03:120 B04:120 B05:60 B06:60 B07:60 B08:120 B8A:60 B09:20 B11:60 \
        B12:60; do
        side=${band#*:} file=tiff-$band.tif
        [ -f "$file" ] || gdal_create -q -of GTiff -ot UInt16 -bands 1 -outsize $side $side \
            -burn $((300 + side)) -a_srs EPSG:32633 -a_ullr 404400 5342400 405600 5341200 "$file"
        cp "$file" "$1/$2/$2_${band%:*}.tif"
    done
    cat >"$1/$2/$2_labels_metadata.json" <<END
{"labels": [$3], "coordinates": {"ulx": 404400, "uly": 5342400, "lrx": 405600, "lry": 5341200},
 "projection": "$wkt", "acquisition_date": "2017-06-13 10:10:31",
 "tile_source": "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE"}
END
}
first=S2A_MSIL2A_20170613T101031_1_1 second=S2A_MSIL2A_20170613T101031_1_2
third=S2A_MSIL2A_20170613T101031_1_3
ben good $first '"Permanently irrigated land", "Pastures"'
ben good $second '"Pastures"'
ben good $third '"Rice fields"'
spoil() { # spoil: bad/ is good/ again
    rm -rf bad
    cp -r good bad
}
import="$dataset import --positive regular"
expect 'three good patches' 0 '3 added (1 positive, 2 negative' $import good good.store
spoil
rm bad/$second/*_B05.tif
left_out 'a missing band' $second B05.tif 2 $import bad
spoil
head -c 900 good/$second/${second}_B08.tif >bad/$second/${second}_B08.tif
left_out 'a truncated TIFF' $second B08.tif 2 $import bad
spoil
sed -i 's/Pastures/Pasture/' bad/$second/*.json
left_out 'an unknown label' $second 'label "Pasture"' 2 $import bad
spoil
head -c 100 good/$second/${second}_labels_metadata.json >bad/$second/${second}_labels_metadata.json
left_out 'truncated JSON' $second 'not JSON' 2 $import bad
ben more $second '"Peatbogs"'
left_out 'a duplicated patch' $second 'there twice' 3 $import good more
printf '%s\n%s_9\n' $first $first >list.txt
left_out 'a listed patch that is not there' ${first}_9 'list.txt' 1 $import good --list list.txt

# ---- TFRecords ----

expect 'records' 0 '' $dataset export good.store records --to tfrecord --records 1 --quiet
mkdir record
cat records/*.tfrecord >record/all.tfrecord
size=$(wc -c <record/all.tfrecord)
expect 'records come back' 0 '3 added (1 positive, 2 negative' $import record record.store
true_that 'with their names' test "$(names record.store)" = "$(names good.store)"
mkdir damaged
cp record/all.tfrecord damaged/all.tfrecord
printf '\125' | dd of=damaged/all.tfrecord bs=1 seek=$((size / 2)) conv=notrunc 2>dd.err
left_out 'a wrong CRC' 'damaged/all.tfrecord record 1' 'wrong CRC' 2 $import damaged
mkdir cut
head -c $((size - 5)) record/all.tfrecord >cut/all.tfrecord
refused 'a truncated TFRecord' truncated $import cut
expect 'it says where' 1 'cut/all.tfrecord' $import cut other.store
cp record/all.tfrecord cut/all.tfrecord
expect 'the whole file goes on from there' 0 '' $import cut now.store --append --quiet
true_that 'and nothing is lost' test "$(names now.store)" = "$(names good.store)"

# ---- images and zips ----

mkdir -p images/Crop images/Lake
for name in a b c; do
    gdal_create -q -of PNG -ot Byte -bands 3 -outsize 16 16 -burn 60 images/Crop/$name.png
    gdal_create -q -of PNG -ot Byte -bands 3 -outsize 16 16 -burn 9 images/Lake/$name.png
done
import="$dataset import --positive Crop"
if command -v zip >/dev/null; then
    zip -q0r whole.zip images
elif command -v python3 >/dev/null; then
    # Stored, not compressed, so that bytes of an image can be found below.
    python3 -c 'import os, zipfile
with zipfile.ZipFile("whole.zip", "w") as z:
    for folder, _, names in os.walk("images"):
        for name in names: z.write(os.path.join(folder, name))'
fi
if [ -f whole.zip ]; then
    expect 'a zip' 0 '6 added (3 positive, 3 negative' $import whole.zip zip.store
    size=$(wc -c <whole.zip)
    for part in 3 2; do
        head -c $((size * (part - 1) / part)) whole.zip >cut.zip
        refused "a zip of $((part - 1))/$part of its bytes" 'cut.zip' $import cut.zip
    done
    # The contents of the second image, not its name: found by what a PNG begins with.
    at=$(LC_ALL=C grep -abo IHDR whole.zip | sed -n 's/:.*//;2p')
    cp whole.zip flipped.zip
    printf '\377\377\377' | dd of=flipped.zip bs=1 seek=$((at + 12)) conv=notrunc 2>dd.err
    left_out 'a damaged image in a zip' '.png' flipped.zip 5 $import flipped.zip
else
    skip 'zips' 'neither zip nor python3 is installed'
fi
mkdir images/Wheat
refused 'an empty class folder' 'class folder Wheat holds no image' $import images
rmdir images/Wheat
rm -rf now.store
expect 'a class that is not there' 2 'no class "Wheat"; there are: Crop, Lake' \
    $dataset import images now.store --positive Wheat
true_that 'leaves no store' test ! -e now.store
head -c 40 images/Crop/b.png >images/Crop/d.png
left_out 'a truncated PNG' Crop/d.png d.png 6 $import images
rm images/Crop/d.png

# ---- one class only ----

expect 'a store of one class' 0 '6 added (0 positive, 0 negative, 6 of unknown' \
    $dataset import images none.store
expect 'has nothing to balance' 2 'wanted: some of both' \
    $dataset split none.store --method random --balance --validation 0 --test 0.4
expect 'its class is counted as empty' 0 '"positive": 0' $dataset info none.store --json
expect 'training on it says so' 2 'a known label' "$S2CLR" supervised none.store --arch pixel --epochs 1 \
    --batch 4 --micro 4 --level EUROSAT8 --image-bands B04,B03,B02 -o run --dry-run

# ---- labels ----

gdal_create -q -of GTiff -ot UInt16 -bands 1 -outsize 240 240 -burn 900 -a_srs EPSG:32630 \
    -a_ullr 600000 4400000 602400 4397600 B04.tif
mkdir scene
for band in B02 B03 B04 B08; do cp B04.tif scene/$band.tif; done
create="$dataset create scene"
printf 'lon,lat,water\n10,10,2\n11,10,1\n' >far.csv
expect 'labels outside of every raster' 0 '2 labels touch no patch' \
    $create far.store --labels far.csv
true_that 'give no label' test "$(ogrinfo -q far.store/index.gpkg \
    -sql 'select count(*) n from patches where label is not null' | sed -n 's/.*= //p')" = 0
rm -rf now.store
expect 'and no chip' 1 'far.csv: none of its points' \
    $create now.store --chips --patch 48 --labels far.csv
printf 'lon,lat,water\n-1.82,39.735,9\n' >nine.csv
expect 'a label of no known class' 2 "'9'" $create now.store --labels nine.csv
printf '{"type": "FeatureCollection", "feat' >cut.geojson
expect 'truncated labels' 1 'cut.geojson' $create now.store --labels cut.geojson
true_that 'none of them leaves a store' test ! -e now.store

# ---- what is published ----

if [ -d "$data/bigearthnet_v1" ]; then
    cp -r "$data/bigearthnet_v1" real
    chmod -R u+w real
    one=$(ls real | sed -n 4p)
    true_that 'eleven real patches' test "$(ls real | wc -l)" -eq 11
    rm real/$one/*_B11.tif
    left_out 'a missing band of a real patch' $one B11.tif 10 \
        $dataset import --positive expanded real
    expect 'a real patch alone' 0 '1 added' $dataset import "$data/bigearthnet_v1/$one" one.store
else
    skip 'real patches' "no $data/bigearthnet_v1"
fi
# The package bigearthnet-common (PyPI) brings six patches, and the names of those with snow.
package=$(python3 -c 'import importlib.util as u
print(u.find_spec("bigearthnet_common").submodule_search_locations[0])' 2>/dev/null)
if [ -f "$package/BigEarthNet-S2-Example.tar.bz2" ]; then
    mkdir example
    tar -xjf "$package/BigEarthNet-S2-Example.tar.bz2" -C example
    bzip2 -dc "$package/patches_with_seasonal_snow.csv.bz2" >snow.csv
    expect 'six example patches' 0 '6 added (0 positive, 6 negative' \
        $dataset import example example.store --positive expanded --strict
    expect 'less those with snow' 0 '5 added' $dataset import example snowless.store \
        --exclude snow.csv
    true_that 'which is the one of winter' test "$(names snowless.store)" = \
        "$(names example.store | grep -v S2B_MSIL2A_20180204T94161_57_38)"
else
    skip 'six example patches' 'the package bigearthnet-common (pip) is not installed'
fi
if [ -f "$data/eurosat_rgb.zip" ]; then
    head -c 3000000 "$data/eurosat_rgb.zip" >eurosat.zip
    refused 'a real zip that is truncated' eurosat.zip $dataset import eurosat.zip
else
    skip 'a real zip' "no $data/eurosat_rgb.zip"
fi
finish
