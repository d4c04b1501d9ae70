#include "backend/device_several.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"

enum { DEVICES_MAX = 64, WORD_MAX = 64 };

/* "cuda:0+2,fast": what is before the numbers, the numbers, what is behind them. */
typedef struct several {
    char name[WORD_MAX], tail[WORD_MAX];
    bool all;
    int number[DEVICES_MAX], count;
    const s2clr_backend *backend;
    s2clr_device **device; // (DEVICES_MAX)
    int open;
} several;

static const char *list_of(const char *wanted, size_t *length)
{
    const char *const colon = strchr(wanted, ':');
    const char *const list = colon ? colon + 1 : "";
    *length = strcspn(list, ",");
    return list;
}

static bool is_all(const char *list, size_t length)
{
    return length == 3 && strncmp(list, "all", length) == 0;
}

bool s2clr_device_names_several(const char *wanted)
{
    size_t length;
    const char *const list = list_of(wanted, &length);
    return is_all(list, length) || memchr(list, '+', length);
}

static s2clr_status wrong(const char *wanted)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "'%s' names no devices: write their numbers, each once, as in "
                           "cuda:0+1, or cuda:all, with ,fast behind it where results may differ "
                           "in their last digits from run to run",
                           wanted);
}

static s2clr_status add_number(several *s, const char *wanted, const char **at)
{
    char *end;
    const long number = strtol(*at, &end, 10);
    if (**at < '0' || **at > '9' || end - *at > 4 || s->count == DEVICES_MAX) return wrong(wanted);
    for (int i = 0; i < s->count; i++)
        if (s->number[i] == (int)number) return wrong(wanted);
    s->number[s->count++] = (int)number;
    *at = end;
    return S2CLR_OK;
}

static s2clr_status read_word(const char *wanted, several *s)
{
    size_t length;
    const char *const list = list_of(wanted, &length), *at = list;
    const size_t name = (size_t)(list - wanted) - 1;
    if (name >= WORD_MAX || strlen(list + length) >= WORD_MAX) return wrong(wanted);
    snprintf(s->name, sizeof s->name, "%.*s", (int)name, wanted);
    snprintf(s->tail, sizeof s->tail, "%s", list + length);
    s->all = is_all(list, length);
    if (s->all) return S2CLR_OK;
    S2CLR_TRY(add_number(s, wanted, &at));
    while (*at == '+') {
        at++;
        S2CLR_TRY(add_number(s, wanted, &at));
    }
    return at == list + length ? S2CLR_OK : wrong(wanted);
}

static s2clr_status open_one(several *s, int number, s2clr_precision precision)
{
    char spec[2 * WORD_MAX + 16];
    snprintf(spec, sizeof spec, "%s:%d%s", s->name, number, s->tail);
    S2CLR_TRY(s->backend->device_open(spec, precision, &s->device[s->open]));
    s->open++;
    return S2CLR_OK;
}

/* One that cannot be used does not keep the others from it, but that is for the user to say. */
static s2clr_status name_others(s2clr_status status, int number, const char *name)
{
    char text[1024];
    snprintf(text, sizeof text, "%s", s2clr_error_text());
    return s2clr_error_set(status, "%s; that is number %d of %s:all: name the others, as in %s:0+2",
                           text, number, name, name);
}

/* Until there is no such device. */
static s2clr_status open_all(several *s, s2clr_precision precision)
{
    while (s->open < DEVICES_MAX) {
        const s2clr_status status = open_one(s, s->open, precision);
        if (status == S2CLR_ERR_ARGUMENT && s->open > 0) break;
        if (status != S2CLR_OK) return name_others(status, s->open, s->name);
    }
    s2clr_error_clear();
    return S2CLR_OK;
}

static s2clr_status open_several(several *s, s2clr_precision precision)
{
    S2CLR_TRY(s2clr_backend_find(s->name, &s->backend));
    if (s->all) return open_all(s, precision);
    for (int i = 0; i < s->count; i++) S2CLR_TRY(open_one(s, s->number[i], precision));
    return S2CLR_OK;
}

static s2clr_status select_them(const char *wanted, s2clr_precision precision, several *s)
{
    if (s2clr_device_names_several(wanted)) {
        S2CLR_TRY(read_word(wanted, s));
        return open_several(s, precision);
    }
    S2CLR_TRY(s2clr_device_select(wanted, precision, &s->backend, &s->device[0]));
    s->open = 1;
    return S2CLR_OK;
}

s2clr_status s2clr_device_select_several(const char *wanted, s2clr_precision precision,
                                         const s2clr_backend **backend, s2clr_device ***devices,
                                         int *count)
{
    several s = {.open = 0};
    S2CLR_TRY(s2clr_alloc(DEVICES_MAX, sizeof(s2clr_device *), "devices", (void **)&s.device));
    const s2clr_status status = select_them(wanted, precision, &s);
    if (status != S2CLR_OK) {
        s2clr_device_close_several(s.backend, s.device, s.open);
        return status;
    }
    *backend = s.backend;
    *devices = s.device;
    *count = s.open;
    return S2CLR_OK;
}

void s2clr_device_close_several(const s2clr_backend *backend, s2clr_device **devices, int count)
{
    for (int i = 0; i < count; i++) backend->device_close(devices[i]);
    s2clr_free(devices);
}
