#!/bin/sh
# All that needs an NVIDIA GPU, with one command on a bare machine: sh tests/on-gpu.sh [FOLDER]
#
# Wants a C compiler, nvcc, cuDNN 9 and cuBLASLt (of CUDA_HOME, the system, or Python's packages
# nvidia-cudnn and nvidia-cublas), and no network, data, GDAL, oneDNN, autotools or CUnit. Builds
# the networks and their backends (models/base, backend, net) in FOLDER (default: a new one), then
# runs what compares all backends, training steps, a check of memory where compute-sanitizer works,
# and rates beside PyTorch's where that is installed. FOLDER/rates.jsonl has the rates, FOLDER/log
# the rest. The last line counts; the exit status is 0 when nothing failed.
#
# ON_GPU_SIDE, ON_GPU_BATCH, ON_GPU_SECONDS, ON_GPU_NETWORKS: of the rates (120, 256, 5, "resnet18
# resnet50 resnet152"). ON_GPU_FAKE=1: with the pretended CUDA of tests/cuda_fake.h; needs CUDA's
# headers, tells whether this script works.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$(mktemp -d "${TMPDIR:-/tmp}/s2clr-on-gpu-XXXXXX")}
mkdir -p "$out/o"
out=$(cd "$out" && pwd)
log=$out/log
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

step() { # step NAME COMMAND...
    name=$1
    shift
    run=$((run + 1))
    echo "== $name: $*" >>"$log"
    if "$@" >"$out/now" 2>&1; then
        say "ok   $name: $(tail -n 1 "$out/now")"
    else
        failed=$((failed + 1))
        say "FAIL $name"
        tail -n 15 "$out/now" | cut -c 1-300
    fi
    cat "$out/now" >>"$log"
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

includes= libraries=
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

flags="-std=gnu11 -O2 -pthread -fPIC -ffp-contract=off -fno-math-errno -Wall -Wextra"
defines="-Imodels -Itests -D_GNU_SOURCE -DS2CLR_MODULE_DIR=\"$out\" -DS2CLR_ONEDNN_BUILT=false \
-DS2CLR_CUDA_BUILT=true -DS2CLR_CUDA_LOWEST=75 $includes"

object_of() { # object_of FILE
    echo "$out/o/$(echo "$1" | tr '/' '_').o"
}

compile() { # compile FILE...: several at once; -fvisibility=hidden, as in the real build
    for file; do echo "$file"; done | xargs -P "$(nproc)" -I FILE sh -c '
        file=$1; shift; exec "$@" -c "$file" -o "$OUT/$(echo "$file" | tr / _).o"' \
        sh FILE $compiler $flags $defines -fvisibility=hidden 2>>"$log"
}

objects_of() {
    for file; do object_of "$file"; done
}

is_module() { # the sources of modules, not of the program
    case $1 in *onednn* | */cuda_*.c | */module_host.c) return 0 ;; esac
    return 1
}

