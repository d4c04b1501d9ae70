#include "net/repeat.h"

#include <stdio.h>
#include <string.h>

enum { PLAIN_RUNS = 2 };

static void forget(s2clr_repeat *r)
{
    if (r->recorded) r->backend->recording->free(r->recorded);
    r->recorded = NULL;
    r->plain = 0;
}

/* What is wrong with the device itself, the next plain run tells. */
static void give_up(s2clr_repeat *r)
{
    forget(r);
    snprintf(r->why, sizeof r->why, "call by call: %.200s", s2clr_error_text());
    r->given_up = true;
    s2clr_error_clear();
}

s2clr_status s2clr_repeat_run(s2clr_repeat *r, s2clr_stream *stream, const void *const *key,
                              s2clr_status (*body)(void *context), void *context)
{
    const s2clr_backend_recording *const recording = r->backend->recording;
    if (!recording || r->given_up) return body(context);
    if (memcmp(r->key, key, sizeof r->key) != 0) {
        forget(r);
        memcpy(r->key, key, sizeof r->key);
    }
    if (r->plain < PLAIN_RUNS) {
        r->plain++;
        return body(context);
    }
    if ((r->recorded || recording->record(stream, body, context, &r->recorded) == S2CLR_OK) &&
        recording->replay(stream, r->recorded) == S2CLR_OK)
        return S2CLR_OK;
    give_up(r);
    return body(context);
}

void s2clr_repeat_end(s2clr_repeat *r)
{
    forget(r);
}

const char *s2clr_repeat_way(const s2clr_repeat *r)
{
    return r->recorded ? "recorded" : r->given_up ? r->why : "call by call";
}
