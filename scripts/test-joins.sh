#!/usr/bin/env bash
# Compares every value of training sets with DuckDB's ASOF JOIN and Polars' join_asof over the same rows, and windows with DuckDB.
# Usage: scripts/test-joins.sh PATH-OF-ALMANAC [SEED]. Skipped without Python.
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-joins.sh PATH-OF-ALMANAC [SEED]}")
seed=${2:-$RANDOM}
if ! python=$(scripts/python.sh 2>/dev/null); then
  echo "skipped: there is no Python with DuckDB, Polars and PyArrow"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "seed $seed"
"$python" scripts/joins/oracle.py make "$work" "$seed"
run() { "$almanac" --repo "$work/repository" "$@" >/dev/null; }
"$almanac" init "$work/repository" >/dev/null
cp "$work"/*.contract.yaml "$work/repository/schemas/"
cp "$work/features.yaml" "$work/repository/features/"
run apply
# In several commits, of which the later ones bring late rows, corrections and deletions.
run commit "events=$work/events-0.parquet" "profiles=$work/profiles.parquet" -m first
run commit "events=$work/events-1.parquet" -m late
run commit "events=$work/events-2.parquet" --mode upsert -m corrected
run commit "events=$work/events-3.parquet" --mode delete -m deleted
run train joins --labels "$work/labels.parquet" --out "$work/training-0.parquet" --full-names
run seal
run train joins --labels "$work/labels.parquet" --out "$work/training-1.parquet" --full-names
"$python" scripts/joins/oracle.py check "$work"
