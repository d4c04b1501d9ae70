#include "resident_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "harness.h"

resident_place resident_open(const s2clr_backend *be, s2clr_precision precision, size_t scratch)
{
    resident_place p = {.be = be, .on = be->training};
    TEST_OK(be->device_open("", precision, &p.device));
    TEST_OK(be->stream_new(p.device, scratch, &p.stream));
    return p;
}

void resident_close(resident_place *p)
{
    p->be->stream_free(p->stream);
    for (int i = 0; i < p->arrays; i++) p->be->buffer_free(p->device, p->array[i]);
    p->be->device_close(p->device);
}

void *resident_put(resident_place *p, const void *from, size_t bytes, size_t offset)
{
    char *buffer = NULL;
    unsigned char *blank = NULL;
    CU_ASSERT_FATAL(p->arrays < RESIDENT_ARRAYS);
    TEST_OK(p->be->buffer_new(p->device, bytes + offset + 64, (void **)&buffer));
    p->array[p->arrays++] = buffer;
    if (!from) {
        blank = malloc(bytes + 1);
        memset(blank, 0xff, bytes);
    }
    TEST_OK(p->on->copy_in(p->stream, from ? from : blank, bytes, buffer + offset));
    free(blank);
    return buffer + offset;
}

float *resident_put_floats(resident_place *p, const float *from, size_t count)
{
    return resident_put(p, from, count * sizeof(float), sizeof(float));
}

void resident_get(resident_place *p, const void *from, size_t bytes, void *to)
{
    memset(to, 0x55, bytes);
    TEST_OK(p->on->copy_out(p->stream, from, bytes, to));
}

void resident_random(uint64_t stream, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = 2 * s2clr_random_uniform(4, stream, i) - 1;
}

void resident_near(const char *who, const char *what, const float *a, const float *b, size_t count,
                   double tolerance)
{
    char text[300];
    double most = 0, peak = 0;
    for (size_t i = 0; i < count; i++) {
        const double apart = fabs((double)a[i] - (double)b[i]);
        if (!(apart <= most)) most = apart; /* NaN stays */
        peak = fmax(peak, fabs((double)b[i]));
    }
    if (most <= tolerance * peak) return;
    snprintf(text, sizeof text, "%s: %s is off by %.3g of %.3g", who, what, most, peak);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

const s2clr_backend *resident_portable(void)
{
    const s2clr_backend *be = NULL;
    TEST_OK(s2clr_backend_find("portable", &be));
    return be;
}

void resident_everywhere(void (*check)(resident_place *p, resident_place *wanted))
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    int tried = 0;
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].backend || !entries[i].backend->training) continue;
        resident_place p = resident_open(entries[i].backend, S2CLR_F32, RESIDENT_SCRATCH);
        resident_place wanted = resident_open(resident_portable(), S2CLR_F32, RESIDENT_SCRATCH);
        check(&p, &wanted);
        resident_close(&p), resident_close(&wanted);
        tried++;
    }
    CU_ASSERT_TRUE(tried >= 1);
}
