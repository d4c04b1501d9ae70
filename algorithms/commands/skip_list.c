#include "commands/skip_list.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "commands/edge.h"

static s2clr_status refuse(const char *path, int error)
{
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: cannot be written: %s; choose a folder that exists, with room",
                           path, strerror(error));
}

s2clr_status s2clr_skip_list_open(const s2clr_args *args, s2clr_skip_list *out)
{
    *out = (s2clr_skip_list){.args = args, .path = s2clr_args_text(args, "skips")};
    if (!out->path) return S2CLR_OK;
    out->to = fopen(out->path, "w");
    return out->to ? S2CLR_OK : refuse(out->path, errno);
}

/* Tabs and line ends separate; inside they become blanks. */
static void put(FILE *to, const char *text, char end)
{
    for (; *text; text++) putc((unsigned char)*text < ' ' ? ' ' : *text, to);
    putc(end, to);
}

void s2clr_skip_list_add(void *list, const char *name, const char *reason)
{
    s2clr_skip_list *self = list;
    char text[1600];
    if (self->to) {
        put(self->to, name, '\t');
        put(self->to, reason, '\n');
    }
    if (self->count < S2CLR_SKIPS_SHOWN) {
        /* A reason that begins with the name needs no second one. */
        const bool named = strncmp(reason, name, strlen(name)) == 0;
        snprintf(text, sizeof text, "%s%s%s", named ? "" : name, named ? "" : ": ", reason);
        if (s2clr_strdup(text, &self->text[self->count]) != S2CLR_OK)
            self->text[self->count] = NULL;
    }
    self->count++;
}

static void show(const s2clr_skip_list *list)
{
    char rest[80];
    for (size_t i = 0; i < list->count && i < S2CLR_SKIPS_SHOWN; i++)
        s2clr_edge_warn(list->args, list->text[i] ? list->text[i] : "left out");
    if (list->count <= S2CLR_SKIPS_SHOWN) return;
    snprintf(rest, sizeof rest, "%zu more were left out; --skips FILE lists all",
             list->count - S2CLR_SKIPS_SHOWN);
    s2clr_edge_warn(list->args, rest);
}

s2clr_status s2clr_skip_list_close(s2clr_skip_list *list, s2clr_status status)
{
    const bool failed = list->to && ferror(list->to);
    const bool unclosed = list->to && fclose(list->to) != 0;
    show(list);
    for (size_t i = 0; i < S2CLR_SKIPS_SHOWN; i++) s2clr_free(list->text[i]);
    const char *path = list->path;
    *list = (s2clr_skip_list){.count = list->count};
    return status == S2CLR_OK && (failed || unclosed) ? refuse(path, errno) : status;
}
