#!/usr/bin/env bash
# Prints what training sets cost beside Polars and DuckDB, in one run on the same data, as whole processes, Parquet out.
# Usage: Benchmarks/Training/run.sh PATH-OF-ALMANAC [ROWS=20000000] [LABELS=1000000]
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$(realpath "${1:?usage: Benchmarks/Training/run.sh PATH-OF-ALMANAC [ROWS] [LABELS]}")
exec "$(scripts/python.sh)" Benchmarks/Training/compare.py "$binary" "${2:-20000000}" "${3:-1000000}"
