/*
 * How deep rasters of ours read rasters of ours: a VRT may name an S2CLR raster whose input is that
 * VRT. The depth belongs to a thread; a view hands it on to the threads that read for it.
 *
 *     S2CLR_TRY(s2clr_nesting_enter(name));      // fails beyond S2CLR_NESTING_MAX
 *     ... open or read the inputs ...
 *     s2clr_nesting_leave();
 */
#ifndef S2CLR_PREDICT_NESTING_H
#define S2CLR_PREDICT_NESTING_H

#include "base/status.h"

#define S2CLR_NESTING_MAX 8
/* Begin and end of the message, which is cut out of what others write around it. */
#define S2CLR_NESTING_TEXT "S2CLR rasters that read each other: "
#define S2CLR_NESTING_END "; name another input"

/* name: what is being opened, for the message. */
s2clr_status s2clr_nesting_enter(const char *name);
void s2clr_nesting_leave(void);

/* The calling thread's depth; a thread that reads on behalf of another starts with that one's. */
int s2clr_nesting_depth(void);
void s2clr_nesting_set(int depth);

#endif
