# Shared by test_examples_*.sh: tests/run_examples.py in a folder of its own, with the real data.
. "${srcdir:-.}/tests/rig.sh"

run_examples() { # run_examples PART
    wants python3 bash gdal_translate gdal_create ogr2ogr ogrinfo gdaltransform
    data=${S2CLR_TEST_DATA:-$top/../shared/data}
    [ -e "$data/eurosat_rgb.zip" ] || skip_all "no real data in $data (S2CLR_TEST_DATA)"
    data=$(cd "$data" && pwd)
    ls "$data"/*MSIL2A*.SAFE.zip >/dev/null 2>&1 || skip_all "no L2A product in $data"
    # As in test_driver.sh: a plug-in built with a sanitizer wants its libraries first.
    S2CLR_PRELOAD=$(sanitizers)
    case $S2CLR_PRELOAD in
    *libtsan*) skip_all 'the programs of GDAL cannot be started under ThreadSanitizer' ;;
    esac
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
    S2CLR_PLUGINS=$plugins
    export ASAN_OPTIONS S2CLR_PLUGINS S2CLR_PRELOAD
    in_work_folder
    # The last line counts: "examples: N run, N failed, N skipped".
    python3 -B "$top/tests/run_examples.py" "$1" "$top" "$S2CLR" "$data" >said 2>&1
    code=$?
    sed "s/^examples: /$rig: /" said
    exit $code
}
