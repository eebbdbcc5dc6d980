#!/bin/sh
# Starts what watches devtools, until it is interrupted.
set -eu
cd "$(dirname "$0")"
pids=
trap 'kill $pids' INT TERM EXIT
alertmanager --config.file=alertmanager.yaml --web.listen-address=127.0.0.1:18090 --storage.path=../data/alertmanager --cluster.listen-address= &
pids="$pids $!"
blackbox_exporter --config.file=blackbox.yaml --web.listen-address=127.0.0.1:18091 &
pids="$pids $!"
prometheus --config.file=prometheus.yaml --web.listen-address=127.0.0.1:18089 --storage.tsdb.path=../data/prometheus --storage.tsdb.retention.time=1296000s --storage.tsdb.retention.size=9663676416B &
pids="$pids $!"
wait
