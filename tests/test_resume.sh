#!/bin/sh
# A run that is really killed, several times, and taken up again: the same raster in the end, and
# nothing left beside it.
rig=resume
. "${srcdir:-.}/tests/rig.sh"
killed=0
in_work_folder

wants gdalinfo gdal_translate
safe=$("$tools/make_safe" "$work" 10800 9000) || skip_all 'this GDAL cannot write the made-up product'
run=$((run + 1))
{ "$tools/make_model" "$work/tiny.safetensors" &&
    gdal_translate -q -outsize 700 2400 -a_ullr 600000 4224000 607000 4200000 -co TILED=YES -co COMPRESS=LZW \
        "SENTINEL2_L2A:$safe/MTD_MSIL2A.xml:10m:EPSG_32630" scene.tif; } >out 2>err ||
    fail 'something to read'

predict() { # predict OPTION...: blocks as small as they come
    exec "$S2CLR" predict -m tiny.safetensors --device portable --threads 1 --memory "$memory" \
        --blend hann --bands probability,entropy --quiet "$@" scene.tif map.tif >out 2>err
}

size() { # of the journal, 0 when there is none
    stat -c %s map.tif.part.journal 2>/dev/null || echo 0
}

# The least memory is what the refusal says.
memory=1
(predict) && fail 'one megabyte is refused'
memory=$(sed -n 's/.*needs about \([0-9]*\) MB.*/\1/p' err)
memory=$((${memory:-60} + 30))

run=$((run + 1))
(predict) || fail 'a run in one go'
mv map.tif whole.tif
run=$((run + 1))
[ -z "$(ls | grep part)" ] || fail 'a run in one go left something behind'

# Waits until the journal has grown by a piece or the run is over, and kills it.
while [ $killed -lt 4 ]; do
    before=$(size)
    predict --resume &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ "$(size)" -le $((before + 3000)) ]; do sleep 0.02; done
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ ! -e map.tif ] || break
    killed=$((killed + 1))
done
run=$((run + 1))
[ $killed -ge 1 ] || fail 'the run was over before it could be killed'

run=$((run + 1))
if [ ! -e map.tif ]; then
    (predict --resume --json) || fail 'the last run'
    grep -E '"resumed_rows": *[1-9]' out >/dev/null || fail 'nothing was taken from the journal'
fi
run=$((run + 1))
[ -z "$(ls | grep part)" ] || fail 'the resumed run left something behind'

for file in whole map; do
    gdalinfo -checksum -mdd S2CLR $file.tif | sed "1,3s/$file.tif/X/" >$file.txt
    gdal_translate -q -of ENVI $file.tif $file.raw
done
run=$((run + 2))
cmp whole.txt map.txt >out 2>err || fail 'tags, statistics or overviews differ'
cmp whole.raw map.raw >out 2>err || fail 'pixels differ'
finish
