#!/bin/sh
# Maps real pixels with the default model: demo.sh BUILD [PRODUCT]      (run by ./bootstrap demo)
#
# Without PRODUCT: the six BigEarthNet-S2 example patches that the PyPI package bigearthnet-common
# carries; when they cannot be fetched, a generated L2A product (its pixels are made up).
set -eu
export LC_ALL=C
build=$(cd "$1" && pwd)
product=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
s2clr=$build/s2clr
out=$build/demo
mkdir -p "$out"

# text FILE.json KEY: the first value of a key
text() {
    sed -n 's/^ *"'"$2"'": "\{0,1\}\(.*\)$/\1/p' "$1" | head -n 1 | sed 's/,$//; s/"$//; s/\\"/"/g'
}

# Unpacks the example patches below $out/bigearthnet; fails quietly-but-said when it cannot.
fetch_patches() {
    patches=$out/bigearthnet/BigEarthNet-S2-Example
    [ ! -d "$patches" ] || return 0
    python3 -m pip --version >/dev/null 2>&1 || { echo "pip is not there" >&2; return 1; }
    rm -rf "$out/bigearthnet"
    mkdir -p "$out/bigearthnet"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --retries 1 --timeout 15 --dest "$out/bigearthnet" bigearthnet-common || return 1
    python3 - "$out/bigearthnet" <<'PYTHON'
import glob, io, sys, tarfile, zipfile
folder = sys.argv[1]
wheel = zipfile.ZipFile(glob.glob(folder + "/*.whl")[0])
archive = wheel.read("bigearthnet_common/BigEarthNet-S2-Example.tar.bz2")
with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
    for member in tar:
        if not (member.isdir() or member.isfile()) or member.name.startswith("/") or ".." in member.name:
            sys.exit("unexpected member " + member.name)
        tar.extract(member, folder)
PYTHON
}

# map INPUT NAME: predicts, keeps the JSON, prints one line
map() {
    "$s2clr" predict --json --progress none -overwrite "$1" "$out/$2_probability.tif" \
        >"$out/$2.json"
    printf '  %-34s mean %.3f  max %.3f  %.2f s, %.2f Mpix/s\n' "$2" "$(text "$out/$2.json" mean)" \
        "$(text "$out/$2.json" maximum)" "$(text "$out/$2.json" total)" \
        "$(text "$out/$2.json" megapixels_per_second)"
    set -- "$out/$2.json" "$out/$2_probability.tif"
    panels="$panels $1 $2"
}

panels= width=240
cd "$out"
if [ -n "$product" ]; then
    name=$(basename "$product")
    name=$(printf '%s' "${name%%.*}" | tr -c 'A-Za-z0-9_-' '_')
    echo "Mapping $product"
    "$s2clr" predict -overwrite "$product" "$out/${name}_probability.tif"
    "$s2clr" info --quiet --json "$product" >"$out/$name.json"
    width=900
    sh "$here/picture.sh" "$out/$name.png" "$width" "$out/$name.json" \
        "$out/${name}_probability.tif"
    echo "Map:     $out/${name}_probability.tif"
    echo "Picture: $out/$name.png (true colour beside probability, dark 0 to yellow 1)"
    exit 0
fi

if fetch_patches; then
    echo "Real pixels: six BigEarthNet-S2 patches (1.2 km each) from the PyPI package bigearthnet-common"
    echo "(contains modified Copernicus Sentinel data 2017-2018)"
    for patch in "$patches"/S2*; do map "$patch" "$(basename "$patch")"; done
else
    echo "The example patches cannot be fetched: mapping a generated product, its pixels are made up"
    (cd "$build" && make -s tests/make_safe >/dev/null)
    rm -rf "$out/generated"
    width=600
    map "$("$build/tests/make_safe" "$out/generated")" generated
fi
# shellcheck disable=SC2086 # paths made above: names of patches, below the build folder
sh "$here/picture.sh" "$out/demo.png" "$width" $panels
set -- $panels
echo "Model:   $(text "$1" model), on $(text "$1" device), $(text "$1" threads) threads"
echo "Maps:    $out/*_probability.tif"
echo "Picture: $out/demo.png (true colour and probability, dark 0 to yellow 1)"
echo "Mind:    $(text "$1" model_warning)"
