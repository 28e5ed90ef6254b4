#!/usr/bin/env bash
# Computes the expressions of fixtures/expressions/cases.txt over its table of edge values with the command, and compares every cell
# with DuckDB; what must fail there must fail here. Says "skipped" where there is no Python with DuckDB.
# Usage: scripts/test-expressions.sh PATH-OF-ALMANAC
set -euo pipefail
cd "$(dirname "$0")/.."
almanac=$(realpath "${1:?usage: scripts/test-expressions.sh PATH-OF-ALMANAC}")
if ! python=$(scripts/python.sh 2>/dev/null) || ! "$python" -c 'import pyarrow, duckdb' >/dev/null 2>&1; then
  echo "skipped: no Python with PyArrow and DuckDB (set ALMANAC_PYTHON to one)"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
peer=fixtures/expressions/make_expression_fixtures.py
table=fixtures/expressions/edge_values.parquet
"$almanac" convert "$table" "$work/out.parquet" --select "$("$python" "$peer" --select)" >/dev/null
"$python" "$peer" --check "$work/out.parquet"

count=0
"$python" "$peer" --failures >"$work/failures"
while IFS= read -r expression; do
  status=0
  "$almanac" convert "$table" "$work/failed.parquet" --select="$expression" >/dev/null 2>"$work/error" </dev/null || status=$?
  if [ "$status" -ne 1 ]; then
    echo "test-expressions: $expression exits $status, expected 1: $(cat "$work/error")" >&2
    exit 1
  fi
  count=$((count + 1))
done <"$work/failures"
echo "$count expressions fail as in DuckDB"
