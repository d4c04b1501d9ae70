#!/bin/sh
# Every example of man section 1 and of the tables of the commands runs as it stands there.
rig=examples_commands
. "${srcdir:-.}/tests/examples.sh"
run_examples commands
