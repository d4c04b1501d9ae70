/*
 * Private to models/net: the same work over and over, on one stream, with the same pointers.
 *
 *     s2clr_repeat repeat = {.backend = backend};
 *     const void *const key[] = {params, dparams};
 *     S2CLR_TRY(s2clr_repeat_run(&repeat, stream, key, body, context)); // queues body(context)
 *     ...
 *     s2clr_repeat_end(&repeat); // before the stream
 *
 * Where the backend records, the work is queued call by call twice (libraries prepare themselves in
 * that time), recorded at the third, and replayed from then on; with other keys it begins anew.
 * When recording fails it is queued call by call for good.
 */
#ifndef S2CLR_NET_REPEAT_H
#define S2CLR_NET_REPEAT_H

#include "backend/backend.h"

enum { S2CLR_REPEAT_KEYS = 2 };

typedef struct s2clr_repeat {
    const s2clr_backend *backend;
    s2clr_recorded *recorded;
    const void *key[S2CLR_REPEAT_KEYS]; /* pointers that the work was queued with */
    int plain;                          /* runs with these, call by call */
    bool given_up;
    char why[256]; /* recording was given up */
} s2clr_repeat;

/* key: (S2CLR_REPEAT_KEYS) pointers that body reads and that may differ between runs. */
s2clr_status s2clr_repeat_run(s2clr_repeat *repeat, s2clr_stream *stream, const void *const *key,
                              s2clr_status (*body)(void *context), void *context);
void s2clr_repeat_end(s2clr_repeat *repeat);

/* "recorded", "call by call", or that and why. */
const char *s2clr_repeat_way(const s2clr_repeat *repeat);

#endif
