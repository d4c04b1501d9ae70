#!/bin/sh
# Adds up the logs of `make check` in a build folder: summary.sh [BUILD]
#
# Prints what failed, with what its log says of it, and what was skipped and why, then exactly
# "N passed, N failed, N skipped" (cases over all programs) as the last line. A program that ended
# without its closing line counts as one failed case. Exit code: 1 when anything failed or nothing
# ran.
build=${1:-.}

# cases WORD SHOWN: the log's lines "WORD case: reason", without make's own at the end
cases() {
    grep -a "^$1 " "$log" | grep -v '(exit status: [0-9]*)$' | sed "s/^$1 /$2 $name: /"
}

# The log around what a case, a sanitizer or make says of failing, or else its end.
told() {
    { grep -a -B 2 -A 10 -E '^FAIL |ERROR: |runtime error: ' "$log" || tail -n 20 "$log"; } |
        head -n 40 | cut -c 1-300 | sed 's/^/    /'
}

# ended WHAT: the program failed apart from its cases
ended() {
    echo "failed $name: $1, see $log"
    told
    failed=$((failed + 1))
}

passed=0 failed=0 skipped=0
for trs in "$build"/tests/*.trs; do
    [ -f "$trs" ] || continue
    log=${trs%.trs}.log
    name=$(basename "$log" .log)
    result=$(sed -n 's/^:test-result: //p' "$trs" | head -n 1)
    counts=$(sed -n \
        's/^.*: \([0-9]*\) run, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
    cases SKIP skipped
    if [ -z "$counts" ]; then
        case $result in
        SKIP) skipped=$((skipped + 1)); echo "skipped $name: $(tail -n 1 "$log")" ;;
        *) ended 'ended early' ;;
        esac
        continue
    fi
    set -- $counts
    # The harness may also fail after its last case (a leak, a sanitizer report).
    if [ "$2" -eq 0 ] && [ "$result" != PASS ] && [ "$result" != SKIP ]; then
        ended 'all cases passed, but the program did not end well'
        passed=$((passed + $1)); skipped=$((skipped + $3))
        continue
    fi
    if [ "$2" -gt 0 ]; then
        cases FAIL failed
        told
    fi
    passed=$((passed + $1 - $2)); failed=$((failed + $2)); skipped=$((skipped + $3))
done

[ $((passed + failed)) -gt 0 ] || { echo "failed: no test ran in $build"; failed=1; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
