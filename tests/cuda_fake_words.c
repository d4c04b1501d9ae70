/* What the pretended CUDA is told, whom it told what, and what was left behind. */
#define _GNU_SOURCE
#include "cuda_fake.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bf16.h"
#include "base/fp16.h"

enum { STATUS_OF_MISUSE = 66, ENTRIES_MAX = 256, SHOWN_MAX = 20 };

typedef struct entry_count {
    char name[64];
    long calls;
} entry_count;

typedef struct object {
    struct object *next;
    const void *address;
    const char *kind;
} object;

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static entry_count counts[ENTRIES_MAX];
static object *objects;
static long misuses;

void fake_lock(void)
{
    pthread_mutex_lock(&lock);
}

void fake_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void *fake_calloc(size_t count, size_t size)
{
    void *const memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory) abort();
    return memory;
}

/* ---- words ---- */

/* What follows "word=" in FAKE_CUDA, or "" behind a word alone; NULL when it is not there. */
static const char *value_of(const char *word, char value[256])
{
    const char *at = getenv("FAKE_CUDA");
    const size_t length = strlen(word);
    while (at && *at) {
        const char *const end = strchrnul(at, ',');
        if (strncmp(at, word, length) == 0 && (at + length == end || at[length] == '=')) {
            const char *const from = at[length] == '=' ? at + length + 1 : end;
            snprintf(value, 256, "%.*s", (int)(end - from), from);
            return value;
        }
        at = *end ? end + 1 : NULL;
    }
    return NULL;
}

int fake_number(const char *word, int otherwise)
{
    char value[256];
    return value_of(word, value) ? atoi(value) : otherwise;
}

bool fake_is(const char *word, const char *value)
{
    char given[256];
    return value_of(word, given) && strcmp(given, value) == 0;
}

/* ---- calls ---- */

static long count_call(const char *entry)
{
    for (int i = 0; i < ENTRIES_MAX; i++) {
        if (!counts[i].name[0]) snprintf(counts[i].name, sizeof counts[i].name, "%s", entry);
        if (strcmp(counts[i].name, entry) == 0) return ++counts[i].calls;
    }
    abort();
}

static void log_calls(void)
{
    char path[256];
    FILE *const file = value_of("log", path) ? fopen(path, "a") : NULL;
    if (!file) return;
    for (int i = 0; i < ENTRIES_MAX && counts[i].name[0]; i++)
        fprintf(file, "%s %ld\n", counts[i].name, counts[i].calls);
    fclose(file);
}

/* What a failure inside cuDNN or cuBLASLt leaves behind in the runtime. */
static void library_failed(const char *entry)
{
    const bool library = strncmp(entry, "cudnn", 5) == 0 || strncmp(entry, "cublas", 6) == 0;
    if (!library || strstr(entry, "Destroy")) return;
    fake_result(cudaErrorInvalidValue);
    if (fake_is("breaks", "")) fake_break();
}

bool fake_fails(const char *entry)
{
    char wish[256];
    const long call = count_call(entry);
    const size_t length = strlen(entry);
    bool fails = false;
    if (value_of("fail", wish) && strncmp(wish, entry, length) == 0)
        fails = wish[length] == '\0' || (wish[length] == ':' && atol(wish + length + 1) == call);
    if (fails) library_failed(entry);
    return fails;
}

void fake_recount(void)
{
    fake_lock();
    memset(counts, 0, sizeof counts);
    fake_mend();
    fake_unlock();
}

const char *fake_entry(size_t i, long *calls)
{
    if (i >= ENTRIES_MAX || !counts[i].name[0]) return NULL;
    *calls = counts[i].calls;
    return counts[i].name;
}

long fake_calls(const char *entry)
{
    long calls = 0;
    fake_lock();
    for (int i = 0; i < ENTRIES_MAX; i++)
        if (strcmp(counts[i].name, entry) == 0) calls = counts[i].calls;
    fake_unlock();
    return calls;
}

long fake_misuses(void)
{
    return misuses;
}

void fake_misuse(const char *format, ...)
{
    va_list arguments;
    fake_lock();
    if (misuses++ < SHOWN_MAX) {
        va_start(arguments, format);
        fputs("fake cuda: ", stderr);
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
        va_end(arguments);
    }
    fake_unlock();
}

void fake_forgive(long count)
{
    misuses -= count;
}

/* ---- objects ---- */

void fake_object_add(const void *address, const char *kind)
{
    object *const one = fake_calloc(1, sizeof *one);
    *one = (object){objects, address, kind};
    objects = one;
}

bool fake_object_known(const void *address, const char *kind)
{
    for (const object *one = objects; one; one = one->next)
        if (one->address == address) return strcmp(one->kind, kind) == 0;
    return false;
}

bool fake_object_is(const void *address, const char *kind)
{
    if (fake_object_known(address, kind)) return true;
    fake_misuse("%p is no %s, or no longer one", address, kind);
    return false;
}

size_t fake_object_count(void)
{
    size_t count = 0;
    fake_lock();
    for (const object *one = objects; one; one = one->next) count++;
    fake_unlock();
    return count;
}

void fake_object_remove(const void *address)
{
    for (object **at = &objects; *at; at = &(*at)->next)
        if ((*at)->address == address) {
            object *const one = *at;
            *at = one->next;
            free(one);
            return;
        }
}

__attribute__((destructor)) static void settle(void)
{
    log_calls();
    for (const object *one = objects; one && !fake_is("keeps", ""); one = one->next)
        fake_misuse("a %s was never given back", one->kind);
    if (!misuses) return;
    fprintf(stderr, "fake cuda: %ld misuses\n", misuses);
    fflush(NULL);
    _exit(STATUS_OF_MISUSE);
}

/* ---- numbers ---- */

size_t fake_type_bytes(fake_type type)
{
    return type == FAKE_FLOAT32 ? 4 : 2;
}

float fake_get(fake_type type, const void *values, size_t at)
{
    if (type == FAKE_FLOAT32) return ((const float *)values)[at];
    const uint16_t half = ((const uint16_t *)values)[at];
    return type == FAKE_BFLOAT16 ? s2clr_bf16_widen(half) : s2clr_fp16_widen(half);
}

void fake_set(fake_type type, void *values, size_t at, float value)
{
    if (type == FAKE_FLOAT32)
        ((float *)values)[at] = value;
    else
        ((uint16_t *)values)[at] =
            type == FAKE_BFLOAT16 ? s2clr_bf16_narrow(value) : s2clr_fp16_narrow(value);
}

float fake_tf32(float value)
{
    uint32_t bits;
    if (value != value) return value;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7f800000u) != 0x7f800000u) bits = (bits + 0x1000u) & 0xffffe000u;
    memcpy(&value, &bits, sizeof value);
    return value;
}
