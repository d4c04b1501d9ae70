/*
 * A pretended CUDA: the entry points of the runtime, cuDNN and cuBLASLt that the CUDA module calls,
 * for machines without a device. The module's own sources are linked with it instead of with the
 * libraries (tests/fake_cuda/s2clr_cuda.la), so that its plans, layouts, accounting, fallbacks and
 * messages run for real; numbers are computed by slow loops.
 *
 * The variable FAKE_CUDA holds words, separated by commas:
 *
 *   - devices=N: how many (1)
 *   - sm=90: compute capability
 *   - driver=0: there is no driver
 *   - only=N: starting a context on another device than this one is a misuse
 *   - memory=MIB: of each device (81920)
 *   - fail=ENTRY:N: the N-th call of ENTRY fails; without :N every call
 *   - cudart=13000, cudnn=91900, dnnrt=13000, blas=130100: versions of the libraries, and of the
 *     runtime that cuDNN was built for
 *   - breaks: a call of cuDNN or cuBLASLt that fails has found the device broken
 *   - noengine=KIND: cuDNN offers nothing for graphs that are fused | forward | data | filter | all
 *   - noengine=product: cuBLASLt has no algorithm
 *   - noplan: no engine can be made into a plan but those of cuDNN's fallback list
 *   - plan=5000: making a plan fails with this code of cuDNN
 *   - wrong: convolutions give values that are 2 % too large
 *   - slow: cuDNN takes its time to queue something
 *   - nonvrtc: engines that are compiled at run time cannot be made into plans
 *   - noready: the others cannot
 *   - keeps: what is left behind at the end is no fault (of programs that free nothing then)
 *   - log=FILE: how often each entry point was called, written at the end
 *
 * What a device would punish at random is punished always: addresses on the device cannot be read
 * by the host, fresh memory is full of NaN, work that was queued is done when somebody waits for it
 * and not before, and whatever is wrong with an argument, a descriptor or an address is said on
 * stderr. A forked child of a process that used it gets errors. A process in which that happened,
 * or that leaves something behind, ends with status 66.
 */
#ifndef S2CLR_TESTS_CUDA_FAKE_H
#define S2CLR_TESTS_CUDA_FAKE_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- cuda_fake_words.c ---- */

/* Every entry point runs between these two: one thing at a time. The lock may be taken twice. */
void fake_lock(void);
void fake_unlock(void);

/* "devices=2" -> 2 */
int fake_number(const char *word, int otherwise);
/* "noengine=all,noplan": is (noengine, all), is (noplan, ""). */
bool fake_is(const char *word, const char *value);

/* Counts a call; true: it must fail now. */
bool fake_fails(const char *entry);

/* For tests in the same process: as in a new one, with all calls counted from 1 again; how many
 * there were, also of the i-th entry point that was called (NULL behind the last); misuses so far.
 */
void fake_recount(void);
long fake_calls(const char *entry);
const char *fake_entry(size_t i, long *calls);
long fake_misuses(void);
void fake_forgive(long count); /* so many were meant */

void fake_misuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Things that somebody must give back: streams, events, handles, descriptors, pinned memory. */
void fake_object_add(const void *object, const char *kind);
bool fake_object_is(const void *object, const char *kind); /* a misuse when not */
void fake_object_remove(const void *object);
size_t fake_object_count(void);                               /* not given back yet */
bool fake_object_known(const void *object, const char *kind); /* no misuse when not */

void *fake_calloc(size_t count, size_t size); /* aborts without memory */

/* ---- cuda_fake_memory.c ---- */

/* Where `bytes` at an address of the device are kept; NULL and a misuse when they are not there. */
void *fake_at(const void *address, size_t bytes, const char *what);
bool fake_on_device(const void *address);
size_t fake_memory_free(int device);

/* ---- cuda_fake_runtime.c ---- */

enum { DEVICES_MAX = 16 };

typedef void (*fake_work)(void *args);

/* Queues work with a copy of its arguments. */
cudaError_t fake_queue(cudaStream_t stream, fake_work work, const void *args, size_t bytes);
/* All that is queued, anywhere on the device of the calling thread. */
void fake_run_all(void);
int fake_device(void); /* of the calling thread */
/* The sticky error of the process, and the one of the thread's last call. */
cudaError_t fake_broken(void);
void fake_break(void); /* an illegal address: nothing works from now on */
void fake_mend(void);
cudaError_t fake_result(cudaError_t code);

/* ---- cuda_fake_nccl.c ---- */

/* Whether a rank waits on that stream for the others of its group. */
bool fake_collective_pending(cudaStream_t stream);

/* ---- numbers ---- */

typedef enum fake_type { FAKE_FLOAT32, FAKE_BFLOAT16, FAKE_FLOAT16 } fake_type;

size_t fake_type_bytes(fake_type type);
float fake_get(fake_type type, const void *values, size_t at);
void fake_set(fake_type type, void *values, size_t at, float value); /* nearest, ties to even */
float fake_tf32(float value);                                        /* 10 bits of fraction */

/* Marks the begin of an entry point that returns `code` when it is told to fail. */
#define FAKE_ENTRY(code)                                                                           \
    fake_lock();                                                                                   \
    if (fake_fails(__func__)) {                                                                    \
        fake_unlock();                                                                             \
        return code;                                                                               \
    }

/* Of one that gives something back: that is done, and then said to have failed (`fails`). */
#define FAKE_RELEASE()                                                                             \
    fake_lock();                                                                                   \
    const bool fails = fake_fails(__func__)

#define FAKE_RETURN(expression)                                                                    \
    do {                                                                                           \
        const __auto_type fake_result_ = (expression);                                             \
        fake_unlock();                                                                             \
        return fake_result_;                                                                       \
    } while (0)

#endif
