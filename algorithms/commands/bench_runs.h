/*
 * What `s2clr bench` measures: networks in bench_network.c, inputs in bench_input.c.
 */
#ifndef S2CLR_COMMANDS_BENCH_RUNS_H
#define S2CLR_COMMANDS_BENCH_RUNS_H

#include "commands/params.h"

#define S2CLR_BENCH_RATES 3
#define S2CLR_BENCH_WINDOWS 1000

typedef struct s2clr_rate {
    const char *name, *unit;
    double minimum, median, maximum;
    int windows;
} s2clr_rate;

typedef struct s2clr_bench {
    int rates, threads;
    s2clr_rate rate[S2CLR_BENCH_RATES];
    char device[300];
    char note[300]; /* a line of text with its newline, or "" */
} s2clr_bench;

/* Adds a rate from the rates of `windows` windows, which are sorted in place. */
void s2clr_bench_add(s2clr_bench *bench, const char *name, const char *unit, double *rates,
                     int windows);

s2clr_status s2clr_bench_infer(const s2clr_args *args, s2clr_bench *bench);
s2clr_status s2clr_bench_train(const s2clr_args *args, s2clr_bench *bench);
s2clr_status s2clr_bench_read(const s2clr_args *args, s2clr_bench *bench);
s2clr_status s2clr_bench_scene(const s2clr_args *args, s2clr_bench *bench);

#endif
