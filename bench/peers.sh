#!/usr/bin/env bash
# Generation beside its peers on the same workload of 1, 100 and 1,000 services: `caisson generate` of a compose project
# and of a chart; `helm template`, which only renders that chart; kompose, which makes Kubernetes objects of a compose
# file; score-compose, which makes a compose file of Score files. Cold processes that write to the disk, in one run.
# Prints medians with the spread, peak memory, and how often Caisson's time fits. Needs hyperfine, jq, GNU time and Go.
#
#   bench/peers.sh [PROGRAM]        default: build/release/bin/caisson
set -euo pipefail
cd "$(dirname "$0")/.."
caisson=$(realpath "${1:-build/release/bin/caisson}")
helm=$(scripts/test-tools)/helm

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in github.com/kubernetes/kompose github.com/score-spec/score-compose/cmd/score-compose; do
  (cd bench/peers && CGO_ENABLED=0 go build -mod=mod -ldflags "-s -w" -o "$work/" "$program")
done

workload() { # SERVICES: the same services as a spec, as a compose file and as Score files
  local image=registry.example.com/app@sha256:7d1a0f5c8e0f4f4ec5a9b8f6e2c4d1b3a79685746352413f2e1d0c9b8a7f6e5d
  mkdir "$work/$1" "$work/$1/score"
  {
    # Without what the peers have no counterpart of.
    printf 'caisson: v1\nname: peers\nversion: 1.0.0\ntenants: []\nobservability: { prometheus: false, grafana: false }\nservices:\n'
    for ((i = 0; i < $1; i++)); do
      printf '  service-%04d:\n    image: %s\n    command: [serve, --number, "%d"]\n    port: %d\n' "$i" "$image" "$i" "$((20000 + i))"
      printf '    resources: { cpu: 250m..500m, memory: 64Mi..128Mi }\n'
      printf '    env: { LOG_LEVEL: info, NUMBER: "%d", UPSTREAM: "http://service-0000:20000" }\n' "$i"
    done
  } >"$work/$1/deployment.yaml"
  {
    printf 'services:\n'
    for ((i = 0; i < $1; i++)); do
      printf '  service-%04d:\n    image: %s\n    command: [serve, --number, "%d"]\n    ports: ["8080"]\n' "$i" "$image" "$i"
      printf '    deploy: { resources: { limits: { cpus: "0.5", memory: 128M }, reservations: { cpus: "0.25", memory: 64M } } }\n'
      printf '    environment: { LOG_LEVEL: info, NUMBER: "%d", UPSTREAM: "http://service-0000:8080" }\n' "$i"
    done
  } >"$work/$1/compose.yaml"
  for ((i = 0; i < $1; i++)); do
    {
      printf 'apiVersion: score.dev/v1b1\nmetadata: { name: service-%04d }\nservice: { ports: { http: { port: 8080 } } }\n' "$i"
      printf 'containers:\n  main:\n    image: %s\n    args: [serve, --number, "%d"]\n' "$image" "$i"
      printf '    resources: { limits: { cpu: 500m, memory: 128Mi }, requests: { cpu: 250m, memory: 64Mi } }\n'
      printf '    variables: { LOG_LEVEL: info, NUMBER: "%d", UPSTREAM: "http://service-0000:8080" }\n' "$i"
    } >"$work/$1/score/service-$(printf %04d "$i").yaml"
  done
}

measure() { # RUNS NAME PREPARE COMMAND: sets `median`, prints a line
  hyperfine --shell=bash --warmup 1 --runs "$1" --prepare "$3" --export-json "$work/result.json" "$4" --show-output >"$work/error" 2>&1 ||
    { tail -n 20 "$work/error" >&2; exit 1; }
  bash -c "$3" >/dev/null 2>&1
  env time -o "$work/peak" -f %M bash -c "exec $4" >/dev/null 2>&1
  local low high
  read -r median low high < <(jq -r '.results[0] | [.median, .min, .max] | map(. * 1000) | @tsv' "$work/result.json")
  printf '%-34s %10.1f %19s %8.1f' "$2" "$median" "$(printf '%.1f..%.1f' "$low" "$high")" \
    "$(jq -n "$(<"$work/peak") / 1024")"
}

beside() { # OURS: ends a line with how often ours fits into the time just measured
  printf ' %8.1fx\n' "$(jq -n "$median / $1")"
}

printf '%-34s %10s %19s %8s %9s\n' 'cold process' 'median ms' 'min..max ms' 'MiB' 'Caisson'
for services in 1 100 1000; do
  workload "$services"
  cd "$work/$services"
  runs=$((services == 1000 ? 5 : 10))
  measure "$runs" "$services: caisson, compose project" 'rm -rf out' "$caisson generate -q --no-strict --target compose --out out deployment.yaml" && echo
  compose=$median
  measure "$runs" "$services: score-compose" "rm -rf .score-compose && $work/score-compose init" \
    "$work/score-compose generate -o out-score.yaml score/*.yaml"
  beside "$compose"
  measure "$runs" "$services: caisson, chart" 'rm -rf chart' "$caisson generate -q --no-strict --target helm --out chart deployment.yaml" && echo
  chart=$median
  measure "$runs" "$services: helm template of it" true "$helm template release chart/helm/peers"
  beside "$chart"
  measure "$runs" "$services: kompose" 'rm -rf objects && mkdir objects' "$work/kompose convert --suppress-warnings -f compose.yaml -o objects"
  beside "$chart"
  cd - >/dev/null
done
