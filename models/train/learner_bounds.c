/* How many bytes a learner needs, and which kind a device has room for. */
#include <stdio.h>

#include "base/memory.h"
#include "train/plearner.h"

static bool is_apart(const s2clr_machine *on)
{
    return on->backend->training && on->backend->training->apart;
}

/* ---- bytes ---- */

/* Arrays of a learner's own; a resident one has weights and moments beside those of the host. */
static s2clr_status array_bytes(const s2clr_learner *l, size_t *out)
{
    const s2clr_learner_options *const o = &l->options;
    const bool resident = o->step.resident;
    const size_t several = o->parts > 1;
    size_t floats, running;
    S2CLR_TRY(s2clr_size_mul(
        l->trainable, 1 + several + (resident ? 1 + (size_t)o->optimiser->moments : 0), &floats));
    S2CLR_TRY(
        s2clr_size_mul(l->running, several * (resident ? 1 + o->parts : 3) + resident, &running));
    S2CLR_TRY(s2clr_size_add(floats, running, &floats));
    return s2clr_size_mul(floats, sizeof(float), out);
}

/* Micro-batches on their way to a device whose memory is its own, one of each thread that computes:
 * plain float32. */
static s2clr_status input_bytes(const s2clr_learner_options *o, int threads, size_t *out)
{
    const s2clr_step_options *const step = &o->step;
    const int units = step->batch / step->micro;
    const size_t channels = (size_t)s2clr_net_arch(o->net)->channels;
    S2CLR_TRY(s2clr_size_mul((size_t)step->h * (size_t)step->w, channels * sizeof(float), out));
    S2CLR_TRY(s2clr_size_mul(*out, (size_t)step->micro, out));
    return s2clr_size_mul(*out, (size_t)(units < threads ? units : threads), out);
}

/* Of a learner that has a step, on that device. */
static s2clr_status measure_one(const learner_kind *kind, const s2clr_learner_options *options,
                                const s2clr_machine *on, s2clr_device *device,
                                s2clr_learner_bytes *out)
{
    const s2clr_learner l = s2clr_learner_prepared(kind, options, on);
    const int threads = s2clr_pool_threads(on->pool);
    size_t all, buffers, arrays, input;
    S2CLR_TRY(s2clr_step_needs(options->net, on->backend, device, threads, &l.options.step, &all,
                               &buffers));
    S2CLR_TRY(array_bytes(&l, &arrays));
    *out = (s2clr_learner_bytes){0};
    if (!is_apart(on)) return s2clr_size_add(all, arrays, &out->host);
    S2CLR_TRY(input_bytes(&l.options, threads, &input));
    S2CLR_TRY(s2clr_size_add(buffers, input, &out->device));
    out->host = all - buffers;
    size_t *const side = l.options.step.resident ? &out->device : &out->host;
    return s2clr_size_add(*side, arrays, side);
}

/* Of a learner of that kind; of several devices, that of the one that needs most. */
static s2clr_status measure(const learner_kind *kind, const s2clr_learner_options *options,
                            const s2clr_machine *on, s2clr_learner_bytes *out)
{
    s2clr_learner_options slice;
    s2clr_learner_bytes one;
    if (kind != &s2clr_learner_group) return measure_one(kind, options, on, on->device, out);
    S2CLR_TRY(s2clr_learner_slice(options, on->device_count, &slice));
    *out = (s2clr_learner_bytes){0};
    for (int i = 0; i < on->device_count; i++) {
        S2CLR_TRY(measure_one(&s2clr_learner_resident, &slice, on, on->devices[i], &one));
        if (one.device > out->device) out->device = one.device;
        if (one.host > out->host) out->host = one.host;
    }
    return S2CLR_OK;
}

/* beside: bytes of the device that are wanted as well. */
static bool has_room(const s2clr_machine *on, const s2clr_learner_bytes *bytes, size_t beside)
{
    size_t available, total;
    if (bytes->device == 0 || !s2clr_machine_room(on, &available, &total)) return true;
    return bytes->device <= available && beside <= available - bytes->device;
}

/* Whether only the arrays of weights are too much for the device, and may lie elsewhere. */
static s2clr_status fits_on_host(const s2clr_learner_options *options, const s2clr_machine *on,
                                 s2clr_learner_bytes *bytes, bool *fits)
{
    *fits = false;
    if (options->place != S2CLR_LEARNER_ANYWHERE || on->device_count > 1) return S2CLR_OK;
    S2CLR_TRY(measure(&s2clr_learner_host, options, on, bytes));
    *fits = has_room(on, bytes, options->beside);
    return S2CLR_OK;
}