network_sources() {
    for file in models/base/*.c models/backend/*.c models/net/*.c; do
        is_module "$file" || echo "$file"
    done
}

module_sources() {
    echo models/backend/backend_common.c models/backend/module_host.c models/base/memory.c
    [ ! -e models/backend/update.c ] || echo models/backend/update.c
    echo models/backend/cuda_*.c
    [ "${ON_GPU_FAKE:-}" != 1 ] || echo tests/cuda_fake_*.c
}

helpers="tests/harness.c tests/op_compare.c tests/op_reference.c tests/op_rig.c tests/resident_rig.c"
programs="test_backend_ops test_branch_ops test_op_in_place test_bf16 test_op_check \
test_backend_training test_resident_ops test_architectures test_step"

cunit() { # its flags, or our stand-in
    if echo '#include <CUnit/CUnit.h>' | $compiler -E - >/dev/null 2>&1; then
        echo -lcunit
    else
        defines="$defines -Itests/gpu"
        helpers="$helpers tests/gpu/cunit.c"
    fi
}

build() {
    cunit >"$out/o/cunit"
    # shellcheck disable=SC2046,SC2086
    compile $(network_sources) $(module_sources) $helpers tests/gpu/gpu_rates.c \
        $(for program in $programs; do echo "tests/$program.c"; done)
    # shellcheck disable=SC2046,SC2086
    $compiler -shared -pthread -o "$out/s2clr_cuda.so" $(objects_of $(module_sources)) \
        $kernels $libraries $cuda_libraries 2>>"$log"
    # shellcheck disable=SC2046,SC2086
    for program in $programs; do
        $compiler -pthread -o "$out/$program" "$(object_of "tests/$program.c")" \
            $(objects_of $(network_sources) $helpers) $(cat "$out/o/cunit") -ldl -lm 2>>"$log"
    done
    # shellcheck disable=SC2046
    $compiler -pthread -o "$out/gpu_rates" "$(object_of tests/gpu/gpu_rates.c)" \
        $(objects_of $(network_sources)) -ldl -lm 2>>"$log"
}

if [ "${ON_GPU_FAKE:-}" = 1 ]; then
    kernels= cuda_libraries=
    ln -sf s2clr_cuda.so "$out/libcuda.so.1"
    LD_LIBRARY_PATH=$out${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
else
    [ -n "$nvcc" ] || die "nvcc is not here (CUDA_HOME names the toolkit's folder)"
    cudnn=$(library cudnn 9) || die "cuDNN 9 cannot be linked from:$libraries"
    cublas=$(library cublasLt 13 12) || die "cuBLASLt cannot be linked from:$libraries"
    cudart=$(library cudart 13 12) || die "the CUDA runtime cannot be linked from:$libraries"
    cuda_libraries="$cudnn $cublas $cudart"
    capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null |
        head -n 1 | tr -d '. ')
    kernels=$out/o/kernels.o
    say "device: $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>&1 | head -n 1)"
    "$nvcc" -O2 --fmad=false -std=c++17 -Xcompiler -fPIC,-fvisibility=hidden \
        -arch="sm_${capability:-80}" -Imodels -c models/backend/cuda_kernels.cu -o "$kernels" \
        >>"$log" 2>&1 || die "nvcc does not compile the kernels: see $log"
fi
OUT=$out/o
export OUT
build || { tail -n 20 "$log"; die "the build failed: see $log"; }
say "built in $out"

# ---- run ----

S2CLR_BACKEND_PATH=$out
srcdir=$top
export S2CLR_BACKEND_PATH srcdir
step 'the device answers' "$out/gpu_rates" cuda resnet18 f32 32 4 0.1
[ "$failed" -eq 0 ] || die 'without it, nothing here can be told'
for program in $programs; do step "$program" "$out/$program"; done

memcheck() {
    compute-sanitizer --tool memcheck --error-exitcode 9 "$out/test_branch_ops" pools
}
if command -v compute-sanitizer >/dev/null; then
    step 'memory of the device' memcheck
else
    skip 'memory of the device' 'compute-sanitizer is not here'
fi

side=${ON_GPU_SIDE:-120} batch=${ON_GPU_BATCH:-256} seconds=${ON_GPU_SECONDS:-5}
rates() {
    "$@" >"$out/one" && tail -n 1 "$out/one" | tee -a "$out/rates.jsonl"
}
for network in ${ON_GPU_NETWORKS:-resnet18 resnet50 resnet152}; do
    for precision in f32 tf32 bf16 fp16; do
        step "rates of $network in $precision" \
            rates "$out/gpu_rates" cuda "$network" "$precision" "$side" "$batch" "$seconds"
    done
done
if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    step "rates of PyTorch" rates python3 tests/gpu/torch_rates.py "$side" "$batch" "$seconds"
else
    skip "rates of PyTorch" "there is no PyTorch that finds a GPU"
fi

say "on-gpu: $run run, $failed failed, $skipped skipped; rates in $out/rates.jsonl"
[ "$failed" -eq 0 ]
