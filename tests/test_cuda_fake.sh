#!/bin/sh
# The tests that loop over all backends, with the CUDA module among them: its own sources, on the
# pretended CUDA of tests/cuda_fake.h. A program that misuses CUDA, or leaves something behind, ends
# with status 66.
rig=cuda_fake
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
srcdir=$top
export srcdir

pretend_cuda

# passes PROGRAM WORDS CALL [CASE]: it runs, FAKE_CUDA being WORDS, and CALL is among its calls
passes() {
    rm -f log
    true_that "$1 with '$2'${4:+, $4}" env FAKE_CUDA="log=$work/log${2:+,$2}" "$tools/$1" ${4+"$4"}
    run=$((run + 1))
    grep -q -e "^$3 " log || fail "$1 with '$2' never called $3"
}

for program in test_backend_ops test_branch_ops test_bf16 test_op_in_place; do
    passes $program '' cudnnBackendExecute
done
passes test_backend_ops noengine=all s2clr_cuda_launch_direct_forward conv_
passes test_backend_ops noengine=fused s2clr_cuda_launch_finish conv_forward
passes test_branch_ops noplan cudnnBackendExecute groups
passes test_architectures '' cublasLtMatmul
passes test_backend_training '' s2clr_cuda_launch_norm_frozen
passes test_backend_contrast '' s2clr_cuda_launch_contrast_turn
passes test_backend_views '' s2clr_cuda_launch_view_across
passes test_backend_recording '' cudaGraphLaunch
passes test_resident_ops '' s2clr_cuda_launch_unpack
passes test_resident_ops noengine=all s2clr_cuda_launch_direct_filter
passes test_learner '' s2clr_cuda_launch_update
passes test_collective devices=2 ncclAllReduce
passes test_learner_group devices=3 ncclAllReduce

finish
