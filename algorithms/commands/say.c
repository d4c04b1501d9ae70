#include "commands/say.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIPE "\r\033[K" /* a progress bar that stands there */
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN "\033[0m"

bool s2clr_is_screen(FILE *to)
{
    const char *term = getenv("TERM");
    return isatty(fileno(to)) && term && term[0] && strcmp(term, "dumb") != 0;
}

bool s2clr_has_colours(FILE *to)
{
    const char *refused = getenv("NO_COLOR");
    return !(refused && refused[0]) && s2clr_is_screen(to);
}

/* In one call, so that no other thread's words come between. */
static void put_line(const char *beginning, const char *text)
{
    char line[8192];
    const int start =
        snprintf(line, sizeof line / 2, "%s%s ", s2clr_is_screen(stderr) ? WIPE : "", beginning);
    size_t at = start > 0 ? (size_t)start : 0;
    for (; *text && at < sizeof line - 2; text++) {
        const unsigned char byte = (unsigned char)*text;
        line[at++] = byte < ' ' || byte == 0x7f ? ' ' : *text;
    }
    line[at++] = '\n';
    line[at] = '\0';
    fputs(line, stderr);
}

void s2clr_say_error(const char *command, const char *text)
{
    char beginning[160];
    const bool colours = s2clr_has_colours(stderr);
    snprintf(beginning, sizeof beginning, "%ss2clr%s%.80s:%s", colours ? RED : "",
             command ? " " : "", command ? command : "", colours ? PLAIN : "");
    put_line(beginning, text);
}

void s2clr_say_warning(const char *command, const char *text)
{
    char beginning[160];
    const bool colours = s2clr_has_colours(stderr);
    snprintf(beginning, sizeof beginning, "s2clr%s%.80s: %swarning:%s", command ? " " : "",
             command ? command : "", colours ? YELLOW : "", colours ? PLAIN : "");
    put_line(beginning, text);
}
