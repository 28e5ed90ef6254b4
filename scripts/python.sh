#!/usr/bin/env bash
# Prints the path of a Python that has PyArrow, DuckDB, Polars and pandas: the peers that benchmarks and the cross-reader
# test compare with. Makes a virtual environment under .venv on first use. Exits 1 when that is not possible.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -n "${ALMANAC_PYTHON:-}" ]; then
  echo "$ALMANAC_PYTHON"
  exit 0
fi
if ! .venv/bin/python -c 'import pyarrow, duckdb, polars, pandas' >/dev/null 2>&1; then
  python3 -m venv .venv >&2
  .venv/bin/pip install --quiet pyarrow duckdb polars pandas pytz >&2
fi
echo "$PWD/.venv/bin/python"
