#!/bin/sh
# All that needs an NVIDIA GPU, with one command on a bare machine: sh tests/on-gpu.sh [FOLDER]
#
# Wants a C compiler, nvcc, cuDNN 9 and cuBLASLt (of CUDA_HOME, the system, or Python's packages
# nvidia-cudnn and nvidia-cublas), and no network, data, GDAL, oneDNN, autotools, CUnit or jansson.
# Builds the networks, their backends and the training steps (models/base, backend, net and some of
# train) in FOLDER (default: a new one), then runs
#
#   checks  what compares all backends, training steps, several devices, the networks' goldens
#   memory  some of these again under compute-sanitizer, where that works
#   rates   how fast it is, beside PyTorch and TensorRT where Python finds them, and the quotients
#
# FOLDER/rates.jsonl has the rates, FOLDER/log the rest. The last line counts; the exit status is 0
# when nothing failed.
#
# ON_GPU_PARTS: which of the three ("checks memory rates"). ON_GPU_SIDE, ON_GPU_BATCH,
# ON_GPU_SECONDS, ON_GPU_NETWORKS, ON_GPU_SCENE, ON_GPU_LIST: of the rates (120, 256, 5, "resnet18
# resnet50 resnet152", 10980 pixels, 8192 patches in a contrastive loss). ON_GPU_FAKE=1: with the
# pretended CUDA of tests/cuda_fake.h, all in miniature; needs CUDA's headers and tells whether this
# script works.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$(mktemp -d "${TMPDIR:-/tmp}/s2clr-on-gpu-XXXXXX")}
mkdir -p "$out/o"
out=$(cd "$out" && pwd)
log=$out/log
fake=${ON_GPU_FAKE:-0}
run=0 failed=0 skipped=0
: >"$log"
: >"$out/rates.jsonl"
cd "$top"

say() {
    echo "$*" | tee -a "$log"
}

die() {
    say "on-gpu: $*"
    exit 1
}

skip() { # skip NAME REASON
    skipped=$((skipped + 1))
    say "SKIP $1: $2"
}

step() { # step NAME COMMAND...; 77: it had nothing to do, and its last line says why
    name=$1
    shift
    run=$((run + 1))
    echo "== $name: $*" >>"$log"
    status=0
    "$@" >"$out/now" 2>&1 || status=$?
    if [ "$status" -eq 0 ]; then
        say "ok   $name: $(tail -n 1 "$out/now")"
    elif [ "$status" -eq 77 ]; then
        skip "$name" "$(grep -v -e ' run, ' "$out/now" | tail -n 1)"
    else
        failed=$((failed + 1))
        say "FAIL $name"
        tail -n 15 "$out/now" | cut -c 1-300
    fi
    cat "$out/now" >>"$log"
}

wants() { # wants PART
    case " ${ON_GPU_PARTS:-checks memory rates} " in *" $1 "*) return 0 ;; esac
    return 1
}

# ---- what is here ----

# The folders of Python's packages nvidia.*, each with include/ and lib/
python_folders() {
    python3 - 2>/dev/null <<'END' || :
import glob, os, nvidia
for root in nvidia.__path__:
    for folder in glob.glob(os.path.join(root, "*")):
        print(folder)
END
}

includes='' libraries=''
look_in() { # look_in FOLDER
    [ ! -d "$1/include" ] || includes="$includes -isystem $1/include"
    for sub in lib64 lib lib/x86_64-linux-gnu lib/aarch64-linux-gnu; do
        [ ! -d "$1/$sub" ] || libraries="$libraries -L$1/$sub -Wl,-rpath,$1/$sub"
    done
}

compiler=${CC:-cc}
cuda=${CUDA_HOME:-/usr/local/cuda}
nvcc=$cuda/bin/nvcc
[ -x "$nvcc" ] || nvcc=$(command -v nvcc || :)
sanitizer=$cuda/bin/compute-sanitizer
[ -x "$sanitizer" ] || sanitizer=$(command -v compute-sanitizer || :)
look_in "$cuda"
for folder in $(python_folders); do look_in "$folder"; done

