/*
 * Open views that wait for their next use: a pixel function is called thousands of times with the
 * same arguments and has no place of its own to keep anything.
 *
 *     s2clr_pooled_view *pooled;
 *     S2CLR_TRY(s2clr_view_pool_take("S2CLR::\"scene.tif\"", options, &pooled));
 *     ... s2clr_view_read(s2clr_pooled_view_get(pooled), ...) ...
 *     s2clr_view_pool_give(pooled);
 *
 * A view that was taken belongs to its taker alone; a second thread with the same arguments gets
 * another one. A waiting view is used again only while its files are as they were, and closed when
 * it has waited for a minute or others wait in greater number (that is looked at in every call, no
 * thread watches), or when nobody holds the pool any more: the coordinate rasters that s2clr_patch
 * reads hold it as long as they are open. Thread-safe.
 */
#ifndef S2CLR_PREDICT_VIEW_POOL_H
#define S2CLR_PREDICT_VIEW_POOL_H

#include <stddef.h>

#include "predict/view.h"

#define S2CLR_VIEW_POOL_MAX 8 /* views that may wait */

typedef struct s2clr_pooled_view s2clr_pooled_view;

/* name: connection string or sidecar; options: open options, NULL-terminated K=V in any order. */
s2clr_status s2clr_view_pool_take(const char *name, const char *const *options,
                                  s2clr_pooled_view **out);
void s2clr_view_pool_give(s2clr_pooled_view *pooled); /* NULL is allowed */

s2clr_view *s2clr_pooled_view_get(const s2clr_pooled_view *pooled); /* borrowed */

/* The last release closes all views that wait. */
void s2clr_view_pool_hold(void);
void s2clr_view_pool_release(void);

/* Closes all views that wait; how many. */
size_t s2clr_view_pool_drop(void);

/* Forgets them without closing: for the plug-in's unloading, when GDAL has closed every raster of
 * the process already, those of views that nobody held included. */
void s2clr_view_pool_forget(void);

/* Views that wait; for tests. */
size_t s2clr_view_pool_count(void);

#endif
