#!/usr/bin/env bash
# Prints what commits, appends, upserts, scans and diffs cost beside Delta, Lance, DVC and DuckDB, in one run on the same data.
# Usage: Benchmarks/Storage/run.sh PATH-OF-ALMANAC [ROWS=5000000] [SMALL-COMMITS=1000]
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$(realpath "${1:?usage: Benchmarks/Storage/run.sh PATH-OF-ALMANAC [ROWS] [SMALL-COMMITS]}")
python=$(scripts/python.sh)
"$python" -c 'import deltalake, lance' 2>/dev/null || "$python" -m pip install --quiet deltalake pylance
# DVC in an environment of its own: its dependencies quarrel with others.
if [ ! -x .venv-dvc/bin/dvc ]; then
  python3 -m venv .venv-dvc >&2
  .venv-dvc/bin/pip install --quiet dvc >&2
fi
exec "$python" Benchmarks/Storage/compare.py "$binary" "${2:-5000000}" "${3:-1000}" "$PWD/.venv-dvc/bin/dvc"
