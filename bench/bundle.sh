#!/usr/bin/env bash
# Makes a bundle with 600 MB of assets at level 3, in turns with `zstd -3 -T2` over the same bytes: medians of ROUNDS.
#
#   bench/bundle.sh [PROGRAM]        default: build/release/bin/caisson; needs caisson-runtime and caisson-install beside it
set -euo pipefail
cd "$(dirname "$0")/.."
caisson=$(realpath "${1:-build/release/bin/caisson}")
programs=$(dirname "$caisson")
rounds=${ROUNDS:-5}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# What products are made of: a third programs, a third texts, and a third that does not become smaller.
third=200000000
fill() { # FILES...: one after the other until there is enough
  local size=0 file
  while ((size < third)); do
    for file in "$@"; do
      ((size < third)) || break
      head -c $((third - size)) "$file"
      size=$((size + $(stat -c %s "$file")))
    done
  done | head -c "$third"
}
mkdir "$place/assets"
set +o pipefail
fill "$programs"/caisson* >"$place/assets/programs"
fill specs/*.json specs/*.md docs/*.md generator/*/*.cc runtime/*/*.cc >"$place/assets/texts"
openssl enc -aes-128-ctr -nosalt -K 00000000000000000000000000000000 -iv 00000000000000000000000000000000 </dev/zero 2>/dev/null |
  head -c "$third" >"$place/assets/noise"
set -o pipefail
cat >"$place/deployment.yaml" <<'SPEC'
caisson: v1
name: shop
version: 1.0.0
tenants: []
targets: { bundle: { for: [helm], level: 3 } }
assets: [{ path: assets/programs }, { path: assets/texts }, { path: assets/noise }]
SPEC
export SOURCE_DATE_EPOCH=1735689600

took() { # COMMAND...: seconds
  local from to
  from=$(date +%s%N)
  "$@" >/dev/null 2>&1
  to=$(date +%s%N)
  echo $(((to - from) / 1000000))
}
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)], all[1], all[NR] }'; }
ours=() theirs=()
for ((round = 0; round < rounds; round++)); do
  rm -rf "$place/bundle" "$place/peer"
  mkdir "$place/peer"
  theirs+=("$(took zstd -3 -T2 -q --output-dir-flat "$place/peer" "$place"/assets/*)")
  ours+=("$(took "$caisson" bundle create "$place/deployment.yaml" --no-strict --threads 2 \
    --out "$place/bundle")")
done
read -r our low high < <(printf '%s\n' "${ours[@]}" | median)
read -r their their_low their_high < <(printf '%s\n' "${theirs[@]}" | median)
printf '| what | median | spread |\n|---|---|---|\n'
# shellcheck disable=SC2016 # code in Markdown, no expansions
printf '| `caisson bundle create`, 600 MB of assets, level 3 | %s ms | %s to %s |\n' "$our" "$low" "$high"
# shellcheck disable=SC2016
printf '| `zstd -3 -T2` of the same | %s ms | %s to %s |\n' "$their" "$their_low" "$their_high"
awk -v a="$our" -v b="$their" 'BEGIN { printf "| ratio, target <= 1.3 x | %.2f x | |\n", a / b }'
