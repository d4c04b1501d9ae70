#include "predict/runtime.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "predict/model_share.h"
#include "predict/pruntime.h"

/* Guards the list and the fields said to be; never held while a runtime is made or freed. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static s2clr_runtime *runtimes; /* at most one of them is ready and without users: the idle one */

/* ---- making ---- */

static s2clr_status check_model(const s2clr_model *model, s2clr_aim aim)
{
    if (aim == S2CLR_AIM_EMBEDDING) return S2CLR_OK;
    if (aim == S2CLR_AIM_CLASSES && s2clr_model_card(model)->classes > 0) return S2CLR_OK;
    return s2clr_model_check_binary(model);
}

static s2clr_status open_device(s2clr_runtime *r)
{
    S2CLR_TRY(s2clr_device_select(r->wish, r->precision, &r->backend, &r->device));
    snprintf(r->description, sizeof r->description, "%s: %s", r->backend->name,
             r->backend->device_describe(r->device));
    return S2CLR_OK;
}

static s2clr_status make_plan(s2clr_runtime *r)
{
    const s2clr_net *net = s2clr_model_net(r->model);
    const bool logits = r->aim != S2CLR_AIM_EMBEDDING;
    const int step = s2clr_net_step(net), batch = step > 0 ? 1 : S2CLR_UNIT_PATCHES;
    s2clr_output output = logits ? S2CLR_OUTPUT_LOGITS : S2CLR_OUTPUT_FEATURES;
    r->local = step > 0;
    r->side = s2clr_model_card(r->model)->patch;
    if (r->local) {
        output = logits ? S2CLR_OUTPUT_LOCAL : S2CLR_OUTPUT_LOCAL_FEATURES;
        r->side = (S2CLR_UNIT_POSITIONS - 1) * step + s2clr_net_field(net);
    }
    S2CLR_TRY(s2clr_plan_new(net, s2clr_model_params(r->model), r->backend, r->device, output,
                             batch, r->side, r->side, &r->plan));
    const s2clr_shape in = s2clr_plan_input(r->plan), out = s2clr_plan_output(r->plan);
    r->input_count = (size_t)in.n * (size_t)in.c * (size_t)in.h * (size_t)in.w;
    r->output_count = (size_t)out.n * (size_t)out.c * (size_t)out.h * (size_t)out.w;
    r->planes = out.c;
    return S2CLR_OK;
}

static s2clr_status make_sessions(s2clr_runtime *r)
{
    const size_t threads = (size_t)r->threads;
    S2CLR_TRY(s2clr_alloc(threads, sizeof *r->session, "sessions", (void **)&r->session));
    S2CLR_TRY(s2clr_alloc(threads, sizeof *r->input, "unit inputs", (void **)&r->input));
    S2CLR_TRY(s2clr_alloc(threads, sizeof *r->output, "unit outputs", (void **)&r->output));
    for (size_t i = 0; i < threads; i++) {
        S2CLR_TRY(s2clr_session_new(r->plan, &r->session[i]));
        S2CLR_TRY(s2clr_alloc(r->input_count, sizeof(float), "unit input", (void **)&r->input[i]));
        S2CLR_TRY(
            s2clr_alloc(r->output_count, sizeof(float), "unit output", (void **)&r->output[i]));
    }
    return S2CLR_OK;
}

static s2clr_status make(s2clr_runtime *r)
{
    S2CLR_TRY(check_model(r->model, r->aim));
    S2CLR_TRY(s2clr_pool_new(r->threads, &r->pool));
    S2CLR_TRY(open_device(r));
    S2CLR_TRY(make_plan(r));
    return make_sessions(r);
}

/* Threads do not survive a fork: in the child, the parent's runtime is left alone. */
static bool survived(const s2clr_runtime *r)
{
    return r->process == getpid();
}

static void free_runtime(s2clr_runtime *r)
{
    if (!r || !survived(r)) return;
    for (int i = 0; i < r->threads; i++) {
        if (r->session) s2clr_session_free(r->session[i]);
        if (r->input) s2clr_free(r->input[i]);
        if (r->output) s2clr_free(r->output[i]);
    }
    s2clr_free(r->session);
    s2clr_free(r->input);
    s2clr_free(r->output);
    s2clr_plan_free(r->plan);
    if (r->device) r->backend->device_close(r->device);
    s2clr_pool_free(r->pool);
    s2clr_model_release(r->model);
    pthread_mutex_destroy(&r->turn);
    s2clr_free(r);
}

/* ---- the list (lock held) ---- */

/* What makes two runtimes the same. */
typedef struct runtime_key {
    const s2clr_model *model;
    const char *wish;
    s2clr_precision precision;
    int threads;
    s2clr_aim aim;
} runtime_key;

