#!/bin/sh
# s2clr topk: sheets of data sets, scenes and maps, what is refused and leaves nothing, and a page
# that a browser marks, loads again and saves.
rig=topk-command
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
wants gdal_create gdal_translate
topk="$S2CLR topk"
model=made.safetensors
true_that 'a model' "$tools/make_model" $model

# ---- a data set ----

mkdir -p data/Crop data/Other
i=0
while [ $i -lt 9 ]; do
    for class in Crop Other; do
        gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 28 28 -burn $((20 + 9 * i)) \
            -burn $((200 - 7 * i)) -burn 90 data/$class/${class}_$i.tif
    done
    i=$((i + 1))
done
expect 'a sheet of images' 0 'All 18 patches' $topk data -m $model -o sheet.html --part all --above 0
true_that 'eighteen patches' test "$(grep -c '<li class="patch"' sheet.html)" -eq 18
true_that 'one picture each' test "$(grep -c 'src="data:image/png;base64,' sheet.html)" -eq 18
true_that 'by name where they are equal' sh -c "
    grep -o 'data-name=\"[^\"]*\"' sheet.html | sed 's/.*_//' >numbers
    [ \"\$(uniq numbers | wc -l)\" -eq 9 ]"
grep -o 'data-probability="[^"]*"' sheet.html | cut -d '"' -f 2 >p
true_that 'the most certain first' sh -c 'sort -g -r p | cmp - p'
cp sheet.html first.html
expect 'again, with other threads' 0 '' $topk data -m $model -o sheet.html --part all --above 0 --threads 3
true_that 'the same page' cmp first.html sheet.html
expect 'five of them' 0 'The 5 most certain of the 18' $topk data -m $model -o five.html --part all \
    --above 0 --count 5
expect 'drawn' 0 '5 drawn at random (seed 2) of the 18' $topk data -m $model -o drawn.html \
    --part all --above 0 --count 5 --choose random --seed 2
expect 'as JSON' 0 '"reached": 18' $topk data -m $model -o json.html --part all --above 0 --json
expect 'a part' 0 'part validation' $topk data -m $model -o part.html --part validation --above 0 \
    --validation-share 0.6 --test-share 0.1
expect 'none is so certain' 1 'none of 18 patches reaches' $topk data -m $model -o none.html \
    --part all --above 1
true_that 'so there is no sheet' test ! -e none.html
expect 'a folder that is not there, said before the patches are looked at' 1 'no/such' $topk data \
    -m $model -o no/such/sheet.html --part all --above 1
expect 'a device' 1 '/dev/null' $topk data -m $model -o /dev/null --part all --above 0
expect 'an output that is read' 2 "$model" $topk data -m $model -o $model --part all --above 0
latin=$(printf 'caf\351')
cp -r data latin && mv latin/Crop/Crop_1.tif "latin/Crop/$latin.tif"
expect 'a name that is no UTF-8' 0 'caf\\xe9.tif' $topk latin -m $model -o "$latin.html" --part all \
    --above 0 --json
true_that 'leaves no patch out' test "$(grep -c '"rank": ' out)" -eq 18
expect 'no output' 2 'output is missing' $topk data
expect 'a scene has no parts' 2 'part says nothing about' $topk data/Crop/Crop_1.tif -m $model \
    -o none.html --part all
expect 'images lie in no grid' 2 'stride says nothing about' $topk data -m $model -o none.html --stride 4


# ---- a store: bands that the model does not take, and places ----

true_that 'a store' "$tools/make_store" a.store 12 28
expect 'a sheet of a store' 0 'All 3 patches' $topk a.store -m $model -o store.html --above 0 --json
true_that 'near infrared is shown' grep -F 'B08 ' store.html
true_that 'two pictures each' test "$(grep -c 'src="data:image/png;base64,' store.html)" -eq 6
echo 300140 7999860 | gdaltransform -s_srs EPSG:32630 -t_srs EPSG:4326 -output_xy >place
sed -n 's/.*data-longitude="\([^"]*\)" data-latitude="\([^"]*\)" data-name="00000000_0".*/\1 \2/p' \
    store.html >>place
true_that 'the centre is where GDAL says' awk '{ x[NR] = $1; y[NR] = $2 }
    END { exit !(NR == 2 && (x[1] - x[2])^2 + (y[1] - y[2])^2 < 1e-13) }' place
expect 'all of it' 0 'All 12 patches' $topk a.store -m $model -o store.html --above 0 --part all

# ---- a scene, and a map of it ----

safe=$("$tools/make_safe" "$work" 2700 1800) || {
    skip 'scenes' 'this GDAL cannot write the made-up product'
    finish
}
gdal_translate -q -of VRT "SENTINEL2_L2A:$safe/MTD_MSIL2A.xml:10m:EPSG_32630" scene.vrt
scene() { # scene OPTION...: of 270 x 180 pixels, 10 x 7 patches
    $topk scene.vrt -m $model --level L2A --quiet "$@"
}
expect 'a sheet of a scene' 0 '"seen": 70' scene -o scene.html --above 0 --json
sed -n 's/.*"name": \("[^"]*_c[^"]*"\).*/\1/p' out >names.txt
true_that 'names say where' grep -x -E '".*scene_r[0-9]{5}_c[0-9]{5}"' names.txt
true_that 'true and false colour' test "$(grep -c '<figcaption>false colour' scene.html)" -eq \
    "$(grep -c '<figcaption>true colour' scene.html)"
true_that 'a map' "$S2CLR" predict scene.vrt map.tif -m $model --level L2A --stride 28 --quiet
expect 'a sheet of the map' 0 '"model": "rig-dense"' $topk --map map.tif scene.vrt -o under.html \
    --above 0 --json
sed -n 's/.*"name": \("[^"]*_c[^"]*"\).*/\1/p' out >under.txt
true_that 'shows the same patches' cmp names.txt under.txt
true_that 'with the same pictures' sh -c "
    grep -o 'src=.*base64,[^\"]*' scene.html >one; grep -o 'src=.*base64,[^\"]*' under.html | cmp - one"
true_that 'a map of finer steps' "$S2CLR" predict scene.vrt fine.tif -m $model --level L2A --quiet
expect 'neighbours are passed over' 0 'too near to a better one' $topk --map fine.tif scene.vrt \
    -o fine.html --above 0 --count 20
expect 'unless they may overlap' 0 '"crowded": 0' $topk --map fine.tif scene.vrt -o fine.html \
    --above 0 --count 20 --distance 0 --json
expect 'as the model would' 0 '"crowded": 0' scene -o fine.html --above 0 --count 20 --stride 4 \
    --distance 0 --json
expect 'draws do not pass neighbours over' 0 '"crowded": 0' $topk --map fine.tif scene.vrt \
    -o fine.html --above 0 --count 20 --choose random --json
sed -n 's/.*"name": ".*_r\([0-9-]*\)_c.*/\1/p' out | sort -u >rows.txt
true_that 'they overlap: in more rows than patches have side by side' test "$(wc -l <rows.txt)" -gt 7
expect 'a distance of draws' 2 'lone pixels are drawn more often' $topk --map fine.tif scene.vrt \
    -o none.html --above 0 --choose random --distance 28
true_that 'a map as COG' "$S2CLR" predict scene.vrt cog.tif -m $model --level L2A --stride 28 \
    -of COG --quiet
expect 'a sheet of the COG' 0 '"model": "rig-dense"' $topk --map cog.tif scene.vrt -o cog.html \
    --above 0 --json
sed -n 's/.*"name": \("[^"]*_c[^"]*"\).*/\1/p' out >cog.txt
true_that 'is that of the map' cmp under.txt cog.txt
printf 'lon,lat,label\n' >pixel.csv
gdaltransform -s_srs EPSG:32630 -t_srs EPSG:4326 -output_xy <<END | tr ' ' ',' | sed 's/$/,1/' >>pixel.csv
$(gdalinfo cog.tif | sed -n 's/^Center *( *\([0-9.]*\), *\([0-9.]*\)).*/\1 \2/p')
END
for map in map.tif cog.tif; do
    expect "the tags of $map" 0 'as the map'"'"'s tags say; made by rig-dense' "$S2CLR" evaluate \
        --map $map pixel.csv --resamples 0
    cp out tags.txt
    true_that 'its class' grep -F made_up_class tags.txt
    true_that 'its warning' grep -F 'mind: For tests only' tags.txt
done
expect 'a model and a map' 2 'model says nothing about' $topk --map map.tif scene.vrt -m $model \
    -o none.html
gdal_translate -q -co PROFILE=GeoTIFF map.tif bare.tif
rm -f bare.tif.aux.xml
expect 'a map that says nothing' 2 'patch PX' $topk --map bare.tif scene.vrt -o none.html
expect 'the patch as an option' 0 '"highest"' $topk --map bare.tif scene.vrt -o bare.html --patch 28 \
    --above 0 --json
expect 'no map' 1 'holds 0 to 1' $topk --map scene.vrt scene.vrt -o none.html --patch 28
gdal_create -q -of GTiff -ot Float32 -bands 1 -outsize 9 9 -burn 0.9 -a_srs EPSG:4326 \
    -a_ullr 10 -10 11 -11 far.tif
expect 'a map of elsewhere' 1 'lie beside it' $topk --map far.tif scene.vrt -o none.html --patch 28 \
    --above 0.5
true_that 'none of these left a sheet' test ! -e none.html

# ---- a browser ----

if ! command -v chromium >/dev/null; then
    skip 'marking in a browser' 'chromium is not installed'
    finish
fi
cat >driver.html <<'END'
<script>
(async function () {
  const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", {key: key}));
  const click = (rank, mark) =>
    document.querySelector("li:nth-child(" + rank + ") [data-is=" + mark + "]").click();
  const tell = (text) => {
    const told = document.createElement("pre");
    told.className = "told";
    told.textContent = text + "END";
    document.body.appendChild(told);
  };
  if (!location.hash) {
    click(2, "wrong");
    click(5, "unsure");
    click(5, "unsure");     // takes it back
    click(1, "wrong");      // keys now speak of the first
    for (const key of ["1", "ArrowRight", "3", "ArrowLeft", "0", "ArrowRight", "3"]) press(key);
    location.hash = "again";
    location.reload();
    return;
  }
  const make = URL.createObjectURL;
  let saved = null;
  URL.createObjectURL = (blob) => make.call(URL, saved = blob);
  document.getElementById("save").click();
  tell("COUNT " + document.getElementById("count").textContent);
  tell("CSV " + await saved.text());
})();
</script>
END
cat scene.html driver.html >driven.html
run=$((run + 1))
timeout 100 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" \
    --virtual-time-budget=8000 --dump-dom "file://$work/driven.html" >dom 2>err
if ! grep '</html>' dom >/dev/null; then
    skip 'marking in a browser' 'chromium does not start here'
    finish
fi
expect 'marks survive a reload' 0 'COUNT 3 of' grep COUNT dom
true_that 'are counted' grep -F 'marked: 1 right, 1 wrong, 1 unsure' dom
sed -n '/>CSV /,/END</p' dom | sed 's/.*>CSV //; /^END</d' >saved.csv
true_that 'saved is a table' test "$(head -n 1 saved.csv)" = \
    'rank,name,probability,longitude,latitude,mark,model,positive'
true_that 'of all patches' test "$(wc -l <saved.csv)" -eq $(($(wc -l <names.txt) + 1))
cut -d , -f 6 saved.csv | sed -n 2,6p | tr '\n' , >marks
true_that 'each mark is where it was made' test "$(cat marks)" = right,wrong,,unsure,,
true_that 'with names as on the page' sh -c \
    "cut -d , -f 2 saved.csv | sed '1d; s/.*/\"&\"/' | cmp - names.txt"
true_that 'and model and class' test "$(cut -d , -f 7,8 saved.csv | sed 1d | sort -u)" = \
    rig-dense,made_up_class
expect 'evaluate takes it' 0 '1 right, 1 wrong, 1 unsure' "$S2CLR" evaluate saved.csv
finish
