#!/usr/bin/env bash
# Compares what `almanac convert` reads and writes with PyArrow, DuckDB, Polars and pandas: the conformance files of
# apache/parquet-testing (where ../shared/conformance has them), generated tables of every type in both directions, and odd and damaged files. Says
# "skipped" where there is no Python with these engines. With --large also files of 2 GB (15 minutes, 12 GB of disk).
# Usage: scripts/test-formats.sh PATH-OF-ALMANAC [--large]
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-formats.sh PATH-OF-ALMANAC [--large]}")
if ! python=$(scripts/python.sh 2>/dev/null) || ! "$python" -c 'import pyarrow, duckdb, polars, pandas' >/dev/null 2>&1; then
  echo "skipped: no Python with PyArrow, DuckDB, Polars and pandas (set ALMANAC_PYTHON to one)"
  exit 0
fi
conformance=${ALMANAC_CONFORMANCE:-../shared/conformance/parquet}
if [ -d "$conformance/data" ]; then
  "$python" scripts/formats/conformance.py "$almanac" "$conformance"
else
  echo "skipped: the conformance files are not at $conformance (set ALMANAC_CONFORMANCE)"
fi
"$python" scripts/formats/roundtrip.py "$almanac"
"$python" scripts/formats/odd.py "$almanac"
if [ "${2:-}" = --large ]; then "$python" scripts/formats/large.py "$almanac"; fi
