#!/usr/bin/env bash
# Measures what verifying a bundle takes, warm, beside the stock tools that do the same work.
#   bench/verify.sh [MEGABYTES] [ROUNDS]      500 MB stored and 5 rounds unless told
# PLACE=DIR keeps the bundle there, for the next run.
# Needs a release build of caisson-install and bundle_sample, zstd, openssl and python3; prints a table.
set -euo pipefail
cd "$(dirname "$0")/.."
megabytes=${1:-500}
rounds=${2:-5}
bin=build/release/bin
place=${PLACE:-}
if [ -z "$place" ]; then
  place=$(mktemp -d)
  trap 'rm -rf "$place"' EXIT
fi

[ -d "$place/bundle" ] || "$bin/bundle_sample" "$place/bundle" "$megabytes" >"$place/root"
root=$(cat "$place/root")
mapfile -t chunks < <(sed -n 's/^chunk \([0-9a-f]*\) .*/\1/p' "$place/bundle/MANIFEST")
mapfile -t layers < <(sed -n 's/^layer \([0-9a-f]*\) .*/\1/p' "$place/bundle/MANIFEST")

sums() { "$bin/caisson-install" verify "$place/bundle" --expect-root "$root" --sums >/dev/null; }
all() { "$bin/caisson-install" verify "$place/bundle" --expect-root "$root" >/dev/null; }
stock() {
  (
    cd "$place/bundle/blobs/sha256"
    zstd -dcq "${chunks[@]}" | openssl dgst -sha256
    openssl dgst -sha256 "${layers[@]}"
  ) >/dev/null
}
hashes() { (cd "$place/bundle/blobs/sha256" && openssl dgst -sha256 ./*) >/dev/null; }

# Seconds of each run, sorted.
measure() {
  for _ in $(seq "$rounds"); do
    local begin end
    begin=$(date +%s%N)
    "$1"
    end=$(date +%s%N)
    printf '%d\n' $(((end - begin) / 1000000))
  done | sort -n | tr '\n' ' '
}

cat "$place"/bundle/blobs/sha256/* >/dev/null
printf '%s MB stored, %d chunks, %d layers, %d rounds, milliseconds\n' "$megabytes" "${#chunks[@]}" "${#layers[@]}" "$rounds"
printf '%-52s %s\n' 'caisson-install verify --sums' "$(measure sums)"
printf '%-52s %s\n' 'openssl dgst -sha256 of all blobs' "$(measure hashes)"
printf '%-52s %s\n' 'caisson-install verify' "$(measure all)"
printf '%-52s %s\n' 'zstd -dc | openssl dgst, and of the layers' "$(measure stock)"
"$bin/caisson-install" verify "$place/bundle" --expect-root "$root"
python3 - "$bin/caisson-install" verify "$place/bundle" --expect-root "$root" <<'END'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print("resident at the most:", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "KiB")
END
