/*
 * The curves of a training run as one SVG: a panel for each number of its log that is worth seeing.
 *
 *     S2CLR_TRY(s2clr_curves_write("run/log.jsonl", "run/curves.svg", "s2clr finetune"));
 */
#ifndef S2CLR_REPORT_CURVES_H
#define S2CLR_REPORT_CURVES_H

#include "base/status.h"

/* log: one JSON object per line and epoch (s2clr-pretrain(1)). The table in curves.c says which
 * entries have a panel; those that are nowhere a number have none. The file is replaced at once,
 * and not made at all from a log without lines. A last line without its end is left out: it is
 * being written. */
s2clr_status s2clr_curves_write(const char *log, const char *path, const char *title);

#endif
