#!/usr/bin/env bash
# Measures what greedy tenants cost a quiet one, and what creating a tenant costs; writes the table into bench/README.md.
#   bench/fairness.sh [--seconds N] [--greedy N] [--creates N] [--runtime PROGRAM] [--print]
# Needs a release build (build/release/bin/caisson-runtime) and python3; two cores or more.
exec python3 "$(dirname "$0")/fairness.py" "$@"