library() { # library NAME MAJOR...: how to link it; packages of Python have no libNAME.so
    name=$1
    shift
    echo 'int main(void) { return 0; }' >"$out/o/link.c"
    for flag in "-l$name" $(for major; do echo "-l:lib$name.so.$major"; done); do
        # shellcheck disable=SC2086
        if $compiler "$out/o/link.c" $libraries "$flag" -o "$out/o/link" 2>/dev/null; then
            echo "$flag"
            return
        fi
    done
    return 1
}

# ---- build ----

flags="-std=gnu11 -O2 -pthread -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno -Wall \
-Wextra"
defines="-Imodels -Itests -Itests/gpu -D_GNU_SOURCE= -DS2CLR_MODULE_DIR=\"$out\" \
-DS2CLR_ONEDNN_BUILT=false -DS2CLR_CUDA_BUILT=true -DS2CLR_CUDA_LOWEST=75"

object_of() { # object_of FILE
    echo "$out/o/$(echo "$1" | tr '/' '_').o"
}

compile() { # compile FILE...: several at once, with the flags of the real build
    for file; do echo "$file"; done | xargs -P "$(nproc)" -I FILE sh -c '
        file=$1; shift; exec "$@" -c "$file" -o "$OUT/$(echo "$file" | tr / _).o"' \
        sh FILE $compiler $flags $defines $includes 2>>"$log"
}

objects_of() {
    for file; do object_of "$file"; done
}

is_module() { # the sources of modules, not of the program
    case $1 in *onednn* | */cuda_*.c | */module_host.c) return 0 ;; esac
    return 1
}

