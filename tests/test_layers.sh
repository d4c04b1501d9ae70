#!/bin/sh
# Dependencies point strictly down, and files stay short enough to read.
# Prints one line per offence and the closing line that tests/summary.sh adds up.
top=${srcdir:-.}
failed=0
run=0
skipped=0

check() { # check NAME OFFENDERS
    run=$((run + 1))
    [ -z "$2" ] && return
    failed=$((failed + 1))
    printf 'FAIL %s:\n%s\n' "$1" "$2"
}

sources() { # sources FOLDER...
    for folder; do
        [ ! -d "$top/$folder" ] || find "$top/$folder" -type f -name '*.[ch]*'
    done
}

includes() { # includes PATTERN FOLDER... : include lines of those folders that match
    pattern=$1
    shift
    sources "$@" | while IFS= read -r file; do
        grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$pattern" "$file"
    done
}

check 'models/ sees no GDAL, PROJ or GEOS' \
    "$(includes '(gdal|ogr|cpl_|cplkeywordparser|vrt|proj|geos|geodesic)' models)"
check 'models/ sees nothing of algorithms/' \
    "$(includes '(sentinel2|patch|labels|dataset|predict|report|commands|qgis)/' models)"
check 'gdal_plugin/ does not see the commands' "$(includes '(\.\./)*(algorithms/)?commands/' gdal_plugin)"
check 'the commands do not see gdal_plugin/' "$(includes '.*gdal_plugin/' algorithms)"
check 'the rest of algorithms/ does not see the commands' \
    "$(includes 'commands/' algorithms | grep -v '/algorithms/commands/')"
# A header is private when it says so, or when it is pNAME.h beside NAME.c, NAME.h or NAME_*.c.
private_headers() {
    sources models algorithms gdal_plugin | grep '\.h$' | while IFS= read -r file; do
        name=${file##*/p}
        folder=${file%/*}
        case ${file##*/} in
        p*) ls "$folder/${name%.h}.c" "$folder/$name" "$folder/${name%.h}"_*.c 2>/dev/null ;;
        esac | grep -q . || sed '/\*\//q' "$file" | grep -qE '(^| )Private( to|[.:;]| *$)' || continue
        echo "${folder##*/}/${file##*/}"
    done
}
check 'private headers stay in their folder' "$(
    includes "($(private_headers | tr '\n' '|')none)\"" models algorithms gdal_plugin |
        grep -v '/\([^/]*\)/[^/]*:[0-9]*:.*"\1/')"
check 'no file has more than 450 lines' "$(
    {
        sources models algorithms gdal_plugin tests
        find "$top/algorithms" "$top/tests" -name '*.py' -o -name '*.sh'
    } | while IFS= read -r file; do
        lines=$(wc -l <"$file")
        [ "$lines" -le 450 ] || echo "$file: $lines lines"
    done)"
check 'file names are unique' "$(
    sources models algorithms gdal_plugin tests | sed 's,.*/,,' | sort | uniq -d)"
# The log of a test has its name without what stands behind the dot: of two, make runs one.
check 'names of tests are unique' "$(
    find "$top/tests" -name 'test_*.c' -o -name 'test_*.sh' |
        sed 's,.*/,,; s,\.[a-z]*$,,' | sort | uniq -d)"
# GDAL brings what it brings; the plug-in itself asks for no HDF5 and no MPI.
plugin=${S2CLR_PLUGINS:-./gdalplugins}/gdal_S2CLR.so
if [ -e "$plugin" ] && command -v readelf >/dev/null; then
    check 'the plug-in does not link HDF5 or MPI' \
        "$(readelf -d "$plugin" | grep -iE 'NEEDED.*(hdf5|mpi)')"
else
    skipped=1
    echo "SKIP the plug-in does not link HDF5 or MPI: $plugin was not built, or readelf is not installed"
fi

echo "layers: $run run, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