static s2clr_runtime *find(const runtime_key *key)
{
    s2clr_runtime *r = runtimes;
    while (r && !(r->model == key->model && r->threads == key->threads && r->aim == key->aim &&
                  r->precision == key->precision && survived(r) && strcmp(r->wish, key->wish) == 0))
        r = r->next;
    return r;
}

static s2clr_runtime *find_idle(void)
{
    s2clr_runtime *r = runtimes;
    while (r && r->users > 0) r = r->next;
    return r;
}

static void unlink_runtime(s2clr_runtime *gone)
{
    s2clr_runtime **at = &runtimes;
    while (*at != gone) at = &(*at)->next;
    *at = gone->next;
}

static s2clr_status add(const runtime_key *key, s2clr_runtime **out)
{
    s2clr_runtime *r;
    S2CLR_TRY(s2clr_alloc(1, sizeof *r, "runtime", (void **)&r));
    const s2clr_status status = s2clr_model_hold(key->model);
    if (status != S2CLR_OK) {
        s2clr_free(r);
        return status;
    }
    snprintf(r->wish, sizeof r->wish, "%s", key->wish);
    r->precision = key->precision;
    r->aim = key->aim;
    r->model = key->model;
    r->threads = key->threads;
    r->process = getpid();
    r->users = 1;
    r->next = runtimes;
    pthread_mutex_init(&r->turn, NULL);
    runtimes = r;
    *out = r;
    return S2CLR_OK;
}

/* Not held meanwhile: others that want the same wait for `changed`. */
static s2clr_status make_added(s2clr_runtime *r)
{
    pthread_mutex_unlock(&lock);
    const s2clr_status status = make(r);
    pthread_mutex_lock(&lock);
    r->ready = status == S2CLR_OK;
    if (status != S2CLR_OK) unlink_runtime(r);
    pthread_cond_broadcast(&changed);
    return status;
}

/* *failed: one that could not be made, to be freed without the lock. */
static s2clr_status take(const runtime_key *key, s2clr_runtime **failed, s2clr_runtime **out)
{
    s2clr_runtime *r = find(key);
    while (r && !r->ready) {
        pthread_cond_wait(&changed, &lock);
        r = find(key);
    }
    if (r) {
        r->users++;
    } else {
        S2CLR_TRY(add(key, &r));
        const s2clr_status status = make_added(r);
        if (status != S2CLR_OK) {
            *failed = r;
            return status;
        }
    }
    *out = r;
    return S2CLR_OK;
}

/* ---- users ---- */

s2clr_status s2clr_runtime_acquire(const s2clr_model *model, const char *device,
                                   s2clr_precision precision, int threads, s2clr_aim aim,
                                   s2clr_runtime **out)
{
    const char *wish = device && device[0] ? device : "auto";
    const runtime_key key = {model, wish, precision, threads ? threads : s2clr_cpu_count(), aim};
    s2clr_runtime *failed = NULL;
    if (strlen(wish) >= sizeof failed->wish)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "device '%.40s...': no such name; use auto, cpu or a backend's name",
                               wish);
    pthread_mutex_lock(&lock);
    const s2clr_status status = take(&key, &failed, out);
    pthread_mutex_unlock(&lock);
    free_runtime(failed);
    return status;
}

void s2clr_runtime_release(s2clr_runtime *runtime)
{
    s2clr_runtime *dropped = NULL;
    if (!runtime) return;
    pthread_mutex_lock(&lock);
    if (runtime->users == 1) dropped = find_idle();
    if (dropped) unlink_runtime(dropped);
    runtime->users--;
    pthread_mutex_unlock(&lock);
    free_runtime(dropped);
}

void s2clr_runtime_drop_idle(void)
{
    pthread_mutex_lock(&lock);
    s2clr_runtime *idle = find_idle();
    if (idle) unlink_runtime(idle);
    pthread_mutex_unlock(&lock);
    free_runtime(idle);
}

const s2clr_model *s2clr_runtime_model(const s2clr_runtime *runtime)
{
    return runtime->model;
}

const char *s2clr_runtime_device(const s2clr_runtime *runtime)
{
    return runtime->description;
}

int s2clr_runtime_threads(const s2clr_runtime *runtime)
{
    return runtime->threads;
}

int s2clr_runtime_planes(const s2clr_runtime *runtime)
{
    return runtime->planes;
}

size_t s2clr_runtime_count(void)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (const s2clr_runtime *r = runtimes; r; r = r->next) count += r->ready;
    pthread_mutex_unlock(&lock);
    return count;
}
