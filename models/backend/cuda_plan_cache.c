/* The plans of a device. A list: a network has dozens, and they are looked up when ops are made. */
#include <string.h>

#include "backend/cuda_plan.h"
#include "base/memory.h"

struct cuda_plan_cache {
    cuda_planned *first; /* the one used last comes first */
    size_t count;
};

struct cuda_plan_cache *s2clr_cuda_plans_new(void)
{
    struct cuda_plan_cache *cache;
    return s2clr_alloc(1, sizeof *cache, "plans", (void **)&cache) == S2CLR_OK ? cache : NULL;
}

static void planned_free(cuda_planned *planned)
{
    s2clr_cuda_plan_free(&planned->plan);
    s2clr_free(planned);
}

void s2clr_cuda_plans_free(struct cuda_plan_cache *cache)
{
    if (cache == NULL) return;
    while (cache->first != NULL) {
        cuda_planned *const planned = cache->first;
        cache->first = planned->next;
        planned_free(planned);
    }
    s2clr_free(cache);
}

/* Takes it out of the list. NULL: not there. */
static cuda_planned *unlink_shape(struct cuda_plan_cache *cache, const cuda_conv_shape *shape)
{
    for (cuda_planned **at = &cache->first; *at != NULL; at = &(*at)->next) {
        cuda_planned *const found = *at;
        if (memcmp(&found->shape, shape, sizeof *shape) != 0) continue;
        *at = found->next;
        cache->count--;
        return found;
    }
    return NULL;
}

static void put_first(struct cuda_plan_cache *cache, cuda_planned *planned)
{
    planned->next = cache->first;
    cache->first = planned;
    cache->count++;
}

/* Frees the plans without users that were not asked for longest. */
static void forget(struct cuda_plan_cache *cache)
{
    size_t idle = 0;
    for (cuda_planned **at = &cache->first; *at != NULL;) {
        cuda_planned *const planned = *at;
        if (planned->users > 0 || ++idle <= CUDA_IDLE_PLANS) {
            at = &planned->next;
            continue;
        }
        *at = planned->next;
        cache->count--;
        planned_free(planned);
    }
}

/* With plan.plan NULL when cuDNN has no engine; S2CLR_ERR_UNSUPPORTED when one failed instead of
 * saying so, which is nothing to remember. */
static s2clr_status plan_new(s2clr_device *device, const cuda_conv_shape *shape, cuda_planned **out)
{
    bool failed = false;
    const cuda_planner planner = {.handle = device->planner, .failed = &failed};
    const cuda_rules rules = {.refused = s2clr_cuda_refused_notes(device->precision, device->fast),
                              .workspace_limit = device->workspace_limit};
    cuda_planned *planned;
    S2CLR_TRY(s2clr_alloc(1, sizeof *planned, "plan", (void **)&planned));
    planned->shape = *shape;
    const s2clr_status status =
        s2clr_cuda_conv_plan(device, &planner, &rules, shape, &planned->plan);
    if (failed) atomic_store(&device->lacks_engines, true);
    if (status != S2CLR_OK && (status != S2CLR_ERR_UNSUPPORTED || failed)) {
        planned_free(planned);
        return status;
    }
    *out = planned;
    return S2CLR_OK;
}

static s2clr_status take(s2clr_device *device, const cuda_conv_shape *shape, cuda_planned **out)
{
    struct cuda_plan_cache *const cache = device->plans;
    cuda_planned *planned = unlink_shape(cache, shape);
    if (planned == NULL) S2CLR_TRY(plan_new(device, shape, &planned));
    put_first(cache, planned);
    forget(cache);
    if (planned->plan.plan == NULL) return S2CLR_ERR_UNSUPPORTED;
    planned->users++;
    *out = planned;
    return S2CLR_OK;
}

s2clr_status s2clr_cuda_plans_take(s2clr_device *device, const cuda_conv_shape *shape,
                                   cuda_planned **out)
{
    pthread_mutex_lock(&device->planner_lock);
    const s2clr_status status = take(device, shape, out);
    pthread_mutex_unlock(&device->planner_lock);
    return status;
}

void s2clr_cuda_plans_give(s2clr_device *device, cuda_planned *planned)
{
    if (planned == NULL) return;
    pthread_mutex_lock(&device->planner_lock);
    planned->users--;
    forget(device->plans);
    pthread_mutex_unlock(&device->planner_lock);
}

size_t s2clr_cuda_plans_count(s2clr_device *device)
{
    pthread_mutex_lock(&device->planner_lock);
    const size_t count = device->plans->count;
    pthread_mutex_unlock(&device->planner_lock);
    return count;
}
