#!/bin/sh
# Every example of the README runs as it stands there.
rig=examples_readme
. "${srcdir:-.}/tests/examples.sh"
run_examples readme
