#include "predict/nesting.h"

static _Thread_local int depth;

s2clr_status s2clr_nesting_enter(const char *name)
{
    if (depth >= S2CLR_NESTING_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               S2CLR_NESTING_TEXT
                               "%.200s is reached through %d of them already" S2CLR_NESTING_END,
                               name, depth);
    depth++;
    return S2CLR_OK;
}

void s2clr_nesting_leave(void)
{
    depth--;
}

int s2clr_nesting_depth(void)
{
    return depth;
}

void s2clr_nesting_set(int new_depth)
{
    depth = new_depth;
}
