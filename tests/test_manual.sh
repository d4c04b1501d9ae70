#!/bin/sh
# The manual pages: clean for mandoc and for man-db's groff, a page for every command, the sections
# that each should have, every cross-reference answered and returned.
rig=manual
. "${srcdir:-.}/tests/rig.sh"
wants mandoc
in_work_folder

# ---- the pages, as make builds them ----

mkdir pages
for source in "$top"/man/*.1.in; do
    page=$(basename "$source" .in)
    : >options
    if grep '^@OPTIONS@$' "$source" >/dev/null; then
        # shellcheck disable=SC2046 # a command of two words
        expect "options for $page" 0 '.It' \
            "$S2CLR" describe --man $(echo "$page" | sed 's/^s2clr-//; s/\.1$//; s/-/ /g')
        cp out options
    fi
    awk '$0 != "@OPTIONS@" { print; next } { while ((getline line < "options") > 0) print line }' \
        "$source" >"pages/$page"
done
cp "$top"/man/*.[157] pages/
"$S2CLR" describe | cut -f 1 | sort -u | tr ' ' - >names
true_that 'commands have names' test -s names
while read -r page; do
    true_that "there is a page for $page" grep -F '.Ss ' "pages/s2clr-$page.1"
done <names

# ---- clean ----

for page in pages/*; do
    run=$((run + 1))
    # Among the pages, so that it finds what they refer to.
    (cd pages && mandoc -T lint "${page#pages/}" 2>&1) | grep -v 'mandoc.db' >out
    : >err
    [ ! -s out ] || fail "mandoc -T lint $page"
done
if command -v groff >/dev/null; then
    for page in pages/*; do
        run=$((run + 1))
        groff -mandoc -Tutf8 -ww -rLL=78n "$page" >text 2>err
        : >out
        [ ! -s err ] || fail "groff $page"
        [ -s text ] || fail "groff $page says nothing"
    done
else
    skip 'groff' 'it is not installed'
fi
if man --version 2>/dev/null | grep -q '^man 2'; then
    true_that 'man -l is silent on standard error' sh -c \
        'for page in pages/*; do MANWIDTH=80 man --warnings -l "$page" >/dev/null || exit 1; done 2>said
        [ ! -s said ]'
else
    skip 'man -l' 'man-db is not installed'
fi

# ---- complete ----

section() { # section PAGE NAME: its text
    awk -v name="$2" '/^\.Sh/ { within = ($0 == ".Sh " name); next } within' "$1"
}
for page in pages/*.1; do
    command=$(basename "$page" .1)
    wanted='DESCRIPTION EXAMPLES'
    if grep -q -x "${command#s2clr-}" names; then wanted="$wanted OPTIONS"; fi
    for name in $wanted; do
        section "$page" "$name" >text
        true_that "$command has $name" test -s text
    done
    section "$page" 'EXIT STATUS' >text
    case $command in
    s2clr-dataset | s2clr-sweep) ;; # their commands have pages of their own
    *) for code in 0 1 2; do true_that "$command says exit status $code" grep -q "^\.It $code" text; done ;;
    esac
    section "$page" 'SEE ALSO' >text
    true_that "$command has SEE ALSO" test -s text
done
"$S2CLR" --help | sed -n '/^Exit status/,/^$/s/^  \([0-9]*\) *\(.*\)$/\1 \2/p' >codes
true_that 'the help has exit codes' test "$(grep -c . codes)" -ge 5
section pages/s2clr.1 'EXIT STATUS' | awk '/^\.It/ { code = $2; next } /^\./ { code = "" }
    code != "" { print code, $0; code = "" }' >told
true_that 's2clr(1) tells the same exit codes' cmp codes told
while read -r page; do
    first=$(echo "$page" | sed 's/-.*//')
    true_that "s2clr(1) lists $page" grep -q -E "^\.It Xr s2clr-($page|$first) 1" pages/s2clr.1
done <names

# ---- the lists of s2clr-results(7) are those of the draws that were kept ----

if command -v python3 >/dev/null; then
    experiments=$top/tests/experiments
    for record in label_efficiency.csv label_efficiency_24.csv; do
        python3 "$experiments/label_efficiency.py" mdoc "$experiments/$record"
    done >kept
    awk '/^\.\\" crop/ {lists = 1} /^\.Sh/ {lists = 0} lists' pages/s2clr-results.7 >shown
    true_that 's2clr-results(7) shows the draws that were kept' cmp kept shown
else
    skip 'the lists of s2clr-results(7)' 'python3 is not there'
fi

# ---- cross-references ----

for page in pages/*; do
    sed -n 's/^\.\(It \)\{0,1\}Xr \(s2clr[a-z0-9-]*\) \([0-9]\).*/\2.\3/p' "$page" | sort -u >refs
    while read -r ref; do
        true_that "$page names $ref, which there is" test -s "pages/$ref"
    done <refs
done
# s2clr(1) lists everything; the design tells why, not how.
for page in pages/*; do
    own=$(basename "$page")
    section "$page" 'SEE ALSO' | sed -n 's/^\.Xr \(s2clr[a-z0-9-]*\) \([0-9]\).*/\1.\2/p' >refs
    grep -v -x -e 's2clr.1' -e 's2clr-design.7' refs >checked
    true_that "$own is not in its own SEE ALSO" sh -c "! grep -x '$own' refs"
    case $own in s2clr.1 | s2clr-design.7) continue ;; esac
    while read -r ref; do
        section "pages/$ref" 'SEE ALSO' >back
        true_that "SEE ALSO of $own names $ref, and that one names it" \
            grep -q "^\.Xr ${own%.*} ${own##*.}\( \|\$\)" back
    done <checked
done

finish