model_sources() {
    for file in models/base/*.c models/backend/*.c models/net/*.c models/train/augment*.c \
        models/train/collective.c models/train/contrast.c models/train/cosine.c \
        models/train/learner*.c models/train/loss.c models/train/machine.c \
        models/train/ntxent*.c models/train/optimiser*.c; do
        is_module "$file" || echo "$file"
    done
}

module_sources() {
    echo models/backend/backend_common.c models/backend/module_host.c models/base/memory.c
    echo models/backend/cuda_*.c
    [ "$fake" != 1 ] || echo tests/cuda_fake_*.c
}

helpers="tests/harness.c tests/op_compare.c tests/op_reference.c tests/op_rig.c \
tests/resident_rig.c tests/gpu/cunit.c tests/gpu/json.c"
programs="test_backend_ops test_branch_ops test_op_in_place test_bf16 test_op_check \
test_backend_training test_backend_contrast test_backend_cut test_backend_views \
test_backend_recording test_resident_ops test_architectures test_step test_learner \
test_learner_group test_contrast test_collective"

links() { # links PROGRAM FILE...
    program=$1
    shift
    # shellcheck disable=SC2046
    $compiler -pthread -o "$out/$program" $(objects_of "$@") "$out/o/models.a" -ldl -lm 2>>"$log"
}

build() { # an archive gives a program what it needs
    # shellcheck disable=SC2046,SC2086
    compile $(model_sources) $(module_sources) $helpers tests/gpu/gpu_*.c tests/test_golden.c \
        $(for program in $programs; do echo "tests/$program.c"; done) || return 1
    rm -f "$out/o/models.a"
    # shellcheck disable=SC2046
    ar rcs "$out/o/models.a" $(objects_of $(model_sources)) || return 1
    # shellcheck disable=SC2046,SC2086
    $compiler -shared -pthread -Wl,-z,defs -o "$out/s2clr_cuda.so" $(objects_of $(module_sources)) \
        $kernels $libraries $cuda_libraries -ldl -lm 2>>"$log" || return 1
    for program in $programs test_golden; do
        # shellcheck disable=SC2086
        links "$program" "tests/$program.c" $helpers || return 1
    done
    links gpu_rates tests/gpu/gpu_*.c
}

compile_kernels() { # for this device; an nvcc that does not know `native` is told which it is
    for target in native "sm_$capability"; do
        "$nvcc" -O2 --fmad=false -std=c++17 -Xcompiler -fPIC,-fvisibility=hidden -arch="$target" \
            -Imodels -c models/backend/cuda_kernels.cu -o "$kernels" >>"$log" 2>&1 && return
    done
    return 1
}

if [ "$fake" = 1 ]; then
    kernels='' cuda_libraries=''
    ln -sf s2clr_cuda.so "$out/libcuda.so.1"
    ln -sf s2clr_cuda.so "$out/libnccl.so.2"
    LD_LIBRARY_PATH=$out${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
else
    [ -n "$nvcc" ] || die "nvcc is not here (CUDA_HOME names the toolkit's folder)"
    cudnn=$(library cudnn 9) || die "cuDNN 9 cannot be linked from:$libraries"
    cublas=$(library cublasLt 13 12) || die "cuBLASLt cannot be linked from:$libraries"
    cudart=$(library cudart 13 12) || die "the CUDA runtime cannot be linked from:$libraries"
    stdcxx=$(library stdc++ 6) || die "libstdc++, which nvcc's code wants, cannot be linked"
    cuda_libraries="$cudnn $cublas $cudart $stdcxx"
    capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null |
        head -n 1 | tr -d '. ')
    capability=${capability:-80}
    kernels=$out/o/kernels.o
    device=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null |
        head -n 1)
    say "device: ${device:-none that nvidia-smi shows}"
    compile_kernels || die "nvcc does not compile the kernels: see $log"
fi
OUT=$out/o
export OUT
build || { tail -n 20 "$log"; die "the build failed: see $log"; }
say "built in $out"

# ---- run ----

S2CLR_BACKEND_PATH=$out
srcdir=$top
export S2CLR_BACKEND_PATH srcdir PYTHONDONTWRITEBYTECODE=1
if [ "$fake" = 1 ]; then
    side=32 batch=4 seconds=0.1 networks=resnet18 scene=60 scene_network=resnet18 list=40
    precisions='f32 bf16' positions=3 unit=3
else
    side=120 batch=256 seconds=5 networks='resnet18 resnet50 resnet152' scene=10980 list=8192
    scene_network=resnet50 precisions='f32 tf32 bf16 fp16'
    positions=64 unit=128 # as predict computes
fi
side=${ON_GPU_SIDE:-$side} batch=${ON_GPU_BATCH:-$batch} seconds=${ON_GPU_SECONDS:-$seconds}
networks=${ON_GPU_NETWORKS:-$networks} scene=${ON_GPU_SCENE:-$scene} list=${ON_GPU_LIST:-$list}
step 'the device answers' "$out/gpu_rates" infer cuda resnet18 f32 32 4 0.1
[ "$failed" -eq 0 ] || die 'without it, nothing here can be told'

checks() {
    for program in $programs; do step "$program" "$out/$program"; done
    if [ "$fake" = 1 ]; then # a pretended device would take minutes for each
        step 'goldens' env S2CLR_BACKEND_PATH=/nowhere LD_LIBRARY_PATH= "$out/test_golden" resnet18
    else
        step 'goldens' "$out/test_golden"
    fi
}

# program, case
memory_checks="test_branch_ops|pools
test_backend_ops|elementwise
test_op_in_place|
test_backend_training|
test_backend_contrast|loss
test_backend_cut|
test_backend_views|
test_backend_recording|runs
test_step|backends_agree
test_learner|one step"

# What CUDA's libraries ask and are refused is theirs: errors of its API are not reported.
sanitized() { # sanitized PROGRAM [CASE]: 77 where the tool does not work on this device
    program=$1
    shift
    status=0
    "$sanitizer" --tool memcheck --report-api-errors no --error-exitcode 9 "$out/$program" "$@" \
        >"$out/sanitized" 2>&1 || status=$?
    cat "$out/sanitized"
    if grep -q -e 'Device not supported' "$out/sanitized"; then return 77; fi
    return "$status"
}

memory() {
    if [ "$fake" != 1 ] && [ -z "$sanitizer" ]; then
        skip 'memory of the device' 'compute-sanitizer is not here'
        return
    fi
    echo "$memory_checks" >"$out/memory"
    while IFS='|' read -r program which <&3; do
        # shellcheck disable=SC2086
        if [ "$fake" = 1 ]; then # which looks at every address itself
            step "memory of $program $which" "$out/$program" ${which:+"$which"}
        else
            step "memory of $program $which" sanitized "$program" ${which:+"$which"}
        fi
    done 3<"$out/memory"
}

rates() { # rates COMMAND...: its last line is kept
    "$@" >"$out/one" || return
    tail -n 1 "$out/one" | tee -a "$out/rates.jsonl"
}

number() { # number KEY WORD...: of the last line of rates that has all the words; else nothing
    key=$1
    shift
    cp "$out/rates.jsonl" "$out/lines"
    for word; do
        grep -e "$word" "$out/lines" >"$out/fewer" || :
        mv "$out/fewer" "$out/lines"
    done
    sed -n "s/.*\"$key\": \\([0-9.]*\\).*/\\1/p" "$out/lines" | tail -n 1
}

