/* The commands, one file each; command_list.c is their table. */
#ifndef S2CLR_COMMANDS_CMD_LIST_H
#define S2CLR_COMMANDS_CMD_LIST_H

#include "commands/params.h"

extern const s2clr_command s2clr_cmd_predict, s2clr_cmd_info, s2clr_cmd_supervised, s2clr_cmd_topk,
    s2clr_cmd_pretrain, s2clr_cmd_finetune, s2clr_cmd_distill, s2clr_cmd_evaluate,
    s2clr_cmd_calibrate, s2clr_cmd_model, s2clr_cmd_bench, s2clr_cmd_describe, s2clr_cmd_completion,
    s2clr_cmd_vrt, s2clr_cmd_embed, s2clr_cmd_merge, s2clr_cmd_dataset_create,
    s2clr_cmd_dataset_import, s2clr_cmd_dataset_info, s2clr_cmd_dataset_stats,
    s2clr_cmd_dataset_split, s2clr_cmd_dataset_export, s2clr_cmd_dataset_verify,
    s2clr_cmd_sweep_augment, s2clr_cmd_sweep_settings, s2clr_cmd_tsne, s2clr_cmd_area;

#endif
