# Shared by the tests that are shell scripts, and read by them:
#
#     rig=dataset
#     . "${srcdir:-.}/tests/rig.sh"
#     in_work_folder
#     expect 'no argument' 2 'Usage:' "$S2CLR" dataset
#     finish
#
# Sets S2CLR (the command), plugins (folder of the plug-in), tools (folder of the built helpers), top
# (folder of the sources), all absolute; run, failed and skipped count.
S2CLR=${S2CLR:-./s2clr}
plugins=${S2CLR_PLUGINS:-./gdalplugins}
tools=$(cd tests 2>/dev/null && pwd)
top=$(cd "${srcdir:-.}" && pwd)
case $S2CLR in /*) ;; *) S2CLR=$(pwd)/$S2CLR ;; esac
case $plugins in /*) ;; *) plugins=$(pwd)/$plugins ;; esac
run=0 failed=0 skipped=0

in_work_folder() { # a new folder, away when the test ends
    work=$(mktemp -d "${TMPDIR:-/tmp}/s2clr-$rig-XXXXXX") || exit 1
    trap 'rm -rf "$work"' EXIT
    cd "$work" || exit 1
}

fail() {
    failed=$((failed + 1))
    echo "FAIL $1"
    sed 's/^/    /' out err 2>/dev/null | head -n 20 | cut -c 1-500
}

skip() { # skip NAME REASON
    skipped=$((skipped + 1))
    echo "SKIP $1: $2"
}

skip_all() { # skip_all REASON
    echo "SKIP $rig: $1"
    echo "$rig: 0 run, 0 failed, 1 skipped"
    exit 77
}

wants() { # wants PROGRAM...: or nothing of this test runs
    for program; do
        command -v "$program" >/dev/null || skip_all "$program is not installed"
    done
}

finish() {
    echo "$rig: $run run, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

true_that() { # true_that NAME COMMAND...
    name=$1
    shift
    run=$((run + 1))
    "$@" >out 2>err || fail "$name"
}

# expect NAME CODE TEXT COMMAND...: exit code, and TEXT somewhere in what it prints ("" = anything)
expect() {
    name=$1 code=$2 text=$3
    shift 3
    run=$((run + 1))
    "$@" >out 2>err
    got=$?
    if [ "$got" -ne "$code" ]; then
        fail "$name: exit code $got, wanted $code"
        return 1
    fi
    [ -z "$text" ] || cat out err | grep -F -e "$text" >/dev/null || { fail "$name: \"$text\" is not said"; return 1; }
}

# Libraries of a sanitizer that a plug-in built with it wants in the program first: those that s2clr
# was linked with are the right ones.
sanitizers() {
    ldd "$S2CLR" | awk '/lib[atu][a-z]*san\.so/ { printf "%s%s", sep, $3; sep = " " }'
}

# ---- a pretended CUDA (tests/cuda_fake.h) ----

# In the work folder: the module on it is what --device cuda finds. The registry offers the module
# where there is a driver: a file of that name is enough.
pretend_cuda() {
    module=$tools/fake_cuda/.libs/s2clr_cuda.so
    [ -f "$module" ] || skip_all "configure found no headers of CUDA, cuDNN and cuBLASLt"
    mkdir fake
    ln -s "$module" fake/s2clr_cuda.so
    ln -s s2clr_cuda.so fake/libcuda.so.1
    ln -s s2clr_cuda.so fake/libnccl.so.2
    S2CLR_BACKEND_PATH=$work/fake
    LD_LIBRARY_PATH=$work/fake${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export S2CLR_BACKEND_PATH LD_LIBRARY_PATH
}

# The command frees nothing while its process ends.
pretend() { # pretend WORDS COMMAND...
    words=$1
    shift
    FAKE_CUDA=keeps,$words "$@"
}

# ---- made-up data ----

plain_patch() { # plain_patch FILE RED GREEN BLUE: 16 x 16 pixels of one colour
    gdal_create -q -of GTiff -ot Byte -bands 3 -outsize 16 16 -burn "$2" -burn "$3" -burn "$4" "$1"
}

# patches_of CLASS COUNT: data/CLASS, every patch with its own colour; Crop and Other differ a lot
patches_of() {
    mkdir -p "data/$1"
    i=0
    while [ $i -lt "$2" ]; do
        if [ "$1" = Crop ]; then
            plain_patch "data/$1/$1_$i.tif" $((30 + 3 * i)) $((120 + i)) $((90 - 2 * i))
        else
            plain_patch "data/$1/$1_$i.tif" $((160 - 2 * i)) $((60 + 3 * i)) $((170 + i))
        fi
        i=$((i + 1))
    done
}

# ask.bash WORD...: what the shell's completion would offer for the last word
completion_asker() {
    "$S2CLR" completion bash >completion.bash
    cat >ask.bash <<'END'
. ./completion.bash
COMP_WORDS=("$S2CLR" "${@}")
COMP_CWORD=$#
_s2clr 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
END
    export S2CLR
}