quotient() { # quotient NAME OURS THEIRS WANTED
    if [ -z "$2" ] || [ -z "$3" ]; then
        skip "$1" 'one of the two numbers is not there'
        return
    fi
    say "QUOTIENT $1: $2 / $3 =" "$(awk -v a="$2" -v b="$3" 'BEGIN { printf "%.2f", a / b }')" \
        "(wanted: $4 or more)"
}

measure() {
    for network in $networks; do
        for precision in $precisions; do
            step "inference of $network in $precision" rates "$out/gpu_rates" infer cuda \
                "$network" "$precision" "$side" "$batch" "$seconds"
            [ "$precision" = fp16 ] || step "training of $network in $precision" rates \
                "$out/gpu_rates" steps cuda "$network" "$precision" "$side" "$batch" "$seconds"
        done
    done
    for precision in $precisions; do
        step "local logits in $precision" rates "$out/gpu_rates" dense cuda dense "$precision" \
            "$positions" 1 "$seconds"
    done
    step 'a long contrastive loss' rates "$out/gpu_rates" contrast cuda - bf16 0 \
        "$list" "$seconds"
    step 'a whole scene' rates "$out/gpu_rates" scene cuda "$scene_network" bf16 "$side" "$unit" \
        "$scene"
}

peers() {
    if ! python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
        skip 'PyTorch' 'Python finds none that sees a GPU'
        return
    fi
    step 'PyTorch' rates python3 tests/gpu/torch_rates.py "$side" "$batch" "$seconds"
    if python3 -c 'import torch_tensorrt' 2>/dev/null; then
        step 'TensorRT' rates python3 tests/gpu/tensorrt_rates.py "$side" "$batch" "$seconds"
    else
        skip 'TensorRT' 'Python finds no torch_tensorrt'
    fi
}

compare() { # what is wanted of the backend
    ours='"what": "infer", "network": "resnet50", "precision": "bf16"'
    steps='"what": "steps", "network": "resnet50", "precision": "bf16"'
    quotient 'ResNet-50 bf16, pixels on the device, patches/s over torch.compile' \
        "$(number cut_patches_per_s "$ours")" "$(number cut_patches_per_s '"what": "torch"')" 1.2
    quotient 'ResNet-50 bf16, pixels on the host, patches/s over torch.compile' \
        "$(number patches_per_s "$ours")" "$(number patches_per_s '"what": "torch"')" 1.2
    quotient 'ResNet-50 bf16, pixels on the device, patches/s over TensorRT' \
        "$(number cut_patches_per_s "$ours")" "$(number cut_patches_per_s '"what": "tensorrt"')" 1
    quotient 'ResNet-50 bf16, SimCLR step, views/s over torch.compile' \
        "$(number views_per_s "$steps")" "$(number views_per_s '"what": "torch"')" 1.2
    patches=$(number patches '"what": "scene"') took=$(number seconds '"what": "scene"')
    say "SCENE ${patches:-no} patches in ${took:-?} s (wanted for 1181569: below 90)"
}

if wants checks; then checks; fi
if wants memory; then memory; fi
if wants rates; then
    measure
    peers
    compare
fi

say "on-gpu: $run run, $failed failed, $skipped skipped; rates in $out/rates.jsonl"
[ "$failed" -eq 0 ]
