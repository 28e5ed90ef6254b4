#!/usr/bin/env bash
# Prints commit, train and get figures beside the peers' on the same data, each as a whole process, Parquet in and out.
# Usage: Benchmarks/run.sh PATH-OF-ALMANAC [ROWS]
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "${1:?usage: Benchmarks/run.sh PATH-OF-ALMANAC [ROWS]}")
python=$(scripts/python.sh)
exec "$python" Benchmarks/compare.py "$binary" "${2:-1000000}"
