#!/usr/bin/env bash
# Measures caisson-runtime beside nginx and writes the table into bench/README.md.
#   bench/runtime.sh [--rounds N] [--print] [NAME...]      NAME: trivial, read, writes, memory, start, many
# Needs a release build (build/release/bin/caisson-runtime), nginx, wrk and python3; two cores or more.
exec python3 "$(dirname "$0")/runtime.py" "$@"
