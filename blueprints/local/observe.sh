#!/bin/sh
# Starts what watches {{name}}, until it is interrupted.
set -eu
cd "$(dirname "$0")"
pids=
trap 'kill $pids' INT TERM EXIT
{{#observers}}
{{{command}}} &
pids="$pids $!"
{{/observers}}
wait
