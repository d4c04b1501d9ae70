/*
 * The options that say how an input is opened, shared by predict, info and bench, and their way
 * into s2clr_stack_options; and how an opened input is told to people and programs.
 */
#ifndef S2CLR_COMMANDS_STACK_ROWS_H
#define S2CLR_COMMANDS_STACK_ROWS_H

#include <jansson.h>
#include <stdio.h>

#include "commands/params.h"
#include "sentinel2/stack.h"

#define S2CLR_ROW_MODEL                                                                            \
    {                                                                                              \
        "model", "m", S2CLR_TYPE_MODEL,                                                            \
            .meta = "FILE", .group = "Input",                                                      \
            .help = "Model file, or the name of a model in the zoo; without it, the default one."  \
    }

#define S2CLR_ROW_PRECISION(part)                                                                  \
    {                                                                                              \
        "precision", NULL, S2CLR_TYPE_CHOICE,                                                      \
            .standard = "f32", .choices = "f32,bf16,tf32,fp16", .advanced = true, .group = part,   \
            .help = "Of the network's arithmetic. bf16 needs a CPU with AVX-512 or a CUDA "        \
                    "device, and results differ from the second or third digit on; tf32 and "      \
                    "fp16 (from the third or fourth) need a CUDA device."                          \
    }

#define S2CLR_ROWS_STACK                                                                           \
    {"level",                                                                                      \
     NULL,                                                                                         \
     S2CLR_TYPE_TEXT,                                                                              \
     .meta = "NAME",                                                                               \
     .advanced = true,                                                                             \
     .label = "Processing level",                                                                  \
     .group = "Input",                                                                             \
     .help = "Processing level of the input, one of the model's (\"s2clr info MODEL\" lists "      \
             "them); without it, found out from the product."},                                    \
        {"boa-offset",                                                                             \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "DN",                                                                             \
         .standard = "auto",                                                                       \
         .advanced = true,                                                                         \
         .label = "Offset of the DN",                                                              \
         .group = "Input",                                                                         \
         .help = "Offset added to the DN of every band: auto takes it from the product's XML "     \
                 "(-1000 from processing baseline 04.00 on), a number replaces it."},              \
        {"input-bands",                                                                            \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "LIST",                                                                           \
         .advanced = true,                                                                         \
         .label = "Bands of the input",                                                            \
         .group = "Input",                                                                         \
         .help = "Binds raster bands by number, in the model's order (\"3,2,1\") or by name "      \
                 "(\"B04=3,B03=2,B02=1\"); without it, bands are found by their names."},          \
    {                                                                                              \
        "scl", NULL, S2CLR_TYPE_TEXT,                                                              \
            .meta = "FILE", .standard = "none", .label = "Cloud mask (scene classification)",      \
            .takes = "list,file", .words = "auto,none", .group = "Input",                          \
            .help =                                                                                \
                "Scene classification that makes pixels invalid (classes 0, 1, 3, 8, 9, 10): a "   \
                "raster file, auto for the product's own where there is one, or none."             \
    }

/* What the rows above were given; everything is borrowed from args. */
s2clr_stack_options s2clr_stack_options_of(const s2clr_args *args);

json_t *s2clr_stack_json(const s2clr_stack_info *info);
void s2clr_stack_print(FILE *to, const s2clr_stack_info *info);

/* The input's warnings to standard error. */
void s2clr_stack_warn(const s2clr_args *args, const s2clr_stack_info *info);

#endif
