/*
 * What the plans of all recipes say alike: where the weights come from, memory and time.
 */
#ifndef S2CLR_COMMANDS_PLAN_TEXT_H
#define S2CLR_COMMANDS_PLAN_TEXT_H

#include <stddef.h>
#include <stdio.h>

#include "file/model.h"
#include "train/adopt.h"
#include "train/machine.h"

/* "12 s", "34 min", "5.6 h" */
void s2clr_duration_text(double seconds, char *out, size_t size);

/* "0.3 GiB", "12 MiB" */
void s2clr_bytes_text(size_t bytes, char *out, size_t size);

/* "1024-512-128" */
void s2clr_widths_text(const int *width, int count, char *out, size_t size);

/* "goes on     from FILE: 60 of its tensors taken; new: fc.weight" */
void s2clr_parent_print(FILE *to, const s2clr_model *parent, const s2clr_adoption *adoption);

/* "on device   1.3 GiB of 78.9 GiB free"; nothing where the device has no memory of its own. note:
 * a line about that, "": there is none. */
void s2clr_cost_device(FILE *to, const s2clr_machine *on, size_t bytes, const char *note);

/* Two lines, "memory ..." and "time ...". step: seconds of one, measured, 0: there was not enough
 * memory for it, and `smaller` is the option that needs less. */
void s2clr_cost_print(FILE *to, size_t bytes, double step, double all, const char *without,
                      const char *smaller);

#endif
