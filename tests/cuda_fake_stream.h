/* Private to the pretended CUDA: what a stream is, and one that is captured. */
#ifndef S2CLR_TESTS_CUDA_FAKE_STREAM_H
#define S2CLR_TESTS_CUDA_FAKE_STREAM_H

#include <pthread.h>

#include "cuda_fake.h"

typedef struct task {
    struct task *next;
    fake_work work;
    void *args;
    size_t bytes;            /* of args */
    struct CUevent_st *mark; /* instead of work: the event that this place is */
    struct CUevent_st *wait; /* instead of work: another stream's place that comes first */
} task;

typedef struct task_list {
    task *first, *last;
} task_list;

struct CUstream_st {
    struct CUstream_st *next; /* of all streams */
    int device;
    task_list queue;
    bool capturing, invalid; /* invalid: something was done that cannot be captured */
    pthread_t capturer;
    task_list captured;
};

struct CUevent_st {
    struct CUstream_st *stream; /* NULL: not recorded, or done */
};

void fake_append(task_list *list, fake_work work, const void *args, size_t bytes);
void fake_drop(task_list *list);
/* NULL and a misuse when it is none. */
struct CUstream_st *fake_stream_of(cudaStream_t stream);

/* Does this thread capture? Then `what` is a misuse, and the capture is lost. */
bool fake_capturing(const char *what);

#endif
