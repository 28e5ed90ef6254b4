#!/usr/bin/env bash
# Lets other engines read what Almanac stores: commits the fixtures, then PyArrow, DuckDB and Polars read every leaf file in
# place and must agree with each other and with the rows committed. Says "skipped" where there is no Python with them.
# Usage: scripts/test-readers.sh PATH-OF-ALMANAC
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-readers.sh PATH-OF-ALMANAC}")
if ! python=$(scripts/python.sh 2>/dev/null) || ! "$python" -c 'import pyarrow, duckdb, polars' >/dev/null 2>&1; then
  echo "skipped: no Python with PyArrow, DuckDB and Polars (set ALMANAC_PYTHON to one)"
  exit 0
fi
fixtures=$PWD/fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
datasets=(
  "transactions=$fixtures/pyarrow/transactions.parquet" "user_profile=$fixtures/duckdb/user_profile.parquet"
  "merchant_stats=$fixtures/polars/merchant_stats.parquet"
)
"$almanac" init "$work/repository" >/dev/null
cp schemas/examples/*.yaml "$work/repository/schemas/"
"$almanac" --repo "$work/repository" apply >/dev/null
"$almanac" --repo "$work/repository" commit "${datasets[@]}" -m "fixtures" >/dev/null
"$python" scripts/read_leaves.py "$work/repository" "${datasets[@]}"