/* What the kind in question needs, which becomes the host's where that is what fits. */
static s2clr_status weigh(const s2clr_learner_options *options, const s2clr_machine *on,
                          const learner_kind **kind, s2clr_learner_bytes *out)
{
    s2clr_learner_bytes less;
    bool fits;
    S2CLR_TRY(measure(*kind, options, on, out));
    if (*kind == &s2clr_learner_host || has_room(on, out, options->beside)) return S2CLR_OK;
    S2CLR_TRY(fits_on_host(options, on, &less, &fits));
    if (!fits) return S2CLR_OK;
    *kind = &s2clr_learner_host;
    *out = less;
    return S2CLR_OK;
}

s2clr_status s2clr_learner_needs(const s2clr_learner_options *options, const s2clr_machine *on,
                                 s2clr_learner_bytes *out)
{
    const learner_kind *kind = s2clr_learner_kind_for(options, on);
    s2clr_learner_bytes bytes;
    S2CLR_TRY(weigh(options, on, &kind, &bytes));
    *out = bytes;
    return S2CLR_OK;
}

bool s2clr_learner_fits(const s2clr_machine *on, const s2clr_learner_bytes *bytes)
{
    const size_t available = s2clr_memory_available();
    return (available == 0 || bytes->host < available) && has_room(on, bytes, 0);
}

/* ---- what would fit ---- */

static int unit_of(const s2clr_learner_options *o)
{
    return o->part_unit > 0 ? o->part_unit : 1;
}

/* Whether there is room for parts of that size, of whichever kind. */
static bool would_fit(const s2clr_learner_options *options, const s2clr_machine *on, int size)
{
    const learner_kind *kind = s2clr_learner_kind_for(options, on);
    s2clr_learner_options o = *options;
    s2clr_learner_bytes bytes;
    o.step.batch = size * unit_of(options);
    if (o.step.micro > size) o.step.micro = size;
    return weigh(&o, on, &kind, &bytes) == S2CLR_OK && has_room(on, &bytes, o.beside);
}

/* Whether the recipe takes that size: parts of a batch must all be of one size, devices have equal
 * shares of one, and micro-batches fill it. */
static bool is_allowed(const s2clr_learner_options *o, const s2clr_machine *on, int size)
{
    const size_t whole = o->parts * (size_t)(o->step.batch / unit_of(o));
    const int micro = o->step.micro;
    if (o->parts > 1 && whole % (size_t)size != 0) return false;
    if (on->device_count > 1 && size % on->device_count != 0) return false;
    return micro >= size || size % micro == 0;
}

/* The largest of half the part, a quarter ... that fits, in the option's unit; 0: none. */
static int what_fits(const s2clr_learner_options *options, const s2clr_machine *on)
{
    for (int size = options->step.batch / unit_of(options) / 2; size > 0; size /= 2)
        if (is_allowed(options, on, size) && would_fit(options, on, size)) return size;
    s2clr_error_clear();
    return 0;
}

static void remedy_text(const s2clr_learner_options *o, int fitting, char *text, size_t size)
{
    const char *const option = o->part_option ? o->part_option : "a batch of";
    if (fitting > 0)
        snprintf(text, size, "%s %d would fit", option, fitting);
    else
        snprintf(text, size, "no smaller %s would fit either; --device cpu has the machine's own",
                 o->part_option ? o->part_option : "batch");
}

static s2clr_status no_room(const s2clr_learner_options *o, const s2clr_machine *on,
                            const s2clr_learner_bytes *bytes)
{
    const double giga = 1e9;
    size_t available = 0, total = 0;
    char remedy[120];
    (void)s2clr_machine_room(on, &available, &total);
    remedy_text(o, what_fits(o, on), remedy, sizeof remedy);
    return s2clr_error_set(S2CLR_ERR_MEMORY,
                           "training needs %.3g GB of the %smemory for %d samples at once, and "
                           "%.3g of %.3g GB are free: %s",
                           (double)(bytes->device + o->beside) / giga,
                           on->device_count > 1 ? "devices' own (each) " : "device's own ",
                           o->step.batch, (double)available / giga, (double)total / giga, remedy);
}

s2clr_status s2clr_learner_choose(const s2clr_learner_options *options, const s2clr_machine *on,
                                  s2clr_learner *out)
{
    const learner_kind *const wanted = s2clr_learner_kind_for(options, on);
    const learner_kind *kind = wanted;
    s2clr_learner_bytes bytes;
    if (is_apart(on) && on->backend->memory) {
        S2CLR_TRY(weigh(options, on, &kind, &bytes));
        if (!has_room(on, &bytes, options->beside)) return no_room(options, on, &bytes);
    }
    *out = s2clr_learner_prepared(kind, options, on);
    if (kind != wanted)
        snprintf(out->note, sizeof out->note,
                 "the device has no room for the weights, their gradient and moments beside %d "
                 "samples at once: these stay on the host and cross to the device in every step; "
                 "a smaller %s is faster",
                 options->step.batch, options->part_option ? options->part_option : "batch");
    return S2CLR_OK;
}
