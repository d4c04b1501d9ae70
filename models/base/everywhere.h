/* S2CLR_EVERYWHERE marks an inline function that devices run as well: nvcc makes device code of it,
 * a C compiler an ordinary function, of one text. */
#ifndef S2CLR_BASE_EVERYWHERE_H
#define S2CLR_BASE_EVERYWHERE_H

#ifdef __CUDACC__
#define S2CLR_EVERYWHERE static __device__ __forceinline__
#else
#define S2CLR_EVERYWHERE static inline
#endif

#endif
