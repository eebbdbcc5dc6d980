#!/usr/bin/env bash
# What somebody waits for who edits a spec with 10,000 tenants: `caisson lsp` beside yaml-language-server with the JSON Schema of
# `caisson schema`, which checks less. Prints the median, the 95th percentile and the spread.
#
#   bench/editor.sh [PROGRAM]        default: build/release/bin/caisson
set -euo pipefail
cd "$(dirname "$0")/.."
caisson=$(realpath "${1:-build/release/bin/caisson}")
export NODE_PATH
NODE_PATH=$(scripts/test-tools)/../npm-lsp-client/node_modules

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$work" yaml-language-server@1.15.0
"$caisson" schema >"$work/schema.json"
{
  printf 'caisson: v1\nname: big\nversion: 1.0.0\n'
  printf 'tiers: { free: { isolation: schema, limits: { requests: 50/s } } }\ntenants:\n'
  for ((i = 0; i < 10000; i++)); do printf '  - { slug: tenant-%05d, name: Tenant %d, tier: free }\n' "$i" "$i"; done
} >"$work/deployment.yaml"
settings="{\"yaml\": {\"validate\": true, \"completion\": true, \"schemaStore\": {\"enable\": false}, \"schemas\": {\"file://$work/schema.json\": \"/*.yaml\"}}}"

printf '%-46s %10s %8s %19s\n' '10,000 tenants' 'median ms' 'p95 ms' 'min..max ms'
node bench/editor.cjs "$work/deployment.yaml" 20 'caisson lsp' '{}' "$caisson" lsp --no-strict
node bench/editor.cjs "$work/deployment.yaml" 20 'yaml-language-server' "$settings" "$work/node_modules/.bin/yaml-language-server" --stdio
