/* What a child prints: progress lines become a fraction, the rest is kept. */
#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "program/pchild.h"

#define LIMIT_BYTES ((size_t)64 << 20)
#define LAST_BYTES ((size_t)64 << 10)

/* Digits with a point, whatever the host's locale: strtod() would want a comma in some. */
static bool parse_percent(const char *at, const char *end, double *out)
{
    double value = 0, unit = 1;
    bool point = false;
    if (at == end || !isdigit((unsigned char)*at) || end - at > 16) return false;
    for (; at < end; at++) {
        if (*at == '.' && !point) {
            point = true;
        } else if (isdigit((unsigned char)*at)) {
            value = 10 * value + (*at - '0');
            if (point) unit *= 10;
        } else {
            return false;
        }
    }
    if (value > 100 * unit) return false;
    *out = value / unit / 100;
    return true;
}

static bool is_progress(const char *line, size_t count, double *fraction)
{
    static const char word[] = "progress ";
    const size_t length = sizeof word - 1;
    return count > length && memcmp(line, word, length) == 0 &&
           parse_percent(line + length, line + count, fraction);
}

/* Takes the progress lines out of what has been finished since last time. */
static void sift(s2clr_gathered *to)
{
    size_t keep = to->line, at = to->line;
    const char *newline;
    while ((newline = memchr(to->bytes + at, '\n', to->count - at))) {
        const size_t length = (size_t)(newline - (to->bytes + at));
        if (is_progress(to->bytes + at, length, &to->fraction)) {
            to->progressed = true;
        } else {
            memmove(to->bytes + keep, to->bytes + at, length + 1);
            keep += length + 1;
        }
        at += length + 1;
    }
    memmove(to->bytes + keep, to->bytes + at, to->count - at);
    to->count = keep + (to->count - at);
    to->line = keep;
}

static s2clr_status make_room(s2clr_gathered *to, size_t count)
{
    if (to->room - to->count >= count) return S2CLR_OK;
    size_t room;
    S2CLR_TRY(s2clr_size_add(to->count, count, &room));
    S2CLR_TRY(s2clr_size_mul(room, 2, &room));
    char *more;
    S2CLR_TRY(s2clr_alloc(room, 1, "output of a program", (void **)&more));
    if (to->count) memcpy(more, to->bytes, to->count);
    s2clr_free(to->bytes);
    to->bytes = more;
    to->room = room;
    return S2CLR_OK;
}

s2clr_status s2clr_gathered_add(s2clr_gathered *to, const char *bytes, size_t count)
{
    S2CLR_TRY(make_room(to, count));
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
    if (to->lines) {
        sift(to);
        if (to->count > LIMIT_BYTES)
            return s2clr_error_set(S2CLR_ERR_IO,
                                   "%.200s: printed more than %zu MiB, which is no result to "
                                   "keep; run it in a shell instead",
                                   to->what, LIMIT_BYTES >> 20);
    } else if (to->count > LAST_BYTES) {
        memmove(to->bytes, to->bytes + (to->count - LAST_BYTES), LAST_BYTES);
        to->count = LAST_BYTES;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_gathered_text(const s2clr_gathered *from, char **out)
{
    char *text;
    size_t bytes;
    S2CLR_TRY(s2clr_size_add(from->count, 1, &bytes));
    S2CLR_TRY(s2clr_alloc(bytes, 1, "output of a program", (void **)&text));
    /* A NUL would hide what comes behind it. */
    for (size_t i = 0; i < from->count; i++) text[i] = from->bytes[i] ? from->bytes[i] : ' ';
    *out = text;
    return S2CLR_OK;
}

void s2clr_gathered_free(s2clr_gathered *from)
{
    s2clr_free(from->bytes);
    from->bytes = NULL;
    from->count = from->room = 0;
}
