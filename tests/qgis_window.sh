#!/bin/sh
# A real window of QGIS on a screen of its own, and pictures of it: qgis_window.sh OUTFOLDER
#
#   toolbox.png   the toolbox, open on S2CLR
#   dialog.png    the dialog of a map
#   running.png   the same while it runs
#   finished.png  and when it is done
#   result.png    the map with its legend
#
# Maps the scene of the Segura from $S2CLR_TEST_DATA (else ../shared/data), with the shipped model.
# Run from a build folder; wants Xvfb and QGIS (Debian: apt-get install xvfb qgis python3-qgis).
set -eu
[ $# -eq 1 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
pictures=$(cd "$1" && pwd)
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(pwd)
data=$(cd "${S2CLR_TEST_DATA:-$top/../shared/data}" 2>/dev/null && pwd) || data=nowhere
scene=$data/scenes_l1c/segura/S2_L1C_13bands.tif
cannot() {
    echo "skipped: $*"
    exit 77
}
for program in Xvfb qgis; do
    command -v $program >/dev/null || cannot "$program is not installed"
done
[ -e "$scene" ] || cannot "$scene is not there"
[ -e "$build/s2clr_provider.zip" ] || cannot "run it in a build folder, after make qgis-plugin"

work=$(mktemp -d "${TMPDIR:-/tmp}/s2clr-window-XXXXXX")
screen=''
trap '[ -z "$screen" ] || kill "$screen" 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$work/run" "$work/tmp" "$work/plugins" "$work/map" "$work/profiles/profiles/s2clr/QGIS"
chmod 700 "$work/run"
cd "$work" # so that a short name is enough in the pictures
/usr/bin/python3 -m zipfile -e "$build/s2clr_provider.zip" "$work/plugins"
cp "$scene" segura.tif
cat >"$work/profiles/profiles/s2clr/QGIS/QGIS3.ini" <<'INI'
[PythonPlugins]
processing=true
s2clr_provider=true

[qgis]
checkVersion=false
showTips=false
askToSaveProjectChanges=false
enableMacros=Never
projOpenAtLaunch=0
newsFeed\httpsfeedqgisorg\disabled=true

[UI]
UITheme=default
INI

Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
screen=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$work/display" ] && break
    sleep 0.5
done
[ -s "$work/display" ] || cannot 'Xvfb does not start'
DISPLAY=:$(cat "$work/display")
export DISPLAY
HOME=$work XDG_RUNTIME_DIR=$work/run QT_QPA_PLATFORM=xcb LC_ALL=C.UTF-8 TMPDIR=$work/tmp \
    QGIS_PLUGINPATH=$work/plugins S2CLR_PROGRAM=${S2CLR:-$build/s2clr} S2CLR_BACKEND_PATH=$build/.libs \
    S2CLR_ZOO=${S2CLR_ZOO:-$top/models/zoo} S2CLR_PICTURES=$pictures S2CLR_SCENE=$work/segura.tif \
    S2CLR_MAP=$work/map/permanent-crop.tif \
    timeout 300 qgis --nologo --noversioncheck --profiles-path "$work/profiles" --profile s2clr \
    --code "$top/tests/qgis_window.py" >"$work/qgis.out" 2>&1 || {
    tail -n 30 "$work/qgis.out" >&2
    exit 1
}
for picture in toolbox dialog running finished result; do
    [ -s "$pictures/$picture.png" ] || { tail -n 30 "$work/qgis.out" >&2; echo "no $picture.png" >&2; exit 1; }
done
ls "$pictures"
