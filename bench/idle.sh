#!/usr/bin/env bash
# What the programs of a deployment use while nobody asks anything of them, and under a small load: where the defaults of
# `resources` come from. Writes the table into bench/README.md.
#   bench/idle.sh [--seconds N] [--print]
# Needs a release build (build/release/bin), caddy and python3.
exec python3 "$(dirname "$0")/idle.py" "$@"
