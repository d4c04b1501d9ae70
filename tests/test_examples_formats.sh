#!/bin/sh
# Every example of man sections 5 and 7 runs as it stands there.
rig=examples_formats
. "${srcdir:-.}/tests/examples.sh"
run_examples formats
