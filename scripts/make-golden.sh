#!/usr/bin/env bash
# Makes the golden repository: a small repository of this format version, kept for ever as fixtures/golden/format-N, which every later
# Almanac must open, read and give the recorded roots of (Tests/AlmanacTests/GoldenTests.swift).
# Usage: scripts/make-golden.sh PATH-OF-ALMANAC [FOLDER]
# Run it when the format is settled, never to make a failing test pass: an older repository cannot be made again.
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/make-golden.sh PATH-OF-ALMANAC [FOLDER]}")
folder=$(realpath -m "${2:-fixtures/golden/format-1}")
[ ! -e "$folder" ] || {
  echo "make-golden: $folder is there already; remove it by hand if it really is to be made anew" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ALMANAC_AUTHOR=golden

"$almanac" init "$work/r" >/dev/null
cd "$work/r"

# Every type of a dataset, small leaves, partitions before and after 1970.
contract() { # NAME SETTINGS COLUMNS...
  local name=$1 settings=$2
  shift 2
  printf 'apiVersion: v3.1.0\nkind: DataContract\nschema:\n- name: %s\n  properties:\n' "$name"
  printf '  - {%s}\n' "$@"
  printf 'customProperties:\n- {property: almanac, value: {%s}}\n' "$settings"
}
key=('name: id, physicalType: int32, primaryKey: true, primaryKeyPosition: 1'
  "name: at, physicalType: 'timestamp[us,UTC]', primaryKey: true, primaryKeyPosition: 2"
  'name: tag, physicalType: utf8, primaryKey: true, primaryKeyPosition: 3')
rest=('name: f32, physicalType: float32' 'name: f64, physicalType: float64' 'name: flag, physicalType: bool'
  'name: raw, physicalType: binary' 'name: day, physicalType: date' "name: price, physicalType: 'decimal(12,2)'")
contract wide 'eventTime: at, partition: month, leafRows: 16' "${key[@]}" 'name: small, physicalType: int8' \
  'name: gone, physicalType: utf8' "${rest[@]}" >schemas/wide.yaml
contract events 'kind: log, eventTime: at' "name: at, physicalType: 'timestamp[us,UTC]', required: true" \
  'name: what, physicalType: utf8' >schemas/events.yaml
cat >features/f.yaml <<'YAML'
entities:
- {name: thing, keys: [{name: id, type: int32}]}
feature_views:
- name: recent
  entity: thing
  source: wide
  ttl: 90d
  features:
  - {name: last_f64, expr: f64}
  - {name: flags_30d, agg: count, of: flag, window: 30d}
feature_services:
- {name: s, features: ["recent:*"]}
YAML
"$almanac" apply >/dev/null

# rows FROM TO [COLUMNS-OF-THE-SECOND-CONTRACT]: JSON Lines, the same on every machine.
rows() {
  awk -v from="$1" -v to="$2" -v second="${3:-}" 'BEGIN {
    for (n = from; n <= to; n++) {
      month = n % 3 + 1; day = n % 28 + 1; year = n % 5 == 0 ? 1969 : 2026
      at = sprintf("%04d-%02d-%02dT%02d:00:00.%06dZ", year, month, day, n % 24, n)
      printf "{\"id\":%d,\"at\":\"%s\",\"tag\":\"%s\"", (n * 7919) % 101 - 50, at, n % 4 == 0 ? "" : "t" n
      if (second) printf ",\"size\":%s,\"more\":%s", n % 6 == 0 ? "null" : n * 1000, n % 2 ? "\"ž" n "\"" : "null"
      else printf ",\"small\":%s,\"gone\":\"g%d\"", n % 6 == 0 ? "null" : n % 128, n
      printf ",\"f32\":%s", n % 7 == 0 ? "\"NaN\"" : n / 4
      printf ",\"f64\":%s", n % 9 == 0 ? "null" : n % 9 == 1 ? "-0.0" : n % 9 == 2 ? "\"-Infinity\"" : n * 1e17
      printf ",\"flag\":%s,\"raw\":\"%s\"", n % 3 == 0 ? "null" : n % 3 == 1 ? "true" : "false", n % 2 ? "AAD/" : ""
      printf ",\"day\":\"%04d-%02d-%02d\",\"price\":\"%d.%02d\"}\n", year, month, day, n - 40, n % 100
    }
  }'
}
rows 1 90 >"$work/1.jsonl"
"$almanac" commit wide="$work/1.jsonl" -m "first rows" >/dev/null
printf 'at,what\n2026-01-01T00:00:00Z,start\n2026-01-01T00:00:00Z,start\n2025-12-31T00:00:00Z,\n' >"$work/e.csv"
"$almanac" commit events="$work/e.csv" -m "a log" >/dev/null
"$almanac" tag v1 >/dev/null
rows 70 110 | sed 's/"flag":null/"flag":true/' >"$work/2.jsonl"
"$almanac" commit wide="$work/2.jsonl" -m "changes and more rows" --mode upsert --input v1 --producer golden.sh --parameter step=2 >/dev/null
rows 1 20 >"$work/3.jsonl"
"$almanac" commit wide="$work/3.jsonl" -m "fewer rows" --mode delete >/dev/null
"$almanac" tag v2 >/dev/null

# Columns added, dropped, renamed and widened, and rows under the new contract.
contract wide 'eventTime: at, partition: month, leafRows: 16' "${key[@]}" \
  'name: size, physicalType: int32, customProperties: [{property: almanac, value: {previousName: small}}]' \
  'name: more, physicalType: utf8' "${rest[@]}" >schemas/wide.yaml
"$almanac" apply >/dev/null
"$almanac" tag v3 >/dev/null
"$almanac" branch side >/dev/null
rows 96 120 second >"$work/4.jsonl"
"$almanac" commit events="$work/e.csv" -m "beside" --branch side >/dev/null
"$almanac" commit wide="$work/4.jsonl" -m "the new columns" --mode upsert >/dev/null
printf 'id,event_timestamp\n5,2026-03-28T00:00:00Z\n-12,2026-02-20T00:00:00Z\n5,2026-03-28T00:00:00Z\n' >"$work/labels.csv"
"$almanac" train s --labels "$work/labels.csv" --out "$work/t.csv" --save training >/dev/null
"$almanac" commit wide="$work/4.jsonl" -m "everything anew" --mode replace >/dev/null
"$almanac" seal >/dev/null
"$almanac" tag v4 >/dev/null

# What every later version must find: roots and rows at each tag and branch.
mkdir "$work/r/expected"
for ref in v1 v2 v3 v4 main side; do
  mkdir "$work/r/expected/$ref"
  "$almanac" show "$ref" --json >"$work/r/expected/$ref/show.json"
  for dataset in wide events training; do
    "$almanac" checkout "$ref" "$dataset" --out "$work/r/expected/$ref/$dataset.csv" >/dev/null 2>&1 || true
  done
done
# The catalog alone, without its write-ahead log, and nothing of this machine.
rm -rf "$work/r/.almanac/tmp" "$work/r/.almanac/writer.lock" "$work/r/.almanac/reflog.lock"
# Git keeps no empty folders.
find "$work/r/.almanac" -type d -empty -delete
mkdir -p "$(dirname "$folder")"
# The store lies under a name that no .gitignore for repositories knows.
mv "$work/r/.almanac" "$work/r/store"
mv "$work/r" "$folder"
echo "Made $folder: $(find "$folder" -type f | wc -l) files, $(du -sk "$folder" | cut -f1) KiB"
