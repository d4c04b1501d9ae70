#!/bin/sh
# s2clr sweep: pairs of augmentations and settings of pretraining; budgets, interruptions, what comes
# out of the numbers.
rig=sweep-command
. "${srcdir:-.}/tests/rig.sh"
in_work_folder
wants gdal_create

patches_of Crop 20
patches_of Other 20
small='--width 4 --projection 8,4 --validation-share 0.4 --test-share 0 --neighbours 3 --epochs 2'
pairs() { "$S2CLR" sweep augment data $small --batch 8 --augment jitter,gain,band-gain,flip "$@"; }

# ---- pairs ----

expect 'a dry run' 0 '10 trials of 2 epochs' pairs -o none --dry-run
for word in '  gain' '  flip+gain' '  gain+jitter' '  jitter+band-gain'; do
    run=$((run + 1))
    grep -F -x -e "$word" out >/dev/null || fail "the plan has \"$word\""
done
true_that 'a dry run leaves nothing' test ! -e none
expect 'no budget for more than one' 0 '1 of 10' pairs -o some --budget 0.0001
true_that 'one result' test "$(grep -c '"name":' some/results.jsonl)" -eq 1
true_that 'a report of it' grep -F '1 of 10 trials are done' some/report.html
true_that 'no words yet' test ! -e some/augment.txt
expect 'the folder is taken' 1 'go on with --resume' pairs -o some
expect 'other settings' 1 'was begun with' pairs -o some --resume --rate 0.5
expect 'the rest' 0 '10 of 10' pairs -o some --resume
expect 'all at once' 0 '10 of 10' pairs -o all --threads 1
scores() { sed -n 's/.*"name":"\([^"]*\)","score":\([^,]*\),.*/\2 \1/p' "$1"; }
scores some/results.jsonl >some.txt
scores all/results.jsonl >all.txt
true_that 'ten scores' test "$(wc -l <all.txt)" -eq 10
true_that 'interruptions and threads do not matter' cmp some.txt all.txt
true_that 'weights are removed' test ! -e all/trials/003/model.safetensors
true_that 'logs stay' test "$(wc -l <all/trials/003/log.jsonl)" -eq 2

# A quarter of six pairs is one: the first that collapsed, else the first of the lowest scores.
worst=$(sed 's/\(.*"score":\)[^,]*\(,.*"collapsed":true.*\)/\1-1\2/' all/results.jsonl >marked.jsonl
    scores marked.jsonl | grep -F + | sort -s -g -k 1,1 | head -n 1 | cut -d ' ' -f 2)
true_that 'the worst pair is banned' test "$(cat all/augment.txt)" = \
    "2:flip,gain,jitter,band-gain/$worst"
true_that 'the page says it' grep -F "2:flip,gain,jitter,band-gain/$worst" all/report.html
run=$((run + 1))
! grep -F '>depth<' all/report.html >out || fail 'the page says nothing of a depth that there is not'
true_that 'the page has a heat map' grep -c 'id="pairs-t"' all/report.html
expect 'pretraining takes the words' 0 'encoder ' "$S2CLR" pretrain data $small --batch 8 -o encoder \
    --augment "$(cat all/augment.txt)"
expect 'nothing is left to do' 0 '10 of 10' pairs -o all --resume
expect 'as JSON' 0 '"done": 10' pairs -o all --resume --json

# ---- killed ----

(exec "$S2CLR" sweep augment data $small --batch 8 --augment jitter,gain,band-gain,flip -o killed) \
    >out 2>err &
pid=$!
while kill -0 $pid 2>/dev/null; do
    [ -e killed/results.jsonl ] && [ "$(wc -l <killed/results.jsonl)" -ge 4 ] && break
    sleep 0.02
done
true_that 'the sweep could be killed' kill -9 $pid
wait $pid 2>/dev/null
expect 'resume' 0 '10 of 10' pairs -o killed --resume
scores killed/results.jsonl >killed.txt
true_that 'the same scores' cmp killed.txt all.txt

# ---- settings ----

settings() { "$S2CLR" sweep settings data $small --augment jitter "$@"; }
expect 'a grid' 0 '8 of 8' settings -o grid --optimisers adamw,sgd --rates 0.001,0.01 \
    --temperatures 0.5 --batches 4,8
true_that 'its first trial' grep -F '"name":"adamw, rate 0.001, temperature 0.5, batch 4"' \
    grid/results.jsonl
true_that 'two epochs of a curve' grep -E '"curve":\[\[[0-9.]+,[0-9.]+\],\[[0-9.]+,[0-9.]+\]\]' \
    grid/results.jsonl
true_that 'eight curves of loss and eight of score' test \
    "$(grep -c '<path .* d="M[0-9.]* [0-9.]*L' grid/report.html)" -eq 16
expect 'a trial that diverges does not end it' 0 '2 of 2' settings -o wild --arch pixel \
    --optimisers sgd --rates 100,0.001 --temperatures 0.0001 --batches 4
true_that 'it is noted' grep 'diverged' wild/report.html

# ---- what goes wrong ----

expect 'one augmentation' 2 'at least two' "$S2CLR" sweep augment data -o none --augment flip
expect 'no number' 2 'rates' settings -o none --rates 0.1,x
expect 'an empty list' 2 'batches' settings -o none --batches ,
expect 'an unknown optimiser' 2 'best' settings -o none --optimisers best
rm -r data/Other
expect 'one class' 2 'two kinds of labels' pairs -o none
true_that 'nothing was made' test ! -e none
printf 'no json\n' >all/results.jsonl
patches_of Other 20
expect 'results that are none' 1 'line 1' pairs -o all --resume

finish
