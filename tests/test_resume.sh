#!/bin/sh
# A run that is really killed, several times, and taken up again: the same raster in the end, and
# nothing left beside it.
rig=resume
. "${srcdir:-.}/tests/rig.sh"
killed=0 quiet=--quiet
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
        --blend hann --bands probability,entropy $quiet "$@" scene.tif map.tif >out 2>err
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
kill_midway() { # kill_midway OPTION...
    before=$(size)
    predict --resume "$@" &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ "$(size)" -le $((before + 3000)) ]; do sleep 0.02; done
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ ! -e map.tif ]
}

while [ $killed -lt 4 ]; do
    kill_midway || break
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

# ---- other settings ----

for try in 1 2 3; do
    rm -f map.tif map.tif.part*
    kill_midway --min-valid 0.9 && kill_midway --min-valid 0.9 && break
done
if [ ! -e map.tif ]; then
    run=$((run + 3))
    cp map.tif.part.journal kept.journal
    (predict --resume --min-valid 0.8) && fail 'other settings go on'
    grep -F 'MIN_VALID was 0.9 and is 0.8 now' err >/dev/null || fail 'the setting is named'
    cmp map.tif.part.journal kept.journal >out 2>err || fail 'a refused run leaves the journal alone'
    quiet=
    run=$((run + 3))
    (predict --resume --overwrite --min-valid 0.9 --json) || fail 'the same settings, with leave'
    grep -E '"resumed_rows": *[1-9]' out >/dev/null || fail 'what was done is thrown away'
    ! grep 'thrown away' err >/dev/null || fail 'it is said to be'
    rm map.tif
    cp kept.journal map.tif.part.journal
    predict --resume --overwrite &
    pid=$!
    while kill -0 $pid 2>/dev/null && cmp -s kept.journal map.tif.part.journal; do sleep 0.02; done
    kill -INT $pid 2>/dev/null
    wait $pid
    run=$((run + 1))
    grep 'thrown away' err >/dev/null || fail 'a run that is interrupted says it too'
    rm -f map.tif map.tif.part*
    cp kept.journal map.tif.part.journal
    run=$((run + 4))
    (predict --resume --overwrite --json) || fail 'other settings, with leave'
    grep -E '"resumed_rows": *0' out >/dev/null || fail 'rows of other settings were taken'
    [ "$(grep -c 'warning: .*thrown away.*MIN_VALID was 0.9' err)" -eq 1 ] || fail 'one warning'
    [ -z "$(ls | grep part)" ] || fail 'begun anew, it left something behind'
    run=$((run + 1))
    gdal_translate -q -of ENVI map.tif map.raw
    cmp whole.raw map.raw >out 2>err || fail 'begun anew, pixels differ'
else
    run=$((run + 1))
    fail 'a run with other settings was over before it could be killed'
fi
finish
