#!/usr/bin/env bash
# Compares every aggregate of a training set with DuckDB's over the same windows, and sums with Python's math.fsum bit for bit.
# Usage: scripts/test-windows.sh PATH-OF-ALMANAC [SEED]. Skipped without Python.
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-windows.sh PATH-OF-ALMANAC [SEED]}")
seed=${2:-$RANDOM}
if ! python=$(scripts/python.sh 2>/dev/null); then
  echo "skipped: there is no Python with DuckDB and PyArrow"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "seed $seed"
"$python" scripts/windows_oracle.py make "$work" "$seed"
"$almanac" init "$work/repository" >/dev/null
cp "$work/events.yaml" "$work/repository/schemas/"
cp "$work/features.yaml" "$work/repository/features/"
"$almanac" --repo "$work/repository" apply >/dev/null
"$almanac" --repo "$work/repository" commit "events=$work/events.parquet" -m events >/dev/null
"$almanac" --repo "$work/repository" train windows --labels "$work/labels.parquet" --out "$work/training.parquet" >/dev/null
"$python" scripts/windows_oracle.py check "$work" "$seed"
