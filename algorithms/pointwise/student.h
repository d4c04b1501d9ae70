/*
 * Networks that see single pixels, ready to run: a process-wide cache.
 *
 *     s2clr_student *student;
 *     S2CLR_TRY(s2clr_student_take("pixel.safetensors", "cpu", &student));
 *     ... fill student->x ... S2CLR_TRY(s2clr_session_run(student->session, student->x,
 * student->y)); s2clr_student_return(student);
 *
 * A plan has one fixed shape, a row of S2CLR_STUDENT_PIXELS pixels, so that a pixel has the same
 * bits whatever the window it comes in. The networks used last are kept, with a session for each
 * thread that once wanted one at the same time as others. Thread-safe.
 */
#ifndef S2CLR_POINTWISE_STUDENT_H
#define S2CLR_POINTWISE_STUDENT_H

#include <stddef.h>

#include "file/model.h"
#include "net/infer.h"

#define S2CLR_STUDENT_PIXELS 256

/* Belongs to one thread until it is returned. */
typedef struct s2clr_student {
    const s2clr_model *model; /* architecture with step and field 1, one output */
    s2clr_session *session;
    float *x;                      // (1, bands, 1, S2CLR_STUDENT_PIXELS) normalised
    float *y;                      // (1, 1, 1, S2CLR_STUDENT_PIXELS) logits
    struct s2clr_student_net *net; /* private */
    struct s2clr_student *next;    /* private */
} s2clr_student;

/* Whether a model sees single pixels and gives a probability. */
s2clr_status s2clr_student_check(const s2clr_model *model);

/* model: a file, or a name in the zoo. device: as in s2clr_device_select(). */
s2clr_status s2clr_student_take(const char *model, const char *device, s2clr_student **out);
void s2clr_student_return(s2clr_student *student); /* NULL is allowed */

/* Frees what nobody uses (when the plug-in is unloaded, and in tests). */
void s2clr_student_drop_idle(void);

/* Networks alive; for tests. */
size_t s2clr_student_count(void);

#endif
