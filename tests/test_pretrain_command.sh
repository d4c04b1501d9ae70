#!/bin/sh
# s2clr pretrain: from images and from a store to an encoder, the plan and its cost, a run that is
# killed and comes out the same, and what goes wrong.
rig=pretrain-command
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
wants gdal_create

# ---- patches: every one has its own colour, the classes differ a lot ----

patches_of Crop 24
patches_of Other 24
small='--width 4 --projection 16,8 --batch 8 --chunk 4 --micro 2 --augment jitter --rate 0.005
    --validation-share 0.2 --test-share 0 --neighbours 3'
pretrain() { "$S2CLR" pretrain "$@" $small; }

# ---- a plan ----

expect 'a dry run' 0 'batch norm sees the 8 views of a chunk' pretrain data -o none --dry-run
for word in 'labels not used' 'projection head of 16-8' 'memory ' ' GiB' 'time ' 'for a step on this machine' \
    'nearest neighbours among'; do
    run=$((run + 1))
    grep -F -e "$word" out >/dev/null || fail "a dry run says \"$word\""
done
expect 'a dry run as JSON' 0 '"seconds_per_step"' pretrain data -o none --dry-run --json
run=$((run + 1))
grep -E '"memory_bytes": *[1-9]' out >/dev/null || fail 'memory is a number'
true_that 'a dry run leaves nothing' test ! -e none

# ---- a run ----

expect 'pretrain' 0 'encoder ' pretrain data -o whole --epochs 6
for word in 'embeddings  std' 'neighbours agree'; do
    run=$((run + 1))
    grep -F -e "$word" out >/dev/null || fail "the result says \"$word\""
done
losses() { sed 's/.*"loss":\([0-9.e+-]*\),.*/\1/' "$1"; }
true_that 'six epochs are logged' test "$(wc -l <whole/log.jsonl)" -eq 6
true_that 'every epoch has its monitors' test \
    "$(grep -c '"spread":.*"alignment":.*"uniformity":.*"knn_accuracy":' whole/log.jsonl)" -eq 6
run=$((run + 1))
losses whole/log.jsonl | awk 'NR == 1 { first = $1 } END { exit !($1 < 0.9 * first) }' ||
    fail 'the loss falls'
expect 'the model is an encoder' 0 'contrastive pretraining without labels' "$S2CLR" info \
    whole/model.safetensors
expect 'a second run in the same folder' 1 'already holds a run' pretrain data -o whole --epochs 6
expect 'the result as JSON' 0 '"collapsed": false' pretrain data -o whole --epochs 6 --resume --json
expect 'another class for the probe' 0 'neighbours agree' pretrain data -o probe --epochs 1 \
    --probe Other
expect 'no probe' 0 'encoder ' pretrain data -o bare --epochs 1 --probe none
run=$((run + 1))
! grep knn bare/log.jsonl >/dev/null || fail 'without a probe there is none in the log'
expect 'one thread' 0 '' pretrain data -o one --epochs 6 --threads 1
true_that 'threads do not matter' cmp whole/checkpoint.safetensors one/checkpoint.safetensors

# ---- killed, and gone on with ----

killed=0
for epoch in 1 2 3; do
    # exec: what is killed is the program, not a shell that waits for it
    (exec "$S2CLR" pretrain data -o killed --epochs 6 --resume $small) >out 2>err &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        [ -e killed/log.jsonl ] && [ "$(wc -l <killed/log.jsonl)" -ge $epoch ] && break
        sleep 0.02
    done
    [ -e killed/model.safetensors ] && break
    kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
done
true_that 'the run could be killed' test $killed -ge 1
expect 'resume' 0 'encoder ' pretrain data -o killed --epochs 6 --resume
true_that 'the same weights' cmp whole/checkpoint.safetensors killed/checkpoint.safetensors
true_that 'the log is whole' test "$(losses killed/log.jsonl)" = "$(losses whole/log.jsonl)"
expect 'another temperature is another run' 1 'temperature' pretrain data -o killed --epochs 6 \
    --resume --temperature 0.5

# ---- what goes wrong ----

expect 'fewer patches than a batch' 2 'fewer than a batch of 64' "$S2CLR" pretrain data -o none \
    --batch 64 --dry-run
expect 'a batch of one' 2 'batch' "$S2CLR" pretrain data -o none --batch 1
expect 'a chunk that does not divide the batch' 2 '16 patches in chunks of 5' "$S2CLR" pretrain \
    data -o none --dry-run --batch 16 --chunk 5
expect 'widths that are none' 2 'projection' "$S2CLR" pretrain data -o none --projection 1024,x
expect 'an unknown augmentation' 2 'flop' "$S2CLR" pretrain data -o none --augment flop
expect 'an unknown optimiser' 2 'optimiser' pretrain data -o none --dry-run --optimiser best
expect 'second dates that are not there' 2 'one date of each place' pretrain data -o none --dry-run \
    --natural 0.5
expect 'an unknown class' 2 'Wheat' pretrain data -o none --probe Wheat
true_that 'nothing was made' test ! -e none

# ---- from a store ----

expect 'import' 0 '48 added' "$S2CLR" dataset import data a.store --positive Crop
expect 'split' 0 '' "$S2CLR" dataset split a.store --method random --seed 3
expect 'a run from a store' 0 'encoder ' "$S2CLR" pretrain a.store -o stored --width 4 \
    --projection 16,8 --batch 8 --micro 4 --epochs 2 --augment gain --neighbours 3
true_that 'its probe goes by the labels' grep '"knn_auc":[01]' stored/log.jsonl
expect 'import without labels' 0 '48 added' "$S2CLR" dataset import data b.store
expect 'patches without labels train' 0 'probe       none' "$S2CLR" pretrain b.store -o unlabelled \
    --width 4 --projection 16,8 --batch 8 --epochs 1 --augment jitter
true_that 'and make an encoder' test -s unlabelled/model.safetensors
expect 'the level of the store' 0 'trained' "$S2CLR" info stored/model.safetensors

finish
