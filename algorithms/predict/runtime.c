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

static int wish_for_units(const s2clr_runtime *r)
{
    return r->backend->cutting && !r->local ? r->backend->cutting->unit_patches : 0;
}

/* All that the answer's bytes depend on: a backend's own number of patches in a unit, and what the
 * device says of itself behind the plan, with which engines may have failed. */
static void describe(s2clr_runtime *r)
{
    const int wish = wish_for_units(r);
    const char *const device = r->backend->device_describe(r->device);
    if (wish)
        snprintf(r->description, sizeof r->description, "%s: %s, units of %d", r->backend->name,
                 device, wish);
    else
        snprintf(r->description, sizeof r->description, "%s: %s", r->backend->name, device);
}

static s2clr_status make_plan(s2clr_runtime *r)
{
    const s2clr_net *net = s2clr_model_net(r->model);
    const bool logits = r->aim != S2CLR_AIM_EMBEDDING;
    const int step = s2clr_net_step(net);
    s2clr_output output = logits ? S2CLR_OUTPUT_LOGITS : S2CLR_OUTPUT_FEATURES;
    r->local = step > 0;
    r->side = s2clr_model_card(r->model)->patch;
    r->unit = r->local ? 1 : wish_for_units(r) ? wish_for_units(r) : S2CLR_UNIT_PATCHES;
    if (r->local) {
        output = logits ? S2CLR_OUTPUT_LOCAL : S2CLR_OUTPUT_LOCAL_FEATURES;
        r->side = (S2CLR_UNIT_POSITIONS - 1) * step + s2clr_net_field(net);
    }
    S2CLR_TRY(s2clr_plan_new(net, s2clr_model_params(r->model), r->backend, r->device, output,
                             r->unit, r->side, r->side, &r->plan));
    const s2clr_shape in = s2clr_plan_input(r->plan), out = s2clr_plan_output(r->plan);
    r->input_count = (size_t)in.n * (size_t)in.c * (size_t)in.h * (size_t)in.w;
    r->output_count = (size_t)out.n * (size_t)out.c * (size_t)out.h * (size_t)out.w;
    r->planes = out.c;
    return S2CLR_OK;
}

static void free_session(s2clr_runtime *r, int i)
{
    s2clr_session_free(r->session[i]);
    s2clr_free(r->input[i]);
    s2clr_free(r->output[i]);
    r->session[i] = NULL;
    r->input[i] = r->output[i] = NULL;
}

static s2clr_status make_session(s2clr_runtime *r, int i)
{
    S2CLR_TRY(s2clr_session_new(r->plan, &r->session[i]));
    if (!r->strip)
        S2CLR_TRY(s2clr_alloc(r->input_count, sizeof(float), "unit input", (void **)&r->input[i]));
    return s2clr_alloc(r->output_count, sizeof(float), "unit output", (void **)&r->output[i]);
}

/* Pixels need room beside the sessions. */
static s2clr_status check_room(const s2clr_runtime *r)
{
    const size_t pixels = r->input_count * sizeof(float);
    size_t available, total;
    S2CLR_TRY(r->backend->memory(r->device, &available, &total));
    if (available >= pixels) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: %zu bytes are left, pixels of a unit have %zu",
                           r->description, available, pixels);
}

/* Another session. A device with memory of its own that has no room for a second one does with
 * the first: *done. */
static s2clr_status add_session(s2clr_runtime *r, bool *done)
{
    const int i = r->sessions;
    const bool may_do_without = i > 0 && r->backend->memory;
    s2clr_status status = make_session(r, i);
    if (status == S2CLR_OK && may_do_without) status = check_room(r);
    if (status == S2CLR_OK) {
        r->sessions++;
        return S2CLR_OK;
    }
    free_session(r, i);
    *done = may_do_without && status == S2CLR_ERR_MEMORY;
    return *done ? S2CLR_OK : status;
}

static s2clr_status make_sessions(s2clr_runtime *r)
{
    const int wish = r->backend->cutting ? r->backend->cutting->sessions : 0;
    const int most = wish ? wish : r->threads;
    const size_t count = (size_t)most;
    S2CLR_TRY(s2clr_alloc(count, sizeof *r->session, "sessions", (void **)&r->session));
    S2CLR_TRY(s2clr_alloc(count, sizeof *r->input, "unit inputs", (void **)&r->input));
    S2CLR_TRY(s2clr_alloc(count, sizeof *r->output, "unit outputs", (void **)&r->output));
    if (s2clr_plan_cuts(r->plan)) S2CLR_TRY(s2clr_strip_new(r->plan, &r->strip));
    for (bool done = false; r->sessions < most && !done;) S2CLR_TRY(add_session(r, &done));
    r->unit_pool = r->pool;
    return r->sessions == r->threads ? S2CLR_OK : s2clr_pool_new(r->sessions, &r->unit_pool);
}

static s2clr_status make(s2clr_runtime *r)
{
    S2CLR_TRY(check_model(r->model, r->aim));
    S2CLR_TRY(s2clr_pool_new(r->threads, &r->pool));
    S2CLR_TRY(s2clr_device_select(r->wish, r->precision, &r->backend, &r->device));
    S2CLR_TRY(make_plan(r));
    describe(r);
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
    for (int i = 0; i < r->sessions; i++) free_session(r, i);
    s2clr_strip_free(r->strip);
    s2clr_free(r->session);
    s2clr_free(r->input);
    s2clr_free(r->output);
    s2clr_plan_free(r->plan);
    if (r->device) r->backend->device_close(r->device);
    if (r->unit_pool != r->pool) s2clr_pool_free(r->unit_pool);
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
