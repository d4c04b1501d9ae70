#include "commands/exit_codes.h"

#include <signal.h>

static const s2clr_exit_code codes[] = {
    {S2CLR_EXIT_DONE, "done"},
    {S2CLR_EXIT_FAILED, "failed: the message says what, where and what to do"},
    {S2CLR_EXIT_USAGE, "wrong usage"},
    {S2CLR_EXIT_SIGNAL + SIGHUP, "interrupted by SIGHUP"},
    {S2CLR_EXIT_SIGNAL + SIGINT, "interrupted by SIGINT"},
    {S2CLR_EXIT_SIGNAL + SIGPIPE, "nobody reads the output any more"},
    {S2CLR_EXIT_SIGNAL + SIGTERM, "interrupted by SIGTERM"},
};

size_t s2clr_exit_codes(const s2clr_exit_code **out)
{
    *out = codes;
    return sizeof codes / sizeof codes[0];
}
