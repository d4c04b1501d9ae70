/* Private to cuda_kernels.cu and the tests: the bodies of all kernels of cuda_kernels.h. */
#ifndef S2CLR_BACKEND_CUDA_BODIES_H
#define S2CLR_BACKEND_CUDA_BODIES_H

#include "backend/cuda_body_contrast.h"
#include "backend/cuda_body_cut.h"
#include "backend/cuda_body_direct.h"
#include "backend/cuda_body_loops.h"
#include "backend/cuda_body_move.h"
#include "backend/cuda_body_pool.h"
#include "backend/cuda_body_sums.h"
#include "backend/cuda_body_training.h"
#include "backend/cuda_body_views.h"

#endif
