#!/usr/bin/env bash
# Cold processes of the generator: validate, plan and generate of the quickstart example and of a spec with
# 10,000 tenants, beside the price of spawning `true`. Prints medians with the spread, the ratio to `true`,
# and peak memory. Needs hyperfine, jq and GNU time.
#
#   bench/generate.sh [PROGRAM]        default: build/release/bin/caisson
set -euo pipefail
cd "$(dirname "$0")/.."
caisson=$(realpath "${1:-build/release/bin/caisson}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp examples/quickstart/deployment.yaml "$work/quickstart.yaml"
{
  printf 'caisson: v1\nname: big\nversion: 1.0.0\n'
  printf 'tiers: { free: { isolation: schema, limits: { requests: 50/s } } }\ntenants:\n'
  for ((i = 0; i < 10000; i++)); do printf '  - { slug: tenant-%05d, name: Tenant %d, tier: free }\n' "$i" "$i"; done
} >"$work/big.yaml"
cd "$work"

names=(true)
commands=(true)
add() {
  names+=("$1")
  commands+=("$caisson $2")
}
add 'version' '--version'
for spec in quickstart big; do
  add "validate $spec" "validate -q $spec.yaml"
  add "plan $spec" "plan -q $spec.yaml --json"
  add "generate $spec, fresh" "generate -q $spec.yaml --out $spec.out"
  add "generate $spec, unchanged" "generate -q $spec.yaml --out $spec.out"
  add "generate $spec --check" "generate -q $spec.yaml --out $spec.out --check"
done

printf '%-28s %10s %19s %9s %8s\n' 'cold process' 'median ms' 'min..max ms' 'x true' 'MiB'
for i in "${!names[@]}"; do
  prepare=true
  [[ ${names[i]} == *fresh ]] && prepare="rm -rf ${names[i]#generate }.out" && prepare=${prepare/, fresh/}
  hyperfine -N --warmup 3 --runs 20 --prepare "$prepare" --export-json result.json "${commands[i]}" >/dev/null 2>&1
  # shellcheck disable=SC2086 # a command and its words
  env time -o peak -f %M ${commands[i]} >/dev/null 2>&1
  read -r median low high < <(jq -r '.results[0] | [.median, .min, .max] | map(. * 1000) | @tsv' result.json)
  [[ ${names[i]} == true ]] && floor=$median
  printf '%-28s %10.1f %19s %9.1f %8.1f\n' "${names[i]}" "$median" "$(printf '%.1f..%.1f' "$low" "$high")" \
    "$(jq -n "$median / $floor")" "$(jq -n "$(<peak) / 1024")"
done
